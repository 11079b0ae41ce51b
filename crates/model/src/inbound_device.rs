//! InboundDevices: the numbers, short codes and links on which people reach an Account (`entities.md` 5 and 12).

use crate::entity::Base;
use crate::{AgentGroupId, InboundDeviceId, InboundDeviceType, OrgId};
use serde::{Deserialize, Serialize};

/// An InboundDevice. Its externalId is the number, the short code (3 … 8 digits) or the URL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboundDevice {
    /// Base fields.
    pub base: Base,
    /// Its kind, fixed.
    pub device_type: InboundDeviceType,
    /// ShortCode only: 1 … 20 letters or digits each, unique on the code without case.
    pub keywords: Vec<String>,
    /// The Account that answers on it.
    pub owner: OrgId,
    /// The agent group that gets what needs a person.
    pub agent_group: Option<AgentGroupId>,
}

// Accounts share a short code by their keywords, so the code is a name within its owner only.
crate::entity!(InboundDevice, InboundDevice, InboundDeviceId, |device| {
    device.owner.0
});
