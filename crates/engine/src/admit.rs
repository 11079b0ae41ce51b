//! Work that is done in small bulk pieces beside the ticks, so that nobody waits for it: loading Lists into runs, sweeping
//! lanes whose last window has closed, whose contacts a new rule denies or whose run was stopped, taking out batches that
//! are over, and forgetting what is kept for a time only. Each piece is one unit; what it did stands in the store, so after
//! a crash the next piece goes on where the last one ended.

use crate::changes::{Changes, Whose};
use crate::conclude::fresh;
use crate::context::{Contexts, RunContext};
use crate::limits::{
    EARLY_RECEIPTS_KEPT, FORGET_PIECE, LOAD_PIECE, MESSAGES_KEPT, SWEEP_PIECE, TIDY_EVERY,
};
use crate::schedule;
use carillon_admission::filter::Filter;
use carillon_admission::{AdmitInto, Opening, Said, Speaker, admit, retire};
use carillon_model::contact::Contact;
use carillon_model::run::{Place as Where, Progress};
use carillon_model::{
    AttemptId, BatchId, ContactId, Moment, Reason, RuleId, SubCampaignId, SubCampaignState,
    SubCampaignType,
};
use carillon_store::meta::Topic;
use carillon_store::queue::Place;
use carillon_store::verdict::Denial;
use carillon_store::{Result, Transaction};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The pieces that are due, one after the other.
#[derive(Default)]
pub struct Chores {
    contexts: Contexts,
    tidied: Option<Moment>,
    /// How far batches that are over were taken out; none = all were looked at.
    retired: BTreeMap<BatchId, Option<ContactId>>,
}

/// What a piece did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Contacts or rows it handled.
    pub handled: usize,
    /// Whether another piece is due at once.
    pub more: bool,
    /// When to look again if nothing happens before.
    pub next: Moment,
}

/// Why a lane is swept.
#[derive(Debug, Clone, Copy)]
enum Sweep {
    /// Its contacts leave the pass without an attempt.
    Leave(Reason),
    /// Its contacts are denied.
    Deny(Reason, Option<(RuleId, u32)>),
    /// Its contacts get no more attempts at all.
    Finish(Reason),
}

impl Chores {
    /// Does one piece.
    pub fn work<T: Transaction + ?Sized>(&mut self, tx: &mut T, now: Moment) -> Result<Piece> {
        self.contexts.refresh(tx)?;
        for id in self.contexts.live().to_vec() {
            let handled = self.work_on(tx, id, now)?;
            if handled > 0 {
                self.contexts.caught_up(tx)?;
                return Ok(Piece {
                    handled,
                    more: true,
                    next: now,
                });
            }
        }
        let forgotten = self.tidy(tx, now)?;
        let next = now.plus(TIDY_EVERY).min(self.next_close(now));
        Ok(Piece {
            handled: forgotten,
            more: forgotten >= FORGET_PIECE,
            next,
        })
    }

    fn work_on<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        id: SubCampaignId,
        now: Moment,
    ) -> Result<usize> {
        let Some(context) = self.contexts.held(id) else {
            return Ok(0);
        };
        if context.run.state == SubCampaignState::Loading && !context.run.load.done {
            return load(tx, context, now);
        }
        if let Some(batch) = Self::batch_over(context, &self.retired, now) {
            let after = self
                .retired
                .get(&batch)
                .copied()
                .flatten()
                .unwrap_or_default();
            let run = &context.batches[&batch].run;
            let next = retire(tx, run, Reason::Expired, after, now)?;
            self.retired.insert(batch, next);
            return Ok(1);
        }
        match next_sweep(context, now) {
            Some((pass, lane, sweep)) => sweep_lane(tx, context, pass, lane, sweep, now),
            None => Ok(0),
        }
    }

    /// A batch past its end of which contacts may still wait.
    fn batch_over(
        context: &RunContext,
        retired: &BTreeMap<BatchId, Option<ContactId>>,
        now: Moment,
    ) -> Option<BatchId> {
        context
            .batches
            .values()
            .filter(|batch| batch.run.end_time <= now)
            .map(|batch| batch.run.id)
            .find(|id| !matches!(retired.get(id), Some(None)))
    }

    /// The next moment at which a lane may close for good or a batch ends.
    fn next_close(&mut self, now: Moment) -> Moment {
        let mut next = Moment::NEVER;
        for context in self.contexts.iter_mut() {
            // Of a run that stands still nothing is swept; its openings are looked at again when it goes on.
            let lanes = context.lanes.values().filter(|lane| lane.waiting > 0);
            for lane in lanes.filter(|_| is_swept(context.run.state)) {
                next = next.min(
                    lane.opening
                        .map_or(Moment::NEVER, |opening| opening.next_change()),
                );
            }
            for batch in context
                .batches
                .values()
                .filter(|batch| batch.run.end_time > now)
            {
                next = next.min(batch.run.end_time);
            }
        }
        next
    }

    fn tidy<T: Transaction + ?Sized>(&mut self, tx: &mut T, now: Moment) -> Result<usize> {
        if self.tidied.is_some_and(|at| now.since(at) < TIDY_EVERY) {
            return Ok(0);
        }
        let forgotten = tx.forget_messages(now.plus(-MESSAGES_KEPT), FORGET_PIECE)?;
        if forgotten < FORGET_PIECE {
            tx.drop_receipts(now.plus(-EARLY_RECEIPTS_KEPT))?;
            self.tidied = Some(now);
            let contexts = &mut self.contexts;
            self.retired.retain(|id, _| {
                contexts
                    .iter_mut()
                    .any(|context| context.batches.contains_key(id))
            });
        }
        Ok(forgotten)
    }
}

/// Admits the next contacts of a List.
fn load<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    now: Moment,
) -> Result<usize> {
    let list = context.sub_campaign.list.map_or(0, |list| list.0);
    let after = ContactId(context.run.load.contact_after);
    let contacts = tx.contact_page(list, after, LOAD_PIECE)?;
    let scripts = scripts(tx, context)?;
    // The doors refuse a bad filter; one that is there nevertheless takes nobody, which is seen and harms nobody.
    let filter = context.sub_campaign.filter.as_deref().map(Filter::parse);
    let objection = |contact: &Contact| {
        let is_taken = match &filter {
            None => true,
            Some(filter) => filter.as_ref().is_ok_and(|filter| filter.matches(contact)),
        };
        if !is_taken {
            return Some(Reason::FilterExpression);
        }
        scripts.iter().find_map(|(said, channel)| {
            said.objection(&Speaker {
                account: &context.account,
                campaign: &context.campaign,
                sub_campaign: &context.sub_campaign,
                contact,
                device: None,
                channel: *channel,
                attempt: AttemptId(0),
                number: 1,
                zone: None,
                now,
            })
        })
    };
    let into = AdmitInto {
        run: &context.run,
        sub_campaign: &context.sub_campaign,
        batch: None,
        duplicates: &[],
        objection: &objection,
        keep_judgement: after.0 == 0,
    };
    admit(tx, &context.rules, &into, &contacts, now)?;
    if let Some(last) = contacts.last() {
        context.run.load.contact_after = last.id.0;
    }
    context.run.load.done = contacts.len() < LOAD_PIECE;
    context.run.version += 1;
    tx.put_run(&context.run)?;
    Ok(contacts.len().max(1))
}

/// The Scripts of all passes.
fn scripts<T: Transaction + ?Sized>(
    tx: &T,
    context: &mut RunContext,
) -> Result<Vec<(Arc<Said>, carillon_model::ChannelType)>> {
    let mut scripts: Vec<(Arc<Said>, carillon_model::ChannelType)> = Vec::new();
    for index in 0..context.passes().len() {
        if let Some(said) = context.script(tx, index as u16, None)?
            && !scripts.iter().any(|(known, _)| Arc::ptr_eq(known, &said))
        {
            scripts.push((said, context.passes()[index].channel));
        }
    }
    Ok(scripts)
}

fn is_swept(state: SubCampaignState) -> bool {
    use SubCampaignState::*;
    matches!(state, Running | Pending | Completing)
}

/// The first lane in which contacts wait for nothing any more.
fn next_sweep(context: &mut RunContext, now: Moment) -> Option<(u16, u32, Sweep)> {
    let waiting: Vec<(u16, u32)> = context
        .lanes
        .iter()
        .filter(|(_, lane)| lane.waiting > 0)
        .map(|(place, _)| *place)
        .collect();
    let (pass, lane) = *waiting.first()?;
    if context.run.state == SubCampaignState::Stopping {
        return Some((pass, lane, Sweep::Finish(Reason::Skipped)));
    }
    if !is_swept(context.run.state) {
        return None;
    }
    if context.run.run_type == SubCampaignType::OnDemand && context.batches.is_empty() {
        return Some((pass, lane, Sweep::Finish(Reason::Expired)));
    }
    waiting
        .into_iter()
        .find_map(|(pass, lane)| match context.opening(pass, lane, now)? {
            Opening::Over { reason } => Some((pass, lane, Sweep::Leave(reason))),
            Opening::Denied { reason, rule, .. } => Some((pass, lane, Sweep::Deny(reason, rule))),
            Opening::Open { .. } | Opening::Closed { .. } => None,
        })
}

fn sweep_lane<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    pass: u16,
    lane: u32,
    sweep: Sweep,
    now: Moment,
) -> Result<usize> {
    let run = context.run.id;
    let places = tx.sweep(run, pass, lane, SWEEP_PIECE)?;
    context.note_claimed(pass, lane, places.len(), Moment(0));
    if places.len() < SWEEP_PIECE
        && let Some(state) = context.lanes.get_mut(&(pass, lane))
    {
        state.waiting = 0;
    }
    let ids: Vec<ContactId> = places.iter().map(|place| place.contact).collect();
    let contacts: HashMap<ContactId, Contact> = tx
        .contacts(&ids)?
        .into_iter()
        .map(|contact| (contact.id, contact))
        .collect();
    let mut changes = Changes::default();
    for (place, past) in places.iter().zip(tx.progress(run, &ids)?) {
        let contact = contacts.get(&place.contact);
        let batch = contact
            .filter(|_| context.run.run_type == SubCampaignType::OnDemand)
            .map(|contact| BatchId(contact.container));
        let whose = Whose { run, pass, batch };
        changes.left_queue(whose);
        let known = past.is_some();
        let past = past.unwrap_or_else(|| fresh(run, place.contact, pass, lane, place.rank));
        let past = Progress { pass, lane, ..past };
        sweep_one(
            tx,
            context,
            &mut changes,
            contact,
            whose,
            known,
            past,
            sweep,
            now,
        )?;
    }
    changes.write(tx, now)?;
    tx.touch(Topic::Runs)?;
    Ok(places.len().max(1))
}

#[expect(
    clippy::too_many_arguments,
    reason = "the state of one sweep, passed down once"
)]
fn sweep_one<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    changes: &mut Changes,
    contact: Option<&Contact>,
    whose: Whose,
    known: bool,
    mut past: Progress,
    sweep: Sweep,
    now: Moment,
) -> Result<()> {
    match (sweep, contact) {
        (Sweep::Leave(reason), Some(contact)) => {
            let place = schedule::leave_pass(
                tx,
                context,
                changes,
                contact,
                &mut past,
                whose.batch,
                Some(reason),
                now,
            )?;
            if let Some(place) = place {
                enqueue(context, changes, whose, place);
            }
        }
        (Sweep::Deny(reason, rule), _) if !past.attempted => {
            let denial = Denial {
                run: whose.run,
                contact: past.contact,
                at: now,
                reason,
                rule,
            };
            changes.denied(whose, denial);
            if !known {
                return Ok(());
            }
            past.place = Where::Finished;
            past.reason = Some(reason);
        }
        (Sweep::Leave(reason) | Sweep::Deny(reason, _) | Sweep::Finish(reason), _) => {
            past.place = Where::Finished;
            past.reason = Some(reason);
        }
    }
    changes.progress(past);
    Ok(())
}

fn enqueue(context: &mut RunContext, changes: &mut Changes, whose: Whose, place: Place) {
    context.note_due(place.pass, place.lane, place.due);
    changes.enqueue(
        Whose {
            pass: place.pass,
            ..whose
        },
        place,
    );
}
