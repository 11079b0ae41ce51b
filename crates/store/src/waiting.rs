//! Units on their way to a writer, of whatever backend: people before bulk, bounded, and the handle by which callers
//! submit, count and close.

use crate::limits::{BULK_UNITS_WAITING_MAX, UNITS_WAITING_MAX};
use crate::unit::{Statistics, Unit, Urgency};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Why a lock of the store is never poisoned.
pub(crate) const UNPOISONED: &str = "nothing panics while it holds this lock";

/// Locks.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect(UNPOISONED)
}

/// A writer as its callers see it.
pub(crate) struct Writer {
    waiting: Arc<Waiting>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What callers and the writer's thread share.
#[derive(Default)]
pub(crate) struct Waiting {
    queue: Mutex<Queue>,
    arrived: Condvar,
    room: Condvar,
    commits: AtomicU64,
    units: AtomicU64,
}

/// Units that wait.
#[derive(Default)]
struct Queue {
    people: VecDeque<Unit>,
    bulk: VecDeque<Unit>,
    closing: bool,
}

/// A unit that ran and waits for the commit.
pub(crate) struct Ran {
    /// Who waits for it.
    pub done: oneshot::Sender<Result<()>>,
    /// How it ended.
    pub end: End,
}

/// How a unit ended before the commit.
pub(crate) enum End {
    /// It stays; whether it touched what the engine holds.
    Kept { touched: bool },
    /// Its own error undid it.
    Undone,
    /// The store failed it.
    Failed(Error),
}

impl Writer {
    /// The handle of a thread that works on what waits.
    pub(crate) fn new(waiting: Arc<Waiting>, thread: JoinHandle<()>) -> Self {
        Self {
            waiting,
            thread: Mutex::new(Some(thread)),
        }
    }

    /// Queues a unit; waits while too many do.
    pub(crate) fn submit(&self, unit: Unit) -> Result<()> {
        let mut queue = locked(&self.waiting.queue);
        while !queue.closing && queue.is_full(unit.urgency) {
            queue = self.waiting.room.wait(queue).expect(UNPOISONED);
        }
        if queue.closing {
            return Err(Error::Closed);
        }
        match unit.urgency {
            Urgency::People => queue.people.push_back(unit),
            Urgency::Bulk => queue.bulk.push_back(unit),
        }
        self.waiting.arrived.notify_one();
        Ok(())
    }

    /// What was counted.
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            commits: self.waiting.commits.load(Ordering::Relaxed),
            units: self.waiting.units.load(Ordering::Relaxed),
        }
    }

    /// Refuses new units, waits until those submitted are durable, and ends the thread.
    pub(crate) fn close(&self) {
        locked(&self.waiting.queue).closing = true;
        self.waiting.arrived.notify_all();
        self.waiting.room.notify_all();
        let thread = locked(&self.thread).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store had panicked");
        }
    }
}

impl Queue {
    fn is_full(&self, urgency: Urgency) -> bool {
        match urgency {
            Urgency::People => self.people.len() >= UNITS_WAITING_MAX,
            Urgency::Bulk => self.bulk.len() >= BULK_UNITS_WAITING_MAX,
        }
    }
}

impl Waiting {
    /// The next unit: people first. Waits for one; none when the store closes and nothing waits any more.
    pub(crate) fn wait(&self) -> Option<Unit> {
        let mut queue = locked(&self.queue);
        loop {
            let unit = queue.people.pop_front().or_else(|| queue.bulk.pop_front());
            if unit.is_some() {
                self.room.notify_all();
                return unit;
            }
            if queue.closing {
                return None;
            }
            queue = self.arrived.wait(queue).expect(UNPOISONED);
        }
    }

    /// A unit that waits already.
    pub(crate) fn take(&self, bulk_too: bool) -> Option<Unit> {
        let mut queue = locked(&self.queue);
        let unit = match queue.people.pop_front() {
            None if bulk_too => queue.bulk.pop_front(),
            people => people,
        };
        if unit.is_some() {
            self.room.notify_all();
        }
        unit
    }

    /// One more commit, which made so many units durable.
    pub(crate) fn committed(&self, units: u64) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.units.fetch_add(units, Ordering::Relaxed);
    }
}
