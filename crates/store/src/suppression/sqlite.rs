//! Suppression in SQLite.

use super::{
    ALL_CHANNELS, CHANNELS, DeviceKey, OptOut, SuppressionEntry, SuppressionKey, SuppressionRead,
    SuppressionWrite, channel_code, channel_of,
};
use crate::Result;
use crate::sqlite::session::{Session, rows};
use crate::sqlite::statement::sql;
use carillon_model::{ChannelType, ListId, Moment, OrgId};
use rusqlite::{Row, params};

impl SuppressionRead for Session {
    fn suppressed(
        &self,
        lists: &[ListId],
        keys: &[SuppressionKey],
        channel: ChannelType,
        now: Moment,
    ) -> Result<Vec<Option<ListId>>> {
        let mut by_device = self.statement(sql!("suppresses_device"))?;
        let mut by_client_id = self.statement(sql!("suppresses_client_id"))?;
        let mut answers = Vec::with_capacity(keys.len());
        for key in keys {
            let mut denying = None;
            for list in lists {
                let denies = match key {
                    SuppressionKey::Device(device) => {
                        by_device.exists(params![list.0, device.0, channel.number(), now.0])?
                    }
                    SuppressionKey::ClientId(client_id) => {
                        by_client_id.exists(params![list.0, client_id, channel.number(), now.0])?
                    }
                };
                if denies {
                    denying = Some(*list);
                    break;
                }
            }
            answers.push(denying);
        }
        Ok(answers)
    }

    fn suppression_page(
        &self,
        list: ListId,
        after: Option<&SuppressionKey>,
        limit: usize,
    ) -> Result<Vec<SuppressionEntry>> {
        // A key has an entry for each channel at most: so many more rows complete the last key.
        let enough = rows(limit.saturating_add(CHANNELS));
        let mut entries = match after {
            None => self.list(
                sql!("first_device_page"),
                params![list.0, enough],
                device_entry,
            )?,
            Some(SuppressionKey::Device(device)) => self.list(
                sql!("device_page"),
                params![list.0, device.0, enough],
                device_entry,
            )?,
            Some(SuppressionKey::ClientId(_)) => Vec::new(),
        };
        if entries.len() < limit {
            let enough = enough - rows(entries.len());
            entries.extend(match after {
                Some(SuppressionKey::ClientId(client_id)) => self.list(
                    sql!("client_id_page"),
                    params![list.0, client_id, enough],
                    client_id_entry,
                )?,
                _ => self.list(
                    sql!("first_client_id_page"),
                    params![list.0, enough],
                    client_id_entry,
                )?,
            });
        }
        super::cut_page(&mut entries, limit);
        Ok(entries)
    }

    fn suppression_size(&self, list: ListId) -> Result<i64> {
        Ok(self
            .one(sql!("suppression_size"), [list.0], |row| Ok(row.get(0)?))?
            .unwrap_or(0))
    }

    fn opted_out(
        &self,
        account: OrgId,
        devices: &[DeviceKey],
        channel: ChannelType,
    ) -> Result<Vec<bool>> {
        devices
            .iter()
            .map(|device| self.is_opted_out(account, *device, channel.number()))
            .collect()
    }

    fn count_opt_outs(&self, account: OrgId) -> Result<i64> {
        Ok(self
            .one(sql!("count_opt_outs"), [account.0], |row| Ok(row.get(0)?))?
            .unwrap_or(0))
    }
}

impl SuppressionWrite for Session {
    fn put_suppressions(&mut self, list: ListId, entries: &[SuppressionEntry]) -> Result<()> {
        let mut added = 0;
        for entry in entries {
            added += rows(self.put_suppression(list, entry)?);
        }
        self.change_suppression_size(list, added)
    }

    fn remove_suppressions(&mut self, list: ListId, keys: &[SuppressionKey]) -> Result<Vec<bool>> {
        let mut removed = 0;
        let mut were_there = Vec::with_capacity(keys.len());
        for key in keys {
            let count = match key {
                SuppressionKey::Device(device) => {
                    self.execute(sql!("remove_suppressed_device"), params![list.0, device.0])?
                }
                SuppressionKey::ClientId(client_id) => self.execute(
                    sql!("remove_suppressed_client_id"),
                    params![list.0, client_id],
                )?,
            };
            removed += rows(count);
            were_there.push(count > 0);
        }
        self.change_suppression_size(list, -removed)?;
        Ok(were_there)
    }

    fn opt_out(&mut self, opt_out: &OptOut) -> Result<bool> {
        let channel = channel_code(opt_out.channel);
        if self.is_opted_out(opt_out.account, opt_out.device, channel)? {
            return Ok(false);
        }
        self.insert_opt_out(
            opt_out.account,
            opt_out.device,
            channel,
            opt_out.at.0,
            &opt_out.source,
        )?;
        Ok(true)
    }

    fn lift_opt_out(
        &mut self,
        account: OrgId,
        device: DeviceKey,
        channel: ChannelType,
    ) -> Result<bool> {
        let own = self.take_opt_out(account, device, channel.number())?;
        let general = self.take_opt_out(account, device, ALL_CHANNELS)?;
        if let Some((at, source)) = &general {
            for other in ChannelType::ALL.iter().filter(|other| **other != channel) {
                self.insert_opt_out(account, device, other.number(), *at, source)?;
            }
        }
        Ok(own.is_some() || general.is_some())
    }
}

impl Session {
    /// Answers how many entries were added: none when it replaced one.
    fn put_suppression(&self, list: ListId, entry: &SuppressionEntry) -> Result<usize> {
        let channel = channel_code(entry.channel);
        let expires = entry.expires.map(|expires| expires.0);
        let SuppressionEntry {
            device: address,
            reason,
            source,
            ..
        } = entry;
        match &entry.key {
            SuppressionKey::Device(device) => {
                let row = params![list.0, device.0, channel, address, expires, reason, source];
                let added = self.execute(sql!("insert_suppressed_device"), row)?;
                if added == 0 {
                    self.execute(sql!("replace_suppressed_device"), row)?;
                }
                Ok(added)
            }
            SuppressionKey::ClientId(client_id) => {
                let row = params![list.0, client_id, channel, address, expires, reason, source];
                let added = self.execute(sql!("insert_suppressed_client_id"), row)?;
                if added == 0 {
                    self.execute(sql!("replace_suppressed_client_id"), row)?;
                }
                Ok(added)
            }
        }
    }

    fn change_suppression_size(&self, list: ListId, change: i64) -> Result<()> {
        if change != 0 {
            self.execute(sql!("change_suppression_size"), [list.0, change])?;
        }
        Ok(())
    }

    fn is_opted_out(&self, account: OrgId, device: DeviceKey, channel: u8) -> Result<bool> {
        Ok(self
            .statement(sql!("opted_out"))?
            .exists(params![account.0, device.0, channel])?)
    }

    fn insert_opt_out(
        &self,
        account: OrgId,
        device: DeviceKey,
        channel: u8,
        at: i64,
        source: &str,
    ) -> Result<()> {
        self.execute(
            sql!("opt_out"),
            params![account.0, device.0, channel, at, source],
        )
        .map(|_| ())
    }

    fn take_opt_out(
        &self,
        account: OrgId,
        device: DeviceKey,
        channel: u8,
    ) -> Result<Option<(i64, String)>> {
        let key = params![account.0, device.0, channel];
        self.one(sql!("lift_opt_out"), key, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }
}

fn device_entry(row: &Row<'_>) -> Result<SuppressionEntry> {
    entry(SuppressionKey::Device(DeviceKey(row.get(0)?)), row)
}

fn client_id_entry(row: &Row<'_>) -> Result<SuppressionEntry> {
    entry(SuppressionKey::ClientId(row.get(0)?), row)
}

fn entry(key: SuppressionKey, row: &Row<'_>) -> Result<SuppressionEntry> {
    Ok(SuppressionEntry {
        key,
        device: row.get(2)?,
        channel: channel_of(row.get(1)?)?,
        expires: row.get::<_, Option<i64>>(3)?.map(Moment),
        reason: row.get(4)?,
        source: row.get(5)?,
    })
}
