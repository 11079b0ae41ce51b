//! cancelJob.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::job::{JOB, JOB_STATE, state};
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::job::Job;
use carillon_model::{JobId, JobState};
use carillon_store::{EntityReadExt as _, Transaction};
use serde_json::json;

/// cancelJob.
pub static METHOD: Method = Method {
    name: "cancelJob",
    service: Service::PlatformManagement,
    soap: true,
    doc: "Cancels a Job that is Pending or Running; any other is INVALID_STATE. It stops before its next piece of work: what is \
          stored stays, and its result accounts for it.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[Field::new("job", Type::Entity(&JOB), "The Job.").required()]),
    output: Output::One(&JOB_STATE),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/jobs/{job}:cancel").status(200),
    run: Run::Write(handle),
    example: || json!({ "job": { "internalId": "951" } }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("job").expect("stage 1 found it");
    let stored = context.find_writable::<Job>(transaction, view)?;
    context.check_version(stored.version)?;
    let job = stored.entity;
    if !matches!(job.state, JobState::Pending | JobState::Running) {
        return Err(Fault::of(Row::I, view.path(), format!("the Job is {}", job.state)).into());
    }
    let id = JobId(job.base.internal_id);
    let job =
        carillon_import::job::cancel(transaction, job, context.caller.user_id(), context.now)?;
    context.audit(
        transaction,
        job.owner,
        format!("job {id}"),
        "{\"to\":\"Cancelled\"}",
    )?;
    let version = transaction
        .stored::<Job>(id)?
        .map_or(stored.version, |stored| stored.version);
    Ok(Answer::versioned(
        state(Names::new(transaction, context), &job)?,
        version,
    ))
}
