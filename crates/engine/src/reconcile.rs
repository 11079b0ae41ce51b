//! After a start: what the last process left open (`entities.md` 7.4). An attempt that no carrier has accepted may have
//! left or not; it is Unknown at once, and a later report may correct it. One that was accepted goes on waiting for its
//! receipts, and is asked for where the carrier can be asked. Nothing is dialled before all are looked through.

use crate::carriers::Carriers;
use crate::changes::Changes;
use crate::context::Contexts;
use crate::dispose;
use crate::limits::RECONCILE_PIECE;
use crate::withdraw::Out;
use carillon_model::attempt::Attempt;
use carillon_model::{AttemptId, AttemptResult, Moment};
use carillon_store::{Result, Transaction};

/// How far the open attempts were looked through.
pub struct Reconcile {
    after: AttemptId,
    /// Orders of this very process are still out: they will be answered.
    orders_are_out: bool,
}

/// What a piece found.
pub struct Piece {
    /// Queries with the index of their carrier: attempt, message id, our address.
    pub queries: Vec<(usize, (AttemptId, String, String))>,
    /// Orders that are still out.
    pub(crate) out: Vec<Out>,
    /// Attempts given up.
    pub unknown: usize,
    /// Nothing is left.
    pub is_last: bool,
}

impl Reconcile {
    /// For a process that has just started.
    pub fn after_start() -> Self {
        Self {
            after: AttemptId(0),
            orders_are_out: false,
        }
    }

    /// For one that lost its memory only.
    pub fn after_failure() -> Self {
        Self {
            after: AttemptId(0),
            orders_are_out: true,
        }
    }

    /// Looks through the next open attempts.
    pub fn piece<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        contexts: &mut Contexts,
        changes: &mut Changes,
        carriers: &Carriers,
        now: Moment,
    ) -> Result<Piece> {
        let open = tx.open_attempts(self.after, RECONCILE_PIECE)?;
        let is_last = open.len() < RECONCILE_PIECE;
        if let Some(last) = open.last() {
            self.after = last.id;
        }
        let (accepted, pending): (Vec<Attempt>, Vec<Attempt>) = open
            .into_iter()
            .partition(|attempt| attempt.accepted.is_some());
        if self.orders_are_out {
            pending.iter().for_each(|attempt| contexts.placed(attempt));
            let out = pending
                .iter()
                .filter_map(|attempt| Out::of(attempt, carriers));
            return Ok(Piece {
                queries: Vec::new(),
                out: out.collect(),
                unknown: 0,
                is_last,
            });
        }
        // A carrier that is no longer configured tells nothing any more.
        let (accepted, lost): (Vec<Attempt>, Vec<Attempt>) = accepted
            .into_iter()
            .partition(|attempt| carriers.find(&attempt.carrier).is_some());
        let ids: Vec<AttemptId> = pending
            .iter()
            .chain(&lost)
            .map(|attempt| attempt.id)
            .collect();
        let unknown = if ids.is_empty() {
            0
        } else {
            dispose::end_all(tx, contexts, changes, &ids, AttemptResult::Unknown, now)?
        };
        let mut queries = Vec::new();
        for attempt in accepted {
            let Some(carrier) = carriers.find(&attempt.carrier) else {
                continue;
            };
            if !carriers.get(carrier).capabilities.query {
                continue;
            }
            for message_id in tx.messages_of_attempt(attempt.id)? {
                queries.push((
                    carrier,
                    (attempt.id, message_id, attempt.our_address.clone()),
                ));
            }
        }
        Ok(Piece {
            queries,
            out: Vec::new(),
            unknown,
            is_last,
        })
    }
}
