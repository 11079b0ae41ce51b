//! AgentGroups: the people to whom connected contacts are given, when they work and how many are asked for
//! (`entities.md` 3.3). Who is in which state right now is [`crate::agent`].

use crate::entity::{Attributes, Base};
use crate::{AgentGroupId, AgentGroupType, DayOfWeek, OrgId};
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// An AgentGroup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentGroup {
    /// Base fields.
    pub base: Base,
    /// The Account it belongs to.
    pub parent: OrgId,
    /// Its kind, fixed.
    pub group_type: AgentGroupType,
    /// Today's entries; they win over the rolling ones.
    pub current_schedule: Vec<ScheduleEntry>,
    /// Entries of every week; without any entry it is always open.
    pub rolling_schedule: Vec<ScheduleEntry>,
    /// Free.
    pub configuration: Attributes,
    /// Skills and the like.
    pub tags: Vec<String>,
    /// 0 … 10,000 agents asked for now; 0 = all signed in.
    pub allocated_count: u32,
    /// 1 … 1000 percent.
    pub intensity: u32,
    /// Seconds within which a connected person is bridged, else Abandoned; none = the Org's abandonCallSeconds.
    pub max_bridge_time: Option<u32>,
    /// Seconds of work after a call.
    pub after_call_work_seconds: u32,
    /// People that may wait for an agent.
    pub hold_queue_size: u32,
}

crate::entity!(AgentGroup, AgentGroup, AgentGroupId, |group| group.parent.0);

impl AgentGroup {
    /// A group with the defaults of the specification.
    pub fn new(base: Base, parent: OrgId, group_type: AgentGroupType) -> Self {
        Self {
            base,
            parent,
            group_type,
            current_schedule: Vec::new(),
            rolling_schedule: Vec::new(),
            configuration: Attributes::new(),
            tags: Vec::new(),
            allocated_count: 0,
            intensity: 100,
            max_bridge_time: None,
            after_call_work_seconds: 30,
            hold_queue_size: 0,
        }
    }
}

/// When a group is open. It is a part and has no base fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleEntry {
    /// The weekday; none = every day.
    pub day: Option<DayOfWeek>,
    /// Opening.
    pub start_time: Option<Time>,
    /// Close, exclusive; a close at or before the opening is on the next day.
    pub end_time: Option<Time>,
    /// Open all day: the times are ignored.
    pub open24: bool,
    /// IANA zone of the times; none = the Account's.
    pub time_zone: Option<String>,
    /// Where calls go during this entry.
    pub phone_number: Option<String>,
    /// Agents asked for during this entry.
    pub allocated_count: Option<u32>,
}

/// A named schedule of a group: an Org of type ScheduleGroup under the group's Account, with this beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleGroup {
    /// The Org that carries its identity.
    pub org: OrgId,
    /// The group whose schedule it is.
    pub parent: AgentGroupId,
    /// Entries of every week.
    pub rolling_schedule: Vec<ScheduleEntry>,
}
