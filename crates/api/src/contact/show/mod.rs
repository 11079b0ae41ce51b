//! showContacts.

use crate::check::Findings;
use crate::contact::list::full;
use crate::context::{Context, Sight};
use crate::entity::Names;
use crate::entity::contact::CONTACT;
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::{Answer, Object};
use carillon_model::contact::Contact;
use carillon_model::contact_batch::ContactBatch;
use carillon_model::list::List;
use carillon_model::{BatchId, ContactId, ListId, OrgId, limits};
use carillon_store::{EntityReadExt as _, Snapshot};
use serde_json::json;
use std::collections::HashMap;

/// showContacts.
pub static METHOD: Method = Method {
    name: "showContacts",
    service: Service::ContactManagement,
    soap: true,
    doc: "Shows up to 100 contacts with their devices and attributes, in the order asked, repeats included; one unknown contact \
          fails the whole call. A contact is named by its internalId, or by its Client ID and its List. One that was replaced or \
          removed is unknown.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("contacts", Type::Entity(&CONTACT), "The contacts.")
            .many(limits::SHOW_CONTACTS_MAX)
            .required(),
    ]),
    output: Output::Many(&CONTACT),
    codes: None,
    rule: Some(client_id_with_list),
    prepare: None,
    http: Http::get("/contacts")
        .query(&[("ids", "contacts.internalId")])
        .also("/contacts/{contacts}"),
    run: Run::Read(handle),
    example: || json!({ "contacts": [{ "internalId": "500" }] }),
};

/// A Client ID means a contact only within a List.
fn client_id_with_list(arguments: View<'_>, findings: &mut Findings) {
    for view in arguments.items("contacts") {
        let by_client_id = !view.has("internalId") && view.has("externalId");
        if by_client_id && view.get("list").is_none() {
            findings.add(Row::NV, || view.path_to("list"), "null");
        }
    }
}

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let views: Vec<View<'_>> = arguments.items("contacts").collect();
    let mut ids = Vec::with_capacity(views.len());
    for view in &views {
        ids.push(named(snapshot, context, *view)?);
    }
    let live = snapshot.contacts_live(&ids)?;
    let known: HashMap<ContactId, Contact> = snapshot
        .contacts(&ids)?
        .into_iter()
        .map(|contact| (contact.id, contact))
        .collect();
    let names = Names::new(snapshot, context);
    let mut objects: Vec<Object> = Vec::with_capacity(views.len());
    for ((view, id), live) in views.iter().zip(&ids).zip(live) {
        let contact = known
            .get(id)
            .filter(|_| live)
            .ok_or_else(|| missing(*view))?;
        match owner(snapshot, contact.container)? {
            Some(owner) => match context.org(snapshot, owner)? {
                Some(owner) if context.sight(&owner) > Sight::Hidden => {}
                _ => return Err(missing(*view).into()),
            },
            None => return Err(missing(*view).into()),
        }
        objects.push(full(contact).set("list", names.list_key(ListId(contact.container))?));
    }
    Ok(Answer::many(objects, None))
}

fn missing(view: View<'_>) -> Fault {
    Fault::of(Row::R, view.path(), "does not exist")
}

/// The id that a reference names; whether there is such a contact is not said.
fn named(snapshot: &dyn Snapshot, context: &Context, view: View<'_>) -> Outcome<ContactId> {
    if let Some(digits) = view.text("internalId") {
        let id = form::internal_id(digits).ok_or_else(|| missing(view))?;
        return Ok(ContactId(id));
    }
    let list = view.get("list").expect("stage 4 found it");
    let list = context.find::<List>(snapshot, list, None)?.entity;
    let client_id = view.text("externalId").unwrap_or_default().trim();
    let mut found = snapshot.contacts_by_client_id(list.base.internal_id, &[client_id])?;
    Ok(found.pop().flatten().ok_or_else(|| missing(view))?)
}

/// Whose a container (List or batch) is; deleted ones are nobody's.
fn owner(snapshot: &dyn Snapshot, container: i64) -> Outcome<Option<OrgId>> {
    if let Some(list) = snapshot.get::<List>(ListId(container))? {
        return Ok(Some(list.owner));
    }
    let batch = snapshot.get::<ContactBatch>(BatchId(container))?;
    Ok(batch.map(|batch| batch.owner))
}
