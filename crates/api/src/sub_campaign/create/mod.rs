//! createSubCampaign (M15).

use crate::check::Findings;
use crate::context::Context;
use crate::entity::sub_campaign::SUB_CAMPAIGN;
use crate::entity::{Names, integer, moment, new_base, pass, word, zone_name};
use crate::fault::{Code, Fault, Outcome, Row, Stop};
use crate::method::{Http, Method, Output, Retry, Run as Running, Service, access};
use crate::shape::form::{self, Bound};
use crate::shape::{Field, Shape, Type};
use crate::tree::{Path, View};
use crate::value::Answer;
use carillon_admission::filter::Filter;
use carillon_model::campaign::Campaign;
use carillon_model::list::List;
use carillon_model::org::Resolved;
use carillon_model::pass::Pass;
use carillon_model::run::{Load, Run};
use carillon_model::script::Script;
use carillon_model::strategy::Strategy;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AgentNeed, CampaignId, ChannelType, EscalationType, ListId, ListType, OrgId, OrgType, PassId,
    PassState, ScriptId, StrategyId, SubCampaignId, SubCampaignState, SubCampaignType,
    SyntheticState, TimeZoneSource, limits,
};
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Snapshot, Transaction};
use serde_json::json;

/// createSubCampaign.
pub static METHOD: Method = Method {
    name: "createSubCampaign",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Makes and loads an outbound SubCampaign from a Campaign, a List and a Script. Fields come from the call, the \
          Campaign's defaults and strategy, then the Account. The answer is given before the load ends; the SubCampaign starts \
          by itself at startTime, or with the attribute autoStart false when Running is asked for. filter takes a part of \
          the List; who is left out is counted as filtered. contactOrder is not supported in this version.",
    access: access::WRITERS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new(
            "subCampaign",
            Type::Entity(&SUB_CAMPAIGN),
            "At least its Campaign.",
        )
        .made()
        .required(),
        Field::new(
            "list",
            Type::Entity(&crate::entity::list::LIST),
            "The List.",
        )
        .scoped()
        .required(),
        Field::new(
            "script",
            Type::Entity(&crate::entity::script::SCRIPT),
            "The Script; null = the Campaign's or the strategy's.",
        )
        .scoped()
        .c(),
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "The Account.",
        )
        .kinds(&["Account"])
        .required(),
    ]),
    output: Output::One(&SUB_CAMPAIGN),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ObjectExists,
        Code::ObjectNotExists,
        Code::SystemLimitExceeded,
    ]),
    rule: Some(check),
    prepare: None,
    http: Http::post("/sub-campaigns"),
    run: Running::Write(handle),
    example: || {
        json!({
            "subCampaign": { "campaign": { "internalId": "100" }, "externalId": "October-2" },
            "list": { "internalId": "400" },
            "script": { "internalId": "300" },
            "org": { "internalId": "20" }
        })
    },
};

fn check(arguments: View<'_>, findings: &mut Findings) {
    let Some(view) = arguments
        .get("subCampaign")
        .filter(|view| view.shape().is_some())
    else {
        return;
    };
    if let Some(Err(unreadable)) = view.text("filter").map(Filter::parse) {
        findings.add(Row::DV, || view.path_to("filter"), unreadable.to_string());
    }
    if view.has("contactOrder") {
        findings.add(
            Row::DV,
            || view.path_to("contactOrder"),
            "not supported in this version",
        );
    }
}

/// Where passes, Script and escalation of a run come from.
pub struct Plan {
    /// The passes; ids are of their strategy still.
    pub passes: Vec<Pass>,
    /// How devices are taken.
    pub escalation_type: EscalationType,
    /// The Script.
    pub script: Script,
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let account = context.find_org(
        transaction,
        arguments.get("org"),
        || arguments.path_to("org"),
        &[OrgType::Account],
        true,
    )?;
    let owner = OrgId(account.org.base.internal_id);
    let view = arguments.get("subCampaign").expect("stage 1 found it");
    let campaign_view = view.get("campaign").expect("stage 4 found it");
    let campaign = context
        .find::<Campaign>(transaction, campaign_view, Some(owner))?
        .entity;
    let list_view = arguments.get("list").expect("stage 1 found it");
    let list = context
        .find::<List>(transaction, list_view, Some(owner))?
        .entity;
    if list.list_type != ListType::Standard {
        return Err(Fault::of(Row::T, list_view.path(), "not a List of contacts").into());
    }
    if let Some(group) = view.items("agentGroups").next() {
        return Err(Fault::of(Row::R, group.path(), "does not exist").into());
    }
    let strategy = strategy_of(transaction, context, view, &campaign, owner)?;
    let plan = plan(
        transaction,
        context,
        arguments,
        view,
        &campaign,
        strategy.as_ref(),
        &account,
    )?;
    check_passes(&plan, &campaign, &account, view)?;
    let campaign_id = CampaignId(campaign.base.internal_id);
    let name = match view.text("externalId") {
        Some(name) => free_name(transaction, view, campaign_id, name)?,
        None => next_name(transaction, campaign_id, &list.base.external_id)?,
    };
    check_active(transaction, &account, view)?;
    check_open(context, &campaign, &account, campaign_view)?;
    let id = transaction.take_ids(1 + plan.passes.len() as u64)?;
    let sub_campaign = build(
        context,
        view,
        &account,
        &campaign,
        &list,
        strategy.as_ref(),
        plan,
        id,
        &name,
    );
    let run = Run {
        id: SubCampaignId(id),
        account: owner,
        campaign: campaign_id,
        run_type: SubCampaignType::Outbound,
        state: SubCampaignState::Loading,
        held: !sub_campaign.auto_start,
        start_time: sub_campaign.start_time,
        end_time: None,
        passes: vec![PassState::Pending; sub_campaign.passes.len()],
        load: Load::default(),
        awaiting_until: None,
        version: 1,
    };
    transaction.insert(&sub_campaign)?;
    transaction.put_run(&run)?;
    context.audit(transaction, owner, format!("subCampaign {id}"), "{}")?;
    let names = Names::new(transaction, context);
    Ok(Answer::versioned(
        crate::entity::sub_campaign::detail(names, &sub_campaign, run.start_time, None)?,
        1,
    ))
}

/// The strategy of the call, else the Campaign's default.
fn strategy_of(
    snapshot: &dyn Snapshot,
    context: &Context,
    view: View<'_>,
    campaign: &Campaign,
    owner: OrgId,
) -> Outcome<Option<Strategy>> {
    match (view.get("outreachStrategy"), campaign.default_strategy) {
        (Some(strategy), _) => Ok(Some(
            context
                .find::<Strategy>(snapshot, strategy, Some(owner))?
                .entity,
        )),
        (None, Some(default)) => Ok(snapshot.get::<Strategy>(default)?),
        (None, None) => Ok(None),
    }
}

fn plan(
    snapshot: &dyn Snapshot,
    context: &Context,
    arguments: View<'_>,
    view: View<'_>,
    campaign: &Campaign,
    strategy: Option<&Strategy>,
    account: &Resolved,
) -> Outcome<Plan> {
    let owner = OrgId(account.org.base.internal_id);
    let mut passes = pass::read_all(context, snapshot, view, account)?;
    if passes.is_empty() {
        passes = strategy
            .map(|strategy| strategy.passes.clone())
            .unwrap_or_default();
    }
    let null = |path: Path| Stop::from(Fault::of(Row::NV, path, "null"));
    if passes.is_empty() {
        return Err(null(view.path_to("passes")));
    }
    let escalation_type = word!(view, "escalationType", EscalationType)
        .or(strategy.map(|strategy| strategy.escalation_type))
        .unwrap_or(EscalationType::CallPassBased);
    let script = match arguments.get("script") {
        Some(script) => Some(
            context
                .find::<Script>(snapshot, script, Some(owner))?
                .entity,
        ),
        None => match campaign
            .default_script
            .or(strategy.and_then(|strategy| strategy.script))
        {
            Some(id) => snapshot.get::<Script>(id)?,
            None => None,
        },
    };
    let script = script.ok_or_else(|| null(arguments.path_to("script")))?;
    Ok(Plan {
        passes,
        escalation_type,
        script,
    })
}

/// What passes need from their surroundings (stage 6).
fn check_passes(
    plan: &Plan,
    campaign: &Campaign,
    account: &Resolved,
    view: View<'_>,
) -> Outcome<()> {
    if plan.script.agent_need != AgentNeed::None {
        return Err(Fault::of(
            Row::NV,
            view.path_to("agentGroups"),
            "the Script needs an agent group",
        )
        .into());
    }
    for pass in &plan.passes {
        let has_caller_id = pass.caller_id.is_some()
            || campaign.caller_id.is_some()
            || account.settings.default_caller_id.is_some();
        if matches!(pass.channel, ChannelType::Voice) && !has_caller_id {
            return Err(Fault::of(
                Row::NV,
                view.path_to("passes"),
                "a voice pass needs a caller ID",
            )
            .into());
        }
        if matches!(pass.channel, ChannelType::Dialer | ChannelType::Preview) {
            return Err(Fault::of(
                Row::NV,
                view.path_to("agentGroups"),
                "the pass needs an agent group",
            )
            .into());
        }
        check_script(&plan.script, pass, view)?;
    }
    Ok(())
}

/// A Script speaks on its own channel.
fn check_script(script: &Script, pass: &Pass, view: View<'_>) -> Outcome<()> {
    let fits = pass.script.is_some()
        || match script.channel {
            ChannelType::Voice => pass.channel.result_kind() == carillon_model::ResultKind::Voice,
            other => pass.channel == other,
        };
    if fits {
        return Ok(());
    }
    let reason = format!(
        "the Script is for the channel {}, the pass {} for {}",
        script.channel, pass.name, pass.channel
    );
    Err(Fault::of(Row::DR, view.path_to("passes"), reason).into())
}

/// New work is started only in an enabled Account, on days on which the Campaign is open.
pub fn check_open(
    context: &Context,
    campaign: &Campaign,
    account: &Resolved,
    view: View<'_>,
) -> Outcome<()> {
    if account.settings.enabled == Some(false) {
        return Err(Fault::of(Row::I, view.path(), "the Account is disabled").into());
    }
    if !campaign.is_open(context.today(account)) {
        return Err(Fault::of(Row::I, view.path(), "the Campaign is not open today").into());
    }
    Ok(())
}

fn free_name(
    snapshot: &dyn Snapshot,
    view: View<'_>,
    campaign: CampaignId,
    name: &str,
) -> Outcome<String> {
    if snapshot.find::<SubCampaign>(campaign.0, name)?.is_some() {
        return Err(Fault::of(Row::U, view.path_to("externalId"), name.to_owned()).into());
    }
    Ok(name.to_owned())
}

/// The List's name, with ` (2)`, ` (3)` … when it is taken (M15.4).
fn next_name(snapshot: &dyn Snapshot, campaign: CampaignId, base: &str) -> Outcome<String> {
    for number in 1u32.. {
        let ending = if number == 1 {
            String::new()
        } else {
            format!(" ({number})")
        };
        let kept = limits::NAME_CHARACTERS_MAX - ending.chars().count();
        let name: String = base.chars().take(kept).collect::<String>() + &ending;
        if snapshot.find::<SubCampaign>(campaign.0, &name)?.is_none() {
            return Ok(name);
        }
    }
    Err(Stop::Internal("every name is taken".into()))
}

/// At most so many SubCampaigns of an Account are active; OnDemand ones do not count (M15.1).
fn check_active(snapshot: &dyn Snapshot, account: &Resolved, view: View<'_>) -> Outcome<()> {
    let owner = OrgId(account.org.base.internal_id);
    let active = snapshot
        .live_runs()?
        .iter()
        .filter(|run| run.account == owner && run.run_type != SubCampaignType::OnDemand)
        .filter(|run| run.state.is_in(SyntheticState::Active))
        .count();
    if active
        >= account
            .settings
            .limit("limit.subCampaign.active", limits::SUB_CAMPAIGNS_ACTIVE_MAX)
    {
        return Err(Fault::of(
            Row::L,
            view.path(),
            "maximum number of active SubCampaigns exceeded",
        )
        .into());
    }
    Ok(())
}

#[expect(
    clippy::too_many_arguments,
    reason = "everything that a SubCampaign is made of"
)]
fn build(
    context: &Context,
    view: View<'_>,
    account: &Resolved,
    campaign: &Campaign,
    list: &List,
    strategy: Option<&Strategy>,
    plan: Plan,
    id: i64,
    name: &str,
) -> SubCampaign {
    let mut passes = plan.passes;
    for (index, pass) in passes.iter_mut().enumerate() {
        pass.id = PassId(id + 1 + index as i64);
    }
    let flag = |name: &str| view.attribute(name).and_then(form::boolean);
    // Replies and late reports come after texts and e-mails.
    let awaits = passes
        .iter()
        .any(|pass| matches!(pass.channel, ChannelType::Text | ChannelType::Email));
    let awaiting = view
        .attribute("awaitingHours")
        .and_then(form::integer)
        .and_then(|hours| u32::try_from(hours).ok());
    SubCampaign {
        base: new_base(context, id, name, view),
        campaign: CampaignId(campaign.base.internal_id),
        owner: OrgId(account.org.base.internal_id),
        sub_campaign_type: SubCampaignType::Outbound,
        list: Some(ListId(list.base.internal_id)),
        script: Some(ScriptId(plan.script.base.internal_id)),
        agent_groups: Vec::new(),
        outreach_strategy: strategy.map(|strategy| StrategyId(strategy.base.internal_id)),
        escalation_type: plan.escalation_type,
        passes,
        intensity: integer(view, "intensity").unwrap_or(100),
        start_time: moment(view, "startTime", context.zone(account), Bound::Start)
            .unwrap_or(context.now),
        time_zone: view
            .text("timeZone")
            .and_then(zone_name)
            .unwrap_or_else(|| account.settings.zone_name().to_owned()),
        time_zone_source: word!(view, "timeZoneSource", TimeZoneSource)
            .unwrap_or(TimeZoneSource::ContactThenDevice),
        filter: view.text("filter").map(str::to_owned),
        contact_order: Vec::new(),
        auto_start: flag("autoStart").unwrap_or(true),
        summary_report: flag("summaryReport").unwrap_or(false),
        awaiting_hours: awaiting.unwrap_or(if awaits { 24 } else { 0 }),
    }
}
