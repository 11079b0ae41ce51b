//! Events, to which people subscribe, and Subscriptions: consent per device and Event (`entities.md` 5).

use crate::contact::Device;
use crate::entity::Base;
use crate::{
    ChannelType, ContactId, EventId, OptInLevel, OrgId, SubscriptionId, SubscriptionState,
};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// An Event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Base fields.
    pub base: Base,
    /// The Account that owns it.
    pub owner: OrgId,
    /// Free text.
    pub description: Option<String>,
    /// How a person agrees to it.
    pub required_opt_in_level: OptInLevel,
    /// Channels on which it is told; at least one.
    pub supported_channels: Vec<ChannelType>,
    /// Takes subscriptions.
    pub active: bool,
    /// First day, inclusive.
    pub start_date: Option<Date>,
    /// Last day, inclusive.
    pub end_date: Option<Date>,
    /// At most so many messages a month.
    pub notification_frequency: Option<u32>,
    /// Days after which an unanswered opt-in request ends; none = never (−1 on the wire).
    pub opt_pending_expire_after_days: Option<u32>,
}

crate::entity!(Event, Event, EventId, |event| event.owner.0);

/// A Subscription. There are as many as contacts, so it is no document and has a table of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its id.
    pub id: SubscriptionId,
    /// To what.
    pub event: EventId,
    /// Who; none when only the device is known.
    pub contact: Option<ContactId>,
    /// On which devices.
    pub devices: Vec<Device>,
    /// Whether the person agreed.
    pub state: SubscriptionState,
    /// First day, inclusive.
    pub start_date: Option<Date>,
    /// Last day, inclusive.
    pub end_date: Option<Date>,
    /// Start of the hours in which the person wants to hear, local to the person.
    pub start_time: Option<Time>,
    /// End of those hours, exclusive.
    pub end_time: Option<Time>,
}
