//! Contacts of Lists and batches. A contact is written once and never changed: a second import of its Client ID makes a
//! new contact and takes the old one out of the List, where runs that loaded it still find it by id.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::ContactId;
use carillon_model::contact::{Contact, DeviceKey};

/// What became of a contact that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is new in its container.
    Stored,
    /// It took the place of this one.
    Replaced(ContactId),
}

/// What a container holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Container {
    /// Live contacts.
    pub contacts: i64,
    /// The next n of `row-<n>`, from 1.
    pub next_row: i64,
}

impl Default for Container {
    fn default() -> Self {
        Self {
            contacts: 0,
            next_row: 1,
        }
    }
}

/// Reading contacts.
pub trait ContactRead {
    /// Contacts by id, in the order asked; unknown ids are left out. Replaced and removed ones are found too.
    fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>>;
    /// Live contacts of a container with ids above `after`, by id ascending: how loads and lists walk.
    fn contact_page(&self, container: i64, after: ContactId, limit: usize) -> Result<Vec<Contact>>;
    /// The live contact of each Client ID in a container, in the order asked.
    fn contacts_by_client_id(
        &self,
        container: i64,
        client_ids: &[&str],
    ) -> Result<Vec<Option<ContactId>>>;
    /// Contacts (live or not) with this Client ID in any container, newest first.
    fn contacts_with_client_id(&self, client_id: &str, limit: usize) -> Result<Vec<Contact>>;
    /// Contacts (live or not) with this device in any container, newest first.
    fn contacts_with_device(&self, device: DeviceKey, limit: usize) -> Result<Vec<Contact>>;
    /// What a container holds.
    fn container(&self, container: i64) -> Result<Container>;
    /// Whether each contact is still live in its container, in the order asked.
    fn contacts_live(&self, ids: &[ContactId]) -> Result<Vec<bool>>;
}

/// Writing contacts.
pub trait ContactWrite {
    /// Puts contacts into a container, each with its id, Client ID and payload. Later ones replace earlier ones of the
    /// same Client ID, within the call too.
    fn put_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<Vec<Put>>;
    /// Puts contacts that are not members (duplicates of a batch): found by id, Client ID and device, never in a page.
    fn put_former_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<()>;
    /// Takes contacts out of a container; answers which were there.
    fn remove_contacts(&mut self, container: i64, client_ids: &[&str]) -> Result<Vec<bool>>;
    /// The first of `count` numbers for `row-<n>`; never used again, whatever becomes of the rows.
    fn take_row_numbers(&mut self, container: i64, count: i64) -> Result<i64>;
}
