//! Units of work: how callers of every backend write and read.

use crate::{Error, Result, Snapshot, Transaction, memory, postgres, sqlite};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::{oneshot, watch};

/// Who waits for a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// A person, a caller or the engine's tick: goes first.
    People,
    /// An import or a load: goes when nobody else waits, in small pieces.
    Bulk,
}

/// Counted since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Commits made durable (one sync of the log each).
    pub commits: u64,
    /// Units made durable by them.
    pub units: u64,
}

/// Whether a unit's writes stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Keep,
    Undo,
}

/// A unit as a backend sees it.
pub(crate) type Work = Box<dyn FnOnce(&mut dyn Transaction) -> Outcome + Send>;
/// A read as a backend sees it.
pub(crate) type Look = Box<dyn FnOnce(&dyn Snapshot) + Send>;

/// A unit on its way to the writer. `done` is told after the commit that made it durable, or why it was not.
pub(crate) struct Unit {
    pub urgency: Urgency,
    pub work: Work,
    pub done: oneshot::Sender<Result<()>>,
}

/// What a backend does.
pub(crate) trait Backend: Send + Sync {
    /// Queues a unit; blocks only while [`crate::limits::UNITS_WAITING_MAX`] are waiting.
    fn submit(&self, unit: Unit) -> Result<()>;
    /// Runs a read on a snapshot, on the calling thread.
    fn look(&self, look: Look) -> Result<()>;
    /// What was counted.
    fn statistics(&self) -> Statistics;
    /// Copies the store to a new file while it goes on; the memory store cannot.
    fn backup(&self, to: &Path) -> Result<()>;
    /// Stops after what was submitted is durable.
    fn close(&self);
}

/// The store: cheap to clone, shared by all.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    wake: watch::Sender<u64>,
}

impl Store {
    /// Opens (or makes) the SQLite store in a folder and brings its schema up to date.
    pub fn open(folder: &Path) -> Result<Self> {
        let wake = watch::Sender::new(0);
        Ok(Self {
            backend: Arc::new(sqlite::Sqlite::open(folder, wake.clone())?),
            wake,
        })
    }

    /// Opens the store in a PostgreSQL database (`postgres://user:password@host/database`, or the words of libpq), makes
    /// its tables or brings them up to date. One process at a time: another is refused with [`Error::InUse`].
    pub fn open_database(url: &str) -> Result<Self> {
        let wake = watch::Sender::new(0);
        Ok(Self {
            backend: Arc::new(postgres::Postgres::open(url, wake.clone())?),
            wake,
        })
    }

    /// A store in memory, for simulation and tests.
    pub fn memory() -> Self {
        let wake = watch::Sender::new(0);
        Self {
            backend: Arc::new(memory::Memory::new(wake.clone())),
            wake,
        }
    }

    /// Runs a unit of work and answers when it is durable. An error of the work undoes it.
    pub async fn write<T, E>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&mut dyn Transaction) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (unit, slot, durable) = unit(urgency, work);
        self.backend.submit(unit)?;
        let durable = durable.await.unwrap_or(Err(Error::Closed));
        settle(durable, &slot)
    }

    /// As [`Store::write`], blocking the thread: for the engine's own thread, the command line and the simulation.
    pub fn write_now<T, E>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&mut dyn Transaction) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (unit, slot, mut durable) = unit(urgency, work);
        self.backend.submit(unit)?;
        // The memory store has answered already: then this blocks nobody, and the simulation may call it from a task.
        let durable = match durable.try_recv() {
            Ok(durable) => durable,
            Err(_) => durable.blocking_recv().unwrap_or(Err(Error::Closed)),
        };
        settle(durable, &slot)
    }

    /// Reads on a snapshot, off the async threads.
    pub async fn read<T, E>(
        &self,
        look: impl FnOnce(&dyn Snapshot) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || store.read_now(look)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Closed.into()),
        }
    }

    /// Reads on a snapshot, on this thread.
    pub fn read_now<T, E>(
        &self,
        look: impl FnOnce(&dyn Snapshot) -> std::result::Result<T, E> + Send + 'static,
    ) -> std::result::Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        self.backend.look(Box::new(move |snapshot| {
            *filled.lock().expect("a slot is filled once") = Some(look(snapshot));
        }))?;
        take(&slot)
    }

    /// A signal without data that runs or rules have changed: look again. Level-triggered; several changes are one.
    pub fn wake(&self) -> watch::Receiver<u64> {
        self.wake.subscribe()
    }

    /// What was counted since the store was opened.
    pub fn statistics(&self) -> Statistics {
        self.backend.statistics()
    }

    /// Copies the store to a new file while it goes on.
    pub fn backup(&self, to: &Path) -> Result<()> {
        self.backend.backup(to)
    }

    /// Stops after everything submitted is durable; later units are refused with [`Error::Closed`].
    pub fn close(&self) {
        self.backend.close();
    }
}

type Slot<T, E> = Arc<Mutex<Option<std::result::Result<T, E>>>>;

/// Wraps typed work into a unit whose answer lands in a slot.
fn unit<T, E>(
    urgency: Urgency,
    work: impl FnOnce(&mut dyn Transaction) -> std::result::Result<T, E> + Send + 'static,
) -> (Unit, Slot<T, E>, oneshot::Receiver<Result<()>>)
where
    T: Send + 'static,
    E: Send + 'static,
{
    let slot: Slot<T, E> = Arc::new(Mutex::new(None));
    let filled = Arc::clone(&slot);
    let (done, durable) = oneshot::channel();
    let work: Work = Box::new(move |transaction| {
        let answer = work(transaction);
        let outcome = if answer.is_ok() {
            Outcome::Keep
        } else {
            Outcome::Undo
        };
        *filled.lock().expect("a slot is filled once") = Some(answer);
        outcome
    });
    (
        Unit {
            urgency,
            work,
            done,
        },
        slot,
        durable,
    )
}

fn settle<T, E: From<Error>>(durable: Result<()>, slot: &Slot<T, E>) -> std::result::Result<T, E> {
    match durable {
        Ok(()) => take(slot),
        // The work's own refusal is the better answer: it was undone anyway.
        Err(error) => match slot.lock().expect("a slot is filled once").take() {
            Some(Err(refusal)) => Err(refusal),
            _ => Err(error.into()),
        },
    }
}

fn take<T, E: From<Error>>(slot: &Slot<T, E>) -> std::result::Result<T, E> {
    slot.lock()
        .expect("a slot is filled once")
        .take()
        .unwrap_or_else(|| Err(Error::Closed.into()))
}
