//! Counters in memory.

use super::{CounterRead, CounterWrite, Counters, Subject, minutes};
use crate::Result;
use crate::memory::State;
use carillon_model::Moment;
use imbl::OrdMap;

/// Counters by subject; attempts by subject and minute.
#[derive(Clone, Default)]
pub(crate) struct CounterTable {
    counters: OrdMap<Subject, Counters>,
    by_minute: OrdMap<(Subject, i64), i64>,
}

impl CounterRead for State {
    fn counters(&self, subjects: &[Subject]) -> Result<Vec<Counters>> {
        Ok(subjects
            .iter()
            .map(|subject| {
                self.counter
                    .counters
                    .get(subject)
                    .copied()
                    .unwrap_or_default()
            })
            .collect())
    }

    fn attempted_between(&self, subject: Subject, from: Moment, to: Moment) -> Result<i64> {
        let Some((first, last)) = minutes(from, to) else {
            return Ok(0);
        };
        Ok(self
            .counter
            .by_minute
            .range((subject, first)..=(subject, last))
            .map(|(_, attempted)| *attempted)
            .sum())
    }
}

impl CounterWrite for State {
    fn count(&mut self, now: Moment, changes: &[(Subject, Counters)]) -> Result<()> {
        for (subject, change) in changes.iter().filter(|(_, change)| !change.is_zero()) {
            *self.counter.counters.entry(*subject).or_default() += *change;
            if change.attempted != 0 {
                *self
                    .counter
                    .by_minute
                    .entry((*subject, now.minute()))
                    .or_insert(0) += change.attempted;
            }
        }
        Ok(())
    }
}
