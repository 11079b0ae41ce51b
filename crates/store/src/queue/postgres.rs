//! The queue in PostgreSQL.
//!
//! A row that was taken stays in the index until the table is cleaned up, and a claim that began at the head of its lane would
//! pass over all of them. So the writer remembers the last key it took of each lane and goes on after it, until something is
//! put before that key.

use super::{Lane, Place, QueueRead, QueueWrite, Waiting};
use crate::Result;
use crate::limits::CLAIMS_REMEMBERED;
use crate::postgres::session::Session;
use crate::postgres::statement::sql;
use crate::postgres::value::{Number, number, numbers, small};
use crate::sqlite::session::rows;
use carillon_model::{ContactId, Moment, SubCampaignId};
use std::collections::{HashMap, HashSet};
use tokio_postgres::Row;

/// Up to which key each lane was taken: nothing waits at or before it.
#[derive(Debug, Default)]
pub(crate) struct Claims(HashMap<(SubCampaignId, u16, u32), Key>);

/// A place in its lane.
type Key = (i64, i64, i64);

impl Claims {
    fn of(&self, run: SubCampaignId, pass: u16, lane: u32) -> Key {
        let taken = self.0.get(&(run, pass, lane));
        taken.copied().unwrap_or((i64::MIN, i64::MIN, i64::MIN))
    }

    fn took(&mut self, run: SubCampaignId, last: &Place) {
        if self.0.len() >= CLAIMS_REMEMBERED {
            self.0.clear();
        }
        self.0.insert((run, last.pass, last.lane), key(last));
    }

    fn put(&mut self, run: SubCampaignId, places: &[Place]) {
        for place in places {
            let lane = (run, place.pass, place.lane);
            if self.0.get(&lane).is_some_and(|taken| key(place) <= *taken) {
                self.0.remove(&lane);
            }
        }
    }
}

fn key(place: &Place) -> Key {
    (place.due.0, place.rank, place.contact.0)
}

impl QueueRead for Session {
    fn lanes(&self, run: SubCampaignId) -> Result<Vec<Lane>> {
        self.list(sql!("lanes"), &[&run.0], |row| {
            Ok(Lane {
                number: small(row, 0)?,
                facts: row.try_get(1)?,
            })
        })
    }

    fn waiting(&self, run: SubCampaignId) -> Result<Vec<Waiting>> {
        self.list(sql!("waiting"), &[&run.0], |row| {
            Ok(Waiting {
                pass: small(row, 0)?,
                lane: small(row, 1)?,
                contacts: number(row, 2)?,
            })
        })
    }

    fn next_due(&self, run: SubCampaignId, pass: u16, lane: u32) -> Result<Option<Moment>> {
        let lane = [Number(run.0), Number(pass.into()), Number(lane.into())];
        self.one(sql!("next_due"), &[&lane[0], &lane[1], &lane[2]], |row| {
            Ok(Moment(number(row, 0)?))
        })
    }

    fn is_waiting(&self, run: SubCampaignId, place: &Place) -> Result<bool> {
        let found = self.query(
            sql!("is_waiting"),
            &[
                &run.0,
                &Number(place.pass.into()),
                &Number(place.lane.into()),
                &place.due.0,
                &place.rank,
                &place.contact.0,
            ],
        )?;
        Ok(!found.is_empty())
    }
}

impl QueueWrite for Session {
    fn intern_lane(&mut self, run: SubCampaignId, facts: &[u8]) -> Result<u32> {
        let known = self.one(sql!("lane_by_facts"), &[&run.0, &facts], |row| {
            small(row, 0)
        })?;
        if let Some(number) = known {
            return Ok(number);
        }
        let added = self.one(sql!("add_lane"), &[&run.0, &facts], |row| small(row, 0))?;
        Ok(added.expect("an insert returns its row"))
    }

    fn enqueue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<()> {
        self.claims.put(run, places);
        let [pass, lane, due, rank, contact] = columns(places);
        self.execute(
            sql!("enqueue"),
            &[&run.0, &pass, &lane, &due, &rank, &contact],
        )
        .map(|_| ())
    }

    fn claim(
        &mut self,
        run: SubCampaignId,
        pass: u16,
        lane: u32,
        now: Moment,
        limit: usize,
    ) -> Result<Vec<Place>> {
        let (due, rank, contact) = self.claims.of(run, pass, lane);
        let mut places = self.list(
            sql!("claim"),
            &[
                &run.0,
                &Number(pass.into()),
                &Number(lane.into()),
                &due,
                &rank,
                &contact,
                &now.0,
                &rows(limit),
            ],
            |row| {
                Ok(Place {
                    pass,
                    lane,
                    due: Moment(number(row, 0)?),
                    rank: number(row, 1)?,
                    contact: ContactId(number(row, 2)?),
                })
            },
        )?;
        places.sort_unstable();
        if let Some(last) = places.last() {
            self.claims.took(run, last);
        }
        Ok(places)
    }

    fn dequeue(&mut self, run: SubCampaignId, places: &[Place]) -> Result<Vec<bool>> {
        let [pass, lane, due, rank, contact] = columns(places);
        let taken = self.list(
            sql!("dequeue"),
            &[&run.0, &pass, &lane, &due, &rank, &contact],
            read,
        )?;
        let mut taken: HashSet<Place> = taken.into_iter().collect();
        Ok(places.iter().map(|place| taken.remove(place)).collect())
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

/// pass, lane, due, rank, contact.
fn columns(places: &[Place]) -> [Vec<Number>; 5] {
    [
        numbers(places, |place| place.pass.into()),
        numbers(places, |place| place.lane.into()),
        numbers(places, |place| place.due.0),
        numbers(places, |place| place.rank),
        numbers(places, |place| place.contact.0),
    ]
}

fn read(row: &Row) -> Result<Place> {
    Ok(Place {
        pass: small(row, 0)?,
        lane: small(row, 1)?,
        due: Moment(number(row, 2)?),
        rank: number(row, 3)?,
        contact: ContactId(number(row, 4)?),
    })
}
