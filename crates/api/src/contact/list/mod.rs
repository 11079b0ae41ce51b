//! listContactsAsContacts.

use crate::context::Context;
use crate::entity::contact::{CONTACT, key, summary};
use crate::entity::list::LIST;
use crate::fault::{Fault, Outcome, Row};
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::sample;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::{Answer, Object};
use carillon_model::contact::Contact;
use carillon_model::list::List;
use carillon_model::{ContactId, ListType};
use carillon_store::Snapshot;
use serde_json::json;

/// listContactsAsContacts.
pub static METHOD: Method = Method {
    name: "listContactsAsContacts",
    service: Service::ContactManagement,
    soap: true,
    doc: "Lists the contacts of a List that match a sample, attributes included. SOAP answers at most 1,000.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The List.").required(),
        Field::new("sample", Type::Entity(&CONTACT), "Which; null = all.")
            .sample()
            .c(),
    ]),
    output: Output::Many(&CONTACT),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/lists/{list}/contacts").query(&[("clientId", "sample.externalId")]),
    run: Run::Read(handle),
    example: || json!({ "list": { "internalId": "400" } }),
};

/// A contact with everything that a sample may ask for.
pub fn full(contact: &Contact) -> Object {
    summary(contact).with_attributes(&contact.attributes)
}

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("list").expect("stage 1 found it");
    let list = context.find::<List>(snapshot, view, None)?.entity;
    if list.list_type == ListType::Suppression {
        return Err(Fault::of(
            Row::DA,
            view.path(),
            "a suppression list holds entries, not contacts",
        )
        .into());
    }
    let (mut after, asked) = context.id_page(RESULT_MAX)?;
    let sample = arguments.get("sample");
    let mut found: Vec<(i64, Object)> = Vec::new();
    loop {
        let chunk = snapshot.contact_page(list.base.internal_id, ContactId(after), RESULT_MAX)?;
        let full_chunk = chunk.len() == RESULT_MAX;
        for contact in &chunk {
            after = contact.id.0;
            if sample.is_none_or(|sample| sample::matches(sample, &full(contact), true)) {
                found.push((contact.id.0, key(contact)));
            }
            if found.len() == asked {
                break;
            }
        }
        if !full_chunk || found.len() >= asked {
            break;
        }
    }
    let cursor = context.end_id_page(&mut found, asked, |(id, _)| *id)?;
    Ok(Answer::many(
        found.into_iter().map(|(_, object)| object).collect(),
        cursor,
    ))
}
