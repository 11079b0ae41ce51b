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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::{cluster, session, statement};
    use crate::sqlite::statement::all;

    /// A session with all tables.
    fn migrated(database: &cluster::Database) -> Session {
        let config = session::config(&database.url()).expect("a url");
        let session = Session::connect(&config).expect("connects");
        migrate(&session).expect("all steps");
        session
    }

    /// No statement may read a whole table or index unless it says why.
    #[test]
    fn no_statement_scans() {
        let database = cluster::Cluster::shared().database();
        let session = migrated(&database);
        for (aggregate, file) in statement::FILES {
            for statement in all(file).filter(|statement| !statement.sql.starts_with("COPY")) {
                let plan = plan(&session, statement.sql);
                let excused = statement.notes.contains("-- scan: ");
                let name = statement.name;
                assert_eq!(scans(&plan), excused, "{aggregate}.{name}: {plan:#?}");
            }
        }
    }

    #[test]
    fn the_plan_test_can_fail() {
        let database = cluster::Cluster::shared().database();
        let session = migrated(&database);
        for sql in [
            "SELECT * FROM contact WHERE payload = $1",
            "SELECT * FROM contact WHERE container = $1 ORDER BY id",
        ] {
            let plan = plan(&session, sql);
            assert!(scans(&plan), "{plan:#?}");
        }
    }

    /// The plan that serves every call, whatever its values.
    fn plan(session: &Session, sql: &str) -> Vec<String> {
        let count = (1..)
            .take_while(|number| sql.contains(&format!("${number}")))
            .count();
        let values = match count {
            0 => String::new(),
            _ => format!("({})", vec!["NULL"; count].join(", ")),
        };
        session
            .batch(&format!("PREPARE looked_at AS {sql}"))
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        let rows = session
            .ask(&format!("EXPLAIN EXECUTE looked_at {values}"))
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        session.batch("DEALLOCATE looked_at").expect("it is there");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Whether a step reads a table or an index from end to end: its condition stands in a line below it.
    fn scans(plan: &[String]) -> bool {
        plan.iter().enumerate().any(|(index, step)| {
            let by_index = step.contains("Index Scan") || step.contains("Index Only Scan");
            let details = plan[index + 1..]
                .iter()
                .take_while(|line| !line.contains("->"));
            let is_bound = details.clone().any(|line| line.contains("Index Cond:"));
            step.contains("Seq Scan on") || by_index && !is_bound
        })
    }
}
