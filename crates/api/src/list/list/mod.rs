//! listLists.

use crate::context::{Context, all_with_deleted};
use crate::entity::Names;
use crate::entity::list::{LIST, detail};
use crate::fault::{Outcome, Stop};
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::sample;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::entity::Kind;
use carillon_model::list::List;
use carillon_model::name::fold;
use carillon_store::Snapshot;
use serde_json::json;

/// listLists.
pub static METHOD: Method = Method {
    name: "listLists",
    service: Service::ContactManagement,
    soap: true,
    doc: "Lists the Lists of an owner by sample. Without isDeleted in the sample deleted ones are answered too; the attributes \
          size and useCount are filled. Order: name.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new(
            "owner",
            Type::OneOf(&[&crate::entity::org::ORG]),
            "Account or Enterprise.",
        )
        .kinds(&["Account", "Enterprise"])
        .required(),
        Field::new("sample", Type::Entity(&LIST), "Which; null = all.")
            .sample()
            .c(),
    ]),
    output: Output::Many(&LIST),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/lists").query(&[
        ("org", "owner.internalId"),
        ("externalId", "sample.externalId"),
        ("name", "sample.name"),
        ("type", "sample.type"),
        ("required", "sample.required"),
        ("isDeleted", "sample.isDeleted"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "owner": { "internalId": "20" }, "sample": { "type": "Standard", "isDeleted": false } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let owner = context.find_org(
        snapshot,
        arguments.get("owner"),
        || arguments.path_to("owner"),
        &[],
        false,
    )?;
    let names = Names::new(snapshot, context);
    let mut found = Vec::new();
    for document in all_with_deleted(snapshot, Kind::List, owner.org.base.internal_id)? {
        let list: List = serde_json::from_slice(&document.body).map_err(|error| {
            Stop::Internal(format!("the List {} cannot be read: {error}", document.id))
        })?;
        let object = detail(names, &list, document.deleted)?;
        if arguments
            .get("sample")
            .is_none_or(|sample| sample::matches(sample, &object, false))
        {
            found.push((
                format!("{}\n{:019}", fold(&list.base.external_id), document.id),
                object,
            ));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let (page, cursor) = context.page(found, RESULT_MAX, |(key, _)| key.clone())?;
    Ok(Answer::many(
        page.into_iter().map(|(_, object)| object).collect(),
        cursor,
    ))
}
