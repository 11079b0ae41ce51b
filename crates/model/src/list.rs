//! Lists: contacts to reach, or devices and Client IDs never to reach.

use crate::contact::DeviceKey;
use crate::entity::Base;
use crate::{ChannelType, ListId, ListType, Moment, OrgId};
use serde::{Deserialize, Serialize};

/// A List (`entities.md` 5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct List {
    /// Base fields.
    pub base: Base,
    /// Account, or Enterprise for suppression.
    pub owner: OrgId,
    /// Display name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Its kind, fixed.
    pub list_type: ListType,
    /// A required suppression list binds everything under the owner.
    pub required: bool,
}

crate::entity!(List, List, ListId, |list| list.owner.0);

/// Whom a suppression entry names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SuppressionKey {
    /// One device; other devices of the person stay callable.
    Device(DeviceKey),
    /// A Client ID: all devices.
    ClientId(String),
}

/// An entry of a suppression list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuppressionEntry {
    /// Whom.
    pub key: SuppressionKey,
    /// The device as stored, when the key is a device.
    pub device: Option<String>,
    /// One channel, or all.
    pub channel: Option<ChannelType>,
    /// The first moment at which it no longer binds; none = never ends.
    pub expires: Option<Moment>,
    /// Why.
    pub reason: Option<String>,
    /// Where from.
    pub source: Option<String>,
}
