//! Bounds of the store, each with its reason.

/// Units made durable by one commit at most: more would make the first of them wait too long.
pub const UNITS_PER_COMMIT_MAX: usize = 512;
/// Time for which one commit gathers work that is already waiting, in microseconds; it never waits for work to come. Under
/// load all of it would wait anyway: for its turn, and for a sync of milliseconds with every commit it is not in.
pub const COMMIT_GATHER_MICROSECONDS: u64 = 20_000;
/// Time for which a commit that a person waits for takes in bulk units, in microseconds.
pub const BULK_BESIDE_PEOPLE_MICROSECONDS: u64 = 5_000;
/// Units waiting for the writer; more are made to wait outside, which slows their callers down.
pub const UNITS_WAITING_MAX: usize = 8_192;
/// Ids reserved in the store at a time: no insert asks for one.
pub const ID_BLOCK: i64 = 10_000;
/// Connections that read beside the writer.
pub const READERS: usize = 4;
/// Bulk units waiting for the writer: each may hold thousands of contacts, so few of them may pile up in memory.
pub const BULK_UNITS_WAITING_MAX: usize = 32;
/// Contacts to put in one bulk unit: with their indexes and the sync about 5 ms, for which a person may have to wait.
pub const CONTACTS_PER_UNIT: usize = 1_000;
/// Time for which a commit of bulk units alone gathers more of them, in microseconds: they touch the same pages, which are
/// then written once. A person who comes meanwhile is taken next and ends the gathering.
pub const BULK_GATHER_MICROSECONDS: u64 = 20_000;
/// Bulk units in one commit: people wait for the whole of it.
pub const BULK_UNITS_PER_COMMIT_MAX: usize = 4;
/// Page cache of the writer, in KiB: the upper levels of all trees and the tails that grow stay in it.
pub const WRITER_CACHE_KIB: i64 = 65_536;
/// Page cache of each reader, in KiB.
pub const READER_CACHE_KIB: i64 = 8_192;
/// Prepared statements kept by each connection: all there are.
pub const STATEMENTS_KEPT: usize = 512;
/// Frames of the log after which pages are copied back into the store, beside the writer (16 MiB).
pub const LOG_FRAMES_SOFT: i64 = 4_096;
/// Frames left by that copy which the writer copies itself, so that the log can start anew.
pub const LOG_FRAMES_FINISH: i64 = 1_024;
/// Frames of the log after which the writer stops and copies everything: the log does not grow without bound.
pub const LOG_FRAMES_HARD: i64 = 32_768;
/// Interned texts (carriers, our addresses) remembered by a connection.
pub const LABELS_REMEMBERED: usize = 10_000;
/// Devices gathered before they are moved into the large tree. More of them mean fewer pages touched for each, but more of
/// the small tree touched by each call: some 120,000 is the middle for lists of a million.
pub const DEVICES_GATHERED_MAX: i64 = 120_000;
/// Devices moved at a time, in key order.
pub const DEVICES_MOVED_MAX: i64 = 4_000;
/// Seconds for which a PostgreSQL database that another server holds is asked for again: its server may be ending.
pub const DATABASE_LOCK_SECONDS_MAX: u64 = 4;
/// Seconds in which a connection to the database server must stand.
pub const DATABASE_CONNECT_SECONDS_MAX: u64 = 10;
/// Seconds after which a connection whose packets nobody confirms is given up.
pub const DATABASE_SILENCE_SECONDS_MAX: u64 = 30;
/// Milliseconds between two attempts to reach the database server, at most; they begin with a sixteenth of it.
pub const DATABASE_BACK_OFF_MILLISECONDS_MAX: u64 = 4_000;
/// Seconds for which units wait to learn whether a commit was kept whose answer was lost with the connection.
pub const DATABASE_DOUBT_SECONDS_MAX: u64 = 60;
/// Lanes for which the key of the last claim is remembered, so that the next one need not pass over the dead rows before it.
pub const CLAIMS_REMEMBERED: usize = 100_000;
/// Message ids looked at by one statement when old ones are forgotten.
pub const MESSAGES_PER_LOOK: i64 = 1_000;
