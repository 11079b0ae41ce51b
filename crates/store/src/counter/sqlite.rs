//! Counters in SQLite.

use super::{CounterRead, CounterWrite, Counters, Subject, minutes};
use crate::Result;
use crate::sqlite::session::Session;
use crate::sqlite::statement::sql;
use carillon_model::Moment;
use rusqlite::params;

impl CounterRead for Session {
    fn counters(&self, subjects: &[Subject]) -> Result<Vec<Counters>> {
        subjects
            .iter()
            .map(|subject| {
                let found =
                    self.one(sql!("counters"), params![subject.id, subject.pass], |row| {
                        Ok(Counters {
                            filtered: row.get(0)?,
                            not_attempted: row.get(1)?,
                            delivered: row.get(2)?,
                            failed: row.get(3)?,
                            attempted: row.get(4)?,
                            active: row.get(5)?,
                            pending: row.get(6)?,
                        })
                    })?;
                Ok(found.unwrap_or_default())
            })
            .collect()
    }

    fn attempted_between(&self, subject: Subject, from: Moment, to: Moment) -> Result<i64> {
        let Some((first, last)) = minutes(from, to) else {
            return Ok(0);
        };
        let window = params![subject.id, subject.pass, first, last];
        Ok(self
            .one(sql!("attempted_between"), window, |row| Ok(row.get(0)?))?
            .unwrap_or(0))
    }
}

impl CounterWrite for Session {
    fn count(&mut self, now: Moment, changes: &[(Subject, Counters)]) -> Result<()> {
        for (subject, change) in changes.iter().filter(|(_, change)| !change.is_zero()) {
            self.execute(
                sql!("count"),
                params![
                    subject.id,
                    subject.pass,
                    change.filtered,
                    change.not_attempted,
                    change.delivered,
                    change.failed,
                    change.attempted,
                    change.active,
                    change.pending,
                ],
            )?;
            if change.attempted != 0 {
                self.execute(
                    sql!("count_minute"),
                    params![subject.id, subject.pass, now.minute(), change.attempted],
                )?;
            }
        }
        Ok(())
    }
}
