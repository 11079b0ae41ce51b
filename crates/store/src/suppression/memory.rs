//! Suppression in memory.

use super::{
    ALL_CHANNELS, DeviceKey, OptOut, SuppressionEntry, SuppressionKey, SuppressionRead,
    SuppressionWrite, channel_code, cut_page,
};
use crate::Result;
use crate::memory::State;
use carillon_model::{ChannelType, ListId, Moment, OrgId};
use imbl::OrdMap;

/// Entries by list, key and channel; opt-outs by Account, device and channel.
#[derive(Clone, Default)]
pub(crate) struct Suppressions {
    entries: OrdMap<(ListId, SuppressionKey, u8), SuppressionEntry>,
    sizes: OrdMap<ListId, i64>,
    opt_outs: OrdMap<(OrgId, DeviceKey, u8), OptOut>,
}

impl Suppressions {
    fn denies(
        &self,
        list: ListId,
        key: &SuppressionKey,
        channel: ChannelType,
        now: Moment,
    ) -> bool {
        [ALL_CHANNELS, channel.number()].into_iter().any(|code| {
            let entry = self.entries.get(&(list, key.clone(), code));
            entry.is_some_and(|entry| entry.expires.is_none_or(|expires| expires > now))
        })
    }

    fn is_opted_out(&self, account: OrgId, device: DeviceKey, channel: u8) -> bool {
        [ALL_CHANNELS, channel]
            .into_iter()
            .any(|code| self.opt_outs.contains_key(&(account, device, code)))
    }
}

impl SuppressionRead for State {
    fn suppressed(
        &self,
        lists: &[ListId],
        keys: &[SuppressionKey],
        channel: ChannelType,
        now: Moment,
    ) -> Result<Vec<Option<ListId>>> {
        let denying = |key| {
            lists
                .iter()
                .copied()
                .find(|list| self.suppression.denies(*list, key, channel, now))
        };
        Ok(keys.iter().map(denying).collect())
    }

    fn suppression_page(
        &self,
        list: ListId,
        after: Option<&SuppressionKey>,
        limit: usize,
    ) -> Result<Vec<SuppressionEntry>> {
        let first = match after {
            Some(key) => (list, key.clone(), u8::MAX),
            None => (list, SuppressionKey::Device(DeviceKey(i64::MIN)), 0),
        };
        let from = self
            .suppression
            .entries
            .range(first..)
            .take_while(|((of, _, _), _)| *of == list);
        let mut entries: Vec<_> = from
            .take(limit.saturating_add(super::CHANNELS))
            .map(|(_, entry)| entry.clone())
            .collect();
        cut_page(&mut entries, limit);
        Ok(entries)
    }

    fn suppression_size(&self, list: ListId) -> Result<i64> {
        Ok(self.suppression.sizes.get(&list).copied().unwrap_or(0))
    }

    fn opted_out(
        &self,
        account: OrgId,
        devices: &[DeviceKey],
        channel: ChannelType,
    ) -> Result<Vec<bool>> {
        let is_out = |device: &DeviceKey| {
            self.suppression
                .is_opted_out(account, *device, channel.number())
        };
        Ok(devices.iter().map(is_out).collect())
    }

    fn count_opt_outs(&self, account: OrgId) -> Result<i64> {
        let all = (account, DeviceKey(i64::MIN), 0)..=(account, DeviceKey(i64::MAX), u8::MAX);
        let mut devices: Vec<DeviceKey> = self
            .suppression
            .opt_outs
            .range(all)
            .map(|((_, device, _), _)| *device)
            .collect();
        devices.dedup();
        Ok(devices.len() as i64)
    }
}

impl SuppressionWrite for State {
    fn put_suppressions(&mut self, list: ListId, entries: &[SuppressionEntry]) -> Result<()> {
        for entry in entries {
            let key = (list, entry.key.clone(), channel_code(entry.channel));
            if self
                .suppression
                .entries
                .insert(key, entry.clone())
                .is_none()
            {
                *self.suppression.sizes.entry(list).or_insert(0) += 1;
            }
        }
        Ok(())
    }

    fn remove_suppressions(&mut self, list: ListId, keys: &[SuppressionKey]) -> Result<Vec<bool>> {
        let mut were_there = Vec::with_capacity(keys.len());
        for key in keys {
            let codes = std::iter::once(ALL_CHANNELS)
                .chain(ChannelType::ALL.iter().map(|channel| channel.number()));
            let removed = codes
                .filter(|code| {
                    self.suppression
                        .entries
                        .remove(&(list, key.clone(), *code))
                        .is_some()
                })
                .count();
            if removed > 0 {
                *self.suppression.sizes.entry(list).or_insert(0) -= removed as i64;
            }
            were_there.push(removed > 0);
        }
        Ok(were_there)
    }

    fn opt_out(&mut self, opt_out: &OptOut) -> Result<bool> {
        let channel = channel_code(opt_out.channel);
        if self
            .suppression
            .is_opted_out(opt_out.account, opt_out.device, channel)
        {
            return Ok(false);
        }
        self.suppression
            .opt_outs
            .insert((opt_out.account, opt_out.device, channel), opt_out.clone());
        Ok(true)
    }

    fn lift_opt_out(
        &mut self,
        account: OrgId,
        device: DeviceKey,
        channel: ChannelType,
    ) -> Result<bool> {
        let own = self
            .suppression
            .opt_outs
            .remove(&(account, device, channel.number()));
        let general = self
            .suppression
            .opt_outs
            .remove(&(account, device, ALL_CHANNELS));
        let lifted = own.is_some() || general.is_some();
        if let Some(general) = general {
            for other in ChannelType::ALL.iter().filter(|other| **other != channel) {
                let kept = OptOut {
                    channel: Some(*other),
                    ..general.clone()
                };
                self.suppression
                    .opt_outs
                    .entry((account, device, other.number()))
                    .or_insert(kept);
            }
        }
        Ok(lifted)
    }
}
