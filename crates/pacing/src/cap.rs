//! Adjust and cap (`entities.md` 13.3). A wanted rate is cut by maxContactsPerMinute, then by the pass's share of
//! the Account's maximum of the channel, then by its share of the carriers' rate; the last cap that cut is named.
//! Where passes compete, a limit is shared in proportion to what they still want when its turn comes.

use crate::limits::CONTACTS_PER_MINUTE_MAX;
use carillon_model::LimitedBy;
use std::collections::BTreeMap;

/// The rate of a pass and what set it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Exact; [`Rate::shown`] is the form of PacingInfo.
    pub contacts_per_minute: f64,
    /// The last cap that cut, `None` when none did, `NoContacts` when nothing is left to contact.
    pub limited_by: LimitedBy,
}

impl Rate {
    /// Nothing left to contact.
    pub const NO_CONTACTS: Rate = Rate {
        contacts_per_minute: 0.0,
        limited_by: LimitedBy::NoContacts,
    };

    /// With one decimal, half up.
    pub fn shown(self) -> f64 {
        one_decimal(self.contacts_per_minute)
    }
}

/// One decimal, half up, as the counters and PacingInfo show rates.
pub fn one_decimal(number: f64) -> f64 {
    // The nudge lifts decimals that binary holds a hair too low (16.65) back to the half they are.
    (number * 10.0 + 0.5 + 1e-9).floor() / 10.0
}

/// The caps on one pass, each already its share; none = no such cap.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Caps {
    /// The pass's maxContactsPerMinute.
    pub pass_maximum: Option<f64>,
    /// Its share of the Account's maximum of the channel.
    pub account_maximum: Option<f64>,
    /// Its share of what the carriers take.
    pub carrier: Option<f64>,
}

impl Caps {
    /// Cuts a wanted rate.
    pub fn limit(&self, wanted: f64) -> Rate {
        if wanted.is_nan() || wanted <= 0.0 {
            return Rate::NO_CONTACTS;
        }
        let mut rate = Rate {
            contacts_per_minute: wanted.min(CONTACTS_PER_MINUTE_MAX),
            limited_by: LimitedBy::None,
        };
        for (cap, name) in self.in_order() {
            if let Some(cap) = cap
                && cap < rate.contacts_per_minute
            {
                rate = Rate {
                    contacts_per_minute: cap.max(0.0),
                    limited_by: name,
                };
            }
        }
        rate
    }

    /// The rate above which a batch in mode Auto, which keeps no pace of its own, must not go; none = no cap at all.
    pub fn ceiling(&self) -> Option<Rate> {
        let capped = self.in_order().iter().any(|(cap, _)| cap.is_some());
        capped.then(|| self.limit(CONTACTS_PER_MINUTE_MAX))
    }

    fn in_order(&self) -> [(Option<f64>, LimitedBy); 3] {
        [
            (self.pass_maximum, LimitedBy::MaxContactsPerMinute),
            (self.account_maximum, LimitedBy::AccountMaximum),
            (self.carrier, LimitedBy::Carrier),
        ]
    }
}

/// Shares a limit in proportion to the wanted rates. What fits is left as it is; so that no pass takes another's
/// part, the shares never sum to more than the limit.
pub fn share(wanted: &[f64], limit: f64) -> Vec<f64> {
    let sum: f64 = wanted.iter().map(|rate| rate.max(0.0)).sum();
    if sum <= limit {
        return wanted.to_vec();
    }
    let scale = limit.max(0.0) / sum;
    wanted.iter().map(|rate| rate.max(0.0) * scale).collect()
}

/// What one pass wants, and what it shares with others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand<A, C> {
    /// The rate of [`crate::auto`] or [`crate::fixed`]; zero when nothing is left to contact.
    pub wanted: f64,
    /// The pass's maxContactsPerMinute.
    pub pass_maximum: Option<f64>,
    /// Who shares an Account's maximum: the Account and the channel.
    pub account: A,
    /// Who shares the carriers' rate: the carrier, or the channel.
    pub carrier: C,
}

/// Cuts the demands of all running passes together. The answer is in the order of the demands; `None` for a limit
/// means there is none.
pub fn limit_all<A: Ord + Copy, C: Ord + Copy>(
    demands: &[Demand<A, C>],
    account_maximum: impl Fn(A) -> Option<f64>,
    carrier_rate: impl Fn(C) -> Option<f64>,
) -> Vec<Rate> {
    let mut rates: Vec<Rate> = demands
        .iter()
        .map(|demand| {
            Caps {
                pass_maximum: demand.pass_maximum,
                ..Caps::default()
            }
            .limit(demand.wanted)
        })
        .collect();
    cut_groups(
        &mut rates,
        demands.iter().map(|demand| demand.account),
        account_maximum,
        LimitedBy::AccountMaximum,
    );
    cut_groups(
        &mut rates,
        demands.iter().map(|demand| demand.carrier),
        carrier_rate,
        LimitedBy::Carrier,
    );
    rates
}

fn cut_groups<G: Ord + Copy>(
    rates: &mut [Rate],
    groups: impl Iterator<Item = G>,
    limit: impl Fn(G) -> Option<f64>,
    name: LimitedBy,
) {
    let mut members: BTreeMap<G, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.enumerate() {
        members.entry(group).or_default().push(index);
    }
    for (group, members) in members {
        let Some(limit) = limit(group) else { continue };
        let wanted: Vec<f64> = members
            .iter()
            .map(|&index| rates[index].contacts_per_minute)
            .collect();
        for (&index, part) in members.iter().zip(share(&wanted, limit)) {
            if part < rates[index].contacts_per_minute {
                rates[index] = Rate {
                    contacts_per_minute: part,
                    limited_by: name,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auto, fixed};
    use carillon_model::Moment;

    #[test]
    fn worked_vectors() {
        let mut pace = auto::Pace::default();
        pace.set(
            (),
            auto::Goal {
                open_minutes: 60.0,
                is_open: true,
            },
            120,
            Moment(0),
        );
        let auto = pace.rate([((), 6_000.0)], Moment(0));
        let maximum = |cap| Caps {
            pass_maximum: Some(cap),
            ..Caps::default()
        };

        let rate = maximum(110.0).limit(auto);
        assert_eq!(
            (rate.shown(), rate.limited_by),
            (110.0, LimitedBy::MaxContactsPerMinute)
        );
        let rate = maximum(40.0).limit(fixed::rate(30.0, 150));
        assert_eq!(
            (rate.shown(), rate.limited_by),
            (40.0, LimitedBy::MaxContactsPerMinute)
        );
        let rate = Caps::default().limit(auto);
        assert_eq!((rate.shown(), rate.limited_by), (120.0, LimitedBy::None));
    }

    #[test]
    fn the_last_cap_that_cut_is_named() {
        let caps = |pass, account, carrier| Caps {
            pass_maximum: pass,
            account_maximum: account,
            carrier,
        };
        let vectors = [
            (
                caps(Some(50.0), Some(40.0), Some(30.0)),
                30.0,
                LimitedBy::Carrier,
            ),
            (
                caps(Some(50.0), Some(40.0), Some(45.0)),
                40.0,
                LimitedBy::AccountMaximum,
            ),
            (
                caps(Some(20.0), Some(40.0), Some(30.0)),
                20.0,
                LimitedBy::MaxContactsPerMinute,
            ),
            (caps(Some(100.0), None, Some(100.0)), 100.0, LimitedBy::None),
            (caps(None, None, Some(0.0)), 0.0, LimitedBy::Carrier),
        ];
        for (caps, rate, limited_by) in vectors {
            assert_eq!(
                caps.limit(100.0),
                Rate {
                    contacts_per_minute: rate,
                    limited_by
                },
                "{caps:?}"
            );
        }
        assert_eq!(Caps::default().limit(0.0), Rate::NO_CONTACTS);
        assert_eq!(Caps::default().limit(f64::NAN), Rate::NO_CONTACTS);
        assert_eq!(Caps::default().ceiling(), None);
        let ceiling = caps(Some(50.0), None, Some(30.0)).ceiling();
        assert_eq!(ceiling.map(Rate::shown), Some(30.0));
    }

    #[test]
    fn scarce_rates_are_shared_in_proportion() {
        assert_eq!(share(&[30.0, 10.0], 100.0), [30.0, 10.0]);
        assert_eq!(share(&[30.0, 10.0], 20.0), [15.0, 5.0]);
        assert_eq!(share(&[30.0, 10.0], 0.0), [0.0, 0.0]);
        assert_eq!(share(&[], 5.0), [0.0; 0]);
    }

    #[test]
    fn accounts_then_carriers_cut_in_turn() {
        let demand = |wanted, pass_maximum, account| Demand {
            wanted,
            pass_maximum,
            account,
            carrier: 'c',
        };
        let demands = [
            demand(200.0, Some(100.0), 1),
            demand(100.0, None, 1),
            demand(50.0, None, 2),
            demand(0.0, None, 2),
        ];
        // Account 1 takes 100 in all, two passes that want 100 each; the carrier then takes 75 of the 150 left.
        let rates = limit_all(
            &demands,
            |account| (account == 1).then_some(100.0),
            |_| Some(75.0),
        );
        assert_eq!(
            rates.iter().map(|rate| rate.shown()).collect::<Vec<_>>(),
            [25.0, 25.0, 25.0, 0.0]
        );
        assert!(
            rates[..3]
                .iter()
                .all(|rate| rate.limited_by == LimitedBy::Carrier)
        );
        assert_eq!(rates[3], Rate::NO_CONTACTS);

        let rates = limit_all(
            &demands,
            |account| (account == 1).then_some(100.0),
            |_| None,
        );
        assert_eq!(rates[0].limited_by, LimitedBy::AccountMaximum);
        assert_eq!(
            rates[2],
            Rate {
                contacts_per_minute: 50.0,
                limited_by: LimitedBy::None
            }
        );
    }

    #[test]
    fn one_decimal_is_half_up() {
        let shown = [
            (16.65, 16.7),
            (16.649, 16.6),
            (0.05, 0.1),
            (0.04, 0.0),
            (75.0, 75.0),
            (0.25, 0.3),
        ];
        for (exact, expected) in shown {
            assert_eq!(one_decimal(exact), expected, "{exact}");
        }
    }
}
