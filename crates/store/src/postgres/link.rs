//! The writer's connection: made again when it was lost, held by one process at a time, and the row `sequence` that tells how
//! far it has come.

use super::schema;
use super::session::Session;
use super::statement::sql;
use super::value::number;
use crate::limits::{
    DATABASE_BACK_OFF_MILLISECONDS_MAX, DATABASE_DOUBT_SECONDS_MAX, DATABASE_LOCK_SECONDS_MAX,
};
use crate::sqlite::session::Ids;
use crate::{Error, Result};
use std::time::{Duration, Instant};
use tokio_postgres::Config;

/// The lock of the database a writer holds while it is connected ("Carillon").
const LOCK: i64 = 0x4361_7269_6c6c_6f6e;
/// Between two looks whether the lock is free.
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// The connection, or when it may be tried again.
pub(super) struct Link {
    config: Config,
    session: Option<Session>,
    ids: Ids,
    sequence: Sequence,
    away: Option<Away>,
}

/// What the row says, as far as this writer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sequence {
    reserved: i64,
    openings: i64,
    commits: i64,
}

/// A server that could not be reached.
struct Away {
    pause: Duration,
    until: Instant,
    error: Error,
}

impl Link {
    /// Connects, takes the lock and brings the schema up to date.
    pub(super) fn open(config: Config) -> Result<Self> {
        let mut link = Self {
            config,
            session: None,
            ids: Ids::default(),
            sequence: Sequence::default(),
            away: None,
        };
        let session = link.connect()?;
        link.begin_writing(session)?;
        Ok(link)
    }

    /// The session, which stands while a transaction is open.
    pub(super) fn session(&mut self) -> Result<&mut Session> {
        self.session
            .as_mut()
            .ok_or_else(|| Error::Unreachable("there is no connection".into()))
    }

    /// Runs statements.
    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.session()?.batch(sql)
    }

    /// Begins a transaction with a savepoint for its first unit. A connection that was lost while it rested is made again.
    pub(super) fn begin(&mut self) -> Result<()> {
        const BEGIN: &str = "BEGIN; SAVEPOINT unit";
        if let Some(session) = &self.session {
            match session.batch(BEGIN) {
                Err(_) if session.is_lost() => self.drop_session(),
                Err(error) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        self.reconnect()?;
        self.batch(BEGIN)
    }

    /// Commits the units, with the ids they drew. Where the answer is lost, waits for the server and looks.
    pub(super) fn commit(&mut self) -> Result<()> {
        let session = self.session()?;
        let reserved = session.ids.reserved;
        let commits = self.sequence.commits + 1;
        let committed = self.batch(&format!(
            "UPDATE sequence SET reserved = {reserved}, commits = {commits} WHERE only_row = 1; COMMIT"
        ));
        let lost = self.session.as_ref().is_none_or(Session::is_lost);
        match committed {
            Ok(()) => {
                self.sequence.commits = commits;
                self.sequence.reserved = reserved;
                self.session()?.ids.reserved_durably = reserved;
                Ok(())
            }
            Err(error) if lost => self.settle(commits, error),
            Err(error) => Err(error),
        }
    }

    /// Whether the commit with this number was kept. Holding the lock again means that the lost connection has ended on the
    /// server's side too, so the row says so for good; unless another writer came in between.
    fn settle(&mut self, commits: i64, error: Error) -> Result<()> {
        tracing::warn!(%error, "the connection was lost while committing; waiting for the server to tell");
        self.drop_session();
        let doubtful = || {
            Error::Unreachable(
                "the connection was lost while committing; whether the units were kept is not known"
                    .into(),
            )
        };
        let until = Instant::now() + Duration::from_secs(DATABASE_DOUBT_SECONDS_MAX);
        let mut pause = LOCK_PAUSE;
        let session = loop {
            match self.connect() {
                Ok(session) => break session,
                Err(_) if Instant::now() < until => std::thread::sleep(pause),
                Err(_) => return Err(doubtful()),
            }
            pause = (pause * 2).min(Duration::from_millis(DATABASE_BACK_OFF_MILLISECONDS_MAX));
        };
        let found = read_sequence(&session)?;
        let nobody_else = found.openings == self.sequence.openings;
        self.begin_writing(session)?;
        match nobody_else {
            true if found.commits == commits => Ok(()),
            true => Err(error),
            false => Err(doubtful()),
        }
    }

    /// Undoes what is open, or drops a connection that cannot.
    pub(super) fn give_up(&mut self) {
        let Some(session) = &mut self.session else {
            return;
        };
        session.forget();
        session.take_touched();
        let undone = session.batch("ROLLBACK");
        session.take_failed();
        if undone.is_err() {
            self.drop_session();
        }
    }

    /// Frees the lock and says goodbye.
    pub(super) fn end(&mut self) {
        if let Some(session) = self.session.take() {
            if let Err(error) = session.ask("SELECT pg_advisory_unlock_all()") {
                tracing::debug!(%error, "the lock ends with the connection");
            }
            session.end();
        }
    }

    fn drop_session(&mut self) {
        if let Some(session) = self.session.take() {
            self.ids = session.ids;
        }
    }

    /// Connects again, unless the server was away a moment ago.
    fn reconnect(&mut self) -> Result<()> {
        if let Some(away) = &self.away
            && Instant::now() < away.until
        {
            return Err(away.error.clone());
        }
        let connected = self
            .connect()
            .and_then(|session| self.begin_writing(session));
        self.away = connected.as_ref().err().map(|error| {
            let longest = Duration::from_millis(DATABASE_BACK_OFF_MILLISECONDS_MAX);
            let pause = self
                .away
                .as_ref()
                .map_or(longest / 16, |away| (away.pause * 2).min(longest));
            Away {
                pause,
                until: Instant::now() + pause,
                error: error.clone(),
            }
        });
        connected
    }

    /// Connects and takes the lock. A server that is just ending frees it in a moment.
    fn connect(&self) -> Result<Session> {
        let session = Session::connect(&self.config)?;
        let until = Instant::now() + Duration::from_secs(DATABASE_LOCK_SECONDS_MAX);
        loop {
            let answer = session.ask(&format!("SELECT pg_try_advisory_lock({LOCK})"))?;
            let is_ours = answer.first().map_or(Ok(false), |row| row.try_get(0))?;
            if is_ours {
                return Ok(session);
            }
            if Instant::now() >= until {
                return Err(Error::InUse);
            }
            session.pause(LOCK_PAUSE);
        }
    }

    /// Reads what the writer goes on from, and says that it has begun.
    fn begin_writing(&mut self, mut session: Session) -> Result<()> {
        schema::migrate(&session)?;
        session.prepare_all()?;
        session.execute(sql!("begin_writing"), &[])?;
        self.sequence = read_sequence(&session)?;
        // Ids drawn by units that failed are never drawn again, so those of this process go on from where they were.
        session.ids.last = self.ids.last.max(self.sequence.reserved);
        session.ids.reserved = self.ids.reserved.max(self.sequence.reserved);
        session.ids.reserved_durably = self.sequence.reserved;
        self.session = Some(session);
        self.away = None;
        Ok(())
    }
}

fn read_sequence(session: &Session) -> Result<Sequence> {
    let found = session.one(sql!("sequence"), &[], |row| {
        Ok(Sequence {
            reserved: number(row, 0)?,
            openings: number(row, 1)?,
            commits: number(row, 2)?,
        })
    })?;
    found.ok_or_else(|| Error::Database("the row of table sequence is missing".into()))
}
