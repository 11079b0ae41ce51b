//! What an ended attempt means for its contact: the result is rolled up (`entities.md` 9.9), counters move, and the contact
//! waits again (9.8), goes on to its next pass (9.1), or is finished. Late reports correct what was concluded.

use crate::changes::{Changes, Class, Whose};
use crate::context::{Contexts, RunContext};
use crate::dispose::{OUTSIDE, is_withdrawn};
use crate::schedule;
use carillon_admission::device;
use carillon_model::attempt::Attempt;
use carillon_model::contact::Contact;
use carillon_model::run::{PassResult, Place as Where, Progress};
use carillon_model::{AttemptResult, ContactId, Moment, SubCampaignId, SubCampaignState};
use carillon_store::queue::Place;
use carillon_store::{Result, Transaction};
use std::collections::{BTreeMap, HashMap};

/// An attempt that ended, or whose result was corrected.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// With the result it has now.
    pub attempt: Attempt,
    /// The result it had before, when it was corrected.
    pub before: Option<AttemptResult>,
    /// The device cannot be reached at all.
    pub bad_device: bool,
}

/// Moves the contacts of ended attempts on.
pub(crate) fn conclude<T: Transaction + ?Sized>(
    tx: &mut T,
    contexts: &mut Contexts,
    changes: &mut Changes,
    outcomes: Vec<Outcome>,
    now: Moment,
) -> Result<()> {
    let mut by_run: BTreeMap<SubCampaignId, Vec<Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        if outcome.attempt.run.0 != 0 && outcome.attempt.number != OUTSIDE {
            by_run.entry(outcome.attempt.run).or_default().push(outcome);
        }
    }
    for (run, outcomes) in by_run {
        let Some(context) = contexts.get(tx, run)? else {
            tracing::error!(run = run.0, "attempts ended in a run that is not there");
            continue;
        };
        let contacts: Vec<ContactId> = outcomes
            .iter()
            .map(|outcome| outcome.attempt.contact)
            .collect();
        let mut progress = Latest::read(tx, run, &contacts)?;
        let wanted: Vec<ContactId> = outcomes
            .iter()
            .filter(|outcome| may_go_on(context, outcome))
            .map(|outcome| outcome.attempt.contact)
            .collect();
        let contacts: HashMap<ContactId, Contact> = if wanted.is_empty() {
            HashMap::new()
        } else {
            tx.contacts(&wanted)?
                .into_iter()
                .map(|contact| (contact.id, contact))
                .collect()
        };
        for outcome in outcomes {
            let contact = contacts.get(&outcome.attempt.contact);
            let mut past = progress.take(&outcome.attempt);
            let place = match (outcome.before, is_withdrawn(&outcome.attempt)) {
                (Some(before), _) => corrected(
                    tx, context, changes, &outcome, before, contact, &mut past, now,
                )?,
                (None, true) => withdrawn(tx, context, changes, &outcome, &mut past, now)?,
                (None, false) => finished(tx, context, changes, &outcome, contact, &mut past, now)?,
            };
            let whose = Whose {
                run,
                pass: past.pass,
                batch: outcome.attempt.batch,
            };
            if let Some(place) = place {
                context.note_due(place.pass, place.lane, place.due);
                changes.enqueue(whose, place);
            }
            progress.put(past);
        }
        context.touch();
        progress.write(changes);
    }
    Ok(())
}

/// Progress as it stands, also when one contact has several outcomes in one tick.
struct Latest {
    run: SubCampaignId,
    by_contact: BTreeMap<ContactId, Option<Progress>>,
}

impl Latest {
    fn read<T: Transaction + ?Sized>(
        tx: &T,
        run: SubCampaignId,
        contacts: &[ContactId],
    ) -> Result<Self> {
        let past = tx.progress(run, contacts)?;
        Ok(Self {
            run,
            by_contact: contacts.iter().copied().zip(past).collect(),
        })
    }

    fn take(&mut self, attempt: &Attempt) -> Progress {
        self.by_contact
            .get_mut(&attempt.contact)
            .and_then(Option::take)
            .unwrap_or_else(|| {
                fresh(
                    self.run,
                    attempt.contact,
                    attempt.pass,
                    attempt.lane,
                    attempt.rank,
                )
            })
    }

    fn put(&mut self, progress: Progress) {
        self.by_contact.insert(progress.contact, Some(progress));
    }

    fn write(self, changes: &mut Changes) {
        self.by_contact
            .into_values()
            .flatten()
            .for_each(|progress| changes.progress(progress));
    }
}

/// The progress of a contact that has none behind it.
pub fn fresh(run: SubCampaignId, contact: ContactId, pass: u16, lane: u32, rank: i64) -> Progress {
    Progress {
        run,
        contact,
        place: Where::Waiting,
        pass,
        lane,
        rank,
        due: Moment(0),
        attempts: 0,
        device_next: 0,
        bad_devices: 0,
        delivered: false,
        attempted: false,
        results: Vec::new(),
        reason: None,
    }
}

/// Whether the contact itself is needed to know how it goes on.
fn may_go_on(context: &RunContext, outcome: &Outcome) -> bool {
    let delivered = outcome
        .attempt
        .result
        .is_some_and(AttemptResult::is_delivered);
    let has_later_pass = usize::from(outcome.attempt.pass) + 1 < context.passes().len();
    !is_withdrawn(&outcome.attempt)
        && (has_later_pass
            || !delivered
                && context
                    .pass(outcome.attempt.pass)
                    .is_some_and(|pass| pass.max_attempts > 1))
}

/// An order that was not sent: the attempt counts for nothing and the contact keeps its place.
fn withdrawn<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    changes: &mut Changes,
    outcome: &Outcome,
    past: &mut Progress,
    now: Moment,
) -> Result<Option<Place>> {
    let attempt = &outcome.attempt;
    changes.attempt_withdrawn(Whose::of(attempt));
    if !context.goes_on(tx, attempt.batch, now)? {
        past.place = Where::Finished;
        past.reason = Some(context.reason_to_stop());
        return Ok(None);
    }
    past.place = Where::Waiting;
    past.lane = attempt.lane;
    Ok(Some(Place {
        pass: attempt.pass,
        lane: attempt.lane,
        due: past.due,
        rank: attempt.rank,
        contact: attempt.contact,
    }))
}

/// An attempt that ended with a result that counts.
fn finished<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    changes: &mut Changes,
    outcome: &Outcome,
    contact: Option<&Contact>,
    past: &mut Progress,
    now: Moment,
) -> Result<Option<Place>> {
    let attempt = &outcome.attempt;
    let result = attempt.result.unwrap_or(AttemptResult::Unknown);
    let whose = Whose::of(attempt);
    let before = classes(past, attempt.pass);
    let retries = past.count_in_pass(result);
    past.results.push(PassResult {
        pass: attempt.pass,
        result,
        script: attempt.script_result,
    });
    past.attempted = true;
    past.delivered |= result.is_delivered();
    past.attempts = past.attempts.max(attempt.number);
    let after = classes(past, attempt.pass);
    changes.attempt_ended(whose);
    changes.reclassed(whose, (before.0, after.0), (before.1, after.1));
    go_on(
        tx,
        context,
        changes,
        attempt,
        outcome.bad_device,
        retries,
        contact,
        past,
        now,
    )
}

/// A late report: as a result of this moment while the run goes on and the contact is finished, else only the record.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing the correction looks at"
)]
fn corrected<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    changes: &mut Changes,
    outcome: &Outcome,
    was: AttemptResult,
    contact: Option<&Contact>,
    past: &mut Progress,
    now: Moment,
) -> Result<Option<Place>> {
    let attempt = &outcome.attempt;
    let result = attempt.result.unwrap_or(AttemptResult::Unknown);
    let whose = Whose::of(attempt);
    let before = classes(past, attempt.pass);
    let nth = usize::from(attempt.number.max(1)) - 1;
    let slot = past
        .results
        .iter_mut()
        .filter(|slot| slot.pass == attempt.pass)
        .nth(nth);
    if let Some(slot) = slot
        && slot.result == was
    {
        slot.result = result;
        slot.script = attempt.script_result.filter(|_| result.is_delivered());
    }
    past.delivered = past.results.iter().any(|past| past.result.is_delivered());
    let after = classes(past, attempt.pass);
    changes.reclassed(whose, (before.0, after.0), (before.1, after.1));

    let is_moving = matches!(
        context.run.state,
        SubCampaignState::Running | SubCampaignState::Pending
    );
    if !is_moving || past.pass != attempt.pass {
        return Ok(None);
    }
    if past.place == Where::Waiting {
        // Delivered after all: the retry that waits is not needed. A place that is not there is an open attempt.
        if !result.is_delivered() {
            return Ok(None);
        }
        let place = Place {
            pass: past.pass,
            lane: past.lane,
            due: past.due,
            rank: past.rank,
            contact: past.contact,
        };
        if tx.dequeue(context.run.id, &[place])? != [true] {
            return Ok(None);
        }
        changes.left_queue(whose);
    }
    let retries = past.count_in_pass(result).saturating_sub(1);
    go_on(
        tx,
        context,
        changes,
        attempt,
        outcome.bad_device,
        retries,
        contact,
        past,
        now,
    )
}

fn classes(past: &Progress, pass: u16) -> (Class, Class) {
    let in_pass = || past.results.iter().filter(|result| result.pass == pass);
    let pass_class = Class::of(
        in_pass().next().is_some(),
        in_pass().any(|result| result.result.is_delivered()),
    );
    (Class::of(past.attempted, past.delivered), pass_class)
}

/// Retry, next pass, or finished (`entities.md` 9.1, 9.6, 9.8).
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing the decision looks at"
)]
fn go_on<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    changes: &mut Changes,
    attempt: &Attempt,
    bad_device: bool,
    retries: u16,
    contact: Option<&Contact>,
    past: &mut Progress,
    now: Moment,
) -> Result<Option<Place>> {
    past.place = Where::Finished;
    past.reason = None;
    let Some(contact) = contact else {
        return Ok(None);
    };
    if !context.goes_on(tx, attempt.batch, now)? {
        past.reason = Some(context.reason_to_stop());
        return Ok(None);
    }
    let result = attempt.result.unwrap_or(AttemptResult::Unknown);
    let escalates = schedule::next_device(context, contact, attempt, bad_device, past);
    let delay = context.pass(attempt.pass).and_then(|pass| {
        let at_once = escalates
            && device::escalates(contact, result, bad_device)
            && past.attempts < pass.max_attempts
            && !result.is_delivered();
        if at_once {
            Some(0)
        } else {
            pass.retry_after(result, retries, past.attempts)
        }
    });
    if let Some(delay) = delay
        && let Some(place) =
            schedule::retry(tx, context, contact, past, attempt.batch, now.plus(delay))?
    {
        return Ok(Some(place));
    }
    schedule::leave_pass(
        tx,
        context,
        changes,
        contact,
        past,
        attempt.batch,
        None,
        now,
    )
}
