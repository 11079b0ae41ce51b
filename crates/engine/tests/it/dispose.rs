//! Answers, receipts and silence in every order.

use crate::bench::{Bench, fast};
use carillon_channel::{Answer, Order, Report};
use carillon_model::moment::{HOUR, MINUTE};
use carillon_model::pass::{Pass, RetryRule};
use carillon_model::run::Place;
use carillon_model::{AttemptResult, AttemptState, SubCampaignId, SubCampaignState};

fn failed() -> Report {
    Report::Failed {
        code: "UNDELIV 001".to_owned(),
    }
}

fn one(passes: Vec<Pass>) -> (Bench, SubCampaignId, Order) {
    let mut bench = Bench::new();
    let run = bench.run(1, passes);
    let order = bench.dial().remove(0);
    (bench, run, order)
}

fn retrying(result: AttemptResult, minutes: u32) -> Pass {
    let mut pass = fast(1);
    pass.max_attempts = 3;
    pass.retry_rules = vec![RetryRule {
        result,
        max_retries: 2,
        interval_minutes: minutes,
    }];
    pass
}

#[test]
fn an_attempt_waits_for_its_receipt() {
    let (mut bench, run, order) = one(vec![fast(1)]);
    assert_eq!(bench.attempt(order.attempt).state(), AttemptState::Pending);
    bench.step(vec![bench.accepted(&order, &["m1"])]);
    assert_eq!(bench.attempt(order.attempt).state(), AttemptState::Active);
    assert_eq!(
        bench.row(run).state,
        SubCampaignState::Completing,
        "no further attempt can come"
    );
    bench.step(vec![bench.report(
        "m1",
        Report::Intermediate {
            state: "ENROUTE".into(),
        },
    )]);
    bench.step(vec![bench.report("m1", Report::Delivered)]);
    let attempt = bench.attempt(order.attempt);
    assert_eq!(attempt.result, Some(AttemptResult::Success));
    assert_eq!(attempt.script_result, Some(AttemptResult::Success));
    assert_eq!(bench.counters(run).delivered, 1);
    assert_eq!(bench.row(run).state, SubCampaignState::Awaiting);
    bench.assert_sound(run);
}

#[test]
fn a_receipt_may_come_before_its_answer() {
    for in_one_step in [true, false] {
        let (mut bench, run, order) = one(vec![fast(1)]);
        let (report, answer) = (
            bench.report("m1", failed()),
            bench.accepted(&order, &["m1"]),
        );
        if in_one_step {
            bench.step(vec![report, answer]);
        } else {
            bench.step(vec![report]);
            assert_eq!(bench.read(|snapshot| snapshot.count_early_receipts()), 1);
            bench.restart_keeping_orders();
            bench.step(vec![answer]);
        }
        assert_eq!(
            bench.attempt(order.attempt).result,
            Some(AttemptResult::Failed)
        );
        assert_eq!(bench.read(|snapshot| snapshot.count_early_receipts()), 0);
        bench.assert_sound(run);
    }
}

#[test]
fn every_part_counts_once() {
    let (mut bench, run, order) = one(vec![fast(1)]);
    bench.step(vec![bench.accepted(&order, &["a", "b"])]);
    bench.step(vec![bench.report("a", Report::Delivered)]);
    bench.step(vec![bench.report("a", Report::Delivered)]);
    assert_eq!(
        bench.attempt(order.attempt).result,
        None,
        "the same part twice is one part"
    );
    bench.step(vec![bench.report("b", Report::Delivered)]);
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Success)
    );
    bench.assert_sound(run);
}

#[test]
fn without_receipts_the_acceptance_is_the_success() {
    let mut bench = Bench::new();
    bench.receipts = false;
    bench.restart();
    let run = bench.run(1, vec![fast(1)]);
    let order = bench.dial().remove(0);
    bench.step(vec![bench.accepted(&order, &["x"])]);
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Success)
    );
    bench.assert_sound(run);
}

#[test]
fn silence_is_success_until_a_late_report_corrects_it() {
    let (mut bench, run, order) = one(vec![fast(1)]);
    bench.step(vec![bench.accepted(&order, &["m1"])]);
    bench.wait(9 * MINUTE);
    bench.step(Vec::new());
    assert_eq!(bench.attempt(order.attempt).result, None);
    bench.wait(MINUTE);
    bench.step(Vec::new());
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Success)
    );
    bench.wait(30 * MINUTE);
    bench.step(vec![bench.report("m1", failed())]);
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Failed)
    );
    let counters = bench.counters(run);
    assert_eq!((counters.delivered, counters.failed), (0, 1));
    bench.assert_sound(run);
    bench.step(vec![bench.report("m1", Report::Delivered)]);
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Failed),
        "Failed is final"
    );
}

#[test]
fn a_report_after_awaiting_hours_is_too_late() {
    let (mut bench, run, order) = one(vec![fast(1)]);
    bench.step(vec![bench.accepted(&order, &["m1"])]);
    bench.wait(10 * MINUTE);
    bench.step(Vec::new());
    bench.wait(2 * HOUR);
    bench.step(vec![bench.report("m1", failed())]);
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Success)
    );
    assert_eq!(bench.row(run).state, SubCampaignState::Done);
}

#[test]
fn a_late_failure_is_retried_while_the_run_goes_on() {
    let mut bench = Bench::new();
    let run = bench.run(2, vec![retrying(AttemptResult::Failed, 20)]);
    let orders = bench.dial();
    bench.step(vec![
        bench.accepted(&orders[0], &["m1"]),
        bench.answer(&orders[1], refused(false)),
    ]);
    bench.wait(10 * MINUTE);
    bench.step(Vec::new());
    assert_eq!(
        bench.attempt(orders[0].attempt).result,
        Some(AttemptResult::Success)
    );
    bench.step(vec![bench.report("m1", failed())]);
    bench.assert_sound(run);
    bench.wait(10 * MINUTE);
    assert_eq!(bench.dial().len(), 1, "the other contact's retry");
    bench.wait(10 * MINUTE);
    let again = bench.dial();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].to, orders[0].to);
    bench.assert_sound(run);
}

fn refused(permanent: bool) -> Answer {
    let result = if permanent {
        AttemptResult::BadDevice
    } else {
        AttemptResult::Failed
    };
    Answer::Refused {
        result,
        code: 8,
        permanent,
    }
}

#[test]
fn retries_follow_the_rule_and_then_the_next_pass() {
    let mut first = retrying(AttemptResult::Failed, 30);
    first.max_attempts = 2;
    let (mut bench, run, order) = one(vec![first, fast(2)]);
    bench.step(vec![bench.answer(&order, refused(false))]);
    bench.wait(29 * MINUTE);
    assert!(bench.dial().is_empty(), "not due");
    bench.wait(MINUTE);
    let second = bench.dial().remove(0);
    assert_eq!(bench.attempt(second.attempt).number, 2);
    bench.assert_sound(run);
    let decisions = bench.step(vec![bench.answer(&second, refused(false))]);
    let third = &decisions.orders[0][0];
    let attempt = bench.attempt(third.attempt);
    assert_eq!(
        (attempt.pass, attempt.number),
        (1, 1),
        "no retry is left: the next pass, the same day"
    );
    bench.assert_sound(run);
}

#[test]
fn a_bad_device_is_not_tried_again() {
    let mut bench = Bench::new();
    let run = bench.run_over(
        vec![crate::bench::new_yorker(1, 2)],
        vec![retrying(AttemptResult::Failed, 1)],
    );
    let first = bench.dial().remove(0);
    bench.step(vec![bench.answer(&first, refused(true))]);
    bench.wait(MINUTE);
    let second = bench.dial().remove(0);
    assert_ne!(second.to, first.to);
    bench.step(vec![bench.answer(&second, refused(true))]);
    bench.wait(HOUR);
    assert!(bench.dial().is_empty(), "no device is left");
    assert_eq!(bench.counters(run).failed, 1);
    bench.assert_sound(run);
}

#[test]
fn what_was_not_sent_keeps_its_place() {
    let (mut bench, run, order) = one(vec![fast(1)]);
    bench.room = 0;
    bench.step(vec![bench.answer(&order, Answer::NotSent)]);
    let attempt = bench.attempt(order.attempt);
    assert_eq!(attempt.result, Some(AttemptResult::NotAttemptedSkip));
    let counters = bench.counters(run);
    assert_eq!(
        (counters.attempted, counters.active, counters.pending),
        (0, 0, 1)
    );
    bench.assert_sound(run);
    bench.room = 10;
    bench.wait(MINUTE);
    let again = bench.dial().remove(0);
    assert_eq!(
        bench.attempt(again.attempt).number,
        1,
        "it counted for no maximum"
    );
    bench.assert_sound(run);
}

#[test]
fn a_doubt_is_repeated_only_where_a_rule_says_so() {
    for (rule, repeats) in [
        (AttemptResult::Failed, false),
        (AttemptResult::Unknown, true),
    ] {
        let (mut bench, run, order) = one(vec![retrying(rule, 5)]);
        bench.step(vec![bench.answer(&order, Answer::Doubt)]);
        assert_eq!(
            bench.attempt(order.attempt).result,
            Some(AttemptResult::Unknown)
        );
        bench.wait(5 * MINUTE);
        assert_eq!(bench.dial().len(), usize::from(repeats), "{rule}");
        bench.assert_sound(run);
    }
}

#[test]
fn a_retry_that_waits_is_dropped_when_the_doubt_is_settled() {
    let (mut bench, run, order) = one(vec![retrying(AttemptResult::Unknown, 30)]);
    bench.step(vec![bench.answer(&order, Answer::Doubt)]);
    let contact = bench.attempt(order.attempt).contact;
    assert_eq!(
        bench.progress(run, contact).map(|past| past.place),
        Some(Place::Waiting)
    );
    // The store knows an id by which the carrier can be asked: as after a restart.
    bench.step(vec![carillon_channel::Event::Queried {
        attempt: order.attempt,
        message_id: "m1".into(),
        report: Some(Report::Delivered),
        at: bench.now,
    }]);
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Success)
    );
    bench.assert_sound(run);
    bench.wait(HOUR);
    assert!(bench.dial().is_empty());
}

#[test]
fn after_a_crash_what_was_not_answered_is_unknown_and_the_rest_is_asked_for() {
    let mut bench = Bench::new();
    let run = bench.run(3, vec![fast(1)]);
    let orders = bench.dial();
    assert_eq!(orders.len(), 3);
    bench.step(vec![bench.accepted(&orders[0], &["m1"])]);
    bench.restart();
    let decisions = bench.step(Vec::new());
    assert_eq!(decisions.done.unknown, 2);
    assert_eq!(decisions.queries[0].len(), 1);
    assert_eq!(decisions.queries[0][0].1, "m1");
    assert!(decisions.orders[0].is_empty());
    for order in &orders[1..] {
        assert_eq!(
            bench.attempt(order.attempt).result,
            Some(AttemptResult::Unknown)
        );
    }
    assert!(bench.dial().is_empty(), "nothing is repeated blindly");
    bench.assert_sound(run);
    bench.step(vec![bench.report("m1", Report::Delivered)]);
    assert_eq!(bench.counters(run).delivered, 1);
    assert_eq!(bench.open(run), 0);
}

#[test]
fn a_carrier_that_is_gone_leaves_unknowns() {
    let (mut bench, run, order) = one(vec![fast(1)]);
    bench.step(vec![bench.accepted(&order, &["m1"])]);
    bench.carrier_name = "another";
    bench.restart();
    bench.step(Vec::new());
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::Unknown)
    );
    assert_eq!(bench.row(run).state, SubCampaignState::Awaiting);
    bench.assert_sound(run);
}
