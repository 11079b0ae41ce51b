//! The schema and its way there: numbered steps, forward only, each in a transaction of its own that notes its number.

use super::session::Session;
use super::value::number;
use crate::{Error, Result};

/// The steps in order; the version of a database is how many it has gone.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];

/// Brings the schema up to date. The caller holds the writer's lock, so nobody else does.
pub(crate) fn migrate(session: &Session) -> Result<()> {
    session.batch("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY)")?;
    let rows = session.ask("SELECT count(*), coalesce(max(number), 0) FROM migration")?;
    let gone = rows.first().map_or(Ok((0, 0)), |row| {
        Ok::<_, Error>((number(row, 0)?, number(row, 1)?))
    })?;
    let version = usize::try_from(gone.0).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() || gone.0 != gone.1 {
        let known = MIGRATIONS.len();
        return Err(Error::Database(format!(
            "the database has schema {}, this program knows {known}",
            gone.1
        )));
    }
    for (index, step) in MIGRATIONS.iter().enumerate().skip(version) {
        let number = index + 1;
        tracing::info!(step = number, "bringing the schema up to date");
        session.batch(&format!(
            "BEGIN; {step}; INSERT INTO migration VALUES ({number}); COMMIT;"
        ))?;
    }
    Ok(())
}
