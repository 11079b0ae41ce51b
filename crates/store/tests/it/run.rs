//! Runs and batches: read as written, the live ones found, every change waking.

use crate::common::{read, write};
use carillon_model::run::{BatchRun, Load, Run};
use carillon_model::{
    BatchId, BatchState, CampaignId, Moment, OrgId, PassState, SubCampaignId, SubCampaignState,
    SubCampaignType,
};
use carillon_store::Store;
use carillon_store::meta::Topic;

fn run(id: i64, state: SubCampaignState) -> Run {
    Run {
        id: SubCampaignId(id),
        account: OrgId(2),
        campaign: CampaignId(3),
        run_type: SubCampaignType::Outbound,
        state,
        held: true,
        start_time: Moment(77),
        end_time: None,
        passes: vec![PassState::Pending, PassState::Done],
        load: Load {
            contact_after: 4,
            done: false,
        },
        awaiting_until: Some(Moment(99)),
        version: 5,
    }
}

fn batch(id: i64, run: i64, state: BatchState) -> BatchRun {
    BatchRun {
        id: BatchId(id),
        sub_campaign: SubCampaignId(run),
        state,
        start_time: Moment(1),
        end_time: Moment(2),
        finished: None,
        priority: 50,
    }
}

contract! {
    fn runs_come_back_and_the_live_ones_are_found(store: &Store) {
        write(store, |unit| {
            unit.put_run(&run(3, SubCampaignState::Running))?;
            unit.put_run(&run(1, SubCampaignState::Awaiting))?;
            unit.put_run(&run(2, SubCampaignState::Running))?;
            unit.put_run(&run(2, SubCampaignState::Done))
        });
        assert_eq!(read(store, |snapshot| snapshot.run(SubCampaignId(2))), Some(run(2, SubCampaignState::Done)));
        assert_eq!(read(store, |snapshot| snapshot.run(SubCampaignId(9))), None);
        let live: Vec<i64> = read(store, |snapshot| snapshot.live_runs()).iter().map(|run| run.id.0).collect();
        assert_eq!(live, [1, 3]);
    }

    fn batches_belong_to_runs(store: &Store) {
        write(store, |unit| {
            unit.put_batch_run(&batch(12, 1, BatchState::Queued))?;
            unit.put_batch_run(&batch(11, 1, BatchState::Running))?;
            unit.put_batch_run(&batch(13, 2, BatchState::Running))?;
            unit.put_batch_run(&batch(12, 1, BatchState::Cancelled))
        });
        assert_eq!(read(store, |snapshot| snapshot.batch_run(BatchId(12))), Some(batch(12, 1, BatchState::Cancelled)));
        assert_eq!(read(store, |snapshot| snapshot.live_batches(SubCampaignId(1))), [batch(11, 1, BatchState::Running)]);
        assert_eq!(read(store, |snapshot| snapshot.batches_of(SubCampaignId(1))), [11, 12].map(BatchId));
    }

    fn writing_a_run_touches_and_wakes(store: &Store) {
        let mut wake = store.wake();
        wake.mark_unchanged();
        write(store, |unit| unit.put_run(&run(1, SubCampaignState::Running)));
        assert!(wake.has_changed().expect("open"));
        wake.mark_unchanged();
        write(store, |unit| unit.put_batch_run(&batch(1, 1, BatchState::Running)));
        assert!(wake.has_changed().expect("open"));
        assert_eq!(read(store, |snapshot| snapshot.epoch(Topic::Runs)), 2);
    }
}
