//! Turns a rate into permits (`entities.md` 13.3): evenly over each minute, the first at once, and no burst above
//! twice the per-second mean, or above one per second where that is larger. Time in which nobody asked is not caught
//! up beyond that burst.
//!
//! It is a bucket that fills at the rate and holds one second's worth and one permit more: a second that begins with
//! a full bucket then gives at most twice the mean, rounded up, and an asker who comes at least once a second never
//! loses a permit.

use crate::limits::{CONTACTS_PER_MINUTE_MAX, PERMIT_DUST};
use carillon_model::{Moment, moment::SECOND};

/// The permits of one pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    permits: f64,
    filled_at: Option<Moment>,
}

impl Default for Spread {
    fn default() -> Self {
        Self {
            permits: 1.0,
            filled_at: None,
        }
    }
}

impl Spread {
    /// Takes the attempts that may start now. What cannot be used goes back with [`Spread::give_back`].
    pub fn permits(&mut self, rate_per_minute: f64, now: Moment) -> u32 {
        self.permits = self.filled(rate_per_minute, now);
        self.filled_at = Some(now);
        if per_millisecond(rate_per_minute) <= 0.0 {
            return 0;
        }
        let whole = (self.permits + PERMIT_DUST).floor().max(0.0);
        self.permits -= whole;
        whole as u32
    }

    /// Returns permits for which no contact was due or no room in the channel. They do not pile up: the bucket keeps
    /// its size.
    pub fn give_back(&mut self, permits: u32) {
        self.permits += f64::from(permits);
    }

    /// When the next permit will be there: now, later, or never at a rate of zero.
    pub fn next_permit_at(&self, rate_per_minute: f64, now: Moment) -> Option<Moment> {
        if per_millisecond(rate_per_minute) <= 0.0 {
            return None;
        }
        let missing = 1.0 - PERMIT_DUST - self.filled(rate_per_minute, now);
        if missing <= 0.0 {
            return Some(now);
        }
        let wait = (missing / per_millisecond(rate_per_minute)).ceil();
        Some(now.plus(wait.max(1.0) as i64).min(Moment::NEVER))
    }

    fn filled(&self, rate_per_minute: f64, now: Moment) -> f64 {
        let rate = per_millisecond(rate_per_minute);
        // A clock that was set back gives nothing and takes nothing.
        let passed = self.filled_at.map_or(0, |at| now.since(at).max(0));
        let size = rate * SECOND as f64 + 1.0;
        (self.permits + passed as f64 * rate).min(size)
    }
}

fn per_millisecond(rate_per_minute: f64) -> f64 {
    if rate_per_minute.is_nan() {
        return 0.0;
    }
    rate_per_minute.clamp(0.0, CONTACTS_PER_MINUTE_MAX) / 60_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::moment::{HOUR, MINUTE};
    use proptest::prelude::*;

    const START: Moment = Moment(1_795_525_200_000);

    #[test]
    fn the_first_is_at_once_and_the_next_in_its_turn() {
        let mut spread = Spread::default();
        assert_eq!(spread.next_permit_at(30.0, START), Some(START));
        assert_eq!(spread.permits(30.0, START), 1);
        assert_eq!(spread.permits(30.0, START), 0);
        assert_eq!(spread.next_permit_at(30.0, START), Some(START.plus(2_000)));
        assert_eq!(spread.permits(30.0, START.plus(1_999)), 0);
        assert_eq!(spread.permits(30.0, START.plus(2_000)), 1);
    }

    #[test]
    fn no_rate_gives_no_permit_and_keeps_the_first() {
        let mut spread = Spread::default();
        assert_eq!(spread.permits(0.0, START), 0);
        assert_eq!(spread.permits(f64::NAN, START), 0);
        assert_eq!(spread.next_permit_at(0.0, START), None);
        assert_eq!(spread.permits(1.0, START.plus(MINUTE)), 1);
    }

    #[test]
    fn a_long_silence_is_not_caught_up() {
        let mut spread = Spread::default();
        assert_eq!(spread.permits(600.0, START), 1);
        let later = START.plus(HOUR);
        let burst: u32 = (0..1_000)
            .map(|passed| spread.permits(600.0, later.plus(passed)))
            .sum();
        assert!(
            burst <= 20,
            "{burst} in the second after an hour of silence at ten a second"
        );
    }

    #[test]
    fn what_was_given_back_is_there_again_but_does_not_pile_up() {
        let mut spread = Spread::default();
        assert_eq!(spread.permits(0.01, START), 1);
        spread.give_back(1);
        assert_eq!(
            spread.next_permit_at(0.01, START.plus(1)),
            Some(START.plus(1))
        );
        assert_eq!(spread.permits(0.01, START.plus(1)), 1);
        spread.give_back(1_000);
        assert_eq!(spread.permits(0.01, START.plus(2)), 1);
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_pass() {
        let mut spread = Spread::default();
        assert_eq!(spread.permits(60.0, START.plus(HOUR)), 1);
        assert_eq!(spread.permits(60.0, START), 0);
        assert_eq!(spread.permits(60.0, START.plus(1_000)), 1);
    }

    /// Rates over nine orders of magnitude, and ticks of 1 to 500 ms.
    fn runs() -> impl Strategy<Value = (f64, Vec<i64>)> {
        let rate = (-2.0..6.78_f64).prop_map(|exponent| 10_f64.powf(exponent));
        (rate, prop::collection::vec(1..=500_i64, 200..2_000))
    }

    proptest! {
        #[test]
        fn long_runs_are_exact_and_no_second_bursts((rate, ticks) in runs()) {
            let mut spread = Spread::default();
            let mut now = START;
            let mut given = vec![(now, u64::from(spread.permits(rate, now)))];
            for tick in ticks {
                now = now.plus(tick);
                given.push((now, u64::from(spread.permits(rate, now))));
            }
            let total: u64 = given.iter().map(|(_, permits)| permits).sum();
            let expected = rate * now.since(START) as f64 / MINUTE as f64;
            prop_assert!((total as f64 - expected).abs() <= 1.0 + 1e-3, "{} for {}", total, expected);

            let burst = (2.0 * rate / 60.0).max(1.0).ceil() as u64;
            let mut first = 0;
            let mut in_second = 0;
            for (moment, permits) in &given {
                in_second += permits;
                while moment.since(given[first].0) >= SECOND {
                    in_second -= given[first].1;
                    first += 1;
                }
                prop_assert!(in_second <= burst, "{} in one second at {} a minute", in_second, rate);
            }
        }

        #[test]
        fn silences_and_returns_never_burst(
            rate in (-2.0..6.78_f64).prop_map(|exponent| 10_f64.powf(exponent)),
            steps in prop::collection::vec((1..20_000_i64, 0..3_u32), 1..200),
        ) {
            let mut spread = Spread::default();
            let mut now = START;
            let mut given: Vec<(Moment, u64)> = Vec::new();
            let burst = (2.0 * rate / 60.0).max(1.0).ceil() as u64;
            for (wait, back) in steps {
                now = now.plus(wait);
                let permits = spread.permits(rate, now);
                let returned = back.min(permits);
                spread.give_back(returned);
                given.push((now, u64::from(permits - returned)));
                let second: u64 = given.iter().filter(|(at, _)| now.since(*at) < SECOND).map(|(_, n)| n).sum();
                prop_assert!(second <= burst, "{} in one second at {} a minute", second, rate);
            }
        }

        #[test]
        fn the_next_permit_is_there_when_promised(
            rate in (-2.0..6.78_f64).prop_map(|exponent| 10_f64.powf(exponent)),
            waits in prop::collection::vec(0..5_000_i64, 0..20),
        ) {
            let mut spread = Spread::default();
            let mut now = START;
            for wait in waits {
                now = now.plus(wait);
                spread.permits(rate, now);
            }
            let next = spread.next_permit_at(rate, now).expect("a positive rate always comes to a permit");
            prop_assert!(next.since(now) as f64 <= 60_000.0 / rate + 1.0);
            if next > now {
                let mut early = spread;
                prop_assert_eq!(early.permits(rate, next.plus(-1)), 0);
            }
            prop_assert!(spread.permits(rate, next) >= 1);
        }
    }
}
