//! A connection with what it remembers. It has every trait of every aggregate: the writer gives it out as a
//! [`crate::Transaction`], a reader as a [`crate::Snapshot`].

use crate::limits::{ID_BLOCK, LABELS_REMEMBERED, STATEMENTS_KEPT};
use crate::sqlite::statement::{self, sql};
use crate::{Error, Result, Snapshot, Transaction};
use rusqlite::{CachedStatement, Connection, Params, Row};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

/// A connection to the store.
pub(crate) struct Session {
    connection: Connection,
    labels: RefCell<Labels>,
    /// Ids given out and reserved; only the writer's session draws any.
    pub(crate) ids: Ids,
    /// How far the small tree of devices is; only the writer's session moves any.
    pub(crate) devices: Devices,
    /// Whether the unit changed what wakes the engine.
    touched: Cell<bool>,
}

/// Interned texts by id and by text. What is remembered is committed, or belongs to the transaction that goes on.
#[derive(Default)]
struct Labels {
    texts: HashMap<i64, Arc<str>>,
    ids: HashMap<Arc<str>, i64>,
}

/// Ids drawn by units. What is drawn is never drawn again in this process, whatever becomes of the unit; what is reserved
/// is written into the commit that makes the units durable.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ids {
    pub last: i64,
    pub reserved: i64,
    pub reserved_durably: i64,
}

/// How full the small tree of devices is and from where it is emptied next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Devices {
    pub gathered: i64,
    pub moved_to: i64,
}

impl Ids {
    /// Draws ids; answers the first. A block beyond what was asked for is reserved with them.
    pub(crate) fn take(&mut self, count: u64) -> i64 {
        let first = self.last + 1;
        self.last = self.last.saturating_add_unsigned(count);
        if self.last > self.reserved {
            self.reserved = self.last.saturating_add(ID_BLOCK);
        }
        first
    }
}

impl Snapshot for Session {}
impl Transaction for Session {}

impl Session {
    pub(crate) fn new(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Self {
            connection,
            labels: RefCell::default(),
            ids: Ids::default(),
            devices: Devices {
                gathered: 0,
                moved_to: i64::MIN,
            },
            touched: Cell::new(false),
        }
    }

    /// Prepares every statement, so that a broken one stops the start and not a campaign.
    pub(crate) fn prepare_all(&self) -> Result<()> {
        for (aggregate, file) in statement::FILES {
            for statement in statement::all(file) {
                self.connection
                    .prepare_cached(statement.sql)
                    .map_err(|error| {
                        Error::Database(format!("{aggregate}.{}: {error}", statement.name))
                    })?;
            }
        }
        Ok(())
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn statement(&self, sql: &'static str) -> Result<CachedStatement<'_>> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Runs a statement; answers how many rows it changed.
    pub(crate) fn execute(&self, sql: &'static str, parameters: impl Params) -> Result<usize> {
        Ok(self.statement(sql)?.execute(parameters)?)
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &'static str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.statement(sql)?;
        let mut rows = statement.query(parameters)?;
        rows.next()?.map(read).transpose()
    }

    /// All rows.
    pub(crate) fn list<T>(
        &self,
        sql: &'static str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.statement(sql)?
            .query_and_then(parameters, read)?
            .collect()
    }

    /// Notes that the engine has to look again once this unit is durable.
    pub(crate) fn note_touched(&self) {
        self.touched.set(true);
    }

    /// Whether that was noted since it was last asked.
    pub(crate) fn take_touched(&self) -> bool {
        self.touched.take()
    }

    /// Forgets what a transaction that was undone may have put in.
    pub(crate) fn forget(&self) {
        *self.labels.borrow_mut() = Labels::default();
    }

    /// The text of a label.
    pub(crate) fn label_text(&self, id: i64) -> Result<Arc<str>> {
        if let Some(text) = self.labels.borrow().texts.get(&id) {
            return Ok(Arc::clone(text));
        }
        let text: String = self
            .one(sql!("label_text"), [id], |row| Ok(row.get(0)?))?
            .ok_or_else(|| damaged("label", "id", id, "a row refers to it and it is not there"))?;
        Ok(self.remember(id, &text))
    }

    /// The label of a text, if any row has ever used it.
    pub(crate) fn find_label(&self, text: &str) -> Result<Option<i64>> {
        if let Some(id) = self.labels.borrow().ids.get(text) {
            return Ok(Some(*id));
        }
        let found: Option<i64> = self.one(sql!("label_id"), [text], |row| Ok(row.get(0)?))?;
        if let Some(id) = found {
            self.remember(id, text);
        }
        Ok(found)
    }

    /// The label of a text, made when it is new.
    pub(crate) fn intern_label(&mut self, text: &str) -> Result<i64> {
        if let Some(id) = self.find_label(text)? {
            return Ok(id);
        }
        let id = self.statement(sql!("add_label"))?.insert([text])?;
        self.remember(id, text);
        Ok(id)
    }

    fn remember(&self, id: i64, text: &str) -> Arc<str> {
        let mut labels = self.labels.borrow_mut();
        if labels.texts.len() >= LABELS_REMEMBERED {
            *labels = Labels::default();
        }
        let text: Arc<str> = text.into();
        labels.texts.insert(id, Arc::clone(&text));
        labels.ids.insert(Arc::clone(&text), id);
        text
    }
}

/// A stored value that cannot be read.
pub(crate) fn damaged(
    table: &'static str,
    column: &'static str,
    id: i64,
    detail: impl ToString,
) -> Error {
    Error::Damaged {
        table,
        column,
        id,
        detail: detail.to_string(),
    }
}

/// The word with a stored code.
pub(crate) fn word<W: Copy>(
    all: &[W],
    code: i64,
    table: &'static str,
    column: &'static str,
    id: i64,
) -> Result<W> {
    usize::try_from(code)
        .ok()
        .and_then(|index| all.get(index).copied())
        .ok_or_else(|| damaged(table, column, id, format!("no word has the code {code}")))
}

/// A bound for SQL, which counts in signed numbers.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::Full,
            Some(ErrorCode::ReadOnly) => Error::ReadOnly,
            _ => Error::Database(error.to_string()),
        }
    }
}
