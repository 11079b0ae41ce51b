//! Results of Jobs in PostgreSQL.

use super::{JobRead, JobWrite};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::Text;
use carillon_model::JobId;

impl JobRead for Session {
    fn job_result(&self, job: JobId) -> Result<String> {
        let pieces: Vec<String> =
            self.list(sql!("job_result"), &[&job.0], |row| Ok(row.try_get(0)?))?;
        Ok(pieces.concat())
    }

    fn job_input(&self, job: JobId) -> Result<Option<Vec<u8>>> {
        self.one(sql!("job_input"), &[&job.0], |row| Ok(row.try_get(0)?))
    }
}

impl JobWrite for Session {
    fn append_job_result(&mut self, job: JobId, text: &str) -> Result<()> {
        self.execute(sql!("append_job_result"), &[&job.0, &Text::new(text)])
            .map(|_| ())
    }

    fn put_job_input(&mut self, job: JobId, data: &[u8]) -> Result<()> {
        self.execute(sql!("put_job_input"), &[&job.0, &data])
            .map(|_| ())
    }

    fn drop_job_input(&mut self, job: JobId) -> Result<()> {
        self.execute(sql!("drop_job_input"), &[&job.0]).map(|_| ())
    }
}
