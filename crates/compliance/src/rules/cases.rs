//! Runs the worked cases of every rule folder: `cases.toml`.

use crate::judge::{ContactFacts, DeviceClass, Judge, LaneFacts, judge};
use crate::region::Place;
use crate::verdict::Verdict;
use crate::window::Window;
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::entity::Base;
use carillon_model::zone::Zone;
use carillon_model::{ChannelType, ComplianceType, DayOfWeek, ListId, Moment, OrgId, UserId};
use jiff::civil::{Date, Time, time};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    now: jiff::Timestamp,
    #[serde(default = "utc")]
    zones: Vec<Zone>,
    #[serde(default)]
    places: Vec<Place>,
    #[serde(default = "text")]
    channel: ChannelType,
    window: Option<(Time, Time)>,
    window_zones: Option<Vec<Zone>>,
    contact_hours: Option<(Time, Time)>,
    #[serde(default)]
    rules: Vec<CaseRule>,
    suppressed_device: Option<i64>,
    suppressed_client: Option<i64>,
    #[serde(default)]
    opted_out: bool,
    /// `allow`, `allow <until>`, `defer <until> <reason>`, `defer never <reason>`, `deny <reason>`, `deny <reason> <rule>`.
    expect: String,
}

/// Rules are numbered from 1 in the order of the case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseRule {
    #[serde(rename = "type")]
    rule_type: ComplianceType,
    #[serde(default = "usual_priority")]
    priority: u32,
    #[serde(default)]
    channels: Vec<ChannelType>,
    effective_from: Option<Date>,
    effective_to: Option<Date>,
    elements: Vec<Element>,
}

fn utc() -> Vec<Zone> {
    vec![Zone::utc()]
}

fn text() -> ChannelType {
    ChannelType::Text
}

fn usual_priority() -> u32 {
    100
}

fn rule(number: usize, given: CaseRule) -> ComplianceRule {
    ComplianceRule {
        base: Base::new(number as i64 + 1, "rule", Moment(0), UserId(1)),
        owner: OrgId(10),
        rule_type: given.rule_type,
        description: None,
        required: true,
        priority: given.priority,
        effective_from: given.effective_from,
        effective_to: given.effective_to,
        source: None,
        channels: given.channels,
        version: 1,
        elements: given.elements,
    }
}

fn run(case: Case) {
    let midnight = time(0, 0, 0, 0);
    let all_day = (midnight, midnight);
    let rules: Vec<ComplianceRule> = case
        .rules
        .into_iter()
        .enumerate()
        .map(|(n, given)| rule(n, given))
        .collect();
    let judgement = Judge::new(&rules, case.contact_hours.unwrap_or(all_day), "US")
        .expect("regions are readable");
    let (start, end) = case.window.unwrap_or(all_day);
    let window = Window::new(DayOfWeek::ALL, start, end);
    let facts = LaneFacts {
        window_zones: case.window_zones.unwrap_or_else(|| case.zones.clone()),
        candidate_zones: case.zones,
        zone_unknown: false,
        regions: case.places,
        channel: case.channel,
        device: DeviceClass::Phone,
    };
    let now = Moment::from(case.now);
    let opening = judgement.opening(&facts, &window, now);
    let contact = ContactFacts {
        suppressed_device: case.suppressed_device.map(ListId),
        suppressed_client: case.suppressed_client.map(ListId),
        opted_out: case.opted_out,
    };
    assert!(
        opening.next_change > now,
        "{}: a judgement lasts",
        case.name
    );
    let verdict = judge(&contact, &opening, now);
    let reason = verdict.reason().map_or("", |reason| reason.text());
    let mut told = match verdict {
        Verdict::Allow => "allow".to_owned(),
        Verdict::Defer {
            until: Moment::NEVER,
            ..
        } => format!("defer never {reason}"),
        Verdict::Defer { until, .. } => format!("defer {} {reason}", until.timestamp()),
        Verdict::Deny { .. } => format!("deny {reason}"),
    };
    // The longer forms are asked for by some cases only.
    if told != case.expect {
        match verdict {
            Verdict::Allow => told = format!("allow {}", opening.next_change.timestamp()),
            Verdict::Deny { cause } => told = format!("{told} {}", cause.rule),
            Verdict::Defer { .. } => {}
        }
    }
    assert_eq!(told, case.expect, "{}", case.name);
}

#[test]
fn worked_cases_hold() {
    for (folder, text) in [
        ("account_hours", include_str!("account_hours/cases.toml")),
        ("date", include_str!("date/cases.toml")),
        ("location", include_str!("location/cases.toml")),
        ("opt_out", include_str!("opt_out/cases.toml")),
        ("region", include_str!("region/cases.toml")),
        ("suppression", include_str!("suppression/cases.toml")),
    ] {
        let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert!(!file.case.is_empty(), "{folder} has cases");
        file.case.into_iter().for_each(run);
    }
}
