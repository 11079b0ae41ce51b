//! Results of Jobs. The Job itself is a document; its result is text that grows while it runs.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::JobId;

/// Reading results.
pub trait JobRead {
    /// The result so far.
    fn job_result(&self, job: JobId) -> Result<String>;
    /// The data a waiting Job works on, while it is kept.
    fn job_input(&self, job: JobId) -> Result<Option<Vec<u8>>>;
}

/// Writing results.
pub trait JobWrite {
    /// Adds text to a result.
    fn append_job_result(&mut self, job: JobId, text: &str) -> Result<()>;
    /// Keeps the data a Job works on, so that it goes on after a restart.
    fn put_job_input(&mut self, job: JobId, data: &[u8]) -> Result<()>;
    /// Drops that data.
    fn drop_job_input(&mut self, job: JobId) -> Result<()>;
}
