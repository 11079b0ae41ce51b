//! New contacts put into a container: ids, and Client IDs for those that have none.

use carillon_model::ContactId;
use carillon_model::contact::Contact;
use carillon_store::contact::Put;
use carillon_store::{Result, Transaction};
use std::collections::HashSet;

/// Gives contacts their ids, those without Client ID a `row-<n>` that nobody has in this container, and puts them there.
pub fn put_new(
    transaction: &mut dyn Transaction,
    container: i64,
    contacts: &mut [Contact],
) -> Result<Vec<Put>> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    name_nameless(transaction, container, contacts)?;
    let first = transaction.take_ids(contacts.len() as u64)?;
    for (id, contact) in (first..).zip(contacts.iter_mut()) {
        contact.id = ContactId(id);
        contact.container = container;
    }
    transaction.put_contacts(container, contacts)
}

/// A caller may have used `row-7` as a Client ID of its own; the row that would get this number takes the next one.
fn name_nameless(
    transaction: &mut dyn Transaction,
    container: i64,
    contacts: &mut [Contact],
) -> Result<()> {
    let mut nameless: Vec<usize> = (0..contacts.len())
        .filter(|index| contacts[*index].external_id.is_empty())
        .collect();
    let told: HashSet<String> = contacts
        .iter()
        .filter(|contact| contact.external_id.starts_with("row-"))
        .map(|contact| contact.external_id.clone())
        .collect();
    while !nameless.is_empty() {
        let first = transaction.take_row_numbers(container, nameless.len() as i64)?;
        let names: Vec<String> = (first..)
            .zip(&nameless)
            .map(|(number, _)| format!("row-{number}"))
            .collect();
        let names_asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let held = transaction.contacts_by_client_id(container, &names_asked)?;
        let mut left = Vec::new();
        for ((index, name), holder) in nameless.into_iter().zip(names).zip(held) {
            if holder.is_some() || told.contains(&name) {
                left.push(index);
            } else {
                contacts[index].external_id = name;
            }
        }
        nameless = left;
    }
    Ok(())
}
