//! Progress: one row for a contact in a run, replaced as a whole.

use crate::common::{read, write};
use carillon_model::run::{PassResult, Place, Progress};
use carillon_model::{AttemptResult, ContactId, Moment, Reason, SubCampaignId};
use carillon_store::Store;

fn progress(run: i64, contact: i64, results: usize) -> Progress {
    let result = |index: usize| PassResult {
        pass: index as u16 * 300,
        result: AttemptResult::ALL[index % AttemptResult::ALL.len()],
        script: (index % 2 == 1).then_some(AttemptResult::Success),
    };
    Progress {
        run: SubCampaignId(run),
        contact: ContactId(contact),
        place: if results.is_multiple_of(2) {
            Place::Waiting
        } else {
            Place::Finished
        },
        pass: 3,
        lane: u32::MAX,
        rank: -4,
        due: Moment(55),
        attempts: 6,
        device_next: 255,
        bad_devices: u16::MAX,
        delivered: true,
        attempted: false,
        results: (0..results).map(result).collect(),
        reason: (results > 3).then_some(Reason::Removed),
    }
}

contract! {
    fn progress_comes_back_in_the_order_asked(store: &Store) {
        write(store, |unit| unit.put_progress(&[progress(1, 10, 0), progress(1, 11, 5), progress(2, 10, 3)]));
        let found = read(store, |snapshot| snapshot.progress(SubCampaignId(1), &[11, 12, 10].map(ContactId)));
        assert_eq!(found, [Some(progress(1, 11, 5)), None, Some(progress(1, 10, 0))]);
        write(store, |unit| unit.put_progress(&[progress(1, 10, 7)]));
        assert_eq!(read(store, |snapshot| snapshot.progress(SubCampaignId(1), &[ContactId(10)])), [Some(progress(1, 10, 7))]);
        assert_eq!(read(store, |snapshot| snapshot.progress(SubCampaignId(2), &[ContactId(10)])), [Some(progress(2, 10, 3))]);
    }
}
