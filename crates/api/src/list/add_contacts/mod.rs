//! addToListUsingContacts: item-wise.

use crate::context::Context;
use crate::entity::contact::CONTACT;
use crate::entity::list::LIST;
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_import::normalise::{self, Problem, RawContact, RawDevice, Rules};
use carillon_model::contact::Contact;
use carillon_model::list::List;
use carillon_model::{DeviceType, LineType, ListType, Severity, limits};
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
    let rules = Rules::of(&owner.settings).map_err(|_| {
        let reason = "the Account's clientIdFormat is no regular expression that can be used";
        Fault::of(Row::I, view.path(), reason)
    })?;
    let mut answer = Answer::none();
    let mut good = Vec::new();
    for (index, item) in arguments.items("contacts").enumerate() {
        match usable(item, &rules) {
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

/// A contact as the rows of a file are taken: a device that cannot be read, or that is there already, is left out.
fn usable(view: View<'_>, rules: &Rules) -> Result<Contact, Fault> {
    let mut raw = RawContact {
        client_id: view.text("externalId").unwrap_or_default().to_owned(),
        devices: Vec::new(),
        attributes: view
            .attributes("attributes")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    let mut places: Vec<View<'_>> = Vec::new();
    for item in view.items("devices") {
        let device = raw_device(item);
        let Ok(read) = normalise::device(&device.address, device.device_type, 1, rules) else {
            continue;
        };
        let same = |other: &RawDevice| other.address.eq_ignore_ascii_case(&read.address);
        if !raw.devices.iter().any(same) {
            raw.devices.push(RawDevice {
                address: read.address,
                ..device
            });
            places.push(item);
        }
    }
    if raw.devices.is_empty() {
        let reason = "no device that can be read";
        return Err(Fault::of(Row::F, view.path_to("devices"), reason));
    }
    normalise::contact(raw, rules).map_err(|fault| told(view, &places, &fault))
}

fn raw_device(view: View<'_>) -> RawDevice {
    RawDevice {
        address: view.text("externalId").unwrap_or_default().to_owned(),
        device_type: view
            .text("type")
            .and_then(|word| DeviceType::parse(word.trim())),
        name: view.attribute("name").map(str::to_owned),
        time_zone: view.attribute("timeZone").map(str::to_owned),
        line_type: view
            .attribute("lineType")
            .and_then(|word| LineType::parse(word.trim())),
    }
}

/// What is wrong with a contact, as a call answers it.
fn told(view: View<'_>, devices: &[View<'_>], fault: &normalise::Fault) -> Fault {
    let row = match &fault.problem {
        Problem::TooLong(_) => Row::SV,
        Problem::Character => Row::C,
        Problem::Phone | Problem::Email | Problem::TimeZone => Row::F,
        Problem::DeviceType => Row::DR,
        Problem::ClientIdFormat
        | Problem::Order
        | Problem::Condition
        | Problem::AttributeName
        | Problem::DeviceName
        | Problem::DeviceAgain
        | Problem::TooMany(_) => Row::DV,
    };
    let path = match fault.device.and_then(|index| devices.get(index)) {
        Some(device) => device.path_to(match fault.problem {
            Problem::DeviceName => "name",
            Problem::TimeZone => "timeZone",
            _ => "externalId",
        }),
        None => view.path_to(&fault.field),
    };
    Fault::of(row, path, fault.problem.to_string())
}
