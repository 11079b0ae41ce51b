//! showOutreachStrategy (M11).

use crate::context::Context;
use crate::entity::Names;
use crate::entity::strategy::{STRATEGY, detail};
use crate::fault::{Code, Outcome};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::strategy::Strategy;
use carillon_store::Snapshot;
use serde_json::json;

/// showOutreachStrategy.
pub static METHOD: Method = Method {
    name: "showOutreachStrategy",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Shows one OutreachStrategy, complete with its passes.",
    access: access::AGENTS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new(
        "outreachStrategy",
        Type::Entity(&STRATEGY),
        "The strategy.",
    )
    .required()]),
    output: Output::One(&STRATEGY),
    codes: Some(&[Code::ArgNull, Code::ObjectNotExists]),
    rule: None,
    prepare: None,
    http: Http::get("/outreach-strategies/{outreachStrategy}"),
    run: Run::Read(handle),
    example: || json!({ "outreachStrategy": { "internalId": "200" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("outreachStrategy").expect("stage 1 found it");
    let stored = context.find::<Strategy>(snapshot, view, None)?;
    Ok(Answer::versioned(
        detail(Names::new(snapshot, context), &stored.entity)?,
        stored.version,
    ))
}
