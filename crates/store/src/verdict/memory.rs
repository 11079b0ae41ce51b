//! Denials and judgements in memory.

use super::{Denial, Judgement, VerdictRead, VerdictWrite};
use crate::Result;
use crate::memory::State;
use carillon_model::{ContactId, Reason, SubCampaignId};
use imbl::{OrdMap, Vector};

/// Denials by contact and counted by reason; judgements in the order they were kept.
#[derive(Clone, Default)]
pub(crate) struct Verdicts {
    denials: OrdMap<(SubCampaignId, ContactId), Denial>,
    counts: OrdMap<(SubCampaignId, Reason), i64>,
    judgements: OrdMap<SubCampaignId, Vector<Judgement>>,
}

impl VerdictRead for State {
    fn denial(&self, run: SubCampaignId, contact: ContactId) -> Result<Option<Denial>> {
        Ok(self.verdict.denials.get(&(run, contact)).cloned())
    }

    fn denials_by_reason(&self, run: SubCampaignId) -> Result<Vec<(Reason, i64)>> {
        let from = self.verdict.counts.range((run, Reason::ALL[0])..);
        Ok(from
            .take_while(|((of, _), _)| *of == run)
            .map(|((_, reason), contacts)| (*reason, *contacts))
            .collect())
    }

    fn judgements(&self, run: SubCampaignId, limit: usize) -> Result<Vec<Judgement>> {
        let judgements = self.verdict.judgements.get(&run);
        Ok(judgements
            .map(|judgements| judgements.iter().take(limit).cloned().collect())
            .unwrap_or_default())
    }
}

impl VerdictWrite for State {
    fn put_denials(&mut self, denials: &[Denial]) -> Result<()> {
        for denial in denials {
            let key = (denial.run, denial.contact);
            if !self.verdict.denials.contains_key(&key) {
                self.verdict.denials.insert(key, denial.clone());
                *self
                    .verdict
                    .counts
                    .entry((denial.run, denial.reason))
                    .or_insert(0) += 1;
            }
        }
        Ok(())
    }

    fn put_judgement(&mut self, judgement: &Judgement) -> Result<()> {
        self.verdict
            .judgements
            .entry(judgement.run)
            .or_default()
            .push_back(judgement.clone());
        Ok(())
    }
}
