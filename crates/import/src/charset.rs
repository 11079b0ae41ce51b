//! Character sets. A byte order mark tells UTF-8 or UTF-16. Text without one is UTF-8 where it is valid, and else in the
//! Account's character set, Windows-1252 where that is UTF-8 or not set.
//!
//! An input is not read to its end before its first row is taken, so what is valid is decided row by row: a row that is
//! no UTF-8 is read in the Account's character set (unless a mark says what it is), and one broken row does not spoil the names in all others. Sets of
//! several bytes a character may hold delimiters inside of characters and look like UTF-8 by chance: where the beginning
//! of the input is no UTF-8, such a one is taken for the whole of it.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, Chain, Cursor, Read};

/// The character set of what is no UTF-8, by the charset of an Account. None: it has no such name.
pub(crate) fn fallback(charset: Option<&str>) -> Option<&'static Encoding> {
    let name = charset.map(str::trim).filter(|name| !name.is_empty());
    let encoding = match name {
        Some(name) => Encoding::for_label(name.as_bytes())?,
        None => UTF_8,
    };
    Some(if encoding == UTF_8 {
        WINDOWS_1252
    } else {
        encoding
    })
}

/// An input whose beginning was read already.
pub(crate) type Begun<R> = Chain<Cursor<Vec<u8>>, R>;

/// An input as UTF-8, or as bytes that rows are made of first.
pub(crate) struct Text<R> {
    /// The character set of rows that are no UTF-8; none where there can be no such rows but broken ones.
    pub row_charset: Option<&'static Encoding>,
    input: Begun<R>,
    transcoder: Option<Box<Transcoder>>,
}

struct Transcoder {
    decoder: Decoder,
    /// Bytes that were read, and where the next one is.
    raw: Vec<u8>,
    raw_at: usize,
    /// Text that is ready, and where the next byte of it is.
    ready: Vec<u8>,
    ready_at: usize,
    has_ended: bool,
    bytes_in: u64,
    bytes_out: u64,
}

const RAW_BYTES: usize = 1 << 14;
/// What no UTF-8 holds stands for what cannot be decoded; the row it is in is told.
const UNDECODED: u8 = 0xff;

impl<R: Read> Text<R> {
    /// Decides by the beginning of an input, of which `head` is some MiB or all.
    pub fn new(head: Vec<u8>, rest: R, charset: Option<&'static Encoding>) -> Self {
        let (encoding, mark) = match head.as_slice() {
            [0xff, 0xfe, ..] => (Some(UTF_16LE), 2),
            [0xfe, 0xff, ..] => (Some(UTF_16BE), 2),
            [0xef, 0xbb, 0xbf, ..] => (None, 0),
            _ => (charset.filter(|set| is_whole(set, &head)), 0),
        };
        let is_told = encoding.is_some() || head.starts_with(b"\xef\xbb\xbf");
        let mut begun = Cursor::new(head);
        begun.set_position(mark);
        let transcoder = encoding.map(|encoding| Transcoder {
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: Vec::new(),
            raw_at: 0,
            ready: Vec::new(),
            ready_at: 0,
            has_ended: false,
            bytes_in: mark,
            bytes_out: 0,
        });
        Self {
            row_charset: charset.filter(|_| !is_told),
            input: begun.chain(rest),
            transcoder: transcoder.map(Box::new),
        }
    }

    /// Bytes of input behind so many bytes of text; where it is transcoded, by the share of what is read.
    pub fn behind(&self, text_bytes: u64) -> u64 {
        match self.transcoder.as_deref() {
            Some(Transcoder {
                bytes_in,
                bytes_out,
                ..
            }) => {
                let share = u128::from(text_bytes) * u128::from(*bytes_in);
                (share / u128::from((*bytes_out).max(1))) as u64
            }
            None => text_bytes,
        }
    }
}

/// Whether all of an input is in a character set of several bytes.
fn is_whole(charset: &'static Encoding, head: &[u8]) -> bool {
    let is_utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        // The last character may go on behind the head.
        Err(error) => error.error_len().is_none(),
    };
    !charset.is_single_byte() && (!is_utf8 || head.contains(&0))
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.transcoder {
            Some(transcoder) => transcoder.read(&mut self.input, buffer),
            None => self.input.read(buffer),
        }
    }
}

impl Transcoder {
    fn read(&mut self, input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready_at == self.ready.len() {
            if self.has_ended {
                return Ok(0);
            }
            self.decode(input)?;
        }
        let ready = &self.ready[self.ready_at..];
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.ready_at += count;
        Ok(count)
    }

    fn decode(&mut self, input: &mut impl Read) -> io::Result<()> {
        let mut is_last = false;
        if self.raw_at == self.raw.len() {
            self.raw.resize(RAW_BYTES, 0);
            let count = input.read(&mut self.raw);
            self.raw.truncate(*count.as_ref().unwrap_or(&0));
            self.raw_at = 0;
            is_last = count? == 0;
            self.bytes_in += self.raw.len() as u64;
        }
        self.ready.resize(RAW_BYTES, 0);
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_at..],
            &mut self.ready,
            is_last,
        );
        self.raw_at += read;
        self.ready.truncate(written);
        self.ready_at = 0;
        match result {
            DecoderResult::InputEmpty => self.has_ended = is_last,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(..) => self.ready.push(UNDECODED),
        }
        self.bytes_out += self.ready.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::SHIFT_JIS;
    use proptest::prelude::*;

    fn text_of(bytes: &[u8], charset: Option<&'static Encoding>) -> Vec<u8> {
        let mut text = Vec::new();
        // The head ends in the middle of characters.
        let (head, rest) = bytes.split_at(bytes.len().min(3));
        Text::new(head.to_vec(), rest, charset)
            .read_to_end(&mut text)
            .expect("in memory");
        text
    }

    fn utf16(text: &str, is_little: bool) -> Vec<u8> {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        let bytes = units.flat_map(|unit| match is_little {
            true => unit.to_le_bytes(),
            false => unit.to_be_bytes(),
        });
        bytes.collect()
    }

    #[test]
    fn accounts_name_their_character_sets() {
        for (charset, expected) in [
            (None, Some(WINDOWS_1252)),
            (Some(""), Some(WINDOWS_1252)),
            (Some("UTF-8"), Some(WINDOWS_1252)),
            (Some("iso-8859-2"), Some(encoding_rs::ISO_8859_2)),
            (Some(" Shift_JIS "), Some(SHIFT_JIS)),
            (Some("runes"), None),
        ] {
            assert_eq!(fallback(charset), expected, "{charset:?}");
        }
    }

    #[test]
    fn sets_of_several_bytes_are_told_by_the_head() {
        let (japanese, _, _) = SHIFT_JIS.encode("\u{8868}|\u{30bd}");
        assert_eq!(
            text_of(&japanese, Some(SHIFT_JIS)),
            "\u{8868}|\u{30bd}".as_bytes()
        );
        assert_eq!(
            text_of("\u{8868}".as_bytes(), Some(SHIFT_JIS)),
            "\u{8868}".as_bytes()
        );
        assert_eq!(text_of(b"caf\xe9", Some(WINDOWS_1252)), b"caf\xe9");
    }

    #[test]
    fn halves_of_characters_are_marked() {
        let mut bytes = utf16("a", true);
        bytes.extend([0x00, 0xd8, b'b', 0, b'c']);
        assert_eq!(text_of(&bytes, None), b"a\xffb\xff");
    }

    proptest! {
        #[test]
        fn utf16_is_read(text in ".{0,40}", is_little: bool, repeat in 1usize..2_000) {
            let text = text.repeat(repeat);
            prop_assert!(text_of(&utf16(&text, is_little), None) == text.as_bytes());
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            for charset in [SHIFT_JIS, encoding_rs::ISO_2022_JP, encoding_rs::GB18030, UTF_16LE] {
                text_of(&bytes, Some(charset));
            }
        }
    }
}
