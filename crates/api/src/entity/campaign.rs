//! Campaigns on the wire (`entities.md` 4.2).

use super::{DESCRIPTION, Names};
use crate::check::Findings;
use crate::fault::{Outcome, Row};
use crate::shape::{Field, Identity, Shape, Type, form};
use crate::tree::View;
use crate::value::{Object, id};
use carillon_model::CampaignId;
use carillon_model::campaign::Campaign;

/// A Campaign.
pub static CAMPAIGN: Shape = Shape::entity(
    "campaign",
    "A name under which SubCampaigns and batches run, with their defaults.",
    Identity::Owner,
    Field::new(
        "externalId",
        Type::Name,
        "Its name, unique per owner, expired ones included.",
    )
    .must()
    .g(),
    &[
        Field::new(
            "owner",
            Type::Entity(&super::org::ORG),
            "The Account that owns it.",
        )
        .c(),
        Field::new("description", Type::Lines(DESCRIPTION), "Free text.").cg(),
        Field::new(
            "defaultAgentGroup",
            Type::Entity(&super::agent_group::AGENT_GROUP),
            "Agent group of SubCampaigns and batches that name none.",
        )
        .cg(),
        Field::new(
            "defaultStrategy",
            Type::Entity(&super::strategy::STRATEGY),
            "Strategy of SubCampaigns that name none.",
        )
        .cg(),
        Field::new(
            "defaultScript",
            Type::Entity(&super::script::SCRIPT),
            "Script taken before the strategy's.",
        )
        .cg(),
        Field::new("callerID", Type::Phone, "Phone shown to the people called.")
            .cg()
            .or("Org defaultCallerID"),
        Field::new(
            "sourceAddress",
            Type::Text(254),
            "Short code or number of texts, from address of e-mails.",
        )
        .cg(),
        Field::new(
            "suppressionLists",
            Type::Entity(&super::list::LIST),
            "Suppression lists beside the required ones.",
        )
        .many(100)
        .cg(),
        Field::new(
            "complianceRules",
            Type::Entity(&super::compliance_rule::COMPLIANCE_RULE),
            "Rules that are not required, chosen here.",
        )
        .many(100)
        .cg(),
    ],
)
.with_attributes(&[
    Field::new(
        "startDate",
        Type::Date,
        "First day, inclusive, in the Account's zone.",
    )
    .cg()
    .or("today"),
    Field::new(
        "endDate",
        Type::Date,
        "Last day, inclusive, in the Account's zone.",
    )
    .cg(),
])
.with_free_attributes()
.with_rule(dates_in_order);

fn dates_in_order(view: View<'_>, findings: &mut Findings) {
    let (start, end) = (
        view.attribute("startDate").and_then(form::date),
        view.attribute("endDate").and_then(form::date),
    );
    if let (Some(start), Some(end)) = (start, end)
        && end < start
    {
        findings.add(
            Row::DR,
            || view.path_to("endDate"),
            "endDate is before startDate",
        );
    }
}

/// A Campaign as (K).
pub fn key(names: Names<'_>, campaign: &Campaign) -> Outcome<Object> {
    Ok(cut(campaign).set("owner", names.org_cut(campaign.owner)?))
}

/// internalId and externalId: inside a (K).
pub fn cut(campaign: &Campaign) -> Object {
    Object::new(&CAMPAIGN)
        .set("internalId", id(campaign.base.internal_id))
        .set("externalId", campaign.base.external_id.clone())
}

/// A Campaign as (D).
pub fn detail(names: Names<'_>, campaign: &Campaign) -> Outcome<Object> {
    let mut object = names.base(Object::new(&CAMPAIGN), &campaign.base)?;
    object.put("owner", names.org_key(campaign.owner)?);
    object.put("description", campaign.description.clone());
    if let Some(strategy) = campaign.default_strategy {
        object.put("defaultStrategy", names.strategy_key(strategy)?);
    }
    if let Some(script) = campaign.default_script {
        object.put("defaultScript", names.script_key(script)?);
    }
    object.put("callerID", campaign.caller_id.clone());
    object.put("sourceAddress", campaign.source_address.clone());
    let lists = campaign
        .suppression_lists
        .iter()
        .map(|list| names.list_key(*list));
    object.put("suppressionLists", lists.collect::<Outcome<Vec<_>>>()?);
    let rules = campaign
        .compliance_rules
        .iter()
        .map(|rule| names.rule_key(*rule));
    object.put("complianceRules", rules.collect::<Outcome<Vec<_>>>()?);
    object.put_attribute(
        "startDate",
        campaign.start_date.map(|date| date.to_string()),
    );
    object.put_attribute("endDate", campaign.end_date.map(|date| date.to_string()));
    Ok(object)
}

impl Names<'_> {
    /// A Campaign as (K), by id.
    pub fn campaign_key(&self, campaign: CampaignId) -> Outcome<Option<Object>> {
        self.referred::<Campaign>(campaign)?
            .map(|campaign| key(*self, &campaign))
            .transpose()
    }

    /// A Campaign inside a (K).
    pub fn campaign_cut(&self, campaign: CampaignId) -> Outcome<Option<Object>> {
        Ok(self
            .referred::<Campaign>(campaign)?
            .map(|campaign| cut(&campaign)))
    }
}
