//! showContactBatchState (M25).

use crate::context::Context;
use crate::entity::Names;
use crate::entity::contact_batch::{CONTACT_BATCH, CONTACT_BATCH_STATE};
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::campaign::Campaign;
use carillon_model::contact_batch::ContactBatch;
use carillon_store::{EntityReadExt as _, Snapshot};
use serde_json::json;

/// showContactBatchState.
pub static METHOD: Method = Method {
    name: "showContactBatchState",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Shows state and counters of one ContactBatch. Named by externalId without campaign, every Campaign of the caller's \
          Accounts is searched; more than one hit is refused.",
    access: access::AGENTS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new(
        "contactBatch",
        Type::Entity(&CONTACT_BATCH),
        "The batch.",
    )
    .scoped()
    .required()]),
    output: Output::One(&CONTACT_BATCH_STATE),
    codes: Some(&[Code::ArgNull, Code::ObjectNotExists]),
    rule: None,
    prepare: None,
    http: Http::get("/contact-batches/{contactBatch}/state"),
    run: Run::Read(handle),
    example: || json!({ "contactBatch": { "internalId": "700" } }),
};

/// The batch that a call names, by id, by name in a Campaign, or by name in any Campaign of the caller's Accounts.
pub fn find_batch(
    snapshot: &dyn Snapshot,
    context: &Context,
    view: View<'_>,
) -> Outcome<ContactBatch> {
    if view.has("internalId") || view.has("campaign") {
        return Ok(context.find::<ContactBatch>(snapshot, view, None)?.entity);
    }
    let name = view.text("externalId").unwrap_or_default();
    let mut hits = Vec::new();
    for account in context.accounts_below(snapshot, &context.caller.home)? {
        for campaign in context.all_of::<Campaign>(snapshot, account.org.base.internal_id)? {
            hits.extend(snapshot.find::<ContactBatch>(campaign.base.internal_id, name)?);
        }
    }
    match hits.len() {
        0 => Err(Fault::of(Row::R, view.path(), "does not exist").into()),
        1 => Ok(hits.remove(0)),
        _ => Err(Fault::of(Row::NV, view.path_to("campaign"), "null").into()),
    }
}

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let batch = find_batch(
        snapshot,
        context,
        arguments.get("contactBatch").expect("stage 1 found it"),
    )?;
    Ok(Answer::one(
        Names::new(snapshot, context).batch_state(&batch)?,
    ))
}
