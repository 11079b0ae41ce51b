//! createComplianceRule (M28).

use crate::context::Context;
use crate::entity::compliance_rule::{COMPLIANCE_RULE, detail, read_channels, read_elements};
use crate::entity::{Names, boolean, integer, new_base, text, word};
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::entity::Kind;
use carillon_model::{ComplianceType, OrgId, OrgType, limits};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction};
use serde_json::json;

/// createComplianceRule.
pub static METHOD: Method = Method {
    name: "createComplianceRule",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Makes a ComplianceRule for an Org. A Region rule belongs to an Enterprise. A required rule binds running SubCampaigns \
          and batches from the answer on.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new(
            "complianceRule",
            Type::Entity(&COMPLIANCE_RULE),
            "The rule.",
        )
        .made()
        .required(),
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "Account or Enterprise.",
        )
        .kinds(&["Account", "Enterprise"])
        .required(),
    ]),
    output: Output::One(&COMPLIANCE_RULE),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::AttributeNull,
        Code::ObjectExists,
        Code::ObjectNotExists,
    ]),
    rule: None,
    prepare: None,
    http: Http::post("/compliance-rules"),
    run: Run::Write(handle),
    example: || {
        json!({
            "complianceRule": {
                "externalId": "Quiet December", "type": "Date",
                "elements": [{ "date": "2026-12-24" }, { "date": "2026-12-25" }]
            },
            "org": { "internalId": "20" }
        })
    },
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let kinds = [OrgType::Account, OrgType::Enterprise];
    let org = context.find_org(
        transaction,
        arguments.get("org"),
        || arguments.path_to("org"),
        &kinds,
        true,
    )?;
    let owner = OrgId(org.org.base.internal_id);
    let view = arguments.get("complianceRule").expect("stage 1 found it");
    let rule_type = word!(view, "type", ComplianceType).expect("stage 4 found it");
    if rule_type == ComplianceType::Region && org.org.org_type != OrgType::Enterprise {
        return Err(Fault::of(
            Row::DA,
            view.path_to("type"),
            "a Region rule belongs to an Enterprise",
        )
        .into());
    }
    let elements = read_elements(view, rule_type);
    let last_year = context.today(&org).year() + 1;
    for (item, element) in view.items("elements").zip(&elements) {
        if element.date.is_some_and(|date| date.year() > last_year) {
            return Err(Fault::of(
                Row::DV,
                item.path_to("date"),
                "after the end of the next calendar year",
            )
            .into());
        }
    }
    let name = view.text("externalId");
    if let Some(name) = name
        && transaction.find::<ComplianceRule>(owner.0, name)?.is_some()
    {
        return Err(Fault::of(Row::U, view.path_to("externalId"), name.to_owned()).into());
    }
    let present = usize::try_from(transaction.count_documents(Kind::ComplianceRule, owner.0)?)
        .unwrap_or(usize::MAX);
    if present
        >= org
            .settings
            .limit("limit.complianceRule", limits::COMPLIANCE_RULES_MAX)
    {
        return Err(Fault::of(
            Row::L,
            view.path(),
            "maximum number of active ComplianceRules exceeded",
        )
        .into());
    }
    let id = transaction.take_ids(1)?;
    let name = name.map_or_else(|| format!("{} {id}", rule_type.text()), str::to_owned);
    let date = |name: &str| view.attribute(name).and_then(form::date);
    let rule = ComplianceRule {
        base: new_base(context, id, &name, view),
        owner,
        rule_type,
        description: text(view, "description"),
        required: boolean(view, "required").unwrap_or(matches!(
            rule_type,
            ComplianceType::Date | ComplianceType::Region
        )),
        priority: integer(view, "priority").unwrap_or(100),
        effective_from: date("effectiveFrom"),
        effective_to: date("effectiveTo"),
        source: view.attribute("source").map(str::to_owned),
        channels: read_channels(view, "channels"),
        version: 1,
        elements,
    };
    transaction.insert(&rule)?;
    transaction.touch(Topic::Rules)?;
    context.audit(transaction, owner, format!("complianceRule {id}"), "{}")?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &rule)?,
        1,
    ))
}
