//! Orders that were placed and not answered yet, and which of them must not leave any more (`entities.md` 7.4): those of a
//! run that is paused or stopped, of a batch that is cancelled or over, to a device that was opted out. The channel gives
//! back what it has not handed over; its answers tell which those were, so nothing is concluded here.

use crate::carriers::Carriers;
use crate::context::{Contexts, RunContext};
use crate::dispose::OUTSIDE;
use crate::limits::ORDERS_HELD_MAX;
use carillon_model::attempt::Attempt;
use carillon_model::contact::DeviceKey;
use carillon_model::{
    AttemptId, BatchId, ChannelType, Moment, OrgId, SubCampaignId, SubCampaignState,
};
use std::collections::{BTreeMap, BTreeSet};

/// An order that is out.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    attempt: AttemptId,
    run: SubCampaignId,
    batch: Option<BatchId>,
    account: OrgId,
    device: DeviceKey,
    channel: ChannelType,
    /// Index of its carrier.
    carrier: usize,
}

impl Out {
    /// The order of an attempt; none for what stands outside the passes: an automatic reply is never taken back.
    pub fn of(attempt: &Attempt, carriers: &Carriers) -> Option<Self> {
        if attempt.number == OUTSIDE {
            return None;
        }
        Some(Self {
            attempt: attempt.id,
            run: attempt.run,
            batch: attempt.batch,
            account: OrgId(attempt.account),
            device: attempt.device,
            channel: attempt.channel,
            carrier: carriers.find(&attempt.carrier)?,
        })
    }
}

/// A device whose owner said STOP, towards an Account.
pub type Stopped = (OrgId, DeviceKey);

/// The orders that are out and were not asked back.
#[derive(Debug, Default)]
pub struct Placed {
    orders: BTreeMap<AttemptId, Out>,
    /// The same by run and batch, so that looking for those that are over costs nothing while none is.
    groups: BTreeMap<(SubCampaignId, Option<BatchId>), BTreeSet<AttemptId>>,
}

impl Placed {
    /// An order is out.
    pub fn place(&mut self, out: Out) {
        if self.orders.len() < ORDERS_HELD_MAX {
            self.orders.insert(out.attempt, out);
            let group = self.groups.entry((out.run, out.batch)).or_default();
            group.insert(out.attempt);
        }
    }

    /// An order was answered, or asked back: nothing is left to do about it.
    pub fn forget(&mut self, attempt: AttemptId) -> Option<Out> {
        let out = self.orders.remove(&attempt)?;
        let key = (out.run, out.batch);
        if let Some(group) = self.groups.get_mut(&key) {
            group.remove(&attempt);
            if group.is_empty() {
                self.groups.remove(&key);
            }
        }
        Some(out)
    }

    /// Takes the orders that must not leave any more: attempts with the index of their carrier, in order.
    pub fn take_forbidden(
        &mut self,
        contexts: &mut Contexts,
        stopped: &BTreeSet<Stopped>,
        now: Moment,
    ) -> Vec<(usize, AttemptId)> {
        let mut forbidden = BTreeSet::new();
        for ((run, batch), attempts) in &self.groups {
            let is_over = contexts
                .held(*run)
                .is_some_and(|context| is_over(context, *batch, now));
            if is_over {
                forbidden.extend(attempts);
            }
        }
        if !stopped.is_empty() {
            let has_stopped = |out: &&Out| {
                out.channel == ChannelType::Text && stopped.contains(&(out.account, out.device))
            };
            let orders = self.orders.values().filter(has_stopped);
            forbidden.extend(orders.map(|out| out.attempt));
        }
        let taken = forbidden.into_iter().filter_map(|id| self.forget(id));
        taken.map(|out| (out.carrier, out.attempt)).collect()
    }
}

/// Whether no attempt of a run and batch may leave any more. Windows that close are no case of this: each order says itself
/// when it expires.
fn is_over(context: &RunContext, batch: Option<BatchId>, now: Moment) -> bool {
    use SubCampaignState::{Cancelled, Paused, Stopping};
    let batch_is_over = |batch| {
        context
            .batches
            .get(&batch)
            .is_none_or(|known| known.run.end_time <= now)
    };
    matches!(context.run.state, Paused | Stopping | Cancelled) || batch.is_some_and(batch_is_over)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(id: i64, run: i64, batch: Option<i64>, address: &str, channel: ChannelType) -> Out {
        Out {
            attempt: AttemptId(id),
            run: SubCampaignId(run),
            batch: batch.map(BatchId),
            account: OrgId(1),
            device: DeviceKey::of(address),
            channel,
            carrier: 0,
        }
    }

    #[test]
    fn a_stop_takes_back_the_texts_to_its_device_once() {
        use ChannelType::{Email, Text};
        let mut placed = Placed::default();
        for (id, address, channel) in [
            (1, "+12125550001", Text),
            (2, "+12125550002", Text),
            (3, "+12125550001", Email),
            (4, "+12125550001", Text),
            (5, "+12125550001", Text),
        ] {
            placed.place(out(id, 7, None, address, channel));
        }
        assert!(placed.forget(AttemptId(5)).is_some(), "answered");
        let mut contexts = Contexts::default();
        let stopped = |account| BTreeSet::from([(OrgId(account), DeviceKey::of("+12125550001"))]);
        let none = placed.take_forbidden(&mut contexts, &stopped(2), Moment(0));
        assert!(none.is_empty(), "another Account's people");
        let taken = placed.take_forbidden(&mut contexts, &stopped(1), Moment(0));
        assert_eq!(taken, [(0, AttemptId(1)), (0, AttemptId(4))]);
        let again = placed.take_forbidden(&mut contexts, &stopped(1), Moment(0));
        assert!(again.is_empty(), "asked back once");
        assert_eq!(placed.orders.len(), 2);
        assert_eq!(placed.groups[&(SubCampaignId(7), None)].len(), 2);
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut placed = Placed::default();
        for id in 0..ORDERS_HELD_MAX as i64 + 10 {
            placed.place(out(id, 7, None, "+12125550001", ChannelType::Text));
        }
        assert_eq!(placed.orders.len(), ORDERS_HELD_MAX);
    }
}
