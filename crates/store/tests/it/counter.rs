//! Counters: changes add up, attempts by minute too.

use crate::common::{read, write};
use carillon_model::counter::{Counters, Subject};
use carillon_model::moment::MINUTE;
use carillon_model::{Moment, SubCampaignId};
use carillon_store::Store;

fn attempted(attempted: i64) -> Counters {
    Counters {
        attempted,
        active: -1,
        ..Counters::default()
    }
}

contract! {
    fn changes_add_up(store: &Store) {
        let whole = Subject::whole(SubCampaignId(4));
        let pass = Subject::pass(SubCampaignId(4), 0);
        let loaded = Counters { not_attempted: 10, pending: 10, filtered: 2, ..Counters::default() };
        let tried = Counters { not_attempted: -1, pending: -1, delivered: 1, failed: 3, attempted: 1, active: 1, filtered: 0 };
        write(store, move |unit| unit.count(Moment(0), &[(whole, loaded), (pass, loaded), (whole, tried), (whole, Counters::default())]));
        let found = read(store, move |snapshot| snapshot.counters(&[pass, Subject::whole(SubCampaignId(5)), whole]));
        let expected = Counters { filtered: 2, not_attempted: 9, delivered: 1, failed: 3, attempted: 1, active: 1, pending: 9 };
        assert_eq!(found, [loaded, Counters::default(), expected]);
    }

    fn attempts_are_counted_by_minute(store: &Store) {
        let whole = Subject::whole(SubCampaignId(4));
        let pass = Subject::pass(SubCampaignId(4), 1);
        write(store, move |unit| {
            unit.count(Moment(0), &[(whole, attempted(1)), (pass, attempted(100))])?;
            unit.count(Moment(MINUTE - 1), &[(whole, attempted(2))])?;
            unit.count(Moment(MINUTE), &[(whole, attempted(4))])?;
            unit.count(Moment(3 * MINUTE), &[(whole, attempted(8))])
        });
        let between = |from: i64, to: i64| read(store, move |snapshot| snapshot.attempted_between(whole, Moment(from), Moment(to)));
        assert_eq!(between(0, MINUTE), 3);
        assert_eq!(between(30, MINUTE + 1), 7);
        assert_eq!(between(MINUTE, 3 * MINUTE), 4);
        assert_eq!(between(MINUTE, 3 * MINUTE + 1), 12);
        assert_eq!(between(MINUTE, MINUTE), 0);
        assert_eq!(between(5 * MINUTE, 0), 0);
    }
}
