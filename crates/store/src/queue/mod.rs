//! The queue: contacts that wait for an attempt, in narrow rows keyed (run, pass, lane, due, rank, contact), apart from
//! the wide contacts. A closed lane costs nothing, so claiming is O(lanes + batch) whatever the size of the list.

pub(crate) mod memory;
pub(crate) mod postgres;
mod sqlite;

use crate::Result;
use carillon_model::{ContactId, Moment, SubCampaignId};

/// A place in the queue of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index of the pass, from 0.
    pub pass: u16,
    /// Number of the lane in the run.
    pub lane: u32,
    /// Not before this moment, by the contact's own history; 0 for a first attempt.
    pub due: Moment,
    /// Place in the contact order.
    pub rank: i64,
    /// Who waits.
    pub contact: ContactId,
}

/// A lane of a run: the contacts that share one answer to "may I be contacted now?". Its facts are opaque here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Number in the run, from 1.
    pub number: u32,
    /// What its contacts share, as bytes that compare equal when the facts do.
    pub facts: Vec<u8>,
}

/// How many wait in a lane of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Index of the pass.
    pub pass: u16,
    /// Number of the lane.
    pub lane: u32,
    /// Contacts waiting, due or not.
    pub contacts: i64,
}

/// Reading the queue.
pub trait QueueRead {
    /// Lanes of a run, by number.
    fn lanes(&self, run: SubCampaignId) -> Result<Vec<Lane>>;
    /// How many wait in each pass and lane where somebody does.
    fn waiting(&self, run: SubCampaignId) -> Result<Vec<Waiting>>;
    /// The due moment of the first place of a lane.
    fn next_due(&self, run: SubCampaignId, pass: u16, lane: u32) -> Result<Option<Moment>>;
    /// Whether exactly this place is taken.
    fn is_waiting(&self, run: SubCampaignId, place: &Place) -> Result<bool>;
}

/// Writing the queue.
pub trait QueueWrite {
    /// The number of the lane with these facts, made when it is new.
    fn intern_lane(&mut self, run: SubCampaignId, facts: &[u8]) -> Result<u32>;
    /// Adds places.
    fn enqueue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<()>;
    /// Takes up to `limit` places of a lane that are due at `now`, in key order.
    fn claim(
        &mut self,
        run: SubCampaignId,
        pass: u16,
        lane: u32,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Place>>;
    /// Takes exactly these places; answers which were there.
    fn dequeue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<Vec<bool>>;
    /// Takes up to `limit` places of a pass and lane, due or not: windows that closed for the last time, stopped runs.
    fn sweep(
        &mut self,
        run: SubCampaignId,
        pass: u16,
        lane: u32,
        limit: usize,
    ) -> Result<Vec<Place>>;
}
