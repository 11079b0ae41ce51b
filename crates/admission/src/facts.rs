//! What is known against contacts at this moment: suppression lists and opt-outs, asked once for a whole batch.

use crate::device::{DeviceSet, bit};
use crate::rules::RuleSet;
use carillon_model::contact::{Contact, DeviceKey};
use carillon_model::list::SuppressionKey;
use carillon_model::{ChannelType, Moment, Reason};
use carillon_store::{Result, Snapshot};

/// What is known against one contact on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Why the contact as a whole is denied.
    pub denied: Option<Reason>,
    /// Suppressed devices, by number.
    suppressed: u16,
    /// Devices that opted out, by number.
    opted_out: u16,
}

impl Facts {
    /// Devices that may not be used.
    pub fn devices_denied(&self) -> DeviceSet {
        DeviceSet(self.suppressed | self.opted_out)
    }

    /// Why a device may not be used.
    pub fn reason_against(&self, number: u8) -> Option<Reason> {
        if self.suppressed & bit(number) != 0 {
            Some(Reason::SuppressedDevice)
        } else if self.opted_out & bit(number) != 0 {
            Some(Reason::OptedOut)
        } else {
            None
        }
    }
}

/// The facts of a batch of contacts on a channel.
pub struct ContactFacts(Vec<Facts>);

impl ContactFacts {
    /// Asks the store, once for each kind of fact.
    pub fn gather<S: Snapshot + ?Sized>(
        snapshot: &S,
        rules: &RuleSet,
        channel: ChannelType,
        contacts: &[Contact],
        now: Moment,
    ) -> Result<Self> {
        let mut facts = vec![Facts::default(); contacts.len()];
        let devices: Vec<(usize, u8, DeviceKey)> = contacts
            .iter()
            .enumerate()
            .flat_map(|(index, contact)| {
                contact.devices.iter().map(move |device| {
                    (
                        index,
                        device.number,
                        carillon_compliance::number::device_key(&device.address),
                    )
                })
            })
            .collect();
        if !rules.suppression_lists().is_empty() {
            let keys: Vec<SuppressionKey> = devices
                .iter()
                .map(|(_, _, key)| SuppressionKey::Device(*key))
                .chain(
                    contacts
                        .iter()
                        .map(|contact| SuppressionKey::ClientId(contact.external_id.clone())),
                )
                .collect();
            let found = snapshot.suppressed(rules.suppression_lists(), &keys, channel, now)?;
            for ((index, number, _), list) in devices.iter().zip(&found) {
                if list.is_some() {
                    facts[*index].suppressed |= bit(*number);
                }
            }
            for (fact, list) in facts.iter_mut().zip(&found[devices.len()..]) {
                if list.is_some() {
                    fact.denied = Some(Reason::SuppressedClientId);
                }
            }
        }
        let keys: Vec<DeviceKey> = devices.iter().map(|(_, _, key)| *key).collect();
        let opted_out = snapshot.opted_out(rules.account(), &keys, channel)?;
        for ((index, number, _), opted_out) in devices.iter().zip(opted_out) {
            if opted_out {
                facts[*index].opted_out |= bit(*number);
            }
        }
        Ok(Self(facts))
    }

    /// The facts of the contact at an index.
    pub fn of(&self, index: usize) -> &Facts {
        &self.0[index]
    }
}
