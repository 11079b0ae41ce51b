//! The attempt ledger. A row is durable before the carrier hears of the attempt; later facts are added once each; an
//! attempt without a result is open, and every open attempt is found again after a crash.

mod fact;
pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::attempt::{Attempt, Fact};
use carillon_model::contact::DeviceKey;
use carillon_model::{AttemptId, BatchId, ContactId, Moment, SubCampaignId};

/// Which attempts.
#[derive(Debug, Clone)]
pub enum AttemptsOf {
    /// To any of these contacts.
    Contacts(Vec<ContactId>),
    /// To or from a device.
    Device(DeviceKey),
    /// Of a batch.
    Batch(BatchId),
    /// Of a run.
    Run(SubCampaignId),
}

/// A page of attempts by time written, then id.
#[derive(Debug, Clone)]
pub struct AttemptQuery {
    /// Which.
    pub of: AttemptsOf,
    /// Written at or after.
    pub from: Moment,
    /// Written before.
    pub to: Moment,
    /// Ids above this one; attempt ids rise with the time they were written.
    pub after: AttemptId,
    /// At most so many.
    pub limit: usize,
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Added {
    /// It was added; this is the attempt with it.
    Added(Attempt),
    /// The attempt already says so, or has ended; nothing was changed.
    Refused(Attempt),
    /// There is no such attempt.
    Missing,
}

/// Reading the ledger.
pub trait AttemptRead {
    /// Attempts by id, in the order asked.
    fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Option<Attempt>>>;
    /// A page of attempts.
    fn attempts_of(&self, query: &AttemptQuery) -> Result<Vec<Attempt>>;
    /// Attempts without a result, by id ascending, above `after`; all of them are found again after a crash.
    fn open_attempts(&self, after: AttemptId, limit: usize) -> Result<Vec<Attempt>>;
    /// Accepted attempts of a carrier without a result, oldest first: those whose receipts are overdue are at the head.
    fn open_attempts_of_carrier(&self, carrier: &str, limit: usize) -> Result<Vec<Attempt>>;
    /// Open attempts of a run.
    fn count_open_attempts(&self, run: SubCampaignId) -> Result<i64>;
    /// The attempt whose part a carrier calls by this message id.
    fn attempt_of_message(&self, carrier: &str, message_id: &str) -> Result<Option<AttemptId>>;
    /// The message ids of an attempt's parts, as far as they are kept.
    fn messages_of_attempt(&self, attempt: AttemptId) -> Result<Vec<String>>;
    /// The last outbound attempt to this device from this address of ours: what a reply belongs to.
    fn last_attempt_between(&self, device: DeviceKey, our_address: &str)
    -> Result<Option<Attempt>>;
}

/// Writing the ledger.
pub trait AttemptWrite {
    /// Adds attempts; ids rise. An inbound message is written with its result at once.
    fn write_attempts(&mut self, attempts: &[Attempt]) -> Result<()>;
    /// Adds facts, in order.
    fn add_facts(&mut self, facts: &[(AttemptId, Fact)]) -> Result<Vec<Added>>;
    /// Forgets one message id (its final receipt has come); answers whether it was known.
    fn forget_message(&mut self, carrier: &str, message_id: &str) -> Result<bool>;
    /// Forgets the message ids of attempts that no longer wait for receipts, up to `limit`, older than `before`.
    fn forget_messages(&mut self, before: Moment, limit: usize) -> Result<usize>;
    /// Marks an attempt archived.
    fn archive_attempt(&mut self, id: AttemptId) -> Result<()>;
}
