//! createOutreachStrategy (M9).

use crate::context::Context;
use crate::entity::strategy::{STRATEGY, detail};
use crate::entity::{Names, new_base, pass, text, word};
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::script::Script;
use carillon_model::strategy::Strategy;
use carillon_model::{EscalationType, OrgId, OrgType, PassId, ScriptId, StrategyType};
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction};
use serde_json::json;

/// createOutreachStrategy.
pub static METHOD: Method = Method {
    name: "createOutreachStrategy",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Adds an OutreachStrategy to an Org. Only its name is required; a strategy without passes is legal, but cannot be used \
          where no passes are brought along. With an Enterprise it is made in the master account and may be used by every \
          Account of the Enterprise.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("outreachStrategy", Type::Entity(&STRATEGY), "The strategy.")
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
    output: Output::One(&STRATEGY),
    codes: Some(&[
        Code::ArgInvalidChar,
        Code::ArgInvalidData,
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ArgTooLarge,
        Code::ObjectExists,
        Code::ObjectNotExists,
    ]),
    rule: None,
    prepare: None,
    http: Http::post("/outreach-strategies").location("/outreach-strategies/{id}"),
    run: Run::Write(handle),
    example: || {
        json!({
            "outreachStrategy": {
                "externalId": "Two texts",
                "script": { "internalId": "300" },
                "passes": [
                    { "channel": "text", "startTime": "09:00", "endTime": "20:00" },
                    { "channel": "text", "daysToWait": 1, "pacing": "Fixed", "contactsPerMinute": 60 }
                ]
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
    let account = context.account_of(transaction, &org)?;
    let owner = OrgId(account.org.base.internal_id);
    let view = arguments.get("outreachStrategy").expect("stage 1 found it");
    let script = match view.get("script") {
        Some(script) => Some(ScriptId(
            context
                .find::<Script>(transaction, script, Some(owner))?
                .entity
                .base
                .internal_id,
        )),
        None => None,
    };
    let mut passes = pass::read_all(context, transaction, view, &account)?;
    let name = view.text("externalId").expect("stage 4 found it");
    if transaction.find::<Strategy>(owner.0, name)?.is_some() {
        return Err(Fault::of(Row::U, view.path_to("externalId"), name.to_owned()).into());
    }
    let id = transaction.take_ids(1 + passes.len() as u64)?;
    for (index, pass) in passes.iter_mut().enumerate() {
        pass.id = PassId(id + 1 + index as i64);
    }
    let strategy = Strategy {
        base: new_base(context, id, name, view),
        owner,
        strategy_type: word!(view, "type", StrategyType).unwrap_or(StrategyType::Scheduled),
        description: text(view, "description"),
        script,
        escalation_type: word!(view, "escalationType", EscalationType)
            .unwrap_or(EscalationType::CallPassBased),
        passes,
        version: 1,
    };
    transaction.insert(&strategy)?;
    context.audit(transaction, owner, format!("outreachStrategy {id}"), "{}")?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &strategy)?,
        1,
    ))
}
