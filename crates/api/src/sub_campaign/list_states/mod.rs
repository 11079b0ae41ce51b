//! listSubCampaignStates (M20).

use crate::check::Findings;
use crate::context::{Context, Sight};
use crate::entity::Names;
use crate::entity::sub_campaign::SUB_CAMPAIGN_STATE;
use crate::fault::{Code, Outcome, Row};
use crate::method::{Http, Method, Output, Retry, Run as Running, Service, access};
use crate::sample::contains;
use crate::shape::form::{self, Bound};
use crate::shape::{Field, Shape, Type};
use crate::tree::View;
use crate::value::Answer;
use crate::window;
use carillon_model::campaign::Campaign;
use carillon_model::name::fold;
use carillon_model::org::Resolved;
use carillon_model::run::Run;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    ChannelType, Moment, OrgType, SubCampaignId, SubCampaignType, SyntheticState,
};
use carillon_store::Snapshot;
use jiff::ToSpan as _;
use serde_json::json;

/// listSubCampaignStates.
pub static METHOD: Method = Method {
    name: "listSubCampaignStates",
    service: Service::CampaignManagement,
    soap: true,
    doc: "Lists states and counters of the SubCampaigns of an Org. Of the sample, state (Active, All, Completed, Done), \
          subCampaign.internalId, .externalId (matches when contained), .type, .campaign, .agentGroups[0] and \
          .passes[0].channel are matched. Without times and with the state null, Done or All, the window is from yesterday to \
          tomorrow. Order: start, Campaign, name.",
    access: access::READERS,
    retry: Retry::Safe,
    input: Shape::arguments(&[
        Field::new(
            "org",
            Type::Entity(&crate::entity::org::ORG),
            "Account or Enterprise.",
        )
        .kinds(&["Account", "Enterprise"])
        .required(),
        Field::new(
            "sample",
            Type::Entity(&SUB_CAMPAIGN_STATE),
            "Which; null = all in the window.",
        )
        .sample()
        .c(),
        Field::new("fromTime", Type::DateTime, "From.").c(),
        Field::new("toTime", Type::DateTime, "Before.").c(),
    ]),
    output: Output::Many(&SUB_CAMPAIGN_STATE),
    codes: Some(&[
        Code::ArgInvalidType,
        Code::ArgNull,
        Code::ObjectNotExists,
        Code::ResultTooLarge,
    ]),
    rule: Some(sample_and_window),
    prepare: None,
    http: Http::get("/sub-campaign-states").query(&[
        ("org", "org.internalId"),
        ("state", "sample.state"),
        ("subCampaign.internalId", "sample.subCampaign.internalId"),
        ("subCampaign.externalId", "sample.subCampaign.externalId"),
        ("subCampaign.type", "sample.subCampaign.type"),
        (
            "subCampaign.campaign.internalId",
            "sample.subCampaign.campaign.internalId",
        ),
        (
            "subCampaign.campaign.externalId",
            "sample.subCampaign.campaign.externalId",
        ),
        ("channel", "sample.subCampaign.passes.channel"),
        ("fromTime", "fromTime"),
        ("toTime", "toTime"),
    ]),
    run: Running::Read(handle),
    example: || {
        json!({
            "org": { "internalId": "20", "type": "Account" },
            "sample": { "subCampaign": { "campaign": { "externalId": "octo" } }, "state": "Active" }
        })
    },
};

/// Any other set field of the sample is refused (M20.14).
fn sample_and_window(arguments: View<'_>, findings: &mut Findings) {
    window::in_order(arguments, findings);
    let Some(sample) = arguments
        .get("sample")
        .filter(|sample| sample.shape().is_some())
    else {
        return;
    };
    if let Some(word) = sample.text("state")
        && SyntheticState::parse(word.trim()).is_none()
    {
        findings.add(
            Row::DV,
            || sample.path_to("state"),
            "Active, All, Completed or Done",
        );
    }
    only(sample, &["subCampaign", "state", "attributes"], findings);
    let Some(sub) = sample
        .get("subCampaign")
        .filter(|sub| sub.shape().is_some())
    else {
        return;
    };
    only(
        sub,
        &[
            "internalId",
            "externalId",
            "type",
            "campaign",
            "agentGroups",
            "passes",
            "attributes",
        ],
        findings,
    );
    if let Some(campaign) = sub
        .get("campaign")
        .filter(|campaign| campaign.shape().is_some())
    {
        only(
            campaign,
            &["internalId", "externalId", "owner", "attributes"],
            findings,
        );
    }
    for pass in sub.items("passes").filter(|pass| pass.shape().is_some()) {
        only(pass, &["channel"], findings);
    }
}

fn only(view: View<'_>, allowed: &[&str], findings: &mut Findings) {
    for child in view.children().filter(|child| !child.is_null()) {
        if child
            .field_of()
            .is_some_and(|field| !allowed.contains(&field.name))
        {
            findings.add(Row::DV, || child.path(), "not matched here");
        }
    }
}

/// What the sample asks for, its ids proven to exist.
struct Wanted<'t> {
    state: Option<SyntheticState>,
    id: Option<i64>,
    name: Option<&'t str>,
    kind: Option<SubCampaignType>,
    campaign: Option<i64>,
    campaign_name: Option<&'t str>,
    channel: Option<ChannelType>,
}

fn wanted<'t>(
    snapshot: &dyn Snapshot,
    context: &Context,
    sample: Option<View<'t>>,
) -> Outcome<Wanted<'t>> {
    let sub = sample.and_then(|sample| sample.get("subCampaign"));
    let campaign = sub.and_then(|sub| sub.get("campaign"));
    let by_id = |view: View<'_>| view.text("internalId").and_then(form::internal_id);
    let id = match sub.filter(|sub| by_id(*sub).is_some()) {
        Some(sub) => Some(
            context
                .find::<SubCampaign>(snapshot, sub, None)?
                .entity
                .base
                .internal_id,
        ),
        None => None,
    };
    let campaign_id = match campaign.filter(|campaign| by_id(*campaign).is_some()) {
        Some(campaign) => Some(
            context
                .find::<Campaign>(snapshot, campaign, None)?
                .entity
                .base
                .internal_id,
        ),
        None => None,
    };
    if let Some(group) = sub.and_then(|sub| sub.items("agentGroups").next())
        && by_id(group).is_some()
    {
        return Err(crate::fault::Fault::of(Row::R, group.path(), "does not exist").into());
    }
    let pass = sub.and_then(|sub| sub.items("passes").next());
    Ok(Wanted {
        state: sample
            .and_then(|sample| sample.text("state"))
            .and_then(|word| SyntheticState::parse(word.trim())),
        name: sub
            .and_then(|sub| sub.text("externalId"))
            .filter(|_| id.is_none()),
        id,
        kind: sub
            .and_then(|sub| sub.text("type"))
            .and_then(|word| SubCampaignType::parse(word.trim())),
        campaign_name: campaign
            .and_then(|campaign| campaign.text("externalId"))
            .filter(|_| campaign_id.is_none()),
        campaign: campaign_id,
        channel: pass
            .and_then(|pass| pass.text("channel"))
            .and_then(|text| ChannelType::parse_wire(text.trim())),
    })
}

impl Wanted<'_> {
    fn takes_campaign(&self, campaign: &Campaign) -> bool {
        self.campaign
            .is_none_or(|id| id == campaign.base.internal_id)
            && self
                .campaign_name
                .is_none_or(|name| contains(name, &campaign.base.external_id))
    }

    fn takes(&self, found: &SubCampaign, run: &Run) -> bool {
        self.id.is_none_or(|id| id == found.base.internal_id)
            && self
                .name
                .is_none_or(|name| contains(name, &found.base.external_id))
            && self.kind.is_none_or(|kind| kind == found.sub_campaign_type)
            && self
                .channel
                .is_none_or(|channel| found.passes.iter().any(|pass| pass.channel == channel))
            && self.state.is_none_or(|state| run.state.is_in(state))
    }
}

/// W-state: yesterday to tomorrow where nothing else is said and finished ones are asked for too (M20.2, M20.3).
fn bounds(
    context: &Context,
    arguments: View<'_>,
    org: &Resolved,
    state: Option<SyntheticState>,
) -> (Moment, Moment) {
    let zone = context.zone(org);
    let (from, to) = window::given(arguments, zone);
    let narrow = matches!(
        state,
        None | Some(SyntheticState::Done | SyntheticState::All)
    );
    let midnight = |days: i64, bound| {
        let day = context.today(org).saturating_add(days.days());
        form::local(
            day.to_datetime(jiff::civil::Time::midnight()),
            zone.time_zone(),
            bound,
        )
    };
    let from = from.unwrap_or_else(|| {
        if narrow {
            midnight(-1, Bound::Start)
        } else {
            Moment(i64::MIN)
        }
    });
    let to = to.unwrap_or_else(|| {
        if narrow {
            midnight(2, Bound::End)
        } else {
            Moment(i64::MAX)
        }
    });
    (from, to)
}

fn overlaps(run: &Run, from: Moment, to: Moment) -> bool {
    match run.end_time {
        Some(end) if end == run.start_time => from <= run.start_time && run.start_time < to,
        end => run.start_time < to && end.is_none_or(|end| end > from),
    }
}

fn handle(snapshot: &dyn Snapshot, context: &Context, arguments: View<'_>) -> Outcome<Answer> {
    let kinds = [OrgType::Account, OrgType::Enterprise];
    let org = context.find_org(
        snapshot,
        arguments.get("org"),
        || arguments.path_to("org"),
        &kinds,
        false,
    )?;
    let wanted = wanted(snapshot, context, arguments.get("sample"))?;
    let (from, to) = bounds(context, arguments, &org, wanted.state);
    let names = Names::new(snapshot, context);
    let mut found: Vec<(String, SubCampaign, Run)> = Vec::new();
    for account in context.accounts_below(snapshot, &org)? {
        if context.sight(&account) == Sight::Hidden {
            continue;
        }
        for campaign in context.all_of::<Campaign>(snapshot, account.org.base.internal_id)? {
            if !wanted.takes_campaign(&campaign) {
                continue;
            }
            for sub in context.all_of::<SubCampaign>(snapshot, campaign.base.internal_id)? {
                let run = names.run(SubCampaignId(sub.base.internal_id))?;
                if wanted.takes(&sub, &run) && overlaps(&run, from, to) {
                    let key = format!(
                        "{:020}{}\n{}\n{:019}",
                        run.start_time.0,
                        fold(&campaign.base.external_id),
                        fold(&sub.base.external_id),
                        sub.base.internal_id
                    );
                    found.push((key, sub, run));
                }
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    let limit = org
        .settings
        .limit("limit.result.listSubCampaignStates", 100);
    let (page, cursor) = context.page(found, limit, |(key, ..)| key.clone())?;
    let objects = page
        .iter()
        .map(|(_, sub, run)| names.sub_campaign_state(sub, run))
        .collect::<Outcome<Vec<_>>>()?;
    Ok(Answer::many(objects, cursor))
}
