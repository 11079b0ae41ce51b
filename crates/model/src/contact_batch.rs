//! ContactBatches: contacts handed in at once, run on the engine inside an OnDemand SubCampaign.

use crate::entity::Base;
use crate::{
    AgentGroupId, BatchId, CampaignId, Moment, OrgId, ScriptId, StrategyId, SubCampaignId, UserId,
};
use serde::{Deserialize, Serialize};

/// A ContactBatch (`entities.md` 4.6). A nameless batch has the externalId "" here and null on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContactBatch {
    /// Base fields.
    pub base: Base,
    /// Its Account.
    pub owner: OrgId,
    /// Its Campaign.
    pub campaign: CampaignId,
    /// The OnDemand SubCampaign it runs in.
    pub sub_campaign: SubCampaignId,
    /// Fixed once defined.
    pub outreach_strategy: StrategyId,
    /// Fixed once defined.
    pub script: ScriptId,
    /// Fixed once defined.
    pub agent_group: Option<AgentGroupId>,
    /// The agent whose conversations the attempts are.
    pub agent: Option<UserId>,
    /// When it starts.
    pub requested_start_time: Moment,
    /// 1 … 720.
    pub max_duration_minutes: u32,
    /// 1 … 10, weight among the Account's batches.
    pub priority: u8,
}

crate::entity!(ContactBatch, Batch, BatchId, |batch| batch.campaign.0, {
    (!batch.base.external_id.is_empty()).then(|| crate::name::fold(&batch.base.external_id))
});

impl ContactBatch {
    /// The moment at which whatever is left expires.
    pub fn end(&self) -> Moment {
        self.requested_start_time
            .plus(i64::from(self.max_duration_minutes) * crate::moment::MINUTE)
    }
}
