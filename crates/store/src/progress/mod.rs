//! What contacts have behind them in a run: one row per contact that was tried or has left. A projection of the ledger,
//! kept because the next decision needs it.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::run::Progress;
use carillon_model::{ContactId, SubCampaignId};

/// Reading progress.
pub trait ProgressRead {
    /// The progress of contacts in a run, in the order asked.
    fn progress(&self, run: SubCampaignId, contacts: &[ContactId])
    -> Result<Vec<Option<Progress>>>;
}

/// Writing progress.
pub trait ProgressWrite {
    /// Adds or replaces progress.
    fn put_progress(&mut self, progress: &[Progress]) -> Result<()>;
}
