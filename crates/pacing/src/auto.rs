//! Mode Auto (`entities.md` 13.1): the rate that ends the work at the goal, zone by zone.
//!
//! Each zone carries its *minutes to go*. They are set to open minutes left × 100 ÷ intensity when a window of the
//! zone opens or closes, the pass starts or ends, on pause, resume and a change of intensity; the open minutes that
//! pass afterwards are taken off. The intensity is therefore in the minutes and nowhere else: at 120 percent the
//! work ends after 50 of 60 minutes, and the rate stays what it was on the way. The recomputation every 60 seconds
//! asks [`Pace::rate`] again and sets nothing.

use crate::factor;
use crate::limits::MINUTES_TO_GO_MIN;
use carillon_model::{Moment, moment::MINUTE};
use std::collections::BTreeMap;

/// The pace of one pass. `Z` names a zone, or a group of zones whose windows open and close together.
#[derive(Debug, Clone)]
pub struct Pace<Z> {
    zones: BTreeMap<Z, Zone>,
}

/// What lies between a zone and the goal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goal {
    /// Open minutes left until completionTime, else until the close of the last window
    /// ([`crate::window::open_minutes`]).
    pub open_minutes: f64,
    /// Whether a window is open now. A zone that is closed, or paused, wants no rate and spends no minutes.
    pub is_open: bool,
}

#[derive(Debug, Clone, Copy)]
struct Zone {
    minutes_to_go: f64,
    set_at: Moment,
    is_open: bool,
    intensity: u32,
}

impl<Z> Default for Pace<Z> {
    fn default() -> Self {
        Self {
            zones: BTreeMap::new(),
        }
    }
}

impl<Z: Ord + Copy> Pace<Z> {
    /// Sets the minutes to go of a zone, at one of the named moments.
    pub fn set(&mut self, zone: Z, goal: Goal, intensity: u32, now: Moment) {
        let minutes_to_go = goal.open_minutes / factor(intensity);
        self.zones.insert(
            zone,
            Zone {
                minutes_to_go,
                set_at: now,
                is_open: goal.is_open,
                intensity,
            },
        );
    }

    /// Drops a zone in which nothing is left.
    pub fn forget(&mut self, zone: Z) {
        self.zones.remove(&zone);
    }

    /// Minutes to go of a zone; zero or less once the goal has passed, none for a zone never set.
    pub fn minutes_to_go(&self, zone: Z, now: Moment) -> Option<f64> {
        self.zones.get(&zone).map(|zone| zone.minutes_to_go(now))
    }

    /// What one zone wants with so many attempts remaining (first attempts + expected retries): nothing while it is
    /// closed.
    pub fn zone_rate(&self, zone: Z, remaining: f64, now: Moment) -> f64 {
        self.zones
            .get(&zone)
            .map_or(0.0, |zone| zone.rate(remaining, now))
    }

    /// What the pass wants before any cap: the sum over its zones.
    pub fn rate(&self, remaining: impl IntoIterator<Item = (Z, f64)>, now: Moment) -> f64 {
        remaining
            .into_iter()
            .map(|(zone, remaining)| self.zone_rate(zone, remaining, now))
            .sum()
    }
}

impl Zone {
    fn minutes_to_go(&self, now: Moment) -> f64 {
        let spent = if self.is_open {
            now.since(self.set_at).max(0)
        } else {
            0
        };
        self.minutes_to_go - spent as f64 / MINUTE as f64
    }

    fn rate(&self, remaining: f64, now: Moment) -> f64 {
        if !self.is_open || remaining <= 0.0 {
            return 0.0;
        }
        let minutes = self.minutes_to_go(now);
        if minutes > 0.0 {
            remaining / minutes.max(MINUTES_TO_GO_MIN)
        } else {
            // Past the goal the rate is that of one minute left, adjusted like every other.
            remaining * factor(self.intensity)
        }
    }
}

/// In a batch Auto keeps no pace: what is due goes at once, within the caps (see
/// [`Caps::ceiling`](crate::cap::Caps::ceiling)). The rate it shows is all that is due within the next minute.
pub fn batch_rate(due_within_a_minute: f64) -> f64 {
    due_within_a_minute.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(open_minutes: f64) -> Goal {
        Goal {
            open_minutes,
            is_open: true,
        }
    }

    fn minute(count: i64) -> Moment {
        Moment(1_795_525_200_000 + count * MINUTE)
    }

    #[test]
    fn worked_vectors() {
        // Zones as (remaining, open minutes), intensity, rate.
        type Vector = (&'static [(f64, f64)], u32, f64);
        let vectors: &[Vector] = &[
            (&[(6_000.0, 60.0)], 100, 100.0),
            (&[(6_000.0, 60.0)], 120, 120.0),
            (&[(6_000.0, 60.0)], 50, 50.0),
            (&[(4_000.0, 20.0)], 100, 200.0),
            (&[(3_000.0, 60.0), (3_000.0, 120.0)], 100, 75.0),
            (&[(500.0, 0.0)], 100, 500.0),
            (&[(500.0, 0.0)], 50, 250.0),
            (&[(0.0, 60.0)], 100, 0.0),
        ];
        for (zones, intensity, expected) in vectors {
            let mut pace = Pace::default();
            for (zone, (_, minutes)) in zones.iter().enumerate() {
                pace.set(zone, open(*minutes), *intensity, minute(0));
            }
            let remaining = zones.iter().map(|(remaining, _)| *remaining).enumerate();
            let rate = pace.rate(remaining, minute(0));
            assert!(
                (rate - expected).abs() < 1e-9,
                "{zones:?} at {intensity}: {rate}"
            );
        }
    }

    #[test]
    fn a_hundred_and_twenty_stays_and_ends_after_fifty_minutes() {
        let mut pace = Pace::default();
        pace.set("all", open(60.0), 120, minute(0));
        let mut remaining = 6_000.0;
        for passed in 0..50 {
            let rate = pace.rate([("all", remaining)], minute(passed));
            assert!((rate - 120.0).abs() < 1e-6, "{rate} after {passed} minutes");
            remaining -= rate;
        }
        assert!(remaining.abs() < 1e-6, "{remaining} left after 50 minutes");
        assert!(
            pace.minutes_to_go("all", minute(50))
                .is_some_and(|minutes| minutes.abs() < 1e-9)
        );
    }

    #[test]
    fn a_pause_is_made_good_after_the_resume() {
        let mut pace = Pace::default();
        pace.set((), open(60.0), 100, minute(0));
        assert_eq!(pace.rate([((), 6_000.0)], minute(0)), 100.0);
        pace.set(
            (),
            Goal {
                open_minutes: 50.0,
                is_open: false,
            },
            100,
            minute(10),
        );
        assert_eq!(pace.rate([((), 5_000.0)], minute(20)), 0.0);
        assert_eq!(pace.minutes_to_go((), minute(30)), Some(50.0));
        pace.set((), open(20.0), 100, minute(40));
        assert_eq!(pace.rate([((), 4_000.0)], minute(40)), 200.0);
    }

    #[test]
    fn a_change_of_intensity_starts_from_the_minutes_really_left() {
        let mut pace = Pace::default();
        pace.set((), open(60.0), 120, minute(0));
        pace.set((), open(40.0), 100, minute(20));
        assert_eq!(pace.rate([((), 3_600.0)], minute(20)), 90.0);
    }

    #[test]
    fn the_last_second_asks_for_no_endless_rate() {
        let mut pace = Pace::default();
        pace.set((), open(1.0), 100, minute(0));
        assert_eq!(pace.rate([((), 10.0)], minute(1).plus(-1)), 600.0);
        assert_eq!(pace.rate([((), 10.0)], minute(1)), 10.0);
        assert_eq!(pace.rate([((), 10.0)], minute(9)), 10.0);
    }

    #[test]
    fn a_zone_never_set_or_forgotten_wants_nothing() {
        let mut pace = Pace::default();
        assert_eq!(pace.rate([(1, 10.0)], minute(0)), 0.0);
        pace.set(1, open(1.0), 100, minute(0));
        pace.forget(1);
        assert_eq!(pace.rate([(1, 10.0)], minute(0)), 0.0);
        assert_eq!(pace.minutes_to_go(1, minute(0)), None);
    }
}
