//! What both doors do with a body before they read it: gzip, character sets, multipart. Everything is bounded.

use crate::limits::{BODY_BYTES_MAX, PARTS_MAX};
use bytes::Bytes;
use std::io::Read as _;

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is too big.
    #[error("the body exceeds {BODY_BYTES_MAX} bytes")]
    TooBig,
    /// It is not what it says it is.
    #[error("{0}")]
    Malformed(String),
}

/// Unpacks a gzip body; other encodings are refused.
pub fn unpack(body: Bytes, encoding: Option<&str>) -> Result<Bytes, Unreadable> {
    match encoding.map(str::trim) {
        None | Some("" | "identity") => Ok(body),
        Some(gzip) if gzip.eq_ignore_ascii_case("gzip") || gzip.eq_ignore_ascii_case("x-gzip") => {
            let mut unpacked = Vec::with_capacity(body.len().saturating_mul(4).min(BODY_BYTES_MAX));
            flate2::read::MultiGzDecoder::new(&body[..])
                .take(BODY_BYTES_MAX as u64 + 1)
                .read_to_end(&mut unpacked)
                .map_err(|_| Unreadable::Malformed("the body is not gzip".into()))?;
            if unpacked.len() > BODY_BYTES_MAX {
                return Err(Unreadable::TooBig);
            }
            Ok(unpacked.into())
        }
        Some(_) => Err(Unreadable::Malformed(
            "the content encoding is not supported; gzip is".into(),
        )),
    }
}

/// The text of an XML body: UTF-8, or UTF-16 by its byte order mark or its first character.
pub fn xml_text(body: Bytes) -> Result<String, Unreadable> {
    let wide = |little: bool, skip: usize| {
        let pairs = body[skip..].chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return Err(Unreadable::Malformed(
                "UTF-16 with an odd number of bytes".into(),
            ));
        }
        let units = pairs.map(|pair| {
            if little {
                u16::from_le_bytes([pair[0], pair[1]])
            } else {
                u16::from_be_bytes([pair[0], pair[1]])
            }
        });
        char::decode_utf16(units)
            .collect::<Result<String, _>>()
            .map_err(|_| Unreadable::Malformed("the body is not UTF-16".into()))
    };
    match &body[..] {
        [0xff, 0xfe, ..] => wide(true, 2),
        [0xfe, 0xff, ..] => wide(false, 2),
        [b'<', 0, ..] => wide(true, 0),
        [0, b'<', ..] => wide(false, 0),
        _ => json_text(body),
    }
}

/// The text of a JSON body: UTF-8, a byte order mark is skipped.
pub fn json_text(body: Bytes) -> Result<String, Unreadable> {
    let body = match body.strip_prefix(&[0xef, 0xbb, 0xbf]) {
        Some(_) => body.slice(3..),
        None => body,
    };
    String::from_utf8(body.into())
        .map_err(|_| Unreadable::Malformed("the body is not UTF-8".into()))
}

/// A part of a multipart body.
#[derive(Debug, Clone)]
pub struct Part {
    /// Content-ID without its angle brackets.
    pub id: String,
    /// Content-Type.
    pub media_type: String,
    /// Name of the form field, and of the file.
    pub name: String,
    /// See name.
    pub file_name: String,
    /// Its bytes.
    pub data: Bytes,
}

/// The value of a parameter of a header: `boundary` of Content-Type.
pub fn parameter(header: &str, name: &str) -> Option<String> {
    let mut rest = header;
    while let Some(at) = rest.find(';') {
        rest = rest[at + 1..].trim_start();
        let (key, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let text = match value.strip_prefix('"') {
            Some(quoted) => &quoted[..quoted.find('"')?],
            None => value.split(';').next().unwrap_or_default().trim(),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(text.to_owned());
        }
        if let Some(quoted) = value.strip_prefix('"') {
            rest = &quoted[quoted.find('"')? + 1..];
        }
    }
    None
}

/// The parts of a multipart body.
pub fn parts(body: &Bytes, content_type: &str) -> Result<Vec<Part>, Unreadable> {
    let malformed = |text: &str| Unreadable::Malformed(text.to_owned());
    let boundary = parameter(content_type, "boundary").ok_or_else(|| malformed("no boundary"))?;
    if boundary.is_empty() || boundary.len() > 70 {
        return Err(malformed("no boundary"));
    }
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut at =
        find(body, delimiter.as_bytes(), 0).ok_or_else(|| malformed("no part"))? + delimiter.len();
    loop {
        if body[at..].starts_with(b"--") {
            return Ok(parts);
        }
        let next = find(body, format!("\n{delimiter}").as_bytes(), at)
            .ok_or_else(|| malformed("a part does not end"))?;
        let end = if next > at && body[next - 1] == b'\r' {
            next - 1
        } else {
            next
        };
        let line_end = find(body, b"\n", at).unwrap_or(end).min(end);
        parts.push(part(body, (line_end + 1).min(end), end));
        if parts.len() > PARTS_MAX {
            return Err(malformed("too many parts"));
        }
        at = next + 1 + delimiter.len();
    }
}

fn part(body: &Bytes, start: usize, end: usize) -> Part {
    let mut part = Part {
        id: String::new(),
        media_type: String::new(),
        name: String::new(),
        file_name: String::new(),
        data: Bytes::new(),
    };
    let mut at = start;
    while at < end {
        let line_end = find(body, b"\n", at).unwrap_or(end).min(end);
        let line = String::from_utf8_lossy(&body[at..line_end]);
        let line = line.trim_end_matches('\r');
        at = (line_end + 1).min(end);
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-id") {
            part.id = value.trim_matches(['<', '>']).to_owned();
        } else if name.eq_ignore_ascii_case("content-type") {
            part.media_type = value.to_owned();
        } else if name.eq_ignore_ascii_case("content-disposition") {
            part.name = parameter(value, "name").unwrap_or_default();
            part.file_name = parameter(value, "filename").unwrap_or_default();
        }
    }
    part.data = body.slice(at..end);
    part
}

fn find(body: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    if wanted.is_empty() || from > body.len() {
        return None;
    }
    let first = wanted[0];
    let mut at = from;
    while let Some(offset) = body[at..].iter().position(|byte| *byte == first) {
        at += offset;
        if body[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipart_bodies_fall_apart() {
        let body = Bytes::from_static(
            b"preamble\r\n--b\r\nContent-ID: <root>\r\nContent-Type: application/xop+xml\r\n\r\n<a/>\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x;y.xml\"\r\n\r\nab\r\ncd\r\n--b--\r\n",
        );
        let parts =
            parts(&body, "multipart/related; type=\"a;b\"; boundary=\"b\"").expect("well-formed");
        assert_eq!(parts.len(), 2);
        assert_eq!(
            (parts[0].id.as_str(), &parts[0].data[..]),
            ("root", &b"<a/>"[..])
        );
        assert_eq!(
            (parts[1].name.as_str(), parts[1].file_name.as_str()),
            ("f", "x;y.xml")
        );
        assert_eq!(&parts[1].data[..], b"ab\r\ncd");
    }

    #[test]
    fn damaged_multipart_bodies_are_told() {
        for body in ["", "--b", "--b\r\nx", "--b\r\n\r\n", "--b\n--b", "--c--"] {
            let _ = parts(
                &Bytes::copy_from_slice(body.as_bytes()),
                "multipart/related; boundary=b",
            );
        }
        assert!(parts(&Bytes::new(), "multipart/related").is_err());
    }

    #[test]
    fn a_gzip_bomb_is_stopped() {
        use std::io::Write as _;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed
            .write_all(&vec![b' '; BODY_BYTES_MAX + 1])
            .expect("memory");
        let packed = packed.finish().expect("memory");
        assert_eq!(unpack(packed.into(), Some("gzip")), Err(Unreadable::TooBig));
    }

    #[test]
    fn utf_16_is_read() {
        let text: Vec<u8> = "<é/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(xml_text(text.into()).as_deref(), Ok("<é/>"));
        let with_mark: Vec<u8> = "\u{feff}<é/>"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(xml_text(with_mark.into()).as_deref(), Ok("<é/>"));
    }
}
