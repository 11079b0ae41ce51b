//! From waiting to written: a lane's due contacts are taken, each is judged again with what is true in this very unit, and
//! for those that may be tried an attempt is written (Pending) and an order made.

use crate::carriers::Carriers;
use crate::changes::{Changes, Whose};
use crate::conclude::fresh;
use crate::context::RunContext;
use crate::dial::Dialled;
use crate::limits::CLAIM_MAX;
use crate::schedule;
use crate::withdraw::Out;
use carillon_admission::device::{self, DeviceSet};
use carillon_admission::{ContactFacts, Facts, LaneKey, Opening, Pasts, Refusal, Speaker};
use carillon_channel::{Content, Order};
use carillon_compliance::judge::LaneFacts;
use carillon_compliance::number::device_key;
use carillon_compliance::verdict::Verdict;
use carillon_model::attempt::Attempt;
use carillon_model::contact::{Contact, Device};
use carillon_model::pass::Pass;
use carillon_model::run::{Place as Where, Progress};
use carillon_model::{
    AttemptId, BatchId, ContactId, Direction, Moment, Reason, RuleId, SubCampaignType,
};
use carillon_store::queue::Place;
use carillon_store::verdict::Denial;
use carillon_store::{Result, Transaction};
use std::collections::HashMap;

/// What to do with a contact that was claimed.
enum Decision<'a> {
    /// Write an attempt to this device, from this lane.
    Attempt(&'a Device, u32),
    /// It waits in another lane.
    Move(u32),
    /// Its past, or in a mixed lane its own place, makes it wait: in this lane, until then.
    Wait(u32, Moment, Reason),
    /// It may not be attempted.
    Deny(Reason, Option<(RuleId, u32)>),
    /// It leaves the pass without an attempt.
    Skip(Reason),
    /// It gets no more attempts at all.
    Finish(Reason),
}

/// One lane of one pass in one tick.
pub(crate) struct LaneDial<'a> {
    context: &'a mut RunContext,
    carriers: &'a mut Carriers,
    changes: &'a mut Changes,
    pass: &'a Pass,
    index: u16,
    lane: u32,
    /// What was tried before with the claimed contacts; none when no rule counts it.
    pasts: Option<Pasts>,
    /// The own key of the contact that is judged, where it waits in a mixed lane.
    own: Option<LaneKey>,
}

impl<'a> LaneDial<'a> {
    pub fn new(
        context: &'a mut RunContext,
        carriers: &'a mut Carriers,
        changes: &'a mut Changes,
        pass: &'a Pass,
        index: u16,
        lane: u32,
    ) -> Self {
        Self {
            context,
            carriers,
            changes,
            pass,
            index,
            lane,
            pasts: None,
            own: None,
        }
    }

    /// Writes up to `limit` attempts. Where claimed contacts turn out to wait for moments of their own, as in a mixed lane,
    /// further ones are claimed in their stead, so that those who may be tried do not wait behind them.
    pub fn run<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        limit: usize,
        dialled: &mut Dialled,
        now: Moment,
    ) -> Result<()> {
        let (mut left, mut seen) = (limit, 0);
        loop {
            let (attempts, deferred) = (dialled.attempts, dialled.deferred);
            let claimed = self.round(tx, left, dialled, now)?;
            seen += claimed;
            let is_last = claimed < left || dialled.deferred == deferred;
            left = left.saturating_sub(dialled.attempts - attempts);
            if is_last || left == 0 || seen >= CLAIM_MAX {
                return Ok(());
            }
        }
    }

    /// Takes up to `limit` due contacts; answers how many there were.
    fn round<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        limit: usize,
        dialled: &mut Dialled,
        now: Moment,
    ) -> Result<usize> {
        let run = self.context.run.id;
        let places = tx.claim(run, self.index, self.lane, now, limit)?;
        let next = if places.len() < limit {
            tx.next_due(run, self.index, self.lane)?
                .unwrap_or(Moment::NEVER)
        } else {
            Moment(0)
        };
        self.context
            .note_claimed(self.index, self.lane, places.len(), next);
        if places.is_empty() {
            return Ok(0);
        }
        let ids: Vec<ContactId> = places.iter().map(|place| place.contact).collect();
        let progress = tx.progress(run, &ids)?;
        let contacts = Claimed::read(tx, self.context, self.pass, &ids, now)?;
        let (rules, channel) = (&self.context.rules, self.pass.channel);
        self.pasts = Pasts::gather(tx, rules, channel, &contacts.contacts, now)?;
        let first_id = tx.take_ids(places.len() as u64)?;
        let mut attempts = Vec::with_capacity(places.len());
        for (offset, (place, past)) in places.iter().zip(progress).enumerate() {
            let id = AttemptId(first_id + offset as i64);
            self.one(tx, place, past, &contacts, id, &mut attempts, dialled, now)?;
        }
        dialled.attempts += attempts.len();
        let out = attempts
            .iter()
            .filter_map(|attempt| Out::of(attempt, self.carriers));
        dialled.out.extend(out);
        self.context.unanswered += attempts.len() as i64;
        tx.write_attempts(&attempts)?;
        Ok(places.len())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one claim, passed down once"
    )]
    fn one<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        place: &Place,
        past: Option<Progress>,
        contacts: &Claimed,
        id: AttemptId,
        attempts: &mut Vec<Attempt>,
        dialled: &mut Dialled,
        now: Moment,
    ) -> Result<()> {
        let run = self.context.run.id;
        let Some((contact, facts, is_removed)) = contacts.get(place.contact) else {
            tracing::error!(
                run = run.0,
                contact = place.contact.0,
                "a contact that waits is not there"
            );
            let whose = Whose {
                run,
                pass: self.index,
                batch: None,
            };
            self.changes.left_queue(whose);
            self.finish(past.unwrap_or_else(|| self.fresh(place)), Reason::Removed);
            return Ok(());
        };
        let batch = self.batch_of(contact);
        let whose = Whose {
            run,
            pass: self.index,
            batch,
        };
        self.changes.left_queue(whose);
        let known = past.is_some();
        let past = past.unwrap_or_else(|| self.fresh(place));
        let decision = self.decide(tx, contact, facts, is_removed, batch, &past, now)?;
        match decision {
            Decision::Attempt(device, lane) => {
                match self.attempt(tx, id, place, lane, contact, device, batch, &past, now)? {
                    Ok((attempt, order)) => {
                        self.changes.attempt_written(whose);
                        if let Some(pasts) = &mut self.pasts {
                            pasts.note(&self.context.rules, contact, &attempt);
                        }
                        attempts.push(attempt);
                        dialled.orders.push(order);
                    }
                    Err(Some(reason)) => {
                        dialled.denied += 1;
                        self.deny(whose, known, past, reason, None, now);
                    }
                    Err(None) => self.put_back(whose, place, self.lane),
                }
            }
            Decision::Move(lane) => {
                self.put_back(whose, place, lane);
                if known {
                    self.changes.progress(Progress { lane, ..past });
                }
            }
            Decision::Wait(lane, until, reason) => {
                dialled.deferred += 1;
                self.wait(whose, place, lane, past, until, reason);
            }
            Decision::Deny(reason, rule) => {
                dialled.denied += 1;
                self.deny(whose, known, past, reason, rule, now);
            }
            Decision::Skip(reason) => {
                dialled.skipped += 1;
                self.leave(tx, whose, contact, past, reason, now)?;
            }
            Decision::Finish(reason) => {
                dialled.skipped += 1;
                self.finish(past, reason);
            }
        }
        Ok(())
    }

    /// Judges a contact again, with what is true in this unit.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one fact the judgement looks at"
    )]
    fn decide<'c, T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        contact: &'c Contact,
        facts: &Facts,
        is_removed: bool,
        batch: Option<BatchId>,
        past: &Progress,
        now: Moment,
    ) -> Result<Decision<'c>> {
        if batch.is_some() && !self.context.goes_on(tx, batch, now)? {
            return Ok(Decision::Finish(Reason::Expired));
        }
        if is_removed {
            return Ok(Decision::Deny(Reason::Removed, None));
        }
        if let Some(reason) = facts.denied {
            return Ok(Decision::Deny(reason, None));
        }
        let escalation = self.context.sub_campaign.escalation_type;
        let excluded = DeviceSet(past.bad_devices).union(facts.devices_denied());
        let choice = device::choose(contact, self.pass, escalation, past.device_next, excluded);
        let Some(choice) = choice else {
            let denied = device::order(contact, self.pass, escalation)
                .iter()
                .find_map(|device| facts.reason_against(device.number));
            return Ok(match denied {
                Some(reason) => Decision::Deny(reason, None),
                None => Decision::Skip(Reason::NoDevice),
            });
        };
        let Some(key) = self.context.lane_key(self.lane).cloned() else {
            return Ok(Decision::Skip(Reason::Skipped));
        };
        let fresh = self.context.rules.facts(contact, choice.device, self.pass);
        self.own = None;
        if fresh == key.facts {
            return self.unless_it_waits(tx, contact, choice.device, self.lane, &fresh, batch, now);
        }
        // A finer region named by a new rule, or another device: the contact belongs to another lane.
        let own = LaneKey {
            closes: key.closes,
            facts: fresh.clone(),
        };
        let lane = self.context.lane(tx, &own)?;
        let is_mixed = self.context.is_mixed(lane);
        let opening = if is_mixed {
            let opening = self.context.own_opening(self.index, &own, now);
            self.own = Some(own);
            opening
        } else {
            self.context.opening(self.index, lane, now)
        };
        Ok(match opening {
            Some(Opening::Open { .. }) => {
                return self.unless_it_waits(tx, contact, choice.device, lane, &fresh, batch, now);
            }
            Some(Opening::Closed { until, reason, .. }) if is_mixed => {
                Decision::Wait(lane, until, reason)
            }
            Some(Opening::Closed { .. }) => Decision::Move(lane),
            Some(Opening::Denied { reason, rule, .. }) => Decision::Deny(reason, rule),
            Some(Opening::Over { reason }) => Decision::Skip(reason),
            None => Decision::Skip(Reason::Skipped),
        })
    }

    /// An attempt from an open lane, unless what was tried before makes the contact wait. One that would wait beyond its
    /// turn or its batch leaves the pass with the rule's reason.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one fact the judgement looks at"
    )]
    fn unless_it_waits<'c, T: Transaction + ?Sized>(
        &mut self,
        tx: &T,
        contact: &'c Contact,
        device: &'c Device,
        lane: u32,
        facts: &LaneFacts,
        batch: Option<BatchId>,
        now: Moment,
    ) -> Result<Decision<'c>> {
        let Some(pasts) = &mut self.pasts else {
            return Ok(Decision::Attempt(device, lane));
        };
        let rules = &self.context.rules;
        let (until, cause) = match pasts.verdict(tx, rules, contact, device, facts, now)? {
            Verdict::Allow => return Ok(Decision::Attempt(device, lane)),
            Verdict::Defer { until, cause } => (until, cause),
            Verdict::Deny { cause } => {
                let rule = cause.rule_id().map(|rule| (rule, cause.version));
                return Ok(Decision::Deny(cause.reason, rule));
            }
        };
        let batch_end = self.context.batch_end(tx, batch)?;
        let opens = self
            .key_of(lane)
            .and_then(|key| self.context.opens_at(self.index, key, until))
            .filter(|opens| batch_end.is_none_or(|end| *opens < end));
        Ok(match opens {
            Some(_) => Decision::Wait(lane, until, cause.reason),
            None => Decision::Skip(cause.reason),
        })
    }

    /// Renders and makes the row and its order. Err(reason) = the text cannot be made for this contact; Err(none) = no
    /// carrier has room any more.
    #[expect(
        clippy::too_many_arguments,
        reason = "each becomes a field of the attempt"
    )]
    #[expect(
        clippy::type_complexity,
        reason = "three outcomes of one step, used once"
    )]
    fn attempt<T: Transaction + ?Sized>(
        &mut self,
        tx: &T,
        id: AttemptId,
        place: &Place,
        lane: u32,
        contact: &Contact,
        device: &Device,
        batch: Option<BatchId>,
        past: &Progress,
        now: Moment,
    ) -> Result<std::result::Result<(Attempt, (usize, Order)), Option<Reason>>> {
        let Some(said) = self.context.script(tx, self.index, batch)? else {
            return Ok(Err(Some(Reason::MissingField)));
        };
        let number = past.attempts + 1;
        let zone = self
            .key_of(lane)
            .and_then(|key| self.context.rules.zone(&key.facts));
        let speaker = Speaker {
            account: &self.context.account,
            campaign: &self.context.campaign,
            sub_campaign: &self.context.sub_campaign,
            contact,
            device: Some(device),
            channel: self.pass.channel,
            attempt: id,
            number,
            zone,
            now,
        };
        let (body, max_parts) = match said.text(&speaker) {
            Ok(text) => text,
            Err(refusal) => {
                if let Refusal::Unfit(detail) = refusal {
                    tracing::warn!(contact = contact.id.0, detail, "a text could not be made");
                }
                return Ok(Err(Some(Reason::MissingField)));
            }
        };
        let emulated = self.context.is_emulated();
        let Some(carrier) = self.carriers.take(self.pass.channel, emulated) else {
            return Ok(Err(None));
        };
        let name = self.carriers.get(carrier).name.clone();
        let from = self.context.our_address(self.pass);
        let opening = match &self.own {
            Some(own) => self.context.own_opening(self.index, own, now),
            None => self.context.opening(self.index, lane, now),
        };
        let closes = match opening {
            Some(Opening::Open { until }) => Some(until),
            _ => None,
        };
        let batch_end = self.context.batch_end(tx, batch)?;
        let attempt = Attempt {
            id,
            run: self.context.run.id,
            batch,
            pass: self.index,
            pass_id: self.pass.id,
            account: self.context.run.account.0,
            contact: contact.id,
            device: device_key(&device.address),
            address: device.address.clone(),
            our_address: from.clone(),
            channel: self.pass.channel,
            direction: Direction::Outbound,
            number,
            lane,
            rank: place.rank,
            carrier: name.to_string(),
            text: body.clone(),
            written: now,
            accepted: None,
            parts: 0,
            parts_delivered: 0,
            ended: None,
            result: None,
            reason: None,
            script_result: None,
            carrier_status: None,
            archived: false,
        };
        let order = Order {
            attempt: id,
            carrier: name,
            from,
            to: device.address.clone(),
            content: Content::Text { body, max_parts },
            expires: closes.into_iter().chain(batch_end).min(),
        };
        Ok(Ok((attempt, (carrier, order))))
    }

    /// What is known of the contact that is judged and waits in this lane.
    fn key_of(&self, lane: u32) -> Option<&LaneKey> {
        self.own.as_ref().or_else(|| self.context.lane_key(lane))
    }

    fn batch_of(&self, contact: &Contact) -> Option<BatchId> {
        (self.context.run.run_type == SubCampaignType::OnDemand)
            .then_some(BatchId(contact.container))
    }

    fn fresh(&self, place: &Place) -> Progress {
        fresh(
            self.context.run.id,
            place.contact,
            self.index,
            self.lane,
            place.rank,
        )
    }

    fn put_back(&mut self, whose: Whose, place: &Place, lane: u32) {
        self.context.note_due(self.index, lane, place.due);
        self.changes.enqueue(whose, Place { lane, ..*place });
    }

    /// The contact waits for its own moment, and its progress says for what.
    fn wait(
        &mut self,
        whose: Whose,
        place: &Place,
        lane: u32,
        past: Progress,
        until: Moment,
        reason: Reason,
    ) {
        let place = Place {
            lane,
            due: until,
            ..*place
        };
        self.put_back(whose, &place, lane);
        self.changes.progress(Progress {
            place: Where::Waiting,
            lane,
            due: until,
            reason: Some(reason),
            ..past
        });
    }

    /// A contact that was never attempted becomes filtered; an attempted one gets no more attempts (`entities.md` 10.2).
    fn deny(
        &mut self,
        whose: Whose,
        known: bool,
        past: Progress,
        reason: Reason,
        rule: Option<(RuleId, u32)>,
        now: Moment,
    ) {
        if !past.attempted {
            let denial = Denial {
                run: whose.run,
                contact: past.contact,
                at: now,
                reason,
                rule,
            };
            self.changes.denied(whose, denial);
        }
        if known {
            self.finish(past, reason);
        }
    }

    fn leave<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        whose: Whose,
        contact: &Contact,
        mut past: Progress,
        reason: Reason,
        now: Moment,
    ) -> Result<()> {
        let place = schedule::leave_pass(
            tx,
            self.context,
            self.changes,
            contact,
            &mut past,
            whose.batch,
            Some(reason),
            now,
        )?;
        if let Some(place) = place {
            self.context.note_due(place.pass, place.lane, place.due);
            self.changes.enqueue(
                Whose {
                    pass: place.pass,
                    ..whose
                },
                place,
            );
        }
        self.changes.progress(past);
        Ok(())
    }

    fn finish(&mut self, mut past: Progress, reason: Reason) {
        past.place = Where::Finished;
        past.reason = Some(reason);
        self.changes.progress(past);
    }
}

/// The contacts of a claim with what is known against them.
struct Claimed {
    contacts: Vec<Contact>,
    facts: ContactFacts,
    removed: Vec<bool>,
    index: HashMap<ContactId, usize>,
}

impl Claimed {
    fn read<T: Transaction + ?Sized>(
        tx: &T,
        context: &RunContext,
        pass: &Pass,
        ids: &[ContactId],
        now: Moment,
    ) -> Result<Self> {
        let contacts = tx.contacts(ids)?;
        let facts = ContactFacts::gather(tx, &context.rules, pass.channel, &contacts, now)?;
        let index = contacts
            .iter()
            .enumerate()
            .map(|(at, contact)| (contact.id, at))
            .collect();
        let removed = if context.run.run_type == SubCampaignType::OnDemand {
            vec![false; contacts.len()]
        } else {
            removed(tx, &contacts)?
        };
        Ok(Self {
            contacts,
            facts,
            removed,
            index,
        })
    }

    fn get(&self, id: ContactId) -> Option<(&Contact, &Facts, bool)> {
        let at = *self.index.get(&id)?;
        Some((&self.contacts[at], self.facts.of(at), self.removed[at]))
    }
}

/// Which contacts were taken out of their List. One that a second import replaced is still tried by the runs that loaded
/// it: its Client ID has a member.
fn removed<T: Transaction + ?Sized>(tx: &T, contacts: &[Contact]) -> Result<Vec<bool>> {
    let ids: Vec<ContactId> = contacts.iter().map(|contact| contact.id).collect();
    let mut removed: Vec<bool> = tx
        .contacts_live(&ids)?
        .into_iter()
        .map(|live| !live)
        .collect();
    for (contact, removed) in contacts.iter().zip(&mut removed) {
        if *removed {
            let member = tx.contacts_by_client_id(contact.container, &[&contact.external_id])?;
            *removed = member.first().copied().flatten().is_none();
        }
    }
    Ok(removed)
}
