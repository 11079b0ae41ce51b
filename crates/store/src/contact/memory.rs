//! Contacts in memory.

use super::{Contact, ContactRead, ContactWrite, Container, Put};
use crate::memory::State;
use crate::{Error, Result};
use carillon_model::ContactId;
use carillon_model::contact::DeviceKey;
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// Contacts by id and by what they are looked up by.
#[derive(Clone, Default)]
pub(crate) struct Contacts {
    contacts: OrdMap<i64, Arc<Contact>>,
    members: OrdSet<(i64, i64)>,
    member_of_client_id: OrdMap<(i64, String), i64>,
    by_client_id: OrdSet<(String, i64)>,
    by_device: OrdSet<(DeviceKey, i64)>,
    containers: OrdMap<i64, Container>,
}

impl Contacts {
    fn add(&mut self, container: i64, contact: &Contact) -> Result<()> {
        let id = contact.id.0;
        if self.contacts.contains_key(&id) {
            return Err(Error::Database(format!("contact {id} is there already")));
        }
        for device in &contact.devices {
            self.by_device.insert((DeviceKey::of(&device.address), id));
        }
        self.by_client_id.insert((contact.external_id.clone(), id));
        self.contacts.insert(
            id,
            Arc::new(Contact {
                container,
                ..contact.clone()
            }),
        );
        Ok(())
    }

    fn retire(&mut self, container: i64, client_id: &str) -> Option<i64> {
        let id = self
            .member_of_client_id
            .remove(&(container, client_id.to_owned()))?;
        self.members.remove(&(container, id));
        Some(id)
    }

    fn get(&self, id: i64) -> Option<Contact> {
        self.contacts
            .get(&id)
            .map(|contact| Contact::clone(contact))
    }

    fn change_container(&mut self, container: i64, contacts: i64, row_numbers: i64) -> i64 {
        let present = self.containers.entry(container).or_default();
        present.contacts += contacts;
        present.next_row += row_numbers;
        present.next_row
    }
}

impl ContactRead for State {
    fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>> {
        Ok(ids.iter().filter_map(|id| self.contact.get(id.0)).collect())
    }

    fn contact_page(&self, container: i64, after: ContactId, limit: usize) -> Result<Vec<Contact>> {
        let Some(first) = after.0.checked_add(1) else {
            return Ok(Vec::new());
        };
        let members = self
            .contact
            .members
            .range((container, first)..=(container, i64::MAX));
        Ok(members
            .take(limit)
            .filter_map(|(_, id)| self.contact.get(*id))
            .collect())
    }

    fn contacts_by_client_id(
        &self,
        container: i64,
        client_ids: &[&str],
    ) -> Result<Vec<Option<ContactId>>> {
        let member = |client_id: &&str| {
            self.contact
                .member_of_client_id
                .get(&(container, (*client_id).to_owned()))
                .map(|id| ContactId(*id))
        };
        Ok(client_ids.iter().map(member).collect())
    }

    fn contacts_with_client_id(&self, client_id: &str, limit: usize) -> Result<Vec<Contact>> {
        let range = (client_id.to_owned(), i64::MIN)..=(client_id.to_owned(), i64::MAX);
        let newest = self.contact.by_client_id.range(range).rev().take(limit);
        Ok(newest.filter_map(|(_, id)| self.contact.get(*id)).collect())
    }

    fn contacts_with_device(&self, device: DeviceKey, limit: usize) -> Result<Vec<Contact>> {
        let newest = self
            .contact
            .by_device
            .range((device, i64::MIN)..=(device, i64::MAX))
            .rev()
            .take(limit);
        Ok(newest.filter_map(|(_, id)| self.contact.get(*id)).collect())
    }

    fn container(&self, container: i64) -> Result<Container> {
        Ok(self
            .contact
            .containers
            .get(&container)
            .copied()
            .unwrap_or_default())
    }

    fn contacts_live(&self, ids: &[ContactId]) -> Result<Vec<bool>> {
        let is_live = |id: &ContactId| {
            let contact = self.contact.contacts.get(&id.0);
            contact.is_some_and(|contact| self.contact.members.contains(&(contact.container, id.0)))
        };
        Ok(ids.iter().map(is_live).collect())
    }
}

impl ContactWrite for State {
    fn put_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<Vec<Put>> {
        let mut puts = Vec::with_capacity(contacts.len());
        for contact in contacts {
            self.contact.add(container, contact)?;
            let replaced = self.contact.retire(container, &contact.external_id);
            self.contact
                .member_of_client_id
                .insert((container, contact.external_id.clone()), contact.id.0);
            self.contact.members.insert((container, contact.id.0));
            puts.push(replaced.map_or(Put::Stored, |id| Put::Replaced(ContactId(id))));
        }
        let stored = puts.iter().filter(|put| **put == Put::Stored).count();
        self.contact.change_container(container, stored as i64, 0);
        Ok(puts)
    }

    fn put_former_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<()> {
        contacts
            .iter()
            .try_for_each(|contact| self.contact.add(container, contact))
    }

    fn remove_contacts(&mut self, container: i64, client_ids: &[&str]) -> Result<Vec<bool>> {
        let removed: Vec<bool> = client_ids
            .iter()
            .map(|client_id| self.contact.retire(container, client_id).is_some())
            .collect();
        let count = removed.iter().filter(|was_there| **was_there).count();
        self.contact.change_container(container, -(count as i64), 0);
        Ok(removed)
    }

    fn take_row_numbers(&mut self, container: i64, count: i64) -> Result<i64> {
        Ok(self.contact.change_container(container, 0, count) - count)
    }
}
