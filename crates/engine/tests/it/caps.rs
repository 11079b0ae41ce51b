//! Attempt and ContactHistory rules: caps over runs, Campaigns and devices, which two claims never overrun.

use crate::bench::{Bench, NOON, fast, new_yorker};
use carillon_admission::pack;
use carillon_channel::Report;
use carillon_model::campaign::Campaign;
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::contact::Contact;
use carillon_model::entity::Base;
use carillon_model::moment::{DAY, HOUR, MINUTE};
use carillon_model::org::Org;
use carillon_model::pass::Pass;
use carillon_model::run::Place;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AttemptResult, CampaignId, ComplianceType, CountBy, Moment, OrgId, PeriodUnit, Reason,
    RuleScope, SubCampaignId, SubCampaignState,
};
use carillon_sim::world;
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt, EntityWriteExt, Error, Urgency};

/// Adds a required rule of the Account.
fn rule(bench: &mut Bench, rule_type: ComplianceType, element: Element) {
    rule_of(bench, bench.installation.account, rule_type, element);
}

fn rule_of(bench: &mut Bench, owner: OrgId, rule_type: ComplianceType, element: Element) {
    let now = bench.now;
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            let id = tx.take_ids(1)?;
            tx.insert(&ComplianceRule {
                base: Base::new(id, format!("rule {id}"), now, world::USER),
                owner,
                rule_type,
                description: None,
                required: true,
                priority: 100,
                effective_from: None,
                effective_to: None,
                source: None,
                channels: Vec::new(),
                version: 1,
                elements: vec![element],
            })?;
            tx.touch(Topic::Rules)
        })
        .expect("written");
}

fn enterprise(bench: &Bench) -> OrgId {
    let account = bench.installation.account;
    bench
        .read(move |snapshot| snapshot.get::<Org>(account))
        .and_then(|account| account.parent)
        .expect("an Enterprise is above the Account")
}

fn cap(count: u32, hours: u32) -> Element {
    Element {
        count: Some(count),
        period: Some(hours),
        ..Element::default()
    }
}

/// Another Campaign of the same Account, and a run of it.
fn run_of_another_campaign(
    bench: &mut Bench,
    people: Vec<Contact>,
    passes: Vec<Pass>,
) -> SubCampaignId {
    let (installation, now) = (bench.installation, bench.now);
    let campaign = bench
        .store
        .write_now(Urgency::People, move |tx| {
            let id = tx.take_ids(1)?;
            let mut campaign: Campaign = tx.get(installation.campaign)?.expect("there");
            campaign.base = Base::new(id, format!("Campaign {id}"), now, world::USER);
            tx.insert(&campaign)?;
            Ok::<_, Error>(CampaignId(id))
        })
        .expect("written");
    let home = bench.installation;
    bench.installation.campaign = campaign;
    let run = bench.run_over(people, passes);
    bench.installation = home;
    run
}

fn someone() -> Vec<Contact> {
    vec![new_yorker(1, 2)]
}

/// Until the evening of the seventh day.
fn week_long(id: i64) -> Pass {
    let mut pass = fast(id);
    pass.window_days = 7;
    pass
}

/// Dials and answers; tells how many were sent.
fn send(bench: &mut Bench, result: Report) -> usize {
    let orders = bench.dial();
    for order in &orders {
        let id = format!("m{}", order.attempt);
        bench.step(vec![bench.accepted(order, &[id.as_str()])]);
        bench.step(vec![bench.report(&id, result.clone())]);
    }
    orders.len()
}

fn waiting(bench: &Bench, run: SubCampaignId) -> (Moment, Option<Reason>) {
    let entity: SubCampaign = bench
        .read(move |snapshot| snapshot.get(run))
        .expect("there");
    let list = entity.list.expect("over a List");
    let contact = bench
        .read(move |snapshot| snapshot.contact_page(list.0, carillon_model::ContactId(0), 1))
        .remove(0);
    let progress = bench.progress(run, contact.id).expect("it was judged");
    assert_eq!(progress.place, Place::Waiting);
    (progress.due, progress.reason)
}

#[test]
fn a_cap_holds_over_two_runs_and_two_campaigns() {
    let mut bench = Bench::new();
    rule(&mut bench, ComplianceType::Attempt, cap(2, 24));
    let first = bench.run_over(someone(), vec![week_long(1)]);
    let second = bench.run_over(someone(), vec![week_long(1)]);
    let third = run_of_another_campaign(&mut bench, someone(), vec![week_long(1)]);
    assert_eq!(bench.dial().len(), 2, "the third has no place");
    assert_eq!(
        [first, second, third].map(|run| bench.attempts(run).len()),
        [1, 1, 0]
    );
    let written = bench.attempts(first)[0].written;
    assert_eq!(
        waiting(&bench, third),
        (written.plus(DAY), Some(Reason::AttemptRule))
    );
    assert_eq!(bench.counters(third).pending, 1, "it waits and is not lost");
    bench.assert_sound(third);

    bench.now = written.plus(DAY - MINUTE);
    assert!(bench.dial().is_empty());
    bench.now = written.plus(DAY);
    assert_eq!(bench.dial().len(), 1, "the oldest has left the period");
    for run in [first, second, third] {
        bench.assert_sound(run);
    }
}

#[test]
fn the_scope_campaign_counts_the_campaign_only() {
    let mut bench = Bench::new();
    let element = Element {
        scope: Some(RuleScope::Campaign),
        ..cap(1, 24)
    };
    rule(&mut bench, ComplianceType::Attempt, element);
    let first = bench.run_over(someone(), vec![week_long(1)]);
    let other = run_of_another_campaign(&mut bench, someone(), vec![week_long(1)]);
    let second = bench.run_over(someone(), vec![week_long(1)]);
    assert_eq!(bench.dial().len(), 2);
    assert_eq!(
        [first, other, second].map(|run| bench.attempts(run).len()),
        [1, 1, 0]
    );
}

#[test]
fn two_of_one_claim_do_not_both_take_the_last_place() {
    let mut bench = Bench::new();
    let by_device = Element {
        count_by: Some(CountBy::Device),
        ..cap(1, 24)
    };
    rule(&mut bench, ComplianceType::Attempt, by_device);
    // Forty people who share one number, and one who has his own.
    let mut people: Vec<Contact> = (0..41).map(|number| new_yorker(number, 1)).collect();
    let shared = people[0].devices.clone();
    people[..40]
        .iter_mut()
        .for_each(|one| one.devices.clone_from(&shared));
    let run = bench.run_over(people, vec![week_long(1)]);
    assert_eq!(bench.dial().len(), 2);
    assert_eq!(bench.counters(run).pending, 39);
    bench.assert_sound(run);
}

#[test]
fn rows_without_a_client_id_are_counted_by_their_device() {
    let mut bench = Bench::new();
    rule(&mut bench, ComplianceType::Attempt, cap(1, 24));
    let nameless = |number: usize| Contact {
        external_id: "row-1".to_owned(),
        ..new_yorker(number, 1)
    };
    bench.run_over(vec![nameless(1)], vec![week_long(1)]);
    bench.run_over(vec![nameless(2)], vec![week_long(1)]);
    let again = bench.run_over(vec![nameless(1)], vec![week_long(1)]);
    assert_eq!(bench.dial().len(), 2, "row-1 of two Lists are two people");
    assert!(bench.attempts(again).is_empty(), "the same number is one");
}

#[test]
fn a_wait_beyond_the_turn_leaves_the_pass_with_the_reason() {
    let mut bench = Bench::new();
    rule(&mut bench, ComplianceType::Attempt, cap(1, 24));
    bench.run_over(someone(), vec![fast(1)]);
    let second = bench.run_over(someone(), vec![fast(1)]);
    assert_eq!(bench.dial().len(), 1);
    let contact = bench.read(move |snapshot| {
        let entity: SubCampaign = snapshot.get(second)?.expect("there");
        snapshot.contact_page(
            entity.list.expect("a List").0,
            carillon_model::ContactId(0),
            1,
        )
    });
    let progress = bench.progress(second, contact[0].id).expect("it has left");
    assert_eq!(
        (progress.place, progress.reason),
        (Place::Finished, Some(Reason::AttemptRule))
    );
    assert_eq!(bench.counters(second).filtered, 0, "skipped, not filtered");
    bench.assert_sound(second);
}

#[test]
fn a_batch_that_ends_before_the_place_is_free_skips() {
    let mut bench = Bench::new();
    rule(&mut bench, ComplianceType::Attempt, cap(1, 1));
    let home =
        world::on_demand(&bench.store, bench.installation, vec![fast(1)], NOON).expect("made");
    let batch = |minutes| {
        let people = vec![new_yorker(1, 1)];
        world::batch(
            &bench.store,
            bench.installation,
            home,
            people,
            NOON,
            minutes,
            NOON,
        )
        .expect("made");
    };
    batch(30);
    batch(30);
    batch(300);
    assert_eq!(bench.dial().len(), 1);
    assert_eq!(
        bench.counters(home).pending,
        1,
        "only the long one can wait"
    );
    bench.wait(HOUR);
    assert_eq!(bench.dial().len(), 1);
    bench.assert_sound(home);
}

#[test]
fn silence_follows_a_success_and_no_failure() {
    let mut bench = Bench::new();
    let silence = Element {
        results: vec![AttemptResult::Success],
        period: Some(2),
        period_unit: Some(PeriodUnit::CalendarDays),
        ..Element::default()
    };
    rule(&mut bench, ComplianceType::ContactHistory, silence);
    bench.run_over(someone(), vec![week_long(1)]);
    let failed = Report::Failed {
        code: "UNDELIV 001".to_owned(),
    };
    assert_eq!(send(&mut bench, failed), 1);
    bench.run_over(someone(), vec![week_long(1)]);
    assert_eq!(send(&mut bench, Report::Delivered), 1);
    let third = bench.run_over(someone(), vec![week_long(1)]);
    assert_eq!(send(&mut bench, Report::Delivered), 0);
    // Wednesday and Thursday count: it is Friday's midnight in New York.
    let friday = Moment(NOON.0 + DAY + 10 * HOUR);
    assert_eq!(
        waiting(&bench, third),
        (friday, Some(Reason::ContactHistoryRule))
    );
    bench.now = friday.plus(9 * HOUR);
    assert_eq!(send(&mut bench, Report::Delivered), 1);
    assert_eq!(bench.row(third).state, SubCampaignState::Awaiting);
    bench.assert_sound(third);
}

#[test]
fn a_capped_retry_waits_and_is_made() {
    let mut bench = Bench::new();
    rule(&mut bench, ComplianceType::Attempt, cap(1, 3));
    let mut pass = fast(1);
    pass.max_attempts = 2;
    pass.retry_rules = vec![carillon_model::pass::RetryRule {
        result: AttemptResult::Failed,
        max_retries: 1,
        interval_minutes: 1,
    }];
    let run = bench.run_over(vec![new_yorker(1, 1)], vec![pass]);
    let failed = Report::Failed {
        code: "UNDELIV 001".to_owned(),
    };
    assert_eq!(send(&mut bench, failed), 1);
    let written = bench.attempts(run)[0].written;
    bench.wait(2 * MINUTE);
    assert!(bench.dial().is_empty());
    assert_eq!(
        waiting(&bench, run),
        (written.plus(3 * HOUR), Some(Reason::AttemptRule))
    );
    bench.assert_sound(run);
    bench.now = written.plus(3 * HOUR);
    assert_eq!(send(&mut bench, Report::Delivered), 1);
    assert_eq!(bench.counters(run).delivered, 1);
    bench.assert_sound(run);
}

#[test]
fn an_enterprise_rule_and_a_pack_bind_runs_that_are_under_way() {
    let mut bench = Bench::new();
    let enterprise = enterprise(&bench);
    rule_of(&mut bench, enterprise, ComplianceType::Attempt, cap(3, 24));
    let runs: Vec<SubCampaignId> = (0..5)
        .map(|_| bench.run_over(vec![floridian()], vec![week_long(1)]))
        .collect();
    let now = bench.now;
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            pack::switch_on(tx, enterprise, "us", &["US-WIN", "FL"], now, world::USER)
        })
        .expect("switched on");
    assert_eq!(bench.dial().len(), 3);
    // 20:00 in New York: the caps would let two go, and so would the hours of the other states.
    bench.now = NOON.plus(DAY + 6 * HOUR);
    assert!(bench.dial().is_empty(), "Florida is closed");
    bench.now = NOON.plus(DAY + 19 * HOUR);
    assert_eq!(bench.dial().len(), 2);
    for run in runs {
        bench.assert_sound(run);
    }
}

fn floridian() -> Contact {
    let mut contact = new_yorker(1, 1);
    "+13055550111".clone_into(&mut contact.devices[0].address);
    contact
}
