//! IdentityManagementService: API keys.

pub mod create;
pub mod delete;
pub mod list;

use crate::context::Context;
use crate::fault::{Fault, Outcome, Row};
use crate::method::access;
use crate::tree::View;
use carillon_model::user::User;
use carillon_store::Snapshot;

/// The User whose keys are meant: the caller itself, or one below a manager.
fn key_owner(snapshot: &dyn Snapshot, context: &Context, view: View<'_>) -> Outcome<User> {
    let user = context.find_user(snapshot, view)?.entity;
    let own = user.base.internal_id == context.caller.user.base.internal_id;
    if own || context.caller.has_any(access::MANAGERS) {
        Ok(user)
    } else {
        Err(Fault::of(Row::R, view.path(), "does not exist").into())
    }
}
