//! PacingInfo: the rate of a pass, as it is or as it would be, and what it leads to (`entities.md` 4.9 and 13.5). How the
//! rate is found is the crate `carillon-pacing`.

use crate::{AgentGroupId, LimitedBy, Moment, PacingType, PassId, SubCampaignId};
use serde::{Deserialize, Serialize};

/// A PacingInfo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PacingInfo {
    /// The SubCampaign.
    pub sub_campaign: SubCampaignId,
    /// The pass.
    pub pass: PassId,
    /// The agent group; mode Agent only.
    pub agent_group: Option<AgentGroupId>,
    /// How the rate is found.
    pub pacing: PacingType,
    /// 1 … 10.
    pub pacing_priority: u8,
    /// The SubCampaign's, in percent.
    pub intensity: u32,
    /// First attempts left and expected retries.
    pub remaining_attempts: u64,
    /// The resulting rate, one decimal, half up.
    pub contacts_per_minute: f64,
    /// Attempts projected until the end of the clock hour in the Account's zone.
    pub this_hour_contacts: u64,
    /// Attempts projected in the clock hour after it.
    pub next_hour_contacts: u64,
    /// Attempts projected after that.
    pub future_contacts: u64,
    /// When the pass ends; none = never.
    pub estimated_end_time: Option<Moment>,
    /// The cap that set the rate.
    pub limited_by: LimitedBy,
    /// Mode Agent: this pass's share of the agents.
    pub allocated_agents: Option<f64>,
    /// What a run of the engine's own pacer on a virtual clock says.
    pub forecast: Forecast,
}

/// Attributes of a PacingInfo from the forecast: expected values and 90 % intervals. What is not ready is none.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Forecast {
    /// Share of the agents' time in calls and the work after them.
    pub utilisation: Option<f64>,
    /// Percent of live answers abandoned.
    pub abandon_rate: Option<f64>,
    /// Low end of the rate.
    pub contacts_per_minute_low: Option<f64>,
    /// High end of the rate.
    pub contacts_per_minute_high: Option<f64>,
    /// Early end.
    pub estimated_end_time_earliest: Option<Moment>,
    /// Late end.
    pub estimated_end_time_latest: Option<Moment>,
}
