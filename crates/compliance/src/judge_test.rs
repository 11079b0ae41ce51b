//! Lanes and openings: which facts make a lane, and the laws of judging it.

use super::*;
use crate::history::Past;
use carillon_model::compliance_rule::Element;
use carillon_model::entity::Base;
use carillon_model::{CampaignId, ComplianceType, DayOfWeek, OrgId, UserId};
use jiff::civil::time;
use proptest::prelude::*;

fn at(text: &str) -> Moment {
    text.parse::<jiff::Timestamp>().expect(text).into()
}

fn zone(name: &str) -> Zone {
    Zone::named(name).expect(name)
}

fn rule(id: i64, rule_type: ComplianceType, elements: Vec<Element>) -> ComplianceRule {
    ComplianceRule {
        base: Base::new(id, "rule", Moment(0), UserId(1)),
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

fn forbidding(id: i64, region: &str) -> ComplianceRule {
    let element = Element {
        region: Some(region.into()),
        ..Element::default()
    };
    rule(id, ComplianceType::Location, vec![element])
}

fn judge_of(rules: &[ComplianceRule]) -> Judge {
    Judge::new(rules, (time(8, 0, 0, 0), time(21, 0, 0, 0)), "US").expect("regions are readable")
}

fn daily() -> Window {
    Window::new(DayOfWeek::ALL, time(9, 0, 0, 0), time(21, 0, 0, 0))
}

fn all_day() -> Window {
    Window::new(DayOfWeek::ALL, time(0, 0, 0, 0), time(0, 0, 0, 0))
}

fn phone(address: &str) -> DevicePlace<'_> {
    DevicePlace {
        address,
        time_zone: None,
        line_type: LineType::Unknown,
    }
}

fn by_zip(postal_code: &str) -> ContactPlace<'_> {
    ContactPlace {
        postal_code: Some(postal_code),
        ..ContactPlace::default()
    }
}

const LOCAL: WindowZone = WindowZone::Local(TimeZoneSource::ContactThenDevice);

fn facts(judge: &Judge, contact: &ContactPlace<'_>, address: &str) -> LaneFacts {
    judge.facts_of(contact, &phone(address), LOCAL, ChannelType::Text)
}

fn regions(facts: &LaneFacts) -> Vec<String> {
    facts.regions.iter().map(Place::to_string).collect()
}

#[test]
fn places_are_told_as_finely_as_rules_need() {
    let boston = by_zip("02134");
    for (rules, expected) in [
        (vec![], vec!["US"]),
        (vec![forbidding(1, "DE-BY")], vec!["US"]),
        (vec![forbidding(1, "US-CA")], vec!["US-MA", "US-NY"]),
        (
            vec![forbidding(1, "US:10"), forbidding(2, "US-CA")],
            vec!["US-MA:02", "US-NY"],
        ),
        (
            vec![forbidding(1, "US:100"), forbidding(2, "US:02134")],
            vec!["US-MA:02134", "US-NY"],
        ),
    ] {
        let judge = judge_of(&rules);
        assert_eq!(regions(&facts(&judge, &boston, "+12125550111")), expected);
    }
    let judge = judge_of(&[forbidding(1, "US:021")]);
    assert_eq!(
        regions(&facts(&judge, &boston, "+16175550111")),
        ["US-MA:021"],
        "the number knows less"
    );
}

#[test]
fn window_zones_follow_the_source() {
    let judge = judge_of(&[]);
    let new_york = by_zip("10001");
    let contact_zone = zone("America/New_York");
    let device_zone = zone("America/Los_Angeles");
    let both = vec![device_zone, contact_zone];
    let of = |contact: &ContactPlace<'_>, address: &str, window_zone| {
        judge.facts_of(contact, &phone(address), window_zone, ChannelType::Text)
    };
    for (source, expected) in [
        (TimeZoneSource::Contact, vec![contact_zone]),
        (TimeZoneSource::Device, vec![device_zone]),
        (TimeZoneSource::ContactThenDevice, vec![contact_zone]),
        (TimeZoneSource::ContactAndDevice, both.clone()),
    ] {
        let facts = of(&new_york, "+13105550111", WindowZone::Local(source));
        assert_eq!(facts.window_zones, expected, "{source}");
        assert_eq!(
            facts.candidate_zones, both,
            "rules ask both, whatever the source"
        );
        assert!(!facts.zone_unknown);
    }
    let london = zone("Europe/London");
    assert_eq!(
        of(&new_york, "+13105550111", WindowZone::Fixed(london)).window_zones,
        [london]
    );
    let silent = ContactPlace::default();
    let unknown = of(&silent, "ann@example.org", LOCAL);
    assert!(unknown.zone_unknown);
    assert_eq!(unknown.candidate_zones, place::country_zones("US"));
    assert_eq!(unknown.window_zones, unknown.candidate_zones);
    assert_eq!(unknown.device, DeviceClass::Email);
    let told = DevicePlace {
        time_zone: Some("Asia/Tokyo"),
        ..phone("+12125550111")
    };
    let facts = judge.facts_of(&silent, &told, LOCAL, ChannelType::Text);
    assert_eq!(facts.candidate_zones, [zone("Asia/Tokyo")]);
}

#[test]
fn an_unknown_zone_takes_the_intersection_or_is_skipped() {
    let judge = judge_of(&[]);
    let facts = facts(&judge, &ContactPlace::default(), "ann@example.org");
    let opening = judge.opening(&facts, &daily(), at("2026-07-01T14:00Z"));
    // 9:00 in Honolulu; it is 15:00 in New York.
    let until = at("2026-07-01T19:00Z");
    let cause = Cause::without_rule(Reason::AccountHours);
    assert_eq!(opening.verdict, Verdict::Defer { until, cause });
    assert_eq!(opening.next_change, until);
    let mornings = Window::new(DayOfWeek::ALL, time(9, 0, 0, 0), time(11, 0, 0, 0));
    let opening = judge.opening(&facts, &mornings, at("2026-07-01T14:00Z"));
    let cause = Cause::without_rule(Reason::ZoneUnknown);
    assert_eq!(
        opening.verdict,
        Verdict::Defer {
            until: Moment::NEVER,
            cause
        }
    );
}

#[test]
fn facts_survive_storage() {
    let judge = judge_of(&[forbidding(1, "US:021")]);
    let facts = facts(&judge, &by_zip("02134"), "+12125550111");
    let json = serde_json::to_string(&facts).expect("facts can be written");
    assert_eq!(
        serde_json::from_str::<LaneFacts>(&json).expect("and read"),
        facts
    );
    assert!(
        json.contains("America/New_York") && json.contains("US-MA:021"),
        "{json}"
    );
}

#[test]
fn answers_pass_hours_but_no_denial() {
    let region = Element {
        region: Some("US".into()),
        allowed: false,
        ..Element::default()
    };
    let judge = judge_of(&[
        rule(1, ComplianceType::Region, vec![region]),
        forbidding(2, "CA"),
    ]);
    let night = at("2026-07-01T07:00Z");
    let nobody = ContactFacts::default();
    let silent = ContactPlace::default();
    let american = facts(&judge, &silent, "+12125550111");
    assert_eq!(judge.answering(&american, &nobody, night), Verdict::Allow);
    let opted_out = ContactFacts {
        opted_out: true,
        ..nobody
    };
    assert_eq!(
        judge.answering(&american, &opted_out, night).reason(),
        Some(Reason::OptedOut)
    );
    let canadian = facts(&judge, &silent, "+14165550111");
    assert_eq!(
        judge.answering(&canadian, &nobody, night).reason(),
        Some(Reason::LocationRule)
    );
}

#[test]
fn a_rule_that_begins_while_a_lane_waits_ends_the_judgement() {
    let mut later = forbidding(1, "US");
    later.effective_from = Some(jiff::civil::date(2026, 7, 3));
    let judge = judge_of(&[later]);
    let facts = facts(&judge, &ContactPlace::default(), "+12125550111");
    let fridays = Window::new(&[DayOfWeek::Friday], time(9, 0, 0, 0), time(21, 0, 0, 0));
    let opening = judge.opening(&facts, &fridays, at("2026-07-01T14:00Z"));
    assert_eq!(opening.verdict.reason(), Some(Reason::WindowClosed));
    assert_eq!(
        opening.next_change,
        at("2026-07-03T04:00Z"),
        "midnight in New York"
    );
    let opening = judge.opening(&facts, &fridays, opening.next_change);
    assert_eq!(opening.verdict.reason(), Some(Reason::LocationRule));
    assert_eq!(opening.next_change, Moment::NEVER);
}

#[test]
fn open_time_counts_rules_too() {
    let holiday = Element {
        date: Some(jiff::civil::date(2026, 7, 3)),
        ..Element::default()
    };
    let judge = judge_of(&[rule(1, ComplianceType::Date, vec![holiday])]);
    let facts = facts(&judge, &ContactPlace::default(), "+12125550111");
    let (from, to) = (at("2026-07-02T04:00Z"), at("2026-07-05T04:00Z"));
    assert_eq!(judge.open_time(&facts, &daily(), from, to), 2 * DAY / 2);
    assert_eq!(
        judge.open_time(&facts, &all_day(), from, to),
        2 * 13 * DAY / 24
    );
}

fn elements() -> impl Strategy<Value = Element> {
    let regions = proptest::sample::select(vec!["*", "US", "US-NY", "US-CA", "US:100", "FR"]);
    let days = proptest::option::of(proptest::sample::select(DayOfWeek::ALL));
    let hours = proptest::option::of((0..24i8, 0..24i8));
    let date = (1..10i8).prop_map(|day| jiff::civil::date(2026, 7, day));
    (regions, days, any::<bool>(), hours, date).prop_map(|(region, day, allowed, hours, date)| {
        Element {
            region: Some(region.into()),
            day,
            allowed,
            first_contact_time: hours.map(|(first, _)| time(first, 0, 0, 0)),
            last_contact_time: hours.map(|(_, last)| time(last, 0, 0, 0)),
            date: Some(date),
            ..Element::default()
        }
    })
}

fn rules() -> impl Strategy<Value = Vec<ComplianceRule>> {
    let kinds = proptest::sample::select(vec![
        ComplianceType::Date,
        ComplianceType::Region,
        ComplianceType::Location,
    ]);
    let one = (kinds, 1..4u32, proptest::collection::vec(elements(), 1..4));
    proptest::collection::vec(one, 0..4).prop_map(|given| {
        let number = |(index, (kind, priority, elements))| ComplianceRule {
            priority,
            ..rule(index as i64 + 1, kind, elements)
        };
        given.into_iter().enumerate().map(number).collect()
    })
}

/// When it allows: at once, then, or never. What closes a lane may change while the moment it opens does not.
fn until(verdict: &Verdict) -> Option<Moment> {
    match verdict {
        Verdict::Allow => Some(Moment(0)),
        Verdict::Defer { until, .. } => Some(*until),
        Verdict::Deny { .. } => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// The order of rules cannot matter, and a judgement holds for as long as it says: asked again at any moment
    /// before its next change it is the same, and a deferral ends in an Allow or a new verdict, not in itself.
    #[test]
    fn judgements_hold(rules in rules(), hour in 0..168i64, part in 1..100i64, split in any::<bool>()) {
        let now = at("2026-07-01T00:00Z").plus(hour * carillon_model::moment::HOUR);
        let contact = if split { ContactPlace { state: Some("NY"), ..ContactPlace::default() } } else { by_zip("10001") };
        let judge = judge_of(&rules);
        let facts = facts(&judge, &contact, "+13105550111");
        let window = daily();
        let opening = judge.opening(&facts, &window, now);

        let mut turned = rules.clone();
        turned.reverse();
        prop_assert_eq!(judge_of(&turned).opening(&facts, &window, now), opening);

        prop_assert!(opening.next_change > now);
        let later = now.plus(opening.next_change.since(now).min(30 * DAY) * part / 100);
        if later < opening.next_change {
            let verdict = judge.opening(&facts, &window, later).verdict;
            prop_assert_eq!(until(&verdict), until(&opening.verdict));
            if let Verdict::Deny { .. } = verdict {
                prop_assert_eq!(verdict, opening.verdict);
            }
        }
        if let Verdict::Defer { until, .. } = opening.verdict && until < Moment::NEVER {
            prop_assert_eq!(judge.opening(&facts, &window, until).verdict, Verdict::Allow);
            let just_before = judge.opening(&facts, &window, until.plus(-1)).verdict;
            prop_assert_ne!(just_before, Verdict::Allow);
        }
    }
}

fn pasts() -> impl Strategy<Value = Vec<Past>> {
    use carillon_model::AttemptResult::{Busy, Filtered, NoAnswer, Success};
    let results = proptest::option::of(proptest::sample::select(vec![
        Busy, Filtered, NoAnswer, Success,
    ]));
    let one = (0..10_000i64, results, any::<bool>(), 0..3i64, 10..13i64);
    let one = one.prop_map(|(minutes, result, outbound, campaign, account)| {
        let written = at("2026-10-30T00:00Z").plus(-minutes * carillon_model::moment::MINUTE);
        Past {
            written,
            ended: result.map(|_| written),
            result,
            outbound,
            channel: ChannelType::Text,
            owners: [OrgId(account)].into(),
            campaign: Some(CampaignId(campaign)),
        }
    });
    proptest::collection::vec(one, 0..12)
}

fn counting_rules() -> impl Strategy<Value = Vec<ComplianceRule>> {
    use carillon_model::{AttemptResult, CountBy, PeriodUnit, RuleScope};
    let kinds = proptest::sample::select(vec![
        ComplianceType::Attempt,
        ComplianceType::ContactHistory,
    ]);
    let words = (
        proptest::sample::select(PeriodUnit::ALL),
        proptest::sample::select(CountBy::ALL),
        proptest::sample::select(RuleScope::ALL),
    );
    let one = (kinds, 1..4u32, 1..8u32, words);
    let one = one.prop_map(|(kind, count, period, (unit, count_by, scope))| {
        let element = Element {
            count: Some(count),
            period: Some(period),
            period_unit: Some(unit),
            count_by: Some(count_by),
            scope: Some(scope),
            results: match kind {
                ComplianceType::Attempt => Vec::new(),
                _ => vec![AttemptResult::Success],
            },
            ..Element::default()
        };
        rule(1, kind, vec![element])
    });
    proptest::collection::vec(one, 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// A wait for the past lies ahead, ends in an Allow, and is not a moment too long; the order in which the past is told
    /// does not matter, and what the caller was asked to read is enough. The days around the clock change are among them.
    #[test]
    fn waits_for_the_past_end_when_they_say(
        rules in counting_rules(),
        client in pasts(),
        device in pasts(),
        hour in 0..72i64,
        postal in proptest::sample::select(vec!["10001", "85001"]),
    ) {
        let now = at("2026-10-30T00:00Z").plus(hour * carillon_model::moment::HOUR);
        let judge = judge_of(&rules);
        let facts = facts(&judge, &by_zip(postal), "+13105550111");
        let verdict = |client: &[Past], device: &[Past], now| {
            let history = History { campaign: CampaignId(1), of_client: client, of_device: device };
            judge.counted(&facts, &history, now)
        };
        let told = verdict(&client, &device, now);
        let turned = |pasts: &[Past]| pasts.iter().rev().cloned().collect::<Vec<_>>();
        prop_assert_eq!(verdict(&turned(&client), &turned(&device), now), told);

        let back = judge.needed(facts.channel).expect("there are counting rules").back;
        let read = |pasts: &[Past]| {
            let is_read = |past: &&Past| past.written >= now.plus(-back);
            pasts.iter().filter(is_read).cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(verdict(&read(&client), &read(&device), now), told);

        match told {
            Verdict::Allow => {}
            Verdict::Deny { .. } => prop_assert!(false, "the past never denies"),
            Verdict::Defer { until, .. } => {
                prop_assert!(until > now);
                prop_assert_eq!(verdict(&client, &device, until), Verdict::Allow);
                prop_assert_ne!(verdict(&client, &device, until.plus(-1)), Verdict::Allow);
            }
        }
    }
}
