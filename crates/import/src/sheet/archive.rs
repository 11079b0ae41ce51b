//! The ZIP archive that an Excel file is: its directory is looked through where a part is asked for, so nothing is held
//! of it, and a part is unpacked in full and checked before anybody reads it: what is cut off, damaged or a bomb is
//! refused before a single row is taken.

use super::xml::Xml;
use crate::limits::UNPACKED_BYTES_MAX;
use crate::{Error, Result};
use bytes::Bytes;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{self, Cursor, Read};

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
/// The longest comment behind the directory.
const COMMENT_BYTES_MAX: usize = u16::MAX as usize;

/// An archive in memory.
#[derive(Debug)]
pub(super) struct Archive {
    bytes: Bytes,
    directory: Bytes,
    /// Bytes that may still be unpacked.
    left: u64,
}

/// What the directory says of a part.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    name: &'a [u8],
    is_encrypted: bool,
    method: u16,
    crc: u32,
    packed: u32,
    unpacked: u32,
    offset: u32,
}

impl Archive {
    /// Finds the directory.
    pub fn new(bytes: Bytes) -> Result<Self> {
        Self::bounded(bytes, UNPACKED_BYTES_MAX)
    }

    /// An archive of which so much may be unpacked.
    pub fn bounded(bytes: Bytes, left: u64) -> Result<Self> {
        let tail_start = bytes.len().saturating_sub(END_BYTES + COMMENT_BYTES_MAX);
        let tail = &bytes[tail_start..];
        let found = (0..tail.len())
            .rev()
            .find(|at| tail[*at..].starts_with(END));
        let end = found
            .and_then(|at| tail.get(at..at + END_BYTES))
            .ok_or_else(|| damaged("it is cut off: its directory is missing"))?;
        let (length, offset) = (u32_at(end, 12), u32_at(end, 16));
        if offset == u32::MAX || length == u32::MAX {
            return Err(damaged("it is a ZIP64 archive, which is not read"));
        }
        let (start, stop) = (offset as usize, offset as usize + length as usize);
        if stop > bytes.len() {
            return Err(damaged("its directory lies outside of it"));
        }
        let directory = bytes.slice(start..stop);
        Ok(Self {
            bytes,
            directory,
            left,
        })
    }

    /// Bytes of the whole archive.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Unpacks and checks a part of at most so many bytes and opens it. Names are compared without case, as Excel does.
    pub fn open(&mut self, name: &str, bytes_max: u64) -> Result<Option<Xml>> {
        let Some(entry) = find(&self.directory, name)? else {
            return Ok(None);
        };
        if entry.is_encrypted {
            return Err(damaged("it is encrypted"));
        }
        let packed = self.packed(&entry)?;
        let allowed = bytes_max.min(self.left);
        let mut unpacking = Unpacking::new(packed.clone(), entry.method)?;
        let unpacked = check(&mut unpacking, &entry, allowed, name)?;
        self.left -= unpacked;
        Ok(Some(Xml::new(Unpacking::new(packed, entry.method)?)))
    }

    fn packed(&self, entry: &Entry<'_>) -> Result<Bytes> {
        let local = entry.offset as usize;
        let outside = || damaged("a part lies outside of it");
        let header = self
            .bytes
            .get(local..local + LOCAL_BYTES)
            .ok_or_else(outside)?;
        if !header.starts_with(LOCAL) {
            return Err(outside());
        }
        let names = usize::from(u16_at(header, 26)) + usize::from(u16_at(header, 28));
        let start = local + LOCAL_BYTES + names;
        let stop = start + entry.packed as usize;
        if stop > self.bytes.len() {
            return Err(outside());
        }
        Ok(self.bytes.slice(start..stop))
    }
}

/// Reads a part to its end; answers its length.
fn check(part: &mut Unpacking, entry: &Entry<'_>, allowed: u64, name: &str) -> Result<u64> {
    let mut buffer = vec![0; 1 << 16];
    let (mut crc, mut length) = (Crc::new(), 0);
    loop {
        let count = match part.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(_) => return Err(damaged(&format!("{name} cannot be unpacked"))),
        };
        crc.update(&buffer[..count]);
        length += count as u64;
        if length > allowed {
            return Err(damaged(&format!("{name} unpacks to more than is allowed")));
        }
    }
    if crc.sum() != entry.crc || length != u64::from(entry.unpacked) {
        return Err(damaged(&format!("{name} is not what its check sum says")));
    }
    Ok(length)
}

fn find<'a>(mut directory: &'a [u8], name: &str) -> Result<Option<Entry<'a>>> {
    while !directory.is_empty() {
        let head = directory
            .get(..ENTRY_BYTES)
            .filter(|head| head.starts_with(ENTRY))
            .ok_or_else(|| damaged("its directory is damaged"))?;
        let length = |at| usize::from(u16_at(head, at));
        let rest = &directory[ENTRY_BYTES..];
        let next = length(28) + length(30) + length(32);
        if next > rest.len() {
            return Err(damaged("its directory is damaged"));
        }
        let entry = Entry {
            name: &rest[..length(28)],
            is_encrypted: u16_at(head, 8) & 1 == 1,
            method: u16_at(head, 10),
            crc: u32_at(head, 16),
            packed: u32_at(head, 20),
            unpacked: u32_at(head, 24),
            offset: u32_at(head, 42),
        };
        if is_same(entry.name, name) {
            return Ok(Some(entry));
        }
        directory = &rest[next..];
    }
    Ok(None)
}

/// Some writers use the backslash.
fn is_same(name: &[u8], wanted: &str) -> bool {
    let slashed = name.iter().map(|byte| match byte {
        b'\\' => b'/',
        other => other.to_ascii_lowercase(),
    });
    slashed.eq(wanted.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// A part as it is unpacked.
pub(super) enum Unpacking {
    Stored(Cursor<Bytes>),
    Deflated(Box<DeflateDecoder<Cursor<Bytes>>>),
}

impl Unpacking {
    fn new(packed: Bytes, method: u16) -> Result<Self> {
        match method {
            0 => Ok(Self::Stored(Cursor::new(packed))),
            8 => Ok(Self::Deflated(Box::new(DeflateDecoder::new(Cursor::new(
                packed,
            ))))),
            _ => Err(damaged("it is compressed by another method than deflate")),
        }
    }

    fn packed(&self) -> &Cursor<Bytes> {
        match self {
            Self::Stored(packed) => packed,
            Self::Deflated(decoder) => decoder.get_ref(),
        }
    }

    /// How much of the part is read: packed bytes, of all of them.
    pub fn progress(&self) -> (u64, u64) {
        let packed = self.packed();
        (packed.position(), packed.get_ref().len() as u64)
    }
}

impl Read for Unpacking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(packed) => packed.read(buffer),
            Self::Deflated(decoder) => decoder.read(buffer),
        }
    }
}

/// What is wrong with the file.
pub(super) fn damaged(reason: &str) -> Error {
    Error::Workbook(reason.to_owned())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::tests::zip;

    #[test]
    fn parts_are_found_by_name_without_case() {
        let mut archive = Archive::new(zip(&[("A\\b.XML", "<a/>")]).into()).expect("a directory");
        assert!(archive.open("a/B.xml", 100).expect("sound").is_some());
        assert!(archive.open("a/c.xml", 100).expect("sound").is_none());
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let bytes = Bytes::from(zip(&[("a", &"x".repeat(60)), ("b", &"x".repeat(60))]));
        let open = |left, bytes_max| {
            let mut archive = Archive::bounded(bytes.clone(), left)?;
            archive.open("a", bytes_max)?;
            archive.open("b", bytes_max).map(|_| ())
        };
        assert!(open(120, 60).is_ok());
        for (left, bytes_max) in [(119, 60), (120, 59)] {
            let reason = open(left, bytes_max).expect_err("too much").to_string();
            assert!(reason.contains("more than is allowed"), "{reason}");
        }
    }

    #[test]
    fn damage_anywhere_is_told_or_harmless() {
        let whole = zip(&[("a", "<a>some text</a>"), ("b", "<b/>")]);
        for length in 0..whole.len() {
            assert!(Archive::new(Bytes::copy_from_slice(&whole[..length])).is_err());
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            if let Ok(mut archive) = Archive::new(bytes.into()) {
                for name in ["a", "b"] {
                    let _ = archive.open(name, 1_000);
                }
            }
        }
    }
}
