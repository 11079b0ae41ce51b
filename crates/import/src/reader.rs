//! CSV as a stream of records in bounded memory. A record with a flaw is told with its line, and reading goes on at the
//! line after the one it began on, so an unclosed quote costs one row and not the rest of the file. (The usual libraries
//! put no bound on a record and take all that follows such a quote into it.)
//!
//! What is a record does not depend on how the input arrives in pieces: a Job that goes on after a restart counts the
//! same rows again.

use crate::limits::{BUFFER_BYTES, COLUMNS_MAX, RECORD_BYTES_MAX};
use crate::{Error, Result};
use encoding_rs::Encoding;
use std::io::{ErrorKind, Read};

/// One record: its fields as one text with their ends.
#[derive(Debug, Default)]
pub struct Record {
    /// The line it begins on, from 1.
    pub line: u64,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field by index; "" beyond the last one.
    pub fn field(&self, index: usize) -> &str {
        let Some(&end) = self.ends.get(index) else {
            return "";
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..end]
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Adds a field behind those that are there; the ones between are empty.
    pub fn put(&mut self, index: usize, field: &str) {
        self.ends.resize(index, self.text.len());
        self.text.push_str(field);
        self.ends.push(self.text.len());
    }

    /// Bytes of all fields.
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// All fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.field(index))
    }
}

/// Why a record cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlawKind {
    /// A quote was opened and not closed.
    #[error("a quote is not closed")]
    UnclosedQuote,
    /// Something stands between a closing quote and the next delimiter.
    #[error("text after a closing quote")]
    TextAfterQuote,
    /// The record is too long.
    #[error("the row is longer than 1 MiB")]
    TooLong,
    /// The record has too many fields.
    #[error("the row has more than {COLUMNS_MAX} fields")]
    TooManyFields,
    /// The bytes are no characters.
    #[error("neither UTF-8 nor text in the Account's character set")]
    NotText,
    /// A cell says that its text is among those that cells share, and it is not.
    #[error("the text of the cell is missing in the file")]
    UnknownText,
    /// A byte 0.
    #[error("holds a NUL character (text in UTF-16 needs a byte order mark)")]
    Nul,
}

/// A flaw and the field it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flaw {
    /// What.
    pub kind: FlawKind,
    /// Where, from 0.
    pub field: usize,
}

/// Reads records.
pub struct Reader<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    line: u64,
    consumed: u64,
    delimiter: u8,
    charset: Option<&'static Encoding>,
}

impl<R: Read> Reader<R> {
    /// Looks at the beginning of the input: skips a byte order mark, refuses what is no text, finds the delimiter. Records
    /// that are no UTF-8 are read in `charset`.
    pub fn new(input: R, charset: Option<&'static Encoding>) -> Result<Self> {
        let mut reader = Self {
            input,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            end: 0,
            ended: false,
            line: 1,
            consumed: 0,
            delimiter: b',',
            charset,
        };
        reader.fill()?;
        let head = &reader.buffer[..reader.end];
        if let Some(reason) = unsupported(head) {
            return Err(Error::Unsupported(reason));
        }
        reader.delimiter = delimiter_of(head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head));
        if head.starts_with(BYTE_ORDER_MARK) {
            reader.consume(BYTE_ORDER_MARK.len(), 0);
        }
        Ok(reader)
    }

    /// Where it reads from.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// Bytes of input behind the last record.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Reads the next record that is not a blank line. None at the end.
    pub fn next(&mut self, record: &mut Record) -> Result<Option<std::result::Result<(), Flaw>>> {
        loop {
            let available = self.end - self.start;
            let window = &self.buffer[self.start..self.end][..available.min(RECORD_BYTES_MAX)];
            let is_all = self.ended && window.len() == available;
            if window.is_empty() && self.ended {
                return Ok(None);
            }
            record.line = self.line;
            let (flaw, length, lines) =
                match split(window, self.delimiter, self.charset, is_all, record) {
                    Split::Blank(length) => {
                        self.consume(length, 1);
                        continue;
                    }
                    Split::Record { length, lines } => {
                        self.consume(length, lines);
                        return Ok(Some(Ok(())));
                    }
                    Split::Whole {
                        length,
                        lines,
                        flaw,
                    } => (flaw, Some(length), lines),
                    Split::Broken(flaw) => (flaw, first_line(window, is_all), 1),
                    Split::Incomplete { .. } if window.len() < RECORD_BYTES_MAX && !self.ended => {
                        self.fill()?;
                        continue;
                    }
                    Split::Incomplete { in_quotes, field } => {
                        let kind = if in_quotes {
                            FlawKind::UnclosedQuote
                        } else {
                            FlawKind::TooLong
                        };
                        (Flaw { kind, field }, first_line(window, is_all), 1)
                    }
                };
            match length {
                Some(length) => self.consume(length, lines),
                None => self.skip_line()?,
            }
            return Ok(Some(Err(flaw)));
        }
    }

    fn consume(&mut self, length: usize, lines: u64) {
        self.start += length;
        self.consumed += length as u64;
        self.line += lines;
    }

    /// Skips the rest of a line that does not fit the buffer.
    fn skip_line(&mut self) -> Result<()> {
        loop {
            let window = &self.buffer[self.start..self.end];
            if let Some(length) = first_line(window, self.ended) {
                self.consume(length, 1);
                return Ok(());
            }
            // A carriage return at the end may be half of a line end: it stays.
            let keep = usize::from(window.last() == Some(&b'\r'));
            self.consume(window.len() - keep, 0);
            self.fill()?;
        }
    }

    /// Fills the buffer behind what is still needed of it.
    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < self.buffer.len() && !self.ended {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::Read(error)),
            }
        }
        Ok(())
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why the input is refused by its first bytes.
fn unsupported(head: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 5] = [
        (
            b"\xd0\xcf\x11\xe0",
            "this is an old Excel file, or one with a password; save it as .xlsx without one, or as CSV",
        ),
        (b"PK\x05\x06", "this is an empty ZIP file"),
        (b"PK\x07\x08", "this is a ZIP file in pieces"),
        (b"\x1f\x8b", "this is compressed; send it unpacked"),
        (b"%PDF-", "this is a PDF file; send a table as CSV or .xlsx"),
    ];
    let found = SIGNATURES
        .iter()
        .find(|(signature, _)| head.starts_with(signature));
    found.map(|(_, reason)| *reason)
}

/// The delimiter that the header row holds most of outside quotes; the comma where none is there.
fn delimiter_of(head: &[u8]) -> u8 {
    const DELIMITERS: [u8; 4] = *b",;\t|";
    let mut counts = [0usize; DELIMITERS.len()];
    let mut in_quotes = false;
    for &byte in head.iter().skip_while(|byte| matches!(byte, b'\r' | b'\n')) {
        match byte {
            b'"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            b'\r' | b'\n' => break,
            _ => {
                if let Some(index) = DELIMITERS.iter().position(|delimiter| *delimiter == byte) {
                    counts[index] += 1;
                }
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    let index = counts
        .iter()
        .position(|count| *count == most)
        .unwrap_or_default();
    DELIMITERS[index]
}

/// What was found at the beginning of a window.
enum Split {
    /// A blank line.
    Blank(usize),
    /// A record.
    Record { length: usize, lines: u64 },
    /// A record whose end is known but which cannot be used.
    Whole {
        length: usize,
        lines: u64,
        flaw: Flaw,
    },
    /// Where it ends cannot be told.
    Broken(Flaw),
    /// The window ends before it does.
    Incomplete { in_quotes: bool, field: usize },
}

/// Splits the first record off a window; `is_all` says that nothing follows the window.
fn split(
    window: &[u8],
    delimiter: u8,
    charset: Option<&'static Encoding>,
    is_all: bool,
    record: &mut Record,
) -> Split {
    let mut text = std::mem::take(&mut record.text).into_bytes();
    text.clear();
    record.ends.clear();
    let found = split_bytes(window, delimiter, is_all, &mut text, &mut record.ends);
    let Split::Record { length, lines } = found else {
        return found;
    };
    match check(text, &mut record.ends, charset) {
        Ok(text) => {
            record.text = text;
            found
        }
        Err(flaw) => Split::Whole {
            length,
            lines,
            flaw,
        },
    }
}

fn split_bytes(
    window: &[u8],
    delimiter: u8,
    is_all: bool,
    text: &mut Vec<u8>,
    ends: &mut Vec<usize>,
) -> Split {
    let mut at = 0;
    let mut lines = 0;
    loop {
        let field = ends.len();
        let is_quoted = window.get(at) == Some(&b'"');
        if is_quoted {
            match quoted(&window[at + 1..], text) {
                Quoted::Closed(length, inner) => {
                    at += 1 + length;
                    lines += inner;
                }
                Quoted::Open if is_all => {
                    return Split::Broken(Flaw {
                        kind: FlawKind::UnclosedQuote,
                        field,
                    });
                }
                Quoted::Open => {
                    return Split::Incomplete {
                        in_quotes: true,
                        field,
                    };
                }
            }
            let blanks = |byte: &&u8| matches!(**byte, b' ' | b'\t') && **byte != delimiter;
            at += window[at..].iter().take_while(blanks).count();
        }
        let is_end = |byte: &u8| *byte == delimiter || matches!(*byte, b'\n' | b'\r');
        let rest = &window[at..];
        let plain = match rest.iter().position(is_end) {
            Some(length) => length,
            None if is_all => rest.len(),
            None => {
                return Split::Incomplete {
                    in_quotes: false,
                    field,
                };
            }
        };
        if is_quoted && plain > 0 {
            return Split::Broken(Flaw {
                kind: FlawKind::TextAfterQuote,
                field,
            });
        }
        text.extend_from_slice(&rest[..plain]);
        ends.push(text.len());
        at += plain;
        if window.get(at) == Some(&delimiter) {
            at += 1;
            continue;
        }
        let Some(end) = line_end(&window[at..], is_all) else {
            return Split::Incomplete {
                in_quotes: false,
                field,
            };
        };
        let length = at + end;
        return if at == 0 {
            Split::Blank(length)
        } else if ends.len() > COLUMNS_MAX {
            let flaw = Flaw {
                kind: FlawKind::TooManyFields,
                field: COLUMNS_MAX,
            };
            Split::Whole {
                length,
                lines: lines + 1,
                flaw,
            }
        } else {
            Split::Record {
                length,
                lines: lines + 1,
            }
        };
    }
}

enum Quoted {
    /// The quote that closes it is the last of so many bytes, over so many line ends.
    Closed(usize, u64),
    Open,
}

/// Reads what stands behind an opening quote.
fn quoted(bytes: &[u8], text: &mut Vec<u8>) -> Quoted {
    let mut at = 0;
    let mut lines = 0;
    loop {
        let Some(length) = bytes[at..].iter().position(|byte| *byte == b'"') else {
            return Quoted::Open;
        };
        let piece = &bytes[at..at + length];
        lines += line_ends(piece);
        text.extend_from_slice(piece);
        at += length + 1;
        if bytes.get(at) != Some(&b'"') {
            return Quoted::Closed(at, lines);
        }
        text.push(b'"');
        at += 1;
    }
}

/// Line ends in a text: `\n`, `\r\n`, or `\r` alone.
fn line_ends(bytes: &[u8]) -> u64 {
    let ends = bytes.iter().enumerate().filter(|(index, byte)| {
        **byte == b'\n' || (**byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'))
    });
    ends.count() as u64
}

/// The length of the line end at the beginning of `rest`; 0 at the very end of the input. None: more must be read.
fn line_end(rest: &[u8], is_all: bool) -> Option<usize> {
    match rest {
        [b'\r', b'\n', ..] => Some(2),
        [b'\r'] if !is_all => None,
        [_, ..] => Some(1),
        [] => Some(0),
    }
}

/// The length of the first line with its end. None when its end is not in the window.
fn first_line(window: &[u8], is_all: bool) -> Option<usize> {
    match window.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        Some(at) => line_end(&window[at..], is_all).map(|end| at + end),
        None => is_all.then_some(window.len()),
    }
}

/// Checks that each field is text of its own: in UTF-8, or in the character set where the record is no UTF-8.
fn check(
    bytes: Vec<u8>,
    ends: &mut [usize],
    charset: Option<&'static Encoding>,
) -> std::result::Result<String, Flaw> {
    let field_at = |offset: usize| ends.partition_point(|end| *end <= offset);
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        return Err(Flaw {
            kind: FlawKind::Nul,
            field: field_at(offset),
        });
    }
    let (bytes, field) = match String::from_utf8(bytes) {
        // Two halves of a character in neighbouring fields make a valid whole but no valid fields.
        Ok(text) => match ends.iter().position(|end| !text.is_char_boundary(*end)) {
            None => return Ok(text),
            Some(field) => (text.into_bytes(), field),
        },
        Err(error) => {
            let field = field_at(error.utf8_error().valid_up_to());
            (error.into_bytes(), field)
        }
    };
    match charset {
        Some(charset) => decode(&bytes, ends, charset),
        None => Err(Flaw {
            kind: FlawKind::NotText,
            field,
        }),
    }
}

fn decode(
    bytes: &[u8],
    ends: &mut [usize],
    charset: &'static Encoding,
) -> std::result::Result<String, Flaw> {
    let mut text = String::with_capacity(bytes.len() * 2);
    let mut start = 0;
    for (field, end) in ends.iter_mut().enumerate() {
        let decoded = charset
            .decode_without_bom_handling_and_without_replacement(&bytes[start..*end])
            .ok_or(Flaw {
                kind: FlawKind::NotText,
                field,
            })?;
        text.push_str(&decoded);
        start = std::mem::replace(end, text.len());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives out one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    type Row = (u64, std::result::Result<Vec<String>, FlawKind>);

    fn read_all(input: impl Read) -> Vec<Row> {
        read_in(input, None)
    }

    fn read_in(input: impl Read, charset: Option<&'static Encoding>) -> Vec<Row> {
        let mut reader = Reader::new(input, charset).expect("text");
        let mut record = Record::default();
        let mut rows = Vec::new();
        while let Some(answer) = reader.next(&mut record).expect("readable") {
            let fields = answer.map(|()| record.fields().map(str::to_owned).collect());
            rows.push((record.line, fields.map_err(|flaw| flaw.kind)));
        }
        rows
    }

    fn good(line: u64, fields: &[&str]) -> Row {
        (
            line,
            Ok(fields.iter().map(|field| (*field).to_owned()).collect()),
        )
    }

    #[test]
    fn records_are_split() {
        let table: [(&[u8], Vec<Row>); 9] = [
            (
                b"a,b\n1,2\n",
                vec![good(1, &["a", "b"]), good(2, &["1", "2"])],
            ),
            (
                b"\xef\xbb\xbfa;b\r\n1;2",
                vec![good(1, &["a", "b"]), good(2, &["1", "2"])],
            ),
            (
                b"a\tb\r1\t\"x\ty\"",
                vec![good(1, &["a", "b"]), good(2, &["1", "x\ty"])],
            ),
            (
                b"a|b|c,d\n\n\n1|\n",
                vec![good(1, &["a", "b", "c,d"]), good(4, &["1", ""])],
            ),
            (
                b"\"a,;;;\",b\n\"x\"\"y\nz\" ,2\n3,4",
                vec![
                    good(1, &["a,;;;", "b"]),
                    good(2, &["x\"y\nz", "2"]),
                    good(4, &["3", "4"]),
                ],
            ),
            (
                b"a,b\n1,\"2\n3,4\n",
                vec![
                    good(1, &["a", "b"]),
                    (2, Err(FlawKind::UnclosedQuote)),
                    good(3, &["3", "4"]),
                ],
            ),
            (
                b"a,b\n\"1\"x,2\n3,4\n",
                vec![
                    good(1, &["a", "b"]),
                    (2, Err(FlawKind::TextAfterQuote)),
                    good(3, &["3", "4"]),
                ],
            ),
            (
                b"a,b\n\0,2\n\xff,2\n\xc3,\xa9\n3,4",
                vec![
                    good(1, &["a", "b"]),
                    (2, Err(FlawKind::Nul)),
                    (3, Err(FlawKind::NotText)),
                    (4, Err(FlawKind::NotText)),
                    good(5, &["3", "4"]),
                ],
            ),
            (b"", vec![]),
        ];
        for (input, expected) in table {
            assert_eq!(read_all(input), expected, "{}", input.escape_ascii());
            assert_eq!(
                read_all(Drip(input)),
                expected,
                "dripping {}",
                input.escape_ascii()
            );
        }
    }

    #[test]
    fn rows_that_are_no_utf8_are_read_in_the_character_set() {
        let input = b"a|b\nZo\xeb|\x80 5\nZo\xc3\xab|x\n\xc3|\xab\n";
        assert_eq!(
            read_in(&input[..], Some(encoding_rs::WINDOWS_1252)),
            [
                good(1, &["a", "b"]),
                good(2, &["Zo\u{eb}", "\u{20ac} 5"]),
                good(3, &["Zo\u{eb}", "x"]),
                good(4, &["\u{c3}", "\u{ab}"]),
            ]
        );
        let rows = read_in(&b"a,b\n1,\xff\n"[..], Some(encoding_rs::SHIFT_JIS));
        assert_eq!(rows[1], (2, Err(FlawKind::NotText)));
    }

    #[test]
    fn endless_records_cost_one_row() {
        let long = "x".repeat(RECORD_BYTES_MAX * 3);
        let input = format!(
            "a,b\n1,{long}\n3,4\n\"{}5,6\n",
            "7,8\n".repeat(RECORD_BYTES_MAX / 2)
        );
        let rows = read_all(input.as_bytes());
        assert_eq!(rows[1], (2, Err(FlawKind::TooLong)));
        assert_eq!(rows[2], good(3, &["3", "4"]));
        assert_eq!(rows[3], (4, Err(FlawKind::UnclosedQuote)));
        assert_eq!(rows[4], good(5, &["7", "8"]));
        assert_eq!(
            rows.last(),
            Some(&good(4 + RECORD_BYTES_MAX as u64 / 2, &["5", "6"]))
        );
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for head in [
            &b"PK\x05\x06rest"[..],
            b"%PDF-1.7",
            b"\xd0\xcf\x11\xe0",
            b"\x1f\x8b\x08",
        ] {
            assert!(matches!(
                Reader::new(head, None),
                Err(Error::Unsupported(_))
            ));
        }
    }

    #[test]
    fn rows_with_too_many_fields_are_told() {
        let input = format!("a,b\n{}\n1,2", ",".repeat(COLUMNS_MAX));
        let rows = read_all(input.as_bytes());
        assert_eq!(rows[1], (2, Err(FlawKind::TooManyFields)));
        assert_eq!(rows[2], good(3, &["1", "2"]));
    }

    proptest! {
        #[test]
        fn anything_can_be_read_in_any_pieces(input in proptest::collection::vec(
            prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(0xc3), Just(b'a'), any::<u8>()], 0..200)
        ) {
            if let Ok(mut reader) = Reader::new(&input[..], None) {
                let mut record = Record::default();
                while reader.next(&mut record).expect("slices can be read").is_some() {}
                prop_assert_eq!(read_all(&input[..]), read_all(Drip(&input)));
            }
        }

        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec(
            proptest::collection::vec("[a-z\" ,;\r\n\u{e9}]{1,8}", 2..5), 1..10)
        ) {
            let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let lines: Vec<String> = rows.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",")).collect();
            let read: Vec<_> = read_all(lines.join("\n").as_bytes()).into_iter().map(|(_, fields)| fields).collect();
            let expected: Vec<_> = rows.into_iter().map(Ok).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
