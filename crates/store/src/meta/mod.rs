//! Facts about the installation, and the numbers by which the engine notices that something it holds in memory is stale.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;

/// What the engine keeps in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Topic {
    /// Runs, batches and their SubCampaigns.
    Runs = 1,
    /// ComplianceRules, suppression lists and settings of Orgs.
    Rules = 2,
}

/// Reading facts.
pub trait MetaRead {
    /// A fact by name.
    fn fact(&self, name: &str) -> Result<Option<String>>;
    /// How often a topic has changed.
    fn epoch(&self, topic: Topic) -> Result<u64>;
}

/// Writing facts.
pub trait MetaWrite {
    /// Sets a fact.
    fn put_fact(&mut self, name: &str, value: &str) -> Result<()>;
    /// Says that a topic has changed. Writing runs does so by itself.
    fn touch(&mut self, topic: Topic) -> Result<()>;
}
