//! The bounds of this crate: every search in time and every text from outside ends.

/// Longest text that is tried as a phone number, in bytes.
pub const PHONE_TEXT_BYTES_MAX: usize = 64;
/// Longest e-mail address, in bytes (RFC 5321).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Longest part of an e-mail address before the `@`, in bytes (RFC 5321).
pub const EMAIL_LOCAL_BYTES_MAX: usize = 64;
/// Longest label of a domain, in bytes (RFC 1035).
pub const DOMAIN_LABEL_BYTES_MAX: usize = 63;
/// Longest text that is tried as a state, country or postal code, in bytes.
pub const PLACE_TEXT_BYTES_MAX: usize = 64;
/// How far ahead an opening is looked for, in days: more than a year, so that a rule that closes one whole calendar
/// year still shows its end.
pub const SEARCH_DAYS_MAX: i64 = 400;
/// How many times the search for a common opening may move on before it gives up.
pub const SEARCH_STEPS_MAX: usize = 20_000;
/// How far ahead the end of a common opening is followed, in days; a judgement is taken anew at least that often.
pub const OPENING_DAYS_MAX: i64 = 8;
/// How long after an attempt was written its result may come, in milliseconds: receipts and replies that are later than
/// this start no silence.
pub const RESULT_LATE_MAX: i64 = 14 * carillon_model::moment::DAY;
