//! Runs with more lanes than there may be: what shares the mixed lane is judged one by one.

use crate::bench::{Bench, NOON, fast, new_yorker};
use carillon_admission::limits::LANES_MAX;
use carillon_model::contact::Contact;
use carillon_model::moment::{HOUR, MINUTE, SECOND};
use carillon_model::pass::Pass;
use carillon_model::{Reason, SubCampaignId, SubCampaignState as State};
use carillon_sim::world;
use carillon_store::Error;

/// Someone whose number is of New York and who lives in Tokyo: may be tried from 19:00 to 21:00 in New York.
fn in_tokyo(number: usize) -> Contact {
    let mut contact = new_yorker(number, 1);
    let zone = ("timeZone".to_owned(), "Asia/Tokyo".to_owned());
    contact.attributes.extend([zone]);
    contact
}

/// A run, loaded when every lane was taken.
fn crowded(bench: &mut Bench, people: Vec<Contact>, passes: Vec<Pass>) -> SubCampaignId {
    let (store, installation, now) = (&bench.store, bench.installation, bench.now);
    let run = world::sub_campaign(store, installation, people, passes, now).expect("stored");
    world::crowd(store, run).expect("stored");
    bench.do_chores();
    run
}

fn lanes(bench: &Bench, run: SubCampaignId) -> usize {
    bench.read(move |snapshot| snapshot.lanes(run)).len()
}

fn waiting_lanes(bench: &Bench, run: SubCampaignId) -> Vec<u32> {
    let waiting = bench.read(move |snapshot| snapshot.waiting(run));
    waiting.into_iter().map(|waiting| waiting.lane).collect()
}

#[test]
fn each_contact_of_a_mixed_lane_waits_for_its_own_opening() {
    let mut bench = Bench::new();
    let people = vec![in_tokyo(0), new_yorker(1, 1), in_tokyo(2), new_yorker(3, 1)];
    let run = crowded(&mut bench, people.clone(), vec![fast(1)]);
    assert_eq!(lanes(&bench, run), LANES_MAX + 1);
    assert_eq!(waiting_lanes(&bench, run).len(), 1, "they share a lane");
    let orders = bench.dial();
    let to: Vec<&str> = orders.iter().map(|order| order.to.as_str()).collect();
    let of = |index: usize| people[index].devices[0].address.as_str();
    assert_eq!(to, [of(1), of(3)]);
    let nine = NOON.plus(7 * HOUR);
    assert_eq!(orders[0].expires, Some(nine), "21:00 in New York");
    let before = bench.step(Vec::new());
    let seven = NOON.plus(5 * HOUR);
    assert!(before.next_wake <= seven, "it looks when they may be tried");
    bench.assert_sound(run);
    bench.now = seven.plus(-1);
    assert!(bench.step(Vec::new()).orders[0].is_empty());
    bench.now = seven;
    let orders = bench.dial();
    let to: Vec<&str> = orders.iter().map(|order| order.to.as_str()).collect();
    assert_eq!(to, [of(0), of(2)]);
    assert_eq!(orders[0].expires, Some(nine));
    bench.assert_sound(run);
}

#[test]
fn who_may_be_tried_does_not_wait_behind_who_may_not() {
    let mut bench = Bench::new();
    let people = (0..400)
        .map(|number| match number {
            0..300 => in_tokyo(number),
            _ => new_yorker(number, 1),
        })
        .collect();
    let mut pass = fast(1);
    pass.contacts_per_minute = Some(60.0);
    let run = crowded(&mut bench, people, vec![pass]);
    let mut sent = 0;
    for _ in 0..20 {
        sent += bench.step(Vec::new()).orders[0].len();
        bench.wait(SECOND);
    }
    assert!(sent >= 19, "{sent} in 20 seconds, one a second");
    bench.assert_sound(run);
}

#[test]
fn a_mixed_lane_ends_with_the_windows_of_its_contacts() {
    let mut bench = Bench::new();
    bench.room = 0;
    let people = vec![in_tokyo(0), new_yorker(1, 1)];
    let run = crowded(&mut bench, people, vec![fast(1)]);
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Running);
    bench.now = NOON.plus(8 * HOUR);
    bench.room = 10;
    assert!(bench.dial().is_empty());
    assert_eq!(bench.counters(run).pending, 0, "they have left the pass");
    bench.step(Vec::new());
    assert_eq!(bench.row(run).state, State::Awaiting);
    bench.assert_sound(run);
}

#[test]
fn rules_bind_in_mixed_lanes() {
    let mut bench = Bench::new();
    bench.room = 0;
    let run = bench.run(2, vec![fast(1)]);
    bench.step(Vec::new());
    world::crowd(&bench.store, run).expect("stored");
    // A finer region would give them a lane of their own, which there is no more.
    world::forbid(&bench.store, bench.installation, "US-NY", bench.now).expect("stored");
    bench.room = 10;
    bench.wait(MINUTE);
    assert!(bench.dial().is_empty());
    bench.do_chores();
    bench.step(Vec::new());
    let denied = bench.read(move |snapshot| snapshot.denials_by_reason(run));
    assert_eq!(denied, [(Reason::LocationRule, 2)]);
    bench.assert_sound(run);
}

#[test]
fn lanes_that_exist_are_used_though_there_are_too_many() {
    let mut bench = Bench::new();
    bench.room = 0;
    let people = vec![new_yorker(0, 1), in_tokyo(1)];
    let (store, installation, now) = (&bench.store, bench.installation, bench.now);
    let passes = vec![fast(1)];
    let run = world::sub_campaign(store, installation, people, passes, now).expect("stored");
    bench.do_chores();
    bench.step(Vec::new());
    let own = waiting_lanes(&bench, run);
    assert_eq!(own.len(), 2);
    world::crowd(&bench.store, run).expect("stored");
    bench.room = 10;
    assert_eq!(bench.dial().len(), 1);
    assert_eq!(waiting_lanes(&bench, run), own[1..]);
    bench.assert_sound(run);
}

#[test]
fn a_batch_that_was_admitted_late_shares_the_mixed_lane() -> Result<(), Error> {
    let mut bench = Bench::new();
    let mut pass = fast(3);
    pass.pacing = Some(carillon_model::PacingType::Auto);
    let (store, installation, now) = (&bench.store, bench.installation, bench.now);
    let home = world::on_demand(store, installation, vec![pass], now)?;
    world::crowd(store, home)?;
    let people = vec![in_tokyo(0), new_yorker(1, 1)];
    world::batch(&bench.store, installation, home, people, now, 60, now)?;
    assert_eq!(waiting_lanes(&bench, home).len(), 1);
    assert_eq!(bench.dial().len(), 1);
    bench.assert_sound(home);
    bench.wait(HOUR);
    bench.do_chores();
    assert!(bench.dial().is_empty());
    assert_eq!(bench.counters(home).pending, 0, "what is left expires");
    bench.assert_sound(home);
    Ok(())
}
