//! Scripts on the wire (`entities.md` 4.1), and the result of testing one.

use super::Names;
use crate::fault::Outcome;
use crate::shape::{Family, Field, Identity, Shape, Type};
use crate::value::{Object, id};
use carillon_model::script::Script;
use carillon_model::{AgentNeed, AttemptResult, ScriptId, TemplateKind};

/// A Script.
pub static SCRIPT: Shape = Shape::entity(
    "script",
    "What is said. Its language is decided by the root element of its first content; see the script document.",
    Identity::Owner,
    Field::new("externalId", Type::Name, "Its name, unique among the active Scripts of its owner."),
    &[
        Field::new("owner", Type::Entity(&super::org::ORG), "The Account that owns it."),
        Field::new("version", Type::Integer(1, i64::MAX), "Counts up with every change."),
        Field::new("description", Type::Lines(super::DESCRIPTION), "Root attribute description of the source."),
        Field::new("isTemplate", Type::Boolean, "Root attribute template."),
        Field::new("channel", Type::Channel, "By the root element of the source."),
        Field::new("elementNames", Type::Text(64), "Replaceable elements of a template.").many(usize::MAX),
        Field::new("agentNeed", Type::Words(AgentNeed::TEXTS), "Root attribute agentNeed."),
    ],
)
.with_attributes(&[
    Field::new("templateKind", Type::Words(TemplateKind::TEXTS), "Root attribute templateKind."),
]);

/// A line of a test of a Script.
pub static SCRIPT_TEST_LINE: Shape = Shape::plain(
    "scriptTestLine",
    "One thing said or heard.",
    Family::Top,
    &[
        Field::new("time", Type::DateTime, "When, in virtual time."),
        Field::new(
            "speaker",
            Type::Words(&["Script", "Contact", "System"]),
            "Who.",
        ),
        Field::new("text", Type::Raw, "What."),
        Field::new(
            "parts",
            Type::Integer(1, i64::MAX),
            "Parts of a text message.",
        ),
    ],
);

/// The result of testing a Script.
pub static SCRIPT_TEST: Shape = Shape::plain(
    "scriptTest",
    "What a Script says to a contact and does with the answers, without any carrier and in virtual time.",
    Family::Top,
    &[
        Field::new(
            "transcript",
            Type::Entity(&SCRIPT_TEST_LINE),
            "What was said.",
        )
        .whole()
        .many(usize::MAX),
        Field::new("answers", Type::Attributes, "What the contact answered."),
        Field::new(
            "result",
            Type::Words(AttemptResult::TEXTS),
            "How the Script ended; none = it waits for a reply.",
        ),
        Field::new(
            "reason",
            Type::Text(64),
            "Why it cannot be sent to this contact.",
        ),
    ],
);

/// A Script as (K).
pub fn key(names: Names<'_>, script: &Script) -> Outcome<Object> {
    Ok(Object::new(&SCRIPT)
        .set("internalId", id(script.base.internal_id))
        .set("externalId", script.base.external_id.clone())
        .set("owner", names.org_cut(script.owner)?)
        .set("version", script.version)
        .set("description", script.description.clone()))
}

/// A Script as (D).
pub fn detail(names: Names<'_>, script: &Script) -> Outcome<Object> {
    let mut object = names.base(Object::new(&SCRIPT), &script.base)?;
    object.put("owner", names.org_key(script.owner)?);
    object.put("version", script.version);
    object.put("description", script.description.clone());
    object.put("isTemplate", script.is_template);
    object.put("channel", script.channel);
    object.put("elementNames", script.element_names.clone());
    object.put("agentNeed", script.agent_need.text());
    object.put_attribute("templateKind", script.template_kind.map(TemplateKind::text));
    Ok(object)
}

impl Names<'_> {
    /// A Script as (K), by id.
    pub fn script_key(&self, script: ScriptId) -> Outcome<Option<Object>> {
        self.referred::<Script>(script)?
            .map(|script| key(*self, &script))
            .transpose()
    }
}
