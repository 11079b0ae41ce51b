//! Counters of runs, passes and batches, changed in the unit that changes what they count. Attempts are counted by
//! minute too, for what happened lately.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::Moment;
use carillon_model::counter::{Counters, Subject};

/// Reading counters.
pub trait CounterRead {
    /// Counters of subjects, in the order asked; zero where nothing was counted.
    fn counters(&self, subjects: &[Subject]) -> Result<Vec<Counters>>;
    /// Attempts counted for a subject in [from, to), by whole minutes: a minute counts when any of it is in the window.
    fn attempted_between(&self, subject: Subject, from: Moment, to: Moment) -> Result<i64>;
}

/// Writing counters.
pub trait CounterWrite {
    /// Adds changes; their `attempted` is counted to the minute of `now` too.
    fn count(&mut self, now: Moment, changes: &[(Subject, Counters)]) -> Result<()>;
}

/// The first and the last minute of [from, to); none when it is empty.
fn minutes(from: Moment, to: Moment) -> Option<(i64, i64)> {
    (from < to).then(|| (from.minute(), to.plus(-1).minute()))
}
