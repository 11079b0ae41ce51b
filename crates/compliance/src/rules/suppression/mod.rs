//! Suppression: an entry of a Suppression List for the device or for the Client ID (`law.md`).

use crate::verdict::{Cause, Verdict};
use crate::window::local_date;
use carillon_model::zone::Zone;
use carillon_model::{ChannelType, ListId, Moment, Reason};
use jiff::civil::Date;

/// Whether an entry counts for a channel at a moment: the day of its expirationDate, in the Account's zone, is the last
/// on which it does.
pub fn is_live(
    entry_channel: Option<ChannelType>,
    expiration: Option<Date>,
    channel: ChannelType,
    account_zone: Zone,
    now: Moment,
) -> bool {
    entry_channel.is_none_or(|own| own == channel)
        && expiration.is_none_or(|last| local_date(account_zone, now) <= last)
}

/// The verdict on live entries that were found.
pub fn verdict(device: Option<ListId>, client: Option<ListId>) -> Verdict {
    let deny = |reason| Verdict::Deny {
        cause: Cause::without_rule(reason),
    };
    let on_device = device.map_or(Verdict::Allow, |_| deny(Reason::SuppressedDevice));
    let on_client = client.map_or(Verdict::Allow, |_| deny(Reason::SuppressedClientId));
    on_device.join(on_client)
}
