//! One step of the engine: what came in is disposed, states converge, and what may start now is written. Pure towards the
//! outside: the moment, the events and the randomness are given, the store is the transaction, and what shall happen comes
//! back as [`Decisions`], to be done after the commit and only then.

use crate::carriers::{Carrier, Carriers};
use crate::changes::Changes;
use crate::context::Contexts;
use crate::converge;
use crate::dial::{Dialler, dial};
use crate::dispose::{self, Answered, Knowledge, Reported, dispose};
use crate::limits::{OVERDUE_PIECE, ROOM_WAIT};
use crate::pace::{Pacer, PassOf};
use crate::receive::{Addresses, Message, receive};
use crate::reconcile::Reconcile;
use crate::status::Status;
use crate::withdraw::{Placed, Stopped};
use carillon_channel::{Acknowledge, Event, Order};
use carillon_model::{AttemptId, AttemptResult, Moment, SubCampaignId};
use carillon_store::{Result, Transaction};
use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

/// What a step is given.
#[derive(Debug, Default)]
pub struct Inputs {
    /// What the channels say, in order.
    pub events: Vec<Event>,
    /// How many orders each carrier would take, in the order of the carriers.
    pub room: Vec<usize>,
}

/// What a step decided. Nothing of it may be done before the commit.
#[derive(Debug, Default)]
pub struct Decisions {
    /// Orders, by carrier, in the order of the carriers.
    pub orders: Vec<Vec<Order>>,
    /// Queries by carrier: attempt, message id, our address.
    pub queries: Vec<Vec<(AttemptId, String, String)>>,
    /// Orders to be given back by carrier, unless they have left: their runs were paused or stopped, their batches are
    /// over, their devices opted out.
    pub withdrawals: Vec<Vec<AttemptId>>,
    /// To be called after the commit.
    pub acknowledgements: Vec<Acknowledge>,
    /// When to step again if nothing happens before.
    pub next_wake: Moment,
    /// What the step did.
    pub done: Done,
}

/// Counted for metrics and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Attempts written.
    pub attempts: usize,
    /// Orders answered.
    pub answers: usize,
    /// Attempts that ended.
    pub ended: usize,
    /// Orders not sent, whose contacts wait again.
    pub withdrawn: usize,
    /// Contacts denied at dispatch.
    pub denied: usize,
    /// Contacts that left a pass without an attempt at dispatch.
    pub skipped: usize,
    /// Attempts given up as Unknown after a start.
    pub unknown: usize,
    /// Messages received.
    pub received: usize,
    /// Devices opted out.
    pub opted_out: usize,
}

/// The engine. All it holds can be thrown away and read again from the store.
pub struct Engine {
    contexts: Contexts,
    pacer: Pacer,
    carriers: Carriers,
    addresses: Addresses,
    cursor: PassOf,
    reconcile: Option<Reconcile>,
    placed: Placed,
    /// Devices that said STOP since all orders that are out are known.
    stopped: BTreeSet<Stopped>,
    /// When the receipts of a carrier may be overdue next.
    overdue: Vec<Moment>,
    /// When the first step was made.
    started: Option<Moment>,
    random: SmallRng,
}

impl Engine {
    /// The engine of a process that has just started: before it dials, it reconciles what the last one left open.
    pub fn start(carriers: Vec<Carrier>, seed: u64) -> Self {
        let mut engine = Self::resume(carriers, seed);
        engine.reconcile = Some(Reconcile::after_start());
        engine
    }

    /// The engine of a process that goes on after a failed commit: orders that are out will still be answered.
    pub fn resume(carriers: Vec<Carrier>, seed: u64) -> Self {
        let overdue = vec![Moment(0); carriers.len()];
        Self {
            contexts: Contexts::default(),
            pacer: Pacer::default(),
            carriers: Carriers::new(carriers),
            addresses: Addresses::default(),
            cursor: (SubCampaignId(0), 0),
            reconcile: Some(Reconcile::after_failure()),
            placed: Placed::default(),
            stopped: BTreeSet::new(),
            overdue,
            started: None,
            random: SmallRng::seed_from_u64(seed),
        }
    }

    /// Whether what was left open has been looked through.
    pub fn is_reconciled(&self) -> bool {
        self.reconcile.is_none()
    }

    /// One step. Everything it writes is in `tx`; what it answers is to be done after the commit.
    pub fn step<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        now: Moment,
        inputs: Inputs,
    ) -> Result<Decisions> {
        let mut decisions = Decisions {
            orders: vec![Vec::new(); self.carriers.len()],
            queries: vec![Vec::new(); self.carriers.len()],
            withdrawals: vec![Vec::new(); self.carriers.len()],
            next_wake: Moment::NEVER,
            ..Decisions::default()
        };
        self.started.get_or_insert(now);
        self.carriers.set_room(&inputs.room);
        self.contexts.refresh(tx)?;
        let sorted = Sorted::new(inputs.events, &mut decisions.acknowledgements);
        self.reconcile(tx, now, &mut decisions)?;
        self.receive(tx, sorted.messages, now, &mut decisions)?;
        self.dispose(tx, sorted.answers, sorted.reports, now, &mut decisions)?;
        self.end_overdue(tx, now, &mut decisions)?;
        self.converge(tx, now)?;
        if self.reconcile.is_none() {
            self.dial(tx, now, &mut decisions)?;
            self.converge(tx, now)?;
        } else {
            decisions.next_wake = now;
        }
        self.withdraw(now, &mut decisions);
        self.contexts.caught_up(tx)?;
        self.plan(now, &mut decisions);
        Ok(decisions)
    }

    fn reconcile<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        now: Moment,
        decisions: &mut Decisions,
    ) -> Result<()> {
        let Some(reconcile) = &mut self.reconcile else {
            return Ok(());
        };
        let mut changes = Changes::default();
        let piece = reconcile.piece(tx, &mut self.contexts, &mut changes, &self.carriers, now)?;
        changes.write(tx, now)?;
        for (carrier, query) in piece.queries {
            decisions.queries[carrier].push(query);
        }
        decisions.done.unknown += piece.unknown;
        piece.out.into_iter().for_each(|out| self.placed.place(out));
        if piece.is_last {
            self.reconcile = None;
        }
        Ok(())
    }

    fn receive<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        messages: Vec<Message>,
        now: Moment,
        decisions: &mut Decisions,
    ) -> Result<()> {
        if messages.is_empty() {
            return Ok(());
        }
        let received = receive(tx, &mut self.addresses, &mut self.carriers, messages, now)?;
        decisions.done.received += received.messages;
        decisions.done.opted_out += received.opted_out;
        self.stopped.extend(received.stopped);
        for (carrier, order) in received.orders {
            decisions.orders[carrier].push(order);
        }
        Ok(())
    }

    fn dispose<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        answers: Vec<Answered>,
        reports: Vec<Reported>,
        now: Moment,
        decisions: &mut Decisions,
    ) -> Result<()> {
        if answers.is_empty() && reports.is_empty() {
            return Ok(());
        }
        for answered in &answers {
            self.placed.forget(answered.attempt);
        }
        let mut changes = Changes::default();
        let carriers = &self.carriers;
        let knows = Knowledge {
            receipts: &|name| carriers.has_receipts(name),
            started: self.started.unwrap_or(now),
        };
        let disposed = dispose(
            tx,
            &mut self.contexts,
            &mut changes,
            knows,
            answers,
            reports,
            now,
        )?;
        changes.write(tx, now)?;
        decisions.done.answers += disposed.answers;
        decisions.done.ended += disposed.ended;
        decisions.done.withdrawn += disposed.withdrawn;
        Ok(())
    }

    /// Attempts whose final receipt has not come in time are Success (`entities.md` 7.4).
    fn end_overdue<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        now: Moment,
        decisions: &mut Decisions,
    ) -> Result<()> {
        for index in 0..self.carriers.len() {
            if self.overdue[index] > now {
                continue;
            }
            let carrier = self.carriers.get(index);
            let wait = carrier.capabilities.receipt_wait_ms;
            let open = tx.open_attempts_of_carrier(&carrier.name, OVERDUE_PIECE)?;
            let due = |accepted: Option<Moment>| accepted.unwrap_or(now).plus(wait);
            let overdue: Vec<AttemptId> = open
                .iter()
                .filter(|attempt| due(attempt.accepted) <= now)
                .map(|attempt| attempt.id)
                .collect();
            // Whoever is accepted later is due later, so nothing is missed until then.
            self.overdue[index] = if overdue.len() == OVERDUE_PIECE {
                now
            } else {
                let waiting = open.iter().map(|attempt| due(attempt.accepted));
                waiting
                    .filter(|due| *due > now)
                    .min()
                    .unwrap_or(now.plus(wait))
                    .min(now.plus(wait))
            };
            if overdue.is_empty() {
                continue;
            }
            let mut changes = Changes::default();
            let result = AttemptResult::Success;
            let contexts = &mut self.contexts;
            let ended = dispose::end_all(tx, contexts, &mut changes, &overdue, result, now)?;
            changes.write(tx, now)?;
            decisions.done.ended += ended;
        }
        Ok(())
    }

    fn converge<T: Transaction + ?Sized>(&mut self, tx: &mut T, now: Moment) -> Result<()> {
        for id in self.contexts.live().to_vec() {
            let Some(context) = self.contexts.held(id) else {
                continue;
            };
            let is_due = context.look_again <= now;
            if context.changed || is_due {
                converge::converge(tx, context, now)?;
                context.look_again = converge::next_change(context, now).max(now.plus(1));
            }
        }
        Ok(())
    }

    fn dial<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        now: Moment,
        decisions: &mut Decisions,
    ) -> Result<()> {
        self.pacer
            .reckon(tx, &mut self.contexts, &self.carriers, now)?;
        self.contexts
            .iter_mut()
            .for_each(|context| context.places_written());
        let mut changes = Changes::default();
        let mut dialler = Dialler {
            contexts: &mut self.contexts,
            pacer: &mut self.pacer,
            carriers: &mut self.carriers,
            changes: &mut changes,
            cursor: &mut self.cursor,
        };
        let dialled = dial(tx, &mut dialler, now)?;
        changes.write(tx, now)?;
        decisions.done.attempts += dialled.attempts;
        decisions.done.denied += dialled.denied;
        decisions.done.skipped += dialled.skipped;
        dialled
            .out
            .into_iter()
            .for_each(|out| self.placed.place(out));
        for (carrier, order) in dialled.orders {
            decisions.orders[carrier].push(order);
        }
        // A tick that was filled has left work behind.
        if dialled.attempts + dialled.denied + dialled.skipped >= crate::limits::DIAL_MAX {
            decisions.next_wake = now;
        }
        Ok(())
    }

    /// What became of the orders is learnt from their answers, as always.
    fn withdraw(&mut self, now: Moment, decisions: &mut Decisions) {
        let forbidden = self
            .placed
            .take_forbidden(&mut self.contexts, &self.stopped, now);
        for (carrier, attempt) in forbidden {
            decisions.withdrawals[carrier].push(attempt);
        }
        if self.reconcile.is_none() {
            self.stopped.clear();
        }
    }

    /// When the next step is due: a permit, a contact, an opening, a state, a receipt that will be overdue.
    fn plan(&mut self, now: Moment, decisions: &mut Decisions) {
        let mut next = decisions.next_wake;
        for due in &self.overdue {
            next = next.min(*due);
        }
        for id in self.contexts.live().to_vec() {
            let Some(context) = self.contexts.held(id) else {
                continue;
            };
            next = next.min(context.look_again);
            if !context.run.may_attempt() {
                continue;
            }
            let mut by_pass: BTreeMap<u16, Moment> = BTreeMap::new();
            for ((pass, _), lane) in &context.lanes {
                let is_open = lane.opening.is_some_and(|opening| opening.is_open());
                if lane.waiting > 0 && is_open {
                    let due = by_pass.entry(*pass).or_insert(Moment::NEVER);
                    *due = (*due).min(lane.due);
                }
            }
            for (index, due) in by_pass {
                if due > now {
                    next = next.min(due);
                } else if let Some(permit) = self.pacer.next_permit((id, index), now) {
                    // A permit that could not be used waits for room in a channel, which nothing announces.
                    next = next.min(permit.max(now.plus(ROOM_WAIT)));
                }
            }
        }
        decisions.next_wake = next.max(now);
    }

    /// What the status page shows.
    pub fn status(&mut self, now: Moment) -> Status {
        Status::of(&mut self.contexts, &self.pacer, now)
    }

    /// A number by chance, for whoever drives the engine: jitter of back-offs.
    pub fn chance(&mut self) -> u64 {
        self.random.next_u64()
    }

    /// The carriers, in the order in which orders are answered.
    pub fn carriers(&self) -> &Carriers {
        &self.carriers
    }
}

/// Events by kind, each kind in order.
#[derive(Default)]
struct Sorted {
    answers: Vec<Answered>,
    reports: Vec<Reported>,
    messages: Vec<Message>,
}

impl Sorted {
    fn new(events: Vec<Event>, acknowledgements: &mut Vec<Acknowledge>) -> Self {
        let mut sorted = Self::default();
        for event in events {
            match event {
                Event::Answer {
                    attempt,
                    answer,
                    at,
                } => {
                    sorted.answers.push(Answered {
                        attempt,
                        answer,
                        at,
                    });
                }
                Event::Report {
                    carrier,
                    message_id,
                    reference: _,
                    report,
                    at,
                    acknowledge,
                } => {
                    let attempt = None;
                    sorted.reports.push(Reported {
                        carrier,
                        attempt,
                        message_id,
                        report,
                        at,
                    });
                    acknowledgements.push(acknowledge);
                }
                Event::Inbound {
                    carrier,
                    from,
                    to,
                    body,
                    at,
                    acknowledge,
                } => {
                    sorted.messages.push(Message {
                        carrier,
                        from,
                        to,
                        body,
                        at,
                    });
                    acknowledgements.push(acknowledge);
                }
                Event::Queried {
                    attempt,
                    message_id,
                    report,
                    at,
                } => {
                    // A carrier that does not know leaves the attempt waiting for its receipts.
                    let report =
                        report.map(|said| Reported::of_query(attempt, message_id, said, at));
                    sorted.reports.extend(report);
                }
                Event::Link { carrier, up, .. } => {
                    tracing::info!(carrier = &*carrier, up, "a carrier's link changed");
                }
            }
        }
        sorted
    }
}
