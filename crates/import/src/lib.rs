//! How contacts come in: CSV or an Excel file read as a stream, its columns given a meaning, each row normalised and judged by form, the
//! good ones put into a List in small pieces, and a report that accounts for every row: rows = stored + merged + rejected.
//!
//! Memory is bounded whatever the size of the input, and no input stops the import but one whose header row cannot be
//! used, or an Excel file that is damaged. A Job carries the import over a restart: it goes on after the last piece that was made durable.

mod charset;
mod column;
mod error;
mod import;
pub mod job;
pub mod limits;
mod mapping;
pub mod normalise;
mod piece;
mod put;
mod reader;
mod report;
mod rows;
mod sheet;

pub use error::{Error, Result};
pub use import::{Progress, Source, check, import};
pub use job::Worker;
pub use put::put_new;
pub use report::Summary;
