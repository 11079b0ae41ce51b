//! changeOrg: settings and limits. Disabling an Org pauses its SubCampaigns and cancels its batches.

use crate::check;
use crate::context::Context;
use crate::entity::org::{ORG, apply, detail};
use crate::entity::{Names, merge_attributes};
use crate::fault::{Fault, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run, Service, access};
use crate::org::create::{is_limit, set_limits};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use carillon_model::campaign::Campaign;
use carillon_model::org::{Org, Settings};
use carillon_model::run::Request;
use carillon_model::strategy::Strategy;
use carillon_model::{CampaignId, OrgId, StrategyId};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Transaction};
use serde_json::json;

/// changeOrg.
pub static METHOD: Method = Method {
    name: "changeOrg",
    service: Service::OrganizationManagement,
    soap: true,
    doc: "Changes an Org. `enabled` false: logins fail, SubCampaigns are paused, batches are cancelled. Limits are changed \
          by an EnterpriseManager or SystemAdministrator.",
    access: access::ORG_MANAGERS,
    retry: Retry::Idempotent,
    input: Shape::arguments(&[
        Field::new("org", Type::Entity(&ORG), "The Org and what changes.")
            .changed()
            .required(),
    ]),
    output: Output::One(&ORG),
    codes: None,
    rule: None,
    prepare: None,
    http: Http::patch("/orgs/{org}", "org"),
    run: Run::Write(handle),
    example: || json!({ "org": { "internalId": "20", "attributes": { "defaultCampaign": "100" } } }),
};

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("org").expect("stage 1 found it");
    let resolved = context.find_org(transaction, Some(view), || view.path(), &[], true)?;
    let id = OrgId(resolved.org.base.internal_id);
    let stored = transaction
        .stored::<Org>(id)?
        .map_or(1, |stored| stored.version);
    context.check_version(stored)?;
    let mut org = resolved.org.clone();
    let before = detail(Names::new(transaction, context), &org)?;
    check::unchanged(
        view,
        &before,
        &["internalId", "externalId", "parent", "type"],
    )?;
    let was_enabled = resolved.settings.enabled != Some(false);
    clear_settings(view, &mut org.settings);
    apply(view, &mut org.settings, resolved.settings.country())?;
    set_limits(context, view, &mut org.settings)?;
    check_defaults(transaction, view, &org)?;
    if view.has("internalId")
        && let Some(name) = view.text("externalId")
    {
        rename(transaction, view, &mut org, name)?;
    }
    if let Some(name) = view.text("name") {
        org.name = name.to_owned();
    }
    let preferences: Vec<_> = view
        .attributes("preferences")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !preferences.is_empty() {
        org.preferences = preferences.into_iter().collect();
    }
    merge_attributes(view, &mut org.base.attributes);
    org.base.attributes.retain(|name, _| !is_limit(name));
    org.base.updated = context.now;
    org.base.modified_by = context.caller.user_id();
    let version = transaction.replace(&org)?;
    transaction.touch(Topic::Rules)?;
    if was_enabled && org.settings.enabled == Some(false) {
        stop_outreach(transaction, context, id)?;
    }
    context.orgs.borrow_mut().clear();
    context.audit(transaction, id, format!("org {id}"), "{}")?;
    Ok(Answer::versioned(
        detail(Names::new(transaction, context), &org)?,
        version,
    ))
}

/// JSON's null takes a setting back: the parent's holds again.
fn clear_settings(view: View<'_>, settings: &mut Settings) {
    let Some(index) = ORG.index_of("attributes") else {
        return;
    };
    for (name, value) in view.at(index).filter_map(View::name_value) {
        let (Some(name), None) = (name, value) else {
            continue;
        };
        match name {
            "enabled" => settings.enabled = None,
            "timeZone" => settings.time_zone = None,
            "reportTimeZone" => settings.report_time_zone = None,
            "countryCode" => settings.country_code = None,
            "locale" => settings.locale = None,
            "charset" => settings.charset = None,
            "defaultCallerID" => settings.default_caller_id = None,
            "firstContactTime" => settings.first_contact_time = None,
            "lastContactTime" => settings.last_contact_time = None,
            "emulateOutreach" => settings.emulate_outreach = None,
            "callRecording" => settings.call_recording = None,
            "applicationName" => settings.application_name = None,
            "defaultCampaign" => settings.default_campaign = None,
            "defaultOnDemandStrategy" => settings.default_on_demand_strategy = None,
            "clientIdFormat" => settings.client_id_format = None,
            "timeZoneSourceAllowed" => settings.time_zone_source_allowed = None,
            "maxAttemptsPerMinuteVoice" => settings.max_attempts_per_minute_voice = None,
            "maxAttemptsPerMinuteText" => settings.max_attempts_per_minute_text = None,
            "maxAttemptsPerMinuteEmail" => settings.max_attempts_per_minute_email = None,
            "attemptRetentionDays" => settings.attempt_retention_days = None,
            limit => {
                settings.limits.remove(limit);
            }
        }
    }
}

/// The default Campaign and strategy must exist and belong to the Account or to its Enterprise's master account.
fn check_defaults(transaction: &dyn Transaction, view: View<'_>, org: &Org) -> Outcome<()> {
    let missing = |name: &str| Fault::of(Row::R, view.path_to(name), "does not exist");
    let own = OrgId(org.base.internal_id);
    let master = match org.parent {
        Some(parent) => transaction
            .get::<Org>(parent)?
            .and_then(|parent| parent.settings.master_account),
        None => None,
    };
    let usable = |owner: OrgId| owner == own || Some(owner) == master;
    if view.attribute("defaultCampaign").is_some()
        && let Some(id) = org.settings.default_campaign
    {
        let campaign = transaction.get::<Campaign>(CampaignId(id.0))?;
        campaign
            .filter(|campaign| usable(campaign.owner))
            .ok_or_else(|| missing("defaultCampaign"))?;
    }
    if view.attribute("defaultOnDemandStrategy").is_some()
        && let Some(id) = org.settings.default_on_demand_strategy
    {
        let strategy = transaction.get::<Strategy>(StrategyId(id.0))?;
        strategy
            .filter(|strategy| usable(strategy.owner))
            .ok_or_else(|| missing("defaultOnDemandStrategy"))?;
    }
    Ok(())
}

fn rename(transaction: &dyn Transaction, view: View<'_>, org: &mut Org, name: &str) -> Outcome<()> {
    let scope = org.parent.map_or(0, |parent| parent.0);
    let taken = transaction.find::<Org>(scope, name)?;
    if taken.is_some_and(|other| other.base.internal_id != org.base.internal_id) {
        return Err(Fault::of(Row::U, view.path_to("externalId"), name.to_owned()).into());
    }
    org.base.external_id = carillon_model::name::tidy(name);
    Ok(())
}

/// Pauses what runs below an Org and cancels its batches.
fn stop_outreach(transaction: &mut dyn Transaction, context: &Context, id: OrgId) -> Outcome<()> {
    for mut run in transaction.live_runs()? {
        let Some(account) = context.org(transaction, run.account)? else {
            continue;
        };
        if !account.chain().any(|above| above == id) {
            continue;
        }
        for mut batch in transaction.live_batches(run.id)? {
            // A batch that is live can be cancelled; nothing else was asked for.
            if batch.cancel(context.now).is_ok() {
                transaction.put_batch_run(&batch)?;
            }
        }
        // A run that cannot be paused in its state ends or loads by itself and meets the disabled Org at its next step.
        if run.request(Request::Paused, context.now).is_ok() {
            transaction.put_run(&run)?;
        }
    }
    Ok(())
}
