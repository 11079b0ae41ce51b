//! showList.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::list::{LIST, detail};
use crate::fault::Outcome;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::list::List;
use carillon_store::Snapshot;
use serde_json::json;

/// showList.
pub static METHOD: Method = Method {
    name: "showList",
    service: Service::ContactManagement,
    soap: true,
    doc: "Shows one List with its size and how many SubCampaigns use it. xsi:type is not looked at.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new("list", Type::Entity(&LIST), "The List.")
        .any_type()
        .required()]),
    output: Output::One(&LIST),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/lists/{list}"),
    run: Run::Read(handle),
    example: || json!({ "list": { "internalId": "400" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("list").expect("stage 1 found it");
    let stored = context.find::<List>(snapshot, view, None)?;
    let object = detail(Names::new(snapshot, context), &stored.entity, false)?;
    Ok(Answer::versioned(object, stored.version))
}
