//! listApiKeys: without their secrets.

use super::key_owner;
use crate::context::Context;
use crate::entity::Names;
use crate::entity::user::{API_KEY, USER, api_key};
use crate::fault::Outcome;
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::UserId;
use carillon_store::Snapshot;
use serde_json::json;

/// listApiKeys.
pub static METHOD: Method = Method {
    name: "listApiKeys",
    service: Service::IdentityManagement,
    soap: true,
    doc: "Lists the API keys of a User, without their secrets.",
    access: access::MANAGERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new("user", Type::Entity(&USER), "Whose keys.").required()]),
    output: Output::Many(&API_KEY),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/users/{user}/api-keys"),
    run: Run::Read(handle),
    example: || json!({ "user": { "internalId": "52" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let user = key_owner(
        snapshot,
        context,
        arguments.get("user").expect("stage 1 found it"),
    )?;
    let keys = snapshot.api_keys(UserId(user.base.internal_id))?;
    let (page, cursor) = context.page(keys, RESULT_MAX, |key| format!("{:019}", key.id.0))?;
    let names = Names::new(snapshot, context);
    let objects = page
        .iter()
        .map(|key| api_key(names, key))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Answer::many(objects, cursor))
}
