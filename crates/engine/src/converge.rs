//! The states that move by themselves (`entities.md` 7.1 to 7.3): loads that are done, windows that open and close, work
//! that ends, batches that start and end. Each is read off what is there, so a state that was missed is reached later.

use crate::context::RunContext;
use crate::limits::JUDGEMENTS_PER_RUN_MAX;
use carillon_admission::Opening;
use carillon_model::counter::{Counters, Subject};
use carillon_model::moment::HOUR;
use carillon_model::{BatchState, Moment, PassState, SubCampaignState, SubCampaignType};
use carillon_store::verdict::Judgement;
use carillon_store::{Result, Transaction};

/// What a run looks like when its state is decided.
struct Look {
    counters: Counters,
    passes: Vec<Counters>,
    waiting: i64,
    /// By pass: whether somebody waits in a lane that is open now.
    open: Vec<bool>,
    /// By pass: how many wait.
    in_pass: Vec<i64>,
}

/// Moves a run and its batches as far as they go by themselves now.
pub fn converge<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    now: Moment,
) -> Result<()> {
    let look = Look::at(tx, context, now)?;
    keep_deferrals(tx, context, now)?;
    let before = (context.run.state, context.run.passes.clone());
    if context.run.run_type == SubCampaignType::OnDemand {
        converge_batches(tx, context, now)?;
    }
    // A state may lead on to the next at once: Running, Completing, Done.
    for _ in 0..4 {
        let state = context.run.state;
        converge_run(context, &look, now);
        if context.run.state == state {
            break;
        }
    }
    converge_passes(context, &look);
    if before != (context.run.state, context.run.passes.clone()) {
        if before.0 != context.run.state {
            tracing::info!(run = context.run.id.0, from = %before.0, to = %context.run.state, "the run moved");
            context.pace_changed = true;
        } else {
            context.run.version += 1;
        }
        tx.put_run(&context.run)?;
    }
    context.changed = false;
    Ok(())
}

/// Keeps why a lane waits and until when, once for all contacts that share it and once for each change
/// (`entities.md` 10.1).
fn keep_deferrals<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    now: Moment,
) -> Result<()> {
    for ((_, lane), state) in &mut context.lanes {
        let Some(Opening::Closed { until, reason, .. }) = state.opening else {
            continue;
        };
        let is_new = state.waiting > 0 && state.deferred != Some((until, reason));
        if !is_new || context.judgements >= JUDGEMENTS_PER_RUN_MAX {
            continue;
        }
        state.deferred = Some((until, reason));
        context.judgements += 1;
        tx.put_judgement(&Judgement {
            run: context.run.id,
            at: now,
            lane: Some(*lane),
            until: Some(until),
            reason: Some(reason),
            basis: context.rules.basis().to_owned(),
        })?;
    }
    Ok(())
}

impl Look {
    fn at<T: Transaction + ?Sized>(tx: &T, context: &mut RunContext, now: Moment) -> Result<Self> {
        let passes = context.passes().len();
        let mut subjects = vec![Subject::whole(context.run.id)];
        subjects.extend((0..passes).map(|index| Subject::pass(context.run.id, index as u16)));
        let mut counted = tx.counters(&subjects)?;
        let counters = counted.remove(0);
        let mut open = vec![false; passes];
        let mut in_pass = vec![0; passes];
        let waiting: Vec<(u16, u32, i64)> = context
            .lanes
            .iter()
            .filter(|(_, lane)| lane.waiting > 0)
            .map(|((pass, lane), state)| (*pass, *lane, state.waiting))
            .collect();
        for (pass, lane, contacts) in waiting {
            let index = usize::from(pass);
            if index < passes {
                in_pass[index] += contacts;
                // Every lane is judged, also where one that is open would decide: their next changes are asked for.
                let opening = context.opening(pass, lane, now);
                open[index] |= opening.is_some_and(|opening| opening.is_open());
            }
        }
        Ok(Self {
            counters,
            passes: counted,
            waiting: in_pass.iter().sum(),
            open,
            in_pass,
        })
    }

    fn is_open(&self) -> bool {
        self.open.contains(&true)
    }

    /// Whether the attempts still out can bring no further one: all are in the last pass, which allows one each.
    fn only_last_attempts(&self, context: &RunContext) -> bool {
        let allows_one = context
            .passes()
            .last()
            .is_none_or(|pass| pass.max_attempts <= 1);
        let in_last = self.passes.last().map_or(0, |pass| pass.active);
        context.unanswered <= 0 && allows_one && in_last == self.counters.active
    }
}

fn converge_run(context: &mut RunContext, look: &Look, now: Moment) {
    use SubCampaignState::*;
    let on_demand = context.run.run_type == SubCampaignType::OnDemand;
    let enabled = context.account.settings.enabled.unwrap_or(true);
    let only_last_attempts = look.only_last_attempts(context);
    let run = &mut context.run;
    match run.state {
        Loading if run.load.done => {
            if look.waiting == 0 && look.counters.active == 0 && !on_demand {
                run.end_time = Some(now);
                run.set_state(Done);
            } else {
                run.set_state(Pending);
            }
        }
        Running | Pending if !enabled => {
            run.set_state(Paused);
            run.set_pass_states(|state| match state {
                PassState::Pending | PassState::Running => PassState::Paused,
                other => other,
            });
        }
        Pending if on_demand => {
            if !context.batches.is_empty() || look.waiting > 0 || look.counters.active > 0 {
                run.set_state(Running);
            } else {
                run.end_time = Some(now);
                run.set_state(Done);
            }
        }
        Running
            if on_demand
                && context.batches.is_empty()
                && look.waiting == 0
                && look.counters.active == 0 =>
        {
            run.end_time = Some(now);
            run.set_state(Done);
        }
        Running if on_demand => {}
        Pending | Running
            if look.waiting == 0 && (look.counters.active == 0 || only_last_attempts) =>
        {
            run.set_state(Completing);
        }
        // Nobody waits, but what is out may still bring a retry or the next pass.
        Pending | Running if look.waiting == 0 => {}
        Pending if !run.held && run.start_time <= now && look.is_open() => run.set_state(Running),
        Running if !look.is_open() => run.set_state(Pending),
        Completing if look.waiting > 0 => run.set_state(Running),
        Completing if look.counters.active == 0 => {
            run.end_time = Some(now);
            let hours = context.sub_campaign.awaiting_hours;
            if hours > 0 {
                run.awaiting_until = Some(now.plus(i64::from(hours) * HOUR));
                run.set_state(Awaiting);
            } else {
                run.set_state(Done);
            }
        }
        Awaiting if run.awaiting_until.is_none_or(|until| until <= now) => {
            run.awaiting_until = None;
            run.set_state(Done);
        }
        Stopping if look.waiting == 0 && look.counters.active == 0 => {
            run.end_time = Some(now);
            run.set_state(if look.counters.attempted > 0 {
                Done
            } else {
                Cancelled
            });
        }
        _ => {}
    }
}

fn converge_passes(context: &mut RunContext, look: &Look) {
    use SubCampaignState as State;
    let state = context.run.state;
    let mut earlier_done =
        context.run.load.done || context.run.run_type == SubCampaignType::OnDemand;
    let on_demand = context.run.run_type == SubCampaignType::OnDemand;
    for index in 0..context.run.passes.len() {
        let Some(counters) = look.passes.get(index) else {
            break;
        };
        let waiting = look.in_pass[index];
        let finished = earlier_done && waiting == 0 && counters.active == 0;
        let ended = if counters.attempted > 0 {
            PassState::Done
        } else {
            PassState::Cancelled
        };
        let pass = &mut context.run.passes[index];
        *pass = match (state, *pass) {
            (State::Stopping, PassState::Pending | PassState::Running | PassState::Paused) => {
                if counters.active > 0 {
                    PassState::Stopping
                } else {
                    ended
                }
            }
            (State::Cancelled, PassState::Done) => PassState::Done,
            (State::Cancelled, _) => PassState::Cancelled,
            (State::Done | State::Awaiting, PassState::Cancelled) => PassState::Cancelled,
            (State::Done | State::Awaiting, _) => PassState::Done,
            (_, PassState::Stopping) if counters.active == 0 => PassState::Done,
            (State::Paused, other) => other,
            (_, PassState::Pending | PassState::Running) if finished && !on_demand => {
                PassState::Done
            }
            (State::Running, PassState::Pending) if look.open[index] => PassState::Running,
            (State::Running | State::Pending, PassState::Running)
                if waiting > 0 && !look.open[index] =>
            {
                PassState::Pending
            }
            // A late report brought a contact back into a pass that was done, or a batch was added.
            (_, PassState::Done) if waiting > 0 => PassState::Pending,
            (_, other) => other,
        };
        earlier_done &= matches!(*pass, PassState::Done | PassState::Cancelled) || finished;
    }
}

fn converge_batches<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    now: Moment,
) -> Result<()> {
    let is_stopping = context.run.state == SubCampaignState::Stopping;
    let ids: Vec<_> = context.batches.keys().copied().collect();
    let subjects: Vec<Subject> = ids.iter().map(|id| Subject::whole(*id)).collect();
    let counted = tx.counters(&subjects)?;
    for (id, counters) in ids.into_iter().zip(counted) {
        let Some(batch) = context.batches.get_mut(&id) else {
            continue;
        };
        let before = batch.run.state;
        if is_stopping {
            batch.run.state = BatchState::Cancelled;
        } else if counters.pending == 0 && counters.active == 0 {
            // Batches are stored with their contacts, so nothing pending means every contact is finished.
            batch.run.state = BatchState::Done;
        } else if batch.run.start_time <= now {
            batch.run.state = BatchState::Running;
        } else {
            batch.run.state = BatchState::Pending;
        }
        if batch.run.state != before {
            let is_over = !batch.run.is_live();
            if is_over {
                batch.run.finished = Some(now);
            }
            tx.put_batch_run(&batch.run)?;
            if is_over {
                context.batches.remove(&id);
            }
        }
    }
    Ok(())
}

/// The next moment at which a run moves by the clock alone.
pub fn next_change(context: &mut RunContext, now: Moment) -> Moment {
    use SubCampaignState::*;
    let mut next = Moment::NEVER;
    match context.run.state {
        Pending if !context.run.held => next = next.min(later(context.run.start_time, now)),
        Awaiting => next = next.min(context.run.awaiting_until.unwrap_or(now)),
        _ => {}
    }
    if matches!(context.run.state, Running | Pending) {
        for lane in context.lanes.values().filter(|lane| lane.waiting > 0) {
            let change = lane
                .opening
                .map_or(Moment::NEVER, |opening| opening.next_change());
            next = next.min(change);
        }
    }
    for batch in context.batches.values() {
        next = next
            .min(later(batch.run.start_time, now))
            .min(later(batch.run.end_time, now));
    }
    next
}

fn later(moment: Moment, now: Moment) -> Moment {
    if moment > now { moment } else { Moment::NEVER }
}
