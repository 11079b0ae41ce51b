//! An instant in UTC, in whole milliseconds: the one form in which Carillon stores and compares time.
//! Civil time (windows, dates) is reckoned in `jiff`, in the contact's zone, and turned into moments.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// One second in milliseconds.
pub const SECOND: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day of 24 hours in milliseconds.
pub const DAY: i64 = 24 * HOUR;

impl Moment {
    /// Later than every moment the system meets (9999-12-31T00:00:00Z).
    pub const NEVER: Moment = Moment(253_402_214_400_000);

    /// The same instant for civil reckoning.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0.clamp(-62_135_596_800_000, 253_402_214_400_000))
            .expect("clamped to the years jiff knows")
    }

    /// This moment moved by so many milliseconds.
    #[must_use]
    pub fn plus(self, milliseconds: i64) -> Moment {
        Moment(self.0.saturating_add(milliseconds))
    }

    /// Milliseconds from `earlier` to this moment; negative when this one is earlier.
    pub fn since(self, earlier: Moment) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The start of the UTC minute that holds this moment, counted from 1970.
    pub fn minute(self) -> i64 {
        self.0.div_euclid(MINUTE)
    }

    /// The wire form: `2026-11-24T13:05:09.120Z`.
    pub fn wire(self) -> String {
        self.timestamp()
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string()
    }
}

/// Where the drivers take the present from. Pure code takes `now: Moment` instead.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Moment;
}

impl From<Timestamp> for Moment {
    fn from(timestamp: Timestamp) -> Self {
        Moment(timestamp.as_millisecond())
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.wire())
    }
}

#[cfg(test)]
mod tests {
    use super::Moment;

    #[test]
    fn wire_form_has_three_digits() {
        assert_eq!(Moment(1_795_525_509_120).wire(), "2026-11-24T13:05:09.120Z");
        assert_eq!(Moment(0).wire(), "1970-01-01T00:00:00.000Z");
    }
}
