//! createCampaign (M5).

use crate::context::Context;
use crate::entity::campaign::{CAMPAIGN, detail};
use crate::entity::{Names, new_base, phone, text};
use crate::fault::{Code, Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::shape::{Field, Shape, Type, form};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::campaign::Campaign;
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::list::List;
use carillon_model::org::Resolved;
use carillon_model::script::Script;
use carillon_model::strategy::Strategy;
use carillon_model::{ListId, ListType, OrgId, OrgType, RuleId, ScriptId, StrategyId, limits};
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Snapshot, Transaction};
use serde_json::json;

/// createCampaign.
pub static METHOD: Method = Method {
    name: "createCampaign",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Makes a Campaign in an Org. At most 100 Campaigns of an Account are available at one time; available is what has not \
          expired. With an Enterprise the Campaign is made in the master account.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("campaign", Type::Entity(&CAMPAIGN), "The Campaign.")
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
    output: Output::One(&CAMPAIGN),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::AttributeInvalidChar,
        Code::AttributeNull,
        Code::AttributeTruncated,
        Code::ObjectExists,
        Code::ObjectNotExists,
        Code::SystemLimitExceeded,
    ]),
    rule: None,
    prepare: None,
    http: Http::post("/campaigns").location("/campaigns/{id}"),
    run: Run::Write(handle),
    example: || {
        json!({
            "campaign": {
                "externalId": "November", "description": "Payment reminders",
                "defaultStrategy": { "internalId": "200" }, "attributes": { "endDate": "2027-12-31" }
            },
            "org": { "internalId": "20", "type": "Account" }
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
    let view = arguments.get("campaign").expect("stage 1 found it");
    let mut campaign = read(transaction, context, view, &account)?;
    if let Some(own) = view.get("owner") {
        let own_org = context.find_org(transaction, Some(own), || own.path(), &kinds, true)?;
        if context
            .account_of(transaction, &own_org)?
            .org
            .base
            .internal_id
            != owner.0
        {
            return Err(Fault::of(Row::DA, own.path(), "owner and org differ").into());
        }
    }
    let name = view.text("externalId").expect("stage 4 found it");
    if transaction.find::<Campaign>(owner.0, name)?.is_some() {
        return Err(Fault::of(Row::U, view.path_to("externalId"), name.to_owned()).into());
    }
    check_available(transaction, context, &account, &campaign, view)?;
    campaign.base.internal_id = transaction.take_ids(1)?;
    transaction.insert(&campaign)?;
    let id = campaign.base.internal_id;
    context.audit(transaction, owner, format!("campaign {id}"), "{}")?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &campaign)?,
        1,
    ))
}

/// At most so many Campaigns are available at one time (M5.1); one that is expired when it is made counts for nothing.
fn check_available(
    transaction: &dyn Transaction,
    context: &Context,
    account: &Resolved,
    campaign: &Campaign,
    view: View<'_>,
) -> Outcome<()> {
    let today = context.today(account);
    if campaign.is_expired(today) {
        return Ok(());
    }
    let limit = account
        .settings
        .limit("limit.campaign.available", limits::CAMPAIGNS_AVAILABLE_MAX);
    let present = context.all_of::<Campaign>(transaction, account.org.base.internal_id)?;
    if present
        .iter()
        .filter(|campaign| !campaign.is_expired(today))
        .count()
        >= limit
    {
        return Err(Fault::of(
            Row::L,
            view.path(),
            "maximum number of active Campaigns exceeded",
        )
        .into());
    }
    Ok(())
}

/// Reads a Campaign with its references.
fn read(
    snapshot: &dyn Snapshot,
    context: &Context,
    view: View<'_>,
    account: &Resolved,
) -> Outcome<Campaign> {
    let owner = OrgId(account.org.base.internal_id);
    if let Some(group) = view.get("defaultAgentGroup") {
        return Err(Fault::of(Row::R, group.path(), "does not exist").into());
    }
    let default_strategy = match view.get("defaultStrategy") {
        Some(strategy) => Some(StrategyId(
            context
                .find::<Strategy>(snapshot, strategy, Some(owner))?
                .entity
                .base
                .internal_id,
        )),
        None => None,
    };
    let default_script = match view.get("defaultScript") {
        Some(script) => Some(ScriptId(
            context
                .find::<Script>(snapshot, script, Some(owner))?
                .entity
                .base
                .internal_id,
        )),
        None => None,
    };
    let mut suppression_lists = Vec::new();
    for item in view.items("suppressionLists") {
        let list = context.find::<List>(snapshot, item, Some(owner))?.entity;
        if list.list_type != ListType::Suppression {
            return Err(Fault::of(Row::T, item.path(), "not a suppression list").into());
        }
        suppression_lists.push(ListId(list.base.internal_id));
    }
    let mut compliance_rules = Vec::new();
    for item in view.items("complianceRules") {
        compliance_rules.push(RuleId(
            context
                .find::<ComplianceRule>(snapshot, item, Some(owner))?
                .entity
                .base
                .internal_id,
        ));
    }
    let name = view.text("externalId").unwrap_or_default();
    Ok(Campaign {
        base: new_base(context, 0, name, view),
        owner,
        description: text(view, "description"),
        default_agent_group: None,
        default_strategy,
        default_script,
        template_sub_campaign: None,
        caller_id: phone(view, "callerID", account.settings.country())?,
        source_address: text(view, "sourceAddress"),
        suppression_lists,
        compliance_rules,
        start_date: view
            .attribute("startDate")
            .and_then(form::date)
            .or_else(|| Some(context.today(account))),
        end_date: view.attribute("endDate").and_then(form::date),
    })
}
