//! Copies the write-ahead log back into the store. Most of it goes beside the writer, on a connection and thread of its own;
//! the writer copies only the rest, because the log can start anew at its beginning only when all of it was copied. A log
//! that outgrows its bound makes the writer stop and copy.

use super::{UNPOISONED, locked};
use crate::limits::{LOG_FRAMES_FINISH, LOG_FRAMES_HARD, LOG_FRAMES_SOFT};
use crate::{Error, Result};
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// The thread beside the writer.
pub(super) struct Log {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Wish {
    #[default]
    Rest,
    Copy,
    End,
}

/// How long the log is and how much of it was copied, in frames of a page each.
#[derive(Debug, Clone, Copy)]
struct Length {
    frames: i64,
    copied: i64,
}

impl Log {
    pub(super) fn start(file: &Path) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.execute_batch(
            "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -1024;",
        )?;
        let shared = Arc::new(Shared {
            wish: Mutex::default(),
            changed: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-log".into())
            .spawn(move || theirs.run(&connection))
            .map_err(|error| Error::Database(error.to_string()))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Looks at the log after a commit, on the writer's own connection.
    pub(super) fn look(&self, writer: &Connection) {
        let length = match checkpoint(writer, "PRAGMA wal_checkpoint(NOOP)") {
            Ok(length) => length,
            Err(error) => return tracing::warn!(%error, "the length of the log cannot be read"),
        };
        let left = length.frames - length.copied;
        if length.frames < LOG_FRAMES_SOFT || left == 0 {
            return;
        }
        let nearly_done = length.copied > 0 && left <= LOG_FRAMES_FINISH;
        if nearly_done || length.frames >= LOG_FRAMES_HARD {
            if let Err(error) = checkpoint(writer, "PRAGMA wal_checkpoint(PASSIVE)") {
                tracing::warn!(%error, "the log cannot be copied into the store");
            }
        } else {
            self.shared.wish(Wish::Copy);
        }
    }

    /// Copies all of it and leaves an empty log, for the end.
    pub(super) fn finish(&mut self, writer: &Connection) {
        self.end();
        if let Err(error) = checkpoint(writer, "PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the log stays until the store is opened again");
        }
    }

    fn end(&mut self) {
        self.shared.wish(Wish::End);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that copies the log had panicked");
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn wish(&self, wish: Wish) {
        *locked(&self.wish) = wish;
        self.changed.notify_one();
    }

    fn run(&self, connection: &Connection) {
        loop {
            let mut wish = locked(&self.wish);
            while *wish == Wish::Rest {
                wish = self.changed.wait(wish).expect(UNPOISONED);
            }
            if *wish == Wish::End {
                return;
            }
            *wish = Wish::Rest;
            drop(wish);
            if let Err(error) = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
                tracing::warn!(%error, "the log cannot be copied into the store");
            }
        }
    }
}

fn checkpoint(connection: &Connection, pragma: &str) -> Result<Length> {
    let mut statement = connection.prepare_cached(pragma)?;
    Ok(statement.query_row([], |row| {
        Ok(Length {
            frames: row.get(1)?,
            copied: row.get(2)?,
        })
    })?)
}
