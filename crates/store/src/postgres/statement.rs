//! The statements of the `postgres.sql` files, found and told apart as those of SQLite are.

/// Every file with the aggregate it belongs to.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("postgres", include_str!("postgres.sql")),
    ("attempt", include_str!("../attempt/postgres.sql")),
    ("audit", include_str!("../audit/postgres.sql")),
    ("contact", include_str!("../contact/postgres.sql")),
    ("counter", include_str!("../counter/postgres.sql")),
    ("credential", include_str!("../credential/postgres.sql")),
    ("entity", include_str!("../entity/postgres.sql")),
    ("idempotency", include_str!("../idempotency/postgres.sql")),
    ("job", include_str!("../job/postgres.sql")),
    ("meta", include_str!("../meta/postgres.sql")),
    ("progress", include_str!("../progress/postgres.sql")),
    ("queue", include_str!("../queue/postgres.sql")),
    ("receipt", include_str!("../receipt/postgres.sql")),
    ("run", include_str!("../run/postgres.sql")),
    ("suppression", include_str!("../suppression/postgres.sql")),
    ("verdict", include_str!("../verdict/postgres.sql")),
];

/// The statement of that name in the `postgres.sql` beside the calling file.
macro_rules! sql {
    ($name:literal) => {
        const { $crate::sqlite::statement::find(include_str!("postgres.sql"), $name) }
    };
}
pub(crate) use sql;

#[cfg(test)]
mod tests {
    use super::FILES;
    use crate::sqlite::statement::all;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_every_statement_is_explained() {
        for (aggregate, file) in FILES {
            let mut names = BTreeSet::new();
            for statement in all(file) {
                let name = statement.name;
                assert!(names.insert(name), "{aggregate}.{name} stands twice");
                assert!(
                    !statement.notes.is_empty(),
                    "{aggregate}.{name} says nothing"
                );
                assert!(!statement.sql.is_empty(), "{aggregate}.{name} is empty");
            }
        }
    }
}
