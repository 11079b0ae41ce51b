//! listContactsUsingContact: by Client ID or device over all Lists.

use crate::context::{Context, Sight};
use crate::entity::contact::{CONTACT, key};
use crate::entity::read_address;
use crate::fault::{Fault, Outcome, Row};
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::contact::{Contact, DeviceKey};
use carillon_model::contact_batch::ContactBatch;
use carillon_model::list::List;
use carillon_model::{BatchId, ContactId, ListId, OrgId};
use carillon_store::{EntityReadExt as _, Snapshot};
use serde_json::json;
use std::collections::HashMap;

/// listContactsUsingContact.
pub static METHOD: Method = Method {
    name: "listContactsUsingContact",
    service: Service::ContactManagement,
    soap: true,
    doc: "Lists contacts by Client ID or by device over all Lists and batches of an Org and below, newest first on both doors \
          and at most 1,000.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("org", Type::Entity(&crate::entity::org::ORG), "The Org.").required(),
        Field::new(
            "sample",
            Type::Entity(&CONTACT),
            "A Client ID, a device, or both.",
        )
        .sample()
        .required(),
    ]),
    output: Output::Many(&CONTACT),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/contacts").query(&[
        ("org", "org.internalId"),
        ("clientId", "sample.externalId"),
        ("device", "sample.devices.externalId"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "org": { "internalId": "20" }, "sample": { "externalId": "C-1001" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &[],
        false,
    )?;
    let sample = arguments.get("sample").expect("stage 1 found it");
    let found = candidates(snapshot, sample, org.settings.country(), RESULT_MAX + 1)?;
    let org_id = OrgId(org.org.base.internal_id);
    let mut owners: HashMap<i64, bool> = HashMap::new();
    let live = snapshot.contacts_live(
        &found
            .iter()
            .map(|contact| contact.id)
            .collect::<Vec<ContactId>>(),
    )?;
    let mut visible = Vec::new();
    for (contact, live) in found.iter().zip(live) {
        if !live {
            continue;
        }
        let known = owners.get(&contact.container).copied();
        let below = match known {
            Some(below) => below,
            None => {
                let below = belongs(snapshot, context, contact.container, org_id)?;
                owners.insert(contact.container, below);
                below
            }
        };
        if below {
            visible.push(contact);
        }
    }
    if visible.len() > RESULT_MAX {
        return Err(Fault::of(Row::Z, crate::tree::Path::default(), "").into());
    }
    Ok(Answer::many(visible.into_iter().map(key).collect(), None))
}

/// Contacts with a Client ID, a device, or both.
pub fn candidates(
    snapshot: &dyn Snapshot,
    sample: View<'_>,
    country: &str,
    limit: usize,
) -> Outcome<Vec<Contact>> {
    let client = sample.text("externalId").map(str::trim);
    let device_view = sample.items("devices").next();
    let device = match device_view.and_then(|device| Some((device, device.text("externalId")?))) {
        Some((view, text)) => Some(read_address(text, country).ok_or_else(|| {
            Fault::of(
                Row::F,
                view.path_to("externalId"),
                "neither a phone number nor an e-mail address",
            )
        })?),
        None => None,
    };
    Ok(match (client, device) {
        (Some(client), device) => {
            let mut found = snapshot.contacts_with_client_id(client, limit)?;
            if let Some(device) = device {
                found.retain(|contact| contact.devices.iter().any(|other| other.address == device));
            }
            found
        }
        (None, Some(device)) => snapshot
            .contacts_with_device(DeviceKey::of(&device), limit)?
            .into_iter()
            .filter(|contact| contact.devices.iter().any(|other| other.address == device))
            .collect(),
        (None, None) => return Err(Fault::of(Row::NV, sample.path_to("externalId"), "null").into()),
    })
}

/// Whether a container (List or batch) belongs to an Org or below, and the caller sees it.
pub fn belongs(
    snapshot: &dyn Snapshot,
    context: &Context,
    container: i64,
    org: OrgId,
) -> Outcome<bool> {
    let owner = match snapshot.stored::<List>(ListId(container))? {
        Some(list) => Some(list.entity.owner),
        None => snapshot
            .stored::<ContactBatch>(BatchId(container))?
            .map(|batch| batch.entity.owner),
    };
    let Some(owner) = owner else { return Ok(false) };
    let Some(owner) = context.org(snapshot, owner)? else {
        return Ok(false);
    };
    Ok(context.sight(&owner) > Sight::Hidden && owner.chain().any(|above| above == org))
}
