//! When and in which lane a contact waits next: turns and acceptance (`entities.md` 9.1, 9.2), devices (9.3, 9.6), days
//! (9.4), windows (9.5) and retries (9.8). A place is given only where an opening is still to come; otherwise the contact
//! goes on to the next pass at once, and after the last one it is finished.

use crate::changes::{Changes, Whose};
use crate::context::RunContext;
use carillon_admission::device::{self, DeviceSet};
use carillon_admission::{LaneKey, turn};
use carillon_model::attempt::Attempt;
use carillon_model::contact::{Contact, Device};
use carillon_model::run::{Place as Where, Progress};
use carillon_model::{BatchId, EscalationType, Moment, Reason};
use carillon_store::queue::Place;
use carillon_store::{Result, Transaction};

/// Notes from which position in the device order the next attempt goes on, and a device that cannot be reached at all.
/// Answers whether the contact has a further device to escalate to.
pub fn next_device(
    context: &RunContext,
    contact: &Contact,
    attempt: &Attempt,
    bad_device: bool,
    past: &mut Progress,
) -> bool {
    let Some(pass) = context.pass(attempt.pass) else {
        return false;
    };
    let escalation = context.sub_campaign.escalation_type;
    let order = device::order(contact, pass, escalation);
    let position = order
        .iter()
        .position(|device| device.address == attempt.address);
    if bad_device && let Some(position) = position {
        past.bad_devices |= device::bit(order[position].number);
    }
    let position = position.unwrap_or(0);
    let is_last = position + 1 >= order.len();
    let result = attempt
        .result
        .unwrap_or(carillon_model::AttemptResult::Unknown);
    let contact_based = escalation == EscalationType::ContactBased;
    let stays = contact_based && !device::escalates(contact, result, bad_device);
    past.device_next = match (stays, is_last) {
        (true, _) => position as u8,
        (false, true) => 0,
        (false, false) => position as u8 + 1,
    };
    contact_based && !is_last
}

/// A place for another attempt in the same pass, due at `due`; none when no window is left or no device.
pub fn retry<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    contact: &Contact,
    past: &mut Progress,
    batch: Option<BatchId>,
    due: Moment,
) -> Result<Option<Place>> {
    let Some(pass) = context.pass(past.pass).cloned() else {
        return Ok(None);
    };
    let escalation = context.sub_campaign.escalation_type;
    let bad = DeviceSet(past.bad_devices);
    let Some(choice) = device::choose(contact, &pass, escalation, past.device_next, bad) else {
        return Ok(None);
    };
    if context.batch_end(tx, batch)?.is_some_and(|end| due >= end) {
        return Ok(None);
    }
    let closes = context.lane_key(past.lane).and_then(|key| key.closes);
    let key = LaneKey {
        closes,
        facts: context.rules.facts(contact, choice.device, &pass),
    };
    if context.opens_at(past.pass, &key, due).is_none() {
        return Ok(None);
    }
    past.place = Where::Waiting;
    past.lane = context.lane(tx, &key)?;
    past.due = due;
    Ok(Some(place_of(past)))
}

/// The contact has left its pass: its place in the next pass that takes it, or none when it is finished. `reason` says why
/// it left without an attempt, if it did.
#[expect(
    clippy::too_many_arguments,
    reason = "each is one thing the next turn depends on"
)]
pub fn leave_pass<T: Transaction + ?Sized>(
    tx: &mut T,
    context: &mut RunContext,
    changes: &mut Changes,
    contact: &Contact,
    past: &mut Progress,
    batch: Option<BatchId>,
    reason: Option<Reason>,
    now: Moment,
) -> Result<Option<Place>> {
    past.reason = reason;
    for index in usize::from(past.pass) + 1..context.passes().len() {
        if !turn::accepts(context.passes(), index, &past.results) {
            continue;
        }
        let pass = context.passes()[index].clone();
        let escalation = context.sub_campaign.escalation_type;
        let bad = DeviceSet(past.bad_devices);
        let Some(choice) = device::choose(contact, &pass, escalation, 0, bad) else {
            past.reason = Some(Reason::NoDevice);
            continue;
        };
        let Some((key, due)) = first_place(context, contact, choice.device, index as u16, now)
        else {
            past.reason = Some(Reason::WindowClosed);
            continue;
        };
        if context.batch_end(tx, batch)?.is_some_and(|end| due >= end) {
            past.reason = Some(Reason::Expired);
            continue;
        }
        past.pass = index as u16;
        past.lane = context.lane(tx, &key)?;
        past.place = Where::Waiting;
        past.due = due;
        past.attempts = 0;
        past.device_next = 0;
        past.reason = None;
        changes.entered_pass(Whose {
            run: context.run.id,
            pass: past.pass,
            batch,
        });
        return Ok(Some(place_of(past)));
    }
    past.place = Where::Finished;
    Ok(None)
}

/// Lane and due moment of a contact that left the pass before at `left`; none when no window of its turn is left.
fn first_place(
    context: &RunContext,
    contact: &Contact,
    device: &Device,
    index: u16,
    left: Moment,
) -> Option<(LaneKey, Moment)> {
    let pass = context.pass(index)?;
    let facts = context.rules.facts(contact, device, pass);
    let turn = context.rules.turn(&facts, pass, left)?;
    let key = LaneKey {
        closes: Some(turn.closes),
        facts,
    };
    let due = turn.opens.max(left);
    context.opens_at(index, &key, due).map(|_| (key, due))
}

fn place_of(past: &Progress) -> Place {
    Place {
        pass: past.pass,
        lane: past.lane,
        due: past.due,
        rank: past.rank,
        contact: past.contact,
    }
}
