//! Location: whole regions that are forbidden, or the only ones allowed (`law.md`).

use super::{Calendar, Placed, most_specific};
use crate::hours::DayHours;
use crate::region::Place;

/// Open always, or denied always: a place does not pass.
pub fn calendar(elements: &[Placed], places: &[Place]) -> Calendar {
    let mut is_in_an_allowed_one = false;
    for place in places {
        let deciding = most_specific(elements.iter().filter(|placed| placed.region.holds(place)));
        if deciding.iter().any(|element| !element.allowed) {
            return Calendar::Always(DayHours::denied());
        }
        is_in_an_allowed_one |= !deciding.is_empty();
    }
    let names_allowed_ones = elements.iter().any(|placed| placed.element.allowed);
    Calendar::Always(if names_allowed_ones && !is_in_an_allowed_one {
        DayHours::denied()
    } else {
        DayHours::whole()
    })
}
