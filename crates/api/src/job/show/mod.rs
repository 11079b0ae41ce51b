//! showJobStateUsingJob.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::job::{JOB, JOB_STATE, state};
use crate::fault::Outcome;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::job::Job;
use carillon_store::Snapshot;
use serde_json::json;

/// showJobStateUsingJob.
pub static METHOD: Method = Method {
    name: "showJobStateUsingJob",
    service: Service::PlatformManagement,
    soap: true,
    doc: "Shows how far a Job is.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new("job", Type::Entity(&JOB), "The Job.").required()]),
    output: Output::One(&JOB_STATE),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/jobs/{job}"),
    run: Run::Read(handle),
    example: || json!({ "job": { "internalId": "950" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let stored = context.find::<Job>(
        snapshot,
        arguments.get("job").expect("stage 1 found it"),
        None,
    )?;
    Ok(Answer::versioned(
        state(Names::new(snapshot, context), &stored.entity)?,
        stored.version,
    ))
}
