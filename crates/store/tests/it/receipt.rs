//! Early receipts: kept until taken or too old.

use crate::common::{read, write};
use carillon_model::Moment;
use carillon_store::Store;
use carillon_store::receipt::EarlyReceipt;

fn receipt(carrier: &str, message_id: &str, at: i64) -> EarlyReceipt {
    EarlyReceipt {
        carrier: carrier.into(),
        message_id: message_id.into(),
        at: Moment(at),
        delivered: at % 2 == 0,
        status: format!("stat {at}"),
    }
}

contract! {
    fn receipts_wait_for_their_answer(store: &Store) {
        write(store, |unit| unit.keep_receipts(&[receipt("first", "m1", 1), receipt("second", "m1", 2), receipt("first", "m1", 4)]));
        assert_eq!(read(store, |snapshot| snapshot.count_early_receipts()), 2);
        assert_eq!(write(store, |unit| unit.take_receipts("first", &["m0", "m1", "m1"])), [receipt("first", "m1", 4)]);
        assert_eq!(write(store, |unit| unit.take_receipts("first", &["m1"])), []);
        assert_eq!(write(store, |unit| unit.take_receipts("third", &["m1"])), []);
        assert_eq!(read(store, |snapshot| snapshot.count_early_receipts()), 1);
    }

    fn receipts_nobody_claims_are_dropped(store: &Store) {
        write(store, |unit| unit.keep_receipts(&[receipt("first", "m1", 1), receipt("first", "m2", 2), receipt("first", "m3", 3)]));
        assert_eq!(write(store, |unit| unit.drop_receipts(Moment(3))), 2);
        assert_eq!(write(store, |unit| unit.take_receipts("first", &["m1", "m2", "m3"])), [receipt("first", "m3", 3)]);
    }
}
