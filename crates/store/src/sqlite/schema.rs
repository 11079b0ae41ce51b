//! The schema and its way there: numbered steps, forward only, each in a transaction of its own. `schema.sql` shows where
//! they lead; a test keeps it true.

use crate::{Error, Result};
use rusqlite::Connection;

/// The steps in order; the version of a store is how many it has gone.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_first.sql")];

/// Marks the file as a Carillon store ("Cari").
const APPLICATION_ID: i32 = 0x4361_7269;

/// Brings the schema up to date.
pub(crate) fn migrate(connection: &Connection) -> Result<()> {
    let version: usize =
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0))? as usize;
    if version > MIGRATIONS.len() {
        let known = MIGRATIONS.len();
        return Err(Error::Database(format!(
            "the store has schema {version}, this program knows {known}"
        )));
    }
    for (index, step) in MIGRATIONS.iter().enumerate().skip(version) {
        let number = index + 1;
        tracing::info!(step = number, "bringing the schema up to date");
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {step}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {number}; COMMIT;"
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::statement;

    fn migrated() -> Connection {
        let connection = Connection::open_in_memory().expect("memory");
        migrate(&connection).expect("all steps");
        connection
    }

    fn schema(connection: &Connection) -> String {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name")
            .expect("sqlite_schema");
        let texts: Vec<String> = statement
            .query_map([], |row| row.get::<_, String>(0))
            .expect("rows")
            .collect::<rusqlite::Result<_>>()
            .expect("texts");
        texts.join(";\n\n") + ";\n"
    }

    /// Run with `CARILLON_WRITE_SCHEMA=1` to write the file anew after a step was added.
    #[test]
    fn all_steps_lead_to_the_schema_file() {
        let reached = schema(&migrated());
        if std::env::var_os("CARILLON_WRITE_SCHEMA").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqlite/schema.sql");
            std::fs::write(path, &reached).expect("the schema file");
            return;
        }
        assert_eq!(reached, include_str!("schema.sql"));
    }

    #[test]
    fn a_store_of_a_newer_program_is_refused() {
        let connection = migrated();
        connection
            .execute_batch("PRAGMA user_version = 99")
            .expect("set");
        let error = migrate(&connection).expect_err("too new");
        assert_eq!(
            error.to_string(),
            format!(
                "the store has schema 99, this program knows {}",
                MIGRATIONS.len()
            )
        );
    }

    /// No statement may read a whole table or index unless it says why.
    #[test]
    fn no_statement_scans() {
        let connection = migrated();
        for (aggregate, file) in statement::FILES {
            for statement in statement::all(file) {
                let plan = plan(&connection, statement.sql);
                let scans = plan
                    .iter()
                    .any(|step| step.starts_with("SCAN ") && !is_small(step));
                let excused = statement.notes.contains("-- scan: ");
                assert_eq!(scans, excused, "{aggregate}.{}: {plan:#?}", statement.name);
            }
        }
    }

    #[test]
    fn the_plan_test_can_fail() {
        let plan = plan(&migrated(), "SELECT * FROM contact WHERE payload = ?1");
        assert!(
            plan.iter().any(|step| step.starts_with("SCAN contact")),
            "{plan:?}"
        );
    }

    /// Rows the statement itself has made: a bounded subquery, a constant.
    fn is_small(step: &str) -> bool {
        step.starts_with("SCAN (subquery") || step == "SCAN CONSTANT ROW"
    }

    fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .expect("prepares");
        let count = statement.parameter_count();
        let nulls = vec![rusqlite::types::Null; count];
        statement
            .query_map(rusqlite::params_from_iter(nulls), |row| {
                row.get::<_, String>(3)
            })
            .expect("plan")
            .collect::<rusqlite::Result<_>>()
            .expect("steps")
    }
}
