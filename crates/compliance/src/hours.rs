//! The hours of one local day, as rules give them (`entities.md` 10.3): half-open intervals of local time within the
//! day, joined by union or by intersection.

use crate::window::{day_start, days_later, end_moment, start_moment};
use carillon_model::Moment;
use carillon_model::zone::Zone;
use jiff::civil::{Date, Time};

const DAY_SECONDS: u32 = 86_400;

/// When contact is allowed on one local day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayHours {
    /// Sorted, apart from each other: seconds from 00:00 as the clock shows them.
    intervals: Vec<(u32, u32)>,
    /// Not a matter of the hour: the contact is forbidden.
    denied: bool,
}

impl DayHours {
    /// All day.
    pub fn whole() -> DayHours {
        DayHours {
            intervals: vec![(0, DAY_SECONDS)],
            denied: false,
        }
    }

    /// Not on this day.
    pub fn closed() -> DayHours {
        DayHours {
            intervals: Vec::new(),
            denied: false,
        }
    }

    /// Forbidden, whatever the hour.
    pub fn denied() -> DayHours {
        DayHours {
            intervals: Vec::new(),
            denied: true,
        }
    }

    /// [first, last); a last of 00:00 is the end of the day; a bound left out is that end of the day; otherwise a last
    /// that is not after the first means none on this day.
    pub fn between(first: Option<Time>, last: Option<Time>) -> DayHours {
        let first = first.map_or(0, second_of_day);
        let last = last.map_or(DAY_SECONDS, |last| match second_of_day(last) {
            0 => DAY_SECONDS,
            second => second,
        });
        if first < last {
            DayHours {
                intervals: vec![(first, last)],
                denied: false,
            }
        } else {
            DayHours::closed()
        }
    }

    /// Whether the contact is forbidden on this day.
    pub fn is_denied(&self) -> bool {
        self.denied
    }

    /// Whether any part of the day is open.
    pub fn is_open_at_all(&self) -> bool {
        !self.intervals.is_empty()
    }

    /// Open where either is. Denied only if both are.
    #[must_use]
    pub fn or(&self, other: &DayHours) -> DayHours {
        let mut all: Vec<(u32, u32)> = self
            .intervals
            .iter()
            .chain(&other.intervals)
            .copied()
            .collect();
        all.sort_unstable();
        let mut intervals: Vec<(u32, u32)> = Vec::with_capacity(all.len());
        for (first, last) in all {
            match intervals.last_mut() {
                Some((_, end)) if *end >= first => *end = (*end).max(last),
                _ => intervals.push((first, last)),
            }
        }
        DayHours {
            intervals,
            denied: self.denied && other.denied,
        }
    }

    /// Open where both are. Denied if either is.
    #[must_use]
    pub fn and(&self, other: &DayHours) -> DayHours {
        let mut intervals = Vec::new();
        for (first, last) in &self.intervals {
            for (other_first, other_last) in &other.intervals {
                let (from, to) = (*first.max(other_first), *last.min(other_last));
                if from < to {
                    intervals.push((from, to));
                }
            }
        }
        let denied = self.denied || other.denied;
        if denied {
            intervals.clear();
        }
        DayHours { intervals, denied }
    }

    /// The openings of that date in a zone, as moments. They never leave the date, even where the clock shows its
    /// midnight twice.
    pub fn on(&self, zone: Zone, date: Date) -> impl Iterator<Item = (Moment, Moment)> {
        let begins = day_start(zone, date);
        let ends = day_start(zone, days_later(date, 1));
        self.intervals.iter().map(move |(first, last)| {
            let opens = match first {
                0 => begins,
                first => start_moment(zone, date.to_datetime(time_of_day(*first))),
            };
            let closes = match *last {
                DAY_SECONDS => ends,
                last => end_moment(zone, date.to_datetime(time_of_day(last))).min(ends),
            };
            (opens, closes)
        })
    }
}

fn second_of_day(time: Time) -> u32 {
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    u32::from(hour.unsigned_abs()) * 3_600
        + u32::from(minute.unsigned_abs()) * 60
        + u32::from(second.unsigned_abs())
}

fn time_of_day(second: u32) -> Time {
    let part = |value: u32| i8::try_from(value).expect("seconds lie within one day");
    jiff::civil::time(
        part(second / 3_600),
        part(second / 60 % 60),
        part(second % 60),
        0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(first: &str, last: &str) -> DayHours {
        DayHours::between(first.parse().ok(), last.parse().ok())
    }

    #[test]
    fn bounds_mean_what_the_specification_says() {
        assert_eq!(between("", ""), DayHours::whole());
        assert_eq!(between("00:00", "00:00"), DayHours::whole());
        assert_eq!(between("08:00", "00:00"), between("08:00", ""));
        for none in [between("21:00", "08:00"), between("08:00", "08:00")] {
            assert!(!none.is_open_at_all());
        }
    }

    #[test]
    fn union_and_intersection() {
        let french = between("10:00", "13:00").or(&between("14:00", "20:00"));
        assert_eq!(
            french.and(&between("12:00", "15:00")),
            between("12:00", "13:00").or(&between("14:00", "15:00"))
        );
        assert_eq!(
            between("08:00", "12:00").or(&between("10:00", "20:00")),
            between("08:00", "20:00")
        );
        assert!(french.and(&DayHours::denied()).is_denied());
        assert!(!french.or(&DayHours::denied()).is_denied());
    }

    #[test]
    fn openings_stay_within_their_date() {
        let at = |text: &str| -> Moment { text.parse::<jiff::Timestamp>().expect(text).into() };
        // Havana shows 00:00 to 01:00 of 2025-11-02 twice, and skips 00:00 to 01:00 of 2025-03-09.
        let havana = Zone::named("America/Havana").expect("known");
        let openings =
            |date: Date| -> Vec<(Moment, Moment)> { DayHours::whole().on(havana, date).collect() };
        assert_eq!(
            openings(jiff::civil::date(2025, 11, 1)),
            [(at("2025-11-01T04:00Z"), at("2025-11-02T04:00Z"))]
        );
        assert_eq!(
            openings(jiff::civil::date(2025, 11, 2)),
            [(at("2025-11-02T04:00Z"), at("2025-11-03T05:00Z"))]
        );
        assert_eq!(
            openings(jiff::civil::date(2025, 3, 9)),
            [(at("2025-03-09T05:00Z"), at("2025-03-10T04:00Z"))]
        );
    }
}
