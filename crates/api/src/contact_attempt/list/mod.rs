//! listContactAttempts (M34).

use crate::check::Findings;
use crate::contact::find::{belongs, candidates};
use crate::context::Context;
use crate::entity::attempt::{CONTACT_ATTEMPT, key};
use crate::entity::read_address;
use crate::fault::{Code, Fault, Outcome, Row};
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use crate::window;
use carillon_model::attempt::Attempt;
use carillon_model::contact::DeviceKey;
use carillon_model::{AttemptId, ContactId, Moment, OrgId, OrgType};
use carillon_store::Snapshot;
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use serde_json::json;

/// Contacts of one Client ID that are looked at, newest first.
const CONTACTS_MAX: usize = 1_000;

/// listContactAttempts.
pub static METHOD: Method = Method {
    name: "listContactAttempts",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Lists the attempts to one contact, by Client ID or by device; with both, both must match. Without times the window is \
          the last 24 hours; with one time it is a day. Order: start.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "Account or Enterprise.",
        )
        .kinds(&["Account", "Enterprise"])
        .required(),
        Field::new(
            "sample",
            Type::Entity(&CONTACT_ATTEMPT),
            "contact.externalId, contact.devices[0].externalId, or both.",
        )
        .sample()
        .required(),
        Field::new("fromTime", Type::DateTime, "From.").c(),
        Field::new("toTime", Type::DateTime, "Before.").c(),
    ]),
    output: Output::Many(&CONTACT_ATTEMPT),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ObjectNotExists,
        Code::ResultTooLarge,
    ]),
    rule: Some(sample_and_window),
    prepare: None,
    http: Http::get("/contact-attempts").query(&[
        ("org", "org.internalId"),
        ("clientId", "sample.contact.externalId"),
        ("device", "sample.contact.devices.externalId"),
        ("fromTime", "fromTime"),
        ("toTime", "toTime"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "org": { "internalId": "20" }, "sample": { "contact": { "externalId": "C-1001" } } }),
};

fn sample_and_window(arguments: View<'_>, findings: &mut Findings) {
    window::in_order(arguments, findings);
    let Some(sample) = arguments
        .get("sample")
        .filter(|sample| sample.shape().is_some())
    else {
        return;
    };
    let contact = sample
        .get("contact")
        .filter(|contact| contact.shape().is_some());
    let device = contact.and_then(|contact| contact.items("devices").next());
    let device = device.and_then(|device| Some((device, device.text("externalId")?)));
    if contact
        .and_then(|contact| contact.text("externalId"))
        .is_none()
        && device.is_none()
    {
        findings.add(Row::NV, || sample.path_to("contact"), "null");
    }
    if let Some((view, text)) = device
        && !crate::shape::form::may_be_phone(text)
        && !crate::shape::form::may_be_email(text)
    {
        findings.add(
            Row::F,
            || view.path_to("externalId"),
            "neither a phone number nor an e-mail address",
        );
    }
}

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let kinds = [OrgType::Account, OrgType::Enterprise];
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &kinds,
        false,
    )?;
    let (from, to) = window::w24(arguments, context.zone(&org), context.now);
    let sample = arguments
        .get("sample")
        .and_then(|sample| sample.get("contact"))
        .expect("stage 4 found it");
    let limit = org.settings.limit("limit.result.listContactAttempts", 500);
    let (after, asked) = context.id_page(limit)?;
    let org_id = OrgId(org.org.base.internal_id);
    let query = |of| AttemptQuery {
        of,
        from,
        to,
        after: AttemptId(after),
        limit: asked,
    };
    let mut found = if sample.has("externalId") {
        by_client(
            snapshot,
            context,
            sample,
            org_id,
            org.settings.country(),
            query,
        )?
    } else {
        by_device(snapshot, context, sample, &org, (from, to), after, asked)?
    };
    let cursor = context.end_id_page(&mut found, asked, |attempt: &Attempt| attempt.id.0)?;
    Ok(Answer::many(found.iter().map(key).collect(), cursor))
}

fn by_client(
    snapshot: &dyn Snapshot,
    context: &Context,
    sample: View<'_>,
    org: OrgId,
    country: &str,
    query: impl FnOnce(AttemptsOf) -> AttemptQuery,
) -> Outcome<Vec<Attempt>> {
    let mut contacts: Vec<ContactId> = Vec::new();
    for contact in candidates(snapshot, sample, country, CONTACTS_MAX)? {
        if belongs(snapshot, context, contact.container, org)? {
            contacts.push(contact.id);
        }
    }
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    Ok(snapshot.attempts_of(&query(AttemptsOf::Contacts(contacts)))?)
}

/// Attempts to a device are found over all Accounts; those of other Orgs are left out, and the page goes on.
fn by_device(
    snapshot: &dyn Snapshot,
    context: &Context,
    sample: View<'_>,
    org: &carillon_model::org::Resolved,
    (from, to): (Moment, Moment),
    mut after: i64,
    asked: usize,
) -> Outcome<Vec<Attempt>> {
    let view = sample.items("devices").next().expect("stage 4 found it");
    let text = view.text("externalId").unwrap_or_default();
    let address = read_address(text, org.settings.country()).ok_or_else(|| {
        Fault::of(
            Row::F,
            view.path_to("externalId"),
            "neither a phone number nor an e-mail address",
        )
    })?;
    let wanted = OrgId(org.org.base.internal_id);
    let mut found = Vec::new();
    loop {
        let query = AttemptQuery {
            of: AttemptsOf::Device(DeviceKey::of(&address)),
            from,
            to,
            after: AttemptId(after),
            limit: RESULT_MAX,
        };
        let chunk = snapshot.attempts_of(&query)?;
        let full = chunk.len() == RESULT_MAX;
        for attempt in chunk {
            after = attempt.id.0;
            let account = context.org(snapshot, OrgId(attempt.account))?;
            let below = account.is_some_and(|account| account.chain().any(|above| above == wanted));
            if below && attempt.address == address {
                found.push(attempt);
            }
            if found.len() == asked {
                return Ok(found);
            }
        }
        if !full {
            return Ok(found);
        }
    }
}
