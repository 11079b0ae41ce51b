//! explainSubCampaign: JSON door only.

use crate::context::Context;
use crate::entity::sub_campaign::{self, SUB_CAMPAIGN};
use crate::entity::{Names, pass};
use crate::explain::shapes::{REASON_COUNT, SUB_CAMPAIGN_EXPLANATION};
use crate::explain::{RunView, Why};
use crate::fault::{Outcome, Stop};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::{Answer, Object};
use carillon_model::SubCampaignId;
use carillon_model::sub_campaign::SubCampaign;
use carillon_store::Snapshot;
use serde_json::json;

/// explainSubCampaign.
pub static METHOD: Method = Method {
    name: "explainSubCampaign",
    service: Service::CampaignManagement,
    soap: false,
    doc: "Explains a SubCampaign as a whole: how many of its contacts share each state and reason, and until when they wait. The \
          counts add up to the counters of the same snapshot. Whoever waits for a moment of its own (a retry, a cap on attempts) \
          counts as Queue while nothing else forbids it. Contacts that the load has not come to are not counted.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new(
        "subCampaign",
        Type::Entity(&SUB_CAMPAIGN),
        "The SubCampaign.",
    )
    .required()]),
    output: Output::One(&SUB_CAMPAIGN_EXPLANATION),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/sub-campaigns/{subCampaign}:reasons"),
    run: Run::Read(handle),
    example: || json!({ "subCampaign": { "internalId": "600" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("subCampaign").expect("stage 1 found it");
    let found = context.find::<SubCampaign>(snapshot, view, None)?.entity;
    let names = Names::new(snapshot, context);
    let run = names.run(SubCampaignId(found.base.internal_id))?;
    let run = RunView::load(snapshot, run, found, context.now)?
        .ok_or_else(|| Stop::Internal("the Campaign or Account of a run is missing".into()))?;
    let (totals, counters) = run.totals(snapshot)?;
    let passes = &run.sub_campaign().passes;
    let reasons: Vec<Object> = totals
        .iter()
        .map(|total| {
            let of = total.pass.and_then(|pass| passes.get(usize::from(pass)));
            Object::new(&REASON_COUNT)
                .set("state", total.state.text())
                .set("pass", of.map(pass::key))
                .set("reason", total.why.map(Why::text))
                .set("text", total.why.map(Why::sentence))
                .set("until", total.until)
                .set("contacts", total.contacts)
        })
        .collect();
    let mut object = Object::new(&SUB_CAMPAIGN_EXPLANATION)
        .set("subCampaign", sub_campaign::key(names, run.sub_campaign())?)
        .set("reasons", reasons);
    for (name, count) in [
        ("filteredCount", counters.filtered),
        ("notAttemptedCount", counters.not_attempted),
        ("deliveredCount", counters.delivered),
        ("failedCount", counters.failed),
        ("activeCount", counters.active),
    ] {
        object.put_attribute(name, Some(count.to_string()));
    }
    Ok(Answer::one(object))
}
