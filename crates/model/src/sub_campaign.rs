//! SubCampaigns: the run of a Campaign over a List (Outbound) or over the batches of a day (OnDemand), or what answers on
//! devices of ours (Inbound). The entity is what was asked for; how far it has come is [`crate::run`].

use crate::entity::Base;
use crate::pass::Pass;
use crate::{
    AgentGroupId, CampaignId, EscalationType, InboundDeviceId, ListId, Moment, OrgId,
    RestartPeriod, ScriptId, StrategyId, SubCampaignId, SubCampaignType, TimeZoneSource,
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

/// What an Inbound SubCampaign has beside (`entities.md` 12). It is kept apart from the SubCampaign because it is found by
/// device: a call or message asks which SubCampaign is Active there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// The SubCampaign.
    pub sub_campaign: SubCampaignId,
    /// Where it answers.
    pub devices: Vec<InboundDeviceId>,
    /// Part of its name, 1 … 16 characters.
    pub label: Option<String>,
    /// How often it starts anew; none = it goes on until it is stopped.
    pub restart_period: Option<RestartPeriod>,
}

/// Fields of a SubCampaign without its identity: a Campaign's defaults for new ones. None = not told here.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Template {
    /// Its Script.
    pub script: Option<ScriptId>,
    /// Its agent groups.
    pub agent_groups: Option<Vec<AgentGroupId>>,
    /// Where the passes come from.
    pub outreach_strategy: Option<StrategyId>,
    /// How a contact's devices are taken.
    pub escalation_type: Option<EscalationType>,
    /// Passes instead of the strategy's.
    pub passes: Option<Vec<Pass>>,
    /// 1 … 1000 percent.
    pub intensity: Option<u32>,
    /// Where an Inbound one answers.
    pub inbound_devices: Option<Vec<InboundDeviceId>>,
    /// Part of the name of an Inbound one.
    pub label: Option<String>,
    /// How often an Inbound one starts anew.
    pub restart_period: Option<RestartPeriod>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// Default of the passes.
    pub time_zone_source: Option<TimeZoneSource>,
    /// Which contacts of the List it takes.
    pub filter: Option<String>,
    /// Attribute names, `-` in front = descending.
    pub contact_order: Option<Vec<String>>,
    /// Starts by itself.
    pub auto_start: Option<bool>,
    /// A report is made at the end.
    pub summary_report: Option<bool>,
    /// Hours that late replies and reports are awaited.
    pub awaiting_hours: Option<u32>,
}
