//! Orders that wait in a channel when their run, their batch or their device may have no more of them.

use crate::bench::{Bench, fast, new_yorker};
use carillon_channel::{Answer, Order};
use carillon_engine::Decisions;
use carillon_model::moment::{HOUR, MINUTE};
use carillon_model::run::Request;
use carillon_model::{
    AttemptId, AttemptResult, BatchId, PacingType, Reason, SubCampaignId, SubCampaignState as State,
};
use carillon_sim::world;
use carillon_store::{Error, Urgency};

fn ids(orders: &[Order]) -> Vec<AttemptId> {
    orders.iter().map(|order| order.attempt).collect()
}

fn withdrawn(decisions: &Decisions) -> Vec<AttemptId> {
    decisions.withdrawals[0].clone()
}

/// The channel had handed nothing of these over.
fn give_back(bench: &mut Bench, orders: &[Order]) {
    let events = orders
        .iter()
        .map(|order| bench.answer(order, Answer::NotSent))
        .collect();
    bench.step(events);
}

#[test]
fn a_pause_asks_back_what_was_not_answered_in_one_step_and_once() {
    let mut bench = Bench::new();
    let run = bench.run(5, vec![fast(1)]);
    let orders = bench.dial();
    assert_eq!(orders.len(), 5);
    bench.step(vec![bench.accepted(&orders[0], &["m0"])]);
    bench.request(run, Request::Paused);
    let decisions = bench.step(Vec::new());
    assert_eq!(withdrawn(&decisions), ids(&orders[1..]), "by one wake-up");
    assert!(withdrawn(&bench.step(Vec::new())).is_empty(), "once");
    // One was with the carrier already; the others come back and keep their places.
    bench.step(vec![bench.accepted(&orders[1], &["m1"])]);
    give_back(&mut bench, &orders[2..]);
    assert_eq!(bench.counters(run).pending, 3);
    assert_eq!(bench.counters(run).active, 2);
    let attempt = bench.attempt(orders[2].attempt);
    assert_eq!(attempt.result, Some(AttemptResult::NotAttemptedSkip));
    assert_eq!(attempt.reason, Some(Reason::Skipped));
    bench.assert_sound(run);
    bench.request(run, Request::Running);
    bench.wait(MINUTE);
    let again = bench.dial();
    assert_eq!(again.len(), 3);
    assert!(withdrawn(&bench.step(Vec::new())).is_empty());
    // A second pause asks back what was placed since.
    bench.request(run, Request::Paused);
    assert_eq!(withdrawn(&bench.step(Vec::new())), ids(&again));
    bench.assert_sound(run);
}

#[test]
fn other_runs_keep_their_orders() {
    let mut bench = Bench::new();
    let paused = bench.run(2, vec![fast(1)]);
    let first = bench.dial();
    let others = (10..12).map(|number| new_yorker(number, 1)).collect();
    let other = bench.run_over(others, vec![fast(1)]);
    let second = bench.dial();
    assert_eq!((first.len(), second.len()), (2, 2));
    bench.request(paused, Request::Paused);
    assert_eq!(withdrawn(&bench.step(Vec::new())), ids(&first));
    assert_eq!(bench.open(other), 2);
}

#[test]
fn a_stop_asks_back_and_the_run_ends_without_what_came_back() {
    let mut bench = Bench::new();
    let run = bench.run(3, vec![fast(1), fast(2)]);
    let orders = bench.dial();
    bench.request(run, Request::Done);
    let decisions = bench.step(Vec::new());
    assert_eq!(withdrawn(&decisions), ids(&orders));
    assert_eq!(bench.row(run).state, State::Stopping);
    give_back(&mut bench, &orders);
    bench.do_chores();
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Cancelled, "nothing was tried");
    assert_eq!(bench.counters(run).pending, 0);
    bench.assert_sound(run);
}

fn batch(bench: &mut Bench, minutes: u32) -> (SubCampaignId, BatchId) {
    let mut pass = fast(3);
    pass.pacing = Some(PacingType::Auto);
    let (store, installation, now) = (&bench.store, bench.installation, bench.now);
    let home = world::on_demand(store, installation, vec![pass], now).expect("stored");
    let people = (0..3).map(|number| new_yorker(number, 1)).collect();
    let id = world::batch(store, installation, home, people, now, minutes, now).expect("stored");
    (home, id)
}

#[test]
fn a_cancelled_batch_is_asked_back() {
    let mut bench = Bench::new();
    let (home, id) = batch(&mut bench, 60);
    let orders = bench.dial();
    assert_eq!(orders.len(), 3);
    let now = bench.now;
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            let mut run = tx.batch_run(id)?.expect("there");
            run.cancel(now).expect("legal");
            tx.put_batch_run(&run)?;
            carillon_admission::retire(tx, &run, Reason::Skipped, Default::default(), now)?;
            Ok::<_, Error>(())
        })
        .expect("written");
    assert_eq!(withdrawn(&bench.step(Vec::new())), ids(&orders));
    give_back(&mut bench, &orders);
    let counters = bench.counters(home);
    assert_eq!((counters.pending, counters.active), (0, 0));
    bench.assert_sound(home);
}

#[test]
fn a_batch_past_its_end_is_asked_back() {
    let mut bench = Bench::new();
    let (home, _) = batch(&mut bench, 60);
    let orders = bench.dial();
    assert_eq!(orders[0].expires, Some(bench.now.plus(HOUR - 100)));
    let before = bench.step(Vec::new());
    assert!(withdrawn(&before).is_empty());
    assert!(
        before.next_wake <= bench.now.plus(HOUR),
        "it looks by itself"
    );
    bench.wait(HOUR);
    assert_eq!(withdrawn(&bench.step(Vec::new())), ids(&orders));
    give_back(&mut bench, &orders);
    assert_eq!(bench.counters(home).active, 0);
    bench.assert_sound(home);
}

#[test]
fn stop_asks_back_the_texts_to_its_device_and_not_the_confirmation() {
    let mut bench = Bench::new();
    let run = bench.run(3, vec![fast(1)]);
    let orders = bench.dial();
    let decisions = bench.step(vec![bench.inbound(&orders[1].to, "STOP")]);
    assert_eq!(withdrawn(&decisions), ids(&orders[1..2]));
    assert_eq!(decisions.orders[0].len(), 1, "the confirmation");
    give_back(&mut bench, &orders[1..2]);
    bench.wait(MINUTE);
    assert!(bench.dial().is_empty(), "the next claim denies it");
    let reasons = bench.read(move |snapshot| snapshot.denials_by_reason(run));
    assert_eq!(reasons, [(Reason::OptedOut, 1)]);
    let again = bench.step(vec![bench.inbound(&orders[1].to, "STOP")]);
    assert!(withdrawn(&again).is_empty());
    bench.assert_sound(run);
}

#[test]
fn an_engine_that_lost_its_memory_asks_back_what_the_ledger_shows() {
    let mut bench = Bench::new();
    let run = bench.run(3, vec![fast(1)]);
    let orders = bench.dial();
    bench.step(vec![bench.accepted(&orders[0], &["m0"])]);
    bench.restart_keeping_orders();
    bench.request(run, Request::Paused);
    let decisions = bench.step(vec![bench.inbound(&orders[2].to, "STOP")]);
    assert_eq!(withdrawn(&decisions), ids(&orders[1..]));
    // Another process has nothing to ask back: its channels are new.
    bench.restart();
    assert!(withdrawn(&bench.step(Vec::new())).is_empty());
    assert_eq!(
        bench.attempt(orders[1].attempt).result,
        Some(AttemptResult::Unknown)
    );
}
