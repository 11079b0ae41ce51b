//! changeContactBatchState (M27).

use crate::check::Findings;
use crate::contact_batch::show_state::find_batch;
use crate::context::{Context, etag_of};
use crate::entity::Names;
use crate::entity::contact_batch::CONTACT_BATCH_STATE;
use crate::fault::{Code, Fault, Outcome, Row, Stop};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::{BatchId, BatchState};
use carillon_store::Transaction;
use serde_json::json;

/// changeContactBatchState.
pub static METHOD: Method = Method {
    name: "changeContactBatchState",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Cancels a ContactBatch. Attempts in progress finish and are counted; nothing further is started after the answer.",
    access: access::OPERATORS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[Field::new(
        "contactBatchState",
        Type::Entity(&CONTACT_BATCH_STATE),
        "The batch and the state Cancelled.",
    )
    .changed()
    .required()]),
    output: Output::One(&CONTACT_BATCH_STATE),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::InvalidState,
        Code::ObjectNotExists,
    ]),
    rule: Some(only_cancelled),
    prepare: None,
    http: Http::patch(
        "/contact-batches/{contactBatchState.contactBatch}/state",
        "contactBatchState",
    ),
    run: Run::Write(handle),
    example: || json!({ "contactBatchState": { "contactBatch": { "internalId": "700" }, "state": "Cancelled" } }),
};

fn only_cancelled(arguments: View<'_>, findings: &mut Findings) {
    let Some(view) = arguments
        .get("contactBatchState")
        .filter(|view| view.shape().is_some())
    else {
        return;
    };
    if let Some(word) = view.text("state")
        && BatchState::parse(word.trim()) != Some(BatchState::Cancelled)
    {
        findings.add(
            Row::DV,
            || view.path_to("state"),
            "only Cancelled is asked for",
        );
    }
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments
        .get("contactBatchState")
        .expect("stage 1 found it");
    let named = view.get("contactBatch").expect("stage 4 found it");
    let batch = find_batch(transaction, context, named)?;
    context.writable(transaction, batch.owner, named)?;
    context.check_tag(|| {
        Ok(etag_of(
            &Names::new(transaction, context).batch_state(&batch)?,
        ))
    })?;
    let id = BatchId(batch.base.internal_id);
    let mut run = transaction
        .batch_run(id)?
        .ok_or_else(|| Stop::Internal(format!("the ContactBatch {id} has no run")))?;
    run.cancel(context.now)
        .map_err(|_| Fault::of(Row::I, named.path(), format!("the batch is {}", run.state)))?;
    transaction.put_batch_run(&run)?;
    context.audit(
        transaction,
        batch.owner,
        format!("contactBatch {id}"),
        "{\"to\":\"Cancelled\"}",
    )?;
    Ok(Answer::one(
        Names::new(transaction, context).batch_state(&batch)?,
    ))
}
