//! What the present rate comes to (`entities.md` 4.9, 8 and 13.5): contacts until the end of this clock hour, in the
//! next one and after that, and the moment the work ends. Hours are those of the Account's zone.

use crate::window::Window;
use carillon_model::{Moment, moment::MINUTE, moment::SECOND};
use jiff::tz::TimeZone;

/// Work that goes at one rate through its windows: a pass, or one zone of a pass in mode Auto.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stream<'a> {
    /// Attempts remaining: first attempts + expected retries.
    pub remaining: f64,
    /// Its rate after all caps.
    pub contacts_per_minute: f64,
    /// The windows to come and the one that is open, in order, without overlap.
    pub windows: &'a [Window],
}

/// The projection of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Projection {
    /// Until the end of the clock hour.
    pub this_hour_contacts: u64,
    /// In the clock hour after it.
    pub next_hour_contacts: u64,
    /// After that, in the windows there are.
    pub future_contacts: u64,
    /// None when the work never ends: some of it fits no window, or nothing moves.
    pub estimated_end_time: Option<Moment>,
}

/// Projects the streams of one pass together.
pub fn project(streams: &[Stream<'_>], now: Moment, zone: &TimeZone) -> Projection {
    let this_hour_end = hour_end(now, zone);
    let next_hour_end = hour_end(this_hour_end, zone);
    let done_by = |moment| {
        streams
            .iter()
            .map(|stream| stream.done_by(now, moment))
            .sum::<f64>()
    };

    // Rounded as running totals, so that the three numbers always sum to the whole.
    let this_hour = whole(done_by(this_hour_end));
    let two_hours = whole(done_by(next_hour_end)).max(this_hour);
    let all = whole(done_by(Moment::NEVER)).max(two_hours);
    let ends = streams
        .iter()
        .map(|stream| stream.end(now))
        .collect::<Option<Vec<_>>>();
    Projection {
        this_hour_contacts: this_hour,
        next_hour_contacts: two_hours - this_hour,
        future_contacts: all - two_hours,
        estimated_end_time: ends.map(|ends| ends.into_iter().max().unwrap_or(now)),
    }
}

impl Stream<'_> {
    fn done_by(&self, now: Moment, moment: Moment) -> f64 {
        let open: i64 = self
            .windows
            .iter()
            .map(|window| window.milliseconds_between(now, moment))
            .sum();
        let possible = open as f64 / MINUTE as f64 * self.contacts_per_minute.max(0.0);
        possible.min(self.remaining.max(0.0))
    }

    fn end(&self, now: Moment) -> Option<Moment> {
        if self.remaining <= 0.0 {
            return Some(now);
        }
        if self.contacts_per_minute.is_nan() || self.contacts_per_minute <= 0.0 {
            return None;
        }
        // A thousandth of a millisecond forgives the dust of the division.
        let needed = (self.remaining / self.contacts_per_minute * MINUTE as f64 - 1e-3).ceil();
        if needed >= Moment::NEVER.since(now) as f64 {
            return None;
        }
        let mut needed = needed as i64;
        for window in self.windows {
            let open = window.milliseconds_between(now, Moment::NEVER);
            if needed <= open {
                return Some(window.from.max(now).plus(needed));
            }
            needed -= open;
        }
        None
    }
}

fn whole(contacts: f64) -> u64 {
    (contacts + 0.5).floor() as u64
}

/// The end of the clock hour that holds the moment, by the zone's clock.
fn hour_end(moment: Moment, zone: &TimeZone) -> Moment {
    let civil = zone.to_datetime(moment.timestamp());
    let into_the_hour = i64::from(civil.minute()) * MINUTE
        + i64::from(civil.second()) * SECOND
        + i64::from(civil.subsec_nanosecond()) / 1_000_000;
    moment.plus(60 * MINUTE - into_the_hour)
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::moment::HOUR;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone of the bundled database")
    }

    fn at(text: &str) -> Moment {
        text.parse::<jiff::Timestamp>().expect("an instant").into()
    }

    fn window(from: Moment, minutes: i64) -> Window {
        Window {
            from,
            to: from.plus(minutes * MINUTE),
        }
    }

    fn one(remaining: f64, rate: f64, windows: &[Window], now: Moment) -> Projection {
        let stream = Stream {
            remaining,
            contacts_per_minute: rate,
            windows,
        };
        project(&[stream], now, &zone("America/New_York"))
    }

    #[test]
    fn worked_vectors() {
        // 13:00 in New York.
        let now = at("2026-11-24T18:00:00Z");
        let hour = [window(now, 60)];
        let cases = [
            // 6,000 left at 120.0 a minute: all in this hour, the end after 50 minutes.
            (120.0, &hour[..], (6_000, 0, 0), Some(now.plus(50 * MINUTE))),
            (100.0, &hour[..], (6_000, 0, 0), Some(now.plus(60 * MINUTE))),
            // Intensity 50: 3,000 in the window and never done.
            (50.0, &hour[..], (3_000, 0, 0), None),
            (0.0, &hour[..], (0, 0, 0), None),
            (100.0, &[][..], (0, 0, 0), None),
        ];
        for (rate, windows, (this_hour, next_hour, future), end) in cases {
            let expected = Projection {
                this_hour_contacts: this_hour,
                next_hour_contacts: next_hour,
                future_contacts: future,
                estimated_end_time: end,
            };
            assert_eq!(
                one(6_000.0, rate, windows, now),
                expected,
                "at {rate} a minute"
            );
        }
    }

    #[test]
    fn a_later_window_takes_what_the_first_left() {
        let now = at("2026-11-24T18:00:00Z");
        let tomorrow = now.plus(24 * HOUR);
        let projection = one(
            6_000.0,
            50.0,
            &[window(now, 60), window(tomorrow, 600)],
            now,
        );
        assert_eq!(projection.this_hour_contacts, 3_000);
        assert_eq!(projection.next_hour_contacts, 0);
        assert_eq!(projection.future_contacts, 3_000);
        assert_eq!(
            projection.estimated_end_time,
            Some(tomorrow.plus(60 * MINUTE))
        );
    }

    #[test]
    fn a_later_start_of_the_window_counts_from_there() {
        let now = at("2026-11-24T18:40:00Z");
        let projection = one(3_000.0, 30.0, &[window(now.plus(30 * MINUTE), 600)], now);
        assert_eq!(projection.this_hour_contacts, 0);
        assert_eq!(projection.next_hour_contacts, 50 * 30);
        assert_eq!(projection.future_contacts, 1_500);
        assert_eq!(projection.estimated_end_time, Some(now.plus(130 * MINUTE)));
    }

    #[test]
    fn two_zones_are_projected_each_at_its_own_rate() {
        let now = at("2026-11-24T18:00:00Z");
        let (short, long) = ([window(now, 60)], [window(now, 120)]);
        let streams = [
            Stream {
                remaining: 3_000.0,
                contacts_per_minute: 50.0,
                windows: &short,
            },
            Stream {
                remaining: 3_000.0,
                contacts_per_minute: 25.0,
                windows: &long,
            },
        ];
        let projection = project(&streams, now, &zone("America/New_York"));
        assert_eq!(projection.this_hour_contacts, 4_500);
        assert_eq!(projection.next_hour_contacts, 1_500);
        assert_eq!(projection.future_contacts, 0);
        assert_eq!(projection.estimated_end_time, Some(now.plus(120 * MINUTE)));
    }

    #[test]
    fn hours_are_those_of_the_accounts_clock() {
        // 23:45 in Kolkata, half past in UTC: fifteen minutes of the clock hour are left, not forty-five.
        let now = at("2026-11-24T18:15:00Z");
        assert_eq!(hour_end(now, &zone("Asia/Kolkata")), now.plus(15 * MINUTE));
        assert_eq!(hour_end(now, &zone("UTC")), now.plus(45 * MINUTE));
        let sharp = at("2026-11-24T18:00:00Z");
        assert_eq!(hour_end(sharp, &zone("UTC")), sharp.plus(60 * MINUTE));
        // Both hours called one o'clock in the night the clock goes back are hours.
        let back = at("2026-11-01T05:30:00Z");
        let end = hour_end(back, &zone("America/New_York"));
        assert_eq!(end, back.plus(30 * MINUTE));
        assert_eq!(
            hour_end(end, &zone("America/New_York")),
            end.plus(60 * MINUTE)
        );
    }

    #[test]
    fn fractions_are_kept_between_the_hours() {
        let now = at("2026-11-24T18:59:00Z");
        let projection = one(100.0, 0.5, &[window(now, 10_000)], now);
        let sum = projection.this_hour_contacts
            + projection.next_hour_contacts
            + projection.future_contacts;
        assert_eq!(sum, 100);
        assert_eq!(one(0.0, 0.0, &[], now).estimated_end_time, Some(now));
    }
}
