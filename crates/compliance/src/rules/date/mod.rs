//! Date: no contact on certain days, or only within hours (`law.md`).

use super::{Calendar, Placed, most_specific};
use crate::hours::DayHours;
use crate::region::Place;
use carillon_model::compliance_rule::Element;
use jiff::civil::Date;
use std::collections::BTreeMap;

/// The dates on which contacts in these places may not be reached, or only within hours.
pub fn calendar(elements: &[Placed], places: &[Place]) -> Calendar {
    let mut dates: BTreeMap<Date, DayHours> = BTreeMap::new();
    for place in places {
        let here = elements.iter().filter(|placed| placed.region.holds(place));
        let mut by_date: BTreeMap<Date, Vec<&Placed>> = BTreeMap::new();
        for placed in here {
            if let Some(date) = placed.element.date {
                by_date.entry(date).or_default().push(placed);
            }
        }
        for (date, placed) in by_date {
            let hours = day(&most_specific(placed.into_iter()));
            let joint = match dates.get(&date) {
                Some(other) => other.and(&hours),
                None => hours,
            };
            dates.insert(date, joint);
        }
    }
    Calendar::Dates(dates)
}

/// Several elements for one date and region: one that closes the day closes it; else the union of their hours.
fn day(elements: &[&Element]) -> DayHours {
    let mut hours = DayHours::closed();
    for element in elements {
        let has_hours = element.first_contact_time.is_some() || element.last_contact_time.is_some();
        if !has_hours && !element.allowed {
            return DayHours::closed();
        }
        hours = hours.or(&DayHours::between(
            element.first_contact_time,
            element.last_contact_time,
        ));
    }
    hours
}
