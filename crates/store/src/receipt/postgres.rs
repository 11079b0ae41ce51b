//! Early receipts in PostgreSQL.

use super::{EarlyReceipt, ReceiptRead, ReceiptWrite};
use crate::Result;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Text, number, numbers};
use carillon_model::Moment;
use std::collections::{BTreeMap, HashMap};

impl ReceiptRead for Session {
    fn count_early_receipts(&self) -> Result<i64> {
        let count = self.one(sql!("count_early_receipts"), &[], |row| number(row, 0))?;
        Ok(count.unwrap_or(0))
    }
}

impl ReceiptWrite for Session {
    fn keep_receipts(&mut self, receipts: &[EarlyReceipt]) -> Result<()> {
        // A statement writes a row once: the last receipt of a message id counts.
        let mut last: BTreeMap<(i64, String), &EarlyReceipt> = BTreeMap::new();
        for receipt in receipts {
            let carrier = self.intern_label(&receipt.carrier)?;
            let message_id = Text::new(&receipt.message_id).into_string();
            last.insert((carrier, message_id), receipt);
        }
        let carriers: Vec<i64> = last.keys().map(|(carrier, _)| *carrier).collect();
        let message_ids: Vec<&str> = last.keys().map(|(_, id)| id.as_str()).collect();
        let receipts: Vec<&EarlyReceipt> = last.values().copied().collect();
        self.execute(
            sql!("keep_receipts"),
            &[
                &carriers,
                &message_ids,
                &numbers(&receipts, |receipt| receipt.at.0),
                &receipts
                    .iter()
                    .map(|receipt| receipt.delivered)
                    .collect::<Vec<_>>(),
                &receipts
                    .iter()
                    .map(|receipt| Text::new(&receipt.status))
                    .collect::<Vec<_>>(),
            ],
        )
        .map(|_| ())
    }

    fn take_receipts(&mut self, carrier: &str, message_ids: &[&str]) -> Result<Vec<EarlyReceipt>> {
        let Some(label) = self.find_label(carrier)? else {
            return Ok(Vec::new());
        };
        let asked: Vec<Text<'_>> = message_ids.iter().map(|id| Text::new(id)).collect();
        let taken = self.list(sql!("take_receipts"), &[&label, &asked], |row| {
            let receipt = EarlyReceipt {
                carrier: carrier.to_owned(),
                message_id: row.try_get(0)?,
                at: Moment(number(row, 1)?),
                delivered: row.try_get(2)?,
                status: row.try_get(3)?,
            };
            Ok((receipt.message_id.clone(), receipt))
        })?;
        let mut taken: HashMap<String, EarlyReceipt> = taken.into_iter().collect();
        Ok(asked
            .iter()
            .filter_map(|message_id| taken.remove(message_id.as_str()))
            .collect())
    }

    fn drop_receipts(&mut self, before: Moment) -> Result<usize> {
        self.execute(sql!("drop_receipts"), &[&before.0])
    }
}
