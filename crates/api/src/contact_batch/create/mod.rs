//! createContactBatch (M23): contacts are stored, judged and queued in the one unit of work that makes the batch.

mod on_demand;

use crate::check::Findings;
use crate::context::Context;
use crate::entity::contact::{self, CONTACT};
use crate::entity::contact_batch::{CONTACT_BATCH, Keys, detail, detail_with};
use crate::entity::{Names, moment, new_base};
use crate::fault::{Code, Fault, Outcome, Row, Stop};
use crate::method::{Http, Method, Output, Prepare, Retry, Run as Running, Service, access};
use crate::shape::form::{self, Bound};
use crate::shape::{Field, Shape, Type};
use crate::sub_campaign::create::check_open;
use crate::tree::View;
use crate::value::Answer;
use carillon_admission as admission;
use carillon_model::campaign::Campaign;
use carillon_model::contact::Contact;
use carillon_model::contact_batch::ContactBatch;
use carillon_model::org::Resolved;
use carillon_model::run::{BatchRun, Run};
use carillon_model::script::Script;
use carillon_model::strategy::Strategy;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::user::User;
use carillon_model::{
    AgentNeed, AttemptId, BatchId, BatchState, CampaignId, ChannelType, ContactId, Moment, OrgId,
    OrgType, Reason, Role, ScriptId, Severity, StrategyId, SubCampaignId, UserId, limits,
};
use carillon_store::{EntityReadExt as _, EntityWriteExt as _, Snapshot, Transaction};
use serde_json::json;

/// createContactBatch.
pub static METHOD: Method = Method {
    name: "createContactBatch",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Starts outreach to a set of contacts at once. Null campaign and outreachStrategy mean the Account's defaults, a null \
          script the strategy's. Every suppression list and required rule is honoured, when the batch is taken and again at \
          each attempt. A contact without a usable device, suppressed or forbidden is stored as filtered, with one warning \
          CONTACT_FILTERED. Naming a batch by internalId adds contacts to it.",
    access: access::AGENTS,
    retry: Retry::WithKey,
    input: Shape::arguments(&[
        Field::new("contactBatch", Type::Entity(&CONTACT_BATCH), "The batch.")
            .made_or_more()
            .required(),
        Field::new(
            "contacts",
            Type::Entity(&CONTACT),
            "The contacts, 1 to 100.",
        )
        .made()
        .many(limits::BATCH_CONTACTS_MAX)
        .required(),
        Field::new(
            "override",
            Type::Entity(&crate::entity::strategy::STRATEGY),
            "Must be null.",
        )
        .template()
        .c(),
    ]),
    output: Output::One(&CONTACT_BATCH),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ArgTooLarge,
        Code::ObjectExists,
        Code::ObjectNotExists,
    ]),
    rule: Some(override_is_null),
    prepare: Some(Prepare::Quick(prepare)),
    http: Http::post("/contact-batches").also("/contact-batches/{contactBatch}/contacts"),
    run: Running::Write(handle),
    example: || {
        json!({
            "contactBatch": {
                "externalId": "outage-1124", "owner": { "internalId": "20" }, "campaign": { "internalId": "100" },
                "maxDuration": 120
            },
            "contacts": [
                {
                    "externalId": "C-1001", "devices": [{ "externalId": "+12075550111", "type": "Mobile" }],
                    "attributes": { "firstName": "Test", "ticket": "T-77" }
                },
                { "externalId": "C-1002", "devices": [{ "externalId": "207 555 0112", "type": "Mobile" }] }
            ]
        })
    },
};

fn override_is_null(arguments: View<'_>, findings: &mut Findings) {
    if arguments.has("override") {
        findings.add(Row::DA, || arguments.path_to("override"), "must be null");
    }
}

/// The contacts of a call as a country reads them.
struct ReadContacts {
    country: String,
    contacts: Vec<Contact>,
}

impl ReadContacts {
    fn of(arguments: View<'_>, country: &str) -> Self {
        Self {
            country: country.to_owned(),
            contacts: arguments
                .items("contacts")
                .map(|view| contact::read(view, country))
                .collect(),
        }
    }
}

/// Reads the contacts for the country of the caller's home, which nearly always is that of the Account: the unit of work
/// knows, and reads them again where it is not.
fn prepare(context: &Context, arguments: View<'_>) {
    let read = ReadContacts::of(arguments, context.caller.home.settings.country());
    context.prepared.replace(Some(Box::new(read)));
}

/// A batch that contacts go into.
struct Batch {
    entity: ContactBatch,
    run: BatchRun,
    home: SubCampaign,
    home_run: Run,
    campaign: Campaign,
    /// Of a new batch: what it refers to was read a moment ago.
    keys: Option<Keys>,
    passes_say_source: bool,
}

fn handle(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
) -> Outcome<Answer> {
    let view = arguments.get("contactBatch").expect("stage 1 found it");
    let more = view.has("internalId");
    let (mut batch, account) = if more {
        existing(transaction, context, view)?
    } else {
        define(transaction, context, view)?
    };
    if context.caller.is_only_agent() && batch.entity.agent != Some(context.caller.user_id()) {
        return Err(Fault::denied(view.path_to("agent")).into());
    }
    let mut answer = Answer::none();
    add_contacts(
        transaction,
        context,
        arguments,
        &batch,
        &account,
        &mut answer,
    )?;
    if batch.passes_say_source && !more {
        answer.warn(
            Code::TimeZoneSourceIgnored,
            Severity::Info,
            Code::TimeZoneSourceIgnored.title(),
        );
    }
    let id = batch.entity.base.internal_id;
    context.audit(
        transaction,
        batch.entity.owner,
        format!("contactBatch {id}"),
        "{}",
    )?;
    let names = Names::new(transaction, context);
    let object = match batch.keys.take() {
        Some(keys) => detail_with(names, &batch.entity, keys)?,
        None => detail(names, &batch.entity)?,
    };
    answer.data = crate::value::Data::One(object);
    answer.version = Some(1);
    Ok(answer)
}

/// A later use: the batch is named by its internalId, and what it is defined by stays (M23.11, M23.16).
fn existing(
    transaction: &mut dyn Transaction,
    context: &Context,
    view: View<'_>,
) -> Outcome<(Batch, std::sync::Arc<Resolved>)> {
    let entity = context
        .find_writable::<ContactBatch>(transaction, view)?
        .entity;
    let account = context.owner(transaction, entity.owner)?;
    let scope = Some(entity.owner);
    if let Some(strategy) = view.get("outreachStrategy") {
        let other = context
            .find::<Strategy>(transaction, strategy, scope)?
            .entity;
        same(other.base.internal_id, entity.outreach_strategy.0, strategy)?;
    }
    if let Some(script) = view.get("script") {
        let other = context.find::<Script>(transaction, script, scope)?.entity;
        same(other.base.internal_id, entity.script.0, script)?;
    }
    if let Some(group) = view.get("agentGroup") {
        return Err(Fault::of(Row::R, group.path(), "does not exist").into());
    }
    let id = BatchId(entity.base.internal_id);
    let missing = |what: &str| Stop::Internal(format!("the ContactBatch {id} has no {what}"));
    let run = transaction.batch_run(id)?.ok_or_else(|| missing("run"))?;
    if !run.is_live() {
        return Err(Fault::of(Row::I, view.path(), format!("the batch is {}", run.state)).into());
    }
    let home = transaction
        .get::<SubCampaign>(entity.sub_campaign)?
        .ok_or_else(|| missing("SubCampaign"))?;
    let home_run = transaction
        .run(entity.sub_campaign)?
        .ok_or_else(|| missing("SubCampaign's run"))?;
    let campaign = transaction
        .get::<Campaign>(entity.campaign)?
        .ok_or_else(|| missing("Campaign"))?;
    Ok((
        Batch {
            entity,
            run,
            home,
            home_run,
            campaign,
            keys: None,
            passes_say_source: false,
        },
        account,
    ))
}

fn same(sent: i64, kept: i64, view: View<'_>) -> Outcome<()> {
    if sent == kept {
        Ok(())
    } else {
        Err(Fault::of(Row::DR, view.path(), "fixed once the batch is defined").into())
    }
}

/// What a new batch refers to.
struct References {
    campaign: Campaign,
    strategy: Strategy,
    script: Script,
    agent: Option<User>,
}

fn define(
    transaction: &mut dyn Transaction,
    context: &Context,
    view: View<'_>,
) -> Outcome<(Batch, std::sync::Arc<Resolved>)> {
    let kinds = [OrgType::Account];
    let account = context.find_org(
        transaction,
        view.get("owner"),
        || view.path_to("owner"),
        &kinds,
        true,
    )?;
    let owner = OrgId(account.org.base.internal_id);
    let found = references(transaction, context, view, &account)?;
    let ahead = account.settings.limit(
        "limit.contactBatch.startAheadDays",
        limits::BATCH_START_AHEAD_DAYS as usize,
    );
    let start = start_time(context, view, &account, ahead as i64)?;
    let minutes = view
        .text("maxDuration")
        .and_then(form::minutes)
        .expect("stage 4 found it");
    check_agents(&found, view)?;
    let name = view
        .text("externalId")
        .map(carillon_model::name::tidy)
        .unwrap_or_default();
    let campaign_id = CampaignId(found.campaign.base.internal_id);
    if !name.is_empty()
        && transaction
            .find::<ContactBatch>(campaign_id.0, &name)?
            .is_some()
    {
        return Err(Fault::of(Row::U, view.path_to("externalId"), name).into());
    }
    check_open(context, &found.campaign, &account, view)?;
    let (home, home_run) = on_demand::home(
        transaction,
        context,
        &account,
        &found.campaign,
        &found.strategy,
        &found.script,
    )?;
    let id = transaction.take_ids(1)?;
    let entity = ContactBatch {
        base: new_base(context, id, &name, view),
        owner,
        campaign: campaign_id,
        sub_campaign: SubCampaignId(home.base.internal_id),
        outreach_strategy: StrategyId(found.strategy.base.internal_id),
        script: ScriptId(found.script.base.internal_id),
        agent_group: None,
        agent: found.agent.map(|agent| UserId(agent.base.internal_id)),
        requested_start_time: start,
        max_duration_minutes: u32::try_from(minutes).unwrap_or(u32::MAX),
        priority: view
            .attribute("priority")
            .and_then(form::integer)
            .and_then(|weight| u8::try_from(weight).ok())
            .unwrap_or(5),
    };
    let run = BatchRun {
        id: BatchId(id),
        sub_campaign: entity.sub_campaign,
        state: if start > context.now {
            BatchState::Pending
        } else {
            BatchState::Running
        },
        start_time: start,
        end_time: entity.end(),
        finished: None,
        priority: entity.priority,
    };
    transaction.insert(&entity)?;
    transaction.put_batch_run(&run)?;
    let passes_say_source = found
        .strategy
        .passes
        .iter()
        .any(|pass| pass.time_zone_source.is_some());
    let names = Names::new(transaction, context);
    let keys = Keys {
        campaign: Some(crate::entity::campaign::key(names, &found.campaign)?),
        strategy: Some(crate::entity::strategy::key(names, &found.strategy)?),
        script: Some(crate::entity::script::key(names, &found.script)?),
    };
    Ok((
        Batch {
            entity,
            run,
            home,
            home_run,
            campaign: found.campaign,
            keys: Some(keys),
            passes_say_source,
        },
        account,
    ))
}

fn references(
    snapshot: &dyn Snapshot,
    context: &Context,
    view: View<'_>,
    account: &Resolved,
) -> Outcome<References> {
    let owner = OrgId(account.org.base.internal_id);
    let missing = |name: &'static str| Fault::of(Row::R, view.path_to(name), "does not exist");
    let campaign = match (view.get("campaign"), account.settings.default_campaign) {
        (Some(campaign), _) => Some(
            context
                .find::<Campaign>(snapshot, campaign, Some(owner))?
                .entity,
        ),
        (None, Some(default)) => snapshot.get::<Campaign>(default)?,
        (None, None) => None,
    };
    let strategy = match (
        view.get("outreachStrategy"),
        account.settings.default_on_demand_strategy,
    ) {
        (Some(strategy), _) => Some(
            context
                .find::<Strategy>(snapshot, strategy, Some(owner))?
                .entity,
        ),
        (None, Some(default)) => snapshot.get::<Strategy>(default)?,
        (None, None) => None,
    };
    let campaign = campaign.ok_or_else(|| missing("campaign"))?;
    let strategy = strategy.ok_or_else(|| missing("outreachStrategy"))?;
    let script = match (view.get("script"), strategy.script) {
        (Some(script), _) => Some(
            context
                .find::<Script>(snapshot, script, Some(owner))?
                .entity,
        ),
        (None, Some(id)) => snapshot.get::<Script>(id)?,
        (None, None) => None,
    };
    let agent = match view.get("agent") {
        Some(agent) => Some(context.find_user(snapshot, agent)?.entity),
        None => None,
    };
    if let Some(group) = view.get("agentGroup") {
        return Err(Fault::of(Row::R, group.path(), "does not exist").into());
    }
    if let (Some(agent), Some(view)) = (&agent, view.get("agent"))
        && !agent.roles.contains(&Role::Agent)
    {
        return Err(Fault::of(Row::T, view.path(), "the User has not the role Agent").into());
    }
    // Rows of stage 6 come after every reference.
    let script = script.ok_or_else(|| Fault::of(Row::NV, view.path_to("script"), "null"))?;
    if strategy.passes.is_empty() {
        return Err(Fault::of(
            Row::NV,
            view.path_to("outreachStrategy"),
            "the strategy has no passes",
        )
        .into());
    }
    Ok(References {
        campaign,
        strategy,
        script,
        agent,
    })
}

/// An agent group is needed by some Scripts and passes; this version has none.
fn check_agents(found: &References, view: View<'_>) -> Outcome<()> {
    let needs = found.script.agent_need != AgentNeed::None
        || found
            .strategy
            .passes
            .iter()
            .any(|pass| matches!(pass.channel, ChannelType::Dialer | ChannelType::Preview));
    if needs {
        return Err(Fault::of(Row::NV, view.path_to("agentGroup"), "an agent is needed").into());
    }
    Ok(())
}

/// requestedStartTime: null or past is now; too far ahead is row SV.
fn start_time(context: &Context, view: View<'_>, account: &Resolved, days: i64) -> Outcome<Moment> {
    let start = moment(
        view,
        "requestedStartTime",
        context.zone(account),
        Bound::Start,
    )
    .unwrap_or(context.now);
    if start > context.now.plus(days * carillon_model::moment::DAY) {
        let reason = format!("more than {days} days ahead");
        return Err(Fault::of(Row::SV, view.path_to("requestedStartTime"), reason).into());
    }
    Ok(start.max(context.now))
}

/// Stores the contacts and takes them into the run.
fn add_contacts(
    transaction: &mut dyn Transaction,
    context: &Context,
    arguments: View<'_>,
    batch: &Batch,
    account: &Resolved,
    answer: &mut Answer,
) -> Outcome<()> {
    let country = account.settings.country();
    let id = batch.entity.base.internal_id;
    let prepared = context.prepared.take();
    let mut contacts = prepared
        .and_then(|prepared| prepared.downcast::<ReadContacts>().ok())
        .filter(|read| read.country == country)
        .map_or_else(|| ReadContacts::of(arguments, country), |read| *read)
        .contacts;
    let first = transaction.take_ids(contacts.len() as u64)?;
    for (position, contact) in contacts.iter_mut().enumerate() {
        contact.id = ContactId(first + position as i64);
        contact.container = id;
    }
    let duplicates = admission::duplicates(&*transaction, id, &contacts)?;
    put(transaction, id, &contacts, &duplicates)?;
    let rules = context
        .cache
        .rules(transaction, account, &batch.campaign, &batch.home)?;
    let said = context.cache.said(transaction, batch.entity.script)?;
    let objection = |contact: &Contact| -> Option<Reason> {
        let speaker = admission::Speaker {
            account,
            campaign: &batch.campaign,
            sub_campaign: &batch.home,
            contact,
            device: None,
            channel: ChannelType::Text,
            attempt: AttemptId(0),
            number: 1,
            zone: None,
            now: context.now,
        };
        said.as_ref().and_then(|said| said.objection(&speaker))
    };
    let into = admission::AdmitInto {
        run: &batch.home_run,
        sub_campaign: &batch.home,
        batch: Some(&batch.run),
        duplicates: &duplicates,
        objection: &objection,
        keep_judgement: true,
    };
    let admitted = admission::admit(transaction, &rules, &into, &contacts, context.now)?;
    for (index, outcome) in admitted.iter().enumerate() {
        if let admission::Outcome::Filtered { reason, .. } = outcome.outcome {
            answer.warn(
                Code::ContactFiltered,
                Severity::Info,
                format!("[{index}] {reason}"),
            );
        }
    }
    Ok(())
}

/// Stores contacts: duplicates are no members of the batch.
fn put(
    transaction: &mut dyn Transaction,
    batch: i64,
    contacts: &[Contact],
    duplicates: &[bool],
) -> Outcome<()> {
    if !duplicates.contains(&true) {
        transaction.put_contacts(batch, contacts)?;
        return Ok(());
    }
    let those = |wanted: bool| -> Vec<Contact> {
        let pairs = contacts.iter().zip(duplicates);
        pairs
            .filter(|(_, duplicate)| **duplicate == wanted)
            .map(|(contact, _)| contact.clone())
            .collect()
    };
    transaction.put_contacts(batch, &those(false))?;
    transaction.put_former_contacts(batch, &those(true))?;
    Ok(())
}
