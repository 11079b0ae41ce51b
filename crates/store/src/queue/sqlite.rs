//! The queue in SQLite.

use super::{Lane, Place, QueueRead, QueueWrite, Waiting};
use crate::Result;
use crate::sqlite::session::{Session, rows};
use crate::sqlite::statement::sql;
use carillon_model::{ContactId, Moment, SubCampaignId};
use rusqlite::params;
use std::collections::BTreeMap;

impl QueueRead for Session {
    fn lanes(&self, run: SubCampaignId) -> Result<Vec<Lane>> {
        self.list(sql!("lanes"), [run.0], |row| {
            Ok(Lane {
                number: row.get(0)?,
                facts: row.get(1)?,
            })
        })
    }

    fn waiting(&self, run: SubCampaignId) -> Result<Vec<Waiting>> {
        self.list(sql!("waiting"), [run.0], |row| {
            Ok(Waiting {
                pass: row.get(0)?,
                lane: row.get(1)?,
                contacts: row.get(2)?,
            })
        })
    }

    fn next_due(&self, run: SubCampaignId, pass: u16, lane: u32) -> Result<Option<Moment>> {
        self.one(sql!("next_due"), params![run.0, pass, lane], |row| {
            Ok(Moment(row.get(0)?))
        })
    }

    fn is_waiting(&self, run: SubCampaignId, place: &Place) -> Result<bool> {
        let key = params![
            run.0,
            place.pass,
            place.lane,
            place.due.0,
            place.rank,
            place.contact.0
        ];
        Ok(self.statement(sql!("is_waiting"))?.exists(key)?)
    }
}

impl QueueWrite for Session {
    fn intern_lane(&mut self, run: SubCampaignId, facts: &[u8]) -> Result<u32> {
        let known = self.one(sql!("lane_by_facts"), params![run.0, facts], |row| {
            Ok(row.get(0)?)
        })?;
        if let Some(number) = known {
            return Ok(number);
        }
        let added = self.one(sql!("add_lane"), params![run.0, facts], |row| {
            Ok(row.get(0)?)
        })?;
        Ok(added.expect("an insert returns its row"))
    }

    fn enqueue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<()> {
        let mut changes = Changes::new();
        let mut enqueue = self.statement(sql!("enqueue"))?;
        for place in places {
            let key = params![
                run.0,
                place.pass,
                place.lane,
                place.due.0,
                place.rank,
                place.contact.0
            ];
            let added = enqueue.execute(key)?;
            *changes.entry((place.pass, place.lane)).or_default() += rows(added);
        }
        drop(enqueue);
        self.change_waiting(run, &changes)
    }

    fn claim(
        &mut self,
        run: SubCampaignId,
        pass: u16,
        lane: u32,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Place>> {
        let head = params![run.0, pass, lane, now.0, rows(limit)];
        let places = self.list(sql!("head_places"), head, |row| {
            Ok(Place {
                pass,
                lane,
                due: Moment(row.get(0)?),
                rank: row.get(1)?,
                contact: ContactId(row.get(2)?),
            })
        })?;
        let Some(last) = places.last() else {
            return Ok(places);
        };
        let taken = self.execute(
            sql!("take_head_places"),
            params![run.0, pass, lane, last.due.0, last.rank, last.contact.0],
        )?;
        assert_eq!(
            taken,
            places.len(),
            "the range from the head to the last place holds the places that were read"
        );
        self.change_waiting(run, &Changes::from([((pass, lane), -rows(taken))]))?;
        Ok(places)
    }

    fn dequeue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<Vec<bool>> {
        let mut changes = Changes::new();
        let mut were_there = Vec::with_capacity(places.len());
        let mut dequeue = self.statement(sql!("dequeue"))?;
        for place in places {
            let key = params![
                run.0,
                place.pass,
                place.lane,
                place.due.0,
                place.rank,
                place.contact.0
            ];
            let taken = dequeue.execute(key)?;
            were_there.push(taken == 1);
            *changes.entry((place.pass, place.lane)).or_default() -= rows(taken);
        }
        drop(dequeue);
        self.change_waiting(run, &changes)?;
        Ok(were_there)
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

/// Changes of the number waiting, by pass and lane.
type Changes = BTreeMap<(u16, u32), i64>;

impl Session {
    fn change_waiting(&self, run: SubCampaignId, changes: &Changes) -> Result<()> {
        for ((pass, lane), change) in changes.iter().filter(|(_, change)| **change != 0) {
            self.execute(sql!("change_waiting"), params![run.0, pass, lane, change])?;
        }
        Ok(())
    }
}
