//! A connection with what it remembers. It has every trait of every aggregate: the writer gives it out as a
//! [`crate::Transaction`], a reader as a [`crate::Snapshot`]. It lives on one thread, which drives the connection whenever it
//! waits for an answer.

use super::statement::{self, sql};
use super::value::{Cell as Field, Text, Value, number};
use crate::limits::{
    DATABASE_CONNECT_SECONDS_MAX, DATABASE_SILENCE_SECONDS_MAX, LABELS_REMEMBERED,
};
use crate::queue::postgres::Claims;
use crate::sqlite::session::{Ids, damaged};
use crate::{Error, Result, Snapshot, Transaction};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

/// What every connection sets. Statistics lag behind loads and claims, and each statement is written for an index: so plans are
/// made once and never read whole tables. Units hold a transaction open as long as they run.
const SETTINGS: &str = "
    SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
    SET jit = off; SET max_parallel_workers_per_gather = 0; SET statement_timeout = 0; SET lock_timeout = 0;
    SET idle_in_transaction_session_timeout = 0; SET default_transaction_isolation = 'read committed';
    SET client_min_messages = warning;
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// A connection to the database.
pub(crate) struct Session {
    client: Client,
    /// Ends when the connection does.
    driver: JoinHandle<()>,
    statements: RefCell<HashMap<&'static str, Statement>>,
    labels: RefCell<Labels>,
    /// Ids given out and reserved; only the writer's session draws any.
    pub(crate) ids: Ids,
    /// How far lanes were claimed; only the writer's session claims.
    pub(crate) claims: Claims,
    /// Whether the unit changed what wakes the engine.
    touched: Cell<bool>,
    /// Whether a statement has failed, after which the transaction can only be undone.
    failed: Cell<bool>,
    runtime: Runtime,
}

/// Interned texts by id and by text. What is remembered is committed, or belongs to the transaction that goes on.
#[derive(Default)]
struct Labels {
    texts: HashMap<i64, Arc<str>>,
    ids: HashMap<Arc<str>, i64>,
}

impl Snapshot for Session {}
impl Transaction for Session {}

/// Reads where the database is.
pub(crate) fn config(url: &str) -> Result<Config> {
    // The error of the parser does not repeat the password.
    let mut config: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| Error::Database(chain(&error)))?;
    if config.get_application_name().is_none() {
        config.application_name("carillon");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(DATABASE_CONNECT_SECONDS_MAX));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(DATABASE_SILENCE_SECONDS_MAX));
    }
    Ok(config)
}

impl Session {
    /// Connects, on the thread that will use it.
    pub(crate) fn connect(config: &Config) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Database(error.to_string()))?;
        let (client, connection) = runtime.block_on(config.connect(NoTls))?;
        let driver = runtime.spawn(async move {
            if let Err(error) = connection.await {
                tracing::warn!(
                    error = chain(&error),
                    "a connection to the database was lost"
                );
            }
        });
        let session = Self {
            client,
            driver,
            statements: RefCell::default(),
            labels: RefCell::default(),
            ids: Ids::default(),
            claims: Claims::default(),
            touched: Cell::new(false),
            failed: Cell::new(false),
            runtime,
        };
        session.batch(SETTINGS)?;
        let encoding = session.ask("SHOW server_encoding")?;
        let encoding: String = encoding
            .first()
            .map_or(Ok(String::new()), |row| row.try_get(0))?;
        if encoding != "UTF8" {
            return Err(Error::Database(format!(
                "the database is encoded in {encoding}; make it with ENCODING 'UTF8'"
            )));
        }
        Ok(session)
    }

    /// Prepares every statement, so that a broken one stops the start and not a campaign.
    pub(crate) fn prepare_all(&self) -> Result<()> {
        for (aggregate, file) in statement::FILES {
            for statement in crate::sqlite::statement::all(file) {
                self.statement(statement.sql).map_err(|error| match error {
                    Error::Database(text) => {
                        Error::Database(format!("{aggregate}.{}: {text}", statement.name))
                    }
                    other => other,
                })?;
            }
        }
        Ok(())
    }

    /// Says goodbye, so that the server frees the writer's lock at once.
    pub(crate) fn end(self) {
        let Self {
            client,
            driver,
            runtime,
            ..
        } = self;
        drop(client);
        let goodbye = async { tokio::time::timeout(Duration::from_secs(1), driver).await };
        if runtime.block_on(goodbye).is_err() {
            tracing::debug!("the server did not hear that the connection ends");
        }
    }

    /// Whether the connection is lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.client.is_closed()
    }

    /// Lets time pass, while the connection is served.
    pub(crate) fn pause(&self, time: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(time).await });
    }

    fn noted<T>(&self, answer: std::result::Result<T, tokio_postgres::Error>) -> Result<T> {
        answer.map_err(|error| {
            self.failed.set(true);
            error.into()
        })
    }

    fn statement(&self, sql: &'static str) -> Result<Statement> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.noted(self.runtime.block_on(self.client.prepare(sql)))?;
        self.statements.borrow_mut().insert(sql, statement.clone());
        Ok(statement)
    }

    /// Runs statements without parameters and answers.
    pub(crate) fn batch(&self, sql: &str) -> Result<()> {
        self.noted(self.runtime.block_on(self.client.batch_execute(sql)))
    }

    /// Asks something that is asked once.
    pub(crate) fn ask(&self, sql: &str) -> Result<Vec<Row>> {
        self.noted(self.runtime.block_on(self.client.query(sql, &[])))
    }

    /// Runs a statement; answers how many rows it changed.
    pub(crate) fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<usize> {
        let statement = self.statement(sql)?;
        let changed = self.noted(
            self.runtime
                .block_on(self.client.execute(&statement, values)),
        )?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// All rows.
    pub(crate) fn query(&self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let statement = self.statement(sql)?;
        self.noted(self.runtime.block_on(self.client.query(&statement, values)))
    }

    /// All rows, read.
    pub(crate) fn list<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl FnMut(&Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.query(sql, values)?.iter().map(read).collect()
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row) -> Result<T>,
    ) -> Result<Option<T>> {
        self.query(sql, values)?.first().map(read).transpose()
    }

    /// Copies rows into a table, all in one stream.
    pub(crate) fn copy<'rows, R, const COLUMNS: usize>(
        &self,
        sql: &'static str,
        types: [Type; COLUMNS],
        rows: &'rows [R],
        cells: impl Fn(usize, &'rows R) -> [Field<'rows>; COLUMNS],
    ) -> Result<()> {
        let statement = self.statement(sql)?;
        let copied = self.runtime.block_on(async {
            let sink = self.client.copy_in(&statement).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
            for (index, row) in rows.iter().enumerate() {
                writer.as_mut().write_raw(cells(index, row)).await?;
            }
            writer.finish().await
        });
        self.noted(copied).map(|_| ())
    }

    /// Notes that the engine has to look again once this unit is durable.
    pub(crate) fn note_touched(&self) {
        self.touched.set(true);
    }

    /// Whether that was noted since it was last asked.
    pub(crate) fn take_touched(&self) -> bool {
        self.touched.take()
    }

    /// Whether a statement has failed since it was last asked.
    pub(crate) fn take_failed(&self) -> bool {
        self.failed.take()
    }

    /// Forgets what a transaction that was undone may have put in.
    pub(crate) fn forget(&mut self) {
        *self.labels.borrow_mut() = Labels::default();
        self.claims = Claims::default();
    }

    /// The text of a label.
    pub(crate) fn label_text(&self, id: i64) -> Result<Arc<str>> {
        if let Some(text) = self.labels.borrow().texts.get(&id) {
            return Ok(Arc::clone(text));
        }
        let text: String = self
            .one(sql!("label_text"), &[&id], |row| Ok(row.try_get(0)?))?
            .ok_or_else(|| damaged("label", "id", id, "a row refers to it and it is not there"))?;
        Ok(self.remember(id, &text))
    }

    /// The label of a text, if any row has ever used it.
    pub(crate) fn find_label(&self, text: &str) -> Result<Option<i64>> {
        if let Some(id) = self.labels.borrow().ids.get(text) {
            return Ok(Some(*id));
        }
        let found = self.one(sql!("label_id"), &[&Text::new(text)], |row| number(row, 0))?;
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
        let id = self.one(sql!("add_label"), &[&Text::new(text)], |row| number(row, 0))?;
        let id = id.expect("an insert returns its row");
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

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = chain(&error);
        match error.code() {
            Some(code) if *code == SqlState::DISK_FULL => Error::Full,
            Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Error::ReadOnly,
            // Class 08: the connection. Class 57P: the server shuts down, starts or was told to end the connection.
            Some(code) if code.code().starts_with("08") || code.code().starts_with("57P") => {
                Error::Unreachable(text)
            }
            Some(_) => Error::Database(text),
            None if error.is_closed() || is_of_the_wire(&error) => Error::Unreachable(text),
            None => Error::Database(text),
        }
    }
}

/// Whether the network or the socket failed.
fn is_of_the_wire(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if inner.is::<std::io::Error>() {
            return true;
        }
        source = inner.source();
    }
    false
}

/// What an error and its causes say. Details of the server are left out: they repeat values of rows.
fn chain(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        source = inner.source();
    }
    text
}
