//! deleteApiKey.

use super::key_owner;
use crate::context::Context;
use crate::entity::user::API_KEY;
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::{ApiKeyId, UserId};
use carillon_store::Transaction;
use serde_json::json;

/// deleteApiKey.
pub static METHOD: Method = Method {
    name: "deleteApiKey",
    service: Service::IdentityManagement,
    soap: true,
    doc: "Deletes an API key: it is refused from the answer on. `user` inside the key says whose it is; null is the caller.",
    access: access::MANAGERS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[Field::new("key", Type::Entity(&API_KEY), "The key.").required()]),
    output: Output::None,
    codes: None,
    rule: None,
    prepare: None,
    http: Http::delete("/users/{key.user}/api-keys/{key}"),
    run: Run::Write(handle),
    example: || json!({ "key": { "internalId": "60", "user": { "internalId": "52" } } }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("key").expect("stage 1 found it");
    let user = match view.get("user") {
        Some(user) => key_owner(transaction, context, user)?,
        None => context.caller.user.clone(),
    };
    let missing = || Fault::of(Row::R, view.path(), "does not exist");
    let id = ApiKeyId(
        view.text("internalId")
            .and_then(form::internal_id)
            .ok_or_else(missing)?,
    );
    let keys = transaction.api_keys(UserId(user.base.internal_id))?;
    if !keys.iter().any(|key| key.id == id) {
        return Err(missing().into());
    }
    transaction.delete_api_key(id)?;
    context.audit(transaction, user.home, format!("apiKey {id}"), "{}")?;
    Ok(Answer::none())
}
