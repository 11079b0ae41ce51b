//! addToListUsingContacts: item-wise.

use crate::context::Context;
use crate::entity::contact::{self, CONTACT};
use crate::entity::list::LIST;
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::list::List;
use carillon_model::org::Resolved;
use carillon_model::{ListType, Severity, limits};
use carillon_store::Transaction;
use serde_json::json;

/// addToListUsingContacts.
pub static METHOD: Method = Method {
    name: "addToListUsingContacts",
    service: Service::ContactManagement,
    soap: true,
    doc: "Adds contacts to a List, item-wise: each refused one gives a warning ITEM_FAILED. A Client ID that is there already \
          is replaced as a whole, because contacts do not change in place. A contact needs a device that can be read.",
    access: access::WRITERS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The List.").required(),
        Field::new("contacts", Type::Entity(&CONTACT), "The contacts.")
            .made()
            .many(limits::ITEMS_MAX)
            .required(),
    ]),
    output: Output::None,
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/lists/{list}/contacts").status(204),
    run: Run::Write(handle),
    example: || {
        json!({
            "list": { "internalId": "400" },
            "contacts": [{
                "externalId": "C-2001", "devices": [{ "externalId": "+12075550123" }],
                "attributes": { "firstName": "Ann", "ticket": "T-1" }
            }]
        })
    },
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("list").expect("stage 1 found it");
    let list = context.find_writable::<List>(transaction, view)?.entity;
    if list.list_type == ListType::Suppression {
        return Err(Fault::of(
            Row::DA,
            view.path(),
            "a suppression list takes entries, not contacts",
        )
        .into());
    }
    let owner = context.owner(transaction, list.owner)?;
    let format = owner
        .settings
        .client_id_format
        .as_deref()
        .and_then(|format| regex::Regex::new(&format!("^(?:{format})$")).ok());
    let mut answer = Answer::none();
    let mut good = Vec::new();
    for (index, item) in arguments.items("contacts").enumerate() {
        match usable(item, &owner, format.as_ref()) {
            Ok(contact) => good.push(contact),
            Err(fault) => {
                let code = fault.code(None);
                let message = format!(
                    "[{index}] {} {}",
                    code.text(),
                    fault.message(code, &fault.path.soap())
                );
                answer.warn(Code::ItemFailed, Severity::Warning, message);
            }
        }
    }
    carillon_import::put_new(transaction, list.base.internal_id, &mut good)?;
    let detail = format!(
        "{{\"added\":{},\"refused\":{}}}",
        good.len(),
        answer.warnings.len()
    );
    context.audit(
        transaction,
        list.owner,
        format!("list {}", list.base.internal_id),
        detail,
    )?;
    Ok(answer)
}

fn usable(
    view: View<'_>,
    owner: &Resolved,
    format: Option<&regex::Regex>,
) -> Result<carillon_model::contact::Contact, Fault> {
    let contact = contact::read(view, owner.settings.country());
    if contact.devices.is_empty() {
        return Err(Fault::of(
            Row::F,
            view.path_to("devices"),
            "no device that can be read",
        ));
    }
    let client_id = &contact.external_id;
    if !client_id.is_empty() && format.is_some_and(|format| !format.is_match(client_id)) {
        return Err(Fault::of(
            Row::DV,
            view.path_to("externalId"),
            "not of the Account's clientIdFormat",
        ));
    }
    Ok(contact)
}
