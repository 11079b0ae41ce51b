//! What became of attempts: answers, receipts, silence. Facts are added to the ledger, each once; a result is rolled up
//! (`entities.md` 9.9), and the contact waits again, goes on to its next pass, or is finished. Runs in the unit of the
//! tick, so ledger, queue and counters move together.

use crate::changes::{Changes, Class, Whose};
use crate::context::{Contexts, RunContext};
use crate::schedule;
use carillon_admission::device;
use carillon_channel::{Answer, Report};
use carillon_model::attempt::{Attempt, Fact};
use carillon_model::contact::Contact;
use carillon_model::run::{PassResult, Place as Where, Progress};
use carillon_model::{
    AttemptId, AttemptResult, AttemptState, ContactId, Moment, Reason, ResultKind, SubCampaignId,
    SubCampaignState,
};
use carillon_store::attempt::Added;
use carillon_store::queue::Place;
use carillon_store::receipt::EarlyReceipt;
use carillon_store::{Result, Transaction};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Number of an attempt that stands outside the passes: an automatic reply. No counter and no progress knows of it.
pub const OUTSIDE: u16 = 0;

/// An answer of a channel to an order.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The attempt.
    pub attempt: AttemptId,
    /// The answer.
    pub answer: Answer,
    /// When.
    pub at: Moment,
}

/// A report about a message, from a receipt or a query.
#[derive(Debug, Clone)]
pub struct Reported {
    /// Who says so; empty for a query, whose attempt is known.
    pub carrier: Arc<str>,
    /// The attempt a query was about.
    pub attempt: Option<AttemptId>,
    /// About which message.
    pub message_id: String,
    /// What.
    pub report: Report,
    /// When.
    pub at: Moment,
}

impl Reported {
    /// What a carrier answered to a query.
    pub fn of_query(attempt: AttemptId, message_id: String, report: Report, at: Moment) -> Self {
        Self {
            carrier: Arc::from(""),
            attempt: Some(attempt),
            message_id,
            report,
            at,
        }
    }
}

/// An attempt that ended, or whose result was corrected.
#[derive(Debug, Clone)]
struct Outcome {
    /// With the result it has now.
    attempt: Attempt,
    /// The result it had before, when it was corrected.
    before: Option<AttemptResult>,
    /// The device cannot be reached at all.
    bad_device: bool,
}

/// Counted for metrics and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disposed {
    /// Orders answered.
    pub answers: usize,
    /// Attempts that ended.
    pub ended: usize,
    /// Orders that were not sent and whose contacts wait again.
    pub withdrawn: usize,
}

/// What disposing must know of the carriers.
#[derive(Clone, Copy)]
pub struct Knowledge<'a> {
    /// Whether a carrier sends receipts.
    pub receipts: &'a dyn Fn(&str) -> bool,
    /// When this process began to step.
    pub started: Moment,
}

/// Adds what answers say, then what reports say; answers go first, so that a report finds the message id its answer brought.
pub fn dispose<T: Transaction + ?Sized>(
    tx: &mut T,
    contexts: &mut Contexts,
    changes: &mut Changes,
    knows: Knowledge<'_>,
    answers: Vec<Answered>,
    mut reports: Vec<Reported>,
    now: Moment,
) -> Result<Disposed> {
    let mut disposed = Disposed {
        answers: answers.len(),
        ..Disposed::default()
    };
    let mut outcomes = Vec::new();
    if !answers.is_empty() {
        take_answers(tx, contexts, knows, answers, &mut reports, &mut outcomes)?;
    }
    if !reports.is_empty() {
        take_reports(tx, contexts, knows, reports, &mut outcomes)?;
    }
    disposed.ended = outcomes.len();
    disposed.withdrawn = outcomes
        .iter()
        .filter(|outcome| is_withdrawn(&outcome.attempt))
        .count();
    conclude(tx, contexts, changes, outcomes, now)?;
    Ok(disposed)
}

/// Ends attempts: those whose receipts are overdue (Success), and those whose outcome nobody knows (Unknown).
pub fn end_all<T: Transaction + ?Sized>(
    tx: &mut T,
    contexts: &mut Contexts,
    changes: &mut Changes,
    attempts: &[AttemptId],
    result: AttemptResult,
    now: Moment,
) -> Result<usize> {
    let facts: Vec<(AttemptId, Fact)> = attempts
        .iter()
        .map(|id| (*id, ended(now, result, None)))
        .collect();
    let mut outcomes = Vec::new();
    for added in tx.add_facts(&facts)? {
        if let Added::Added(attempt) = added {
            outcomes.push(Outcome {
                attempt,
                before: None,
                bad_device: false,
            });
        }
    }
    let count = outcomes.len();
    conclude(tx, contexts, changes, outcomes, now)?;
    Ok(count)
}

fn ended(at: Moment, result: AttemptResult, carrier_status: Option<String>) -> Fact {
    let script_result = match result {
        // A one-way script has ended well when its message was delivered (`scripts.md` 3).
        AttemptResult::Success => Some(AttemptResult::Success),
        _ => None,
    };
    Fact::Ended {
        at,
        result,
        reason: None,
        script_result,
        carrier_status,
    }
}

fn is_withdrawn(attempt: &Attempt) -> bool {
    attempt.result == Some(AttemptResult::NotAttemptedSkip)
}

/// What an answer adds, and whether the device turned out to be bad.
fn facts_of(answer: Answer, at: Moment, has_receipts: bool) -> (Vec<Fact>, bool) {
    match answer {
        Answer::Accepted { message_ids } => {
            let parts = message_ids.len().clamp(1, usize::from(u16::MAX)) as u16;
            if has_receipts {
                (
                    vec![Fact::Accepted {
                        at,
                        message_ids,
                        parts,
                    }],
                    false,
                )
            } else {
                let accepted = Fact::Accepted {
                    at,
                    message_ids: Vec::new(),
                    parts,
                };
                (
                    vec![accepted, ended(at, AttemptResult::Success, None)],
                    false,
                )
            }
        }
        Answer::Refused {
            result,
            code,
            permanent,
        } => {
            let bad_device = permanent || result == AttemptResult::BadDevice;
            let word = if result.is_of(ResultKind::Text) {
                result
            } else {
                AttemptResult::Failed
            };
            (
                vec![ended(at, word, Some(format!("{code:#010x}")))],
                bad_device,
            )
        }
        Answer::Doubt => (vec![ended(at, AttemptResult::Unknown, None)], false),
        Answer::NotSent => {
            let fact = Fact::Ended {
                at,
                result: AttemptResult::NotAttemptedSkip,
                reason: Some(Reason::Skipped),
                script_result: None,
                carrier_status: None,
            };
            (vec![fact], false)
        }
    }
}

fn take_answers<T: Transaction + ?Sized>(
    tx: &mut T,
    contexts: &mut Contexts,
    knows: Knowledge<'_>,
    answers: Vec<Answered>,
    reports: &mut Vec<Reported>,
    outcomes: &mut Vec<Outcome>,
) -> Result<()> {
    let ids: Vec<AttemptId> = answers.iter().map(|answered| answered.attempt).collect();
    let known = tx.attempts(&ids)?;
    let mut facts = Vec::with_capacity(answers.len());
    let mut bad = HashMap::new();
    let mut message_ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (answered, attempt) in answers.into_iter().zip(known) {
        let Some(attempt) = attempt else {
            tracing::warn!(
                attempt = answered.attempt.0,
                "a channel answered an attempt that is not there"
            );
            continue;
        };
        contexts.answered(&attempt);
        if attempt.result == Some(AttemptResult::Unknown) {
            correct_by_answer(tx, &attempt, &answered, knows, outcomes)?;
            continue;
        }
        if let Answer::Accepted { message_ids: ids } = &answered.answer
            && (knows.receipts)(&attempt.carrier)
        {
            message_ids
                .entry(attempt.carrier.clone())
                .or_default()
                .extend(ids.iter().cloned());
        }
        let (added, is_bad) = facts_of(
            answered.answer,
            answered.at,
            (knows.receipts)(&attempt.carrier),
        );
        bad.insert(attempt.id, is_bad);
        facts.extend(added.into_iter().map(|fact| (attempt.id, fact)));
    }
    let added = tx.add_facts(&facts)?;
    for ((id, fact), added) in facts.iter().zip(added) {
        if let (Fact::Ended { .. }, Added::Added(attempt)) = (fact, added) {
            let bad_device = bad.get(id).copied().unwrap_or(false);
            outcomes.push(Outcome {
                attempt,
                before: None,
                bad_device,
            });
        }
    }
    claim_early_receipts(tx, message_ids, reports)
}

/// An answer for an attempt that was given up as Unknown tells the outcome after all.
fn correct_by_answer<T: Transaction + ?Sized>(
    tx: &mut T,
    attempt: &Attempt,
    answered: &Answered,
    knows: Knowledge<'_>,
    outcomes: &mut Vec<Outcome>,
) -> Result<()> {
    let result = match &answered.answer {
        // Where receipts come, only they tell whether it was delivered; without an id they cannot be told apart.
        Answer::Accepted { .. } if !(knows.receipts)(&attempt.carrier) => AttemptResult::Success,
        Answer::Refused { .. } => AttemptResult::Failed,
        Answer::Accepted { .. } | Answer::Doubt | Answer::NotSent => return Ok(()),
    };
    correct(tx, attempt, result, None, outcomes)
}

fn correct<T: Transaction + ?Sized>(
    tx: &mut T,
    attempt: &Attempt,
    result: AttemptResult,
    carrier_status: Option<String>,
    outcomes: &mut Vec<Outcome>,
) -> Result<()> {
    let fact = Fact::Corrected {
        result,
        carrier_status,
    };
    for added in tx.add_facts(&[(attempt.id, fact)])? {
        if let Added::Added(corrected) = added {
            outcomes.push(Outcome {
                attempt: corrected,
                before: attempt.result,
                bad_device: false,
            });
        }
    }
    Ok(())
}

fn claim_early_receipts<T: Transaction + ?Sized>(
    tx: &mut T,
    message_ids: BTreeMap<String, Vec<String>>,
    reports: &mut Vec<Reported>,
) -> Result<()> {
    for (carrier, ids) in message_ids {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for early in tx.take_receipts(&carrier, &ids)? {
            let report = if early.delivered {
                Report::Delivered
            } else {
                Report::Failed { code: early.status }
            };
            reports.push(Reported {
                carrier: Arc::from(early.carrier),
                attempt: None,
                message_id: early.message_id,
                report,
                at: early.at,
            });
        }
    }
    Ok(())
}

fn take_reports<T: Transaction + ?Sized>(
    tx: &mut T,
    contexts: &mut Contexts,
    knows: Knowledge<'_>,
    reports: Vec<Reported>,
    outcomes: &mut Vec<Outcome>,
) -> Result<()> {
    let mut early = Vec::new();
    let mut found = Vec::new();
    for reported in reports {
        let (delivered, status) = match &reported.report {
            Report::Delivered => (true, String::new()),
            Report::Failed { code } => (false, code.clone()),
            Report::Intermediate { .. } | Report::Unknown => continue,
        };
        let known = match reported.attempt {
            Some(attempt) => Some(attempt),
            None => attempt_of(tx, &reported, knows.started)?,
        };
        match known {
            Some(attempt) => found.push((attempt, reported, delivered, status)),
            None => early.push(EarlyReceipt {
                carrier: reported.carrier.to_string(),
                message_id: reported.message_id,
                at: reported.at,
                delivered,
                status,
            }),
        }
    }
    if !early.is_empty() {
        tx.keep_receipts(&early)?;
    }
    let ids: Vec<AttemptId> = found.iter().map(|(attempt, ..)| *attempt).collect();
    let mut open: HashMap<AttemptId, Attempt> = tx
        .attempts(&ids)?
        .into_iter()
        .flatten()
        .map(|attempt| (attempt.id, attempt))
        .collect();
    let mut facts = Vec::with_capacity(found.len());
    for (id, reported, delivered, status) in found {
        let Some(attempt) = open.get_mut(&id) else {
            continue;
        };
        if attempt.state() == AttemptState::Done {
            let result = if delivered {
                AttemptResult::Success
            } else {
                AttemptResult::Failed
            };
            if may_correct(contexts, tx, attempt, result, reported.at)? {
                let before = attempt.clone();
                attempt.result = Some(result);
                correct(tx, &before, result, some(status), outcomes)?;
            }
            continue;
        }
        // A receipt that is repeated must not stand for another part.
        if attempt.parts > 1 && !tx.forget_message(&attempt.carrier, &reported.message_id)? {
            continue;
        }
        let end = if delivered {
            facts.push((id, Fact::PartDelivered));
            attempt.parts_delivered += 1;
            (attempt.parts_delivered >= attempt.parts).then_some(AttemptResult::Success)
        } else {
            Some(AttemptResult::Failed)
        };
        if let Some(result) = end {
            // The working copy is marked, so that a second receipt of this tick finds it Done.
            attempt.result = Some(result);
            facts.push((id, ended(reported.at, result, some(status))));
        }
    }
    for ((_, fact), added) in facts.iter().zip(tx.add_facts(&facts)?) {
        if let (Fact::Ended { .. }, Added::Added(attempt)) = (fact, added) {
            outcomes.push(Outcome {
                attempt,
                before: None,
                bad_device: false,
            });
        }
    }
    Ok(())
}

/// The attempt a report is about. A channel gives ids back as its carrier's answers spelled them; what it knew of that is
/// lost with its process, so for attempts of an earlier one the other spellings are tried too.
fn attempt_of<T: Transaction + ?Sized>(
    tx: &T,
    reported: &Reported,
    started: Moment,
) -> Result<Option<AttemptId>> {
    let carrier = &*reported.carrier;
    if let Some(attempt) = tx.attempt_of_message(carrier, &reported.message_id)? {
        return Ok(Some(attempt));
    }
    for key in carillon_channel::text::message_key(&reported.message_id)
        .iter()
        .skip(1)
    {
        let Some(id) = tx.attempt_of_message(carrier, key)? else {
            continue;
        };
        let attempt = tx.attempts(&[id])?.into_iter().flatten().next();
        let fits = |attempt: &Attempt| {
            attempt.carrier == carrier
                && attempt.written < started
                && attempt.state() == AttemptState::Active
        };
        if attempt.as_ref().is_some_and(fits) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A late report may change Success to Failed and Unknown to any, within awaitingHours (`entities.md` 7.4).
fn may_correct<T: Transaction + ?Sized>(
    contexts: &mut Contexts,
    tx: &T,
    attempt: &Attempt,
    result: AttemptResult,
    at: Moment,
) -> Result<bool> {
    let allowed = matches!(
        (attempt.result, result),
        (Some(AttemptResult::Success), AttemptResult::Failed) | (Some(AttemptResult::Unknown), _)
    );
    if !allowed {
        return Ok(false);
    }
    let hours = contexts
        .get(tx, attempt.run)?
        .map_or(24, |context| context.awaiting_hours());
    let ended = attempt.ended.unwrap_or(attempt.written);
    Ok(at.since(ended) <= i64::from(hours) * carillon_model::moment::HOUR)
}

/// Moves the contacts of ended attempts on.
fn conclude<T: Transaction + ?Sized>(
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
