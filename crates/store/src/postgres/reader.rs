//! Threads that read, each with a connection of its own: a read runs on one of them, in a transaction that sees one moment.

use super::session::Session;
use super::{UNPOISONED, locked};
use crate::limits::READERS;
use crate::unit::Look;
use crate::{Error, Result};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use tokio_postgres::Config;

/// The threads as callers see them.
pub(super) struct Readers {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Ask>,
    closed: bool,
}

/// A read on its way. The answer holds what the read panicked with, if it did.
struct Ask {
    look: Look,
    done: mpsc::SyncSender<Result<std::thread::Result<()>>>,
}

impl Readers {
    /// Starts the threads; each connects when it has its first read.
    pub(super) fn start(config: &Config) -> Result<Self> {
        let readers = Self {
            shared: Arc::default(),
        };
        for _ in 0..READERS {
            let mut reader = Reader {
                config: config.clone(),
                session: None,
                shared: Arc::clone(&readers.shared),
            };
            // They end by themselves when the store closes.
            std::thread::Builder::new()
                .name("store-reader".into())
                .spawn(move || reader.run())
                .map_err(|error| Error::Database(error.to_string()))?;
        }
        Ok(readers)
    }

    /// Runs a read; one that panics panics here.
    pub(super) fn look(&self, look: Look) -> Result<()> {
        let (done, answer) = mpsc::sync_channel(1);
        {
            let mut queue = locked(&self.shared.queue);
            if queue.closed {
                return Err(Error::Closed);
            }
            queue.waiting.push_back(Ask { look, done });
        }
        self.shared.arrived.notify_one();
        match answer.recv().unwrap_or(Err(Error::Closed))? {
            Ok(()) => Ok(()),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Refuses new reads; those that run go on to their end.
    pub(super) fn close(&self) {
        locked(&self.shared.queue).closed = true;
        self.shared.arrived.notify_all();
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.close();
    }
}

struct Reader {
    config: Config,
    session: Option<Session>,
    shared: Arc<Shared>,
}

impl Reader {
    fn run(&mut self) {
        while let Some(ask) = self.next() {
            self.serve(ask);
        }
        if let Some(session) = self.session.take() {
            session.end();
        }
    }

    fn next(&self) -> Option<Ask> {
        let mut queue = locked(&self.shared.queue);
        loop {
            if queue.closed {
                return None;
            }
            if let Some(ask) = queue.waiting.pop_front() {
                return Some(ask);
            }
            queue = self.shared.arrived.wait(queue).expect(UNPOISONED);
        }
    }

    fn serve(&mut self, ask: Ask) {
        let session = match self.begin() {
            Ok(session) => session,
            Err(error) => {
                // A caller that no longer waits does not need the answer.
                let _ = ask.done.send(Err(error));
                return;
            }
        };
        let look = ask.look;
        let outcome = catch_unwind(AssertUnwindSafe(|| look(&session)));
        let _ = ask.done.send(Ok(outcome));
        // Ends the snapshot; there is nothing to undo. A connection that cannot even do that is dropped.
        if session.batch("ROLLBACK").is_ok() {
            self.session = Some(session);
        }
    }

    /// A session with a snapshot. A connection that was lost while it rested is made again.
    fn begin(&mut self) -> Result<Session> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        if let Some(session) = self.session.take()
            && session.batch(BEGIN).is_ok()
        {
            return Ok(session);
        }
        let session = Session::connect(&self.config)?;
        session.batch(BEGIN)?;
        Ok(session)
    }
}
