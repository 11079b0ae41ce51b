//! Which waiting contacts may start now: passes take turns, permits are shared among their open lanes, and what is due in
//! them is claimed (`claim`). The orders leave only after the commit.

use crate::carriers::Carriers;
use crate::changes::Changes;
use crate::claim::LaneDial;
use crate::context::{Contexts, RunContext};
use crate::limits::{CLAIM_MAX, DIAL_MAX};
use crate::pace::{Pacer, PassOf};
use crate::withdraw::Out;
use carillon_channel::Order;
use carillon_model::Moment;
use carillon_model::pass::Pass;
use carillon_store::{Result, Transaction};

/// What a tick has dialled.
#[derive(Debug, Default)]
pub struct Dialled {
    /// Orders with the index of their carrier.
    pub orders: Vec<(usize, Order)>,
    /// The orders, as they are remembered.
    pub(crate) out: Vec<Out>,
    /// Attempts written.
    pub attempts: usize,
    /// Contacts denied.
    pub denied: usize,
    /// Contacts skipped in their pass.
    pub skipped: usize,
    /// Contacts whose own past makes them wait.
    pub deferred: usize,
}

impl Dialled {
    /// Contacts that were looked at, whatever became of them.
    fn seen(&self) -> usize {
        self.attempts + self.denied + self.skipped + self.deferred
    }
}

/// The parts of the engine that dialling moves.
pub struct Dialler<'a> {
    /// Runs.
    pub contexts: &'a mut Contexts,
    /// Paces.
    pub pacer: &'a mut Pacer,
    /// Carriers and their room.
    pub carriers: &'a mut Carriers,
    /// What is written at the end.
    pub changes: &'a mut Changes,
    /// Where the last tick left off.
    pub cursor: &'a mut PassOf,
}

/// Claims what may start now, pass after pass from where the last tick left off.
pub fn dial<T: Transaction + ?Sized>(
    tx: &mut T,
    dialler: &mut Dialler<'_>,
    now: Moment,
) -> Result<Dialled> {
    let mut dialled = Dialled::default();
    let passes = dialler.ready(now);
    let first = passes.partition_point(|pass| *pass <= *dialler.cursor);
    for pass in passes[first..].iter().chain(&passes[..first]) {
        let budget = DIAL_MAX.saturating_sub(dialled.seen());
        if budget == 0 {
            break;
        }
        dialler.dial_pass(tx, *pass, budget, &mut dialled, now)?;
        *dialler.cursor = *pass;
    }
    Ok(dialled)
}

impl Dialler<'_> {
    /// Passes in which somebody is due in an open lane, by run and pass.
    fn ready(&mut self, now: Moment) -> Vec<PassOf> {
        let mut ready = Vec::new();
        for id in self.contexts.live().to_vec() {
            let Some(context) = self.contexts.held(id) else {
                continue;
            };
            if !context.run.may_attempt() {
                continue;
            }
            for index in 0..context.passes().len() as u16 {
                if !context.open_lanes(index, now).is_empty() {
                    ready.push((id, index));
                }
            }
        }
        ready
    }

    fn dial_pass<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        of: PassOf,
        budget: usize,
        dialled: &mut Dialled,
        now: Moment,
    ) -> Result<()> {
        let Some(context) = self.contexts.held(of.0) else {
            return Ok(());
        };
        let Some(pass) = context.pass(of.1).cloned() else {
            return Ok(());
        };
        let room = self
            .carriers
            .room(pass.channel, context.is_emulated())
            .min(budget);
        let lanes = context.open_lanes(of.1, now);
        if room == 0 || lanes.is_empty() {
            return Ok(());
        }
        let permits = self.pacer.permits(of, room, now);
        if permits == 0 {
            return Ok(());
        }
        let shares = self.pacer.share(of, &lanes, permits, now);
        let mut left = permits;
        let mut unused = 0;
        for ((lane, _), share) in lanes.iter().zip(shares) {
            // What one lane could not use goes to the next.
            let limit = (share + unused).min(left).min(CLAIM_MAX);
            if limit == 0 {
                continue;
            }
            let before = dialled.attempts;
            let mut lane_dial =
                LaneDial::new(context, self.carriers, self.changes, &pass, of.1, *lane);
            lane_dial.run(tx, limit, dialled, now)?;
            let used = dialled.attempts - before;
            left -= used;
            unused = (share + unused).saturating_sub(used);
        }
        self.pacer.give_back(of, left);
        Ok(())
    }
}

impl RunContext {
    /// Lanes of a pass that are open and in which somebody is due, with how many wait.
    pub fn open_lanes(&mut self, pass: u16, now: Moment) -> Vec<(u32, i64)> {
        let due: Vec<(u32, i64)> = self
            .lanes
            .range((pass, 0)..=(pass, u32::MAX))
            .filter(|(_, lane)| lane.waiting > 0 && lane.due <= now)
            .map(|((_, number), lane)| (*number, lane.waiting))
            .collect();
        due.into_iter()
            .filter(|(lane, _)| {
                self.opening(pass, *lane, now)
                    .is_some_and(|opening| opening.is_open())
            })
            .collect()
    }

    /// Our address in a pass: its own, else the Campaign's, else the Account's caller ID.
    pub fn our_address(&self, pass: &Pass) -> String {
        pass.source_address
            .clone()
            .or_else(|| self.campaign.source_address.clone())
            .or_else(|| self.account.settings.default_caller_id.clone())
            .unwrap_or_default()
    }
}
