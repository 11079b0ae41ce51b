//! What a ComplianceRule has to look like before it is kept (`api.md` M28, `entities.md` 4.8).
//!
//! The door has read words and times by then; here stand the bounds between fields. Attempt and ContactHistory rules
//! are read and refused: this version does not serve them, and a rule that binds nobody must not look as if it did.

use crate::region::{Region, Unreadable};
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::limits::ELEMENTS_MAX;
use carillon_model::{ComplianceType, OrgType};
use jiff::civil::Date;

/// Why a rule is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// A kind this version does not judge.
    #[error("ComplianceRules of type {0} are not served by this version")]
    NotServed(ComplianceType),
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

/// Whether this version judges rules of that kind.
pub fn served(rule_type: ComplianceType) -> bool {
    match rule_type {
        ComplianceType::Date | ComplianceType::Region | ComplianceType::Location => true,
        ComplianceType::Attempt | ComplianceType::ContactHistory => false,
    }
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
    if !served(rule.rule_type) {
        return Err(Unacceptable::NotServed(rule.rule_type));
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
    if rule_type == ComplianceType::Date && element.date.is_none() {
        return Err(Unacceptable::Missing {
            index,
            field: "date",
        });
    }
    let region_is_needed = matches!(rule_type, ComplianceType::Region | ComplianceType::Location);
    if region_is_needed && element.region.is_none() {
        return Err(Unacceptable::Missing {
            index,
            field: "region",
        });
    }
    match Region::read(element.region.as_deref()) {
        Ok(_) => Ok(()),
        Err(unreadable) => Err(Unacceptable::Region { index, unreadable }),
    }
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
            (
                Attempt,
                vec![at("*")],
                OrgType::Account,
                Err(Unacceptable::NotServed(Attempt)),
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
