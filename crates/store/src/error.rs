//! What can go wrong in the store, for the operator. Callers of the API see only that the service failed.

/// Result of a store call.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A name is in use in its scope (the unique index said so; methods check before).
    #[error("the name is in use")]
    NameInUse,
    /// The object is not there.
    #[error("no {what} {id}")]
    Missing {
        /// What was looked for.
        what: &'static str,
        /// Its id.
        id: i64,
    },
    /// A stored value cannot be read: the store is damaged or newer than this program.
    #[error("{table}.{column} of {id} cannot be read: {detail}")]
    Damaged {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// Row.
        id: i64,
        /// Why.
        detail: String,
    },
    /// The disk is full: nothing was written. Free space and the store goes on.
    #[error("the disk that holds the store is full")]
    Full,
    /// The store cannot be written: read-only file system or file.
    #[error("the store is read-only")]
    ReadOnly,
    /// Another process has the store open.
    #[error("the store is in use by another process")]
    InUse,
    /// The database server cannot be reached, or was lost before it said that the unit is durable.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The store is closing or closed.
    #[error("the store is closed")]
    Closed,
    /// The database said something else.
    #[error("{0}")]
    Database(String),
}
