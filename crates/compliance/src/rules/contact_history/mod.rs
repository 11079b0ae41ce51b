//! ContactHistory: after certain results, silence for a period (`law.md`).

use super::{Placed, elements_for};
use crate::history::{Counted, Period};
use crate::region::Place;
use carillon_model::Moment;
use carillon_model::compliance_rule::Element;
use carillon_model::zone::Zone;

/// The moment until which results of the past forbid another attempt; none = it may be made now.
pub(crate) fn until(
    elements: &[Placed],
    places: &[Place],
    counted: &Counted<'_>,
    zone: Zone,
    now: Moment,
) -> Option<Moment> {
    elements_for(elements, places)
        .filter_map(|element| until_by(element, counted, zone))
        .filter(|until| *until > now)
        .max()
}

fn until_by(element: &Element, counted: &Counted<'_>, zone: Zone) -> Option<Moment> {
    let period = Period::of(element)?;
    counted
        .by(element)
        .filter(|past| {
            past.result
                .is_some_and(|result| element.results.contains(&result))
        })
        .map(|past| period.leaves(past.ended.unwrap_or(past.written), zone))
        .max()
}
