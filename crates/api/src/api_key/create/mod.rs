//! createApiKey: the secret is answered once.

use super::key_owner;
use crate::auth::Keys;
use crate::context::Context;
use crate::entity::user::{API_KEY, USER, api_key};
use crate::entity::{Names, moment};
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::form::Bound;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::user::ApiKey;
use carillon_model::{ApiKeyId, UserId, limits};
use carillon_store::Transaction;
use serde_json::json;

/// createApiKey.
pub static METHOD: Method = Method {
    name: "createApiKey",
    service: Service::IdentityManagement,
    soap: true,
    doc: "Makes an API key. Its secret is answered once; it serves as Bearer key, as password of Basic and PasswordText, and \
          as the secret of PasswordDigest. A User has at most 20.",
    access: access::MANAGERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("user", Type::Entity(&USER), "Whose key.").required(),
        Field::new("name", Type::Name, "What it is called.").required(),
        Field::new("expires", Type::Date, "From this day on it is refused.").c(),
    ]),
    output: Output::One(&API_KEY),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/users/{user}/api-keys"),
    run: Run::Write(handle),
    example: || json!({ "user": { "internalId": "52" }, "name": "billing system" }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("user").expect("stage 1 found it");
    let user = key_owner(transaction, context, view)?;
    let id = UserId(user.base.internal_id);
    if transaction.api_keys(id)?.len() >= limits::API_KEYS_MAX {
        return Err(Fault::of(
            Row::L,
            view.path(),
            "maximum number of active API keys exceeded",
        )
        .into());
    }
    let home = context.owner(transaction, user.home)?;
    let secret = Keys::secret(&context.random());
    let key = ApiKey {
        id: ApiKeyId(transaction.take_ids(1)?),
        user: id,
        name: carillon_model::name::tidy(arguments.text("name").unwrap_or_default()),
        created: context.now,
        expires: moment(arguments, "expires", context.zone(&home), Bound::Start),
        hash: context.keys.hash(&secret),
        sealed: context.keys.seal(&secret, context.random()),
    };
    transaction.put_api_key(&key)?;
    context.audit(
        transaction,
        user.home,
        format!("apiKey {}", key.id),
        format!("{{\"user\":\"{id}\"}}"),
    )?;
    Ok(Answer::one(
        api_key(Names::new(transaction, context), &key)?.set("secret", secret),
    ))
}
