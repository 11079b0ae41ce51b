//! showCampaign (M6).

use crate::context::Context;
use crate::entity::Names;
use crate::entity::campaign::{CAMPAIGN, detail};
use crate::fault::{Code, Outcome};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::campaign::Campaign;
use carillon_store::Snapshot;
use serde_json::json;

/// showCampaign.
pub static METHOD: Method = Method {
    name: "showCampaign",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Shows one Campaign. An expired one is shown like any other.",
    access: access::AGENTS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("campaign", Type::Entity(&CAMPAIGN), "The Campaign.").required(),
    ]),
    output: Output::One(&CAMPAIGN),
    codes: Some(&[Code::ArgNull, Code::AttributeNull, Code::ObjectNotExists]),
    rule: None,
    prepare: None,
    http: Http::get("/campaigns/{campaign}"),
    run: Run::Read(handle),
    example: || json!({ "campaign": { "internalId": "100" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let stored = context.find::<Campaign>(
        snapshot,
        arguments.get("campaign").expect("stage 1 found it"),
        None,
    )?;
    Ok(Answer::versioned(
        detail(Names::new(snapshot, context), &stored.entity)?,
        stored.version,
    ))
}
