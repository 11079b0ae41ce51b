//! Verdicts, and the one way in which they are joined.
//!
//! Deny beats Defer beats Allow. Joining is a lattice: neither the order of rules nor asking twice can change the
//! answer (property tests below). A verdict names what it rests on, so that it is a proof later.

use carillon_model::{Moment, Reason, RuleId};
use serde::{Deserialize, Serialize};

/// What a verdict rests on. Of several, the lowest is reported: priority, then rule id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// Priority of the rule; what is no rule comes after every rule.
    pub priority: u32,
    /// The rule; 0 when it is none (suppression, opt-out, Account hours, window).
    pub rule: RuleId,
    /// Version of the rule.
    pub version: u32,
    /// Why.
    pub reason: Reason,
}

impl Cause {
    /// A cause that is no ComplianceRule.
    pub const fn without_rule(reason: Reason) -> Cause {
        Cause {
            priority: u32::MAX,
            rule: RuleId(0),
            version: 0,
            reason,
        }
    }

    /// The rule, if it is one.
    pub fn rule_id(&self) -> Option<RuleId> {
        (self.rule != RuleId(0)).then_some(self.rule)
    }
}

/// May this contact be reached on this device over this channel now?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Yes.
    Allow,
    /// Not before then; [`Moment::NEVER`] when no opening is in sight.
    Defer {
        /// The first moment at which everything allows it.
        until: Moment,
        /// What closes it now.
        cause: Cause,
    },
    /// No.
    Deny {
        /// What forbids it.
        cause: Cause,
    },
}

impl Verdict {
    /// Both.
    #[must_use]
    pub fn join(self, other: Verdict) -> Verdict {
        use Verdict::{Allow, Defer, Deny};
        match (self, other) {
            (Deny { cause }, Deny { cause: second }) => Deny {
                cause: cause.min(second),
            },
            (Deny { cause }, _) | (_, Deny { cause }) => Deny { cause },
            (
                Defer { until, cause },
                Defer {
                    until: second,
                    cause: second_cause,
                },
            ) => Defer {
                until: until.max(second),
                cause: cause.min(second_cause),
            },
            (Defer { until, cause }, Allow) | (Allow, Defer { until, cause }) => {
                Defer { until, cause }
            }
            (Allow, Allow) => Allow,
        }
    }

    /// All of them; nothing said is Allow.
    pub fn all(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        verdicts.into_iter().fold(Verdict::Allow, Verdict::join)
    }

    /// What it rests on; an Allow rests on nothing.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Verdict::Allow => None,
            Verdict::Defer { cause, .. } | Verdict::Deny { cause } => Some(cause),
        }
    }

    /// Why not.
    pub fn reason(&self) -> Option<Reason> {
        self.cause().map(|cause| cause.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn causes() -> impl Strategy<Value = Cause> {
        let reasons = proptest::sample::select(Reason::ALL);
        (0..4u32, 0..4i64, 0..2u32, reasons).prop_map(|(priority, rule, version, reason)| Cause {
            priority,
            rule: RuleId(rule),
            version,
            reason,
        })
    }

    fn verdicts() -> impl Strategy<Value = Verdict> {
        prop_oneof![
            Just(Verdict::Allow),
            (0..5i64, causes()).prop_map(|(until, cause)| Verdict::Defer {
                until: Moment(until),
                cause
            }),
            causes().prop_map(|cause| Verdict::Deny { cause }),
        ]
    }

    proptest! {
        #[test]
        fn joining_is_a_lattice(a in verdicts(), b in verdicts(), c in verdicts()) {
            prop_assert_eq!(a.join(a), a);
            prop_assert_eq!(a.join(b), b.join(a));
            prop_assert_eq!(a.join(b).join(c), a.join(b.join(c)));
            prop_assert_eq!(a.join(Verdict::Allow), a);
        }

        #[test]
        fn order_cannot_matter(mut given in proptest::collection::vec(verdicts(), 0..6), turn in 0..6usize) {
            let forward = Verdict::all(given.clone());
            given.reverse();
            prop_assert_eq!(Verdict::all(given.clone()), forward);
            let middle = turn.min(given.len());
            given.rotate_left(middle);
            prop_assert_eq!(Verdict::all(given), forward);
        }
    }

    #[test]
    fn the_lowest_priority_then_the_lowest_rule_is_reported() {
        let cause = |priority, rule| Cause {
            priority,
            rule: RuleId(rule),
            version: 1,
            reason: Reason::LocationRule,
        };
        let deny = |priority, rule| Verdict::Deny {
            cause: cause(priority, rule),
        };
        assert_eq!(deny(100, 3).join(deny(1, 9)), deny(1, 9));
        assert_eq!(deny(100, 3).join(deny(100, 2)), deny(100, 2));
        let opted_out = Verdict::Deny {
            cause: Cause::without_rule(Reason::OptedOut),
        };
        assert_eq!(opted_out.join(deny(1_000, 3)), deny(1_000, 3));
        assert_eq!(opted_out.cause().and_then(Cause::rule_id), None);
    }
}
