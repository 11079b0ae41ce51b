//! Suppression lists and opt-outs: who must not be reached. A committed entry counts for every attempt written after it.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::{Error, Result};
use carillon_model::contact::DeviceKey;
use carillon_model::list::{SuppressionEntry, SuppressionKey};
use carillon_model::{ChannelType, ListId, Moment, OrgId};

/// An opt-out of a device from an Account.
#[derive(Debug, Clone, PartialEq)]
pub struct OptOut {
    /// The Account.
    pub account: OrgId,
    /// The device.
    pub device: DeviceKey,
    /// The channel; none = every one.
    pub channel: Option<ChannelType>,
    /// When.
    pub at: Moment,
    /// How: the word sent, or the script.
    pub source: String,
}

/// Reading suppression.
pub trait SuppressionRead {
    /// For each key the live entries that deny it on a channel at `now`, in any of the lists: the list of the first.
    fn suppressed(
        &self,
        lists: &[ListId],
        keys: &[SuppressionKey],
        channel: ChannelType,
        now: Moment,
    ) -> Result<Vec<Option<ListId>>>;
    /// Entries of a list with their keys above `after`, in key order, at least `limit` if there are so many: the last key
    /// comes with all its channels, so that the next page can go on after it.
    fn suppression_page(
        &self,
        list: ListId,
        after: Option<&SuppressionKey>,
        limit: usize,
    ) -> Result<Vec<SuppressionEntry>>;
    /// How many entries a list has.
    fn suppression_size(&self, list: ListId) -> Result<i64>;
    /// Which devices have opted out of a channel of an Account.
    fn opted_out(
        &self,
        account: OrgId,
        devices: &[DeviceKey],
        channel: ChannelType,
    ) -> Result<Vec<bool>>;
    /// How many devices have opted out of an Account.
    fn count_opt_outs(&self, account: OrgId) -> Result<i64>;
}

/// Writing suppression.
pub trait SuppressionWrite {
    /// Adds entries; one for a key and channel that is there already replaces it.
    fn put_suppressions(&mut self, list: ListId, entries: &[SuppressionEntry]) -> Result<()>;
    /// Removes the entries of keys, on every channel; answers which were there.
    fn remove_suppressions(&mut self, list: ListId, keys: &[SuppressionKey]) -> Result<Vec<bool>>;
    /// Opts a device out; answers whether it was not before. One that is covered already changes nothing.
    fn opt_out(&mut self, opt_out: &OptOut) -> Result<bool>;
    /// Lifts opt-outs of a device on a channel; answers whether there were any. One of every channel stays on the others.
    fn lift_opt_out(
        &mut self,
        account: OrgId,
        device: DeviceKey,
        channel: ChannelType,
    ) -> Result<bool>;
}

/// The code of "every channel" beside the numbers of the channels.
const ALL_CHANNELS: u8 = 0;
/// Entries one key can have: each channel, and all.
const CHANNELS: usize = ChannelType::ALL.len() + 1;

/// The code of one channel or all.
fn channel_code(channel: Option<ChannelType>) -> u8 {
    channel.map_or(ALL_CHANNELS, ChannelType::number)
}

/// The channel of a code.
fn channel_of(code: i64) -> Result<Option<ChannelType>> {
    if code == i64::from(ALL_CHANNELS) {
        return Ok(None);
    }
    let found = ChannelType::ALL
        .iter()
        .copied()
        .find(|channel| i64::from(channel.number()) == code);
    match found {
        Some(channel) => Ok(Some(channel)),
        None => Err(Error::Damaged {
            table: "suppressed_device",
            column: "channel",
            id: code,
            detail: "no channel has this number".into(),
        }),
    }
}

/// Cuts a page at the first key that begins at or after the limit.
fn cut_page(entries: &mut Vec<SuppressionEntry>, limit: usize) {
    let mut end = limit.min(entries.len());
    while end > 0 && end < entries.len() && entries[end].key == entries[end - 1].key {
        end += 1;
    }
    entries.truncate(end);
}
