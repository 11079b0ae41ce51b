//! Receipts that came before the answer that names their message id: kept until an answer claims them or a day has passed.

pub(crate) mod memory;
mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::Moment;

/// A receipt nobody has claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlyReceipt {
    /// Who sent it.
    pub carrier: String,
    /// What it names.
    pub message_id: String,
    /// When it came.
    pub at: Moment,
    /// Whether it says delivered.
    pub delivered: bool,
    /// What the carrier said.
    pub status: String,
}

/// Reading early receipts.
pub trait ReceiptRead {
    /// How many are kept.
    fn count_early_receipts(&self) -> Result<i64>;
}

/// Writing early receipts.
pub trait ReceiptWrite {
    /// Keeps receipts; one for a message id that has one already replaces it.
    fn keep_receipts(&mut self, receipts: &[EarlyReceipt]) -> Result<()>;
    /// Takes the receipts of these message ids of a carrier.
    fn take_receipts(&mut self, carrier: &str, message_ids: &[&str]) -> Result<Vec<EarlyReceipt>>;
    /// Drops receipts that came before a moment; answers how many.
    fn drop_receipts(&mut self, before: Moment) -> Result<usize>;
}
