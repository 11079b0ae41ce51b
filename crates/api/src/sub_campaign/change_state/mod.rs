//! changeSubCampaignState (M21).

use crate::check::Findings;
use crate::context::Context;
use crate::entity::Names;
use crate::entity::sub_campaign::{SUB_CAMPAIGN_STATE, request};
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run as Running, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::run::{Request, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{PassState, SubCampaignId, SubCampaignState, SubCampaignType};
use carillon_store::Transaction;
use serde_json::json;

/// changeSubCampaignState.
pub static METHOD: Method = Method {
    name: "changeSubCampaignState",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Stops (Done), pauses (Paused), resumes or starts (Running) a SubCampaign. Asking for what holds already succeeds \
          without effect. After the answer no attempt is written against the request; active attempts end by themselves.",
    access: access::OPERATORS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[Field::new(
        "subCampaignState",
        Type::Entity(&SUB_CAMPAIGN_STATE),
        "The SubCampaign and the state asked for.",
    )
    .changed()
    .required()]),
    output: Output::One(&SUB_CAMPAIGN_STATE),
    codes: Some(&[Code::ArgInvalidType, Code::ArgNull, Code::ObjectNotExists]),
    rule: Some(legal_request),
    prepare: None,
    http: Http::patch(
        "/sub-campaigns/{subCampaignState.subCampaign}/state",
        "subCampaignState",
    ),
    run: Running::Write(handle),
    example: || json!({ "subCampaignState": { "subCampaign": { "internalId": "600" }, "state": "Paused" } }),
};

fn legal_request(arguments: View<'_>, findings: &mut Findings) {
    let Some(view) = arguments
        .get("subCampaignState")
        .filter(|view| view.shape().is_some())
    else {
        return;
    };
    if let Some(word) = view.text("state")
        && request(word).is_none()
    {
        findings.add(
            Row::DV,
            || view.path_to("state"),
            "Running, Paused or Done is asked for",
        );
    }
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("subCampaignState").expect("stage 1 found it");
    let named = view.get("subCampaign").expect("stage 4 found it");
    let found = context
        .find_writable::<SubCampaign>(transaction, named)?
        .entity;
    let id = SubCampaignId(found.base.internal_id);
    let mut run = Names::new(transaction, context).run(id)?;
    context.check_version(run.version)?;
    let asked = view
        .text("state")
        .and_then(request)
        .expect("stage 4 found it");
    let before = run.clone();
    if found.sub_campaign_type == SubCampaignType::OnDemand && asked == Request::Done {
        cancel_batches(transaction, context, id)?;
    }
    let invalid = |_| {
        Fault::of(
            Row::I,
            view.path_to("state"),
            format!("{} cannot become so", before.state),
        )
    };
    run.request(asked, context.now).map_err(invalid)?;
    settle(transaction, context, &mut run)?;
    if run != before {
        transaction.put_run(&run)?;
        let detail = format!("{{\"from\":\"{}\",\"to\":\"{}\"}}", before.state, run.state);
        context.audit(
            transaction,
            found.owner,
            format!("subCampaign {id}"),
            detail,
        )?;
    }
    let object = Names::new(transaction, context).sub_campaign_state(&found, &run)?;
    Ok(Answer::versioned(object, run.version))
}

/// A stopped run with no attempt on its way is at its end at once (M21.3).
fn settle(transaction: &dyn Transaction, context: &Context, run: &mut Run) -> Outcome<()> {
    if run.state != SubCampaignState::Stopping || transaction.count_open_attempts(run.id)? > 0 {
        return Ok(());
    }
    let subjects: Vec<_> = std::iter::once(carillon_model::counter::Subject::whole(run.id))
        .chain(
            (0..run.passes.len())
                .map(|index| carillon_model::counter::Subject::pass(run.id, index as u16)),
        )
        .collect();
    let counters = transaction.counters(&subjects)?;
    let end = |attempted: i64| attempted > 0;
    for (state, counted) in run.passes.iter_mut().zip(&counters[1..]) {
        if !matches!(state, PassState::Done | PassState::Cancelled) {
            *state = if end(counted.attempted) {
                PassState::Done
            } else {
                PassState::Cancelled
            };
        }
    }
    let state = if end(counters[0].attempted) {
        SubCampaignState::Done
    } else {
        SubCampaignState::Cancelled
    };
    run.end_time = Some(context.now);
    run.set_state(state);
    Ok(())
}

fn cancel_batches(
    transaction: &mut dyn Transaction,
    context: &Context,
    id: SubCampaignId,
) -> Outcome<()> {
    for mut batch in transaction.live_batches(id)? {
        // Live ones can always be cancelled.
        if batch.cancel(context.now).is_ok() {
            transaction.put_batch_run(&batch)?;
        }
    }
    Ok(())
}
