//! showContactAttempts (M33).

use crate::context::Context;
use crate::entity::Names;
use crate::entity::attempt::{CONTACT_ATTEMPT, detail};
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::{AttemptId, OrgId, limits};
use carillon_store::Snapshot;
use serde_json::json;

/// showContactAttempts.
pub static METHOD: Method = Method {
    name: "showContactAttempts",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Shows up to 100 ContactAttempts, in the order asked, repeats included; one unknown id fails the whole call.",
    access: access::AGENTS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new(
        "contactAttempts",
        Type::Entity(&CONTACT_ATTEMPT),
        "The attempts.",
    )
    .many(limits::SHOW_CONTACT_ATTEMPTS_MAX)
    .required()]),
    output: Output::Many(&CONTACT_ATTEMPT),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ArgTooLarge,
        Code::ObjectNotExists,
    ]),
    rule: None,
    prepare: None,
    http: Http::get("/contact-attempts")
        .query(&[("ids", "contactAttempts.internalId")])
        .also("/contact-attempts/{contactAttempts}"),
    run: Run::Read(handle),
    example: || json!({ "contactAttempts": [{ "internalId": "801" }] }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let views: Vec<View<'_>> = arguments.items("contactAttempts").collect();
    let ids: Vec<AttemptId> = views
        .iter()
        .filter_map(|view| view.text("internalId").and_then(form::internal_id))
        .map(AttemptId)
        .collect();
    let names = Names::new(snapshot, context);
    let mut objects = Vec::with_capacity(ids.len());
    for (view, attempt) in views.iter().zip(snapshot.attempts(&ids)?) {
        let missing = || Fault::of(Row::R, view.path(), "does not exist");
        let attempt = attempt.ok_or_else(missing)?;
        match context.org(snapshot, OrgId(attempt.account))? {
            Some(account) if context.sight(&account) == crate::context::Sight::Writable => {}
            _ => return Err(missing().into()),
        }
        objects.push(detail(names, &attempt)?);
    }
    Ok(Answer::many(objects, None))
}
