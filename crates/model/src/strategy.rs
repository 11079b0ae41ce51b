//! OutreachStrategies: named, reusable sequences of passes.

use crate::entity::Base;
use crate::pass::Pass;
use crate::{EscalationType, OrgId, ScriptId, StrategyId, StrategyType};
use serde::{Deserialize, Serialize};

/// An OutreachStrategy (`entities.md` 4.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strategy {
    /// Base fields.
    pub base: Base,
    /// The Account that owns it.
    pub owner: OrgId,
    /// What it is for.
    pub strategy_type: StrategyType,
    /// Free text.
    pub description: Option<String>,
    /// Default Script of its users.
    pub script: Option<ScriptId>,
    /// How a contact's devices are taken.
    pub escalation_type: EscalationType,
    /// At most 20; the order counts.
    pub passes: Vec<Pass>,
    /// Counts up with every change: an on-demand SubCampaign belongs to one version.
    pub version: u32,
}

crate::entity!(Strategy, Strategy, StrategyId, |strategy| strategy.owner.0);
