//! The PostgreSQL store: one database, one writer, readers beside it. It means what the SQLite store means: units run one
//! after the other, each in a savepoint, and those that wait share a commit.
//!
//! - [`writer`] owns the connection that writes; a lock of the database keeps every other server out.
//! - [`reader`] is a few threads with a connection each, which run reads on snapshots.
//! - [`session`] is a connection with the traits of all aggregates; [`value`] carries values over.
//! - A connection that is lost is made again; units that meet a server that is away fail at once, and say so.
//!
//! Connections are plain: over a network that others share, put a tunnel or a local pooler in between (a pooler must keep a
//! session to a connection). `sslmode=require` is refused.

#[cfg(test)]
#[expect(
    dead_code,
    reason = "the tests of the contract restart servers, those beside the code do not"
)]
#[path = "../../tests/it/cluster.rs"]
mod cluster;
mod link;
mod reader;
mod schema;
pub(crate) mod session;
pub(crate) mod statement;
pub(crate) mod value;
mod writer;

use crate::unit::{Backend, Look, Statistics, Unit};
use crate::waiting::{UNPOISONED, Writer, locked};
use crate::{Error, Result};
use std::path::Path;
use tokio::sync::watch;

/// The PostgreSQL backend.
pub(crate) struct Postgres {
    writer: Writer,
    readers: reader::Readers,
}

impl Postgres {
    /// Opens (or makes) the store in a database.
    pub(crate) fn open(url: &str, wake: watch::Sender<u64>) -> Result<Self> {
        let config = session::config(url)?;
        Ok(Self {
            writer: writer::start(config.clone(), wake)?,
            readers: reader::Readers::start(&config)?,
        })
    }
}

impl Backend for Postgres {
    fn submit(&self, unit: Unit) -> Result<()> {
        self.writer.submit(unit)
    }

    fn look(&self, look: Look) -> Result<()> {
        self.readers.look(look)
    }

    fn statistics(&self) -> Statistics {
        self.writer.statistics()
    }

    fn backup(&self, _to: &Path) -> Result<()> {
        Err(Error::Database(
            "a store in PostgreSQL is copied with pg_dump, which sees one moment while the store goes on".into(),
        ))
    }

    fn close(&self) {
        self.writer.close();
        self.readers.close();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.close();
    }
}
