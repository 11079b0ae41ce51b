//! The queue: claimed in key order, counted by lane, nothing claimed twice.

use crate::common::{read, refused, write};
use carillon_model::{ContactId, Moment, SubCampaignId};
use carillon_store::queue::{Place, Waiting};
use carillon_store::{Error, Store};

const RUN: SubCampaignId = SubCampaignId(70);
const NEIGHBOUR: SubCampaignId = SubCampaignId(71);

fn place(pass: u16, lane: u32, due: i64, rank: i64, contact: i64) -> Place {
    Place {
        pass,
        lane,
        due: Moment(due),
        rank,
        contact: ContactId(contact),
    }
}

fn enqueue(store: &Store, run: SubCampaignId, places: &[Place]) {
    let places = places.to_vec();
    write(store, move |unit| unit.enqueue(run, &places));
}

fn claim(store: &Store, lane: u32, now: i64, limit: usize) -> Vec<i64> {
    let places = write(store, move |unit| {
        unit.claim(RUN, 0, lane, Moment(now), limit)
    });
    places.iter().map(|place| place.contact.0).collect()
}

contract! {
    fn claims_come_in_key_order(store: &Store) {
        enqueue(store, RUN, &[place(0, 1, 0, 9, 3), place(0, 1, 0, 2, 8), place(0, 1, 0, 2, 5), place(0, 1, 40, -7, 1), place(0, 1, 0, -1, 2)]);
        assert_eq!(claim(store, 1, 39, 3), [2, 5, 8]);
        assert_eq!(claim(store, 1, 39, 3), [3]);
        assert_eq!(claim(store, 1, 39, 3), [0; 0]);
        assert_eq!(claim(store, 1, 40, 3), [1]);
    }

    fn a_claim_goes_back_to_what_was_put_before_it(store: &Store) {
        enqueue(store, RUN, &[place(0, 1, 10, 1, 1), place(0, 1, 10, 2, 2)]);
        assert_eq!(claim(store, 1, 10, 1), [1]);
        enqueue(store, RUN, &[place(0, 1, 5, 9, 9)]);
        assert_eq!(claim(store, 1, 10, 5), [9, 2]);
    }

    fn lanes_passes_and_runs_are_apart(store: &Store) {
        enqueue(store, RUN, &[place(0, 1, 0, 1, 1), place(0, 2, 0, 1, 2), place(1, 1, 0, 1, 3)]);
        enqueue(store, NEIGHBOUR, &[place(0, 1, 0, 1, 4)]);
        assert_eq!(claim(store, 1, 0, 10), [1]);
        let waiting = read(store, |snapshot| snapshot.waiting(RUN));
        assert_eq!(waiting, [Waiting { pass: 0, lane: 2, contacts: 1 }, Waiting { pass: 1, lane: 1, contacts: 1 }]);
        assert_eq!(read(store, |snapshot| snapshot.waiting(NEIGHBOUR)).len(), 1);
    }

    fn waiting_follows_every_change(store: &Store) {
        let lane = |store: &Store| read(store, |snapshot| snapshot.waiting(RUN)).iter().map(|waiting| waiting.contacts).sum::<i64>();
        let places: Vec<Place> = (0..10).map(|n| place(0, 1, 0, n, n)).collect();
        enqueue(store, RUN, &places);
        enqueue(store, RUN, &places[..3]);
        assert_eq!(lane(store), 10, "a place that is taken stays one place");
        claim(store, 1, 0, 4);
        assert_eq!(lane(store), 6);
        let asked = places.clone();
        assert_eq!(write(store, move |unit| unit.dequeue(RUN, &asked[2..6])), [false, false, true, true]);
        assert_eq!(lane(store), 4);
        refused(store, |unit| {
            unit.claim(RUN, 0, 1, Moment(0), 2)?;
            Err::<(), _>(Error::NameInUse)
        });
        assert_eq!(lane(store), 4);
        assert_eq!(claim(store, 1, 0, 100), [6, 7, 8, 9]);
        assert_eq!(read(store, |snapshot| snapshot.waiting(RUN)), []);
    }

    fn the_head_says_when_a_lane_is_due(store: &Store) {
        enqueue(store, RUN, &[place(0, 1, 70, 1, 1), place(0, 1, 60, 2, 2)]);
        assert_eq!(read(store, |snapshot| snapshot.next_due(RUN, 0, 1)), Some(Moment(60)));
        assert_eq!(read(store, |snapshot| snapshot.next_due(RUN, 0, 2)), None);
        assert!(read(store, |snapshot| snapshot.is_waiting(RUN, &place(0, 1, 60, 2, 2))));
        assert!(!read(store, |snapshot| snapshot.is_waiting(RUN, &place(0, 1, 61, 2, 2))));
    }

    fn a_sweep_takes_what_is_not_due_too(store: &Store) {
        enqueue(store, RUN, &[place(0, 1, i64::MAX, 1, 1), place(0, 1, 60, 2, 2), place(0, 1, 61, 2, 3)]);
        let swept = write(store, |unit| unit.sweep(RUN, 0, 1, 2));
        assert_eq!(swept, [place(0, 1, 60, 2, 2), place(0, 1, 61, 2, 3)]);
        assert_eq!(write(store, |unit| unit.sweep(RUN, 0, 1, 2)), [place(0, 1, i64::MAX, 1, 1)]);
        assert_eq!(write(store, |unit| unit.sweep(RUN, 0, 1, 2)), []);
    }

    fn lanes_are_numbered_by_their_facts(store: &Store) {
        let numbers = write(store, |unit| {
            Ok([unit.intern_lane(RUN, b"east")?, unit.intern_lane(RUN, b"west")?, unit.intern_lane(RUN, b"east")?, unit.intern_lane(NEIGHBOUR, b"west")?])
        });
        assert_eq!(numbers, [1, 2, 1, 1]);
        let lanes = read(store, |snapshot| snapshot.lanes(RUN));
        assert_eq!(lanes.iter().map(|lane| (lane.number, lane.facts.as_slice())).collect::<Vec<_>>(), [(1, &b"east"[..]), (2, b"west")]);
    }
}
