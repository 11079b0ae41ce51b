//! addToListUsingStream: CSV as bytes, imported by a Job.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::job::{JOB, key};
use crate::entity::list::LIST;
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Body, Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::Answer;
use carillon_import::job::{Submission, submit};
use carillon_model::list::List;
use carillon_model::{JobType, ListType};
use carillon_store::Transaction;
use serde_json::json;

/// addToListUsingStream.
pub static METHOD: Method = Method {
    name: "addToListUsingStream",
    service: Service::ContactManagement,
    soap: true,
    doc: "As addToListUsingString, from bytes: the character set is told by a byte order mark, else UTF-8 where it is valid, \
          else the Account's. On the JSON door the body is the CSV itself.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The List.").required(),
        Field::new("data", Type::Bytes, "CSV.").required(),
        Field::new(
            "mapping",
            Type::Raw,
            "Target=Column pairs separated by semicolons; null = by names.",
        )
        .c(),
    ]),
    output: Output::One(&JOB),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/lists/{list}:import")
        .query(&[("mapping", "mapping")])
        .body(Body::Bytes("text/csv", "data"))
        .status(202)
        .location("/jobs/{id}"),
    run: Run::Write(handle),
    example: || json!({ "list": { "internalId": "400" }, "data": "Q2xpZW50SUQsUGhvbmUKQy0xLCsxMjA3NTU1MDEyNAo=" }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let data = arguments
        .text("data")
        .and_then(form::bytes)
        .unwrap_or_default();
    submit_job(transaction, context, arguments, data)
}

/// Hands the data to a Job of the List's owner.
pub fn submit_job(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
    data: Vec<u8>,
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
    let submission = Submission {
        job_type: JobType::Import,
        owner: list.owner,
        subject: list.base.internal_id,
        user: context.caller.user_id(),
        mapping: crate::entity::text(arguments, "mapping"),
        data: Some(data),
    };
    let job = submit(transaction, &submission, context.now)?;
    let detail = format!("{{\"job\":\"{}\"}}", job.base.internal_id);
    context.audit(
        transaction,
        list.owner,
        format!("list {}", list.base.internal_id),
        detail,
    )?;
    Ok(Answer::one(key(Names::new(transaction, context), &job)?))
}
