//! The report of an import: CSV with the columns line, column, outcome, detail. Every rejected row has a line of outcome
//! `rejected`; a device or column that was left out of what was kept has one of outcome `left out`; four lines at the
//! end hold the totals, and rows = stored + merged + rejected.

use crate::limits::QUOTED_CHARACTERS_MAX;
use carillon_model::entity::Attributes;
use std::fmt::Write;

/// The first line of every report.
pub(crate) const HEADER: &str = "line,column,outcome,detail\r\n";

/// What became of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Rows read, without the header row and blank lines.
    pub rows: u64,
    /// Contacts new in the List.
    pub stored: u64,
    /// Contacts that took the place of one with their Client ID.
    pub merged: u64,
    /// Rows that were not taken.
    pub rejected: u64,
}

impl Summary {
    const NAMES: [&str; 4] = ["rows", "stored", "merged", "rejected"];

    /// Whether every row is accounted for.
    pub fn is_sound(&self) -> bool {
        self.rows == self.stored + self.merged + self.rejected
    }

    /// These totals with some more rows: good ones, of which some were merged, and rejected ones.
    pub(crate) fn with(self, contacts: u64, merged: u64, rejected: u64) -> Self {
        Self {
            rows: self.rows + contacts + rejected,
            stored: self.stored + contacts - merged,
            merged: self.merged + merged,
            rejected: self.rejected + rejected,
        }
    }

    fn values(&self) -> [u64; 4] {
        [self.rows, self.stored, self.merged, self.rejected]
    }

    /// The totals as a Job carries them.
    pub(crate) fn write_to(self, attributes: &mut Attributes) {
        for (name, value) in Self::NAMES.into_iter().zip(self.values()) {
            attributes.insert(name.to_owned(), value.to_string());
        }
    }

    /// The totals a Job carries: how far it came before it was interrupted.
    pub fn read_from(attributes: &Attributes) -> Self {
        let value = |name: &str| {
            attributes
                .get(name)
                .and_then(|value| value.parse().ok())
                .unwrap_or(0)
        };
        let [rows, stored, merged, rejected] = Self::NAMES.map(value);
        Self {
            rows,
            stored,
            merged,
            rejected,
        }
    }

    /// The totals as the last lines of the report.
    pub(crate) fn lines(self) -> String {
        let lines = Self::NAMES.into_iter().zip(self.values());
        lines
            .map(|(name, value)| format!(",,{name},{value}\r\n"))
            .collect()
    }
}

/// Lines of a report, gathered for one piece.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Columns without a name have letters, as in a sheet.
    has_letters: bool,
    text: String,
}

impl Report {
    /// An empty one; columns without a name are called by their letters, or by their numbers.
    pub fn new(has_letters: bool) -> Self {
        Self {
            has_letters,
            text: String::new(),
        }
    }

    /// What a column is called.
    pub fn column(&self, column: usize, name: &str) -> String {
        if !name.is_empty() {
            return name.to_owned();
        }
        match self.has_letters {
            true => format!("column {}", crate::sheet::letters(column)),
            false => format!("column {}", column + 1),
        }
    }

    /// A row that was not taken.
    pub fn rejected(&mut self, line: u64, column: &str, reason: &str) {
        self.line(line, column, "rejected", reason);
    }

    /// A value that was left out of a row that was taken.
    pub fn left_out(&mut self, line: u64, column: &str, reason: &str) {
        self.line(line, column, "left out", reason);
    }

    /// Something about a column, whose name stands in this line.
    pub fn header(&mut self, line: u64, column: &str, outcome: &str, detail: &str) {
        self.line(line, column, outcome, detail);
    }

    fn line(&mut self, line: u64, column: &str, outcome: &str, detail: &str) {
        write!(self.text, "{line},").expect("writing to a String does not fail");
        put_field(&mut self.text, column);
        self.text.push(',');
        self.text.push_str(outcome);
        self.text.push(',');
        put_field(&mut self.text, detail);
        self.text.push_str("\r\n");
    }

    /// The lines so far, which are gathered anew.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// Writes a field so that no spreadsheet takes it for a formula.
fn put_field(text: &mut String, field: &str) {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !is_formula && !field.contains(['"', ',', '\n', '\r', ';']) {
        text.push_str(field);
        return;
    }
    text.push('"');
    if is_formula {
        text.push('\'');
    }
    text.push_str(&field.replace('"', "\"\""));
    text.push('"');
}

/// A value as a sentence quotes it: short and printable.
pub(crate) fn quote(value: &str) -> String {
    let printable = |character: char| {
        if character.is_control() {
            '\u{fffd}'
        } else {
            character
        }
    };
    let mut quoted: String = value
        .trim()
        .chars()
        .take(QUOTED_CHARACTERS_MAX)
        .map(printable)
        .collect();
    if value.trim().chars().nth(QUOTED_CHARACTERS_MAX).is_some() {
        quoted.push('…');
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_csv() {
        let mut report = Report::default();
        report.rejected(7, "=cmd()", "not a phone number: \"1,2\"");
        report.left_out(8, "Phone", "the same device again");
        let column = report.column(2, "");
        report.header(1, &column, "left out", "the column has no name");
        let column = Report::new(true).column(27, "");
        report.header(4, &column, "left out", "the column has no name");
        assert_eq!(
            report.take(),
            "7,\"'=cmd()\",rejected,\"not a phone number: \"\"1,2\"\"\"\r\n\
             8,Phone,left out,the same device again\r\n\
             1,column 3,left out,the column has no name\r\n\
             4,column AB,left out,the column has no name\r\n"
        );
        assert_eq!(report.take(), "");
    }

    #[test]
    fn totals_travel_with_the_job() {
        let summary = Summary {
            rows: 6,
            stored: 3,
            merged: 2,
            rejected: 1,
        };
        let mut attributes = Attributes::new();
        summary.write_to(&mut attributes);
        assert_eq!(Summary::read_from(&attributes), summary);
        assert!(summary.is_sound());
        assert_eq!(
            summary.lines(),
            ",,rows,6\r\n,,stored,3\r\n,,merged,2\r\n,,rejected,1\r\n"
        );
    }

    #[test]
    fn quotes_are_short() {
        assert_eq!(quote(" a\0b "), "a\u{fffd}b");
        assert_eq!(quote(&"x".repeat(41)), format!("{}…", "x".repeat(40)));
    }
}
