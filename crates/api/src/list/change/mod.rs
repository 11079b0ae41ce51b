//! changeList: name, description, required, attributes.

use crate::check;
use crate::context::Context;
use crate::entity::list::{LIST, detail};
use crate::entity::{Names, boolean};
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::ListType;
use carillon_model::list::List;
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction};
use serde_json::json;

/// changeList.
pub static METHOD: Method = Method {
    name: "changeList",
    service: Service::ContactManagement,
    soap: true,
    doc: "Changes name, description and required of a List.",
    access: access::WRITERS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[Field::new(
        "list",
        Type::Entity(&LIST),
        "The List and what changes.",
    )
    .changed()
    .required()]),
    output: Output::One(&LIST),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::patch("/lists/{list}", "list"),
    run: Run::Write(handle),
    example: || json!({ "list": { "internalId": "400", "description": "Customers of October" } }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("list").expect("stage 1 found it");
    let stored = context.find_writable::<List>(transaction, view)?;
    context.check_version(stored.version)?;
    let mut list = stored.entity;
    let before = detail(Names::new(transaction, context), &list, false)?;
    check::unchanged(view, &before, &["internalId", "externalId", "owner"])?;
    if view.has("internalId")
        && let Some(name) = view.text("externalId")
    {
        let taken = transaction.find::<List>(list.owner.0, name)?;
        if taken.is_some_and(|other| other.base.internal_id != list.base.internal_id) {
            return Err(Fault::of(Row::U, view.path_to("externalId"), name.to_owned()).into());
        }
        list.base.external_id = carillon_model::name::tidy(name);
    }
    if let Some(name) = view.text("name") {
        list.name = name.to_owned();
    } else if view.clears("name") {
        list.name = list.base.external_id.clone();
    }
    if view.has("description") || view.clears("description") {
        list.description = crate::entity::text(view, "description");
    }
    if let Some(required) = boolean(view, "required") {
        if required && list.list_type != ListType::Suppression {
            return Err(Fault::of(
                Row::DR,
                view.path_to("required"),
                "only a suppression list is required",
            )
            .into());
        }
        list.required = required;
    }
    list.base.updated = context.now;
    list.base.modified_by = context.caller.user_id();
    let version = transaction.replace(&list)?;
    if list.list_type == ListType::Suppression {
        transaction.touch(Topic::Rules)?;
    }
    context.audit(
        transaction,
        list.owner,
        format!("list {}", list.base.internal_id),
        "{}",
    )?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &list, false)?,
        version,
    ))
}
