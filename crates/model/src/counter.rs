//! Counters: changed in the transaction that changes what they count, never counted anew to answer a question
//! (`entities.md` 8). The same set stands for a run as a whole, for each of its passes and for each batch.

use serde::{Deserialize, Serialize};

/// A set of counters, or a change to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Contacts that may not be attempted and never were.
    pub filtered: i64,
    /// Contacts not filtered and without any finished attempt.
    pub not_attempted: i64,
    /// Contacts with a delivered result.
    pub delivered: i64,
    /// Contacts with a finished attempt and none delivered.
    pub failed: i64,
    /// Attempts, finished and active; Filtered and NotAttemptedSkip excluded.
    pub attempted: i64,
    /// Attempts in state Active (written, and handed over as far as we know).
    pub active: i64,
    /// Attempts expected still: first attempts left and retries due.
    pub pending: i64,
}

impl Counters {
    /// Contacts that may be attempted: delivered + failed + notAttempted.
    pub fn available(&self) -> i64 {
        self.delivered + self.failed + self.not_attempted
    }

    /// Whether the invariants 1, 2 and 5 of `entities.md` 8 hold, given how many contacts were taken in.
    pub fn is_sound(&self, contacts: i64) -> bool {
        self.available() + self.filtered == contacts
            && self.attempted >= self.delivered + self.failed
            && self.active <= self.attempted
            && [
                self.filtered,
                self.not_attempted,
                self.delivered,
                self.failed,
                self.active,
                self.pending,
            ]
            .iter()
            .all(|count| *count >= 0)
    }

    /// Whether the change changes nothing.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, change: Self) {
        self.filtered += change.filtered;
        self.not_attempted += change.not_attempted;
        self.delivered += change.delivered;
        self.failed += change.failed;
        self.attempted += change.attempted;
        self.active += change.active;
        self.pending += change.pending;
    }
}

/// What a set of counters is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The id of a SubCampaign or ContactBatch.
    pub id: i64,
    /// 0 = the whole, n = its n-th pass.
    pub pass: u16,
}

impl Subject {
    /// A SubCampaign or batch as a whole.
    pub fn whole(id: impl Into<i64>) -> Self {
        Self {
            id: id.into(),
            pass: 0,
        }
    }

    /// A pass by its index from 0.
    pub fn pass(id: impl Into<i64>, index: u16) -> Self {
        Self {
            id: id.into(),
            pass: index + 1,
        }
    }
}
