//! Suppression in PostgreSQL.

use super::{
    ALL_CHANNELS, CHANNELS, DeviceKey, OptOut, SuppressionEntry, SuppressionKey, SuppressionRead,
    SuppressionWrite, channel_code, channel_of,
};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Number, Text, maybe_number, maybe_numbers, number, numbers, small};
use crate::sqlite::session::rows;
use carillon_model::{ChannelType, ListId, Moment, OrgId};
use std::collections::{BTreeMap, HashMap, HashSet};
use tokio_postgres::Row;

impl SuppressionRead for Session {
    fn suppressed(
        &self,
        lists: &[ListId],
        keys: &[SuppressionKey],
        channel: ChannelType,
        now: Moment,
    ) -> Result<Vec<Option<ListId>>> {
        if lists.is_empty() || keys.is_empty() {
            return Ok(vec![None; keys.len()]);
        }
        let (devices, client_ids) = apart(keys);
        let (list_ids, channel) = (
            numbers(lists, |list| list.0),
            Number(channel.number().into()),
        );
        let mut by_device: HashMap<i64, usize> = HashMap::new();
        if !devices.is_empty() {
            by_device.extend(self.list(
                sql!("suppressed_devices"),
                &[&devices, &list_ids, &channel, &now.0],
                |row| Ok((number(row, 0)?, small(row, 1)?)),
            )?);
        }
        let mut by_client_id: HashMap<String, usize> = HashMap::new();
        if !client_ids.is_empty() {
            by_client_id.extend(self.list(
                sql!("suppressed_client_ids"),
                &[&client_ids, &list_ids, &channel, &now.0],
                |row| Ok((row.try_get(0)?, small(row, 1)?)),
            )?);
        }
        let denying = |key: &SuppressionKey| {
            let place = match key {
                SuppressionKey::Device(device) => by_device.get(&device.0),
                SuppressionKey::ClientId(id) => by_client_id.get(Text::new(id).as_str()),
            };
            // Places are counted from 1.
            place.and_then(|place| lists.get(place - 1)).copied()
        };
        Ok(keys.iter().map(denying).collect())
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
            None => self.list(sql!("first_device_page"), &[&list.0, &enough], device_entry)?,
            Some(SuppressionKey::Device(device)) => self.list(
                sql!("device_page"),
                &[&list.0, &device.0, &enough],
                device_entry,
            )?,
            Some(SuppressionKey::ClientId(_)) => Vec::new(),
        };
        if entries.len() < limit {
            let enough = enough - rows(entries.len());
            entries.extend(match after {
                Some(SuppressionKey::ClientId(client_id)) => self.list(
                    sql!("client_id_page"),
                    &[&list.0, &Text::new(client_id), &enough],
                    client_id_entry,
                )?,
                _ => self.list(
                    sql!("first_client_id_page"),
                    &[&list.0, &enough],
                    client_id_entry,
                )?,
            });
        }
        super::cut_page(&mut entries, limit);
        Ok(entries)
    }

    fn suppression_size(&self, list: ListId) -> Result<i64> {
        let size = self.one(sql!("suppression_size"), &[&list.0], |row| number(row, 0))?;
        Ok(size.unwrap_or(0))
    }

    fn opted_out(
        &self,
        account: OrgId,
        devices: &[DeviceKey],
        channel: ChannelType,
    ) -> Result<Vec<bool>> {
        let asked = numbers(devices, |device| device.0);
        let channel = Number(channel.number().into());
        let out = self.list(sql!("opted_out"), &[&account.0, &asked, &channel], |row| {
            number(row, 0)
        })?;
        let out: HashSet<i64> = out.into_iter().collect();
        Ok(devices
            .iter()
            .map(|device| out.contains(&device.0))
            .collect())
    }

    fn count_opt_outs(&self, account: OrgId) -> Result<i64> {
        let count = self.one(sql!("count_opt_outs"), &[&account.0], |row| number(row, 0))?;
        Ok(count.unwrap_or(0))
    }
}

impl SuppressionWrite for Session {
    fn put_suppressions(&mut self, list: ListId, entries: &[SuppressionEntry]) -> Result<()> {
        // A statement writes a row once: the last entry of a key and channel counts.
        let mut devices = BTreeMap::new();
        let mut client_ids = BTreeMap::new();
        for entry in entries {
            let channel = channel_code(entry.channel);
            match &entry.key {
                SuppressionKey::Device(device) => {
                    devices.insert((device.0, channel), entry);
                }
                SuppressionKey::ClientId(client_id) => {
                    let client_id = Text::new(client_id).into_string();
                    client_ids.insert((client_id, channel), entry);
                }
            }
        }
        let mut added = 0;
        if !devices.is_empty() {
            let keys: Vec<i64> = devices.keys().map(|(device, _)| *device).collect();
            let entries: Vec<_> = devices.into_values().collect();
            added += self.put_entries(sql!("put_suppressed_devices"), list, &keys, &entries)?;
        }
        if !client_ids.is_empty() {
            let keys: Vec<String> = client_ids.keys().map(|(id, _)| id.clone()).collect();
            let entries: Vec<_> = client_ids.into_values().collect();
            added += self.put_entries(sql!("put_suppressed_client_ids"), list, &keys, &entries)?;
        }
        self.change_suppression_size(list, added)
    }

    fn remove_suppressions(&mut self, list: ListId, keys: &[SuppressionKey]) -> Result<Vec<bool>> {
        let (devices, client_ids) = apart(keys);
        let removed_devices: Vec<i64> = self.list(
            sql!("remove_suppressed_devices"),
            &[&list.0, &devices],
            |row| number(row, 0),
        )?;
        let removed_client_ids: Vec<String> = self.list(
            sql!("remove_suppressed_client_ids"),
            &[&list.0, &client_ids],
            |row| Ok(row.try_get(0)?),
        )?;
        let removed = removed_devices.len() + removed_client_ids.len();
        self.change_suppression_size(list, -rows(removed))?;
        let mut devices: HashSet<i64> = removed_devices.into_iter().collect();
        let mut client_ids: HashSet<String> = removed_client_ids.into_iter().collect();
        let was_there = |key: &SuppressionKey| match key {
            SuppressionKey::Device(device) => devices.remove(&device.0),
            SuppressionKey::ClientId(id) => client_ids.remove(Text::new(id).as_str()),
        };
        Ok(keys.iter().map(was_there).collect())
    }

    fn opt_out(&mut self, opt_out: &OptOut) -> Result<bool> {
        let channel = Number(channel_code(opt_out.channel).into());
        let added = self.execute(
            sql!("opt_out"),
            &[
                &opt_out.account.0,
                &opt_out.device.0,
                &channel,
                &opt_out.at.0,
                &Text::new(&opt_out.source),
            ],
        )?;
        Ok(added == 1)
    }

    fn lift_opt_out(
        &mut self,
        account: OrgId,
        device: DeviceKey,
        channel: ChannelType,
    ) -> Result<bool> {
        let own = Number(channel.number().into());
        let lifted = self.query(sql!("lift_opt_out"), &[&account.0, &device.0, &own])?;
        for row in &lifted {
            if number(row, 0)? != i64::from(ALL_CHANNELS) {
                continue;
            }
            let others: Vec<Number> = ChannelType::ALL
                .iter()
                .filter(|other| **other != channel)
                .map(|other| Number(other.number().into()))
                .collect();
            let (at, source): (i64, &str) = (number(row, 1)?, row.try_get(2)?);
            self.execute(
                sql!("keep_opt_outs"),
                &[&account.0, &device.0, &others, &at, &source],
            )?;
        }
        Ok(!lifted.is_empty())
    }
}

impl Session {
    /// Answers how many entries are new.
    fn put_entries(
        &self,
        sql: &'static str,
        list: ListId,
        keys: &(dyn tokio_postgres::types::ToSql + Sync),
        entries: &[&SuppressionEntry],
    ) -> Result<i64> {
        let texts = |text: fn(&SuppressionEntry) -> &Option<String>| -> Vec<Option<Text<'_>>> {
            entries
                .iter()
                .map(|entry| Text::maybe(text(entry)))
                .collect()
        };
        let added: Vec<bool> = self.list(
            sql,
            &[
                &list.0,
                keys,
                &numbers(entries, |entry| channel_code(entry.channel).into()),
                &texts(|entry| &entry.device),
                &maybe_numbers(entries, |entry| entry.expires.map(|expires| expires.0)),
                &texts(|entry| &entry.reason),
                &texts(|entry| &entry.source),
            ],
            |row| Ok(row.try_get(0)?),
        )?;
        Ok(rows(added.iter().filter(|is_new| **is_new).count()))
    }

    fn change_suppression_size(&self, list: ListId, change: i64) -> Result<()> {
        if change != 0 {
            self.execute(sql!("change_suppression_size"), &[&list.0, &change])?;
        }
        Ok(())
    }
}

/// Devices and Client IDs among keys.
fn apart(keys: &[SuppressionKey]) -> (Vec<i64>, Vec<Text<'_>>) {
    let (mut devices, mut client_ids) = (Vec::new(), Vec::new());
    for key in keys {
        match key {
            SuppressionKey::Device(device) => devices.push(device.0),
            SuppressionKey::ClientId(client_id) => client_ids.push(Text::new(client_id)),
        }
    }
    (devices, client_ids)
}

fn device_entry(row: &Row) -> Result<SuppressionEntry> {
    entry(SuppressionKey::Device(DeviceKey(number(row, 0)?)), row)
}

fn client_id_entry(row: &Row) -> Result<SuppressionEntry> {
    entry(SuppressionKey::ClientId(row.try_get(0)?), row)
}

fn entry(key: SuppressionKey, row: &Row) -> Result<SuppressionEntry> {
    Ok(SuppressionEntry {
        key,
        device: row.try_get(2)?,
        channel: channel_of(number(row, 1)?)?,
        expires: maybe_number(row, 3)?.map(Moment),
        reason: row.try_get(4)?,
        source: row.try_get(5)?,
    })
}
