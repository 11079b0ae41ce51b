//! An import from its first row to its last: rows are read and normalised on the calling thread while a second one has
//! them written, piece by piece. Each piece is one unit of work that holds contacts, report lines and how far the Job
//! has come, so after a crash it goes on exactly behind the last durable piece.

use crate::limits::{ORG_DEPTH_MAX, PIECES_WAITING_MAX};
use crate::normalise::Rules;
use crate::piece::{Piece, Pieces};
use crate::report::{HEADER, Summary};
use crate::{Error, Result, put_new};
use carillon_model::job::Job;
use carillon_model::list::List;
use carillon_model::moment::Clock;
use carillon_model::org::{Org, Resolved, Settings};
use carillon_model::{JobId, JobState, JobType, ListId, ListType, Moment, OrgId};
use carillon_store::contact::Put;
use carillon_store::{EntityReadExt, EntityWriteExt, Snapshot, Store, Transaction, Urgency};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::mpsc;

/// What is imported.
#[derive(Debug)]
pub struct Source<'a, R> {
    /// CSV, or an Excel file (.xlsx); the first bytes tell.
    pub input: R,
    /// Its length, where it is known: progress is told in percent then.
    pub bytes: Option<u64>,
    /// `Target=Column` pairs; none = by the names of the columns.
    pub mapping: Option<&'a str>,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// What became of the rows that are durable.
    pub summary: Summary,
    /// Bytes of input behind them; about so many where the input is no UTF-8.
    pub bytes: u64,
}

/// Where the rows of a Job go.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// Into a List.
    List(ListId),
    /// Nowhere: the report is all that is asked for.
    Report,
}

/// Runs a Job that is Pending or was interrupted, to its end. `progress` is called after each piece that became durable.
/// What ends a Job early stands in its message; a temporary error of the store leaves it Running, to be tried again.
pub fn import<R: Read>(
    store: &Store,
    job: JobId,
    source: Source<'_, R>,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary> {
    let now = clock.now();
    let begun = store.write_now(Urgency::Bulk, move |transaction| {
        begin(transaction, job, now)
    })?;
    let outcome = run(store, &begun, source, clock, progress);
    end(store, job, outcome, clock.now())
}

/// Ends a Job that cannot be run.
pub(crate) fn end(
    store: &Store,
    job: JobId,
    outcome: Result<Summary>,
    now: Moment,
) -> Result<Summary> {
    let failure = match &outcome {
        Ok(_) => None,
        Err(error) if error.is_temporary() => return outcome,
        Err(error) => Some(error.to_string()),
    };
    store.write_now(Urgency::Bulk, move |transaction| {
        finish(transaction, job, failure, now)
    })?;
    outcome
}

fn begin(transaction: &mut dyn Transaction, id: JobId, now: Moment) -> Result<Job> {
    let mut job = unfinished(transaction, id)?;
    if job.state == JobState::Pending {
        job.state = JobState::Running;
        job.start_time = Some(now);
        job.base.updated = now;
        transaction.append_job_result(id, HEADER)?;
        transaction.replace(&job)?;
    }
    Ok(job)
}

fn finish(
    transaction: &mut dyn Transaction,
    id: JobId,
    failure: Option<String>,
    now: Moment,
) -> Result<()> {
    let Some(mut job) = transaction.get::<Job>(id)? else {
        return Ok(());
    };
    transaction.append_job_result(id, &Summary::read_from(&job.base.attributes).lines())?;
    transaction.drop_job_input(id)?;
    if job.state != JobState::Cancelled {
        job.state = if failure.is_some() {
            JobState::Failed
        } else {
            JobState::Done
        };
        job.progress = if failure.is_some() { job.progress } else { 100 };
        job.message = failure;
        job.end_time = Some(now);
        job.base.updated = now;
        transaction.replace(&job)?;
    }
    Ok(())
}

/// The Job, when it has not ended.
fn unfinished(snapshot: &(impl Snapshot + ?Sized), id: JobId) -> Result<Job> {
    let job = snapshot.get::<Job>(id)?.ok_or(Error::Ended)?;
    match job.state {
        JobState::Pending | JobState::Running => Ok(job),
        JobState::Cancelled => Err(Error::Cancelled),
        JobState::Done | JobState::Failed => Err(Error::Ended),
    }
}

fn run<R: Read>(
    store: &Store,
    job: &Job,
    source: Source<'_, R>,
    clock: &dyn Clock,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary> {
    let (id, subject, owner) = (JobId(job.base.internal_id), ListId(job.subject), job.owner);
    let aim = match job.job_type {
        JobType::Analyze => Aim::Report,
        JobType::Import | JobType::AddList | JobType::Report => Aim::List(subject),
    };
    let rules = store.read_now(move |snapshot| rules_of(snapshot, aim, owner))?;
    let done = Summary::read_from(&job.base.attributes);
    let mut pieces = Pieces::new(source.input, source.mapping, rules)?;
    let mut writer = Writer {
        store,
        clock,
        id,
        aim,
        bytes: source.bytes,
        summary: done,
        seen: HashSet::new(),
    };
    pieces.skip(done.rows, |contact| {
        writer.see(&contact.external_id);
    })?;

    std::thread::scope(|scope| {
        let (to_writer, pieces_read) = mpsc::sync_channel::<Piece>(PIECES_WAITING_MAX);
        let (to_reader, pieces_written) = mpsc::channel::<Progress>();
        let writing = scope.spawn(move || -> Result<Summary> {
            for piece in pieces_read {
                let bytes = piece.consumed;
                let summary = writer.write(piece)?;
                // The reader may have stopped listening; what is written is written.
                let _ = to_reader.send(Progress { summary, bytes });
            }
            Ok(writer.summary)
        });
        let read = read_all(&mut pieces, &to_writer, || {
            pieces_written.try_iter().for_each(&mut *progress)
        });
        drop(to_writer);
        pieces_written.iter().for_each(&mut *progress);
        let summary = writing
            .join()
            .expect("the writing thread returns its errors")?;
        read.map(|()| summary)
    })
}

/// Reads to the end, or until the writer has given up.
fn read_all<R: Read>(
    pieces: &mut Pieces<R>,
    to_writer: &mpsc::SyncSender<Piece>,
    mut between: impl FnMut(),
) -> Result<()> {
    while let Some(piece) = pieces.next()? {
        if to_writer.send(piece).is_err() {
            break;
        }
        between();
    }
    Ok(())
}

/// Reads everything and stores nothing: what an import would reject, without a List. `report` gets the report in pieces.
pub fn check<R: Read>(
    source: Source<'_, R>,
    rules: Rules,
    report: &mut dyn FnMut(&str),
) -> Result<Summary> {
    let mut pieces = Pieces::new(source.input, source.mapping, rules)?;
    let mut summary = Summary::default();
    let mut seen = HashSet::new();
    report(HEADER);
    while let Some(piece) = pieces.next()? {
        let is_again = |client_id: &str| !client_id.is_empty() && !seen.insert(hash(client_id));
        let contacts = piece
            .contacts
            .iter()
            .map(|contact| contact.external_id.as_str());
        let again = contacts.map(is_again).filter(|again| *again).count() as u64;
        summary = summary.with(piece.contacts.len() as u64, again, piece.rejected);
        report(&piece.report);
    }
    report(&summary.lines());
    Ok(summary)
}

fn hash(client_id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    client_id.hash(&mut hasher);
    hasher.finish()
}

/// Writes pieces, one unit of work each.
struct Writer<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    id: JobId,
    aim: Aim,
    bytes: Option<u64>,
    summary: Summary,
    /// Hashes of the Client IDs of an analysis; an import asks the List itself.
    seen: HashSet<u64>,
}

impl Writer<'_> {
    /// Notes a Client ID; answers whether it was there before.
    fn see(&mut self, client_id: &str) -> bool {
        if matches!(self.aim, Aim::List(_)) || client_id.is_empty() {
            return false;
        }
        !self.seen.insert(hash(client_id))
    }

    fn write(&mut self, mut piece: Piece) -> Result<Summary> {
        let contacts = piece.contacts.len() as u64;
        let again = piece
            .contacts
            .iter()
            .filter(|contact| self.see(&contact.external_id))
            .count() as u64;
        let (id, aim, now) = (self.id, self.aim, self.clock.now());
        let (before, percent) = (self.summary, self.percent(piece.consumed));
        self.summary =
            self.store
                .write_now(Urgency::Bulk, move |transaction| -> Result<Summary> {
                    let mut job = unfinished(transaction, id)?;
                    let merged = match aim {
                        Aim::Report => again,
                        Aim::List(list) => {
                            contact_list(transaction, list)?;
                            let puts = put_new(transaction, list.0, &mut piece.contacts)?;
                            puts.iter()
                                .filter(|put| matches!(put, Put::Replaced(_)))
                                .count() as u64
                        }
                    };
                    let summary = before.with(contacts, merged, piece.rejected);
                    transaction.append_job_result(id, &piece.report)?;
                    summary.write_to(&mut job.base.attributes);
                    job.progress = percent;
                    job.base.updated = now;
                    transaction.replace(&job)?;
                    Ok(summary)
                })?;
        assert!(
            self.summary.is_sound(),
            "every row is stored, merged or rejected"
        );
        Ok(self.summary)
    }

    fn percent(&self, consumed: u64) -> u8 {
        let bytes = self.bytes.filter(|bytes| *bytes > 0);
        bytes.map_or(0, |bytes| {
            (consumed.saturating_mul(100) / bytes).min(99) as u8
        })
    }
}

/// The List, when it can take contacts.
fn contact_list(snapshot: &(impl Snapshot + ?Sized), id: ListId) -> Result<List> {
    let list = snapshot
        .get::<List>(id)?
        .ok_or(Error::List("the List is not there any more"))?;
    match list.list_type {
        ListType::Standard | ListType::Template => Ok(list),
        ListType::Suppression => Err(Error::List(
            "a Suppression List takes entries, not contacts",
        )),
    }
}

fn rules_of(snapshot: &dyn Snapshot, aim: Aim, owner: OrgId) -> Result<Rules> {
    let owner = match aim {
        Aim::List(list) => contact_list(snapshot, list)?.owner,
        Aim::Report => owner,
    };
    Rules::of(&settings_of(snapshot, owner)?)
}

/// The settings of an Org with everything it inherits.
fn settings_of(snapshot: &dyn Snapshot, id: OrgId) -> Result<Settings> {
    let mut chain: Vec<Org> = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next.filter(|_| chain.len() < ORG_DEPTH_MAX) {
        let Some(org) = snapshot.get::<Org>(id)? else {
            break;
        };
        next = org.parent;
        chain.push(org);
    }
    if chain.is_empty() {
        return Err(Error::List("the Account is not there any more"));
    }
    let org = chain.remove(0);
    Ok(Resolved::new(org, chain).settings)
}
