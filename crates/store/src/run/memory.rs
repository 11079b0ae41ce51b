//! Runs in memory.

use super::{RunRead, RunWrite};
use crate::Result;
use crate::memory::State;
use crate::meta::{MetaWrite, Topic};
use carillon_model::run::{BatchRun, Run};
use carillon_model::{BatchId, SubCampaignId};
use imbl::{OrdMap, OrdSet};

/// Runs and batches by id, and which are live.
#[derive(Clone, Default)]
pub(crate) struct Runs {
    runs: OrdMap<SubCampaignId, Run>,
    live: OrdSet<SubCampaignId>,
    batches: OrdMap<BatchId, BatchRun>,
    batches_of: OrdSet<(SubCampaignId, BatchId)>,
    live_batches: OrdSet<(SubCampaignId, BatchId)>,
}

const FIRST: BatchId = BatchId(i64::MIN);
const LAST: BatchId = BatchId(i64::MAX);

impl RunRead for State {
    fn run(&self, id: SubCampaignId) -> Result<Option<Run>> {
        Ok(self.run.runs.get(&id).cloned())
    }

    fn live_runs(&self) -> Result<Vec<Run>> {
        Ok(self
            .run
            .live
            .iter()
            .filter_map(|id| self.run.runs.get(id).cloned())
            .collect())
    }

    fn batch_run(&self, id: BatchId) -> Result<Option<BatchRun>> {
        Ok(self.run.batches.get(&id).cloned())
    }

    fn live_batches(&self, run: SubCampaignId) -> Result<Vec<BatchRun>> {
        let range = self.run.live_batches.range((run, FIRST)..=(run, LAST));
        Ok(range
            .filter_map(|(_, id)| self.run.batches.get(id).cloned())
            .collect())
    }

    fn batches_of(&self, run: SubCampaignId) -> Result<Vec<BatchId>> {
        Ok(self
            .run
            .batches_of
            .range((run, FIRST)..=(run, LAST))
            .map(|(_, id)| *id)
            .collect())
    }
}

impl RunWrite for State {
    fn put_run(&mut self, run: &Run) -> Result<()> {
        if run.is_live() {
            self.run.live.insert(run.id);
        } else {
            self.run.live.remove(&run.id);
        }
        self.run.runs.insert(run.id, run.clone());
        self.touch(Topic::Runs)
    }

    fn put_batch_run(&mut self, batch: &BatchRun) -> Result<()> {
        if let Some(old) = self.run.batches.insert(batch.id, batch.clone()) {
            self.run.batches_of.remove(&(old.sub_campaign, old.id));
            self.run.live_batches.remove(&(old.sub_campaign, old.id));
        }
        self.run.batches_of.insert((batch.sub_campaign, batch.id));
        if batch.is_live() {
            self.run.live_batches.insert((batch.sub_campaign, batch.id));
        }
        self.touch(Topic::Runs)
    }
}
