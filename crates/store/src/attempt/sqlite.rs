//! The ledger in SQLite. Why it has these indexes and no others stands above its table in the migration.

use super::{Added, Attempt, AttemptQuery, AttemptRead, AttemptWrite, AttemptsOf, Fact, fact};
use crate::sqlite::session::{Session, rows, word};
use crate::sqlite::statement::sql;
use crate::{Error, Result};
use carillon_model::contact::{Contact, DeviceKey};
use carillon_model::{
    AttemptId, AttemptResult, BatchId, ChannelType, ContactId, Direction, Moment, PassId, Reason,
    SubCampaignId,
};
use rusqlite::{Row, Statement, params};
use std::collections::{BTreeMap, BTreeSet};

impl AttemptRead for Session {
    fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Option<Attempt>>> {
        ids.iter().map(|id| self.attempt(id.0)).collect()
    }

    fn attempts_of(&self, query: &AttemptQuery) -> Result<Vec<Attempt>> {
        let AttemptQuery {
            of,
            from,
            to,
            after,
            limit,
        } = query;
        let page = |sql: &'static str, key: i64| {
            self.list(sql, [key, after.0, from.0, to.0, rows(*limit)], |row| {
                Ok(row.get::<_, i64>(0)?)
            })
        };
        let ids = match of {
            AttemptsOf::Contacts(contacts) => {
                let mut ids = Vec::new();
                for contact in contacts.iter().collect::<BTreeSet<_>>() {
                    ids.extend(page(sql!("attempts_of_contact"), contact.0)?);
                }
                ids.sort_unstable();
                ids.truncate(*limit);
                ids
            }
            AttemptsOf::Device(device) => page(sql!("attempts_of_device"), device.0)?,
            AttemptsOf::Batch(batch) => page(sql!("attempts_of_batch"), batch.0)?,
            AttemptsOf::Run(run) => page(sql!("attempts_of_run"), run.0)?,
        };
        self.attempts_there(&ids)
    }

    fn open_attempts(&self, after: AttemptId, limit: usize) -> Result<Vec<Attempt>> {
        let mut ids = Vec::new();
        let mut carrier = i64::MIN;
        while let Some(next) = self.one(sql!("next_open_carrier"), [carrier], |row| {
            Ok(row.get::<_, i64>(0)?)
        })? {
            carrier = next;
            let page = [carrier, after.0, rows(limit)];
            ids.extend(
                self.list(sql!("open_attempts_of_one_carrier"), page, |row| {
                    Ok(row.get::<_, i64>(0)?)
                })?,
            );
        }
        ids.sort_unstable();
        ids.truncate(limit);
        self.attempts_there(&ids)
    }

    fn open_attempts_of_carrier(&self, carrier: &str, limit: usize) -> Result<Vec<Attempt>> {
        let Some(carrier) = self.find_label(carrier)? else {
            return Ok(Vec::new());
        };
        let page = [carrier, rows(limit)];
        let ids = self.list(sql!("accepted_attempts_of_carrier"), page, |row| {
            Ok(row.get::<_, i64>(0)?)
        })?;
        self.attempts_there(&ids)
    }

    fn count_open_attempts(&self, run: SubCampaignId) -> Result<i64> {
        Ok(self
            .one(sql!("count_open_attempts"), [run.0], |row| Ok(row.get(0)?))?
            .unwrap_or(0))
    }

    fn attempt_of_message(&self, carrier: &str, message_id: &str) -> Result<Option<AttemptId>> {
        let Some(carrier) = self.find_label(carrier)? else {
            return Ok(None);
        };
        self.one(
            sql!("attempt_of_message"),
            params![carrier, message_id],
            |row| Ok(AttemptId(row.get(0)?)),
        )
    }

    fn messages_of_attempt(&self, attempt: AttemptId) -> Result<Vec<String>> {
        self.list(sql!("messages_of_attempt"), [attempt.0], |row| {
            Ok(row.get(0)?)
        })
    }

    fn last_attempt_between(
        &self,
        device: DeviceKey,
        our_address: &str,
    ) -> Result<Option<Attempt>> {
        let Some(ours) = self.find_label(our_address)? else {
            return Ok(None);
        };
        let pair = params![device.0, ours, Direction::Outbound as u8];
        let last = self
            .one(sql!("last_attempt_between"), pair, |row| {
                Ok(row.get::<_, Option<i64>>(0)?)
            })?
            .flatten();
        last.map_or(Ok(None), |id| self.attempt(id))
    }
}

impl AttemptWrite for Session {
    fn write_attempts(&mut self, attempts: &[Attempt]) -> Result<()> {
        let labels = self.intern_labels(attempts)?;
        let mut opened = Opened::new();
        let mut insert = self.statement(sql!("insert_attempt"))?;
        let mut contact = self.statement(sql!("packed_contact"))?;
        for (attempt, labels) in attempts.iter().zip(labels) {
            insert_attempt(&mut insert, attempt, labels)?;
            if !has_device(&mut contact, attempt)? {
                self.execute(sql!("insert_stray"), [attempt.device.0, attempt.id.0])?;
            }
            if attempt.result.is_none() {
                *opened.entry(attempt.run.0).or_default() += 1;
            }
        }
        drop((insert, contact));
        self.change_open(&opened)
    }

    fn add_facts(&mut self, facts: &[(AttemptId, Fact)]) -> Result<Vec<Added>> {
        let mut opened = Opened::new();
        let mut answers = Vec::with_capacity(facts.len());
        for (id, fact) in facts {
            let Some(mut attempt) = self.attempt(id.0)? else {
                answers.push(Added::Missing);
                continue;
            };
            let was_open = attempt.result.is_none();
            if !fact::apply(&mut attempt, fact) {
                answers.push(Added::Refused(attempt));
                continue;
            }
            self.write_fact(&attempt, fact)?;
            if was_open && attempt.result.is_some() {
                *opened.entry(attempt.run.0).or_default() -= 1;
            }
            answers.push(Added::Added(attempt));
        }
        self.change_open(&opened)?;
        Ok(answers)
    }

    fn forget_message(&mut self, carrier: &str, message_id: &str) -> Result<bool> {
        let Some(carrier) = self.find_label(carrier)? else {
            return Ok(false);
        };
        Ok(self.execute(sql!("forget_message"), params![carrier, message_id])? == 1)
    }

    fn forget_messages(&mut self, before: Moment, limit: usize) -> Result<usize> {
        let mut old: Vec<(i64, String)> = Vec::new();
        {
            let mut statement = self.statement(sql!("oldest_messages"))?;
            let mut messages = statement.query([])?;
            while let Some(row) = messages.next()? {
                let written: i64 = row.get(2)?;
                if written >= before.0 || old.len() >= limit {
                    break;
                }
                let ended: Option<i64> = row.get(3)?;
                if ended.is_some_and(|ended| ended < before.0) {
                    old.push((row.get(0)?, row.get(1)?));
                }
            }
        }
        for (carrier, message_id) in &old {
            self.execute(sql!("forget_message"), params![carrier, message_id])?;
        }
        Ok(old.len())
    }

    fn archive_attempt(&mut self, id: AttemptId) -> Result<()> {
        match self.execute(sql!("archive_attempt"), [id.0])? {
            0 => Err(Error::Missing {
                what: "attempt",
                id: id.0,
            }),
            _ => Ok(()),
        }
    }
}

/// Changes of the number of open attempts, by run.
type Opened = BTreeMap<i64, i64>;

impl Session {
    fn attempt(&self, id: i64) -> Result<Option<Attempt>> {
        self.one(sql!("attempt"), [id], |row| self.read_attempt(row))
    }

    fn attempts_there(&self, ids: &[i64]) -> Result<Vec<Attempt>> {
        let mut attempts = Vec::with_capacity(ids.len());
        for id in ids {
            attempts.extend(self.attempt(*id)?);
        }
        Ok(attempts)
    }

    /// The labels of our address and the carrier of each attempt. Neighbours mostly share them.
    fn intern_labels(&mut self, attempts: &[Attempt]) -> Result<Vec<(i64, i64)>> {
        let mut labels: Vec<(i64, i64)> = Vec::with_capacity(attempts.len());
        let mut before: Option<&Attempt> = None;
        for attempt in attempts {
            let same = before.filter(|before| {
                before.our_address == attempt.our_address && before.carrier == attempt.carrier
            });
            let pair = match same.and(labels.last()) {
                Some(pair) => *pair,
                None => (
                    self.intern_label(&attempt.our_address)?,
                    self.intern_label(&attempt.carrier)?,
                ),
            };
            labels.push(pair);
            before = Some(attempt);
        }
        Ok(labels)
    }

    /// Writes what an applied fact has changed.
    fn write_fact(&mut self, attempt: &Attempt, fact: &Fact) -> Result<()> {
        let id = attempt.id.0;
        match fact {
            Fact::Accepted {
                at,
                message_ids,
                parts,
            } => {
                self.execute(sql!("accept_attempt"), params![id, at.0, parts])?;
                if !message_ids.is_empty() {
                    let carrier = self.intern_label(&attempt.carrier)?;
                    for message_id in message_ids {
                        self.execute(sql!("put_message"), params![carrier, message_id, id])?;
                    }
                }
            }
            Fact::PartDelivered => {
                self.execute(sql!("deliver_part"), [id])?;
            }
            Fact::Ended {
                at,
                result,
                reason,
                script_result,
                carrier_status,
            } => {
                self.execute(
                    sql!("end_attempt"),
                    params![
                        id,
                        at.0,
                        *result as u8,
                        reason.map(|reason| reason as u8),
                        script_result.map(|result| result as u8),
                        carrier_status,
                    ],
                )?;
            }
            Fact::Corrected { result, .. } => {
                self.execute(
                    sql!("correct_attempt"),
                    params![id, *result as u8, attempt.carrier_status],
                )?;
            }
        }
        Ok(())
    }

    fn change_open(&self, opened: &Opened) -> Result<()> {
        for (run, change) in opened.iter().filter(|(_, change)| **change != 0) {
            self.execute(sql!("change_open_count"), [run, change])?;
        }
        Ok(())
    }

    fn read_attempt(&self, row: &Row<'_>) -> Result<Attempt> {
        let id: i64 = row.get(0)?;
        let device = DeviceKey(row.get(7)?);
        let address: Option<String> = row.get(8)?;
        let result = |column: &'static str, code: Option<i64>| {
            code.map(|code| word(AttemptResult::ALL, code, "attempt", column, id))
                .transpose()
        };
        let reason: Option<i64> = row.get(22)?;
        Ok(Attempt {
            id: AttemptId(id),
            run: SubCampaignId(row.get(1)?),
            batch: row.get::<_, Option<i64>>(2)?.map(BatchId),
            pass: row.get(3)?,
            pass_id: PassId(row.get(4)?),
            account: row.get(5)?,
            contact: ContactId(row.get(6)?),
            device,
            address: address.unwrap_or_else(|| phone(device)),
            our_address: self.label_text(row.get(9)?)?.to_string(),
            channel: word(ChannelType::ALL, row.get(10)?, "attempt", "channel", id)?,
            direction: word(Direction::ALL, row.get(11)?, "attempt", "direction", id)?,
            number: row.get(12)?,
            lane: row.get(13)?,
            rank: row.get(14)?,
            carrier: self.label_text(row.get(15)?)?.to_string(),
            written: Moment(row.get(16)?),
            accepted: row.get::<_, Option<i64>>(17)?.map(Moment),
            parts: row.get(18)?,
            parts_delivered: row.get(19)?,
            ended: row.get::<_, Option<i64>>(20)?.map(Moment),
            result: result("result", row.get(21)?)?,
            reason: reason
                .map(|code| word(Reason::ALL, code, "attempt", "reason", id))
                .transpose()?,
            script_result: result("script_result", row.get(23)?)?,
            archived: row.get(24)?,
            text: row.get(25)?,
            carrier_status: row.get(26)?,
        })
    }
}

fn insert_attempt(insert: &mut Statement<'_>, attempt: &Attempt, labels: (i64, i64)) -> Result<()> {
    // A phone is its key; only other addresses are kept as text.
    let address = (!is_phone(attempt)).then_some(&attempt.address);
    let (our_address, carrier) = labels;
    insert.execute(params![
        attempt.id.0,
        attempt.run.0,
        attempt.batch.map(|batch| batch.0),
        attempt.pass,
        attempt.pass_id.0,
        attempt.account,
        attempt.contact.0,
        attempt.device.0,
        address,
        our_address,
        attempt.channel as u8,
        attempt.direction as u8,
        attempt.number,
        attempt.lane,
        attempt.rank,
        carrier,
        attempt.written.0,
        attempt.accepted.map(|at| at.0),
        attempt.parts,
        attempt.parts_delivered,
        attempt.ended.map(|at| at.0),
        attempt.result.map(|result| result as u8),
        attempt.reason.map(|reason| reason as u8),
        attempt.script_result.map(|result| result as u8),
        attempt.archived,
        attempt.text,
        attempt.carrier_status,
    ])?;
    Ok(())
}

/// Whether the attempt's device is one of its contact's, so that the device leads to it. The contact was just judged, so
/// its page is at hand, which that of the device would not be.
fn has_device(contact: &mut Statement<'_>, attempt: &Attempt) -> Result<bool> {
    let mut rows = contact.query([attempt.contact.0])?;
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    let packed = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
    let same_key = |address: &[u8]| {
        std::str::from_utf8(address).is_ok_and(|address| DeviceKey::of(address) == attempt.device)
    };
    Ok(Contact::packed_addresses(packed).any(same_key))
}

/// Whether the key of the device tells its address: `+` and digits that do not begin with 0.
fn is_phone(attempt: &Attempt) -> bool {
    let is_canonical = matches!(attempt.address.as_bytes(), [b'+', b'1'..=b'9', ..]);
    is_canonical && attempt.device.0 > 0 && DeviceKey::of(&attempt.address) == attempt.device
}

/// The address of a phone's key.
fn phone(device: DeviceKey) -> String {
    format!("+{}", device.0)
}
