//! The statements of the `.sql` files, found by name while compiling: a name that is missing does not compile, and a
//! statement that SQLite cannot prepare stops the start.
//!
//! A file is a row of statements, each `-- name: <name>`, then comment lines (what it is for; `-- scan: <reason>` where
//! reading a whole table is meant), then the SQL.

/// A statement of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// Its name in the file.
    pub name: &'static str,
    /// The comment lines above it.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the plan test only"))]
    pub notes: &'static str,
    /// Its text.
    pub sql: &'static str,
    /// Where the next one starts.
    end: usize,
}

/// Every file with the aggregate it belongs to.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("sqlite", include_str!("sqlite.sql")),
    ("attempt", include_str!("../attempt/sqlite.sql")),
    ("audit", include_str!("../audit/sqlite.sql")),
    ("contact", include_str!("../contact/sqlite.sql")),
    ("counter", include_str!("../counter/sqlite.sql")),
    ("credential", include_str!("../credential/sqlite.sql")),
    ("entity", include_str!("../entity/sqlite.sql")),
    ("idempotency", include_str!("../idempotency/sqlite.sql")),
    ("job", include_str!("../job/sqlite.sql")),
    ("meta", include_str!("../meta/sqlite.sql")),
    ("progress", include_str!("../progress/sqlite.sql")),
    ("queue", include_str!("../queue/sqlite.sql")),
    ("receipt", include_str!("../receipt/sqlite.sql")),
    ("run", include_str!("../run/sqlite.sql")),
    ("suppression", include_str!("../suppression/sqlite.sql")),
    ("verdict", include_str!("../verdict/sqlite.sql")),
];

/// The statement of that name in the `sqlite.sql` beside the calling file.
macro_rules! sql {
    ($name:literal) => {
        const { $crate::sqlite::statement::find(include_str!("sqlite.sql"), $name) }
    };
}
pub(crate) use sql;

/// All statements of a file, in order.
pub(crate) fn all(file: &'static str) -> impl Iterator<Item = Statement> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let statement = next(file, at)?;
        at = statement.end;
        Some(statement)
    })
}

/// The SQL of a statement by name.
pub(crate) const fn find(file: &'static str, name: &str) -> &'static str {
    let mut at = 0;
    while let Some(statement) = next(file, at) {
        if same(statement.name.as_bytes(), name.as_bytes()) {
            return statement.sql;
        }
        at = statement.end;
    }
    panic!("the file has no statement of this name");
}

const MARK: &[u8] = b"-- name: ";

/// The first statement that starts at or after a byte.
const fn next(file: &'static str, from: usize) -> Option<Statement> {
    let bytes = file.as_bytes();
    let mut at = from;
    while at < bytes.len() && !starts_with(bytes, at, MARK) {
        at = line_after(bytes, at);
    }
    if at >= bytes.len() {
        return None;
    }
    let name_start = at + MARK.len();
    let notes_start = line_after(bytes, at);
    let mut sql_start = notes_start;
    while starts_with(bytes, sql_start, b"--") && !starts_with(bytes, sql_start, MARK) {
        sql_start = line_after(bytes, sql_start);
    }
    let mut end = sql_start;
    while end < bytes.len() && !starts_with(bytes, end, MARK) {
        end = line_after(bytes, end);
    }
    Some(Statement {
        name: cut(file, name_start, notes_start),
        notes: cut(file, notes_start, sql_start),
        sql: cut(file, sql_start, end),
        end,
    })
}

/// The start of the line after the one that holds `at`.
const fn line_after(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() && bytes[at] != b'\n' {
        at += 1;
    }
    if at < bytes.len() { at + 1 } else { at }
}

const fn starts_with(bytes: &[u8], at: usize, wanted: &[u8]) -> bool {
    let mut index = 0;
    while index < wanted.len() {
        if at + index >= bytes.len() || bytes[at + index] != wanted[index] {
            return false;
        }
        index += 1;
    }
    true
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && starts_with(left, 0, right)
}

/// A piece of the file without white space and semicolons at its end.
const fn cut(file: &'static str, start: usize, mut end: usize) -> &'static str {
    let bytes = file.as_bytes();
    while end > start && matches!(bytes[end - 1], b'\n' | b' ' | b';') {
        end -= 1;
    }
    file.split_at(end).0.split_at(start).1
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "-- About the file.\n\n-- name: first\n-- Why.\nSELECT 1;\n\n-- name: second\n-- scan: small\nSELECT\n  2;\n";

    #[test]
    fn statements_are_found_by_name() {
        assert_eq!(find(SAMPLE, "first"), "SELECT 1");
        assert_eq!(find(SAMPLE, "second"), "SELECT\n  2");
        let notes: Vec<_> = all(SAMPLE).map(|statement| statement.notes).collect();
        assert_eq!(notes, ["-- Why.", "-- scan: small"]);
    }

    #[test]
    fn names_are_unique_and_every_statement_is_explained() {
        for (aggregate, file) in FILES {
            let mut names = std::collections::BTreeSet::new();
            for statement in all(file) {
                assert!(
                    names.insert(statement.name),
                    "{aggregate}.{} stands twice",
                    statement.name
                );
                assert!(
                    !statement.notes.is_empty(),
                    "{aggregate}.{} says nothing",
                    statement.name
                );
                assert!(
                    !statement.sql.is_empty(),
                    "{aggregate}.{} is empty",
                    statement.name
                );
            }
        }
    }
}
