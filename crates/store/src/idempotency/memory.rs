//! Kept answers in memory.

use super::{IdempotencyRead, IdempotencyWrite, KeptAnswer};
use crate::Result;
use crate::memory::State;
use carillon_model::moment::DAY;
use carillon_model::{Moment, OrgId};
use imbl::OrdMap;

/// Answers by Org, method and key.
#[derive(Clone, Default)]
pub(crate) struct Answers(OrdMap<(OrgId, String, String), KeptAnswer>);

impl IdempotencyRead for State {
    fn kept_answer(
        &self,
        org: OrgId,
        method: &str,
        key: &str,
        since: Moment,
    ) -> Result<Option<KeptAnswer>> {
        let found = self
            .idempotency
            .0
            .get(&(org, method.to_owned(), key.to_owned()));
        Ok(found.filter(|answer| answer.at >= since).cloned())
    }
}

impl IdempotencyWrite for State {
    fn keep_answer(&mut self, answer: &KeptAnswer) -> Result<()> {
        let key = (answer.org, answer.method.clone(), answer.key.clone());
        let stays = self
            .idempotency
            .0
            .get(&key)
            .is_some_and(|present| present.at >= answer.at.plus(-DAY));
        if !stays {
            self.idempotency.0.insert(key, answer.clone());
        }
        Ok(())
    }

    fn drop_answers(&mut self, before: Moment) -> Result<usize> {
        let present = self.idempotency.0.len();
        let kept = self
            .idempotency
            .0
            .iter()
            .filter(|(_, answer)| answer.at >= before);
        self.idempotency.0 = kept
            .map(|(key, answer)| (key.clone(), answer.clone()))
            .collect();
        Ok(present - self.idempotency.0.len())
    }
}
