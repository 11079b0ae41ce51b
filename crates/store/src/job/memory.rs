//! Results of Jobs in memory.

use super::{JobRead, JobWrite};
use crate::Result;
use crate::memory::State;
use carillon_model::JobId;
use imbl::{OrdMap, Vector};
use std::sync::Arc;

/// Pieces of results, and inputs.
#[derive(Clone, Default)]
pub(crate) struct Jobs {
    results: OrdMap<JobId, Vector<Arc<str>>>,
    inputs: OrdMap<JobId, Arc<[u8]>>,
}

impl JobRead for State {
    fn job_result(&self, job: JobId) -> Result<String> {
        Ok(self
            .job
            .results
            .get(&job)
            .map(|pieces| pieces.iter().map(|piece| &**piece).collect())
            .unwrap_or_default())
    }

    fn job_input(&self, job: JobId) -> Result<Option<Vec<u8>>> {
        Ok(self.job.inputs.get(&job).map(|data| data.to_vec()))
    }
}

impl JobWrite for State {
    fn append_job_result(&mut self, job: JobId, text: &str) -> Result<()> {
        self.job
            .results
            .entry(job)
            .or_default()
            .push_back(text.into());
        Ok(())
    }

    fn put_job_input(&mut self, job: JobId, data: &[u8]) -> Result<()> {
        self.job.inputs.insert(job, data.into());
        Ok(())
    }

    fn drop_job_input(&mut self, job: JobId) -> Result<()> {
        self.job.inputs.remove(&job);
        Ok(())
    }
}
