//! Verdicts: the first denial of a contact stays, and the counts follow.

use crate::common::{read, write};
use carillon_model::{ContactId, Moment, Reason, RuleId, SubCampaignId};
use carillon_store::Store;
use carillon_store::verdict::{Denial, Judgement};

const RUN: SubCampaignId = SubCampaignId(4);

fn denial(contact: i64, reason: Reason) -> Denial {
    let rule = (contact % 2 == 0).then_some((RuleId(9), 3));
    Denial {
        run: RUN,
        contact: ContactId(contact),
        at: Moment(contact),
        reason,
        rule,
    }
}

contract! {
    fn the_first_denial_stays(store: &Store) {
        write(store, |unit| unit.put_denials(&[denial(1, Reason::OptedOut), denial(2, Reason::RegionRule), denial(1, Reason::NoDevice)]));
        write(store, |unit| unit.put_denials(&[denial(2, Reason::NoDevice), denial(3, Reason::OptedOut)]));
        assert_eq!(read(store, |snapshot| snapshot.denial(RUN, ContactId(1))), Some(denial(1, Reason::OptedOut)));
        assert_eq!(read(store, |snapshot| snapshot.denial(RUN, ContactId(2))), Some(denial(2, Reason::RegionRule)));
        assert_eq!(read(store, |snapshot| snapshot.denial(RUN, ContactId(9))), None);
        assert_eq!(read(store, |snapshot| snapshot.denials_by_reason(RUN)), [(Reason::OptedOut, 2), (Reason::RegionRule, 1)]);
        assert_eq!(read(store, |snapshot| snapshot.denials_by_reason(SubCampaignId(5))), []);
    }

    fn judgements_come_in_the_order_they_were_kept(store: &Store) {
        let judgement = |at: i64| Judgement {
            run: RUN,
            at: Moment(at),
            lane: (at > 5).then_some(2),
            until: (at > 5).then_some(Moment(99)),
            reason: (at > 5).then_some(Reason::AccountHours),
            basis: format!("{{\"at\":{at}}}"),
        };
        write(store, move |unit| {
            unit.put_judgement(&judgement(7))?;
            unit.put_judgement(&judgement(3))?;
            unit.put_judgement(&Judgement { run: SubCampaignId(5), ..judgement(1) })
        });
        assert_eq!(read(store, |snapshot| snapshot.judgements(RUN, 10)), [judgement(7), judgement(3)]);
        assert_eq!(read(store, |snapshot| snapshot.judgements(RUN, 1)), [judgement(7)]);
    }
}
