//! The rules, one folder each: what it means (`law.md`), worked cases (`cases.toml`), its judgement (`mod.rs`).
//!
//! Rules about place and time give a [`Calendar`]: for the places a contact may be in, the hours of every local day.
//! Rules about its past (attempt, contact history) count what the ledger holds and give a moment to wait for. Rules about
//! the contact itself (suppression, opt-out) turn looked-up facts into a verdict. To add a rule, add a folder and one arm
//! in [`Rule::calendar`] or [`Rule::until`].

pub mod account_hours;
pub mod attempt;
pub mod contact_history;
pub mod date;
pub mod location;
pub mod opt_out;
pub mod region;
pub mod suppression;

#[cfg(test)]
mod cases;
mod check;

pub use check::{Unacceptable, allowed_by_default, check, required_by_default};

use crate::history::{Counted, History, Needed, Period};
use crate::hours::DayHours;
use crate::limits::RESULT_LATE_MAX;
use crate::region::{Place, Region, Unreadable};
use crate::verdict::Cause;
use crate::window::{day_start, days_later, local_date};
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::zone::Zone;
use carillon_model::{
    ChannelType, ComplianceType, CountBy, DayOfWeek, Moment, OrgId, Reason, RuleId, RuleScope,
};
use jiff::civil::Date;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An element with its region read.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Where it applies.
    pub region: Region,
    /// What it says.
    pub element: Element,
}

/// The elements for one place: those of the most specific region among them.
pub(crate) fn most_specific<'a>(
    elements: impl Iterator<Item = &'a Placed> + Clone,
) -> Vec<&'a Element> {
    let rank = elements.clone().map(|placed| placed.region.rank()).max();
    elements
        .filter(|placed| Some(placed.region.rank()) == rank)
        .map(|placed| &placed.element)
        .collect()
}

/// The elements that speak about contacts that may be in any of these places: for each place, those of the most specific
/// region. One that speaks for several places may come several times.
pub(crate) fn elements_for<'a>(
    elements: &'a [Placed],
    places: &'a [Place],
) -> impl Iterator<Item = &'a Element> {
    const NOWHERE: &[Place] = &[Place::UNKNOWN];
    let places = if places.is_empty() { NOWHERE } else { places };
    places.iter().flat_map(move |place| {
        most_specific(
            elements
                .iter()
                .filter(move |placed| placed.region.holds(place)),
        )
    })
}

/// What a rule says about every local day, for the places a contact may be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calendar {
    /// The same every day.
    Always(DayHours),
    /// By weekday, Monday first.
    Weekly(Box<[DayHours; 7]>),
    /// On some dates; open on all others.
    Dates(BTreeMap<Date, DayHours>),
}

impl Calendar {
    /// The hours of a date.
    pub fn on(&self, date: Date) -> Cow<'_, DayHours> {
        match self {
            Calendar::Always(hours) => Cow::Borrowed(hours),
            Calendar::Weekly(week) => Cow::Borrowed(&week[DayOfWeek::of(date) as usize]),
            Calendar::Dates(dates) => match dates.get(&date) {
                Some(hours) => Cow::Borrowed(hours),
                None => Cow::Owned(DayHours::whole()),
            },
        }
    }

    /// Whether it never closes anything.
    pub fn is_always_open(&self) -> bool {
        match self {
            Calendar::Always(hours) => *hours == DayHours::whole(),
            Calendar::Weekly(week) => week.iter().all(|hours| *hours == DayHours::whole()),
            Calendar::Dates(dates) => dates.is_empty(),
        }
    }
}

/// A ComplianceRule made ready to judge.
#[derive(Debug, Clone)]
pub struct Rule {
    /// What its verdicts cite.
    pub cause: Cause,
    /// Its kind.
    pub rule_type: ComplianceType,
    /// The Org it binds, with everything under it.
    owner: OrgId,
    /// Channels it counts for; empty = all.
    channels: Vec<ChannelType>,
    /// First and last local date on which it binds, both inclusive.
    pub effective: (Date, Date),
    /// What it says, and where.
    pub elements: Vec<Placed>,
}

impl Rule {
    /// Reads a rule.
    pub fn new(rule: &ComplianceRule) -> Result<Rule, Unreadable> {
        let reason = match rule.rule_type {
            ComplianceType::Date => Reason::DateRule,
            ComplianceType::Region => Reason::RegionRule,
            ComplianceType::Location => Reason::LocationRule,
            ComplianceType::Attempt => Reason::AttemptRule,
            ComplianceType::ContactHistory => Reason::ContactHistoryRule,
        };
        let elements = rule
            .elements
            .iter()
            .map(|element| {
                Ok(Placed {
                    region: Region::read(element.region.as_deref())?,
                    element: element.clone(),
                })
            })
            .collect::<Result<_, Unreadable>>()?;
        Ok(Rule {
            cause: Cause {
                priority: rule.priority,
                rule: RuleId(rule.base.internal_id),
                version: rule.version,
                reason,
            },
            rule_type: rule.rule_type,
            owner: rule.owner,
            channels: rule.channels.clone(),
            effective: (
                rule.effective_from.unwrap_or(Date::MIN),
                rule.effective_to.unwrap_or(Date::MAX),
            ),
            elements,
        })
    }

    /// Whether it counts for a channel.
    pub fn counts_for(&self, channel: ChannelType) -> bool {
        self.channels.is_empty() || self.channels.contains(&channel)
    }

    /// Whether it binds on a local date.
    pub fn binds_on(&self, date: Date) -> bool {
        self.effective.0 <= date && date <= self.effective.1
    }

    /// What it says about contacts that may be in any of these places; none = nothing is known about the place.
    pub fn calendar(&self, places: &[Place]) -> Calendar {
        let nowhere = [Place::UNKNOWN];
        let places = if places.is_empty() { &nowhere } else { places };
        match self.rule_type {
            ComplianceType::Date => date::calendar(&self.elements, places),
            ComplianceType::Region => region::calendar(&self.elements, places),
            ComplianceType::Location => location::calendar(&self.elements, places),
            ComplianceType::Attempt | ComplianceType::ContactHistory => {
                Calendar::Always(DayHours::whole())
            }
        }
    }

    /// The moment until which the past of a contact that may be in these places and zones holds the next attempt back;
    /// none = it does not. Each zone has to let it go.
    pub fn until(
        &self,
        places: &[Place],
        zones: &[Zone],
        history: &History<'_>,
        now: Moment,
    ) -> Option<Moment> {
        let counted = Counted {
            owner: self.owner,
            channels: &self.channels,
            history,
        };
        zones
            .iter()
            .filter(|zone| self.binds_on(local_date(**zone, now)))
            .filter_map(|zone| {
                let until = match self.rule_type {
                    ComplianceType::Attempt => {
                        attempt::until(&self.elements, places, &counted, *zone, now)
                    }
                    ComplianceType::ContactHistory => {
                        contact_history::until(&self.elements, places, &counted, *zone, now)
                    }
                    ComplianceType::Date | ComplianceType::Region | ComplianceType::Location => {
                        None
                    }
                }?;
                Some(until.min(day_start(*zone, days_later(self.effective.1, 1))))
            })
            .max()
    }

    /// What it needs to know of the past; none for rules that do not look back.
    pub fn needed(&self) -> Option<Needed> {
        let late = match self.rule_type {
            ComplianceType::Attempt => 0,
            ComplianceType::ContactHistory => RESULT_LATE_MAX,
            ComplianceType::Date | ComplianceType::Region | ComplianceType::Location => {
                return None;
            }
        };
        let elements = || self.elements.iter().map(|placed| &placed.element);
        let by = |element: &Element| element.count_by.unwrap_or(CountBy::ClientId);
        let reach = elements().filter_map(Period::of).map(Period::reach).max()?;
        Some(Needed {
            of_client: elements().any(|element| by(element) == CountBy::ClientId),
            of_device: elements().any(|element| by(element) == CountBy::Device),
            campaigns: elements().any(|element| element.scope == Some(RuleScope::Campaign)),
            back: reach.saturating_add(late),
        })
    }
}
