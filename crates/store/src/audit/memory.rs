//! The audit trail in memory.

use super::{AuditRead, AuditWrite, SystemEvent};
use crate::memory::State;
use crate::{Error, Result};
use carillon_model::{Moment, OrgId, SystemEventId};
use imbl::OrdMap;
use std::sync::Arc;

/// Events by id.
#[derive(Clone, Default)]
pub(crate) struct Audit(OrdMap<SystemEventId, Arc<SystemEvent>>);

impl AuditRead for State {
    fn system_events(
        &self,
        owners: &[OrgId],
        from: Moment,
        to: Moment,
        after: SystemEventId,
        limit: usize,
    ) -> Result<Vec<SystemEvent>> {
        let wanted = |event: &&Arc<SystemEvent>| {
            event.id > after && owners.contains(&event.owner) && (from..to).contains(&event.at)
        };
        Ok(self
            .audit
            .0
            .values()
            .filter(wanted)
            .take(limit)
            .map(|event| SystemEvent::clone(event))
            .collect())
    }
}

impl AuditWrite for State {
    fn append_system_events(&mut self, events: &[SystemEvent]) -> Result<()> {
        for event in events {
            if self.audit.0.contains_key(&event.id) {
                return Err(Error::Database(format!(
                    "system event {} is there already",
                    event.id
                )));
            }
            self.audit.0.insert(event.id, Arc::new(event.clone()));
        }
        Ok(())
    }
}
