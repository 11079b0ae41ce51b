//! Account hours: the Account's daily contact hours, everywhere and on every channel (`law.md`).

use super::Calendar;
use crate::hours::DayHours;
use crate::verdict::Cause;
use carillon_model::Reason;
use jiff::civil::Time;

/// What its verdicts cite.
pub const CAUSE: Cause = Cause::without_rule(Reason::AccountHours);

/// The Account's firstContactTime and lastContactTime, every day.
pub fn calendar(contact_hours: (Time, Time)) -> Calendar {
    Calendar::Always(DayHours::between(
        Some(contact_hours.0),
        Some(contact_hours.1),
    ))
}
