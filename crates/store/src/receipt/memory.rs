//! Early receipts in memory.

use super::{EarlyReceipt, ReceiptRead, ReceiptWrite};
use crate::Result;
use crate::memory::State;
use carillon_model::Moment;
use imbl::OrdMap;

/// Receipts by carrier and message id.
#[derive(Clone, Default)]
pub(crate) struct Receipts(OrdMap<(String, String), EarlyReceipt>);

impl ReceiptRead for State {
    fn count_early_receipts(&self) -> Result<i64> {
        Ok(self.receipt.0.len() as i64)
    }
}

impl ReceiptWrite for State {
    fn keep_receipts(&mut self, receipts: &[EarlyReceipt]) -> Result<()> {
        for receipt in receipts {
            self.receipt.0.insert(
                (receipt.carrier.clone(), receipt.message_id.clone()),
                receipt.clone(),
            );
        }
        Ok(())
    }

    fn take_receipts(&mut self, carrier: &str, message_ids: &[&str]) -> Result<Vec<EarlyReceipt>> {
        let take = |message_id: &&str| {
            self.receipt
                .0
                .remove(&(carrier.to_owned(), (*message_id).to_owned()))
        };
        Ok(message_ids.iter().filter_map(take).collect())
    }

    fn drop_receipts(&mut self, before: Moment) -> Result<usize> {
        let present = self.receipt.0.len();
        self.receipt.0 = self
            .receipt
            .0
            .iter()
            .filter(|(_, receipt)| receipt.at >= before)
            .map(|(key, receipt)| (key.clone(), receipt.clone()))
            .collect();
        Ok(present - self.receipt.0.len())
    }
}
