//! Runs and batches from load to end.

use crate::bench::{Bench, NOON, fast, new_yorker, night};
use carillon_channel::Answer;
use carillon_model::contact::Contact;
use carillon_model::counter::Subject;
use carillon_model::list::{SuppressionEntry, SuppressionKey};
use carillon_model::moment::{DAY, HOUR, MINUTE};
use carillon_model::org::Org;
use carillon_model::run::Request;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AttemptResult, BatchState, ContactId, PassState, Reason, SubCampaignState as State,
};
use carillon_sim::world;
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt, EntityWriteExt, Error, Urgency};

#[test]
fn loads_filter_with_a_reason() {
    let mut bench = Bench::new();
    world::forbid(&bench.store, bench.installation, "FR", bench.now).expect("stored");
    let list = bench.installation.suppression;
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            let entry = SuppressionEntry {
                key: SuppressionKey::ClientId("C-1".into()),
                device: None,
                channel: None,
                expires: None,
                reason: None,
                source: None,
            };
            tx.put_suppressions(list, &[entry])
        })
        .expect("stored");
    let mut people: Vec<Contact> = (0..5).map(|number| new_yorker(number, 1)).collect();
    people[2].devices.clear();
    people[3].devices[0].address = "+33142680000".into();
    people[4].attributes.clear();
    let run = bench.run_over(people, vec![fast(1)]);
    let mut reasons: Vec<Reason> = bench
        .read(move |snapshot| snapshot.denials_by_reason(run))
        .into_iter()
        .map(|(reason, contacts)| {
            assert_eq!(contacts, 1);
            reason
        })
        .collect();
    reasons.sort();
    let mut expected = vec![
        Reason::SuppressedClientId,
        Reason::NoDevice,
        Reason::LocationRule,
        Reason::MissingField,
    ];
    expected.sort();
    assert_eq!(reasons, expected);
    assert_eq!(bench.dial().len(), 1);
    let judgements = bench.read(move |snapshot| snapshot.judgements(run, 10));
    assert!(judgements[0].basis.contains("zoneData"), "{judgements:?}");
    bench.assert_sound(run);
}

#[test]
fn a_filter_takes_a_part_of_the_list() {
    let load = |filter: &str| {
        let mut bench = Bench::new();
        bench.room = 0;
        let people: Vec<Contact> = (0..6)
            .map(|number| {
                let mut contact = new_yorker(number, 1);
                let branch = if number < 4 { "Kings" } else { "Queens" };
                contact.attributes.insert("branch".into(), branch.into());
                contact
            })
            .collect();
        let run = world::sub_campaign(
            &bench.store,
            bench.installation,
            people,
            vec![fast(1)],
            bench.now,
        )
        .expect("stored");
        let filter = filter.to_owned();
        bench
            .store
            .write_now(Urgency::People, move |tx| {
                let mut entity: SubCampaign = tx.get(run)?.expect("there");
                entity.filter = Some(filter);
                tx.replace(&entity)
            })
            .expect("stored");
        bench.do_chores();
        bench.assert_sound(run);
        let denied = bench.read(move |snapshot| snapshot.denials_by_reason(run));
        (bench.counters(run).pending, denied)
    };
    let filtered = |contacts| vec![(Reason::FilterExpression, contacts)];
    for (filter, pending, denied) in [
        ("branch Like 'k%'", 4, filtered(2)),
        (
            "Branch Not Like 'Kings' And clientId Like 'C-[45]'",
            2,
            filtered(4),
        ),
        (
            "clientId Like 'C-0' Or branch Like 'queens'",
            3,
            filtered(3),
        ),
        ("branch Like '%'", 6, Vec::new()),
        ("elsewhere Like 'x'", 0, filtered(6)),
    ] {
        assert_eq!(load(filter), (pending, denied), "{filter}");
    }
}

#[test]
fn large_lists_load_in_pieces() {
    let mut bench = Bench::new();
    let run = bench.run(900, vec![fast(1)]);
    assert!(bench.row(run).load.done);
    assert_eq!(bench.counters(run).pending, 900);
    let orders = bench.dial();
    assert!(orders.len() > 1, "{}", orders.len());
    bench.assert_sound(run);
}

#[test]
fn a_run_without_anybody_is_done() {
    let mut bench = Bench::new();
    let run = bench.run(0, vec![fast(1)]);
    bench.step(Vec::new());
    let row = bench.row(run);
    assert_eq!((row.state, row.end_time), (State::Done, Some(bench.now)));
    assert_eq!(row.passes, [PassState::Done]);
}

#[test]
fn windows_close_over_night_and_the_last_one_ends_the_run() {
    let mut bench = Bench::new();
    bench.room = 1;
    let mut pass = fast(1);
    pass.window_days = 2;
    let run = bench.run(3, vec![pass]);
    let order = bench.dial().remove(0);
    assert_eq!(
        order.expires,
        Some(NOON.plus(7 * HOUR)),
        "21:00 in New York"
    );
    bench.room = 0;
    bench.step(vec![bench.answer(&order, Answer::Doubt)]);
    night(&mut bench);
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Pending);
    assert_eq!(bench.row(run).passes, [PassState::Pending]);
    // 8:00 of the next day.
    bench.now = NOON.plus(18 * HOUR);
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Running);
    // The service was away until long after the last window: nothing is caught up.
    bench.now = NOON.plus(9 * DAY);
    bench.room = 100;
    bench.do_chores();
    let decisions = bench.step(Vec::new());
    assert!(decisions.orders[0].is_empty());
    let counters = bench.counters(run);
    assert_eq!((counters.pending, counters.active), (0, 0));
    assert_eq!(bench.row(run).state, State::Awaiting);
    bench.wait(HOUR);
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Done);
    bench.assert_sound(run);
}

#[test]
fn pause_resume_and_stop() {
    let mut bench = Bench::new();
    bench.room = 1;
    let run = bench.run(4, vec![fast(1)]);
    let first = bench.dial().remove(0);
    bench.request(run, Request::Paused);
    bench.wait(MINUTE);
    bench.room = 5;
    assert!(
        bench
            .step(vec![bench.answer(&first, Answer::NotSent)])
            .orders[0]
            .is_empty()
    );
    assert_eq!(
        bench.counters(run).pending,
        4,
        "withdrawn by the pause, it keeps its place"
    );
    assert_eq!(bench.row(run).passes, [PassState::Paused]);
    bench.assert_sound(run);
    bench.request(run, Request::Running);
    bench.wait(MINUTE);
    let again = bench.dial();
    assert!(!again.is_empty());
    bench.request(run, Request::Done);
    bench.do_chores();
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Stopping, "an attempt is out");
    assert_eq!(bench.row(run).passes, [PassState::Stopping]);
    let events = again
        .iter()
        .map(|order| bench.answer(order, Answer::Doubt))
        .collect();
    bench.step(events);
    assert_eq!(bench.row(run).state, State::Done);
    bench.assert_sound(run);
}

#[test]
fn a_run_stopped_before_any_attempt_is_cancelled() {
    let mut bench = Bench::new();
    bench.room = 0;
    let run = bench.run(2, vec![fast(1)]);
    bench.step(Vec::new());
    bench.request(run, Request::Done);
    bench.do_chores();
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Cancelled);
    assert_eq!(bench.row(run).passes, [PassState::Cancelled]);
    bench.assert_sound(run);
}

#[test]
fn a_disabled_org_pauses_its_runs() {
    let mut bench = Bench::new();
    bench.room = 0;
    let run = bench.run(1, vec![fast(1)]);
    bench.step(Vec::new());
    let account = bench.installation.account;
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            let mut org: Org = tx.get(account)?.expect("there");
            org.settings.enabled = Some(false);
            tx.replace(&org)?;
            tx.touch(Topic::Rules)
        })
        .expect("stored");
    bench.room = 10;
    assert!(bench.dial().is_empty());
    assert_eq!(bench.row(run).state, State::Paused);
}

#[test]
fn a_new_rule_binds_running_runs() {
    let mut bench = Bench::new();
    bench.room = 0;
    let run = bench.run(2, vec![fast(1)]);
    bench.step(Vec::new());
    world::forbid(&bench.store, bench.installation, "US-NY", bench.now).expect("stored");
    bench.room = 10;
    bench.wait(MINUTE);
    assert!(
        bench.dial().is_empty(),
        "a finer region moves them to lanes that are denied"
    );
    bench.do_chores();
    bench.step(Vec::new());
    assert_eq!(bench.counters(run).filtered, 2);
    bench.assert_sound(run);
}

#[test]
fn contacts_taken_out_of_the_list_are_not_tried_and_replaced_ones_are() {
    let mut bench = Bench::new();
    bench.room = 0;
    let run = bench.run(2, vec![fast(1)]);
    bench.step(Vec::new());
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            let list = tx.get::<carillon_model::sub_campaign::SubCampaign>(run)?;
            let list = list.expect("there").list.expect("has one").0;
            let id = tx.take_ids(1)?;
            let newer = Contact {
                id: ContactId(id),
                container: list,
                ..new_yorker(0, 1)
            };
            tx.put_contacts(list, &[newer])?;
            tx.remove_contacts(list, &["C-1"])
        })
        .expect("stored");
    bench.room = 10;
    bench.wait(MINUTE);
    let orders = bench.dial();
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].to, new_yorker(0, 1).devices[0].address);
    let reasons = bench.read(move |snapshot| snapshot.denials_by_reason(run));
    assert_eq!(reasons, [(Reason::Removed, 1)]);
}

#[test]
fn fixed_pacing_spreads_over_the_minute() {
    let mut bench = Bench::new();
    let mut pass = fast(1);
    pass.contacts_per_minute = Some(30.0);
    let run = bench.run(40, vec![pass]);
    let mut sent = 0;
    let end = bench.now.plus(MINUTE);
    while bench.now < end {
        let decisions = bench.step(Vec::new());
        assert!(decisions.orders[0].len() <= 2, "no burst");
        sent += decisions.orders[0].len();
        assert!(decisions.next_wake > bench.now);
        bench.now = decisions.next_wake.min(end);
    }
    assert_eq!(sent, 30);
    bench.assert_sound(run);
}

#[test]
fn auto_pacing_ends_at_the_close() {
    let mut bench = Bench::new();
    // Seven hours are left until 21:00: 840 contacts are two a minute.
    let run = bench.run(
        840,
        vec![{
            let mut pass = fast(1);
            pass.pacing = Some(carillon_model::PacingType::Auto);
            pass
        }],
    );
    let mut sent = 0;
    let end = bench.now.plus(HOUR);
    while bench.now < end {
        let decisions = bench.step(Vec::new());
        sent += decisions.orders[0].len();
        bench.now = decisions.next_wake.min(end);
    }
    assert!((119..=121).contains(&sent), "{sent} in the first hour");
    bench.assert_sound(run);
}

fn batch(
    bench: &mut Bench,
    people: usize,
    ahead: i64,
    minutes: u32,
) -> (carillon_model::SubCampaignId, carillon_model::BatchId) {
    let mut pass = fast(3);
    pass.pacing = Some(carillon_model::PacingType::Auto);
    let home =
        world::on_demand(&bench.store, bench.installation, vec![pass], bench.now).expect("stored");
    let people = (0..people).map(|number| new_yorker(number, 1)).collect();
    let start = bench.now.plus(ahead);
    let id = world::batch(
        &bench.store,
        bench.installation,
        home,
        people,
        start,
        minutes,
        bench.now,
    )
    .expect("stored");
    (home, id)
}

#[test]
fn a_batch_goes_at_once_and_its_run_ends_with_it() {
    let mut bench = Bench::new();
    bench.receipts = false;
    bench.restart();
    let (home, id) = batch(&mut bench, 50, 0, 60);
    let orders = bench.dial();
    assert_eq!(orders.len(), 50, "Auto keeps no pace in a batch");
    let events = orders
        .iter()
        .map(|order| bench.accepted(order, &["x"]))
        .collect();
    bench.step(events);
    let run = bench
        .read(move |snapshot| snapshot.batch_run(id))
        .expect("there");
    assert_eq!(
        (run.state, run.finished),
        (BatchState::Done, Some(bench.now))
    );
    assert_eq!(bench.row(home).state, State::Done);
    let counters = bench
        .read(move |snapshot| snapshot.counters(&[Subject::whole(id)]))
        .remove(0);
    assert_eq!(
        (counters.delivered, counters.pending, counters.active),
        (50, 0, 0)
    );
    bench.assert_sound(home);
}

#[test]
fn a_batch_waits_for_its_start_and_expires_at_its_end() {
    let mut bench = Bench::new();
    let (home, id) = batch(&mut bench, 3, HOUR, 30);
    bench.room = 1;
    assert!(bench.dial().is_empty());
    let state = |bench: &Bench| {
        bench
            .read(move |snapshot| snapshot.batch_run(id))
            .expect("there")
            .state
    };
    assert_eq!(state(&bench), BatchState::Pending);
    bench.wait(HOUR);
    let order = bench.dial().remove(0);
    assert_eq!(order.expires, Some(NOON.plus(90 * MINUTE)));
    assert_eq!(state(&bench), BatchState::Running);
    bench.room = 0;
    bench.wait(30 * MINUTE);
    bench.do_chores();
    bench.room = 9;
    assert!(bench.dial().is_empty(), "what is left expires");
    assert_eq!(state(&bench), BatchState::Running, "an attempt is out");
    bench.step(vec![bench.answer(&order, Answer::NotSent)]);
    assert_eq!(state(&bench), BatchState::Done);
    assert_eq!(bench.row(home).state, State::Done);
    assert_eq!(
        bench.attempt(order.attempt).result,
        Some(AttemptResult::NotAttemptedSkip)
    );
    bench.assert_sound(home);
}

#[test]
fn priorities_share_what_is_scarce() {
    let mut bench = Bench::new();
    let (home, first) = batch(&mut bench, 60, 0, 60);
    let installation = bench.installation;
    let now = bench.now;
    let people = (100..160).map(|number| new_yorker(number, 1)).collect();
    let second =
        world::batch_of_priority(&bench.store, installation, home, people, now, 60, 10, now)
            .expect("stored");
    bench.room = 30;
    let orders = bench.dial();
    let of = |batch| {
        orders
            .iter()
            .filter(|order| bench.attempt(order.attempt).batch == Some(batch))
            .count()
    };
    assert_eq!((of(first), of(second)), (10, 20));
    bench.assert_sound(home);
}

#[test]
fn a_failed_unit_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let run = bench.run(3, vec![fast(1)]);
    let before = bench.counters(run);
    let mut engine = bench.engine.take().expect("there");
    let now = bench.now;
    let failed = bench.store.write_now(Urgency::People, move |tx| {
        let inputs = carillon_engine::Inputs {
            events: Vec::new(),
            room: vec![10],
        };
        let decisions = engine.step(tx, now, inputs)?;
        assert!(!decisions.orders[0].is_empty());
        Err::<(), _>(Error::Full)
    });
    assert!(failed.is_err());
    assert_eq!(bench.counters(run), before);
    assert!(bench.attempts(run).is_empty());
    bench.restart();
    assert_eq!(bench.dial().len(), 3);
    bench.assert_sound(run);
}

#[test]
fn a_held_run_waits_for_its_request_however_long() {
    let mut bench = Bench::new();
    let run = bench.run(2, vec![fast(1)]);
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            let mut row = tx.run(run)?.expect("there");
            row.held = true;
            tx.put_run(&row)
        })
        .expect("stored");
    for _ in 0..5 {
        assert!(bench.dial().is_empty());
        bench.wait(DAY);
        bench.do_chores();
    }
    assert_eq!(bench.row(run).state, State::Pending);
    assert_eq!(
        bench.counters(run).pending,
        2,
        "no window of a run that has not started is over"
    );
    bench.request(run, Request::Running);
    assert_eq!(bench.dial().len(), 2);
    bench.assert_sound(run);
}

#[test]
fn a_run_that_cannot_be_read_does_not_stop_the_others() {
    let mut bench = Bench::new();
    let run = bench.run(1, vec![fast(1)]);
    let other = bench.installation;
    let broken = world::sub_campaign(&bench.store, other, Vec::new(), vec![fast(2)], bench.now)
        .expect("stored");
    bench
        .store
        .write_now(Urgency::People, move |tx| {
            let mut document = tx
                .document(carillon_model::entity::Kind::SubCampaign, broken.0)?
                .expect("there");
            document.body = b"{}".to_vec();
            document.version += 1;
            tx.replace_document(&document)
        })
        .expect("stored");
    bench.restart();
    bench.do_chores();
    assert_eq!(bench.dial().len(), 1);
    bench.assert_sound(run);
}
