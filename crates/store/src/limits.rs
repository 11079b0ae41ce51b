//! Bounds of the store, each with its reason.

/// Units made durable by one commit at most: more would make the first of them wait too long.
pub const UNITS_PER_COMMIT_MAX: usize = 512;
/// Time for which one commit gathers work that is already waiting, in microseconds; it never waits for work to come.
pub const COMMIT_GATHER_MICROSECONDS: u64 = 5_000;
/// Units waiting for the writer; more are made to wait outside, which slows their callers down.
pub const UNITS_WAITING_MAX: usize = 8_192;
/// Ids reserved in the store at a time: no insert asks for one.
pub const ID_BLOCK: i64 = 10_000;
/// Connections that read beside the writer.
pub const READERS: usize = 4;
