//! listJobStates.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::job::{JOB_STATE, state};
use crate::fault::Outcome;
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::sample;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use crate::window;
use carillon_model::job::Job;
use carillon_store::Snapshot;
use serde_json::json;

/// listJobStates.
pub static METHOD: Method = Method {
    name: "listJobStates",
    service: Service::PlatformManagement,
    soap: true,
    doc: "Lists the Jobs of an Org made in a window, by sample. Without times every Job is answered. Order: creation.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("org", Type::Entity(&crate::entity::org::ORG), "The Org.").required(),
        Field::new("sample", Type::Entity(&JOB_STATE), "Which; null = all.")
            .sample()
            .c(),
        Field::new("fromTime", Type::DateTime, "From.").c(),
        Field::new("toTime", Type::DateTime, "Before.").c(),
    ]),
    output: Output::Many(&JOB_STATE),
    codes: None,
    rule: Some(window::in_order),
    prepare: None,
    http: Http::get("/jobs").query(&[
        ("org", "org.internalId"),
        ("state", "sample.state"),
        ("type", "sample.job.type"),
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
        false,
    )?;
    let (from, to) = window::open(arguments, context.zone(&org));
    let names = Names::new(snapshot, context);
    let mut found = Vec::new();
    for job in context.all_of::<Job>(snapshot, org.org.base.internal_id)? {
        if job.base.created < from || job.base.created >= to {
            continue;
        }
        let object = state(names, &job)?;
        if arguments
            .get("sample")
            .is_none_or(|sample| sample::matches(sample, &object, false))
        {
            found.push((job.base.internal_id, object));
        }
    }
    let (page, cursor) = context.page(found, RESULT_MAX, |(id, _)| format!("{id:019}"))?;
    Ok(Answer::many(
        page.into_iter().map(|(_, object)| object).collect(),
        cursor,
    ))
}
