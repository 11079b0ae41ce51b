//! What became of attempts: answers, receipts, silence. Facts are added to the ledger, each once, in whichever order they
//! came; what ended goes to `conclude` in the same unit.

use crate::changes::Changes;
use crate::conclude::{Outcome, conclude};
use crate::context::Contexts;
use carillon_channel::{Answer, Report};
use carillon_model::attempt::{Attempt, Fact};
use carillon_model::{AttemptId, AttemptResult, AttemptState, Moment, Reason, ResultKind};
use carillon_store::attempt::Added;
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

pub(crate) fn is_withdrawn(attempt: &Attempt) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_become_facts() {
        use AttemptResult::*;
        let at = Moment(5);
        let accepted = |ids: &[&str]| Answer::Accepted {
            message_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        };
        let refused = |result, permanent| Answer::Refused {
            result,
            code: 0x0b,
            permanent,
        };
        for (answer, receipts, result, bad_device) in [
            (accepted(&["a", "b"]), true, None, false),
            (accepted(&["a", "b"]), false, Some(Success), false),
            (accepted(&[]), false, Some(Success), false),
            (refused(Failed, false), true, Some(Failed), false),
            (refused(Failed, true), true, Some(Failed), true),
            (refused(BadDevice, false), true, Some(Failed), true),
            (Answer::Doubt, true, Some(Unknown), false),
            (Answer::NotSent, true, Some(NotAttemptedSkip), false),
        ] {
            let (facts, bad) = facts_of(answer.clone(), at, receipts);
            let ended = facts.iter().find_map(|fact| match fact {
                Fact::Ended { result, .. } => Some(*result),
                _ => None,
            });
            assert_eq!((ended, bad), (result, bad_device), "{answer:?} {receipts}");
            let parts = facts.iter().find_map(|fact| match fact {
                Fact::Accepted {
                    parts, message_ids, ..
                } => Some((*parts, message_ids.len())),
                _ => None,
            });
            if let Answer::Accepted { message_ids } = answer {
                let kept = if receipts { message_ids.len() } else { 0 };
                assert_eq!(parts, Some((message_ids.len().max(1) as u16, kept)));
            }
        }
    }
}
