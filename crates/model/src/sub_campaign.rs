//! SubCampaigns: the run of a Campaign over a List (Outbound) or over the batches of a day (OnDemand). The entity is
//! what was asked for; how far it has come is [`crate::run`].

use crate::entity::Base;
use crate::pass::Pass;
use crate::{
    AgentGroupId, CampaignId, EscalationType, ListId, Moment, OrgId, ScriptId, StrategyId,
    SubCampaignId, SubCampaignType, TimeZoneSource,
};
use serde::{Deserialize, Serialize};

/// A SubCampaign (`entities.md` 4.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SubCampaign {
    /// Base fields.
    pub base: Base,
    /// Its Campaign, fixed.
    pub campaign: CampaignId,
    /// The Account that owns the Campaign.
    pub owner: OrgId,
    /// How it was made.
    pub sub_campaign_type: SubCampaignType,
    /// Its List, fixed; none on OnDemand and Inbound.
    pub list: Option<ListId>,
    /// Its Script; the content is fixed at load.
    pub script: Option<ScriptId>,
    /// Its agent groups.
    pub agent_groups: Vec<AgentGroupId>,
    /// Where the passes came from.
    pub outreach_strategy: Option<StrategyId>,
    /// How a contact's devices are taken.
    pub escalation_type: EscalationType,
    /// Its own copy of the passes.
    pub passes: Vec<Pass>,
    /// 1 … 1000 percent.
    pub intensity: u32,
    /// When it may start; a Running request moves it to now.
    pub start_time: Moment,
    /// IANA zone; the Account's unless given.
    pub time_zone: String,
    /// Default of the passes.
    pub time_zone_source: TimeZoneSource,
    /// Which contacts of the List it takes.
    pub filter: Option<String>,
    /// Attribute names, `-` in front = descending.
    pub contact_order: Vec<String>,
    /// Starts by itself.
    pub auto_start: bool,
    /// A report is made at the end.
    pub summary_report: bool,
    /// Hours that late replies and reports are awaited.
    pub awaiting_hours: u32,
}

crate::entity!(SubCampaign, SubCampaign, SubCampaignId, |sub_campaign| {
    sub_campaign.campaign.0
});
