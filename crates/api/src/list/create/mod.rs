//! createList.

use crate::context::Context;
use crate::entity::list::{LIST, detail};
use crate::entity::{Names, boolean, new_base, word};
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::list::List;
use carillon_model::{ListType, OrgId, OrgType};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction};
use serde_json::json;

/// createList.
pub static METHOD: Method = Method {
    name: "createList",
    service: Service::ContactManagement,
    soap: true,
    doc: "Makes a List. The owner is an Account, or for a suppression list an Enterprise. A required suppression list applies \
          to everything under its owner.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("list", Type::Entity(&LIST), "The List.")
            .made()
            .required(),
        Field::new(
            "owner",
            Type::OneOf(&[&crate::entity::org::ORG]),
            "Account or Enterprise.",
        )
        .kinds(&["Account", "Enterprise"])
        .required(),
    ]),
    output: Output::One(&LIST),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::post("/lists").location("/lists/{id}"),
    run: Run::Write(handle),
    example: || {
        json!({
            "list": { "externalId": "customers-nov", "description": "Customers of November" },
            "owner": { "entityType": "Org", "internalId": "20" }
        })
    },
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let kinds = [OrgType::Account, OrgType::Enterprise];
    let owner = context.find_org(
        transaction,
        arguments.get("owner"),
        || arguments.path_to("owner"),
        &kinds,
        true,
    )?;
    let view = arguments.get("list").expect("stage 1 found it");
    let list_type = word!(view, "type", ListType).unwrap_or(ListType::Standard);
    if owner.org.org_type == OrgType::Enterprise && list_type != ListType::Suppression {
        return Err(Fault::of(
            Row::DA,
            view.path_to("type"),
            "an Enterprise owns suppression lists only",
        )
        .into());
    }
    let required = boolean(view, "required").unwrap_or(false);
    if required && list_type != ListType::Suppression {
        return Err(Fault::of(
            Row::DR,
            view.path_to("required"),
            "only a suppression list is required",
        )
        .into());
    }
    let owner_id = OrgId(owner.org.base.internal_id);
    let name = view.text("externalId").expect("stage 4 found it");
    if transaction.find::<List>(owner_id.0, name)?.is_some() {
        return Err(Fault::of(Row::U, view.path_to("externalId"), name.to_owned()).into());
    }
    let id = transaction.take_ids(1)?;
    let base = new_base(context, id, name, view);
    let list = List {
        name: view
            .text("name")
            .map_or_else(|| base.external_id.clone(), str::to_owned),
        base,
        owner: owner_id,
        description: crate::entity::text(view, "description"),
        list_type,
        required,
    };
    transaction.insert(&list)?;
    if list_type == ListType::Suppression {
        transaction.touch(Topic::Rules)?;
    }
    context.audit(transaction, owner_id, format!("list {id}"), "{}")?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &list, false)?,
        1,
    ))
}
