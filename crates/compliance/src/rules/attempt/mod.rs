//! Attempt: so many attempts in a period, and no more (`law.md`).

use super::{Placed, elements_for};
use crate::history::{Counted, Past, Period};
use crate::region::Place;
use carillon_model::Moment;
use carillon_model::compliance_rule::Element;
use carillon_model::zone::Zone;

/// The moment until which the elements for these places hold the next attempt back; none = it may be made now.
pub(crate) fn until(
    elements: &[Placed],
    places: &[Place],
    counted: &Counted<'_>,
    zone: Zone,
    now: Moment,
) -> Option<Moment> {
    elements_for(elements, places)
        .filter_map(|element| until_by(element, counted, zone, now))
        .max()
}

fn until_by(element: &Element, counted: &Counted<'_>, zone: Zone, now: Moment) -> Option<Moment> {
    let (count, period) = (element.count?, Period::of(element)?);
    let mut leaving: Vec<Moment> = counted
        .by(element)
        .filter(|past| past.outbound && may_count(element, past))
        .map(|past| period.leaves(past.written, zone))
        .filter(|leaves| *leaves > now)
        .collect();
    leaving.sort_unstable();
    // A place is free when fewer than `count` are left; there may be more than that, if the rule is younger than they are.
    let first_to_wait_for = leaving.len().checked_sub(count as usize)?;
    leaving.get(first_to_wait_for).copied()
}

/// An attempt without a result may still get one that counts: it holds its place until it has another.
fn may_count(element: &Element, past: &Past) -> bool {
    element.results.is_empty()
        || past
            .result
            .is_none_or(|result| element.results.contains(&result))
}
