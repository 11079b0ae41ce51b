//! The audit trail in PostgreSQL.

use super::{AuditRead, AuditWrite, SystemEvent};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Text, number, numbers};
use crate::sqlite::session::rows;
use carillon_model::{Moment, OrgId, SystemEventId, UserId};
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
        let owners: BTreeSet<i64> = owners.iter().map(|owner| owner.0).collect();
        let owners: Vec<i64> = owners.into_iter().collect();
        self.list(
            sql!("system_events"),
            &[&owners, &after.0, &from.0, &to.0, &rows(limit)],
            |row| {
                Ok(SystemEvent {
                    id: SystemEventId(number(row, 0)?),
                    owner: OrgId(number(row, 1)?),
                    at: Moment(number(row, 2)?),
                    user: UserId(number(row, 3)?),
                    action: row.try_get(4)?,
                    subject: row.try_get(5)?,
                    detail: row.try_get(6)?,
                })
            },
        )
    }
}

impl AuditWrite for Session {
    fn append_system_events(&mut self, events: &[SystemEvent]) -> Result<()> {
        let texts = |text: fn(&SystemEvent) -> &str| -> Vec<Text<'_>> {
            events.iter().map(|event| Text::new(text(event))).collect()
        };
        self.execute(
            sql!("append_system_events"),
            &[
                &numbers(events, |event| event.id.0),
                &numbers(events, |event| event.owner.0),
                &numbers(events, |event| event.at.0),
                &numbers(events, |event| event.user.0),
                &texts(|event| &event.action),
                &texts(|event| &event.subject),
                &texts(|event| &event.detail),
            ],
        )
        .map(|_| ())
    }
}
