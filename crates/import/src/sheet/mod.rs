//! Excel files (.xlsx): the rows of the first sheet that is shown, read as a stream, each cell as the text a person sees
//! in it. Formulas are not evaluated: the value that was saved with them counts, and none where there is none. Rows and
//! columns that are hidden are read as well.
//!
//! Of the file are held in memory: its bytes, packed as they came, and the texts its cells share (both bounded by
//! `limits.rs`). A common library is not used here because it trusts the counts that stand in the file.

mod archive;
mod format;
mod workbook;
mod xml;

use crate::limits::{
    COLUMNS_MAX, RECORD_BYTES_MAX, SHEET_COLUMNS_MAX, SHEET_ROWS_MAX, UNPACKED_BYTES_MAX,
};
use crate::reader::{Flaw, FlawKind, Record};
use crate::{Error, Result};
use archive::{Archive, damaged};
use quick_xml::events::{BytesStart, Event};
use workbook::Workbook;
use xml::{Xml, append, attributes};

/// The first sheet of an Excel file.
pub(crate) struct Sheet {
    workbook: Workbook,
    xml: Xml,
    bytes: u64,
    /// The number of the last row.
    row: u32,
    cell: Cell,
    /// Bytes of text so far.
    text_bytes: u64,
    has_ended: bool,
}

/// The cell that is read.
#[derive(Default)]
struct Cell {
    column: usize,
    /// The column of the next cell that does not say where it is.
    next: usize,
    kind: String,
    style: usize,
    text: String,
    is_text: bool,
    is_spoken: bool,
}

impl Sheet {
    /// Opens a file that is in memory.
    pub fn open(bytes: Vec<u8>) -> Result<Self> {
        let mut archive = Archive::new(bytes.into())?;
        let workbook = Workbook::read(&mut archive)?;
        let mut xml = archive
            .open(&workbook.sheet, UNPACKED_BYTES_MAX)?
            .ok_or_else(|| damaged("its first sheet is missing"))?;
        loop {
            match xml.next()? {
                Event::Start(start) if start.local_name().as_ref() == "sheetData" => break,
                Event::End(end) if end.local_name().as_ref() == "worksheet" => {
                    return Err(Error::Header(
                        "there is none: the sheet is empty".to_owned(),
                    ));
                }
                _ => {}
            }
        }
        Ok(Self {
            workbook,
            xml,
            bytes: archive.len(),
            row: 0,
            cell: Cell::default(),
            text_bytes: 0,
            has_ended: false,
        })
    }

    /// Bytes of the file behind the last row, by the share of the sheet that is read.
    pub fn consumed(&self) -> u64 {
        if self.has_ended {
            return self.bytes;
        }
        let (read, all) = self.xml.progress();
        self.bytes.min(self.bytes * read / all.max(1))
    }

    /// Bytes of text in the rows so far.
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// Reads the next row that is not blank. None at the end.
    pub fn next(&mut self, record: &mut Record) -> Result<Option<std::result::Result<(), Flaw>>> {
        record.clear();
        let mut flaw = None;
        while !self.has_ended {
            let cell = &mut self.cell;
            match self.xml.next()? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "row" => {
                        self.row = row_number(&start, self.row)?;
                        cell.next = 0;
                    }
                    "c" => cell.begin(&start)?,
                    "rPh" => cell.is_spoken = true,
                    "v" | "t" => cell.is_text = !cell.is_spoken,
                    _ => {}
                },
                Event::End(end) => match end.local_name().as_ref() {
                    "rPh" => cell.is_spoken = false,
                    "v" | "t" => cell.is_text = false,
                    "c" => {
                        let found = cell.end(&self.workbook, record).err();
                        flaw = flaw.or(found);
                    }
                    "row" if flaw.is_some() || record.len() > 0 => {
                        record.line = u64::from(self.row);
                        self.text_bytes += record.text_bytes() as u64;
                        return Ok(Some(flaw.map_or(Ok(()), Err)));
                    }
                    "sheetData" => self.has_ended = true,
                    _ => {}
                },
                event if cell.is_text && cell.text.len() <= RECORD_BYTES_MAX => {
                    append(&mut cell.text, &event)?;
                }
                _ => {}
            }
        }
        Ok(None)
    }
}

/// The number of a row: the one it tells, or the next one.
fn row_number(start: &BytesStart<'_>, before: u32) -> Result<u32> {
    let mut row = Some(before + 1);
    attributes(start, |name, value| {
        if name == "r" {
            row = value.parse().ok();
        }
    })?;
    row.filter(|row| *row > before && *row <= SHEET_ROWS_MAX)
        .ok_or_else(|| damaged(&format!("the row after row {before} has a wrong number")))
}

impl Cell {
    fn begin(&mut self, start: &BytesStart<'_>) -> Result<()> {
        let mut column = Some(self.next);
        (self.style, self.is_text) = (0, false);
        self.text.clear();
        self.kind.clear();
        attributes(start, |name, value| match name {
            "r" => column = column_of(value),
            "s" => self.style = value.parse().unwrap_or(0),
            "t" => self.kind.push_str(value),
            _ => {}
        })?;
        self.column = column
            .filter(|column| *column >= self.next && *column < SHEET_COLUMNS_MAX)
            .ok_or_else(|| damaged("a cell is in a wrong place"))?;
        self.next = self.column + 1;
        Ok(())
    }

    /// Puts what the cell shows into the record.
    fn end(&mut self, workbook: &Workbook, record: &mut Record) -> std::result::Result<(), Flaw> {
        let (field, raw) = (self.column, self.text.as_str());
        let flawed = |kind| Err(Flaw { kind, field });
        let text = match self.kind.as_str() {
            _ if raw.is_empty() => return Ok(()),
            "s" => {
                let index = raw.trim().parse().ok();
                let Some(text) = index.and_then(|index| workbook.texts.get(index)) else {
                    return flawed(FlawKind::UnknownText);
                };
                unescape(text)
            }
            "b" => match raw.trim() {
                "1" | "true" => "TRUE".to_owned(),
                _ => "FALSE".to_owned(),
            },
            "d" => iso_day(raw.trim()),
            "n" | "" => match workbook.formats.get(self.style) {
                Some(format) => format.text(raw, workbook.is_1904),
                None => format::Format::General.text(raw, workbook.is_1904),
            },
            _ => unescape(raw),
        };
        if text.is_empty() {
            return Ok(());
        }
        if field >= COLUMNS_MAX {
            return flawed(FlawKind::TooManyFields);
        }
        if record.text_bytes() + text.len() > RECORD_BYTES_MAX {
            return flawed(FlawKind::TooLong);
        }
        if text.contains('\0') {
            return flawed(FlawKind::Nul);
        }
        record.put(field, &text);
        Ok(())
    }
}

/// The column of a reference such as `AB12`, from 0.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let digit = |letter: u8| usize::from(letter.to_ascii_uppercase() - b'A') + 1;
    letters
        .take(4)
        .fold(0, |number, letter| number * 26 + digit(letter))
        .checked_sub(1)
}

/// The letters of a column, from 0: `A`, `Z`, `AA`.
pub(crate) fn letters(column: usize) -> String {
    let last = char::from(b'A' + (column % 26) as u8);
    match column / 26 {
        0 => last.to_string(),
        before => format!("{}{last}", letters(before - 1)),
    }
}

/// A day that stands in the file as ISO writes it, with the time where there is one.
fn iso_day(text: &str) -> String {
    let text = text.strip_suffix("T00:00:00").unwrap_or(text);
    text.replacen('T', " ", 1)
}

/// Excel writes characters that XML does not allow as `_x000D_`, and such text itself as `_x005F_x000D_`.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let escaped = rest
            .get(at + 2..at + 6)
            .filter(|_| rest[at..].get(6..7) == Some("_"));
        let code = escaped.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.and_then(char::from_u32) {
            Some(character) => {
                plain.push_str(&rest[..at]);
                plain.push(character);
                rest = &rest[at + 7..];
            }
            None => {
                plain.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    plain + rest
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::DeflateEncoder;
    use proptest::prelude::*;
    use std::io::Read;

    /// A ZIP archive of these parts.
    pub fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, text) in parts {
            let mut packed = Vec::new();
            DeflateEncoder::new(text.as_bytes(), Compression::fast())
                .read_to_end(&mut packed)
                .expect("in memory");
            let mut crc = flate2::Crc::new();
            crc.update(text.as_bytes());
            let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
            for number in [crc.sum(), packed.len() as u32, text.len() as u32] {
                common.extend(number.to_le_bytes());
            }
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0, 0]);
            let offset = bytes.len() as u32;
            bytes.extend(b"PK\x03\x04");
            bytes.extend(&common);
            bytes.extend(name.as_bytes());
            bytes.extend(&packed);
            directory.extend(b"PK\x01\x02\x14\x00");
            directory.extend(&common);
            directory.extend([0; 10]);
            directory.extend(offset.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let offset = bytes.len() as u32;
        bytes.extend(&directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        let count = (parts.len() as u16).to_le_bytes();
        bytes.extend([count, count].concat());
        bytes.extend((directory.len() as u32).to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    const PACKAGE: (&str, &str) = (
        "_rels/.rels",
        "<Relationships><Relationship Id='a' Type='x/officeDocument' Target='xl/workbook.xml'/></Relationships>",
    );
    const RELATIONS: (&str, &str) = (
        "xl/_rels/workbook.xml.rels",
        "<Relationships><Relationship Id='r1' Type='x/worksheet' Target='worksheets/1.xml'/>\
         <Relationship Id='r2' Type='x/worksheet' Target='/xl/worksheets/2.xml'/>\
         <Relationship Id='r3' Type='x/styles' Target='styles.xml'/>\
         <Relationship Id='r4' Type='x/sharedStrings' Target='shared.xml'/></Relationships>",
    );
    const WORKBOOK: (&str, &str) = (
        "xl/workbook.xml",
        "<workbook><sheets><sheet name='none' state='hidden' r:id='r1'/><sheet name='list' r:id='r2'/></sheets></workbook>",
    );
    const STYLES: (&str, &str) = (
        "xl/styles.xml",
        "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='00000'/></numFmts>\
         <cellStyleXfs><xf numFmtId='22'/></cellStyleXfs>\
         <cellXfs><xf/><xf numFmtId='14'/><xf numFmtId='164'/></cellXfs></styleSheet>",
    );

    /// A workbook with this sheet, these shared texts.
    fn workbook(sheet: &str, shared: &str) -> Vec<u8> {
        zip(&[
            PACKAGE,
            WORKBOOK,
            RELATIONS,
            STYLES,
            ("xl/shared.xml", shared),
            ("xl/worksheets/2.xml", sheet),
        ])
    }

    type Row = (u64, std::result::Result<Vec<String>, FlawKind>);

    fn rows(bytes: Vec<u8>) -> Result<Vec<Row>> {
        let mut sheet = Sheet::open(bytes)?;
        let (mut record, mut rows) = (Record::default(), Vec::new());
        while let Some(answer) = sheet.next(&mut record)? {
            let fields = answer.map(|()| record.fields().map(str::to_owned).collect());
            rows.push((record.line, fields.map_err(|flaw| flaw.kind)));
        }
        assert!(sheet.consumed() <= sheet.bytes);
        assert!(sheet.next(&mut record)?.is_none(), "the end stays the end");
        Ok(rows)
    }

    fn sheet(rows: &str) -> String {
        format!(
            "<worksheet><dimension ref='A1:XFD1048576'/><sheetData>{rows}</sheetData></worksheet>"
        )
    }

    const SHARED: &str = "<sst uniqueCount='18446744073709551615'><si><t>Zo\u{eb} &amp; &#x4e2d;</t></si><si/>\
        <si><r><t>Lee</t></r><r><t xml:space='preserve'> Ann</t></r><rPh><t>said</t></rPh></si><si><t>a_x000D_b</t></si></sst>";

    #[test]
    fn cells_are_read_as_they_are_seen() {
        let cells = "<row r='2'><c s='1'/><c r='B2' s='1'/></row>\
            <row r='3' spans='1:9'><c r='A3' t='s'><v>0</v></c><c r='C3' t='s'><v>2</v></c><c t='inlineStr'><is><t>in</t></is></c>\
            <c t='str'><f>A1&amp;\"x\"</f><v>formula</v></c><c><f>NOW()</f></c><c t='b'><v>1</v></c><c t='e'><v>#N/A</v></c>\
            <c t='n'><v>12025550113</v></c><c s='1'><v>46350</v></c><c s='2'><v>501</v></c><c t='d'><v>2026-11-24T00:00:00</v></c>\
            <c t='s'><v>3</v></c><c s='99'><v>1.50</v></c><c t='s'><v>1</v></c></row>\
            <row/><row><c><v>1</v></c></row><row r='9'><c r='B9' t='s'><v>77</v></c></row>";
        let expected = [
            "Zo\u{eb} & \u{4e2d}",
            "",
            "Lee Ann",
            "in",
            "formula",
            "",
            "TRUE",
            "#N/A",
            "12025550113",
            "2026-11-24",
            "00501",
            "2026-11-24",
            "a\rb",
            "1.5",
        ];
        assert_eq!(
            rows(workbook(&sheet(cells), SHARED)).expect("a workbook"),
            [
                (3, Ok(expected.map(str::to_owned).to_vec())),
                (5, Ok(vec!["1".to_owned()])),
                (9, Err(FlawKind::UnknownText)),
            ]
        );
    }

    #[test]
    fn rows_that_are_too_large_are_told() {
        let long = format!(
            "<c t='inlineStr'><is><t>{}</t></is></c>",
            "x".repeat(600_000)
        );
        let cells = format!(
            "<row>{long}{long}</row><row><c r='XFD2'><v>1</v></c></row><row><c r='XFD3'/><c r='XFD3'/></row>"
        );
        let error = rows(workbook(&sheet(&cells), SHARED)).expect_err("a place taken twice");
        assert!(error.to_string().contains("wrong place"), "{error}");
        let cells = cells.replace("<c r='XFD3'/><c r='XFD3'/>", "<c r='XFD3'/>");
        assert_eq!(
            rows(workbook(&sheet(&cells), SHARED)).expect("a workbook"),
            [
                (1, Err(FlawKind::TooLong)),
                (2, Err(FlawKind::TooManyFields)),
            ]
        );
    }

    #[test]
    fn what_is_no_workbook_is_told() {
        let deep = "<a>".repeat(100);
        let long = format!("<row><c><v>{}</v></c></row>", "1".repeat(2 << 20));
        let dtd = "<!DOCTYPE a [<!ENTITY b 'c'>]><worksheet><sheetData/></worksheet>".to_owned();
        for (sheet, reason) in [
            (sheet("<row r='0'/>"), "wrong number"),
            (sheet("<row r='4294967296'/>"), "wrong number"),
            (sheet("<row r='1048577'/>"), "wrong number"),
            (sheet("<row r='2'/><row r='2'/>"), "wrong number"),
            (sheet("<row><c r='ZZZZZZZZZZZZZZZ1'/></row>"), "wrong place"),
            (sheet("<row><c r='1'/></row>"), "wrong place"),
            (sheet("<row><c><v>&b;</v></c></row>"), "unknown character"),
            (sheet(&deep), "too deep"),
            (sheet(&long), "too long"),
            ("<worksheet><sheetData><row>".to_owned(), "ends too early"),
            ("<worksheet/>".to_owned(), "the sheet is empty"),
            (dtd, "DTD"),
        ] {
            let error = rows(workbook(&sheet, SHARED))
                .expect_err(reason)
                .to_string();
            assert!(error.contains(reason), "{error}");
        }
        for (parts, reason) in [
            (vec![("a", "b")], "_rels/.rels is missing"),
            (vec![PACKAGE], "workbook.xml.rels is missing"),
            (vec![PACKAGE, RELATIONS], "workbook.xml is missing"),
            (
                vec![PACKAGE, RELATIONS, WORKBOOK, STYLES],
                "sheet is missing",
            ),
            (
                vec![PACKAGE, RELATIONS, ("xl/workbook.xml", "<workbook/>")],
                "no sheet that is shown",
            ),
            (
                vec![("_rels/.rels", "<Relationships/>")],
                "no Excel workbook",
            ),
        ] {
            let error = rows(zip(&parts)).expect_err(reason).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn columns_have_letters() {
        for (column, name) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (16_383, "XFD"),
        ] {
            assert_eq!(letters(column), name);
            assert_eq!(column_of(&format!("{name}7")), Some(column));
        }
    }

    #[test]
    fn escapes_are_undone_once() {
        for (text, plain) in [
            ("a_x0041_", "aA"),
            ("_x005F_x0041_", "_x0041_"),
            ("_x_x00", "_x_x00"),
            ("_xD800_", "_xD800_"),
            ("_x\u{e9}\u{e9}\u{e9}_", "_x\u{e9}\u{e9}\u{e9}_"),
        ] {
            assert_eq!(unescape(text), plain);
        }
    }

    proptest! {
        #[test]
        fn any_sheet_is_read_or_refused(pieces in proptest::collection::vec(prop_oneof![
            Just("<row>"), Just("</row>"), Just("<c>"), Just("<c r='B7' t='s'>"), Just("</c>"), Just("<v>"), Just("</v>"),
            Just("<is>"), Just("<t>"), Just("1"), Just("&#0;"), Just("&lt;"), Just("<"), Just("<row r='7'>"), Just("<c t='d'>"),
            Just("\u{e9}"), Just("<rPh/>"), Just("<!--"), Just("<![CDATA[x]]>"), Just("'"),
        ], 0..30)) {
            let _ = rows(workbook(&sheet(&pieces.concat()), SHARED));
        }

        #[test]
        fn a_file_with_any_byte_changed_is_read_or_refused(at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = workbook(&sheet("<row><c><v>1</v></c></row>"), SHARED);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = rows(bytes);
        }
    }
}
