//! listComplianceRules (M31).

use crate::context::Context;
use crate::entity::Names;
use crate::entity::compliance_rule::{COMPLIANCE_RULE, detail};
use crate::fault::{Code, Outcome};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::{ComplianceType, OrgType};
use carillon_store::Snapshot;
use serde_json::json;

/// listComplianceRules.
pub static METHOD: Method = Method {
    name: "listComplianceRules",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Lists the ComplianceRules of an Org itself; an Enterprise's are read with the Enterprise. Date rules are answered from \
          the beginning of the previous calendar year on. Order: priority.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[Field::new(
        "org",
        Type::Entity(&crate::entity::org::ORG),
        "Account or Enterprise.",
    )
    .kinds(&["Account", "Enterprise"])
    .required()]),
    output: Output::Many(&COMPLIANCE_RULE),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ObjectNotExists,
        Code::ResultTooLarge,
    ]),
    rule: None,
    prepare: None,
    http: Http::get("/compliance-rules").query(&[("org", "org.internalId")]),
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
    let first_year = context.today(&org).year() - 1;
    let mut rules = context.all_of::<ComplianceRule>(snapshot, org.org.base.internal_id)?;
    rules.retain(|rule| {
        rule.rule_type != ComplianceType::Date
            || rule
                .elements
                .iter()
                .filter_map(|element| element.date)
                .any(|date| date.year() >= first_year)
    });
    rules.sort_by_key(|rule| (rule.priority, rule.base.internal_id));
    let limit = org
        .settings
        .limit("limit.result.listComplianceRules", 1_000);
    let (page, cursor) = context.page(rules, limit, |rule| {
        format!("{:010}{:019}", rule.priority, rule.base.internal_id)
    })?;
    let names = Names::new(snapshot, context);
    let objects = page
        .iter()
        .map(|rule| detail(names, rule))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Answer::many(objects, cursor))
}
