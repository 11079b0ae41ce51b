//! Why an import ends before its end. What is wrong with a single row is never an error: it stands in the report.

use std::io;

/// Result of an import.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an import ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input cannot be read any further.
    #[error("the data cannot be read: {0}")]
    Read(#[source] io::Error),
    /// The Excel file cannot be read.
    #[error("the Excel file cannot be used: {0}")]
    Workbook(String),
    /// The input is no CSV that is understood.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The header row cannot be used.
    #[error("header row: {0}")]
    Header(String),
    /// The mapping cannot be used.
    #[error("mapping: {0}")]
    Mapping(String),
    /// The Account's clientIdFormat is no regular expression that can be used.
    #[error("the Account's clientIdFormat cannot be used: {0}")]
    ClientIdFormat(String),
    /// The List is not there, or does not hold contacts.
    #[error("{0}")]
    List(&'static str),
    /// The Job is not there, or has ended.
    #[error("the Job has ended or is not there")]
    Ended,
    /// The Job was cancelled; what is stored stays.
    #[error("the Job was cancelled")]
    Cancelled,
    /// The data of the Job were not kept: it was read from a file by a program that has ended.
    #[error("the import was interrupted and its data were not kept; start it again")]
    DataGone,
    /// The store failed; the import can go on later.
    #[error(transparent)]
    Store(#[from] carillon_store::Error),
}

impl Error {
    /// Whether the import goes on when it is tried again, as after a full disk.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Error::Store(_))
    }
}
