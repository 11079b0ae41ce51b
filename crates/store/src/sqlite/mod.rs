//! The SQLite store: one file, one writer thread, readers beside it.
//!
//! - [`writer`] runs units, many to a commit, and answers after the sync of the log.
//! - Readers ([`Readers`]) see a snapshot each and wait for nobody.
//! - [`log`] copies the log back into the store beside the writer.
//! - [`statement`] finds SQL in the `.sql` files; [`session`] is a connection with the traits of all aggregates.
//!
//! To add an aggregate: a folder with `mod.rs` (types, a reading and a writing trait), `sqlite.sql`, `sqlite.rs` (the traits
//! for [`session::Session`]) and `memory.rs` (the traits for the memory store's state); a migration for its tables; its file
//! in `statement::FILES`; its traits in [`crate::Snapshot`] and [`crate::Transaction`]; and a module of `tests/it`, which
//! runs on both backends.

mod log;
pub(crate) mod schema;
pub(crate) mod session;
pub(crate) mod statement;
mod writer;

use crate::limits::{READER_CACHE_KIB, READERS, WRITER_CACHE_KIB};
use crate::unit::{Backend, Look, Statistics, Unit};
use crate::waiting::{UNPOISONED, Writer, locked};
use crate::{Error, Result};
use rusqlite::{Connection, OpenFlags};
use session::Session;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex};
use tokio::sync::watch;
pub(crate) use writer::message;

/// The store file in its folder.
const FILE: &str = "carillon.db";
/// Held locked while a process has the store open.
const LOCK_FILE: &str = "carillon.lock";

/// The SQLite backend.
pub(crate) struct Sqlite {
    file: PathBuf,
    writer: Writer,
    readers: Readers,
    /// Unlocked when the process ends, however it ends.
    lock: Mutex<Option<File>>,
}

impl Sqlite {
    /// Opens (or makes) the store in a folder.
    pub(crate) fn open(folder: &Path, wake: watch::Sender<u64>) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(file_error)?;
        let lock = lock(folder)?;
        let file = folder.join(FILE);
        let connection = open_for_writing(&file)?;
        schema::migrate(&connection)?;
        let session = Session::new(connection);
        session.prepare_all()?;
        Ok(Self {
            writer: writer::start(session, &file, wake)?,
            readers: Readers::new(file.clone()),
            file,
            lock: Mutex::new(Some(lock)),
        })
    }
}

impl Backend for Sqlite {
    fn submit(&self, unit: Unit) -> Result<()> {
        self.writer.submit(unit)
    }

    fn look(&self, look: Look) -> Result<()> {
        self.readers.look(look)
    }

    fn statistics(&self) -> Statistics {
        self.writer.statistics()
    }

    fn backup(&self, to: &Path) -> Result<()> {
        if to.exists() {
            return Err(Error::Database(format!(
                "{} is there already",
                to.display()
            )));
        }
        let target = to
            .to_str()
            .ok_or_else(|| Error::Database("the path is not UTF-8".into()))?;
        open_for_reading(&self.file)?.execute("VACUUM INTO ?1", [target])?;
        File::open(to)
            .and_then(|copy| copy.sync_all())
            .map_err(file_error)
    }

    fn close(&self) {
        self.writer.close();
        self.readers.close();
        *locked(&self.lock) = None;
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

/// Connections that read, each given to one caller at a time.
struct Readers {
    file: PathBuf,
    state: Mutex<ReadersState>,
    returned: Condvar,
}

#[derive(Default)]
struct ReadersState {
    idle: Vec<Session>,
    open: usize,
    closed: bool,
}

impl Readers {
    fn new(file: PathBuf) -> Self {
        Self {
            file,
            state: Mutex::default(),
            returned: Condvar::new(),
        }
    }

    /// Runs a read in a transaction of its own, which is a snapshot from its first statement on.
    fn look(&self, look: Look) -> Result<()> {
        let lent = Lent {
            session: Some(self.borrow()?),
            readers: self,
        };
        let session = lent.session.as_ref().expect("lent until dropped");
        session.connection().execute_batch("BEGIN DEFERRED")?;
        look(session);
        Ok(())
    }

    fn borrow(&self) -> Result<Session> {
        let mut state = locked(&self.state);
        loop {
            if state.closed {
                return Err(Error::Closed);
            }
            if let Some(session) = state.idle.pop() {
                return Ok(session);
            }
            if state.open < READERS {
                let session = Session::new(open_for_reading(&self.file)?);
                state.open += 1;
                return Ok(session);
            }
            state = self.returned.wait(state).expect(UNPOISONED);
        }
    }

    fn give_back(&self, session: Session) {
        // Ends the snapshot; there is nothing to undo. A connection that cannot even do that is dropped.
        let usable = session.connection().is_autocommit()
            || session.connection().execute_batch("ROLLBACK").is_ok();
        let mut state = locked(&self.state);
        if usable && !state.closed {
            state.idle.push(session);
        } else {
            state.open -= 1;
        }
        self.returned.notify_one();
    }

    /// Closes idle connections; those in use close when they come back.
    fn close(&self) {
        let mut state = locked(&self.state);
        state.closed = true;
        state.open -= state.idle.len();
        state.idle.clear();
        self.returned.notify_all();
    }
}

/// A session on loan: it goes back even when the read panics.
struct Lent<'readers> {
    session: Option<Session>,
    readers: &'readers Readers,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.readers.give_back(session);
        }
    }
}

fn lock(folder: &Path) -> Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(LOCK_FILE))
        .map_err(file_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse),
        Err(TryLockError::Error(error)) => Err(file_error(error)),
    }
}

fn file_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
        io::ErrorKind::StorageFull => Error::Full,
        _ => Error::Database(error.to_string()),
    }
}

/// The writer's connection. Every commit syncs the log (FULL); the log is copied back by [`log`], not by SQLite.
fn open_for_writing(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA busy_timeout = 5000;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA foreign_keys = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{WRITER_CACHE_KIB};"
    ))?;
    Ok(connection)
}

/// A reader's connection.
fn open_for_reading(file: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.execute_batch(&format!(
        "PRAGMA busy_timeout = 5000;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -{READER_CACHE_KIB};"
    ))?;
    Ok(connection)
}
