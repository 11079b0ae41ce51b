//! OutreachStrategies on the wire (`entities.md` 4.3).

use super::{DESCRIPTION, Names, pass};
use crate::check::Findings;
use crate::fault::{Outcome, Row};
use crate::shape::{Field, Identity, Shape, Type};
use crate::tree::View;
use crate::value::{Object, id};
use carillon_model::strategy::Strategy;
use carillon_model::{EscalationType, StrategyId, StrategyType, limits};

/// An OutreachStrategy.
pub static STRATEGY: Shape = Shape::entity(
    "outreachStrategy",
    "A named, reusable sequence of passes.",
    Identity::Owner,
    Field::new("externalId", Type::Name, "Its name, unique per owner.")
        .must()
        .g(),
    &[
        Field::new(
            "owner",
            Type::Entity(&super::org::ORG),
            "The Account that owns it.",
        )
        .c(),
        Field::new("type", Type::Words(StrategyType::TEXTS), "What it is for.")
            .c()
            .or("Scheduled"),
        Field::new("description", Type::Lines(DESCRIPTION), "Free text.").cg(),
        Field::new(
            "script",
            Type::Entity(&super::script::SCRIPT),
            "Default Script of its users.",
        )
        .cg(),
        Field::new(
            "escalationType",
            Type::Words(EscalationType::TEXTS),
            "How a contact's devices are taken.",
        )
        .cg()
        .or("CallPassBased"),
        Field::new(
            "passes",
            Type::Entity(&pass::PASS),
            "Its passes; their order counts.",
        )
        .whole()
        .many(limits::PASSES_MAX)
        .cg(),
    ],
)
.with_rule(passes_together);

/// What must hold between the passes of a strategy or SubCampaign.
pub fn passes_together(view: View<'_>, findings: &mut Findings) {
    let by_contact = view
        .text("escalationType")
        .and_then(|word| EscalationType::parse(word.trim()))
        .is_some_and(|escalation| escalation == EscalationType::ContactBased);
    let mut names: Vec<String> = Vec::new();
    for pass in view.items("passes") {
        if by_contact && pass.items("devices").next().is_some() {
            findings.add(
                Row::DR,
                || pass.path_to("devices"),
                "devices go with CallPassBased only",
            );
        }
        if let Some(name) = pass.text("name").map(carillon_model::name::fold) {
            if names.contains(&name) {
                findings.add(
                    Row::DR,
                    || pass.path_to("name"),
                    "two passes have this name",
                );
            }
            names.push(name);
        }
    }
}

/// An OutreachStrategy as (K).
pub fn key(names: Names<'_>, strategy: &Strategy) -> Outcome<Object> {
    Ok(Object::new(&STRATEGY)
        .set("internalId", id(strategy.base.internal_id))
        .set("externalId", strategy.base.external_id.clone())
        .set("owner", names.org_cut(strategy.owner)?))
}

/// An OutreachStrategy as (D), complete with its passes.
pub fn detail(names: Names<'_>, strategy: &Strategy) -> Outcome<Object> {
    let mut object = names.base(Object::new(&STRATEGY), &strategy.base)?;
    object.put("owner", names.org_key(strategy.owner)?);
    object.put("type", strategy.strategy_type.text());
    object.put("description", strategy.description.clone());
    if let Some(script) = strategy.script {
        object.put("script", names.script_key(script)?);
    }
    object.put("escalationType", strategy.escalation_type.text());
    object.put("passes", pass::details(names, &strategy.passes, None)?);
    Ok(object)
}

impl Names<'_> {
    /// An OutreachStrategy as (K), by id.
    pub fn strategy_key(&self, strategy: StrategyId) -> Outcome<Option<Object>> {
        self.referred::<Strategy>(strategy)?
            .map(|strategy| key(*self, &strategy))
            .transpose()
    }
}
