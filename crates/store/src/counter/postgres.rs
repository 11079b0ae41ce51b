//! Counters in PostgreSQL.

use super::{CounterRead, CounterWrite, Counters, Subject, minutes};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Number, number, numbers, small};
use carillon_model::Moment;
use std::collections::{BTreeMap, HashMap};

impl CounterRead for Session {
    fn counters(&self, subjects: &[Subject]) -> Result<Vec<Counters>> {
        let ids = numbers(subjects, |subject| subject.id);
        let passes = numbers(subjects, |subject| subject.pass.into());
        let found = self.list(sql!("counters"), &[&ids, &passes], |row| {
            let subject = Subject {
                id: number(row, 0)?,
                pass: small(row, 1)?,
            };
            let counters = Counters {
                filtered: number(row, 2)?,
                not_attempted: number(row, 3)?,
                delivered: number(row, 4)?,
                failed: number(row, 5)?,
                attempted: number(row, 6)?,
                active: number(row, 7)?,
                pending: number(row, 8)?,
            };
            Ok((subject, counters))
        })?;
        let found: HashMap<Subject, Counters> = found.into_iter().collect();
        Ok(subjects
            .iter()
            .map(|subject| found.get(subject).copied().unwrap_or_default())
            .collect())
    }

    fn attempted_between(&self, subject: Subject, from: Moment, to: Moment) -> Result<i64> {
        let Some((first, last)) = minutes(from, to) else {
            return Ok(0);
        };
        let pass = Number(subject.pass.into());
        let sum = self.one(
            sql!("attempted_between"),
            &[&subject.id, &pass, &first, &last],
            |row| number(row, 0),
        )?;
        Ok(sum.unwrap_or(0))
    }
}

impl CounterWrite for Session {
    fn count(&mut self, now: Moment, changes: &[(Subject, Counters)]) -> Result<()> {
        // A statement changes a row once, so changes of one subject are added up first.
        let mut sums: BTreeMap<Subject, Counters> = BTreeMap::new();
        for (subject, change) in changes.iter().filter(|(_, change)| !change.is_zero()) {
            *sums.entry(*subject).or_default() += *change;
        }
        if sums.is_empty() {
            return Ok(());
        }
        let sums: Vec<(Subject, Counters)> = sums.into_iter().collect();
        let ids = numbers(&sums, |(subject, _)| subject.id);
        let passes = numbers(&sums, |(subject, _)| subject.pass.into());
        let attempted = numbers(&sums, |(_, change)| change.attempted);
        self.execute(
            sql!("count"),
            &[
                &ids,
                &passes,
                &numbers(&sums, |(_, change)| change.filtered),
                &numbers(&sums, |(_, change)| change.not_attempted),
                &numbers(&sums, |(_, change)| change.delivered),
                &numbers(&sums, |(_, change)| change.failed),
                &attempted,
                &numbers(&sums, |(_, change)| change.active),
                &numbers(&sums, |(_, change)| change.pending),
            ],
        )?;
        if sums.iter().any(|(_, change)| change.attempted != 0) {
            self.execute(
                sql!("count_minute"),
                &[&ids, &passes, &now.minute(), &attempted],
            )?;
        }
        Ok(())
    }
}
