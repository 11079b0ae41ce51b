//! The bounds of the arithmetic.

/// The fastest rate reckoned with; more is cut to it, so that permits fit their counter.
pub const CONTACTS_PER_MINUTE_MAX: f64 = 100_000_000.0;
/// Auto never divides by less than this while the goal is ahead (one second), so that a contact due just before the
/// close asks for a high rate and not for an endless one.
pub const MINUTES_TO_GO_MIN: f64 = 1.0 / 60.0;
/// A share of a permit this small is the dust of floating point, not time to wait for.
pub const PERMIT_DUST: f64 = 1e-6;
