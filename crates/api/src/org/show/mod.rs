//! showOrg.

use crate::context::Context;
use crate::entity::Names;
use crate::entity::org::{ORG, detail};
use crate::fault::Outcome;
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::OrgId;
use carillon_model::org::Org;
use carillon_store::{EntityReadExt as _, Snapshot};
use serde_json::json;

/// showOrg.
pub static METHOD: Method = Method {
    name: "showOrg",
    service: Service::OrganizationManagement,
    soap: true,
    doc: "Shows one Org with the settings it has itself; what it does not set comes from its parent.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new("org", Type::Entity(&ORG), "The Org.").required()]),
    output: Output::One(&ORG),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::get("/orgs/{org}"),
    run: Run::Read(handle),
    example: || json!({ "org": { "internalId": "20" } }),
};

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &[],
        false,
    )?;
    let version = snapshot
        .stored::<Org>(OrgId(org.org.base.internal_id))?
        .map_or(1, |stored| stored.version);
    Ok(Answer::versioned(
        detail(Names::new(snapshot, context), &org.org)?,
        version,
    ))
}
