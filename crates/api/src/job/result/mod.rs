//! showJobResultAsString.

use crate::context::Context;
use crate::entity::job::JOB;
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::{Answer, Data};
use carillon_model::job::Job;
use carillon_model::{JobId, JobState};
use carillon_store::Snapshot;
use serde_json::json;

/// showJobResultAsString.
pub static METHOD: Method = Method {
    name: "showJobResultAsString",
    service: Service::PlatformManagement,
    soap: true,
    doc: "Shows the result of a Job: for an import the row report. INVALID_STATE until it has ended; a Failed or Cancelled Job \
          answers the report so far.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new("job", Type::Entity(&JOB), "The Job.").required()]),
    output: Output::Text,
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/jobs/{job}/result"),
    run: Run::Read(handle),
    example: || json!({ "job": { "internalId": "950" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("job").expect("stage 1 found it");
    let job = context.find::<Job>(snapshot, view, None)?.entity;
    if matches!(job.state, JobState::Pending | JobState::Running) {
        return Err(Fault::of(Row::I, view.path(), "the Job has not ended").into());
    }
    let result = snapshot.job_result(JobId(job.base.internal_id))?;
    Ok(Answer {
        data: Data::Text(result),
        ..Answer::default()
    })
}
