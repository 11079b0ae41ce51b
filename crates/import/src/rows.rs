//! The rows of an input, whatever its kind: text or an Excel file, told by its first bytes.

use crate::charset::Text;
use crate::limits::{BUFFER_BYTES, WORKBOOK_BYTES_MAX};
use crate::reader::{Flaw, Reader, Record};
use crate::sheet::Sheet;
use crate::{Error, Result};
use encoding_rs::Encoding;
use std::io::Read;

const EXCEL: &[u8] = b"PK\x03\x04";

/// Rows, the header row first.
pub(crate) enum Rows<R> {
    /// Of text with delimiters.
    Text(Box<Reader<Text<R>>>),
    /// Of an Excel file.
    Sheet(Box<Sheet>),
}

impl<R: Read> Rows<R> {
    /// Looks at the beginning of an input. What is no UTF-8 is read in `charset`.
    pub fn new(mut input: R, charset: Option<&'static Encoding>) -> Result<Self> {
        let mut head = Vec::new();
        read_up_to(&mut input, &mut head, BUFFER_BYTES)?;
        if !head.starts_with(EXCEL) {
            let text = Text::new(head, input, charset);
            let row_charset = text.row_charset;
            let reader = Reader::new(text, row_charset)?;
            return Ok(Self::Text(Box::new(reader)));
        }
        read_up_to(&mut input, &mut head, WORKBOOK_BYTES_MAX + 1)?;
        if head.len() > WORKBOOK_BYTES_MAX {
            let bytes_max = WORKBOOK_BYTES_MAX >> 20;
            return Err(Error::Workbook(format!(
                "it is larger than {bytes_max} MiB"
            )));
        }
        Ok(Self::Sheet(Box::new(Sheet::open(head)?)))
    }

    /// Whether columns have letters and rows have numbers.
    pub fn is_sheet(&self) -> bool {
        matches!(self, Self::Sheet(_))
    }

    /// Reads the next row that is not blank. None at the end.
    pub fn next(&mut self, record: &mut Record) -> Result<Option<std::result::Result<(), Flaw>>> {
        match self {
            Self::Text(reader) => reader.next(record),
            Self::Sheet(sheet) => sheet.next(record),
        }
    }

    /// Bytes of text behind the last row.
    pub fn text_bytes(&self) -> u64 {
        match self {
            Self::Text(reader) => reader.consumed(),
            Self::Sheet(sheet) => sheet.text_bytes(),
        }
    }

    /// Bytes of input behind the last row; about so many where the input is no UTF-8.
    pub fn consumed(&self) -> u64 {
        match self {
            Self::Text(reader) => reader.input().behind(reader.consumed()),
            Self::Sheet(sheet) => sheet.consumed(),
        }
    }
}

/// Reads until so many bytes are there, or to the end.
fn read_up_to(input: &mut impl Read, bytes: &mut Vec<u8>, length: usize) -> Result<()> {
    let missing = length.saturating_sub(bytes.len()) as u64;
    input
        .take(missing)
        .read_to_end(bytes)
        .map(drop)
        .map_err(Error::Read)
}
