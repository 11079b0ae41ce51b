//! Jobs: background work with a progress and a result.

use crate::entity::Base;
use crate::{JobId, JobState, JobType, Moment, OrgId};
use serde::{Deserialize, Serialize};

/// A Job and its state. The result (a row report) is kept beside it by the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Base fields; the externalId is empty.
    pub base: Base,
    /// Whose it is.
    pub owner: OrgId,
    /// Its kind.
    pub job_type: JobType,
    /// How far it is.
    pub state: JobState,
    /// 0 … 100.
    pub progress: u8,
    /// When it began.
    pub start_time: Option<Moment>,
    /// When it ended.
    pub end_time: Option<Moment>,
    /// What it works on: the id of a List.
    pub subject: i64,
    /// A sentence for its owner when it failed.
    pub message: Option<String>,
}

crate::entity!(Job, Job, JobId, |job| job.owner.0, {
    let _ = job;
    None
});
