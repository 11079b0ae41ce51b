//! The audit trail: every create, change, delete and state change, appended in the unit that does it.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::{Moment, OrgId, SystemEventId, UserId};

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemEvent {
    /// Its id.
    pub id: SystemEventId,
    /// The Org it is about.
    pub owner: OrgId,
    /// When.
    pub at: Moment,
    /// Who.
    pub user: UserId,
    /// What: the method.
    pub action: String,
    /// On what: kind and id, `campaign 100`.
    pub subject: String,
    /// Before and after, as JSON, without secrets.
    pub detail: String,
}

/// Reading the audit trail.
pub trait AuditRead {
    /// Events of any of these Orgs in [from, to) with ids above `after`, oldest first.
    fn system_events(
        &self,
        owners: &[OrgId],
        from: Moment,
        to: Moment,
        after: SystemEventId,
        limit: usize,
    ) -> Result<Vec<SystemEvent>>;
}

/// Writing the audit trail.
pub trait AuditWrite {
    /// Appends events.
    fn append_system_events(&mut self, events: &[SystemEvent]) -> Result<()>;
}
