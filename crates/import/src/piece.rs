//! Rows gathered into pieces: what one unit of work writes.

use crate::limits::{PIECE_BYTES_MAX, PIECE_ROWS_MAX};
use crate::mapping::{Plan, Rejection};
use crate::normalise::Rules;
use crate::reader::{Flaw, Record};
use crate::report::Report;
use crate::rows::Rows;
use crate::{Error, Result};
use carillon_model::contact::Contact;
use std::io::Read;

/// Some rows, ready to be written.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// The good ones.
    pub contacts: Vec<Contact>,
    /// How many were rejected.
    pub rejected: u64,
    /// Lines for the report.
    pub report: String,
    /// Bytes of input up to the end of the piece.
    pub consumed: u64,
}

/// Reads an input piece by piece.
pub(crate) struct Pieces<R> {
    rows: Rows<R>,
    plan: Plan,
    rules: Rules,
    row: Record,
    report: Report,
}

impl<R: Read> Pieces<R> {
    /// Reads the header row.
    pub fn new(input: R, mapping: Option<&str>, rules: Rules) -> Result<Self> {
        let mut rows = Rows::new(input, rules.charset)?;
        let mut row = Record::default();
        let mut report = Report::new(rows.is_sheet());
        match rows.next(&mut row)? {
            None => return Err(Error::Header("there is none: the file is empty".to_owned())),
            Some(Err(flaw)) => return Err(Error::Header(flaw.kind.to_string())),
            Some(Ok(())) => {}
        }
        let plan = Plan::new(&row, mapping, &mut report)?;
        Ok(Self {
            rows,
            plan,
            rules,
            row,
            report,
        })
    }

    /// Passes over rows that were written before; `each` sees the good ones.
    pub fn skip(&mut self, rows: u64, mut each: impl FnMut(&Contact)) -> Result<()> {
        for _ in 0..rows {
            match self.next_row()? {
                None => break,
                Some(Ok(contact)) => each(&contact),
                Some(Err(())) => {}
            }
        }
        if rows > 0 {
            self.report.take();
        }
        Ok(())
    }

    /// The next piece; none at the end.
    pub fn next(&mut self) -> Result<Option<Piece>> {
        let mut piece = Piece::default();
        let start = self.rows.text_bytes();
        let mut rows = 0;
        while rows < PIECE_ROWS_MAX && self.rows.text_bytes() - start < PIECE_BYTES_MAX {
            match self.next_row()? {
                None => break,
                Some(Ok(contact)) => piece.contacts.push(contact),
                Some(Err(())) => piece.rejected += 1,
            }
            rows += 1;
        }
        piece.report = self.report.take();
        piece.consumed = self.rows.consumed();
        Ok((rows > 0 || !piece.report.is_empty()).then_some(piece))
    }

    /// The next row; one that is rejected stands in the report.
    fn next_row(&mut self) -> Result<Option<std::result::Result<Contact, ()>>> {
        let rejection = match self.rows.next(&mut self.row)? {
            None => return Ok(None),
            Some(Err(flaw)) => self.flawed(flaw),
            Some(Ok(())) => match self.plan.contact(&self.row, &self.rules, &mut self.report) {
                Ok(contact) => return Ok(Some(Ok(contact))),
                Err(rejection) => rejection,
            },
        };
        let name = |column| self.report.column(column, self.plan.column_name(column));
        let column = rejection.column.map_or_else(String::new, name);
        self.report
            .rejected(self.row.line, &column, &rejection.reason);
        Ok(Some(Err(())))
    }

    fn flawed(&self, flaw: Flaw) -> Rejection {
        Rejection {
            column: Some(flaw.field),
            reason: flaw.kind.to_string(),
        }
    }
}
