//! The one writer: a thread that runs units one after the other, each in a savepoint, and makes all that were waiting
//! durable by one commit. It never waits for more to come, so a lone unit pays for one sync and many share it.

use super::{log::Log, session::Session, statement::sql};
use crate::limits::{
    BULK_BESIDE_PEOPLE_MICROSECONDS, BULK_GATHER_MICROSECONDS, BULK_UNITS_PER_COMMIT_MAX,
    COMMIT_GATHER_MICROSECONDS, UNITS_PER_COMMIT_MAX,
};
use crate::unit::{Outcome, Unit, Urgency, Work};
use crate::waiting::{End, Ran, Waiting, Writer};
use crate::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Starts the thread.
pub(crate) fn start(session: Session, file: &Path, wake: watch::Sender<u64>) -> Result<Writer> {
    let waiting: Arc<Waiting> = Arc::default();
    let mut task = Task {
        session,
        waiting: Arc::clone(&waiting),
        wake,
        log: Log::start(file)?,
    };
    task.read_state()?;
    let thread = std::thread::Builder::new()
        .name("store-writer".into())
        .spawn(move || task.run())
        .map_err(|error| Error::Database(error.to_string()))?;
    Ok(Writer::new(waiting, thread))
}

/// The thread's own.
struct Task {
    session: Session,
    waiting: Arc<Waiting>,
    wake: watch::Sender<u64>,
    log: Log,
}

impl Task {
    /// Reads what the writer goes on from.
    fn read_state(&mut self) -> Result<()> {
        let reserved = self
            .session
            .one(sql!("reserved_ids"), [], |row| Ok(row.get(0)?))?
            .unwrap_or(0);
        self.session.ids.last = reserved;
        self.session.ids.reserved = reserved;
        self.session.ids.reserved_durably = reserved;
        self.session.count_new_devices()
    }

    fn run(&mut self) {
        while let Some(first) = self.waiting.wait() {
            self.commit(first);
        }
        self.log.finish(self.session.connection());
    }

    /// Runs the unit and those that wait behind it, and makes them durable together.
    fn commit(&mut self, first: Unit) {
        let begun = Instant::now();
        let mut group = Vec::new();
        let committed = match self.session.connection().execute_batch("BEGIN IMMEDIATE") {
            Ok(()) => {
                self.gather(first, begun, &mut group);
                self.finish(&group)
            }
            Err(error) => {
                group.push(Ran {
                    done: first.done,
                    end: End::Undone,
                });
                Err(error.into())
            }
        };
        match committed {
            Ok(synced) => self.answer(group, synced, begun),
            Err(error) => self.fail(group, &error),
        }
        self.log.look(self.session.connection());
    }

    fn gather(&mut self, first: Unit, begun: Instant, group: &mut Vec<Ran>) {
        let mut next = Some(first);
        let (mut people, mut bulk) = (0, 0);
        while let Some(unit) = next.take() {
            match unit.urgency {
                Urgency::People => people += 1,
                Urgency::Bulk => bulk += 1,
            }
            let end = self.run_unit(unit.work);
            group.push(Ran {
                done: unit.done,
                end,
            });
            let lost = self.session.connection().is_autocommit();
            let elapsed = begun.elapsed();
            let in_time = |most| elapsed < Duration::from_micros(most);
            let bulk_in_time = in_time(match people {
                0 => BULK_GATHER_MICROSECONDS,
                _ => BULK_BESIDE_PEOPLE_MICROSECONDS,
            });
            if !lost && in_time(COMMIT_GATHER_MICROSECONDS) && group.len() < UNITS_PER_COMMIT_MAX {
                let bulk_too = bulk_in_time && bulk < BULK_UNITS_PER_COMMIT_MAX;
                next = self.waiting.take(bulk_too);
            }
        }
    }

    /// Runs one unit in a savepoint.
    fn run_unit(&mut self, work: Work) -> End {
        let devices = self.session.devices;
        if let Err(error) = self.savepoint("SAVEPOINT unit") {
            return End::Failed(error);
        }
        let session = &mut self.session;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(session)));
        let touched = self.session.take_touched();
        let end = match outcome {
            Ok(Outcome::Keep) => End::Kept { touched },
            Ok(Outcome::Undo) => End::Undone,
            Err(panic) => End::Failed(Error::Database(format!(
                "a unit of work panicked: {}",
                message(&*panic)
            ))),
        };
        if !matches!(end, End::Kept { .. }) {
            self.session.forget();
            self.session.devices = devices;
            if let Err(error) = self.savepoint("ROLLBACK TO unit") {
                return End::Failed(error);
            }
        }
        match self.savepoint("RELEASE unit") {
            Ok(()) => end,
            Err(error) => End::Failed(error),
        }
    }

    fn savepoint(&self, sql: &'static str) -> Result<()> {
        // A full disk may have ended the whole transaction; `finish` tells everybody.
        if self.session.connection().is_autocommit() {
            return Ok(());
        }
        self.session.execute(sql, []).map(|_| ())
    }

    /// Commits; answers whether anything had to be synced.
    fn finish(&mut self, group: &[Ran]) -> Result<bool> {
        if self.session.connection().is_autocommit() {
            return Err(Error::Database(
                "the database ended the transaction: the disk is full or failing".into(),
            ));
        }
        if !group.iter().any(|ran| matches!(ran.end, End::Kept { .. })) {
            self.session.execute("ROLLBACK", [])?;
            return Ok(false);
        }
        let reserved = self.session.ids.reserved;
        if reserved != self.session.ids.reserved_durably {
            self.session.execute(sql!("reserve_ids"), [reserved])?;
        }
        self.session.execute("COMMIT", [])?;
        self.session.ids.reserved_durably = reserved;
        Ok(true)
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
            // A caller that no longer waits does not need the answer.
            let _ = ran.done.send(answer);
        }
    }

    /// Nothing of the group was made durable.
    fn fail(&mut self, group: Vec<Ran>, error: &Error) {
        tracing::error!(%error, units = group.len(), "a commit failed; nothing of it was written");
        if !self.session.connection().is_autocommit()
            && let Err(error) = self.session.execute("ROLLBACK", [])
        {
            tracing::error!(%error, "the failed commit could not be rolled back");
        }
        self.session.forget();
        if let Err(error) = self.session.count_new_devices() {
            tracing::error!(%error, "the devices not yet sorted could not be counted");
        }
        for ran in group {
            let _ = ran.done.send(Err(error.clone()));
        }
    }
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "without words",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{open_for_writing, schema};
    use super::*;
    use crate::Transaction;
    use tokio::sync::oneshot;

    fn submit(
        writer: &Writer,
        work: impl FnOnce(&mut dyn Transaction) -> Outcome + Send + 'static,
    ) -> Result<()> {
        let (done, answer) = oneshot::channel();
        writer.submit(Unit {
            urgency: Urgency::People,
            work: Box::new(work),
            done,
        })?;
        answer.blocking_recv().expect("every unit is answered")
    }

    /// A disk that is full ends the transaction of all; the next ones go on with what was there before.
    #[test]
    fn a_full_disk_undoes_the_commit_and_the_store_goes_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("carillon.db");
        let connection = open_for_writing(&file).expect("opens");
        schema::migrate(&connection).expect("migrates");
        let pages: i64 = connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .expect("counted");
        connection
            .execute_batch(&format!("PRAGMA max_page_count = {}", pages + 8))
            .expect("bounded");
        let writer = start(Session::new(connection), &file, watch::Sender::new(0)).expect("starts");
        submit(&writer, |unit| {
            unit.put_fact("colour", "red").expect("there is room");
            Outcome::Keep
        })
        .expect("kept");
        let answer = submit(&writer, |unit| {
            let error = unit
                .put_fact("large", &"x".repeat(1_000_000))
                .expect_err("there is no room");
            assert!(matches!(error, Error::Full), "{error}");
            Outcome::Undo
        });
        assert!(answer.is_err(), "the transaction was ended");
        submit(&writer, |unit| {
            assert_eq!(unit.fact("colour").expect("read").as_deref(), Some("red"));
            assert_eq!(unit.fact("large").expect("read"), None);
            unit.put_fact("colour", "blue").expect("there is room");
            Outcome::Keep
        })
        .expect("kept");
        writer.close();
    }

    /// The log starts anew while units keep coming, so that it stays within its bound.
    #[test]
    fn the_log_does_not_grow_without_bound() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("carillon.db");
        let connection = open_for_writing(&file).expect("opens");
        schema::migrate(&connection).expect("migrates");
        let writer = start(Session::new(connection), &file, watch::Sender::new(0)).expect("starts");
        for round in 0..60_u32 {
            submit(&writer, move |unit| {
                unit.put_fact("large", &round.to_string().repeat(3_000_000))
                    .expect("put");
                Outcome::Keep
            })
            .expect("kept");
        }
        let log = std::fs::metadata(folder.path().join("carillon.db-wal"))
            .expect("a log")
            .len();
        let bound = 4_200 * crate::limits::LOG_FRAMES_HARD.unsigned_abs() * 2;
        assert!(log < bound, "{log} bytes");
        writer.close();
        let left =
            std::fs::metadata(folder.path().join("carillon.db-wal")).map_or(0, |log| log.len());
        assert_eq!(left, 0, "all of it was copied at the end");
    }
}
