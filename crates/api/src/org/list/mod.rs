//! listOrgs: direct children.

use crate::context::{Context, Sight};
use crate::entity::Names;
use crate::entity::org::{ORG, detail};
use crate::fault::Outcome;
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::sample;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::OrgId;
use carillon_model::org::Org;
use carillon_store::Snapshot;
use serde_json::json;

/// listOrgs.
pub static METHOD: Method = Method {
    name: "listOrgs",
    service: Service::OrganizationManagement,
    soap: true,
    doc: "Lists the direct children of an Org that match a sample. Here the attributes of the sample are matched too.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new("parent", Type::Entity(&ORG), "The Org above.").required(),
        Field::new("sample", Type::Entity(&ORG), "Which; null = all.")
            .sample()
            .c(),
    ]),
    output: Output::Many(&ORG),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/orgs").query(&[
        ("parent", "parent.internalId"),
        ("externalId", "sample.externalId"),
        ("type", "sample.type"),
        ("enabled", "sample.attributes.enabled"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "parent": { "internalId": "10" }, "sample": { "type": "Account" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let parent = context.find_org(
        snapshot,
        arguments.get("parent"),
        || arguments.path_to("parent"),
        &[],
        false,
    )?;
    let names = Names::new(snapshot, context);
    let mut found = Vec::new();
    for child in context.all_of::<Org>(snapshot, parent.org.base.internal_id)? {
        let resolved = context.owner(snapshot, OrgId(child.base.internal_id))?;
        if context.sight(&resolved) == Sight::Hidden {
            continue;
        }
        let object = detail(names, &child)?;
        if arguments
            .get("sample")
            .is_none_or(|sample| sample::matches(sample, &object, true))
        {
            found.push((child.base.internal_id, object));
        }
    }
    let (page, cursor) = context.page(found, RESULT_MAX, |(id, _)| format!("{id:019}"))?;
    Ok(Answer::many(
        page.into_iter().map(|(_, object)| object).collect(),
        cursor,
    ))
}
