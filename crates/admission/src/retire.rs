//! Taking the contacts of a batch out of the queue: its end has come, or it was cancelled. Exact, by the progress rows that
//! admission wrote for them; attempts already made end by themselves.

use crate::limits::RETIRE_MAX;
use carillon_model::counter::{Counters, Subject};
use carillon_model::run::{BatchRun, Place as Where};
use carillon_model::{ContactId, Moment, Reason};
use carillon_store::meta::Topic;
use carillon_store::queue::Place;
use carillon_store::{Result, Transaction};
use std::collections::BTreeMap;

/// Takes out the waiting ones among the next contacts of a batch, above `after`. Answers where to go on; none = all were
/// looked at.
pub fn retire<T: Transaction + ?Sized>(
    tx: &mut T,
    batch: &BatchRun,
    reason: Reason,
    after: ContactId,
    now: Moment,
) -> Result<Option<ContactId>> {
    let contacts = tx.contact_page(batch.id.0, after, RETIRE_MAX)?;
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let mut waiting: Vec<_> = tx
        .progress(batch.sub_campaign, &ids)?
        .into_iter()
        .flatten()
        .filter(|past| past.place == Where::Waiting)
        .collect();
    let places: Vec<Place> = waiting
        .iter()
        .map(|past| Place {
            pass: past.pass,
            lane: past.lane,
            due: past.due,
            rank: past.rank,
            contact: past.contact,
        })
        .collect();
    // A place that is not there belongs to an attempt that is out: its end finishes the contact.
    let mut taken = tx.dequeue(batch.sub_campaign, &places)?.into_iter();
    waiting.retain(|_| taken.next().unwrap_or(false));
    let mut counters: BTreeMap<Subject, Counters> = BTreeMap::new();
    for past in &mut waiting {
        past.place = Where::Finished;
        past.reason = Some(reason);
        for subject in [
            Subject::whole(batch.sub_campaign),
            Subject::pass(batch.sub_campaign, past.pass),
            Subject::whole(batch.id),
        ] {
            counters.entry(subject).or_default().pending -= 1;
        }
    }
    if !waiting.is_empty() {
        tx.put_progress(&waiting)?;
        tx.count(now, &counters.into_iter().collect::<Vec<_>>())?;
        tx.touch(Topic::Runs)?;
    }
    Ok(if ids.len() < RETIRE_MAX {
        None
    } else {
        ids.last().copied()
    })
}
