//! listUsers.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::user::{USER, detail};
use crate::fault::Outcome;
use crate::limits::RESULT_MAX;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::sample;
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::user::User;
use carillon_store::Snapshot;
use serde_json::json;

/// listUsers.
pub static METHOD: Method = Method {
    name: "listUsers",
    service: Service::IdentityManagement,
    soap: true,
    doc: "Lists the Users whose home is an Org, by sample. Order: login.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "Their home Org.",
        )
        .required(),
        Field::new("sample", Type::Entity(&USER), "Which; null = all.")
            .sample()
            .c(),
    ]),
    output: Output::Many(&USER),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/users").query(&[
        ("org", "org.internalId"),
        ("roles", "sample.roles"),
        ("externalId", "sample.externalId"),
        ("firstName", "sample.firstName"),
        ("lastName", "sample.lastName"),
        ("loginEnabled", "sample.loginEnabled"),
    ]),
    run: Run::Read(handle),
    example: || json!({ "org": { "internalId": "20" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &[],
        true,
    )?;
    let names = Names::new(snapshot, context);
    let mut found = Vec::new();
    for user in context.all_of::<User>(snapshot, 0)? {
        if user.home.0 != org.org.base.internal_id {
            continue;
        }
        let object = detail(names, &user)?;
        if arguments
            .get("sample")
            .is_none_or(|sample| sample::matches(sample, &object, true))
        {
            found.push((carillon_model::name::fold(&user.base.external_id), object));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let (page, cursor) = context.page(found, RESULT_MAX, |(login, _)| login.clone())?;
    Ok(Answer::many(
        page.into_iter().map(|(_, object)| object).collect(),
        cursor,
    ))
}
