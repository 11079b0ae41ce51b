//! An invented installation: Orgs, a Campaign, people in several zones, a List with its SubCampaign, batches, rules and
//! suppression. Everything is written as the doors write it, so the engine meets nothing it would not meet.

use carillon_admission::limits::LANES_MAX;
use carillon_admission::{AdmitInto, LaneKey, RuleSet, admit, resolve};
use carillon_model::campaign::Campaign;
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::contact::{Contact, Device};
use carillon_model::contact_batch::ContactBatch;
use carillon_model::entity::{Attributes, Base};
use carillon_model::list::List;
use carillon_model::org::{Org, Settings};
use carillon_model::pass::Pass;
use carillon_model::run::{BatchRun, Load, Run};
use carillon_model::script::{Content, Script};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AgentNeed, BatchId, BatchState, CampaignId, ChannelType, ComplianceType, ContactId, DeviceType,
    EscalationType, LineType, ListId, ListType, Moment, OrgId, OrgType, PassState, ScriptId,
    StrategyId, SubCampaignId, SubCampaignState, SubCampaignType, TimeZoneSource, UserId,
};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt, EntityWriteExt, Error, Result, Store, Transaction, Urgency};
use rand::rngs::SmallRng;
use rand::{Rng, RngCore};

/// Our address.
pub const SHORT_CODE: &str = "24242";
/// Where the invented people live: zone, number prefix, digits that follow it, country.
pub const PLACES: [(&str, &str, usize, &str); 7] = [
    ("America/New_York", "+1212555", 4, "US"),
    ("America/Los_Angeles", "+1310555", 4, "US"),
    ("America/Phoenix", "+1602555", 4, "US"),
    ("Europe/London", "+44207267", 4, "GB"),
    ("Europe/Paris", "+3314268", 4, "FR"),
    ("Asia/Kathmandu", "+9771412", 4, "NP"),
    ("Australia/Sydney", "+6129123", 4, "AU"),
];

/// The fixed part of an installation.
#[derive(Debug, Clone, Copy)]
pub struct Installation {
    /// The Account.
    pub account: OrgId,
    /// Its Campaign.
    pub campaign: CampaignId,
    /// Its Script.
    pub script: ScriptId,
    /// Its required suppression list.
    pub suppression: ListId,
}

/// Nobody in particular.
pub const USER: UserId = UserId(1);

/// A text Script that says one thing.
pub const SCRIPT: &str = "<text><message>Hello {{ contact.firstName }}</message></text>";

/// Makes Orgs, Campaign, Script and suppression list.
pub fn install(store: &Store, now: Moment) -> Result<Installation> {
    store.write_now(Urgency::People, move |tx| install_in(tx, now))
}

fn install_in(tx: &mut dyn Transaction, now: Moment) -> Result<Installation> {
    let first = tx.take_ids(6)?;
    let top = org(first, OrgType::SuperEnterprise, None, "Top", now);
    let enterprise = org(
        first + 1,
        OrgType::Enterprise,
        Some(first),
        "Enterprise",
        now,
    );
    let mut account = org(
        first + 2,
        OrgType::Account,
        Some(first + 1),
        "Lending Library",
        now,
    );
    account.settings.time_zone = Some("America/New_York".to_owned());
    account.settings.country_code = Some("US".to_owned());
    for org in [&top, &enterprise, &account] {
        tx.insert(org)?;
    }
    let installation = Installation {
        account: OrgId(first + 2),
        campaign: CampaignId(first + 3),
        script: ScriptId(first + 4),
        suppression: ListId(first + 5),
    };
    tx.insert(&campaign(installation, now))?;
    tx.insert(&script(installation, now))?;
    let content = Content {
        name: "reminder.xml".to_owned(),
        data: SCRIPT.into(),
    };
    tx.put_script_contents(installation.script, &[content])?;
    let mut list = list(
        installation.suppression.0,
        installation.account,
        "never",
        now,
    );
    list.list_type = ListType::Suppression;
    list.required = true;
    tx.insert(&list)?;
    Ok(installation)
}

fn org(id: i64, org_type: OrgType, parent: Option<i64>, name: &str, now: Moment) -> Org {
    Org {
        base: Base::new(id, name, now, USER),
        org_type,
        parent: parent.map(OrgId),
        name: name.to_owned(),
        preferences: Attributes::new(),
        settings: Settings::default(),
    }
}

fn campaign(installation: Installation, now: Moment) -> Campaign {
    Campaign {
        base: Base::new(installation.campaign.0, "Reminders", now, USER),
        owner: installation.account,
        description: None,
        default_agent_group: None,
        default_strategy: None,
        default_script: Some(installation.script),
        template_sub_campaign: None,
        caller_id: None,
        source_address: Some(SHORT_CODE.to_owned()),
        suppression_lists: Vec::new(),
        compliance_rules: Vec::new(),
        start_date: None,
        end_date: None,
    }
}

fn script(installation: Installation, now: Moment) -> Script {
    Script {
        base: Base::new(installation.script.0, "Reminder", now, USER),
        owner: installation.account,
        version: 1,
        description: None,
        is_template: false,
        channel: ChannelType::Text,
        element_names: Vec::new(),
        agent_need: AgentNeed::None,
        template_kind: None,
        duration: None,
    }
}

fn list(id: i64, owner: OrgId, name: &str, now: Moment) -> List {
    List {
        base: Base::new(id, name, now, USER),
        owner,
        name: name.to_owned(),
        description: None,
        list_type: ListType::Standard,
        required: false,
    }
}

/// An invented person.
pub fn person(number: usize, chance: &mut SmallRng) -> Contact {
    let (zone, prefix, digits, country) = PLACES[chance.random_range(0..PLACES.len())];
    let phone = |chance: &mut SmallRng| {
        let end = chance.random_range(0..10usize.pow(digits as u32));
        format!("{prefix}{end:0digits$}")
    };
    let mut devices = vec![device(1, phone(chance))];
    if chance.random_bool(0.3) {
        devices.push(device(2, phone(chance)));
    }
    if chance.random_bool(0.03) {
        devices.clear();
    }
    let mut attributes: Attributes = [
        ("country".to_owned(), country.to_owned()),
        ("timeZone".to_owned(), zone.to_owned()),
    ]
    .into();
    if !chance.random_bool(0.03) {
        attributes.insert("firstName".to_owned(), format!("Person{number}"));
    }
    Contact {
        external_id: format!("C-{number}"),
        devices,
        attributes,
        ..Contact::default()
    }
}

fn device(number: u8, address: String) -> Device {
    Device {
        address,
        device_type: DeviceType::Mobile,
        number,
        time_zone: None,
        line_type: LineType::Unknown,
    }
}

/// Stores people in a new List and makes a SubCampaign of it, with its run in Loading.
pub fn sub_campaign(
    store: &Store,
    installation: Installation,
    people: Vec<Contact>,
    passes: Vec<Pass>,
    now: Moment,
) -> Result<SubCampaignId> {
    store.write_now(Urgency::People, move |tx| {
        let first = tx.take_ids(2 + people.len() as u64)?;
        let owner = installation.account;
        tx.insert(&list(first, owner, &format!("List {first}"), now))?;
        let contacts = numbered(people, first, first + 2);
        tx.put_contacts(first, &contacts)?;
        let id = SubCampaignId(first + 1);
        let mut entity = sub_campaign_entity(installation, id, passes, now);
        entity.list = Some(ListId(first));
        tx.insert(&entity)?;
        tx.put_run(&run_of(&entity, SubCampaignState::Loading, false))?;
        Ok(id)
    })
}

fn numbered(people: Vec<Contact>, container: i64, first: i64) -> Vec<Contact> {
    people
        .into_iter()
        .enumerate()
        .map(|(index, contact)| Contact {
            id: ContactId(first + index as i64),
            container,
            ..contact
        })
        .collect()
}

/// A SubCampaign with the defaults of the doors.
pub fn sub_campaign_entity(
    installation: Installation,
    id: SubCampaignId,
    passes: Vec<Pass>,
    now: Moment,
) -> SubCampaign {
    SubCampaign {
        base: Base::new(id.0, format!("Run {id}"), now, USER),
        campaign: installation.campaign,
        owner: installation.account,
        sub_campaign_type: SubCampaignType::Outbound,
        list: None,
        script: Some(installation.script),
        agent_groups: Vec::new(),
        outreach_strategy: None,
        escalation_type: EscalationType::CallPassBased,
        passes,
        intensity: 100,
        start_time: now,
        time_zone: "America/New_York".to_owned(),
        time_zone_source: TimeZoneSource::ContactThenDevice,
        filter: None,
        contact_order: Vec::new(),
        auto_start: true,
        summary_report: false,
        awaiting_hours: 1,
    }
}

fn run_of(entity: &SubCampaign, state: SubCampaignState, loaded: bool) -> Run {
    Run {
        id: SubCampaignId(entity.base.internal_id),
        account: entity.owner,
        campaign: entity.campaign,
        run_type: entity.sub_campaign_type,
        state,
        held: !entity.auto_start,
        start_time: entity.start_time,
        end_time: None,
        passes: vec![PassState::Pending; entity.passes.len()],
        load: Load {
            contact_after: 0,
            done: loaded,
        },
        awaiting_until: None,
        version: 1,
    }
}

/// Takes all lanes that a run may have, so that its contacts share mixed ones.
pub fn crowd(store: &Store, run: SubCampaignId) -> Result<()> {
    store.write_now(Urgency::People, move |tx| {
        for number in 0..LANES_MAX as i64 {
            let key = LaneKey::mixed(Some(Moment(number)));
            tx.intern_lane(run, &key.encode())?;
        }
        tx.touch(Topic::Runs)
    })
}

/// Makes an OnDemand SubCampaign without batches.
pub fn on_demand(
    store: &Store,
    installation: Installation,
    passes: Vec<Pass>,
    now: Moment,
) -> Result<SubCampaignId> {
    store.write_now(Urgency::People, move |tx| {
        let id = SubCampaignId(tx.take_ids(1)?);
        let mut entity = sub_campaign_entity(installation, id, passes, now);
        entity.sub_campaign_type = SubCampaignType::OnDemand;
        entity.script = None;
        tx.insert(&entity)?;
        tx.put_run(&run_of(&entity, SubCampaignState::Running, true))?;
        Ok(id)
    })
}

/// Adds a batch of priority 5.
pub fn batch(
    store: &Store,
    installation: Installation,
    home: SubCampaignId,
    people: Vec<Contact>,
    start: Moment,
    minutes: u32,
    now: Moment,
) -> Result<BatchId> {
    batch_of_priority(store, installation, home, people, start, minutes, 5, now)
}

/// Adds a batch, as createContactBatch does: contacts, admission and state in one unit.
#[expect(clippy::too_many_arguments, reason = "each is a field of the batch")]
pub fn batch_of_priority(
    store: &Store,
    installation: Installation,
    home: SubCampaignId,
    people: Vec<Contact>,
    start: Moment,
    minutes: u32,
    priority: u8,
    now: Moment,
) -> Result<BatchId> {
    store.write_now(Urgency::People, move |tx| {
        let first = tx.take_ids(1 + people.len() as u64)?;
        let id = BatchId(first);
        let contacts = numbered(people, first, first + 1);
        let entity = ContactBatch {
            base: Base::new(first, "", now, USER),
            owner: installation.account,
            campaign: installation.campaign,
            sub_campaign: home,
            outreach_strategy: StrategyId(0),
            script: installation.script,
            agent_group: None,
            agent: None,
            requested_start_time: start,
            max_duration_minutes: minutes,
            priority,
        };
        tx.insert(&entity)?;
        let batch = BatchRun {
            id,
            sub_campaign: home,
            state: if start <= now {
                BatchState::Running
            } else {
                BatchState::Pending
            },
            start_time: start,
            end_time: entity.end(),
            finished: None,
            priority,
        };
        tx.put_batch_run(&batch)?;
        let mut run = tx.run(home)?.ok_or(Error::Missing {
            what: "run",
            id: home.0,
        })?;
        if !run.is_live() {
            run.end_time = None;
            run.set_state(SubCampaignState::Running);
        }
        tx.put_run(&run)?;
        tx.put_contacts(first, &contacts)?;
        let entity: SubCampaign = tx.get(home)?.ok_or(Error::Missing {
            what: "SubCampaign",
            id: home.0,
        })?;
        let rules = rules(tx, installation, &entity)?;
        let into = AdmitInto {
            run: &run,
            sub_campaign: &entity,
            batch: Some(&batch),
            duplicates: &[],
            objection: &|contact| {
                let named = contact.attribute("firstName").is_some();
                (!named).then_some(carillon_model::Reason::MissingField)
            },
            keep_judgement: true,
        };
        admit(tx, &rules, &into, &contacts, now)?;
        Ok(id)
    })
}

/// What binds a SubCampaign.
pub fn rules(
    tx: &dyn Transaction,
    installation: Installation,
    entity: &SubCampaign,
) -> Result<RuleSet> {
    let missing = |what| Error::Missing {
        what,
        id: installation.account.0,
    };
    let account = resolve(tx, installation.account)?.ok_or(missing("Org"))?;
    let campaign: Campaign = tx.get(installation.campaign)?.ok_or(missing("Campaign"))?;
    RuleSet::load(tx, &account, &campaign, entity)
}

/// Adds a required rule that forbids a country.
pub fn forbid(
    store: &Store,
    installation: Installation,
    country: &'static str,
    now: Moment,
) -> Result<()> {
    let element = Element {
        region: Some(country.to_owned()),
        ..Element::default()
    };
    rule(store, installation, ComplianceType::Location, element, now)
}

/// Adds a required rule that allows a country on every day from `first` to `last` o'clock only.
pub fn hours(
    store: &Store,
    installation: Installation,
    country: &'static str,
    first: i8,
    last: i8,
    now: Moment,
) -> Result<()> {
    let element = Element {
        region: Some(country.to_owned()),
        allowed: true,
        first_contact_time: Some(jiff::civil::time(first, 0, 0, 0)),
        last_contact_time: Some(jiff::civil::time(last, 0, 0, 0)),
        ..Element::default()
    };
    rule(store, installation, ComplianceType::Region, element, now)
}

fn rule(
    store: &Store,
    installation: Installation,
    rule_type: ComplianceType,
    element: Element,
    now: Moment,
) -> Result<()> {
    store.write_now(Urgency::People, move |tx| {
        let id = tx.take_ids(1)?;
        tx.insert(&ComplianceRule {
            base: Base::new(id, format!("Rule {id}"), now, USER),
            owner: installation.account,
            rule_type,
            description: None,
            required: true,
            priority: 100,
            effective_from: None,
            effective_to: None,
            source: None,
            channels: Vec::new(),
            version: 1,
            elements: vec![element],
        })?;
        tx.touch(Topic::Rules)
    })
}

/// A number by chance.
pub fn seed_of(chance: &mut SmallRng) -> u64 {
    chance.next_u64()
}
