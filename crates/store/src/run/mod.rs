//! Runs: how far SubCampaigns and batches have come. Written by clients' requests and by the engine alike; each reads the
//! row in its own unit, so that no attempt is written after the answer to a pause.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::run::{BatchRun, Run};
use carillon_model::{BatchId, SubCampaignId};

/// Reading runs.
pub trait RunRead {
    /// A run.
    fn run(&self, id: SubCampaignId) -> Result<Option<Run>>;
    /// Every run that is not Done or Cancelled, by id.
    fn live_runs(&self) -> Result<Vec<Run>>;
    /// The run of a batch.
    fn batch_run(&self, id: BatchId) -> Result<Option<BatchRun>>;
    /// Batches of a run that are not Done or Cancelled, by id.
    fn live_batches(&self, run: SubCampaignId) -> Result<Vec<BatchRun>>;
    /// Ids of all batches of a run, by id.
    fn batches_of(&self, run: SubCampaignId) -> Result<Vec<BatchId>>;
}

/// Writing runs.
pub trait RunWrite {
    /// Adds or replaces a run and wakes the engine.
    fn put_run(&mut self, run: &Run) -> Result<()>;
    /// Adds or replaces a batch's run and wakes the engine.
    fn put_batch_run(&mut self, batch: &BatchRun) -> Result<()>;
}
