//! showUser.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::user::{USER, detail};
use crate::fault::Outcome;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_store::Snapshot;
use serde_json::json;

/// showUser.
pub static METHOD: Method = Method {
    name: "showUser",
    service: Service::IdentityManagement,
    soap: true,
    doc: "Shows one User. Password and keys are never answered.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new("user", Type::Entity(&USER), "The User.").required()]),
    output: Output::One(&USER),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/users/{user}"),
    run: Run::Read(handle),
    example: || json!({ "user": { "internalId": "52" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let view = arguments.get("user").expect("stage 1 found it");
    let stored = context.find_user(snapshot, view)?;
    Ok(Answer::versioned(
        detail(Names::new(snapshot, context), &stored.entity)?,
        stored.version,
    ))
}
