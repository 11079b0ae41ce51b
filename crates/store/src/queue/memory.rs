//! The queue in memory: places sort by their key, so the head of a lane is the start of a range.

use super::{Lane, Place, QueueRead, QueueWrite, Waiting};
use crate::Result;
use crate::memory::State;
use carillon_model::{ContactId, Moment, SubCampaignId};
use imbl::{OrdMap, OrdSet};

/// Lanes and places of all runs.
#[derive(Clone, Default)]
pub(crate) struct Queues {
    lanes: OrdMap<(SubCampaignId, u32), Vec<u8>>,
    numbers: OrdMap<(SubCampaignId, Vec<u8>), u32>,
    waiting: OrdMap<(SubCampaignId, u16, u32), i64>,
    places: OrdSet<(SubCampaignId, Place)>,
}

impl Queues {
    fn change_waiting(&mut self, run: SubCampaignId, place: &Place, change: i64) {
        *self
            .waiting
            .entry((run, place.pass, place.lane))
            .or_insert(0) += change;
    }

    fn take(&mut self, run: SubCampaignId, place: &Place) -> bool {
        let was_there = self.places.remove(&(run, *place)).is_some();
        if was_there {
            self.change_waiting(run, place, -1);
        }
        was_there
    }

    /// The places of a lane that are due at a moment.
    fn due(
        &self,
        run: SubCampaignId,
        pass: u16,
        lane: u32,
        due: Moment,
    ) -> impl Iterator<Item = Place> {
        let first = Place {
            pass,
            lane,
            due: Moment(i64::MIN),
            rank: i64::MIN,
            contact: ContactId(i64::MIN),
        };
        let last = Place {
            pass,
            lane,
            due,
            rank: i64::MAX,
            contact: ContactId(i64::MAX),
        };
        self.places
            .range((run, first)..=(run, last))
            .map(|(_, place)| *place)
    }
}

impl QueueRead for State {
    fn lanes(&self, run: SubCampaignId) -> Result<Vec<Lane>> {
        let range = self.queue.lanes.range((run, 0)..=(run, u32::MAX));
        Ok(range
            .map(|((_, number), facts)| Lane {
                number: *number,
                facts: facts.clone(),
            })
            .collect())
    }

    fn waiting(&self, run: SubCampaignId) -> Result<Vec<Waiting>> {
        let range = self
            .queue
            .waiting
            .range((run, 0, 0)..=(run, u16::MAX, u32::MAX));
        let waiting = range.map(|((_, pass, lane), contacts)| Waiting {
            pass: *pass,
            lane: *lane,
            contacts: *contacts,
        });
        Ok(waiting.filter(|waiting| waiting.contacts != 0).collect())
    }

    fn next_due(&self, run: SubCampaignId, pass: u16, lane: u32) -> Result<Option<Moment>> {
        Ok(self
            .queue
            .due(run, pass, lane, Moment(i64::MAX))
            .next()
            .map(|place| place.due))
    }

    fn is_waiting(&self, run: SubCampaignId, place: &Place) -> Result<bool> {
        Ok(self.queue.places.contains(&(run, *place)))
    }
}

impl QueueWrite for State {
    fn intern_lane(&mut self, run: SubCampaignId, facts: &[u8]) -> Result<u32> {
        let key = (run, facts.to_vec());
        if let Some(number) = self.queue.numbers.get(&key) {
            return Ok(*number);
        }
        let last = self
            .queue
            .lanes
            .range((run, 0)..=(run, u32::MAX))
            .next_back()
            .map_or(0, |((_, number), _)| *number);
        let number = last + 1;
        self.queue.lanes.insert((run, number), facts.to_vec());
        self.queue.numbers.insert(key, number);
        Ok(number)
    }

    fn enqueue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<()> {
        for place in places {
            if self.queue.places.insert((run, *place)).is_none() {
                self.queue.change_waiting(run, place, 1);
            }
        }
        Ok(())
    }

    fn claim(
        &mut self,
        run: SubCampaignId,
        pass: u16,
        lane: u32,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Place>> {
        let places: Vec<Place> = self.queue.due(run, pass, lane, now).take(limit).collect();
        for place in &places {
            self.queue.take(run, place);
        }
        Ok(places)
    }

    fn dequeue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<Vec<bool>> {
        Ok(places
            .iter()
            .map(|place| self.queue.take(run, place))
            .collect())
    }

    fn sweep(
        &mut self,
        run: SubCampaignId,
        pass: u16,
        lane: u32,
        limit: usize,
    ) -> Result<Vec<Place>> {
        self.claim(run, pass, lane, Moment(i64::MAX), limit)
    }
}
