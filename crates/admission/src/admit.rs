//! Taking contacts into a run: each is judged once, at load; the denied ones are kept with their reason, the others get a
//! place in the queue. Runs inside the caller's unit of work, so that counters, queue and verdicts never disagree.

use crate::device;
use crate::facts::{ContactFacts, Facts};
use crate::limits::{LANES_MAX, RANK_SPAN, SAME_DEVICE_MAX};
use crate::rules::{LaneKey, RuleSet};
use crate::turn;
use carillon_compliance::judge::LaneFacts;
use carillon_model::contact::{Contact, DeviceKey};
use carillon_model::counter::{Counters, Subject};
use carillon_model::pass::Pass;
use carillon_model::run::{BatchRun, Place as Where, Progress, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{ChannelType, ContactId, Moment, Reason, RuleId, SubCampaignId};
use carillon_store::meta::Topic;
use carillon_store::queue::Place;
use carillon_store::verdict::{Denial, Judgement};
use carillon_store::{Result, Snapshot, Transaction};
use std::collections::{HashMap, HashSet};

/// Where contacts are admitted to.
pub struct AdmitInto<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its SubCampaign: passes and escalation.
    pub sub_campaign: &'a SubCampaign,
    /// The batch the contacts belong to; none for a List.
    pub batch: Option<&'a BatchRun>,
    /// Which of the contacts are duplicates ([`duplicates`]); empty = none is.
    pub duplicates: &'a [bool],
    /// What the caller knows against a contact: a field its Script needs is missing, the filter does not match.
    pub objection: &'a dyn Fn(&Contact) -> Option<Reason>,
    /// Whether the judgement that covers the whole load is kept now: by the first piece of it.
    pub keep_judgement: bool,
}

/// What became of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It waits in this lane.
    Admitted {
        /// Number of the lane.
        lane: u32,
    },
    /// It will not be attempted.
    Filtered {
        /// Why.
        reason: Reason,
        /// By which rule, in which version.
        rule: Option<(RuleId, u32)>,
    },
}

/// A contact and what became of it, in the order given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The contact.
    pub contact: ContactId,
    /// What became of it.
    pub outcome: Outcome,
}

/// Which contacts of a call are duplicates in a batch: of one before them, or of one already in it. Ask before the
/// contacts are stored. A contact counts by its Client ID, and where that is empty by its first device.
pub fn duplicates<S: Snapshot + ?Sized>(
    snapshot: &S,
    container: i64,
    contacts: &[Contact],
) -> Result<Vec<bool>> {
    let client_ids: Vec<&str> = contacts
        .iter()
        .map(|contact| contact.external_id.as_str())
        .collect();
    // A new batch has nobody yet: one look instead of one for each contact.
    let present = if snapshot.container(container)?.contacts == 0 {
        vec![None; contacts.len()]
    } else {
        snapshot.contacts_by_client_id(container, &client_ids)?
    };
    let mut seen = HashSet::new();
    let mut answer = Vec::with_capacity(contacts.len());
    for (contact, present) in contacts.iter().zip(present) {
        let first = contact
            .devices
            .first()
            .map(|device| device.address.as_str());
        let duplicate = if !contact.external_id.is_empty() {
            !seen.insert(contact.external_id.as_str()) || present.is_some()
        } else if let Some(address) = first {
            !seen.insert(address) || has_first_device(snapshot, container, address)?
        } else {
            false
        };
        answer.push(duplicate);
    }
    Ok(answer)
}

fn has_first_device<S: Snapshot + ?Sized>(
    snapshot: &S,
    container: i64,
    address: &str,
) -> Result<bool> {
    let same = snapshot.contacts_with_device(DeviceKey::of(address), SAME_DEVICE_MAX)?;
    Ok(same.iter().any(|other| {
        other.container == container
            && other
                .devices
                .first()
                .is_some_and(|device| device.address == address)
    }))
}

/// Judges contacts and takes them in; answers what became of each, in the order given.
pub fn admit<T: Transaction + ?Sized>(
    tx: &mut T,
    rules: &RuleSet,
    into: &AdmitInto<'_>,
    contacts: &[Contact],
    now: Moment,
) -> Result<Vec<Admission>> {
    let mut channels: Vec<ChannelType> = into
        .sub_campaign
        .passes
        .iter()
        .map(|pass| pass.channel)
        .collect();
    channels.sort_unstable();
    channels.dedup();
    let facts = channels
        .into_iter()
        .map(|channel| {
            Ok((
                channel,
                ContactFacts::gather(tx, rules, channel, contacts, now)?,
            ))
        })
        .collect::<Result<HashMap<_, _>>>()?;
    let mut work = Work::new(into, rules, now);
    if let Some(batch) = into.batch {
        work.rank = first_rank(tx, into.run.id, batch)?;
    }
    let mut admissions = Vec::with_capacity(contacts.len());
    for (index, contact) in contacts.iter().enumerate() {
        let duplicate = into.duplicates.get(index).copied().unwrap_or(false);
        let against = |channel| *facts[&channel].of(index);
        let outcome = work.take(tx, contact, &against, duplicate)?;
        admissions.push(Admission {
            contact: contact.id,
            outcome,
        });
    }
    work.write(tx)?;
    Ok(admissions)
}

/// The rank before the first of a batch. Ranks of batches made at about the same time interleave by their priorities; a
/// later batch starts where the run has come to, so that it does not overtake those who wait.
fn first_rank<T: Transaction + ?Sized>(
    tx: &T,
    run: SubCampaignId,
    batch: &BatchRun,
) -> Result<i64> {
    let counted = tx.counters(&[Subject::whole(run), Subject::whole(batch.id)])?;
    let reached = counted[0].attempted * (RANK_SPAN / 5);
    let own = counted[1].available() * rank_step(batch);
    Ok(reached.max(own))
}

fn rank_step(batch: &BatchRun) -> i64 {
    RANK_SPAN / i64::from(batch.priority.clamp(1, 10))
}

/// Why a contact is denied, and by which rule.
type Denied = (Reason, Option<(RuleId, u32)>);

/// A contact's first place, before the lane has a number.
struct FirstPlace {
    pass: u16,
    key: LaneKey,
    due: Moment,
}

struct Work<'a> {
    into: &'a AdmitInto<'a>,
    rules: &'a RuleSet,
    now: Moment,
    rank: i64,
    /// Verdicts, turns and lane numbers by what contacts share: a list of a million has some hundred of them.
    rulings: HashMap<(u16, LaneFacts), Option<Denied>>,
    turns: HashMap<(u16, LaneFacts), Option<(Moment, Moment)>>,
    lanes: HashMap<LaneKey, u32>,
    /// All lanes of the run; empty = not read yet.
    known: HashMap<Vec<u8>, u32>,
    places: Vec<Place>,
    denials: Vec<Denial>,
    progress: Vec<Progress>,
}

impl<'a> Work<'a> {
    fn new(into: &'a AdmitInto<'a>, rules: &'a RuleSet, now: Moment) -> Self {
        Self {
            into,
            rules,
            now,
            rank: 0,
            rulings: HashMap::new(),
            turns: HashMap::new(),
            lanes: HashMap::new(),
            known: HashMap::new(),
            places: Vec::new(),
            denials: Vec::new(),
            progress: Vec::new(),
        }
    }

    fn take<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        contact: &Contact,
        against: &dyn Fn(ChannelType) -> Facts,
        duplicate: bool,
    ) -> Result<Outcome> {
        let place = if duplicate {
            Err((Reason::Duplicate, None))
        } else {
            self.first_place(contact, against).and_then(|place| {
                match (self.into.objection)(contact) {
                    Some(reason) => Err((reason, None)),
                    None => Ok(place),
                }
            })
        };
        match place {
            Ok(place) => {
                let lane = self.lane(tx, &place.key)?;
                self.enqueue(contact.id, &place, lane);
                Ok(Outcome::Admitted { lane })
            }
            Err((reason, rule)) => {
                self.denials.push(Denial {
                    run: self.into.run.id,
                    contact: contact.id,
                    at: self.now,
                    reason,
                    rule,
                });
                Ok(Outcome::Filtered { reason, rule })
            }
        }
    }

    /// The first pass that takes the contact and has a device for it that is not denied. The reason told otherwise is
    /// that against the device that would have been tried first.
    fn first_place(
        &mut self,
        contact: &Contact,
        against: &dyn Fn(ChannelType) -> Facts,
    ) -> std::result::Result<FirstPlace, Denied> {
        let passes = &self.into.sub_campaign.passes;
        let escalation = self.into.sub_campaign.escalation_type;
        let mut denied = None;
        for (index, pass) in passes.iter().enumerate() {
            if !turn::accepts(passes, index, &[]) {
                continue;
            }
            let known = against(pass.channel);
            if let Some(reason) = known.denied {
                denied.get_or_insert((reason, None));
                continue;
            }
            for device in device::order(contact, pass, escalation) {
                if let Some(reason) = known.reason_against(device.number) {
                    denied.get_or_insert((reason, None));
                    continue;
                }
                let facts = self.rules.facts(contact, device, pass);
                if let Some(denial) = self.ruling(index as u16, pass, &facts) {
                    denied.get_or_insert(denial);
                    continue;
                }
                return Ok(self.place(index as u16, pass, facts));
            }
        }
        Err(denied.unwrap_or((Reason::NoDevice, None)))
    }

    fn ruling(&mut self, index: u16, pass: &Pass, facts: &LaneFacts) -> Option<Denied> {
        if let Some(known) = self.rulings.get(&(index, facts.clone())) {
            return *known;
        }
        let ruling = self.rules.denial(facts, pass, self.now);
        self.rulings.insert((index, facts.clone()), ruling);
        ruling
    }

    /// Lists wait from the run's start, whenever that is; batches from theirs. Who has no device for an earlier pass
    /// leaves that at once and waits for the turn of the later one.
    fn place(&mut self, index: u16, pass: &Pass, facts: LaneFacts) -> FirstPlace {
        if index == 0 && self.into.batch.is_none() {
            return FirstPlace {
                pass: index,
                key: LaneKey {
                    closes: None,
                    facts,
                },
                due: Moment(0),
            };
        }
        let start = self
            .into
            .batch
            .map_or(self.into.run.start_time, |batch| batch.start_time)
            .max(self.now);
        let rules = self.rules;
        let turn = *self.turns.entry((index, facts.clone())).or_insert_with(|| {
            rules
                .turn(&facts, pass, start)
                .map(|turn| (turn.opens, turn.closes))
        });
        // Without a turn the lane is over before it opens: its contacts leave the pass with the reason.
        let (opens, closes) = turn.unwrap_or((start, self.now));
        let due = match self.into.batch {
            // Those that may start at once share one due moment, so that ranks, and with them priorities, decide.
            Some(batch) if index == 0 && batch.start_time <= self.now => Moment(0),
            Some(_) if index == 0 => start,
            _ => opens.max(start),
        };
        FirstPlace {
            pass: index,
            key: LaneKey {
                closes: Some(closes),
                facts,
            },
            due,
        }
    }

    fn lane<T: Transaction + ?Sized>(&mut self, tx: &mut T, key: &LaneKey) -> Result<u32> {
        if let Some(lane) = self.lanes.get(key) {
            return Ok(*lane);
        }
        let run = self.into.run.id;
        if self.known.is_empty() {
            let known = tx.lanes(run)?.into_iter();
            self.known = known.map(|lane| (lane.facts, lane.number)).collect();
        }
        let mut facts = key.encode();
        if self.known.len() >= LANES_MAX && !self.known.contains_key(&facts) {
            facts = LaneKey::mixed(key.closes).encode();
        }
        let lane = match self.known.get(&facts) {
            Some(lane) => *lane,
            None => tx.intern_lane(run, &facts)?,
        };
        self.known.insert(facts, lane);
        self.lanes.insert(key.clone(), lane);
        Ok(lane)
    }

    fn enqueue(&mut self, contact: ContactId, place: &FirstPlace, lane: u32) {
        let rank = match self.into.batch {
            Some(batch) => {
                self.rank += rank_step(batch);
                self.rank
            }
            // Ids rise in the order of the List.
            None => contact.0,
        };
        self.places.push(Place {
            pass: place.pass,
            lane,
            due: place.due,
            rank,
            contact,
        });
        // Who waits in a later pass at once has left those before: no rule of the queue alone says where it is.
        if self.into.batch.is_some() || place.pass > 0 {
            self.progress.push(Progress {
                run: self.into.run.id,
                contact,
                place: Where::Waiting,
                pass: place.pass,
                lane,
                rank,
                due: place.due,
                attempts: 0,
                device_next: 0,
                bad_devices: 0,
                delivered: false,
                attempted: false,
                results: Vec::new(),
                reason: None,
            });
        }
    }

    fn write<T: Transaction + ?Sized>(self, tx: &mut T) -> Result<()> {
        let run = self.into.run.id;
        let mut counters: HashMap<Subject, Counters> = HashMap::new();
        let mut count = |pass: Option<u16>, change: Counters| {
            *counters.entry(Subject::whole(run)).or_default() += change;
            if let Some(batch) = self.into.batch {
                *counters.entry(Subject::whole(batch.id)).or_default() += change;
            }
            if let Some(pass) = pass {
                *counters.entry(Subject::pass(run, pass)).or_default() += change;
            }
        };
        for place in &self.places {
            let admitted = Counters {
                not_attempted: 1,
                pending: 1,
                ..Counters::default()
            };
            count(Some(place.pass), admitted);
        }
        let filtered = self.denials.len() as i64;
        count(
            None,
            Counters {
                filtered,
                ..Counters::default()
            },
        );
        tx.enqueue(run, &self.places)?;
        if !self.denials.is_empty() {
            tx.put_denials(&self.denials)?;
        }
        if !self.progress.is_empty() {
            tx.put_progress(&self.progress)?;
        }
        let counters: Vec<(Subject, Counters)> = counters
            .into_iter()
            .filter(|(_, change)| !change.is_zero())
            .collect();
        tx.count(self.now, &counters)?;
        if self.into.keep_judgement {
            tx.put_judgement(&Judgement {
                run,
                at: self.now,
                lane: None,
                until: None,
                reason: None,
                basis: self.rules.basis().to_owned(),
            })?;
        }
        tx.touch(Topic::Runs)
    }
}
