//! The ledger in PostgreSQL. Attempts are copied in one stream; facts of a call are applied here, in order, and what they have
//! changed is written by one statement.

use super::{Added, Attempt, AttemptQuery, AttemptRead, AttemptWrite, AttemptsOf, Fact, fact};
use crate::limits::MESSAGES_PER_LOOK;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{
    Cell, Number, Text, maybe_number, maybe_numbers, number, numbers, small,
};
use crate::sqlite::session::{rows, word};
use crate::{Error, Result};
use carillon_model::contact::DeviceKey;
use carillon_model::{
    AttemptId, AttemptResult, BatchId, ChannelType, ContactId, Direction, Moment, PassId, Reason,
    SubCampaignId,
};
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

impl AttemptRead for Session {
    fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Option<Attempt>>> {
        let found = self.attempts_by_id(ids.iter().map(|id| id.0).collect())?;
        Ok(ids.iter().map(|id| found.get(&id.0).cloned()).collect())
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
            self.list(
                sql,
                &[&key, &after.0, &from.0, &to.0, &rows(*limit)],
                |row| number(row, 0),
            )
        };
        let ids = match of {
            AttemptsOf::Contacts(contacts) => {
                let contacts: BTreeSet<i64> = contacts.iter().map(|contact| contact.0).collect();
                let contacts: Vec<i64> = contacts.into_iter().collect();
                self.list(
                    sql!("attempts_of_contacts"),
                    &[&contacts, &after.0, &from.0, &to.0, &rows(*limit)],
                    |row| number(row, 0),
                )?
            }
            AttemptsOf::Device(device) => page(sql!("attempts_of_device"), device.0)?,
            AttemptsOf::Batch(batch) => page(sql!("attempts_of_batch"), batch.0)?,
            AttemptsOf::Run(run) => page(sql!("attempts_of_run"), run.0)?,
        };
        self.attempts_in_order(ids)
    }

    fn open_attempts(&self, after: AttemptId, limit: usize) -> Result<Vec<Attempt>> {
        let ids = self.list(sql!("open_attempts"), &[&after.0, &rows(limit)], |row| {
            number(row, 0)
        })?;
        self.attempts_in_order(ids)
    }

    fn open_attempts_of_carrier(&self, carrier: &str, limit: usize) -> Result<Vec<Attempt>> {
        let Some(carrier) = self.find_label(carrier)? else {
            return Ok(Vec::new());
        };
        let ids = self.list(
            sql!("accepted_attempts_of_carrier"),
            &[&carrier, &rows(limit)],
            |row| number(row, 0),
        )?;
        self.attempts_in_order(ids)
    }

    fn count_open_attempts(&self, run: SubCampaignId) -> Result<i64> {
        let count = self.one(sql!("count_open_attempts"), &[&run.0], |row| number(row, 0))?;
        Ok(count.unwrap_or(0))
    }

    fn attempt_of_message(&self, carrier: &str, message_id: &str) -> Result<Option<AttemptId>> {
        let Some(carrier) = self.find_label(carrier)? else {
            return Ok(None);
        };
        self.one(
            sql!("attempt_of_message"),
            &[&carrier, &Text::new(message_id)],
            |row| Ok(AttemptId(number(row, 0)?)),
        )
    }

    fn messages_of_attempt(&self, attempt: AttemptId) -> Result<Vec<String>> {
        self.list(sql!("messages_of_attempt"), &[&attempt.0], |row| {
            Ok(row.try_get(0)?)
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
        let outbound = Number(Direction::Outbound as i64);
        let last = self.list(
            sql!("last_attempt_between"),
            &[&device.0, &ours, &outbound],
            |row| number(row, 0),
        )?;
        Ok(self.attempts_in_order(last)?.pop())
    }
}

impl AttemptWrite for Session {
    fn write_attempts(&mut self, attempts: &[Attempt]) -> Result<()> {
        let labels = self.intern_labels(attempts)?;
        self.copy(sql!("copy_attempts"), TYPES, attempts, |index, attempt| {
            cells(attempt, labels[index])
        })?;
        let open: Vec<(i64, i64, i64)> = attempts
            .iter()
            .zip(&labels)
            .filter(|(attempt, _)| attempt.result.is_none())
            .map(|(attempt, (_, carrier))| (attempt.id.0, *carrier, attempt.run.0))
            .collect();
        if !open.is_empty() {
            let ids = numbers(&open, |open| open.0);
            let carriers = numbers(&open, |open| open.1);
            let runs = numbers(&open, |open| open.2);
            self.execute(sql!("open"), &[&ids, &carriers, &runs])?;
        }
        Ok(())
    }

    fn add_facts(&mut self, facts: &[(AttemptId, Fact)]) -> Result<Vec<Added>> {
        let ids: BTreeSet<i64> = facts.iter().map(|(id, _)| id.0).collect();
        let mut present = self.attempts_by_id(ids.into_iter().collect())?;
        let mut changed = BTreeSet::new();
        let mut ended = BTreeSet::new();
        let mut messages = BTreeMap::new();
        let mut answers = Vec::with_capacity(facts.len());
        for (id, fact) in facts {
            let Some(attempt) = present.get_mut(&id.0) else {
                answers.push(Added::Missing);
                continue;
            };
            let was_open = attempt.result.is_none();
            if !fact::apply(attempt, fact) {
                answers.push(Added::Refused(attempt.clone()));
                continue;
            }
            changed.insert(id.0);
            if was_open && attempt.result.is_some() {
                ended.insert(id.0);
            }
            if let Fact::Accepted { message_ids, .. } = fact {
                let carrier = self.intern_label(&attempt.carrier)?;
                for message_id in message_ids {
                    messages.insert((carrier, Text::new(message_id).into_string()), id.0);
                }
            }
            answers.push(Added::Added(attempt.clone()));
        }
        let changed: Vec<&Attempt> = changed.iter().map(|id| &present[id]).collect();
        self.write_changes(&changed)?;
        self.put_messages(&messages)?;
        if !ended.is_empty() {
            let ended: Vec<i64> = ended.into_iter().collect();
            self.execute(sql!("close"), &[&ended])?;
        }
        Ok(answers)
    }

    fn forget_message(&mut self, carrier: &str, message_id: &str) -> Result<bool> {
        let Some(carrier) = self.find_label(carrier)? else {
            return Ok(false);
        };
        let forgotten = self.execute(
            sql!("forget_messages"),
            &[&vec![carrier], &vec![Text::new(message_id)]],
        )?;
        Ok(forgotten == 1)
    }

    fn forget_messages(&mut self, before: Moment, limit: usize) -> Result<usize> {
        let mut old: Vec<(i64, String)> = Vec::new();
        let mut after = (i64::MIN, String::new(), i64::MIN);
        'looking: loop {
            let page = self.query(
                sql!("oldest_messages"),
                &[&after.0, &after.1, &after.2, &MESSAGES_PER_LOOK],
            )?;
            for row in &page {
                after = (number(row, 0)?, row.try_get(1)?, number(row, 2)?);
                if number(row, 3)? >= before.0 || old.len() >= limit {
                    break 'looking;
                }
                if maybe_number(row, 4)?.is_some_and(|ended| ended < before.0) {
                    old.push((after.2, after.1.clone()));
                }
            }
            if rows(page.len()) < MESSAGES_PER_LOOK {
                break;
            }
        }
        let carriers = numbers(&old, |(carrier, _)| *carrier);
        let message_ids: Vec<&str> = old.iter().map(|(_, id)| id.as_str()).collect();
        if !old.is_empty() {
            self.execute(sql!("forget_messages"), &[&carriers, &message_ids])?;
        }
        Ok(old.len())
    }

    fn archive_attempt(&mut self, id: AttemptId) -> Result<()> {
        match self.execute(sql!("archive_attempt"), &[&id.0])? {
            0 => Err(Error::Missing {
                what: "attempt",
                id: id.0,
            }),
            _ => Ok(()),
        }
    }
}

impl Session {
    fn attempts_by_id(&self, ids: Vec<i64>) -> Result<BTreeMap<i64, Attempt>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = self.list(sql!("attempts"), &[&ids], |row| self.read_attempt(row))?;
        Ok(found
            .into_iter()
            .map(|attempt| (attempt.id.0, attempt))
            .collect())
    }

    /// Attempts by id ascending.
    fn attempts_in_order(&self, ids: Vec<i64>) -> Result<Vec<Attempt>> {
        Ok(self.attempts_by_id(ids)?.into_values().collect())
    }

    /// The labels of our address and the carrier of each attempt.
    fn intern_labels(&mut self, attempts: &[Attempt]) -> Result<Vec<(i64, i64)>> {
        attempts
            .iter()
            .map(|attempt| {
                Ok((
                    self.intern_label(&attempt.our_address)?,
                    self.intern_label(&attempt.carrier)?,
                ))
            })
            .collect()
    }

    fn write_changes(&self, changed: &[&Attempt]) -> Result<()> {
        if changed.is_empty() {
            return Ok(());
        }
        let statuses: Vec<Option<Text<'_>>> = changed
            .iter()
            .map(|attempt| Text::maybe(&attempt.carrier_status))
            .collect();
        self.execute(
            sql!("change_attempts"),
            &[
                &numbers(changed, |attempt| attempt.id.0),
                &maybe_numbers(changed, |attempt| attempt.accepted.map(|at| at.0)),
                &numbers(changed, |attempt| attempt.parts.into()),
                &numbers(changed, |attempt| attempt.parts_delivered.into()),
                &maybe_numbers(changed, |attempt| attempt.ended.map(|at| at.0)),
                &maybe_numbers(changed, |attempt| attempt.result.map(|word| word as i64)),
                &maybe_numbers(changed, |attempt| attempt.reason.map(|word| word as i64)),
                &maybe_numbers(changed, |attempt| {
                    attempt.script_result.map(|word| word as i64)
                }),
                &statuses,
            ],
        )
        .map(|_| ())
    }

    fn put_messages(&self, messages: &BTreeMap<(i64, String), i64>) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let carriers: Vec<i64> = messages.keys().map(|(carrier, _)| *carrier).collect();
        let message_ids: Vec<&str> = messages.keys().map(|(_, id)| id.as_str()).collect();
        let attempts: Vec<i64> = messages.values().copied().collect();
        self.execute(sql!("put_messages"), &[&carriers, &message_ids, &attempts])
            .map(|_| ())
    }

    fn read_attempt(&self, row: &Row) -> Result<Attempt> {
        let id = number(row, 0)?;
        let result = |column: &'static str, code: Option<i64>| {
            code.map(|code| word(AttemptResult::ALL, code, "attempt", column, id))
                .transpose()
        };
        let reason = maybe_number(row, 22)?;
        Ok(Attempt {
            id: AttemptId(id),
            run: SubCampaignId(number(row, 1)?),
            batch: maybe_number(row, 2)?.map(BatchId),
            pass: small(row, 3)?,
            pass_id: PassId(number(row, 4)?),
            account: number(row, 5)?,
            contact: ContactId(number(row, 6)?),
            device: DeviceKey(number(row, 7)?),
            address: row.try_get(8)?,
            our_address: self.label_text(number(row, 9)?)?.to_string(),
            channel: word(ChannelType::ALL, number(row, 10)?, "attempt", "channel", id)?,
            direction: word(Direction::ALL, number(row, 11)?, "attempt", "direction", id)?,
            number: small(row, 12)?,
            lane: small(row, 13)?,
            rank: number(row, 14)?,
            carrier: self.label_text(number(row, 15)?)?.to_string(),
            written: Moment(number(row, 16)?),
            accepted: maybe_number(row, 17)?.map(Moment),
            parts: small(row, 18)?,
            parts_delivered: small(row, 19)?,
            ended: maybe_number(row, 20)?.map(Moment),
            result: result("result", maybe_number(row, 21)?)?,
            reason: reason
                .map(|code| word(Reason::ALL, code, "attempt", "reason", id))
                .transpose()?,
            script_result: result("script_result", maybe_number(row, 23)?)?,
            archived: row.try_get(24)?,
            text: row.try_get(25)?,
            carrier_status: row.try_get(26)?,
        })
    }
}

/// Columns of an attempt, as the statement names them.
const COLUMNS: usize = 27;
const TYPES: [Type; COLUMNS] = [
    Type::INT8, // id
    Type::INT8, // run
    Type::INT8, // batch
    Type::INT4, // pass
    Type::INT8, // pass_id
    Type::INT8, // account
    Type::INT8, // contact
    Type::INT8, // device
    Type::TEXT, // address
    Type::INT8, // our_address
    Type::INT2, // channel
    Type::INT2, // direction
    Type::INT4, // number
    Type::INT8, // lane
    Type::INT8, // rank
    Type::INT8, // carrier
    Type::INT8, // written
    Type::INT8, // accepted
    Type::INT4, // parts
    Type::INT4, // parts_delivered
    Type::INT8, // ended
    Type::INT2, // result
    Type::INT2, // reason
    Type::INT2, // script_result
    Type::BOOL, // archived
    Type::TEXT, // text
    Type::TEXT, // carrier_status
];

fn cells(attempt: &Attempt, (our_address, carrier): (i64, i64)) -> [Cell<'_>; COLUMNS] {
    [
        Cell::Number(attempt.id.0),
        Cell::Number(attempt.run.0),
        Cell::maybe(attempt.batch.map(|batch| batch.0)),
        Cell::Number(attempt.pass.into()),
        Cell::Number(attempt.pass_id.0),
        Cell::Number(attempt.account),
        Cell::Number(attempt.contact.0),
        Cell::Number(attempt.device.0),
        Cell::text(&attempt.address),
        Cell::Number(our_address),
        Cell::Number(attempt.channel as i64),
        Cell::Number(attempt.direction as i64),
        Cell::Number(attempt.number.into()),
        Cell::Number(attempt.lane.into()),
        Cell::Number(attempt.rank),
        Cell::Number(carrier),
        Cell::Number(attempt.written.0),
        Cell::maybe(attempt.accepted.map(|at| at.0)),
        Cell::Number(attempt.parts.into()),
        Cell::Number(attempt.parts_delivered.into()),
        Cell::maybe(attempt.ended.map(|at| at.0)),
        Cell::maybe(attempt.result.map(|result| result as i64)),
        Cell::maybe(attempt.reason.map(|reason| reason as i64)),
        Cell::maybe(attempt.script_result.map(|result| result as i64)),
        Cell::Flag(attempt.archived),
        Cell::text(&attempt.text),
        attempt
            .carrier_status
            .as_deref()
            .map_or(Cell::Null, Cell::text),
    ]
}
