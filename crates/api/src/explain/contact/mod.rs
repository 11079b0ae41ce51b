//! explainContact: JSON door only.

use crate::context::Context;
use crate::entity::contact::{self, CONTACT};
use crate::entity::sub_campaign::SUB_CAMPAIGN;
use crate::entity::{Names, attempt, compliance_rule, pass, sub_campaign};
use crate::explain::shapes::{CONTACT_EXPLANATION, VERDICT};
use crate::explain::{Current, RunView, Verdict};
use crate::fault::{Fault, Outcome, Row, Stop};
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::{Answer, Object};
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::contact::Contact;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{ContactId, SubCampaignId, SubCampaignType};
use carillon_store::{EntityReadExt as _, Snapshot};
use serde_json::json;

/// explainContact.
pub static METHOD: Method = Method {
    name: "explainContact",
    service: Service::ContactManagement,
    soap: false,
    doc: "Explains a contact of a SubCampaign, whether of its List or of one of its batches: its state (Filtered, Waiting, \
          Active, Done), the one reason for it, until when it waits, the verdicts that were kept and its attempts. A contact is \
          named by its Client ID (the newest that the SubCampaign took in is meant) or by its internalId.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new(
            "subCampaign",
            Type::Entity(&SUB_CAMPAIGN),
            "The SubCampaign.",
        )
        .required(),
        Field::new("contact", Type::Entity(&CONTACT), "The contact.").required(),
    ]),
    output: Output::One(&CONTACT_EXPLANATION),
    codes: None,
    rule: None,
    prepare: None,
    http: Http {
        also: "/sub-campaigns/{subCampaign}/contacts/id/{contact}:explain",
        ..Http::get("/sub-campaigns/{subCampaign}/contacts/{contact.externalId}:explain")
    },
    run: Run::Read(handle),
    example: || json!({ "subCampaign": { "internalId": "600" }, "contact": { "externalId": "C-1001" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("subCampaign").expect("stage 1 found it");
    let found = context.find::<SubCampaign>(snapshot, view, None)?.entity;
    let names = Names::new(snapshot, context);
    let run = names.run(SubCampaignId(found.base.internal_id))?;
    let run = RunView::load(snapshot, run, found, context.now)?
        .ok_or_else(|| Stop::Internal("the Campaign or Account of a run is missing".into()))?;
    let view = arguments.get("contact").expect("stage 1 found it");
    for contact in candidates(snapshot, &run, view)? {
        if run.takes_from(snapshot, contact.container)?
            && let Some((current, verdicts)) = run.explain(snapshot, &contact)?
        {
            return Ok(Answer::one(answer(
                names, &run, &contact, &current, verdicts,
            )?));
        }
    }
    Err(Fault::of(Row::R, view.path(), "does not exist").into())
}

/// Contacts that a reference may mean, the likeliest first: the member of the List, then those that were replaced or
/// removed since the load, newest first.
fn candidates(snapshot: &dyn Snapshot, run: &RunView, view: View<'_>) -> Outcome<Vec<Contact>> {
    if let Some(digits) = view.text("internalId") {
        let id = form::internal_id(digits).map(ContactId);
        return Ok(snapshot.contacts(&Vec::from_iter(id))?);
    }
    let client_id = view.text("externalId").unwrap_or_default().trim();
    let mut found = Vec::new();
    if run.run().run_type != SubCampaignType::OnDemand
        && let Some(list) = run.sub_campaign().list
    {
        // Others may use the same Client ID in a thousand lists; the member of this one is found nevertheless.
        let member = snapshot.contacts_by_client_id(list.0, &[client_id])?.pop();
        found = snapshot.contacts(&Vec::from_iter(member.flatten()))?;
    }
    found.extend(snapshot.contacts_with_client_id(client_id, RESULT_MAX)?);
    Ok(found)
}

fn answer(
    names: Names<'_>,
    run: &RunView,
    contact: &Contact,
    current: &Current,
    verdicts: Vec<Verdict>,
) -> Outcome<Object> {
    let of = current
        .pass
        .and_then(|pass| run.sub_campaign().passes.get(usize::from(pass)));
    let verdicts = verdicts
        .iter()
        .map(|kept| verdict(names, kept))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Object::new(&CONTACT_EXPLANATION)
        .set("subCampaign", sub_campaign::key(names, run.sub_campaign())?)
        .set("contact", contact::key(contact))
        .set("state", current.state.text())
        .set("pass", of.map(pass::key))
        .set("reason", current.why.text())
        .set("text", current.why.sentence())
        .set("until", current.until)
        .set("verdicts", verdicts)
        .set(
            "attempts",
            current
                .attempts
                .iter()
                .map(attempt::key)
                .collect::<Vec<_>>(),
        ))
}

fn verdict(names: Names<'_>, kept: &Verdict) -> Outcome<Object> {
    let rule = match kept.rule {
        // A rule that was deleted since still tells who decided.
        Some((id, _)) => names.snapshot.stored::<ComplianceRule>(id)?,
        None => None,
    };
    let rule = rule
        .map(|rule| compliance_rule::key(names, &rule.entity))
        .transpose()?;
    Ok(Object::new(&VERDICT)
        .set("time", kept.at)
        .set("verdict", kept.kind.text())
        .set("reason", kept.reason.map(|reason| reason.text()))
        .set("rule", rule)
        .set("version", kept.rule.map(|(_, version)| version))
        .set("until", kept.until))
}
