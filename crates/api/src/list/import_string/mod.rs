//! addToListUsingString: CSV as text, imported by a Job.

use super::import_stream::submit_job;
use crate::context::Context;
use crate::entity::job::JOB;
use crate::entity::list::LIST;
use crate::fault::Outcome;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_store::Transaction;
use serde_json::json;

/// addToListUsingString.
pub static METHOD: Method = Method {
    name: "addToListUsingString",
    service: Service::ContactManagement,
    soap: true,
    doc: "Imports CSV with a header row into a List as a Job. The Job's result accounts for every row: rows = stored + merged + \
          rejected, each rejected row with line, column and reason.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The List.").required(),
        Field::new("csv", Type::Raw, "CSV.").required(),
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
    http: Http::post("/lists/{list}:import-text").status(202),
    run: Run::Write(handle),
    example: || json!({ "list": { "internalId": "400" }, "csv": "ClientID,Phone\nC-1,+12075550124\n" }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let data = arguments
        .text("csv")
        .unwrap_or_default()
        .as_bytes()
        .to_vec();
    submit_job(transaction, context, arguments, data)
}
