//! The rules, one folder each: what it means (`law.md`), worked cases (`cases.toml`), its judgement (`mod.rs`).
//!
//! Rules about place and time give a [`Calendar`]: for the places a contact may be in, the hours of every local day.
//! Rules about the contact itself (suppression, opt-out) turn looked-up facts into a verdict. To add a rule, add a
//! folder and one arm in [`Rule::calendar`].

pub mod account_hours;
pub mod date;
pub mod location;
pub mod opt_out;
pub mod region;
pub mod suppression;

#[cfg(test)]
mod cases;
mod check;

pub use check::{Unacceptable, allowed_by_default, check, required_by_default, served};

use crate::hours::DayHours;
use crate::region::{Place, Region, Unreadable};
use crate::verdict::Cause;
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::{ChannelType, ComplianceType, DayOfWeek, Reason, RuleId};
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
    /// Channels it counts for; empty = all.
    channels: Vec<ChannelType>,
    /// First and last local date on which it binds, both inclusive.
    pub effective: (Date, Date),
    /// What it says, and where.
    pub elements: Vec<Placed>,
}

impl Rule {
    /// Reads a rule. Kinds that this version does not serve are none: they cannot be created.
    pub fn new(rule: &ComplianceRule) -> Result<Option<Rule>, Unreadable> {
        let reason = match rule.rule_type {
            ComplianceType::Date => Reason::DateRule,
            ComplianceType::Region => Reason::RegionRule,
            ComplianceType::Location => Reason::LocationRule,
            ComplianceType::Attempt | ComplianceType::ContactHistory => return Ok(None),
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
        Ok(Some(Rule {
            cause: Cause {
                priority: rule.priority,
                rule: RuleId(rule.base.internal_id),
                version: rule.version,
                reason,
            },
            rule_type: rule.rule_type,
            channels: rule.channels.clone(),
            effective: (
                rule.effective_from.unwrap_or(Date::MIN),
                rule.effective_to.unwrap_or(Date::MAX),
            ),
            elements,
        }))
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
                unreachable!("Rule::new makes no rule of these kinds")
            }
        }
    }
}
