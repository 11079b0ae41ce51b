//! Verdicts kept for proof: why a contact was filtered or skipped, and under which rules a load or a deferral was judged.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::{ContactId, Moment, Reason, RuleId, SubCampaignId};

/// A contact that was denied, at load or at dispatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Denial {
    /// The run.
    pub run: SubCampaignId,
    /// The contact.
    pub contact: ContactId,
    /// When.
    pub at: Moment,
    /// Why.
    pub reason: Reason,
    /// By which rule, in which version; none where no rule but a list or a missing field was the reason.
    pub rule: Option<(RuleId, u32)>,
}

/// A judgement that many contacts share: a load under certain rules, or the deferral of a lane.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The run.
    pub run: SubCampaignId,
    /// When.
    pub at: Moment,
    /// The lane it is about; none = the whole load.
    pub lane: Option<u32>,
    /// Until when it defers.
    pub until: Option<Moment>,
    /// Why it defers.
    pub reason: Option<Reason>,
    /// Rules with versions and the zone data version, as JSON.
    pub basis: String,
}

/// Reading verdicts.
pub trait VerdictRead {
    /// Why a contact of a run was denied, if it was.
    fn denial(&self, run: SubCampaignId, contact: ContactId) -> Result<Option<Denial>>;
    /// Denials of a run by reason.
    fn denials_by_reason(&self, run: SubCampaignId) -> Result<Vec<(Reason, i64)>>;
    /// Judgements of a run, oldest first.
    fn judgements(&self, run: SubCampaignId, limit: usize) -> Result<Vec<Judgement>>;
}

/// Writing verdicts.
pub trait VerdictWrite {
    /// Keeps denials; the first one of a contact in a run stays. The count by reason is kept with them.
    fn put_denials(&mut self, denials: &[Denial]) -> Result<()>;
    /// Keeps a judgement.
    fn put_judgement(&mut self, judgement: &Judgement) -> Result<()>;
}
