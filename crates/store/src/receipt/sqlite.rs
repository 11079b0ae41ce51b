//! Early receipts in SQLite.

use super::{EarlyReceipt, ReceiptRead, ReceiptWrite};
use crate::Result;
use crate::sqlite::session::Session;
use crate::sqlite::statement::sql;
use carillon_model::Moment;
use rusqlite::params;

impl ReceiptRead for Session {
    fn count_early_receipts(&self) -> Result<i64> {
        Ok(self
            .one(sql!("count_early_receipts"), [], |row| Ok(row.get(0)?))?
            .unwrap_or(0))
    }
}

impl ReceiptWrite for Session {
    fn keep_receipts(&mut self, receipts: &[EarlyReceipt]) -> Result<()> {
        for receipt in receipts {
            let carrier = self.intern_label(&receipt.carrier)?;
            self.execute(
                sql!("keep_receipt"),
                params![
                    carrier,
                    receipt.message_id,
                    receipt.at.0,
                    receipt.delivered,
                    receipt.status
                ],
            )?;
        }
        Ok(())
    }

    fn take_receipts(&mut self, carrier: &str, message_ids: &[&str]) -> Result<Vec<EarlyReceipt>> {
        let Some(label) = self.find_label(carrier)? else {
            return Ok(Vec::new());
        };
        let mut taken = Vec::new();
        for message_id in message_ids {
            taken.extend(
                self.one(sql!("take_receipt"), params![label, message_id], |row| {
                    Ok(EarlyReceipt {
                        carrier: carrier.to_owned(),
                        message_id: (*message_id).to_owned(),
                        at: Moment(row.get(0)?),
                        delivered: row.get(1)?,
                        status: row.get(2)?,
                    })
                })?,
            );
        }
        Ok(taken)
    }

    fn drop_receipts(&mut self, before: Moment) -> Result<usize> {
        self.execute(sql!("drop_receipts"), [before.0])
    }
}
