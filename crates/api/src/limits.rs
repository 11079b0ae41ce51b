//! The bounds of the two doors: everything that comes from outside is counted against one of these.

/// Largest request body, in bytes, after decompression (`api.md` C1).
pub const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of elements or JSON values.
pub const DEPTH_MAX: usize = 64;
/// Most elements or JSON values in one body.
pub const ELEMENTS_MAX: usize = 500_000;
/// Most namespace declarations in scope at once.
pub const NAMESPACES_MAX: usize = 256;
/// Longest query string, in bytes.
pub const QUERY_BYTES_MAX: usize = 64 * 1024;
/// Parts of a multipart body.
pub const PARTS_MAX: usize = 600;
/// Longest idempotency key.
pub const IDEMPOTENCY_KEY_MAX: usize = 64;
/// How long an idempotency record is kept, in milliseconds.
pub const IDEMPOTENCY_KEPT: i64 = 24 * carillon_model::moment::HOUR;
/// How long a call with an idempotency key may run before another with the same key takes its place, in milliseconds.
pub const IDEMPOTENCY_RUNNING: i64 = 60 * carillon_model::moment::SECOND;
/// Calls per minute of one caller Org unless its settings say otherwise (`limit.request.perMinute`).
pub const REQUESTS_PER_MINUTE: usize = 6_000;
/// Orgs whose request rate is watched at once; the longest idle ones are forgotten.
pub const RATES_WATCHED_MAX: usize = 100_000;
/// How far Created may lie in the past, in milliseconds (A3).
pub const CREATED_PAST: i64 = 300 * carillon_model::moment::SECOND;
/// How far Created may lie in the future, in milliseconds.
pub const CREATED_FUTURE: i64 = 60 * carillon_model::moment::SECOND;
/// How long a nonce is remembered, in milliseconds.
pub const NONCE_KEPT: i64 = 600 * carillon_model::moment::SECOND;
/// Longest nonce that is looked at, in bytes of text.
pub const NONCE_BYTES_MAX: usize = 256;
/// Failures of a login within [`LOCK_WINDOW`] that lock it.
pub const LOCK_FAILURES: usize = 10;
/// Span in which failures count, and length of the lock, in milliseconds (A6).
pub const LOCK_WINDOW: i64 = 15 * carillon_model::moment::MINUTE;
/// Logins whose failures are watched at once.
pub const LOCKS_WATCHED_MAX: usize = 100_000;
/// Login passwords hashed at once.
pub const HASHES_AT_ONCE: usize = 4;
/// How long a proven login password is believed without hashing it again, in milliseconds.
pub const PASSWORD_REMEMBERED: i64 = 5 * carillon_model::moment::MINUTE;
/// Proven passwords remembered at once.
pub const PASSWORDS_REMEMBERED_MAX: usize = 10_000;
/// Shortest and longest login password.
pub const PASSWORD_CHARACTERS: std::ops::RangeInclusive<usize> = 12..=128;
/// Former passwords that a new one must differ from, the present one among them.
pub const PASSWORDS_KEPT: usize = 5;
/// Items of a page of the JSON door unless asked otherwise, and at most (J6).
pub const PAGE_DEFAULT: usize = 100;
/// See [`PAGE_DEFAULT`].
pub const PAGE_MAX: usize = 1_000;
/// Items of a SOAP list of the supporting services.
pub const RESULT_MAX: usize = 1_000;
