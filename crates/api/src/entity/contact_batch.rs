//! ContactBatches and their states on the wire (`entities.md` 4.6).

use super::{Names, campaign};
use crate::fault::Outcome;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::value::{Object, id};
use carillon_model::contact_batch::ContactBatch;
use carillon_model::{BatchId, BatchState};

/// Longest maxDuration that can be set as a limit, in minutes.
const MINUTES_MAX: i64 = carillon_model::limits::BATCH_DURATION_MINUTES_MAX as i64;

/// A ContactBatch.
pub static CONTACT_BATCH: Shape = Shape::entity(
    "contactBatch",
    "Contacts handed in at once, with an end.",
    Identity::Campaign,
    Field::new(
        "externalId",
        Type::Name,
        "Its name, unique in the Campaign; it may have none.",
    )
    .c(),
    &[
        Field::new("owner", Type::Entity(&super::org::ORG), "Its Account.")
            .kinds(&["Account"])
            .must(),
        Field::new(
            "campaign",
            Type::Entity(&campaign::CAMPAIGN),
            "Its Campaign.",
        )
        .c()
        .or("Account's defaultCampaign"),
        Field::new(
            "outreachStrategy",
            Type::Entity(&super::strategy::STRATEGY),
            "Its strategy, fixed once defined.",
        )
        .c()
        .or("Account's defaultOnDemandStrategy"),
        Field::new(
            "script",
            Type::Entity(&super::script::SCRIPT),
            "Its Script, fixed once defined.",
        )
        .c()
        .or("the strategy's"),
        Field::new(
            "agent",
            Type::Entity(&super::user::USER),
            "The agent whose conversations its attempts are.",
        )
        .c(),
        Field::new(
            "agentGroup",
            Type::Entity(&super::agent_group::AGENT_GROUP),
            "Its agent group, fixed once defined.",
        )
        .c(),
        Field::new(
            "requestedStartTime",
            Type::DateTime,
            "When it starts, at most 10 days ahead.",
        )
        .c()
        .or("now"),
        Field::new(
            "maxDuration",
            Type::Minutes(MINUTES_MAX),
            "Minutes from the start to the end, or an xsd:duration of whole minutes.",
        )
        .must(),
    ],
)
.with_attributes(&[Field::new(
    "priority",
    Type::Integer(1, 10),
    "Weight within the Account's batches where something is scarce.",
)
.c()
.or("5")])
.with_free_attributes();

/// The state of a ContactBatch.
pub static CONTACT_BATCH_STATE: Shape = Shape {
    has_attributes: true,
    free_attributes: true,
    ..Shape::plain(
        "contactBatchState",
        "State and counters of a ContactBatch; the counters are the attributes.",
        Family::State,
        &[
            Field::new("contactBatch", Type::Entity(&CONTACT_BATCH), "The batch.").required(),
            Field::new(
                "state",
                Type::Words(BatchState::TEXTS),
                "Its state; a request is Cancelled.",
            )
            .required(),
            Field::new("startTime", Type::DateTime, "When it starts."),
            Field::new("endTime", Type::DateTime, "When it was finished."),
        ],
    )
};

/// A ContactBatch as (K).
pub fn key(names: Names<'_>, batch: &ContactBatch) -> Outcome<Object> {
    let external = (!batch.base.external_id.is_empty()).then(|| batch.base.external_id.clone());
    Ok(Object::new(&CONTACT_BATCH)
        .set("internalId", id(batch.base.internal_id))
        .set("externalId", external)
        .set("owner", names.org_cut(batch.owner)?)
        .set("campaign", names.campaign_cut(batch.campaign)?))
}

/// What a ContactBatch refers to, as (K).
pub struct Keys {
    /// Its Campaign.
    pub campaign: Option<Object>,
    /// Its strategy.
    pub strategy: Option<Object>,
    /// Its Script.
    pub script: Option<Object>,
}

/// A ContactBatch as (D).
pub fn detail(names: Names<'_>, batch: &ContactBatch) -> Outcome<Object> {
    let keys = Keys {
        campaign: names.campaign_key(batch.campaign)?,
        strategy: names.strategy_key(batch.outreach_strategy)?,
        script: names.script_key(batch.script)?,
    };
    detail_with(names, batch, keys)
}

/// As [`detail`], for a caller that has just read what the batch refers to.
pub fn detail_with(names: Names<'_>, batch: &ContactBatch, keys: Keys) -> Outcome<Object> {
    let mut object = names.base(Object::new(&CONTACT_BATCH), &batch.base)?;
    object.put("owner", names.org_key(batch.owner)?);
    object.put("campaign", keys.campaign);
    object.put("outreachStrategy", keys.strategy);
    object.put("script", keys.script);
    if let Some(agent) = batch.agent {
        object.put("agent", names.user_key(agent)?);
    }
    object.put("requestedStartTime", batch.requested_start_time);
    object.put("maxDuration", batch.max_duration_minutes);
    object.put_attribute("priority", Some(batch.priority.to_string()));
    Ok(object)
}

impl Names<'_> {
    /// A ContactBatch as (K), by id.
    pub fn batch_key(&self, batch: BatchId) -> Outcome<Option<Object>> {
        self.referred::<ContactBatch>(batch)?
            .map(|batch| key(*self, &batch))
            .transpose()
    }
}
