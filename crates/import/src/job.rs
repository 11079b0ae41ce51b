//! Imports as Jobs: handed in with their data by one unit of work, run by a worker, gone on with after a restart.

use crate::import::{Source, end, import};
use crate::limits::JOBS_PAGE;
use crate::{Error, Result};
use carillon_model::entity::Base;
use carillon_model::job::Job;
use carillon_model::moment::Clock;
use carillon_model::{JobId, JobState, JobType, Moment, OrgId, UserId};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt, EntityWriteExt, Store, Transaction};

/// An import or analysis that is handed in.
#[derive(Debug, Clone)]
pub struct Submission {
    /// Import, or Analyze for the report only.
    pub job_type: JobType,
    /// The Account whose Job it is.
    pub owner: OrgId,
    /// The id of the List; 0 for an analysis.
    pub subject: i64,
    /// Who hands it in.
    pub user: UserId,
    /// `Target=Column` pairs; none = by the names of the columns.
    pub mapping: Option<String>,
    /// CSV or an Excel file. None: whoever hands it in runs [`import`] itself, on data that are not kept.
    pub data: Option<Vec<u8>>,
}

/// Adds the Job with its data and wakes the worker.
pub fn submit(
    transaction: &mut dyn Transaction,
    submission: &Submission,
    now: Moment,
) -> carillon_store::Result<Job> {
    let id = transaction.take_ids(1)?;
    let job = Job {
        base: Base::new(id, "", now, submission.user),
        owner: submission.owner,
        job_type: submission.job_type,
        state: JobState::Pending,
        progress: 0,
        start_time: None,
        end_time: None,
        subject: submission.subject,
        message: None,
    };
    transaction.insert(&job)?;
    if let Some(data) = &submission.data {
        let input = pack(submission.mapping.as_deref(), data);
        transaction.put_job_input(JobId(id), &input)?;
        transaction.touch(Topic::Runs)?;
    }
    Ok(job)
}

/// Cancels a Job that is Pending or Running: its worker stops before the next piece; what is stored stays.
pub fn cancel(
    transaction: &mut dyn Transaction,
    mut job: Job,
    user: UserId,
    now: Moment,
) -> carillon_store::Result<Job> {
    job.state = JobState::Cancelled;
    job.end_time = Some(now);
    job.base.updated = now;
    job.base.modified_by = user;
    transaction.replace(&job)?;
    transaction.drop_job_input(JobId(job.base.internal_id))?;
    Ok(job)
}

/// Runs Jobs one after the other. There is one worker in an installation.
#[derive(Debug, Default)]
pub struct Worker {
    /// Jobs up to this id need no look any more.
    after: i64,
}

impl Worker {
    /// A worker that looks at every Job once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs every import and analysis that is Pending or was interrupted; answers how many it ran. Blocks: call it from a
    /// thread that may. An error of the store leaves the Job to the next call.
    pub fn run_pending(&mut self, store: &Store, clock: &dyn Clock) -> Result<usize> {
        let mut count = 0;
        while let Some(job) = self.next_job(store)? {
            match run(store, &job, clock) {
                Err(error) if error.is_temporary() => return Err(error),
                // Any other error stands in the Job's message already.
                Ok(()) | Err(_) => {}
            }
            self.after = job.base.internal_id;
            count += 1;
        }
        Ok(count)
    }

    fn next_job(&mut self, store: &Store) -> Result<Option<Job>> {
        loop {
            let after = self.after;
            let page: Vec<Job> = store.read_now(move |snapshot| -> carillon_store::Result<_> {
                snapshot.all::<Job>(None, after, JOBS_PAGE)
            })?;
            let Some(last) = page.last().map(|job| job.base.internal_id) else {
                return Ok(None);
            };
            if let Some(job) = page.into_iter().find(is_ours) {
                return Ok(Some(job));
            }
            self.after = last;
        }
    }
}

fn is_ours(job: &Job) -> bool {
    matches!(job.job_type, JobType::Import | JobType::Analyze)
        && matches!(job.state, JobState::Pending | JobState::Running)
}

fn run(store: &Store, job: &Job, clock: &dyn Clock) -> Result<()> {
    let id = JobId(job.base.internal_id);
    let input = store.read_now(move |snapshot| snapshot.job_input(id))?;
    let unpacked = input.as_deref().and_then(unpack);
    let Some((mapping, data)) = unpacked else {
        return end(store, id, Err(Error::DataGone), clock.now()).map(|_| ());
    };
    let source = Source {
        input: data,
        bytes: Some(data.len() as u64),
        mapping,
    };
    import(store, id, source, clock, &mut |_| {}).map(|_| ())
}

/// Mapping and CSV as they are kept: the length of the mapping plus one (0 = none), the mapping, the data.
fn pack(mapping: Option<&str>, data: &[u8]) -> Vec<u8> {
    let length = mapping.map_or(0, |mapping| mapping.len() as u32 + 1);
    let mut input = Vec::with_capacity(4 + mapping.map_or(0, str::len) + data.len());
    input.extend(length.to_le_bytes());
    input.extend_from_slice(mapping.unwrap_or_default().as_bytes());
    input.extend_from_slice(data);
    input
}

fn unpack(input: &[u8]) -> Option<(Option<&str>, &[u8])> {
    let (length, rest) = input.split_first_chunk::<4>()?;
    match u32::from_le_bytes(*length) {
        0 => Some((None, rest)),
        length => {
            let (mapping, data) = rest.split_at_checked(length as usize - 1)?;
            Some((Some(std::str::from_utf8(mapping).ok()?), data))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing() {
        for mapping in [None, Some(""), Some("ClientID=id")] {
            assert_eq!(unpack(&pack(mapping, b"a,b")), Some((mapping, &b"a,b"[..])));
        }
        assert_eq!(unpack(&[9, 0, 0, 0, b'a']), None);
        assert_eq!(unpack(&[]), None);
    }
}
