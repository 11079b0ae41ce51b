//! What a ComplianceRule has to look like before it is kept (`api.md` M28, `entities.md` 4.8).
//!
//! The door has read words and times by then; here stand the bounds between fields.

use crate::region::{Region, Unreadable};
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::limits::ELEMENTS_MAX;
use carillon_model::{ComplianceType, OrgType};
use jiff::civil::Date;

/// Why a rule is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// A rule without elements.
    #[error("elements is null")]
    NoElements,
    /// More elements than a rule may have.
    #[error("elements holds more than {ELEMENTS_MAX}")]
    TooManyElements,
    /// A field that this kind needs.
    #[error("elements[{index}].{field} is null")]
    Missing {
        /// Which element, from 0.
        index: usize,
        /// Which field.
        field: &'static str,
    },
    /// A count or a period of zero.
    #[error("elements[{index}]: count and period are at least 1")]
    Nothing {
        /// Which element, from 0.
        index: usize,
    },
    /// A region that cannot be read.
    #[error("elements[{index}].region: {unreadable}")]
    Region {
        /// Which element, from 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        unreadable: Unreadable,
    },
    /// A Region rule below or above an Enterprise.
    #[error("a Region rule belongs to an Enterprise")]
    RegionOwner,
    /// An owner that cannot have rules.
    #[error("a ComplianceRule belongs to an Account, an Enterprise or the SuperEnterprise")]
    Owner,
    /// Dates of more than one year.
    #[error("all dates of a Date rule lie in one calendar year")]
    SeveralYears,
    /// A date beyond the next calendar year.
    #[error("elements[{index}].date lies after the end of the next calendar year")]
    TooFar {
        /// Which element, from 0.
        index: usize,
    },
    /// effectiveTo before effectiveFrom.
    #[error("effectiveTo lies before effectiveFrom")]
    NeverEffective,
}

/// What `required` is when it is not sent.
pub fn required_by_default(rule_type: ComplianceType) -> bool {
    matches!(rule_type, ComplianceType::Date | ComplianceType::Region)
}

/// What an element's `allowed` is when it is not sent.
pub fn allowed_by_default(rule_type: ComplianceType) -> bool {
    matches!(rule_type, ComplianceType::Region)
}

/// Checks a rule of an owner of that kind, as of `today` in the owner's zone; the first thing wrong is told.
pub fn check(rule: &ComplianceRule, owner: OrgType, today: Date) -> Result<(), Unacceptable> {
    if rule.elements.is_empty() {
        return Err(Unacceptable::NoElements);
    }
    if rule.elements.len() > ELEMENTS_MAX {
        return Err(Unacceptable::TooManyElements);
    }
    for (index, element) in rule.elements.iter().enumerate() {
        check_element(rule.rule_type, index, element)?;
    }
    if owner == OrgType::ScheduleGroup {
        return Err(Unacceptable::Owner);
    }
    if rule.rule_type == ComplianceType::Region && owner != OrgType::Enterprise {
        return Err(Unacceptable::RegionOwner);
    }
    if let (Some(from), Some(to)) = (rule.effective_from, rule.effective_to)
        && to < from
    {
        return Err(Unacceptable::NeverEffective);
    }
    check_dates(rule, today)
}

fn check_element(
    rule_type: ComplianceType,
    index: usize,
    element: &Element,
) -> Result<(), Unacceptable> {
    if let Some(field) = missing(rule_type, element) {
        return Err(Unacceptable::Missing { index, field });
    }
    if element.count == Some(0) || element.period == Some(0) {
        return Err(Unacceptable::Nothing { index });
    }
    match Region::read(element.region.as_deref()) {
        Ok(_) => Ok(()),
        Err(unreadable) => Err(Unacceptable::Region { index, unreadable }),
    }
}

/// The first field that an element of this kind needs and does not have.
fn missing(rule_type: ComplianceType, element: &Element) -> Option<&'static str> {
    let needed: &[(&'static str, bool)] = match rule_type {
        ComplianceType::Date => &[("date", element.date.is_some())],
        ComplianceType::Region | ComplianceType::Location => {
            &[("region", element.region.is_some())]
        }
        ComplianceType::Attempt => &[
            ("count", element.count.is_some()),
            ("period", element.period.is_some()),
        ],
        ComplianceType::ContactHistory => &[
            ("results", !element.results.is_empty()),
            ("period", element.period.is_some()),
        ],
    };
    needed
        .iter()
        .find(|(_, is_there)| !is_there)
        .map(|(field, _)| *field)
}

fn check_dates(rule: &ComplianceRule, today: Date) -> Result<(), Unacceptable> {
    if rule.rule_type != ComplianceType::Date {
        return Ok(());
    }
    let mut years = rule
        .elements
        .iter()
        .filter_map(|element| element.date)
        .map(Date::year);
    let first = years.next();
    if years.any(|year| Some(year) != first) {
        return Err(Unacceptable::SeveralYears);
    }
    let too_far = |element: &Element| {
        element
            .date
            .is_some_and(|date| date.year() > today.year().saturating_add(1))
    };
    match rule.elements.iter().position(too_far) {
        Some(index) => Err(Unacceptable::TooFar { index }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::entity::Base;
    use carillon_model::{Moment, OrgId, UserId};
    use jiff::civil::date;

    fn rule(rule_type: ComplianceType, elements: Vec<Element>) -> ComplianceRule {
        ComplianceRule {
            base: Base::new(900, "Holidays", Moment(0), UserId(1)),
            owner: OrgId(10),
            rule_type,
            description: None,
            required: true,
            priority: 100,
            effective_from: None,
            effective_to: None,
            source: None,
            channels: Vec::new(),
            version: 1,
            elements,
        }
    }

    fn on(date: Date) -> Element {
        Element {
            date: Some(date),
            ..Element::default()
        }
    }

    fn at(region: &str) -> Element {
        Element {
            region: Some(region.into()),
            ..Element::default()
        }
    }

    fn cap(count: u32, period: u32) -> Element {
        Element {
            count: Some(count),
            period: Some(period),
            ..Element::default()
        }
    }

    #[test]
    fn rules_are_checked() {
        use ComplianceType::*;
        let today = date(2026, 11, 24);
        let christmas = on(date(2026, 12, 25));
        for (rule_type, elements, owner, expected) in [
            (Date, vec![christmas.clone()], OrgType::Account, Ok(())),
            (
                Date,
                vec![],
                OrgType::Account,
                Err(Unacceptable::NoElements),
            ),
            (
                Date,
                vec![christmas.clone(); 401],
                OrgType::Account,
                Err(Unacceptable::TooManyElements),
            ),
            (
                Date,
                vec![Element::default()],
                OrgType::Account,
                Err(Unacceptable::Missing {
                    index: 0,
                    field: "date",
                }),
            ),
            (
                Date,
                vec![christmas.clone(), on(date(2027, 1, 1))],
                OrgType::Account,
                Err(Unacceptable::SeveralYears),
            ),
            (Date, vec![on(date(2027, 12, 31))], OrgType::Account, Ok(())),
            (
                Date,
                vec![on(date(2028, 1, 1))],
                OrgType::Account,
                Err(Unacceptable::TooFar { index: 0 }),
            ),
            (
                Date,
                vec![christmas.clone()],
                OrgType::ScheduleGroup,
                Err(Unacceptable::Owner),
            ),
            (Region, vec![at("US-CA")], OrgType::Enterprise, Ok(())),
            (
                Region,
                vec![at("US-CA")],
                OrgType::Account,
                Err(Unacceptable::RegionOwner),
            ),
            (
                Region,
                vec![Element::default()],
                OrgType::Enterprise,
                Err(Unacceptable::Missing {
                    index: 0,
                    field: "region",
                }),
            ),
            (
                Location,
                vec![at("US:021"), at("*")],
                OrgType::Account,
                Ok(()),
            ),
            (Attempt, vec![cap(3, 24)], OrgType::Account, Ok(())),
            (Attempt, vec![cap(3, 24)], OrgType::Enterprise, Ok(())),
            (
                Attempt,
                vec![cap(3, 24), at("*")],
                OrgType::Account,
                Err(Unacceptable::Missing {
                    index: 1,
                    field: "count",
                }),
            ),
            (
                Attempt,
                vec![cap(0, 24)],
                OrgType::Account,
                Err(Unacceptable::Nothing { index: 0 }),
            ),
            (
                Attempt,
                vec![cap(1, 0)],
                OrgType::Account,
                Err(Unacceptable::Nothing { index: 0 }),
            ),
            (
                ContactHistory,
                vec![Element {
                    results: vec![carillon_model::AttemptResult::Success],
                    ..cap(1, 24)
                }],
                OrgType::Account,
                Ok(()),
            ),
            (
                ContactHistory,
                vec![cap(1, 24)],
                OrgType::Account,
                Err(Unacceptable::Missing {
                    index: 0,
                    field: "results",
                }),
            ),
        ] {
            let count = elements.len();
            assert_eq!(
                check(&rule(rule_type, elements), owner, today),
                expected,
                "{rule_type} of {count}"
            );
        }
        let unreadable = check(
            &rule(Location, vec![at("*"), at("Bavaria")]),
            OrgType::Account,
            today,
        );
        assert!(
            matches!(unreadable, Err(Unacceptable::Region { index: 1, .. })),
            "{unreadable:?}"
        );
    }
}
