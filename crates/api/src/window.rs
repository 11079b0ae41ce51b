//! Time windows (`api.md` 1.7). All are half-open.

use crate::check::Findings;
use crate::fault::Row;
use crate::shape::form::{self, Bound};
use crate::tree::View;
use carillon_model::Moment;
use carillon_model::moment::DAY;
use carillon_model::zone::Zone;

/// Stage 4: fromTime must be before toTime. Texts without offset are compared as if in one zone, which they are.
pub fn in_order(arguments: View<'_>, findings: &mut Findings) {
    let utc = jiff::tz::TimeZone::UTC;
    let read = |name: &str| {
        arguments
            .text(name)
            .and_then(|text| form::moment(text, &utc, Bound::Start))
    };
    if let (Some(from), Some(to)) = (read("fromTime"), read("toTime"))
        && from >= to
    {
        findings.add(
            Row::DA,
            || arguments.path_to("toTime"),
            "fromTime must be before toTime",
        );
    }
}

fn bounds(arguments: View<'_>, zone: Zone) -> (Option<Moment>, Option<Moment>) {
    let read = |name: &str, bound| {
        arguments
            .text(name)
            .and_then(|text| form::moment(text, zone.time_zone(), bound))
    };
    (read("fromTime", Bound::Start), read("toTime", Bound::End))
}

/// W24: at most a day where one side is open.
pub fn w24(arguments: View<'_>, zone: Zone, now: Moment) -> (Moment, Moment) {
    match bounds(arguments, zone) {
        (None, None) => (now.plus(-DAY), now),
        (Some(from), None) => (from, from.plus(DAY)),
        (None, Some(to)) => (to.plus(-DAY), to),
        (Some(from), Some(to)) => (from, to),
    }
}

/// W-open: everything where a side is open.
pub fn open(arguments: View<'_>, zone: Zone) -> (Moment, Moment) {
    let (from, to) = bounds(arguments, zone);
    (
        from.unwrap_or(Moment(i64::MIN)),
        to.unwrap_or(Moment::NEVER),
    )
}

/// Both sides as they were given.
pub fn given(arguments: View<'_>, zone: Zone) -> (Option<Moment>, Option<Moment>) {
    bounds(arguments, zone)
}
