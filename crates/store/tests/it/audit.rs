//! The audit trail: by id, for some Orgs, in a window.

use crate::common::{read, refused, write};
use carillon_model::{Moment, OrgId, SystemEventId, UserId};
use carillon_store::Store;
use carillon_store::audit::SystemEvent;

fn event(id: i64, owner: i64) -> SystemEvent {
    SystemEvent {
        id: SystemEventId(id),
        owner: OrgId(owner),
        at: Moment(100 + id),
        user: UserId(1),
        action: "createCampaign".into(),
        subject: format!("campaign {id}"),
        detail: "{}".into(),
    }
}

contract! {
    fn events_are_read_in_pages(store: &Store) {
        write(store, |unit| unit.append_system_events(&[event(1, 7), event(2, 8), event(3, 9)]));
        write(store, |unit| unit.append_system_events(&[event(4, 7), event(5, 8)]));
        let page = |owners: &'static [i64], from: i64, to: i64, after: i64, limit: usize| {
            let owners: Vec<OrgId> = owners.iter().copied().map(OrgId).collect();
            let events = read(store, move |snapshot| snapshot.system_events(&owners, Moment(from), Moment(to), SystemEventId(after), limit));
            events.iter().map(|event| event.id.0).collect::<Vec<_>>()
        };
        assert_eq!(page(&[8, 7, 7], 0, 999, 0, 3), [1, 2, 4]);
        assert_eq!(page(&[8, 7], 0, 999, 4, 3), [5]);
        assert_eq!(page(&[7, 8, 9], 102, 105, 0, 9), [2, 3, 4]);
        assert_eq!(page(&[], 0, 999, 0, 9), [0; 0]);
        assert_eq!(read(store, |snapshot| snapshot.system_events(&[OrgId(9)], Moment(0), Moment(999), SystemEventId(0), 9)), [event(3, 9)]);
        refused(store, |unit| unit.append_system_events(&[event(1, 7)]));
    }
}
