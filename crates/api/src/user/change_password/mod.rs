//! changePassword: a User's own, or that of a User below the caller, by its current one.

use crate::auth::{hash_password, verify_password};
use crate::context::Context;
use crate::entity::user::USER;
use crate::fault::{Fault, Outcome, Row, Stop};
use crate::limits::PASSWORDS_KEPT;
use crate::method::{Http, Method, Output, Prepare, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::user::create::is_fit;
use crate::value::Answer;
use carillon_model::UserId;
use carillon_store::{EntityWriteExt as _, Store, Transaction};
use serde_json::json;

/// changePassword.
pub static METHOD: Method = Method {
    name: "changePassword",
    service: Service::IdentityManagement,
    soap: true,
    doc: "Changes a login password. The new one has 12 to 128 characters and differs from the last 5. A User that must \
          change its password may call nothing else.",
    access: access::EVERYBODY,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("user", Type::Entity(&USER), "Whose password.").required(),
        Field::new("current", Type::Raw, "The present password.").required(),
        Field::new("new", Type::Raw, "The new password.").required(),
    ]),
    output: Output::None,
    codes: None,
    rule: None,
    prepare: Some(Prepare::Slow(prepare)),
    http: Http::post("/users/{user}:change-password").status(204),
    run: Run::Write(handle),
    example: || {
        json!({
            "user": { "internalId": "52" }, "current": "correct horse battery", "new": "another long password"
        })
    },
};

/// What was found before the unit of work: the hash that was proven, and the new one.
struct Change {
    present: String,
    next: String,
}

/// Proves the current password and compares the new one with the last ones; all of it is slow on purpose.
fn prepare(store: &Store, context: &mut Context, arguments: View<'_>) -> Outcome<()> {
    let new = arguments.text("new").unwrap_or_default().to_owned();
    if !is_fit(&new) {
        return Err(Fault::of(
            Row::DA,
            arguments.path_to("new"),
            "a password has 12 to 128 characters",
        )
        .into());
    }
    let view = arguments.get("user").expect("stage 1 found it");
    let wanted = (
        view.text("internalId").map(str::to_owned),
        view.text("externalId").map(str::to_owned),
    );
    let own = &context.caller.user;
    let is_own = match &wanted {
        (Some(id), _) => id.trim() == own.base.internal_id.to_string(),
        (None, Some(login)) => {
            carillon_model::name::fold(login) == carillon_model::name::fold(&own.base.external_id)
        }
        (None, None) => false,
    };
    if !is_own && !context.caller.has_any(access::MANAGERS) {
        return Err(Fault::of(Row::R, view.path(), "does not exist").into());
    }
    let id = match wanted {
        _ if is_own => Some(own.base.internal_id),
        (Some(id), _) => crate::shape::form::internal_id(&id),
        (None, Some(login)) => store.read_now(move |snapshot| -> Outcome<Option<i64>> {
            use carillon_store::EntityReadExt as _;
            Ok(snapshot
                .find::<carillon_model::user::User>(0, &login)?
                .map(|user| user.base.internal_id))
        })?,
        (None, None) => None,
    };
    let user = UserId(id.unwrap_or(0));
    let hashes = store.read_now(move |snapshot| -> Outcome<Vec<String>> {
        Ok(snapshot.password_history(user, PASSWORDS_KEPT)?)
    })?;
    let wrong = || {
        Stop::from(Fault::of(
            Row::DA,
            arguments.path_to("current"),
            "the current password is wrong",
        ))
    };
    let present = hashes.first().cloned().ok_or_else(wrong)?;
    if !verify_password(arguments.text("current").unwrap_or_default(), &present) {
        return Err(wrong());
    }
    if hashes.iter().any(|hash| verify_password(&new, hash)) {
        return Err(Fault::of(Row::DA, arguments.path_to("new"), "it is one of the last 5").into());
    }
    let next = hash_password(&new, context.random());
    context
        .prepared
        .replace(Some(Box::new(Change { present, next })));
    Ok(())
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("user").expect("stage 1 found it");
    let mut user = context.find_user(transaction, view)?.entity;
    let change = context
        .prepared
        .take()
        .and_then(|change| change.downcast::<Change>().ok());
    let change = change.ok_or_else(|| Stop::Internal("the password was not prepared".into()))?;
    let id = UserId(user.base.internal_id);
    if transaction.password(id)?.as_ref() != Some(&change.present) {
        return Err(Fault::of(
            Row::DA,
            arguments.path_to("current"),
            "the current password is wrong",
        )
        .into());
    }
    transaction.put_password(id, &change.next, context.now)?;
    user.password_change_required = false;
    user.base.updated = context.now;
    user.base.modified_by = context.caller.user_id();
    transaction.replace(&user)?;
    context.audit(transaction, user.home, format!("user {id}"), "{}")?;
    Ok(Answer::none())
}
