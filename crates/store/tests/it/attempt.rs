//! The ledger: facts are added once each, open attempts are found, receipts find their attempt.

use crate::common::{accepted, attempt, contact, ended, in_batch, read, refused, write};
use carillon_model::attempt::{Attempt, Fact};
use carillon_model::contact::DeviceKey;
use carillon_model::{
    AttemptId, AttemptResult, AttemptState, BatchId, ContactId, Direction, Moment, Reason,
    SubCampaignId,
};
use carillon_store::Store;
use carillon_store::attempt::{Added, AttemptQuery, AttemptsOf};

const PHONE: &str = "+12075550111";

fn add(store: &Store, id: i64, fact: Fact) -> Added {
    write(store, move |unit| unit.add_facts(&[(AttemptId(id), fact)])).remove(0)
}

fn write_all(store: &Store, attempts: Vec<Attempt>) {
    write(store, move |unit| unit.write_attempts(&attempts));
}

fn of(store: &Store, of: AttemptsOf) -> Vec<i64> {
    page(
        store,
        AttemptQuery {
            of,
            from: Moment(0),
            to: Moment::NEVER,
            after: AttemptId(0),
            limit: 100,
        },
    )
}

fn page(store: &Store, query: AttemptQuery) -> Vec<i64> {
    ids(&read(store, move |snapshot| snapshot.attempts_of(&query)))
}

fn ids(attempts: &[Attempt]) -> Vec<i64> {
    attempts.iter().map(|attempt| attempt.id.0).collect()
}

contract! {
    fn attempts_come_back_as_they_went(store: &Store) {
        let full = Attempt {
            accepted: Some(Moment(5)),
            parts: 3,
            parts_delivered: 2,
            ended: Some(Moment(9)),
            result: Some(AttemptResult::Filtered),
            reason: Some(Reason::OptedOut),
            script_result: Some(AttemptResult::Failed),
            carrier_status: Some("stat:EXPIRED".into()),
            archived: true,
            ..in_batch(attempt(2, 1, 11, "ann@example.org"), 8)
        };
        // An address that its key does not tell, with a key that is no phone's.
        let odd = Attempt { device: DeviceKey(0), address: "CARILLON".into(), direction: Direction::Inbound, ..attempt(3, 0, 0, PHONE) };
        let zero = attempt(4, 0, 0, "+0012075550111");
        let all = vec![attempt(1, 1, 10, PHONE), full, odd, zero];
        write_all(store, all.clone());
        let found = read(store, |snapshot| snapshot.attempts(&[3, 9, 1, 2, 4].map(AttemptId)));
        assert_eq!(found, [Some(all[2].clone()), None, Some(all[0].clone()), Some(all[1].clone()),
 Some(all[3].clone())]);
    }

    fn an_id_is_written_once(store: &Store) {
        write_all(store, vec![attempt(1, 1, 10, PHONE)]);
        refused(store, |unit| unit.write_attempts(&[attempt(1, 2, 10, PHONE)]));
        assert_eq!(read(store, |snapshot| snapshot.count_open_attempts(SubCampaignId(2))), 0);
    }

    fn each_fact_is_added_once(store: &Store) {
        write_all(store, vec![attempt(1, 1, 10, PHONE)]);
        assert!(matches!(add(store, 1, Fact::PartDelivered), Added::Refused(_)), "no part was taken yet");
        let Added::Added(taken) = add(store, 1, accepted(20, &["m1", "m2"])) else { panic!("added") };
        assert_eq!((taken.state(), taken.accepted, taken.parts), (AttemptState::Active, Some(Moment(20)), 2));
        assert_eq!(add(store, 1, accepted(21, &["m3"])), Added::Refused(taken));
        assert!(matches!(add(store, 1, Fact::PartDelivered), Added::Added(_)));
        assert!(matches!(add(store, 1, Fact::PartDelivered), Added::Added(_)));
        let Added::Refused(delivered) = add(store, 1, Fact::PartDelivered) else { panic!("only two parts") };
        assert_eq!(delivered.parts_delivered, 2);
        let Added::Added(done) = add(store, 1, ended(30, AttemptResult::Success)) else { panic!("added") };
        assert_eq!((done.state(), done.ended, done.result), (AttemptState::Done, Some(Moment(30)), Some(AttemptResult::Success)));
        for late in [ended(31, AttemptResult::Failed), accepted(31, &["m4"]), Fact::PartDelivered] {
            assert_eq!(add(store, 1, late), Added::Refused(done.clone()));
        }
        assert_eq!(add(store, 9, Fact::PartDelivered), Added::Missing);
        assert_eq!(read(store, |snapshot| snapshot.attempts(&[AttemptId(1)])), [Some(done)]);
    }

    fn facts_of_one_call_build_on_each_other(store: &Store) {
        write_all(store, vec![attempt(1, 1, 10, PHONE)]);
        let added = write(store, |unit| {
            let id = AttemptId(1);
            unit.add_facts(&[(id, accepted(5, &["m"])), (id, Fact::PartDelivered), (id, ended(6, AttemptResult::Success)), (id, ended(7, AttemptResult::Failed))])
        });
        let kinds: Vec<bool> = added.iter().map(|one| matches!(one, Added::Added(_))).collect();
        assert_eq!(kinds, [true, true, true, false]);
        assert_eq!(read(store, |snapshot| snapshot.count_open_attempts(SubCampaignId(1))), 0);
    }

    fn corrections_follow_the_table(store: &Store) {
        use AttemptResult::{Busy, Failed, Success, Unknown};
        let table = [
            (None, Failed, false),
            (Some(Success), Failed, true),
            (Some(Success), Unknown, false),
            (Some(Success), Success, false),
            (Some(Unknown), Success, true),
            (Some(Unknown), Busy, true),
            (Some(Unknown), Unknown, false),
            (Some(Failed), Success, false),
        ];
        for (index, (before, after, allowed)) in table.into_iter().enumerate() {
            let id = index as i64 + 1;
            write_all(store, vec![attempt(id, 1, id, PHONE)]);
            if let Some(before) = before {
                add(store, id, ended(5, before));
            }
            let answer = add(store, id, Fact::Corrected { result: after, carrier_status: None });
            assert_eq!(matches!(answer, Added::Added(_)), allowed, "{before:?} to {after:?}");
            if let Added::Added(corrected) = answer {
                assert_eq!(corrected.result, Some(after));
                assert_eq!(corrected.carrier_status.as_deref(), Some("stat:DELIVRD"), "kept when the report says nothing");
                assert_eq!(read(store, move |snapshot| snapshot.attempts(&[AttemptId(id)])), [Some(corrected)]);
            }
        }
    }

    fn open_attempts_are_found(store: &Store) {
        let mut attempts: Vec<Attempt> = (1..=6).map(|id| attempt(id, id % 2, id, PHONE)).collect();
        attempts[1].carrier = "second".into();
        attempts[3].carrier = "second".into();
        attempts[5].result = Some(AttemptResult::Unknown);
        write_all(store, attempts);
        let open = |after: i64, limit| ids(&read(store, move |snapshot| snapshot.open_attempts(AttemptId(after), limit)));
        assert_eq!(open(0, 10), [1, 2, 3, 4, 5]);
        assert_eq!(open(2, 2), [3, 4]);
        assert_eq!(read(store, |snapshot| snapshot.count_open_attempts(SubCampaignId(1))), 3);
        assert_eq!(read(store, |snapshot| snapshot.count_open_attempts(SubCampaignId(0))), 2);
        for id in [5, 1, 2] {
            add(store, id, accepted(50 - id, &[]));
        }
        let of_carrier = |carrier: &'static str| ids(&read(store, move |snapshot| snapshot.open_attempts_of_carrier(carrier, 10)));
        assert_eq!(of_carrier("first"), [1, 5]);
        assert_eq!(of_carrier("second"), [2]);
        assert_eq!(of_carrier("third"), [0; 0]);
        add(store, 1, ended(60, AttemptResult::Success));
        assert_eq!(open(0, 10), [2, 3, 4, 5]);
        assert_eq!(of_carrier("first"), [5]);
        assert_eq!(read(store, |snapshot| snapshot.count_open_attempts(SubCampaignId(1))), 2);
    }

    fn attempts_are_found_by_contact_device_batch_and_run(store: &Store) {
        write(store, |unit| unit.put_contacts(5, &[contact(10, "C-1", &[PHONE, "+12075550112"]), contact(11, "C-2", &[PHONE])]));
        write_all(store, vec![
            attempt(1, 1, 10, PHONE),
            in_batch(attempt(2, 2, 11, PHONE), 8),
            attempt(3, 1, 10, "+12075550112"),
            // Unknown sender, and a device that is none of the contact's.
            attempt(4, 0, 0, PHONE),
            attempt(5, 1, 12, PHONE),
        ]);
        assert_eq!(of(store, AttemptsOf::Contacts([11, 10, 10].map(ContactId).into())), [1, 2, 3]);
        assert_eq!(of(store, AttemptsOf::Device(DeviceKey::of(PHONE))), [1, 2, 4, 5]);
        assert_eq!(of(store, AttemptsOf::Batch(BatchId(8))), [2]);
        assert_eq!(of(store, AttemptsOf::Run(SubCampaignId(1))), [1, 3, 5]);
        assert_eq!(of(store, AttemptsOf::Run(SubCampaignId(7))), [0; 0]);
    }

    fn pages_of_attempts_go_on_and_respect_the_window(store: &Store) {
        write_all(store, (1..=9).map(|id| attempt(id, 1, id % 3, PHONE)).collect());
        let query = |of, from: i64, to: i64, after: i64, limit| AttemptQuery { of, from: Moment(1_000 + from), to: Moment(1_000 + to), after: AttemptId(after), limit };
        for kind in [AttemptsOf::Run(SubCampaignId(1)), AttemptsOf::Device(DeviceKey::of(PHONE)), AttemptsOf::Contacts([0, 1, 2].map(ContactId).into())] {
            assert_eq!(page(store, query(kind.clone(), 3, 8, 0, 3)), [3, 4, 5], "{kind:?}");
            assert_eq!(page(store, query(kind.clone(), 3, 8, 5, 3)), [6, 7], "{kind:?}");
            assert_eq!(page(store, query(kind.clone(), 8, 8, 0, 3)), [0; 0], "{kind:?}");
        }
    }

    fn receipts_find_their_attempt(store: &Store) {
        let mut other = attempt(2, 1, 11, PHONE);
        other.carrier = "second".into();
        write_all(store, vec![attempt(1, 1, 10, PHONE), other]);
        let find = |carrier: &'static str, id: &'static str| read(store, move |snapshot| snapshot.attempt_of_message(carrier, id));
        assert_eq!(find("first", "m1"), None);
        add(store, 1, accepted(5, &["m2", "m1"]));
        add(store, 2, accepted(5, &["m1"]));
        assert_eq!((find("first", "m1"), find("second", "m1"), find("third", "m1")), (Some(AttemptId(1)), Some(AttemptId(2)), None));
        assert_eq!(read(store, |snapshot| snapshot.messages_of_attempt(AttemptId(1))), ["m1", "m2"]);
        assert!(write(store, |unit| unit.forget_message("first", "m1")));
        assert!(!write(store, |unit| unit.forget_message("first", "m1")));
        assert!(!write(store, |unit| unit.forget_message("third", "m1")));
        assert_eq!((find("first", "m1"), find("second", "m1")), (None, Some(AttemptId(2))));
        assert_eq!(read(store, |snapshot| snapshot.messages_of_attempt(AttemptId(1))), ["m2"]);
    }

    fn a_message_id_used_again_means_the_newer_attempt(store: &Store) {
        write_all(store, vec![attempt(1, 1, 10, PHONE), attempt(2, 1, 11, PHONE)]);
        add(store, 1, accepted(5, &["m"]));
        add(store, 2, accepted(6, &["m"]));
        assert_eq!(read(store, |snapshot| snapshot.attempt_of_message("first", "m")), Some(AttemptId(2)));
        assert_eq!(read(store, |snapshot| snapshot.messages_of_attempt(AttemptId(1))), [""; 0]);
    }

    fn old_message_ids_of_ended_attempts_are_forgotten(store: &Store) {
        write_all(store, (1..=5).map(|id| attempt(id, 1, id, PHONE)).collect());
        for (id, message) in [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")] {
            add(store, id, accepted(1_100, &[message]));
        }
        for (id, at) in [(1, 1_200), (3, 1_200), (4, 9_000), (5, 1_200)] {
            add(store, id, ended(at, AttemptResult::Success));
        }
        assert_eq!(write(store, |unit| unit.forget_messages(Moment(1_200), 10)), 0, "ended at, not before");
        assert_eq!(write(store, |unit| unit.forget_messages(Moment(2_000), 2)), 2);
        assert_eq!(write(store, |unit| unit.forget_messages(Moment(2_000), 2)), 1);
        assert_eq!(write(store, |unit| unit.forget_messages(Moment(2_000), 2)), 0);
        let left = ["a", "b", "c", "d", "e"].map(|id| read(store, move |snapshot| snapshot.attempt_of_message("first", id)).is_some());
        assert_eq!(left, [false, true, false, true, false]);
    }

    fn a_reply_finds_the_last_attempt_between_two_addresses(store: &Store) {
        write(store, |unit| unit.put_contacts(5, &[contact(10, "C-1", &[PHONE])]));
        let other_address = Attempt { our_address: "99999".into(), ..attempt(3, 1, 10, PHONE) };
        let inbound = Attempt { direction: Direction::Inbound, ..attempt(4, 1, 10, PHONE) };
        write_all(store, vec![attempt(1, 1, 10, PHONE), attempt(2, 1, 10, PHONE), other_address, inbound]);
        let last = |ours: &'static str| read(store, move |snapshot| snapshot.last_attempt_between(DeviceKey::of(PHONE), ours)).map(|last| last.id.0);
        assert_eq!((last("12345"), last("99999"), last("00000")), (Some(2), Some(3), None));
        write_all(store, vec![attempt(5, 1, 77, PHONE)]);
        assert_eq!(last("12345"), Some(5));
    }

    fn attempts_are_archived(store: &Store) {
        write_all(store, vec![attempt(1, 1, 10, PHONE)]);
        write(store, |unit| unit.archive_attempt(AttemptId(1)));
        assert!(read(store, |snapshot| snapshot.attempts(&[AttemptId(1)]))[0].as_ref().expect("there").archived);
        refused(store, |unit| unit.archive_attempt(AttemptId(2)));
    }
}
