//! Contacts in SQLite. The payload is one packed blob, written once.

use super::{Contact, ContactRead, ContactWrite, Container, Put};
use crate::limits::{DEVICES_GATHERED_MAX, DEVICES_MOVED_MAX};
use crate::sqlite::session::{Session, damaged, rows};
use crate::sqlite::statement::sql;
use crate::{Error, Result};
use carillon_model::ContactId;
use carillon_model::contact::DeviceKey;
use rusqlite::{Row, params};

impl ContactRead for Session {
    fn contacts(&self, ids: &[ContactId]) -> Result<Vec<Contact>> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(self.one(sql!("contact"), [id.0], read)?);
        }
        Ok(found)
    }

    fn contact_page(&self, container: i64, after: ContactId, limit: usize) -> Result<Vec<Contact>> {
        self.list(
            sql!("contact_page"),
            params![container, after.0, rows(limit)],
            read,
        )
    }

    fn contacts_by_client_id(
        &self,
        container: i64,
        client_ids: &[&str],
    ) -> Result<Vec<Option<ContactId>>> {
        client_ids
            .iter()
            .map(|client_id| {
                self.one(sql!("live_contact"), params![client_id, container], |row| {
                    Ok(ContactId(row.get(0)?))
                })
            })
            .collect()
    }

    fn contacts_with_client_id(&self, client_id: &str, limit: usize) -> Result<Vec<Contact>> {
        self.list(
            sql!("contacts_with_client_id"),
            params![client_id, rows(limit)],
            read,
        )
    }

    fn contacts_with_device(&self, device: DeviceKey, limit: usize) -> Result<Vec<Contact>> {
        self.list(
            sql!("contacts_with_device"),
            params![device.0, rows(limit)],
            read,
        )
    }

    fn container(&self, container: i64) -> Result<Container> {
        let found = self.one(sql!("container"), [container], |row| {
            Ok(Container {
                contacts: row.get(0)?,
                next_row: row.get(1)?,
            })
        })?;
        Ok(found.unwrap_or_default())
    }

    fn contacts_live(&self, ids: &[ContactId]) -> Result<Vec<bool>> {
        ids.iter()
            .map(|id| {
                Ok(self
                    .one(sql!("contact_is_live"), [id.0], |row| Ok(row.get(0)?))?
                    .unwrap_or(false))
            })
            .collect()
    }
}

impl ContactWrite for Session {
    fn put_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<Vec<Put>> {
        let mut puts = Vec::with_capacity(contacts.len());
        {
            let mut insert = self.statement(sql!("insert_contact"))?;
            let mut retire = self.statement(sql!("retire_contact"))?;
            for contact in contacts {
                let payload = contact.pack();
                let row = params![contact.id.0, container, true, contact.external_id, payload];
                let mut put = Put::Stored;
                if insert.execute(row)? == 0 {
                    let replaced = retire
                        .query_and_then(params![contact.external_id, container], |row| {
                            Ok(ContactId(row.get(0)?))
                        })?
                        .collect::<Result<Vec<_>>>()?;
                    put = replaced
                        .first()
                        .map_or(Put::Stored, |id| Put::Replaced(*id));
                    if replaced.is_empty() || insert.execute(row)? == 0 {
                        return Err(id_in_use(contact.id));
                    }
                }
                puts.push(put);
            }
        }
        self.put_devices(contacts)?;
        let stored = puts.iter().filter(|put| **put == Put::Stored).count();
        self.change_container(container, rows(stored), 0)?;
        Ok(puts)
    }

    fn put_former_contacts(&mut self, container: i64, contacts: &[Contact]) -> Result<()> {
        {
            let mut insert = self.statement(sql!("insert_contact"))?;
            for contact in contacts {
                let row = params![
                    contact.id.0,
                    container,
                    false,
                    contact.external_id,
                    contact.pack()
                ];
                if insert.execute(row)? == 0 {
                    return Err(id_in_use(contact.id));
                }
            }
        }
        self.put_devices(contacts)
    }

    fn remove_contacts(&mut self, container: i64, client_ids: &[&str]) -> Result<Vec<bool>> {
        let removed = client_ids
            .iter()
            .map(|client_id| {
                let retired: Option<i64> = self.one(
                    sql!("retire_contact"),
                    params![client_id, container],
                    |row| Ok(row.get(0)?),
                )?;
                Ok(retired.is_some())
            })
            .collect::<Result<Vec<bool>>>()?;
        let count = removed.iter().filter(|was_there| **was_there).count();
        self.change_container(container, -rows(count), 0)?;
        Ok(removed)
    }

    fn take_row_numbers(&mut self, container: i64, count: i64) -> Result<i64> {
        Ok(self.change_container(container, 0, count)? - count)
    }
}

impl Session {
    /// Answers the next row number.
    fn change_container(&self, container: i64, contacts: i64, row_numbers: i64) -> Result<i64> {
        let changed = params![container, contacts, row_numbers];
        let next = self.one(sql!("change_container"), changed, |row| Ok(row.get(0)?))?;
        Ok(next.expect("an upsert without a condition returns its row"))
    }

    /// Puts devices into the small tree, and moves as many out of it once it is full.
    fn put_devices(&mut self, contacts: &[Contact]) -> Result<()> {
        let mut gathered = 0;
        {
            let mut insert = self.statement(sql!("insert_device"))?;
            for contact in contacts {
                for device in &contact.devices {
                    gathered +=
                        rows(insert.execute([DeviceKey::of(&device.address).0, contact.id.0])?);
                }
            }
        }
        self.devices.gathered += gathered;
        while self.devices.gathered > DEVICES_GATHERED_MAX {
            self.move_devices()?;
        }
        Ok(())
    }

    /// Moves the next piece of the small tree into the large one, going round through the keys.
    fn move_devices(&mut self) -> Result<()> {
        let from = self.devices.moved_to;
        let last = self.one(
            sql!("last_copied_device"),
            [from, DEVICES_MOVED_MAX - 1],
            |row| Ok(row.get(0)?),
        )?;
        let piece = [from, last.unwrap_or(i64::MAX)];
        self.execute(sql!("copy_devices"), piece)?;
        let moved = self.execute(sql!("drop_devices"), piece)?;
        self.devices.gathered -= rows(moved);
        self.devices.moved_to = last.unwrap_or(i64::MIN);
        Ok(())
    }

    /// Counts what the small tree holds: at the start, and when a commit was lost.
    pub(crate) fn count_new_devices(&mut self) -> Result<()> {
        let count = self.one(sql!("new_devices"), [], |row| Ok(row.get(0)?))?;
        self.devices.gathered = count.unwrap_or(0);
        Ok(())
    }
}

fn read(row: &Row<'_>) -> Result<Contact> {
    let id: i64 = row.get(0)?;
    let payload = row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?;
    Contact::unpack(ContactId(id), row.get(1)?, row.get(2)?, payload)
        .ok_or_else(|| damaged("contact", "payload", id, "it is cut or has unknown codes"))
}

fn id_in_use(id: ContactId) -> Error {
    Error::Database(format!("contact {id} is there already"))
}
