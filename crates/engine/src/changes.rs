//! What a tick changes, gathered so that each table is written once: counters, places in the queue, progress and denials.
//! Every movement of a contact has its one function here, which is why the invariants of `entities.md` 8 hold: nothing
//! else in the engine touches a counter.

use carillon_model::attempt::Attempt;
use carillon_model::counter::{Counters, Subject};
use carillon_model::run::Progress;
use carillon_model::{BatchId, Moment, SubCampaignId};
use carillon_store::queue::Place;
use carillon_store::verdict::Denial;
use carillon_store::{Result, Transaction};
use std::collections::BTreeMap;

/// Changes not yet written.
#[derive(Debug, Default)]
pub struct Changes {
    counters: BTreeMap<Subject, Counters>,
    places: BTreeMap<SubCampaignId, Vec<Place>>,
    progress: Vec<Progress>,
    denials: Vec<Denial>,
}

/// Whose counters a movement changes.
#[derive(Debug, Clone, Copy)]
pub struct Whose {
    /// The run.
    pub run: SubCampaignId,
    /// Index of the pass.
    pub pass: u16,
    /// The batch.
    pub batch: Option<BatchId>,
}

impl Whose {
    /// Whose an attempt is.
    pub fn of(attempt: &Attempt) -> Self {
        Self {
            run: attempt.run,
            pass: attempt.pass,
            batch: attempt.batch,
        }
    }
}

/// How far a contact has come, as counters see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// No finished attempt.
    NotAttempted,
    /// A finished attempt, none delivered.
    Failed,
    /// A delivered one.
    Delivered,
}

impl Class {
    /// By whether any finished attempt counted, and any was delivered.
    pub fn of(attempted: bool, delivered: bool) -> Self {
        match (delivered, attempted) {
            (true, _) => Self::Delivered,
            (false, true) => Self::Failed,
            (false, false) => Self::NotAttempted,
        }
    }

    fn add(self, counters: &mut Counters, count: i64) {
        match self {
            Self::NotAttempted => counters.not_attempted += count,
            Self::Failed => counters.failed += count,
            Self::Delivered => counters.delivered += count,
        }
    }
}

impl Changes {
    /// Changes the counters of a run, its batch and the pass together.
    fn everywhere(&mut self, whose: Whose, change: impl Fn(&mut Counters)) {
        self.whole(whose, &change);
        change(
            self.counters
                .entry(Subject::pass(whose.run, whose.pass))
                .or_default(),
        );
    }

    /// Changes the counters of a run and its batch.
    fn whole(&mut self, whose: Whose, change: impl Fn(&mut Counters)) {
        change(self.counters.entry(Subject::whole(whose.run)).or_default());
        if let Some(batch) = whose.batch {
            change(self.counters.entry(Subject::whole(batch)).or_default());
        }
    }

    /// A place was taken out of the queue.
    pub fn left_queue(&mut self, whose: Whose) {
        self.everywhere(whose, |counters| counters.pending -= 1);
    }

    /// A contact waits (again).
    pub fn enqueue(&mut self, whose: Whose, place: Place) {
        self.everywhere(whose, |counters| counters.pending += 1);
        self.places.entry(whose.run).or_default().push(place);
    }

    /// A contact that waited is put back or moved to another lane of the same pass.
    pub fn requeue(&mut self, run: SubCampaignId, place: Place) {
        self.places.entry(run).or_default().push(place);
    }

    /// A contact has come into a later pass.
    pub fn entered_pass(&mut self, whose: Whose) {
        let counters = self
            .counters
            .entry(Subject::pass(whose.run, whose.pass))
            .or_default();
        counters.not_attempted += 1;
    }

    /// An attempt was written.
    pub fn attempt_written(&mut self, whose: Whose) {
        self.everywhere(whose, |counters| {
            counters.attempted += 1;
            counters.active += 1;
        });
    }

    /// An attempt was withdrawn before anything left: it counts for nothing.
    pub fn attempt_withdrawn(&mut self, whose: Whose) {
        self.everywhere(whose, |counters| {
            counters.attempted -= 1;
            counters.active -= 1;
        });
    }

    /// An attempt ended with a result that counts.
    pub fn attempt_ended(&mut self, whose: Whose) {
        self.everywhere(whose, |counters| counters.active -= 1);
    }

    /// A contact moved from one class to another, in the run and in the pass.
    pub fn reclassed(&mut self, whose: Whose, run: (Class, Class), pass: (Class, Class)) {
        self.whole(whose, |counters| {
            run.0.add(counters, -1);
            run.1.add(counters, 1);
        });
        let counters = self
            .counters
            .entry(Subject::pass(whose.run, whose.pass))
            .or_default();
        pass.0.add(counters, -1);
        pass.1.add(counters, 1);
    }

    /// A contact that was never attempted was denied.
    pub fn denied(&mut self, whose: Whose, denial: Denial) {
        self.everywhere(whose, |counters| {
            counters.not_attempted -= 1;
            counters.filtered += 1;
        });
        self.denials.push(denial);
    }

    /// What a contact has behind it.
    pub fn progress(&mut self, progress: Progress) {
        self.progress.push(progress);
    }

    /// Places put into the queue and not yet written, with their runs.
    pub fn places(&self) -> impl Iterator<Item = (SubCampaignId, &Place)> {
        self.places
            .iter()
            .flat_map(|(run, places)| places.iter().map(|place| (*run, place)))
    }

    /// Writes everything.
    pub fn write<T: Transaction + ?Sized>(self, tx: &mut T, now: Moment) -> Result<()> {
        if !self.denials.is_empty() {
            tx.put_denials(&self.denials)?;
        }
        if !self.progress.is_empty() {
            tx.put_progress(&self.progress)?;
        }
        for (run, places) in &self.places {
            tx.enqueue(*run, places)?;
        }
        let counters: Vec<(Subject, Counters)> = self
            .counters
            .into_iter()
            .filter(|(_, change)| !change.is_zero())
            .collect();
        if !counters.is_empty() {
            tx.count(now, &counters)?;
        }
        Ok(())
    }
}
