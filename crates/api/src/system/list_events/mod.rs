//! listSystemEvents: the audit trail.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::system::{SYSTEM_EVENT, event};
use crate::fault::Outcome;
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::sample;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use crate::window;
use carillon_model::{OrgId, OrgType, SystemEventId};
use carillon_store::Snapshot;
use serde_json::json;

/// listSystemEvents.
pub static METHOD: Method = Method {
    name: "listSystemEvents",
    service: Service::PlatformManagement,
    soap: true,
    doc: "Lists the audit trail of an Org and everything under it: every create, change, delete and state change. Without \
          times the window is the last 24 hours.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("org", Type::Entity(&crate::entity::org::ORG), "The Org.").required(),
        Field::new("sample", Type::Entity(&SYSTEM_EVENT), "Which; null = all.")
            .sample()
            .c(),
        Field::new("fromTime", Type::DateTime, "From.").c(),
        Field::new("toTime", Type::DateTime, "Before.").c(),
    ]),
    output: Output::Many(&SYSTEM_EVENT),
    codes: None,
    rule: Some(window::in_order),
    prepare: None,
    http: Http::get("/system-events").query(&[
        ("org", "org.internalId"),
        ("action", "sample.action"),
        ("subject", "sample.subject"),
        ("fromTime", "fromTime"),
        ("toTime", "toTime"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "org": { "internalId": "20" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &[],
        true,
    )?;
    let mut owners = vec![OrgId(org.org.base.internal_id)];
    if org.org.org_type != OrgType::Account {
        owners.extend(
            context
                .accounts_below(snapshot, &org)?
                .iter()
                .map(|account| OrgId(account.org.base.internal_id)),
        );
        owners.extend(
            context
                .all_of::<carillon_model::org::Org>(snapshot, org.org.base.internal_id)?
                .iter()
                .map(|child| OrgId(child.base.internal_id)),
        );
        owners.sort();
        owners.dedup();
    }
    let (from, to) = window::w24(arguments, context.zone(&org), context.now.plus(1));
    let (mut after, asked) = context.id_page(RESULT_MAX)?;
    let names = Names::new(snapshot, context);
    let mut found = Vec::new();
    // A sample thins out what the store gives, so pages are gathered until enough match.
    loop {
        let events = snapshot.system_events(&owners, from, to, SystemEventId(after), RESULT_MAX)?;
        let full = events.len() == RESULT_MAX;
        for line in events {
            after = line.id.0;
            let object = event(names, &line)?;
            if arguments
                .get("sample")
                .is_none_or(|sample| sample::matches(sample, &object, false))
            {
                found.push((line.id.0, object));
            }
            if found.len() == asked {
                break;
            }
        }
        if !full || found.len() >= asked {
            break;
        }
    }
    let cursor = context.end_id_page(&mut found, asked, |(id, _)| *id)?;
    Ok(Answer::many(
        found.into_iter().map(|(_, object)| object).collect(),
        cursor,
    ))
}
