//! Kept answers: the first one stays for a day.

use crate::common::{read, write};
use carillon_model::moment::DAY;
use carillon_model::{Moment, OrgId};
use carillon_store::Store;
use carillon_store::idempotency::KeptAnswer;

fn answer(body: &str, at: i64) -> KeptAnswer {
    KeptAnswer {
        org: OrgId(1),
        method: "createCampaign".into(),
        key: "k".into(),
        request: [7; 32],
        status: 200,
        body: body.into(),
        at: Moment(at),
    }
}

fn kept(store: &Store, since: i64) -> Option<KeptAnswer> {
    read(store, move |snapshot| {
        snapshot.kept_answer(OrgId(1), "createCampaign", "k", Moment(since))
    })
}

contract! {
    fn an_answer_is_kept_for_a_day(store: &Store) {
        write(store, |unit| unit.keep_answer(&answer("first", 10)));
        assert_eq!(kept(store, 10), Some(answer("first", 10)));
        assert_eq!(kept(store, 11), None);
        write(store, |unit| unit.keep_answer(&answer("too early", 10 + DAY)));
        assert_eq!(kept(store, 0), Some(answer("first", 10)));
        write(store, |unit| unit.keep_answer(&answer("second", 11 + DAY)));
        assert_eq!(kept(store, 0), Some(answer("second", 11 + DAY)));
        for (org, method, key) in [(2, "createCampaign", "k"), (1, "createUser", "k"), (1, "createCampaign", "K")] {
            assert_eq!(read(store, move |snapshot| snapshot.kept_answer(OrgId(org), method, key, Moment(0))), None);
        }
    }

    fn old_answers_are_dropped(store: &Store) {
        write(store, |unit| {
            unit.keep_answer(&answer("first", 10))?;
            unit.keep_answer(&KeptAnswer { key: "other".into(), ..answer("second", 20) })
        });
        assert_eq!(write(store, |unit| unit.drop_answers(Moment(20))), 1);
        assert_eq!(kept(store, 0), None);
        assert_eq!(write(store, |unit| unit.drop_answers(Moment(21))), 1);
    }
}
