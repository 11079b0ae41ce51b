//! SubCampaigns and their states on the wire (`entities.md` 4.5).

use super::{Names, campaign, pass};
use crate::fault::Outcome;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::value::{Object, id};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    EscalationType, PassState, SubCampaignId, SubCampaignType, TimeZoneSource, limits,
};

/// A SubCampaign.
pub static SUB_CAMPAIGN: Shape = Shape::entity(
    "subCampaign",
    "The run of a Campaign over a List (Outbound), or over the batches of a day (OnDemand).",
    Identity::Campaign,
    Field::new(
        "externalId",
        Type::Name,
        "Its name, unique in the Campaign.",
    )
    .cg()
    .or("the List's name"),
    &[
        Field::new(
            "campaign",
            Type::Entity(&campaign::CAMPAIGN),
            "Its Campaign, fixed.",
        )
        .must(),
        Field::new(
            "type",
            Type::Words(SubCampaignType::TEXTS),
            "How it was made.",
        ),
        Field::new("list", Type::Entity(&super::list::LIST), "Its List, fixed."),
        Field::new(
            "script",
            Type::Entity(&super::script::SCRIPT),
            "Its Script; the content is fixed at load.",
        ),
        Field::new(
            "agentGroups",
            Type::Entity(&super::agent_group::AGENT_GROUP),
            "Its agent groups.",
        )
        .many(20)
        .c(),
        Field::new(
            "outreachStrategy",
            Type::Entity(&super::strategy::STRATEGY),
            "Where the passes came from.",
        )
        .c()
        .or("Campaign's default"),
        Field::new(
            "escalationType",
            Type::Words(EscalationType::TEXTS),
            "How a contact's devices are taken.",
        )
        .c()
        .or("strategy's"),
        Field::new(
            "passes",
            Type::Entity(&pass::PASS),
            "Its own copy of the passes.",
        )
        .whole()
        .many(limits::PASSES_MAX)
        .cg()
        .or("strategy's"),
        Field::new("intensity", Type::Integer(1, 1_000), "Percent.")
            .cg()
            .or("100"),
        Field::new("isDeleted", Type::Boolean, "Past retention."),
        Field::new("startTime", Type::DateTime, "When it may start.")
            .c()
            .or("now"),
        Field::new("endTime", Type::DateTime, "Moment its work ended."),
        Field::new("timeZone", Type::Zone, "IANA zone.")
            .c()
            .or("the Account's"),
        Field::new(
            "timeZoneSource",
            Type::Words(TimeZoneSource::TEXTS),
            "Default of passes.",
        )
        .c()
        .or("ContactThenDevice"),
        Field::new(
            "filter",
            Type::Text(4_000),
            "Which contacts of the List it takes.",
        )
        .c(),
        Field::new(
            "contactOrder",
            Type::Text(65),
            "Attribute names, - in front = descending.",
        )
        .many(10)
        .c()
        .or("List order"),
    ],
)
.with_attributes(&[
    Field::new("autoStart", Type::Boolean, "Starts by itself.")
        .c()
        .or("true"),
    Field::new(
        "summaryReport",
        Type::Boolean,
        "A report is made at the end.",
    )
    .c()
    .or("false"),
    Field::new(
        "awaitingHours",
        Type::Integer(0, 720),
        "Hours that late replies and reports are awaited.",
    )
    .c()
    .or("24 for text and e-mail, else 0"),
])
.with_free_attributes()
.with_rule(super::strategy::passes_together);

/// The state of a pass.
pub static PASS_STATE: Shape = Shape {
    has_attributes: true,
    free_attributes: true,
    ..Shape::plain(
        "passState",
        "State and counters of one pass.",
        Family::State,
        &[
            Field::new("pass", Type::Entity(&pass::PASS), "The pass."),
            Field::new("state", Type::Words(PassState::TEXTS), "Its state."),
        ],
    )
};

/// Words of a SubCampaign's state, those of samples included.
const STATES: &[&str] = &[
    "Loading",
    "Pending",
    "Running",
    "Paused",
    "Stopping",
    "Completing",
    "Awaiting",
    "Done",
    "Cancelled",
    "Active",
    "All",
    "Completed",
];

/// The state of a SubCampaign.
pub static SUB_CAMPAIGN_STATE: Shape = Shape {
    has_attributes: true,
    free_attributes: true,
    ..Shape::plain(
        "subCampaignState",
        "State and counters of a SubCampaign; the counters are the attributes.",
        Family::State,
        &[
            Field::new(
                "subCampaign",
                Type::Entity(&SUB_CAMPAIGN),
                "The SubCampaign.",
            )
            .required(),
            Field::new(
                "state",
                Type::Words(STATES),
                "Its state; a request is Running, Paused or Done.",
            )
            .required(),
            Field::new(
                "passStates",
                Type::Entity(&PASS_STATE),
                "States of its passes, in their order.",
            )
            .many(limits::PASSES_MAX),
        ],
    )
};

/// A SubCampaign as (K).
pub fn key(names: Names<'_>, sub_campaign: &SubCampaign) -> Outcome<Object> {
    Ok(Object::new(&SUB_CAMPAIGN)
        .set("internalId", id(sub_campaign.base.internal_id))
        .set("externalId", sub_campaign.base.external_id.clone())
        .set("campaign", names.campaign_cut(sub_campaign.campaign)?)
        .set("type", sub_campaign.sub_campaign_type.text()))
}

/// A SubCampaign as (D). `end_time` and `start_time` are those of its run.
pub fn detail(
    names: Names<'_>,
    sub_campaign: &SubCampaign,
    start_time: carillon_model::Moment,
    end_time: Option<carillon_model::Moment>,
) -> Outcome<Object> {
    let account = names.context.owner(names.snapshot, sub_campaign.owner)?;
    let mut object = names.base(Object::new(&SUB_CAMPAIGN), &sub_campaign.base)?;
    object.put("campaign", names.campaign_key(sub_campaign.campaign)?);
    object.put("type", sub_campaign.sub_campaign_type.text());
    if let Some(list) = sub_campaign.list {
        object.put("list", names.list_key(list)?);
    }
    if let Some(script) = sub_campaign.script {
        object.put("script", names.script_key(script)?);
    }
    if let Some(strategy) = sub_campaign.outreach_strategy {
        object.put("outreachStrategy", names.strategy_key(strategy)?);
    }
    object.put("escalationType", sub_campaign.escalation_type.text());
    object.put(
        "passes",
        pass::details(names, &sub_campaign.passes, Some(&account))?,
    );
    object.put("intensity", sub_campaign.intensity);
    object.put("isDeleted", false);
    object.put("startTime", start_time);
    object.put("endTime", end_time);
    object.put("timeZone", sub_campaign.time_zone.clone());
    object.put("timeZoneSource", sub_campaign.time_zone_source.text());
    object.put("filter", sub_campaign.filter.clone());
    object.put("contactOrder", sub_campaign.contact_order.clone());
    object.put_attribute("autoStart", Some(sub_campaign.auto_start.to_string()));
    object.put_attribute(
        "summaryReport",
        Some(sub_campaign.summary_report.to_string()),
    );
    object.put_attribute(
        "awaitingHours",
        Some(sub_campaign.awaiting_hours.to_string()),
    );
    Ok(object)
}

/// What a client may ask for, as the model reads it.
pub fn request(word: &str) -> Option<carillon_model::run::Request> {
    carillon_model::run::Request::parse(word.trim())
}

impl Names<'_> {
    /// A SubCampaign as (K), by id.
    pub fn sub_campaign_key(&self, sub_campaign: SubCampaignId) -> Outcome<Option<Object>> {
        self.referred::<SubCampaign>(sub_campaign)?
            .map(|found| key(*self, &found))
            .transpose()
    }
}
