//! The store in memory, for simulation and tests: the same answers as SQLite, deterministic, on the caller's thread.
//!
//! All of it is one [`State`] of persistent trees, so a clone is O(1): a snapshot is a clone, a unit works on a clone, and
//! undoing it is dropping that clone.

use crate::sqlite::message;
use crate::unit::{Backend, Look, Outcome, Statistics, Unit};
use crate::{Error, Result, Snapshot, Transaction};
use crate::{
    attempt, audit, contact, counter, credential, entity, idempotency, job, meta, progress, queue,
    receipt, run, suppression, verdict,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::watch;

/// Everything kept.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub last_id: i64,
    /// Whether the unit changed what wakes the engine.
    pub touched: bool,
    pub attempt: attempt::memory::Attempts,
    pub audit: audit::memory::Audit,
    pub contact: contact::memory::Contacts,
    pub counter: counter::memory::CounterTable,
    pub credential: credential::memory::Credentials,
    pub entity: entity::memory::Documents,
    pub idempotency: idempotency::memory::Answers,
    pub job: job::memory::Jobs,
    pub meta: meta::memory::Meta,
    pub progress: progress::memory::ProgressTable,
    pub queue: queue::memory::Queues,
    pub receipt: receipt::memory::Receipts,
    pub run: run::memory::Runs,
    pub suppression: suppression::memory::Suppressions,
    pub verdict: verdict::memory::Verdicts,
}

impl Snapshot for State {}
impl Transaction for State {}

/// The memory backend.
pub(crate) struct Memory {
    /// Held by the unit that runs; reads do not wait for it.
    writing: Mutex<()>,
    shared: Mutex<Shared>,
    wake: watch::Sender<u64>,
}

struct Shared {
    state: State,
    statistics: Statistics,
    closed: bool,
}

const UNPOISONED: &str = "nothing panics while it holds this lock";

impl Memory {
    pub(crate) fn new(wake: watch::Sender<u64>) -> Self {
        let shared = Shared {
            state: State::default(),
            statistics: Statistics::default(),
            closed: false,
        };
        Self {
            writing: Mutex::new(()),
            shared: Mutex::new(shared),
            wake,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect(UNPOISONED)
    }

    /// A clone of what is kept, unless the store is closed.
    fn snapshot(&self) -> Result<State> {
        let shared = self.lock();
        if shared.closed {
            Err(Error::Closed)
        } else {
            Ok(shared.state.clone())
        }
    }

    /// Puts a unit's state in the place of the one it began with.
    fn keep(&self, state: State) {
        let mut shared = self.lock();
        shared.state = state;
        shared.statistics.commits += 1;
        shared.statistics.units += 1;
    }
}

impl Backend for Memory {
    fn submit(&self, unit: Unit) -> Result<()> {
        let writing = self
            .writing
            .lock()
            .expect("units that panic are caught while the lock is held");
        let mut state = self.snapshot()?;
        let work = unit.work;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut state)));
        let answer = match outcome {
            Ok(Outcome::Keep) => {
                let touched = std::mem::take(&mut state.touched);
                self.keep(state);
                // Before the answer, so that whoever has it finds the signal given.
                if touched {
                    self.wake.send_modify(|changes| *changes += 1);
                }
                Ok(())
            }
            undone => {
                // Ids are never drawn twice, whatever becomes of the unit.
                self.lock().state.last_id = state.last_id;
                undone.map(|_| ()).map_err(|panic| {
                    Error::Database(format!("a unit of work panicked: {}", message(&*panic)))
                })
            }
        };
        drop(writing);
        // A caller that no longer waits does not need the answer.
        let _ = unit.done.send(answer);
        Ok(())
    }

    fn look(&self, look: Look) -> Result<()> {
        let snapshot = self.snapshot()?;
        look(&snapshot);
        Ok(())
    }

    fn statistics(&self) -> Statistics {
        self.lock().statistics
    }

    fn backup(&self, _to: &Path) -> Result<()> {
        Err(Error::Database(
            "a store in memory cannot be copied to a file".into(),
        ))
    }

    fn close(&self) {
        self.lock().closed = true;
    }
}
