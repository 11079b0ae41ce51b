//! Scripts: what is said. The languages themselves are the crate `carillon-script`.

use crate::entity::Base;
use crate::{AgentNeed, ChannelType, OrgId, ScriptId, TemplateKind};
use serde::{Deserialize, Serialize};

/// A Script (`entities.md` 4.1). Its contents are kept beside it by the store and never change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Base fields.
    pub base: Base,
    /// The Account that owns it.
    pub owner: OrgId,
    /// Counts up with every change.
    pub version: u32,
    /// Root attribute `description` of the source.
    pub description: Option<String>,
    /// Root attribute `template`.
    pub is_template: bool,
    /// By the root element of the source.
    pub channel: ChannelType,
    /// Replaceable elements of a template.
    pub element_names: Vec<String>,
    /// Root attribute `agentNeed`.
    pub agent_need: AgentNeed,
    /// Root attribute `templateKind`.
    pub template_kind: Option<TemplateKind>,
    /// Seconds of its recordings together; none when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
}

crate::entity!(Script, Script, ScriptId, |script| script.owner.0);

/// One named content of a Script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// `reminder.xml`, `hello.wav`, …
    pub name: String,
    /// Its bytes.
    pub data: Vec<u8>,
}
