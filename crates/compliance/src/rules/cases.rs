//! Runs the worked cases of every rule folder and of every pack: `cases.toml`.

use crate::history::{History, Past};
use crate::judge::{ContactFacts, DeviceClass, Judge, LaneFacts, judge};
use crate::pack;
use crate::region::Place;
use crate::verdict::Verdict;
use crate::window::Window;
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::entity::Base;
use carillon_model::zone::Zone;
use carillon_model::{
    AttemptResult, CampaignId, ChannelType, ComplianceType, DayOfWeek, ListId, Moment, OrgId,
    UserId,
};
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
    #[serde(default)]
    past: Vec<CasePast>,
    /// Rules of the pack, in the cases of a pack.
    #[serde(default)]
    rows: Vec<String>,
    /// `allow`, `allow <until>`, `defer <until> <reason>`, `defer never <reason>`, `deny <reason>`, `deny <reason> <rule>`.
    expect: String,
}

/// An attempt of the past; as far as nothing else is told, one of ours to the same person and device, for the Campaign 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CasePast {
    at: jiff::Timestamp,
    ended: Option<jiff::Timestamp>,
    result: Option<AttemptResult>,
    channel: Option<ChannelType>,
    #[serde(default)]
    inbound: bool,
    #[serde(default = "yes")]
    client: bool,
    #[serde(default = "yes")]
    device: bool,
    #[serde(default = "usual_campaign")]
    campaign: i64,
    #[serde(default = "usual_account")]
    account: i64,
}

impl CasePast {
    fn past(&self, channel: ChannelType) -> Past {
        let at = Moment::from(self.at);
        Past {
            written: at,
            ended: self.result.map(|_| self.ended.map_or(at, Moment::from)),
            result: self.result,
            outbound: !self.inbound,
            channel: self.channel.unwrap_or(channel),
            owners: [OrgId(self.account), OrgId(2)].into(),
            campaign: Some(CampaignId(self.campaign)),
        }
    }
}

fn yes() -> bool {
    true
}

fn usual_campaign() -> i64 {
    1
}

fn usual_account() -> i64 {
    10
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

/// Rules of a pack as those of the Enterprise 2, numbered from 1.
fn rows(pack: &pack::Pack, rows: &[String]) -> Vec<ComplianceRule> {
    let templates = rows.iter().map(|row| {
        pack.templates
            .iter()
            .find(|template| template.name == *row)
            .unwrap_or_else(|| panic!("the pack has no rule {row}"))
    });
    templates
        .enumerate()
        .map(|(n, template)| {
            template.rule(&pack.name, n as i64 + 1, OrgId(2), Moment(0), UserId(1))
        })
        .collect()
}

fn run(case: Case, pack: Option<&pack::Pack>) {
    let midnight = time(0, 0, 0, 0);
    let all_day = (midnight, midnight);
    let mut rules: Vec<ComplianceRule> = case
        .rules
        .into_iter()
        .enumerate()
        .map(|(n, given)| rule(n, given))
        .collect();
    if let Some(pack) = pack {
        rules.extend(rows(pack, &case.rows));
    }
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
    let by = |is_its: fn(&CasePast) -> bool| -> Vec<Past> {
        let its = case.past.iter().filter(|past| is_its(past));
        its.map(|past| past.past(case.channel)).collect()
    };
    let (of_client, of_device) = (by(|past| past.client), by(|past| past.device));
    let history = History {
        campaign: CampaignId(1),
        of_client: &of_client,
        of_device: &of_device,
    };
    let counted = judgement.counted(&facts, &history, now);
    let needed = judgement.needed(case.channel);
    assert!(
        counted == Verdict::Allow || needed.is_some(),
        "{}: what is counted is asked for",
        case.name
    );
    let verdict = judge(&contact, &opening, now).join(counted);
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
        ("attempt", include_str!("attempt/cases.toml")),
        (
            "contact_history",
            include_str!("contact_history/cases.toml"),
        ),
        ("date", include_str!("date/cases.toml")),
        ("location", include_str!("location/cases.toml")),
        ("opt_out", include_str!("opt_out/cases.toml")),
        ("region", include_str!("region/cases.toml")),
        ("suppression", include_str!("suppression/cases.toml")),
    ] {
        let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert!(!file.case.is_empty(), "{folder} has cases");
        file.case.into_iter().for_each(|case| run(case, None));
    }
}

#[test]
fn worked_cases_of_the_packs_hold() {
    for (name, text) in [("us", include_str!("../../packs/us/cases.toml"))] {
        let pack = pack::load(name).expect("shipped packs are readable");
        let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for template in &pack.templates {
            assert!(
                file.case
                    .iter()
                    .any(|case| case.rows.contains(&template.name)),
                "{name}: {} has a worked case",
                template.name
            );
        }
        file.case
            .into_iter()
            .for_each(|case| run(case, Some(&pack)));
    }
}
