//! The audit trail on the wire, and what a warning or an attribute is.

use super::Names;
use crate::fault::Outcome;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::value::{Object, id};
use carillon_store::audit::SystemEvent;

/// A line of the audit trail.
pub static SYSTEM_EVENT: Shape = Shape {
    identity: Identity::Id,
    ..Shape::plain(
        "systemEvent",
        "A line of the audit trail: every create, change, delete and state change. It is only appended to.",
        Family::Top,
        &[
            Field::new("internalId", Type::Id, "Its id."),
            Field::new(
                "owner",
                Type::Entity(&super::org::ORG),
                "The Org it is about.",
            ),
            Field::new("time", Type::DateTime, "When."),
            Field::new("user", Type::Entity(&super::user::USER), "Who.").c(),
            Field::new("action", Type::Text(64), "Which method.").c(),
            Field::new("subject", Type::Text(64), "On what: kind and id.").c(),
            Field::new("detail", Type::Raw, "Particulars, without secrets."),
        ],
    )
};

/// A line of the audit trail as (D).
pub fn event(names: Names<'_>, event: &SystemEvent) -> Outcome<Object> {
    Ok(Object::new(&SYSTEM_EVENT)
        .set("internalId", id(event.id))
        .set("owner", names.org_cut(event.owner)?)
        .set("time", event.at)
        .set("user", names.user_key(event.user)?)
        .set("action", event.action.clone())
        .set("subject", event.subject.clone())
        .set("detail", event.detail.clone()))
}
