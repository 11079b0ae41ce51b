//! The audit trail in SQLite.

use super::{AuditRead, AuditWrite, SystemEvent};
use crate::Result;
use crate::sqlite::session::{Session, rows};
use crate::sqlite::statement::sql;
use carillon_model::{Moment, OrgId, SystemEventId, UserId};
use rusqlite::params;
use std::collections::BTreeSet;

impl AuditRead for Session {
    fn system_events(
        &self,
        owners: &[OrgId],
        from: Moment,
        to: Moment,
        after: SystemEventId,
        limit: usize,
    ) -> Result<Vec<SystemEvent>> {
        let mut events = Vec::new();
        for owner in owners.iter().collect::<BTreeSet<_>>() {
            let page = [owner.0, after.0, from.0, to.0, rows(limit)];
            events.extend(self.list(sql!("system_events"), page, |row| {
                Ok(SystemEvent {
                    id: SystemEventId(row.get(0)?),
                    owner: OrgId(row.get(1)?),
                    at: Moment(row.get(2)?),
                    user: UserId(row.get(3)?),
                    action: row.get(4)?,
                    subject: row.get(5)?,
                    detail: row.get(6)?,
                })
            })?);
        }
        events.sort_unstable_by_key(|event| event.id);
        events.truncate(limit);
        Ok(events)
    }
}

impl AuditWrite for Session {
    fn append_system_events(&mut self, events: &[SystemEvent]) -> Result<()> {
        for event in events {
            let SystemEvent {
                id,
                owner,
                at,
                user,
                action,
                subject,
                detail,
            } = event;
            self.execute(
                sql!("append_system_event"),
                params![id.0, owner.0, at.0, user.0, action, subject, detail],
            )?;
        }
        Ok(())
    }
}
