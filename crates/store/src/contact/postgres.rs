//! Contacts in PostgreSQL. The payload is one packed value, written once; a batch is copied in one stream.

use super::{Contact, ContactRead, ContactWrite, Container, Put};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Cell, Text, number};
use crate::sqlite::session::{damaged, rows};
use carillon_model::ContactId;
use carillon_model::contact::DeviceKey;
use std::collections::{BTreeSet, HashMap, HashSet};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

impl ContactRead for Session {
    fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>> {
        let found: HashMap<ContactId, Contact> = self
            .list(sql!("contacts"), &[&keys(ids)], read)?
            .into_iter()
            .map(|contact| (contact.id, contact))
            .collect();
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    fn contact_page(&self, container: i64, after: ContactId, limit: usize) -> Result<Vec<Contact>> {
        self.list(
            sql!("contact_page"),
            &[&container, &after.0, &rows(limit)],
            read,
        )
    }

    fn contacts_by_client_id(
        &self,
        container: i64,
        client_ids: &[&str],
    ) -> Result<Vec<Option<ContactId>>> {
        let asked = texts(client_ids);
        let found = self.list(sql!("live_contacts"), &[&asked, &container], named)?;
        let found: HashMap<String, ContactId> = found.into_iter().collect();
        Ok(asked
            .iter()
            .map(|client_id| found.get(client_id.as_str()).copied())
            .collect())
    }

    fn contacts_with_client_id(&self, client_id: &str, limit: usize) -> Result<Vec<Contact>> {
        let asked = Text::new(client_id);
        self.list(
            sql!("contacts_with_client_id"),
            &[&asked, &rows(limit)],
            read,
        )
    }

    fn contacts_with_device(&self, device: DeviceKey, limit: usize) -> Result<Vec<Contact>> {
        self.list(
            sql!("contacts_with_device"),
            &[&device.0, &rows(limit)],
            read,
        )
    }

    fn container(&self, container: i64) -> Result<Container> {
        let found = self.one(sql!("container"), &[&container], |row| {
            Ok(Container {
                contacts: number(row, 0)?,
                next_row: number(row, 1)?,
            })
        })?;
        Ok(found.unwrap_or_default())
    }

    fn contacts_live(&self, ids: &[ContactId]) -> Result<Vec<bool>> {
        let live = self.list(sql!("contacts_are_live"), &[&keys(ids)], |row| {
            number(row, 0)
        })?;
        let live: HashSet<i64> = live.into_iter().collect();
        Ok(ids.iter().map(|id| live.contains(&id.0)).collect())
    }
}

impl ContactWrite for Session {
    fn put_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<Vec<Put>> {
        let asked: Vec<&str> = contacts
            .iter()
            .map(|contact| contact.external_id.as_str())
            .collect();
        let mut members: HashMap<String, ContactId> =
            self.retire(container, &asked)?.into_iter().collect();
        // Within the call, each contact takes the place of the one before it with the same Client ID; the last one stays.
        let mut puts = Vec::with_capacity(contacts.len());
        for (contact, client_id) in contacts.iter().zip(texts(&asked)) {
            let replaced = members.insert(client_id.into_string(), contact.id);
            puts.push(replaced.map_or(Put::Stored, Put::Replaced));
        }
        let live: HashSet<ContactId> = members.into_values().collect();
        self.copy_contacts(container, contacts, |contact| live.contains(&contact.id))?;
        let stored = puts.iter().filter(|put| **put == Put::Stored).count();
        self.change_container(container, rows(stored), 0)?;
        Ok(puts)
    }

    fn put_former_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<()> {
        self.copy_contacts(container, contacts, |_| false)
    }

    fn remove_contacts(&mut self, container: i64, client_ids: &[&str]) -> Result<Vec<bool>> {
        let retired = self.retire(container, client_ids)?;
        self.change_container(container, -rows(retired.len()), 0)?;
        let mut retired: HashMap<String, ContactId> = retired.into_iter().collect();
        Ok(texts(client_ids)
            .iter()
            .map(|client_id| retired.remove(client_id.as_str()).is_some())
            .collect())
    }

    fn take_row_numbers(&mut self, container: i64, count: i64) -> Result<i64> {
        Ok(self.change_container(container, 0, count)? - count)
    }
}

impl Session {
    /// Answers the next row number.
    fn change_container(&self, container: i64, contacts: i64, row_numbers: i64) -> Result<i64> {
        let changed = self.one(
            sql!("change_container"),
            &[&container, &contacts, &row_numbers],
            |row| number(row, 0),
        )?;
        Ok(changed.expect("an upsert without a condition returns its row"))
    }

    /// Takes members out of a container; answers them by Client ID.
    fn retire(&self, container: i64, client_ids: &[&str]) -> Result<Vec<(String, ContactId)>> {
        self.list(
            sql!("retire_contacts"),
            &[&texts(client_ids), &container],
            named,
        )
    }

    fn copy_contacts(
        &self,
        container: i64,
        contacts: &[Contact],
        is_live: impl Fn(&Contact) -> bool,
    ) -> Result<()> {
        let types = [Type::INT8, Type::INT8, Type::BOOL, Type::TEXT, Type::BYTEA];
        self.copy(sql!("copy_contacts"), types, contacts, |_, contact| {
            [
                Cell::Number(contact.id.0),
                Cell::Number(container),
                Cell::Flag(is_live(contact)),
                Cell::text(&contact.external_id),
                Cell::Bytes(contact.pack()),
            ]
        })?;
        // In key order, so that neighbours touch the same pages.
        let devices: BTreeSet<(i64, i64)> = contacts
            .iter()
            .flat_map(|contact| {
                let key = |address: &String| (DeviceKey::of(address).0, contact.id.0);
                contact
                    .devices
                    .iter()
                    .map(move |device| key(&device.address))
            })
            .collect();
        let devices: Vec<(i64, i64)> = devices.into_iter().collect();
        self.copy(
            sql!("copy_devices"),
            [Type::INT8, Type::INT8],
            &devices,
            |_, (device, contact)| [Cell::Number(*device), Cell::Number(*contact)],
        )
    }
}

fn keys(ids: &[ContactId]) -> Vec<i64> {
    ids.iter().map(|id| id.0).collect()
}

fn texts<'a>(texts: &[&'a str]) -> Vec<Text<'a>> {
    texts.iter().map(|text| Text::new(text)).collect()
}

fn named(row: &Row) -> Result<(String, ContactId)> {
    Ok((row.try_get(0)?, ContactId(number(row, 1)?)))
}

fn read(row: &Row) -> Result<Contact> {
    let id = number(row, 0)?;
    let payload: &[u8] = row.try_get(3)?;
    Contact::unpack(ContactId(id), number(row, 1)?, row.try_get(2)?, payload)
        .ok_or_else(|| damaged("contact", "payload", id, "it is cut or has unknown codes"))
}
