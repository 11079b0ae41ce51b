//! Answers kept under an Idempotency-Key for 24 hours (`api.md` J7).

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::{Moment, OrgId};

/// A kept answer.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAnswer {
    /// The caller's Org.
    pub org: OrgId,
    /// The method.
    pub method: String,
    /// The key.
    pub key: String,
    /// Hash of the request body.
    pub request: [u8; 32],
    /// HTTP status.
    pub status: u16,
    /// The answer.
    pub body: Vec<u8>,
    /// When.
    pub at: Moment,
}

/// Reading kept answers.
pub trait IdempotencyRead {
    /// The answer of a key kept at or after `since`.
    fn kept_answer(
        &self,
        org: OrgId,
        method: &str,
        key: &str,
        since: Moment,
    ) -> Result<Option<KeptAnswer>>;
}

/// Writing kept answers.
pub trait IdempotencyWrite {
    /// Keeps an answer; one that is older than a day gives way.
    fn keep_answer(&mut self, answer: &KeptAnswer) -> Result<()>;
    /// Drops answers kept before a moment.
    fn drop_answers(&mut self, before: Moment) -> Result<usize>;
}
