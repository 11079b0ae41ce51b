//! showSubCampaignState (M19).

use crate::context::Context;
use crate::entity::Names;
use crate::entity::sub_campaign::{SUB_CAMPAIGN, SUB_CAMPAIGN_STATE};
use crate::fault::{Code, Outcome};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::SubCampaignId;
use carillon_model::sub_campaign::SubCampaign;
use carillon_store::Snapshot;
use serde_json::json;

/// showSubCampaignState.
pub static METHOD: Method = Method {
    name: "showSubCampaignState",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Shows the state and counters of one SubCampaign: one consistent snapshot.",
    access: access::AGENTS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new(
        "subCampaign",
        Type::Entity(&SUB_CAMPAIGN),
        "The SubCampaign.",
    )
    .required()]),
    output: Output::One(&SUB_CAMPAIGN_STATE),
    codes: Some(&[Code::ArgInvalidType, Code::ArgNull, Code::ObjectNotExists]),
    rule: None,
    prepare: None,
    http: Http::get("/sub-campaigns/{subCampaign}/state"),
    run: Run::Read(handle),
    example: || json!({ "subCampaign": { "internalId": "600" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("subCampaign").expect("stage 1 found it");
    let found = context.find::<SubCampaign>(snapshot, view, None)?.entity;
    let names = Names::new(snapshot, context);
    let run = names.run(SubCampaignId(found.base.internal_id))?;
    Ok(Answer::versioned(
        names.sub_campaign_state(&found, &run)?,
        run.version,
    ))
}
