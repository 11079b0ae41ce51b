//! deleteComplianceRule (M29).

use crate::context::Context;
use crate::entity::compliance_rule::COMPLIANCE_RULE;
use crate::fault::{Code, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::compliance_rule::ComplianceRule;
use carillon_store::meta::Topic;
use carillon_store::{EntityWriteExt as _, Transaction};
use serde_json::json;

/// deleteComplianceRule.
pub static METHOD: Method = Method {
    name: "deleteComplianceRule",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Deletes a ComplianceRule, named by its internalId: from the answer on it forbids nothing. Verdicts keep its id and \
          version; contacts it filtered at load stay filtered.",
    access: access::WRITERS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[Field::new(
        "complianceRule",
        Type::Entity(&COMPLIANCE_RULE),
        "The rule.",
    )
    .required()]),
    output: Output::None,
    codes: Some(&[Code::ArgInvalidType, Code::ArgNull, Code::ObjectNotExists]),
    rule: Some(|arguments, findings| {
        // Named by its internalId only.
        if let Some(view) = arguments.get("complianceRule")
            && view.shape().is_some()
            && !view.has("internalId")
        {
            findings.add(Row::NV, || view.path_to("internalId"), "null");
        }
    }),
    prepare: None,
    http: Http::delete("/compliance-rules/{complianceRule}"),
    run: Run::Write(handle),
    example: || json!({ "complianceRule": { "internalId": "900" } }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("complianceRule").expect("stage 1 found it");
    let stored = context.find_writable::<ComplianceRule>(transaction, view)?;
    context.check_version(stored.version)?;
    transaction.delete(&stored.entity)?;
    transaction.touch(Topic::Rules)?;
    let id = stored.entity.base.internal_id;
    context.audit(
        transaction,
        stored.entity.owner,
        format!("complianceRule {id}"),
        "{}",
    )?;
    Ok(Answer::none())
}
