//! ComplianceRules on the wire (`entities.md` 4.8).

use super::{DESCRIPTION, Names, boolean, date, integer, time, word, words};
use crate::check::Findings;
use crate::fault::{Outcome, Row};
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::tree::View;
use crate::value::{Object, Value, id};
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::{
    AttemptResult, ChannelType, ComplianceType, CountBy, DayOfWeek, PeriodUnit, RuleId, RuleScope,
    limits,
};

/// An element of a rule.
pub static COMPLIANCE_ELEMENT: Shape = Shape::plain(
    "complianceElement",
    "One element of a rule. Which fields are set follows from the type of the rule.",
    Family::Top,
    &[
        Field::new("date", Type::Date, "Date: the day.").cg(),
        Field::new("region", Type::Text(16), "*, US, US-CA, or US:021.").cg(),
        Field::new("day", Type::Words(DayOfWeek::TEXTS), "Region: the weekday.")
            .cg()
            .or("every day"),
        Field::new("allowed", Type::Boolean, "Whether contact is allowed.")
            .cg()
            .or("Region true, else false"),
        Field::new("firstContactTime", Type::Time, "Start of the hours.").cg(),
        Field::new(
            "lastContactTime",
            Type::Time,
            "End of the hours; 00:00 is the end of the day.",
        )
        .cg(),
        Field::new("count", Type::Integer(1, 1_000_000), "Attempt: how many.").cg(),
        Field::new(
            "period",
            Type::Integer(1, 100_000),
            "Attempt, ContactHistory: how long.",
        )
        .cg(),
        Field::new(
            "periodUnit",
            Type::Words(PeriodUnit::TEXTS),
            "Unit of the period. Hours and Days (of 24 hours) roll; CalendarDays are the contact's local dates.",
        )
        .cg()
        .or("Hours"),
        Field::new(
            "countBy",
            Type::Words(CountBy::TEXTS),
            "Attempt, ContactHistory: whether attempts to the Client ID or to the device count.",
        )
        .cg()
        .or("ClientId"),
        Field::new(
            "scope",
            Type::Words(RuleScope::TEXTS),
            "Attempt, ContactHistory: whether all attempts under the owner count, or those of the Campaign only.",
        )
        .cg()
        .or("Owner"),
        Field::new(
            "results",
            Type::Words(AttemptResult::TEXTS),
            "Which results count. Attempts that are still open count as well with an Attempt rule.",
        )
        .many(20)
        .cg()
        .or("Attempt: every attempt made"),
    ],
);

/// A ComplianceRule.
pub static COMPLIANCE_RULE: Shape = Shape::entity(
    "complianceRule",
    "What an Org forbids, when and where.",
    Identity::Owner,
    Field::new("externalId", Type::Name, "Its name, unique per owner.")
        .cg()
        .or("<type> <internalId>"),
    &[
        Field::new(
            "owner",
            Type::Entity(&super::org::ORG),
            "The Org it binds, with everything under it.",
        )
        .c(),
        Field::new(
            "type",
            Type::Words(ComplianceType::TEXTS),
            "Its kind, fixed.",
        )
        .must(),
        Field::new("description", Type::Lines(DESCRIPTION), "Free text.").cg(),
        Field::new(
            "required",
            Type::Boolean,
            "Binds everything under the owner.",
        )
        .cg()
        .or("true for Date and Region"),
        Field::new(
            "priority",
            Type::Integer(1, 1_000_000),
            "1 first; only decides which reason is reported.",
        )
        .cg()
        .or("100"),
        Field::new("channels", Type::Channel, "Channels it counts for.")
            .many(7)
            .cg()
            .or("all"),
        Field::new(
            "version",
            Type::Integer(1, i64::MAX),
            "Rises with every change.",
        ),
        Field::new(
            "elements",
            Type::Entity(&COMPLIANCE_ELEMENT),
            "Its elements.",
        )
        .whole()
        .many(limits::ELEMENTS_MAX)
        .must()
        .g(),
    ],
)
.with_attributes(&[
    Field::new(
        "effectiveFrom",
        Type::Date,
        "First local date on which it binds.",
    )
    .cg()
    .or("always"),
    Field::new(
        "effectiveTo",
        Type::Date,
        "Last local date on which it binds.",
    )
    .cg()
    .or("always"),
    Field::new(
        "source",
        Type::Text(255),
        "Citation of the law or policy behind it.",
    )
    .cg(),
])
.with_rule(elements_fit);

/// Elements have the fields of their rule's type, and no others.
fn elements_fit(view: View<'_>, findings: &mut Findings) {
    let Some(kind) = word!(view, "type", ComplianceType) else {
        return;
    };
    let (required, allowed): (&[&str], &[&str]) = match kind {
        ComplianceType::Date => (
            &["date"],
            &[
                "date",
                "allowed",
                "firstContactTime",
                "lastContactTime",
                "region",
            ],
        ),
        ComplianceType::Region => (
            &["region"],
            &[
                "region",
                "day",
                "allowed",
                "firstContactTime",
                "lastContactTime",
            ],
        ),
        ComplianceType::Location => (&["region"], &["region", "allowed"]),
        ComplianceType::Attempt => (
            &["count", "period"],
            &[
                "count",
                "period",
                "periodUnit",
                "countBy",
                "scope",
                "results",
                "region",
            ],
        ),
        ComplianceType::ContactHistory => (
            &["results", "period"],
            &["results", "period", "periodUnit", "countBy", "scope"],
        ),
    };
    let mut year = None;
    for element in view.items("elements") {
        for field in required.iter().filter(|field| !element.has(field)) {
            findings.add(Row::NV, || element.path_to(field), "null");
        }
        for child in element.children().filter(|child| !child.is_null()) {
            if child
                .field_of()
                .is_some_and(|field| !allowed.contains(&field.name))
            {
                findings.add(
                    Row::DR,
                    || child.path(),
                    "does not belong to a rule of this type",
                );
            }
        }
        if element.has("firstContactTime") != element.has("lastContactTime") {
            findings.add(
                Row::DR,
                || element.path_to("lastContactTime"),
                "hours have a first and a last",
            );
        }
        if let Some(region) = element.text("region")
            && !is_region(region.trim())
        {
            findings.add(
                Row::F,
                || element.path_to("region"),
                "a region is *, US, US-CA or US:021",
            );
        }
        if let Some(date) = date(element, "date").filter(|_| kind == ComplianceType::Date) {
            if year.is_some_and(|year| year != date.year()) {
                findings.add(
                    Row::DR,
                    || element.path_to("date"),
                    "all dates of one rule lie in the same year",
                );
            }
            year = Some(date.year());
        }
    }
}

/// `*`, ISO 3166-1, ISO 3166-2, or country and postal prefix.
fn is_region(region: &str) -> bool {
    let letters =
        |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if region == "*" || letters(region) {
        return true;
    }
    if let Some((country, state)) = region.split_once('-') {
        return letters(country)
            && (1..=3).contains(&state.len())
            && state.bytes().all(|byte| byte.is_ascii_alphanumeric());
    }
    region.split_once(':').is_some_and(|(country, postal)| {
        letters(country)
            && (1..=10).contains(&postal.len())
            && postal
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
    })
}

/// Reads the elements of a rule.
pub fn read_elements(view: View<'_>, kind: ComplianceType) -> Vec<Element> {
    let counts = matches!(
        kind,
        ComplianceType::Attempt | ComplianceType::ContactHistory
    );
    view.items("elements")
        .map(|element| Element {
            date: date(element, "date"),
            day: word!(element, "day", DayOfWeek),
            allowed: boolean(element, "allowed").unwrap_or(kind == ComplianceType::Region),
            first_contact_time: time(element, "firstContactTime"),
            last_contact_time: time(element, "lastContactTime"),
            region: element
                .text("region")
                .map(|region| region.trim().to_ascii_uppercase()),
            count: integer(element, "count"),
            period: integer(element, "period"),
            period_unit: word!(element, "periodUnit", PeriodUnit)
                .or(counts.then_some(PeriodUnit::Hours)),
            count_by: word!(element, "countBy", CountBy).or(counts.then_some(CountBy::ClientId)),
            scope: word!(element, "scope", RuleScope).or(counts.then_some(RuleScope::Owner)),
            results: words!(element, "results", AttemptResult),
        })
        .collect()
}

/// Channels of a repeated field.
pub fn read_channels(view: View<'_>, name: &str) -> Vec<ChannelType> {
    view.items(name)
        .filter_map(|item| ChannelType::parse_wire(item.scalar()?.trim()))
        .collect()
}

/// A ComplianceRule as (K).
pub fn key(names: Names<'_>, rule: &ComplianceRule) -> Outcome<Object> {
    Ok(Object::new(&COMPLIANCE_RULE)
        .set("internalId", id(rule.base.internal_id))
        .set("externalId", rule.base.external_id.clone())
        .set("owner", names.org_cut(rule.owner)?)
        .set("type", rule.rule_type.text()))
}

/// A ComplianceRule as (D).
pub fn detail(names: Names<'_>, rule: &ComplianceRule) -> Outcome<Object> {
    let mut object = names.base(Object::new(&COMPLIANCE_RULE), &rule.base)?;
    object.put("owner", names.org_key(rule.owner)?);
    object.put("type", rule.rule_type.text());
    object.put("description", rule.description.clone());
    object.put("required", rule.required);
    object.put("priority", rule.priority);
    object.put(
        "channels",
        Value::Many(
            rule.channels
                .iter()
                .map(|channel| Value::Channel(*channel))
                .collect(),
        ),
    );
    object.put("version", rule.version);
    object.put(
        "elements",
        Value::Many(
            rule.elements
                .iter()
                .map(|element| Value::Object(element_detail(element)))
                .collect(),
        ),
    );
    object.put_attribute(
        "effectiveFrom",
        rule.effective_from.map(|date| date.to_string()),
    );
    object.put_attribute(
        "effectiveTo",
        rule.effective_to.map(|date| date.to_string()),
    );
    object.put_attribute("source", rule.source.clone());
    Ok(object)
}

fn element_detail(element: &Element) -> Object {
    Object::new(&COMPLIANCE_ELEMENT)
        .set("date", element.date)
        .set("region", element.region.clone())
        .set("day", element.day.map(DayOfWeek::text))
        // Elements that count have no such field, so that what is shown can be sent again.
        .set(
            "allowed",
            element.period.is_none().then_some(element.allowed),
        )
        .set("firstContactTime", element.first_contact_time)
        .set("lastContactTime", element.last_contact_time)
        .set("count", element.count)
        .set("period", element.period)
        .set("periodUnit", element.period_unit.map(PeriodUnit::text))
        .set("countBy", element.count_by.map(CountBy::text))
        .set("scope", element.scope.map(RuleScope::text))
        .set(
            "results",
            element
                .results
                .iter()
                .map(|result| result.text())
                .collect::<Vec<_>>(),
        )
}

impl Names<'_> {
    /// A ComplianceRule as (K), by id.
    pub fn rule_key(&self, rule: RuleId) -> Outcome<Option<Object>> {
        self.referred::<ComplianceRule>(rule)?
            .map(|rule| key(*self, &rule))
            .transpose()
    }
}
