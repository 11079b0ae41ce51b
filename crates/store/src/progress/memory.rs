//! Progress in memory.

use super::{ProgressRead, ProgressWrite};
use crate::Result;
use crate::memory::State;
use carillon_model::run::Progress;
use carillon_model::{ContactId, SubCampaignId};
use imbl::OrdMap;
use std::sync::Arc;

/// Progress by run and contact.
#[derive(Clone, Default)]
pub(crate) struct ProgressTable(OrdMap<(SubCampaignId, ContactId), Arc<Progress>>);

impl ProgressRead for State {
    fn progress(
        &self,
        run: SubCampaignId,
        contacts: &[ContactId],
    ) -> Result<Vec<Option<Progress>>> {
        let find = |contact: &ContactId| {
            self.progress
                .0
                .get(&(run, *contact))
                .map(|one| Progress::clone(one))
        };
        Ok(contacts.iter().map(find).collect())
    }
}

impl ProgressWrite for State {
    fn put_progress(&mut self, progress: &[Progress]) -> Result<()> {
        for one in progress {
            self.progress
                .0
                .insert((one.run, one.contact), Arc::new(one.clone()));
        }
        Ok(())
    }
}
