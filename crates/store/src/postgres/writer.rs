//! The one writer: a thread that runs units one after the other, each in a savepoint, and makes all that were waiting
//! durable by one commit. It never waits for more to come, so a lone unit pays for one sync and many share it.
//!
//! A commit whose answer is lost with the connection is looked up once the server is back ([`Link::settle`]): each commit
//! changes the row `sequence`, which tells whether it was kept.

use super::link::Link;
use crate::limits::{
    BULK_BESIDE_PEOPLE_MICROSECONDS, BULK_GATHER_MICROSECONDS, BULK_UNITS_PER_COMMIT_MAX,
    COMMIT_GATHER_MICROSECONDS, UNITS_PER_COMMIT_MAX,
};
use crate::sqlite::message;
use crate::unit::{Outcome, Unit, Urgency, Work};
use crate::waiting::{End, Ran, Waiting, Writer};
use crate::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_postgres::Config;

/// Starts the thread and answers when it may write.
pub(super) fn start(config: Config, wake: watch::Sender<u64>) -> Result<Writer> {
    let waiting: Arc<Waiting> = Arc::default();
    let theirs = Arc::clone(&waiting);
    let (ready, opened) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || {
            let link = match Link::open(config) {
                Ok(link) => link,
                // Whoever opens the store waits for this answer.
                Err(error) => return ready.send(Err(error)).unwrap_or_default(),
            };
            let mut task = Task {
                link,
                waiting: theirs,
                wake,
            };
            ready.send(Ok(())).unwrap_or_default();
            task.run();
        })
        .map_err(|error| Error::Database(error.to_string()))?;
    opened.recv().unwrap_or(Err(Error::Closed))?;
    Ok(Writer::new(waiting, thread))
}

/// The thread's own.
struct Task {
    link: Link,
    waiting: Arc<Waiting>,
    wake: watch::Sender<u64>,
}

impl Task {
    fn run(&mut self) {
        while let Some(first) = self.waiting.wait() {
            self.commit(first);
        }
        self.link.end();
    }

    /// Runs the unit and those that wait behind it, and makes them durable together.
    fn commit(&mut self, first: Unit) {
        let begun = Instant::now();
        if let Err(error) = self.link.begin() {
            tracing::error!(%error, "a unit could not begin");
            // A caller that no longer waits does not need the answer.
            let _ = first.done.send(Err(error));
            return;
        }
        let mut group = Vec::new();
        let committed = self
            .gather(first, begun, &mut group)
            .and_then(|()| self.finish(&group));
        match committed {
            Ok(synced) => self.answer(group, synced, begun),
            Err(error) => self.fail(group, &error),
        }
    }

    /// Fails when the transaction of all was lost.
    fn gather(&mut self, first: Unit, begun: Instant, group: &mut Vec<Ran>) -> Result<()> {
        let mut next = Some(first);
        let (mut people, mut bulk) = (0, 0);
        let mut before_kept = false;
        while let Some(unit) = next.take() {
            match unit.urgency {
                Urgency::People => people += 1,
                Urgency::Bulk => bulk += 1,
            }
            // The savepoint of a unit that was undone serves the next one.
            let clean = match before_kept {
                true => self.link.batch("RELEASE unit; SAVEPOINT unit"),
                false => Ok(()),
            };
            let end = clean.and_then(|()| self.run_unit(unit.work));
            let (end, lost) = match end {
                Ok(end) => (end, None),
                Err(error) => (End::Undone, Some(error)),
            };
            before_kept = matches!(end, End::Kept { .. });
            group.push(Ran {
                done: unit.done,
                end,
            });
            if let Some(error) = lost {
                return Err(error);
            }
            let elapsed = begun.elapsed();
            let in_time = |most| elapsed < Duration::from_micros(most);
            let bulk_in_time = in_time(match people {
                0 => BULK_GATHER_MICROSECONDS,
                _ => BULK_BESIDE_PEOPLE_MICROSECONDS,
            });
            if in_time(COMMIT_GATHER_MICROSECONDS) && group.len() < UNITS_PER_COMMIT_MAX {
                let bulk_too = bulk_in_time && bulk < BULK_UNITS_PER_COMMIT_MAX;
                next = self.waiting.take(bulk_too);
            }
        }
        Ok(())
    }

    /// Runs one unit in its savepoint; fails when it could not be undone alone.
    fn run_unit(&mut self, work: Work) -> Result<End> {
        let session = self.link.session()?;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(session)));
        let (touched, failed) = (session.take_touched(), session.take_failed());
        let end = match outcome {
            Ok(Outcome::Keep) if failed => End::Failed(Error::Database(
                "a unit went on after one of its statements had failed".into(),
            )),
            Ok(Outcome::Keep) => End::Kept { touched },
            Ok(Outcome::Undo) => End::Undone,
            Err(panic) => End::Failed(Error::Database(format!(
                "a unit of work panicked: {}",
                message(&*panic)
            ))),
        };
        if !matches!(end, End::Kept { .. }) {
            session.forget();
            session.batch("ROLLBACK TO unit")?;
        }
        Ok(end)
    }

    /// Commits; answers whether anything had to be synced.
    fn finish(&mut self, group: &[Ran]) -> Result<bool> {
        if !group.iter().any(|ran| matches!(ran.end, End::Kept { .. })) {
            self.link.batch("ROLLBACK")?;
            return Ok(false);
        }
        self.link.commit().map(|()| true)
    }

    fn answer(&self, group: Vec<Ran>, synced: bool, begun: Instant) {
        let kept = group
            .iter()
            .filter(|ran| matches!(ran.end, End::Kept { .. }))
            .count() as u64;
        if synced {
            self.waiting.committed(kept);
            metrics::counter!("carillon_store_commits_total").increment(1);
            metrics::counter!("carillon_store_units_total").increment(kept);
            metrics::histogram!("carillon_store_commit_seconds")
                .record(begun.elapsed().as_secs_f64());
        }
        // Before the answers, so that whoever has one finds the signal given.
        if group
            .iter()
            .any(|ran| matches!(ran.end, End::Kept { touched: true }))
        {
            self.wake.send_modify(|changes| *changes += 1);
        }
        for ran in group {
            let answer = match ran.end {
                End::Kept { .. } | End::Undone => Ok(()),
                End::Failed(error) => Err(error),
            };
            let _ = ran.done.send(answer);
        }
    }

    /// Nothing of the group was made durable.
    fn fail(&mut self, group: Vec<Ran>, error: &Error) {
        tracing::error!(%error, units = group.len(), "a commit failed; nothing of it was written");
        self.link.give_up();
        for ran in group {
            let _ = ran.done.send(Err(error.clone()));
        }
    }
}
