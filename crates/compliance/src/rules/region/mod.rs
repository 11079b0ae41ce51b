//! Region: the hours and weekdays of a region (`law.md`).

use super::{Calendar, Placed, most_specific};
use crate::hours::DayHours;
use crate::region::Place;
use carillon_model::DayOfWeek;
use carillon_model::compliance_rule::Element;

/// The week of contacts that may be in any of these places.
pub fn calendar(elements: &[Placed], places: &[Place]) -> Calendar {
    let mut joint: [DayHours; 7] = std::array::from_fn(|_| DayHours::whole());
    for place in places {
        let week = week(elements, place);
        // A contact is forbidden for good only where no weekday opens; else a forbidden day is a closed one.
        let is_denied = week.iter().all(DayHours::is_denied);
        for (day, hours) in joint.iter_mut().zip(week) {
            *day = if hours.is_denied() && !is_denied {
                day.and(&DayHours::closed())
            } else {
                day.and(&hours)
            };
        }
    }
    Calendar::Weekly(Box::new(joint))
}

fn week(elements: &[Placed], place: &Place) -> [DayHours; 7] {
    let here: Vec<&Placed> = elements
        .iter()
        .filter(|placed| placed.region.holds(place))
        .collect();
    std::array::from_fn(|index| {
        let weekday = DayOfWeek::ALL[index];
        let for_the_day = here
            .iter()
            .copied()
            .filter(|placed| placed.element.day.is_none_or(|day| day == weekday));
        day(&most_specific(for_the_day))
    })
}

/// The elements of one region that may speak for a weekday: those that name it, else those that name no day.
fn day(elements: &[&Element]) -> DayHours {
    if elements.is_empty() {
        return DayHours::whole();
    }
    let naming: Vec<&Element> = elements
        .iter()
        .copied()
        .filter(|element| element.day.is_some())
        .collect();
    let (speaking, names_the_day) = if naming.is_empty() {
        (elements, false)
    } else {
        (&naming[..], true)
    };
    let closing = |element: &&Element| {
        let has_hours = element.first_contact_time.is_some() || element.last_contact_time.is_some();
        !element.allowed && (names_the_day || !has_hours)
    };
    if speaking.iter().copied().any(|element| closing(&element)) {
        return if names_the_day {
            DayHours::closed()
        } else {
            DayHours::denied()
        };
    }
    speaking
        .iter()
        .filter(|element| element.allowed)
        .fold(DayHours::closed(), |hours, element| {
            hours.or(&DayHours::between(
                element.first_contact_time,
                element.last_contact_time,
            ))
        })
}
