//! The ledger in memory.

use super::{Added, Attempt, AttemptQuery, AttemptRead, AttemptWrite, AttemptsOf, Fact, fact};
use crate::memory::State;
use crate::{Error, Result};
use carillon_model::contact::DeviceKey;
use carillon_model::{AttemptId, BatchId, ContactId, Direction, Moment, SubCampaignId};
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// Attempts by id and by what they are looked up by; message ids both ways.
#[derive(Clone, Default)]
pub(crate) struct Attempts {
    attempts: OrdMap<AttemptId, Arc<Attempt>>,
    by_contact: OrdSet<(ContactId, AttemptId)>,
    by_device: OrdSet<(DeviceKey, AttemptId)>,
    by_batch: OrdSet<(BatchId, AttemptId)>,
    by_run: OrdSet<(SubCampaignId, AttemptId)>,
    open: OrdSet<AttemptId>,
    open_of_carrier: OrdSet<(String, AttemptId)>,
    open_count: OrdMap<SubCampaignId, i64>,
    attempt_of_message: OrdMap<(String, String), AttemptId>,
    messages: OrdMap<(AttemptId, String, String), ()>,
}

const LAST: AttemptId = AttemptId(i64::MAX);

impl Attempts {
    fn add(&mut self, attempt: &Attempt) -> Result<()> {
        let id = attempt.id;
        if self.attempts.contains_key(&id) {
            return Err(Error::Database(format!("attempt {id} is there already")));
        }
        self.by_contact.insert((attempt.contact, id));
        self.by_device.insert((attempt.device, id));
        self.by_run.insert((attempt.run, id));
        if let Some(batch) = attempt.batch {
            self.by_batch.insert((batch, id));
        }
        if attempt.result.is_none() {
            self.open.insert(id);
            self.open_of_carrier.insert((attempt.carrier.clone(), id));
            *self.open_count.entry(attempt.run).or_insert(0) += 1;
        }
        self.attempts.insert(id, Arc::new(attempt.clone()));
        Ok(())
    }

    fn add_fact(&mut self, id: AttemptId, fact: &Fact) -> Added {
        let Some(present) = self.attempts.get(&id) else {
            return Added::Missing;
        };
        let mut attempt = Attempt::clone(present);
        let was_open = attempt.result.is_none();
        if !fact::apply(&mut attempt, fact) {
            return Added::Refused(attempt);
        }
        if was_open && attempt.result.is_some() {
            self.open.remove(&id);
            self.open_of_carrier.remove(&(attempt.carrier.clone(), id));
            *self.open_count.entry(attempt.run).or_insert(0) -= 1;
        }
        if let Fact::Accepted { message_ids, .. } = fact {
            for message_id in message_ids {
                self.forget(&attempt.carrier, message_id);
                self.messages
                    .insert((id, message_id.clone(), attempt.carrier.clone()), ());
                self.attempt_of_message
                    .insert((attempt.carrier.clone(), message_id.clone()), id);
            }
        }
        self.attempts.insert(id, Arc::new(attempt.clone()));
        Added::Added(attempt)
    }

    fn forget(&mut self, carrier: &str, message_id: &str) -> bool {
        let Some(attempt) = self
            .attempt_of_message
            .remove(&(carrier.to_owned(), message_id.to_owned()))
        else {
            return false;
        };
        self.messages
            .remove(&(attempt, message_id.to_owned(), carrier.to_owned()));
        true
    }

    fn get(&self, id: AttemptId) -> Option<Attempt> {
        self.attempts
            .get(&id)
            .map(|attempt| Attempt::clone(attempt))
    }
}

impl AttemptRead for State {
    fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Option<Attempt>>> {
        Ok(ids.iter().map(|id| self.attempt.get(*id)).collect())
    }

    fn attempts_of(&self, query: &AttemptQuery) -> Result<Vec<Attempt>> {
        let AttemptQuery {
            of,
            from,
            to,
            after,
            limit,
        } = query;
        let Some(first) = after.0.checked_add(1).map(AttemptId) else {
            return Ok(Vec::new());
        };
        let ledger = &self.attempt;
        let mut ids: Vec<AttemptId> = match of {
            AttemptsOf::Contacts(contacts) => contacts
                .iter()
                .flat_map(|contact| {
                    ledger
                        .by_contact
                        .range((*contact, first)..=(*contact, LAST))
                        .map(|(_, id)| *id)
                })
                .collect(),
            AttemptsOf::Device(device) => ledger
                .by_device
                .range((*device, first)..=(*device, LAST))
                .map(|(_, id)| *id)
                .collect(),
            AttemptsOf::Batch(batch) => ledger
                .by_batch
                .range((*batch, first)..=(*batch, LAST))
                .map(|(_, id)| *id)
                .collect(),
            AttemptsOf::Run(run) => ledger
                .by_run
                .range((*run, first)..=(*run, LAST))
                .map(|(_, id)| *id)
                .collect(),
        };
        ids.sort_unstable();
        ids.dedup();
        let attempts = ids.into_iter().filter_map(|id| ledger.get(id));
        Ok(attempts
            .filter(|attempt| (*from..*to).contains(&attempt.written))
            .take(*limit)
            .collect())
    }

    fn open_attempts(&self, after: AttemptId, limit: usize) -> Result<Vec<Attempt>> {
        let Some(first) = after.0.checked_add(1).map(AttemptId) else {
            return Ok(Vec::new());
        };
        let open = self.attempt.open.range(first..).take(limit);
        Ok(open.filter_map(|id| self.attempt.get(*id)).collect())
    }

    fn open_attempts_of_carrier(&self, carrier: &str, limit: usize) -> Result<Vec<Attempt>> {
        let all = (carrier.to_owned(), AttemptId(i64::MIN))..=(carrier.to_owned(), LAST);
        let open = self
            .attempt
            .open_of_carrier
            .range(all)
            .filter_map(|(_, id)| self.attempt.get(*id));
        Ok(open
            .filter(|attempt| attempt.accepted.is_some())
            .take(limit)
            .collect())
    }

    fn count_open_attempts(&self, run: SubCampaignId) -> Result<i64> {
        Ok(self.attempt.open_count.get(&run).copied().unwrap_or(0))
    }

    fn attempt_of_message(&self, carrier: &str, message_id: &str) -> Result<Option<AttemptId>> {
        Ok(self
            .attempt
            .attempt_of_message
            .get(&(carrier.to_owned(), message_id.to_owned()))
            .copied())
    }

    fn messages_of_attempt(&self, attempt: AttemptId) -> Result<Vec<String>> {
        let from = self
            .attempt
            .messages
            .range((attempt, String::new(), String::new())..);
        Ok(from
            .take_while(|((id, _, _), ())| *id == attempt)
            .map(|((_, message_id, _), ())| message_id.clone())
            .collect())
    }

    fn last_attempt_between(
        &self,
        device: DeviceKey,
        our_address: &str,
    ) -> Result<Option<Attempt>> {
        let all = (device, AttemptId(i64::MIN))..=(device, LAST);
        let mut newest = self
            .attempt
            .by_device
            .range(all)
            .rev()
            .filter_map(|(_, id)| self.attempt.get(*id));
        Ok(newest.find(|attempt| {
            attempt.direction == Direction::Outbound && attempt.our_address == our_address
        }))
    }
}

impl AttemptWrite for State {
    fn write_attempts(&mut self, attempts: &[Attempt]) -> Result<()> {
        attempts
            .iter()
            .try_for_each(|attempt| self.attempt.add(attempt))
    }

    fn add_facts(&mut self, facts: &[(AttemptId, Fact)]) -> Result<Vec<Added>> {
        Ok(facts
            .iter()
            .map(|(id, fact)| self.attempt.add_fact(*id, fact))
            .collect())
    }

    fn forget_message(&mut self, carrier: &str, message_id: &str) -> Result<bool> {
        Ok(self.attempt.forget(carrier, message_id))
    }

    fn forget_messages(&mut self, before: Moment, limit: usize) -> Result<usize> {
        let mut old = Vec::new();
        for ((id, message_id, carrier), ()) in &self.attempt.messages {
            let attempt = self
                .attempt
                .attempts
                .get(id)
                .expect("message ids belong to attempts");
            if attempt.written >= before || old.len() >= limit {
                break;
            }
            if attempt.result.is_some() && attempt.ended.is_some_and(|ended| ended < before) {
                old.push((carrier.clone(), message_id.clone()));
            }
        }
        for (carrier, message_id) in &old {
            self.attempt.forget(carrier, message_id);
        }
        Ok(old.len())
    }

    fn archive_attempt(&mut self, id: AttemptId) -> Result<()> {
        let mut attempt = self.attempt.get(id).ok_or(Error::Missing {
            what: "attempt",
            id: id.0,
        })?;
        attempt.archived = true;
        self.attempt.attempts.insert(id, Arc::new(attempt));
        Ok(())
    }
}
