//! listScripts (M4).

use crate::context::Context;
use crate::entity::Names;
use crate::entity::script::{SCRIPT, key};
use crate::fault::{Code, Outcome};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::OrgType;
use carillon_model::name::fold;
use carillon_model::script::Script;
use carillon_store::Snapshot;
use serde_json::json;

/// listScripts.
pub static METHOD: Method = Method {
    name: "listScripts",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Lists the active Scripts of an Org; with an Enterprise those of its master account. Order: name.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new(
        "org",
        Type::Entity(&crate::entity::org::ORG),
        "Account or Enterprise.",
    )
    .kinds(&["Account", "Enterprise"])
    .required()]),
    output: Output::Many(&SCRIPT),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ObjectNotExists,
        Code::ResultTooLarge,
    ]),
    rule: None,
    prepare: None,
    http: Http::get("/scripts").query(&[("org", "org.internalId")]),
    run: Run::Read(handle),
    example: || json!({ "org": { "internalId": "20" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let kinds = [OrgType::Account, OrgType::Enterprise];
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &kinds,
        false,
    )?;
    let account = context.account_of(snapshot, &org)?;
    let mut scripts = context.all_of::<Script>(snapshot, account.org.base.internal_id)?;
    scripts.sort_by_cached_key(|script| fold(&script.base.external_id));
    let limit = org.settings.limit("limit.result.listScripts", 1_000);
    let (page, cursor) = context.page(scripts, limit, |script| fold(&script.base.external_id))?;
    let names = Names::new(snapshot, context);
    let objects = page
        .iter()
        .map(|script| key(names, script))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Answer::many(objects, cursor))
}
