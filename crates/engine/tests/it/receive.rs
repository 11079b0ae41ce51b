//! What people send us.

use crate::bench::{Bench, fast};
use carillon_channel::Report;
use carillon_model::contact::DeviceKey;
use carillon_model::moment::{DAY, MINUTE};
use carillon_model::{AttemptResult, ChannelType, Direction, Reason, SubCampaignId};

fn bodies(decisions: &carillon_engine::Decisions) -> Vec<String> {
    decisions.orders[0]
        .iter()
        .map(|order| {
            let carillon_channel::Content::Text { body, .. } = &order.content else {
                panic!("an answer to a text is a text");
            };
            body.clone()
        })
        .collect()
}

fn is_opted_out(bench: &Bench, address: &str) -> bool {
    let (account, device) = (bench.installation.account, DeviceKey::of(address));
    bench
        .read(move |snapshot| snapshot.opted_out(account, &[device], ChannelType::Text))
        .remove(0)
}

#[test]
fn stop_counts_before_the_next_attempt() {
    let mut bench = Bench::new();
    let run = bench.run(2, vec![fast(1), fast(2)]);
    let orders = bench.dial();
    bench.step(vec![
        bench.accepted(&orders[0], &["m1"]),
        bench.accepted(&orders[1], &["m2"]),
    ]);
    let failed = Report::Failed {
        code: "UNDELIV".into(),
    };
    // Both fail, so both would be tried in the second pass; one has said STOP in this very step.
    let decisions = bench.step(vec![
        bench.report("m1", failed.clone()),
        bench.report("m2", failed),
        bench.inbound(&orders[0].to, "Stop."),
    ]);
    assert!(is_opted_out(&bench, &orders[0].to));
    assert_eq!(
        decisions.orders[0].len(),
        1,
        "the permit found nobody who may be tried"
    );
    assert_eq!(decisions.orders[0][0].to, orders[0].to);
    assert!(
        bodies(&decisions)[0].starts_with("Lending Library"),
        "one confirmation"
    );
    let to: Vec<String> = bench.dial().into_iter().map(|order| order.to).collect();
    assert_eq!(to, [orders[1].to.clone()], "one campaign text");
    let contact = bench.attempt(orders[0].attempt).contact;
    let past = bench.progress(run, contact).expect("tried");
    assert_eq!(past.reason, Some(Reason::OptedOut));
    bench.assert_sound(run);

    bench.wait(MINUTE);
    let again = bench.step(vec![bench.inbound(&orders[0].to, "STOP")]);
    assert!(bodies(&again).is_empty(), "one confirmation is enough");
    let start = bench.step(vec![bench.inbound(&orders[0].to, "start")]);
    assert_eq!(bodies(&start).len(), 1);
    assert!(!is_opted_out(&bench, &orders[0].to));
}

#[test]
fn replies_stand_beside_the_attempt_they_answer() {
    let mut bench = Bench::new();
    let run = bench.run(1, vec![fast(1)]);
    let order = bench.dial().remove(0);
    bench.step(vec![
        bench.accepted(&order, &["m1"]),
        bench.inbound(&order.to, "thank you"),
    ]);
    let inbound = inbound_of(&bench, run);
    assert_eq!(inbound.len(), 1);
    assert_eq!(inbound[0].text, "thank you");
    assert_eq!(inbound[0].contact, bench.attempt(order.attempt).contact);
    assert_eq!(inbound[0].result, Some(AttemptResult::Success));
    bench.assert_sound(run);
    bench.wait(2 * DAY);
    bench.step(vec![bench.inbound(&order.to, "are you still there")]);
    assert_eq!(
        inbound_of(&bench, run).len(),
        1,
        "after 24 hours it belongs to no run"
    );
}

fn inbound_of(bench: &Bench, run: SubCampaignId) -> Vec<carillon_model::attempt::Attempt> {
    let attempts = bench.attempts(run).into_iter();
    attempts
        .filter(|attempt| attempt.direction == Direction::Inbound)
        .collect()
}

#[test]
fn strangers_get_help_once_a_minute_and_their_stop_binds() {
    let mut bench = Bench::new();
    let stranger = "+12125559999";
    let first = bench.step(vec![bench.inbound(stranger, "HELP")]);
    assert_eq!(bodies(&first).len(), 1);
    assert!(
        bodies(&first)[0].contains("Lending Library"),
        "{:?}",
        bodies(&first)
    );
    let second = bench.step(vec![bench.inbound(stranger, "help me")]);
    assert!(
        bodies(&second).is_empty(),
        "two machines must not talk for ever"
    );
    bench.wait(MINUTE);
    let yes = bench.step(vec![bench.inbound(stranger, "yes")]);
    assert!(
        bodies(&yes).is_empty(),
        "YES means something only to those who opted out"
    );
    bench.step(vec![bench.inbound(stranger, "unsubscribe")]);
    assert!(is_opted_out(&bench, stranger));
    let yes = bench.step(vec![bench.inbound(stranger, "yes")]);
    assert_eq!(bodies(&yes).len(), 1);
    assert!(!is_opted_out(&bench, stranger));
}

#[test]
fn hostile_messages_are_kept_short_and_harm_nothing() {
    let mut bench = Bench::new();
    let long = "x".repeat(100_000);
    for (from, body) in [
        ("", ""),
        ("not a number", &long),
        ("+1", "\u{0}\u{ffff}STOP"),
    ] {
        bench.step(vec![bench.inbound(from, body)]);
    }
}
