//! Taking contacts into a run: each is judged once, at load; the denied ones are kept with their reason, the others get a
//! place in the queue. Runs inside the caller's unit of work, so that counters, queue and verdicts never disagree.

use crate::device::{self, DeviceSet};
use crate::facts::ContactFacts;
use crate::limits::{RANK_SPAN, SAME_DEVICE_MAX};
use crate::rules::{LaneKey, RuleSet, Ruling};
use crate::turn;
use carillon_model::contact::{Contact, DeviceKey};
use carillon_model::counter::{Counters, Subject};
use carillon_model::run::{self, BatchRun, Progress, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{ContactId, Moment, Reason, RuleId, SubCampaignId};
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
pub fn duplicates(
    snapshot: &(impl Snapshot + ?Sized),
    container: i64,
    contacts: &[Contact],
) -> Result<Vec<bool>> {
    let client_ids: Vec<&str> =
        contacts.iter().map(|contact| contact.external_id.as_str()).collect();
    let present = snapshot.contacts_by_client_id(container, &client_ids)?;
    let mut seen = HashSet::new();
    let mut answer = Vec::with_capacity(contacts.len());
    for (contact, present) in contacts.iter().zip(present) {
        let first = contact.devices.first().map(|device| device.address.as_str());
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

fn has_first_device(
    snapshot: &(impl Snapshot + ?Sized),
    container: i64,
    address: &str,
) -> Result<bool> {
    let same = snapshot.contacts_with_device(DeviceKey::of(address), SAME_DEVICE_MAX)?;
    Ok(same.iter().any(|other| {
        other.container == container
            && other.devices.first().is_some_and(|device| device.address == address)
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
    let facts = ContactFacts::gather(tx, rules, &into.sub_campaign.passes, contacts, now)?;
    let mut work = Work::new(into, rules, now);
    if let Some(batch) = into.batch {
        work.rank = first_rank(tx, into.run.id, batch)?;
    }
    let admissions: Vec<Admission> = contacts
        .iter()
        .enumerate()
        .map(|(index, contact)| {
            let duplicate = into.duplicates.get(index).copied().unwrap_or(false);
            let outcome = work.take(tx, contact, facts.of(index), duplicate)?;
            Ok(Admission { contact: contact.id, outcome })
        })
        .collect::<Result<_>>()?;
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
    /// Verdicts and lane numbers by what contacts share: a list of a million has some hundred of them.
    rulings: HashMap<(u16, LaneKey), Ruling>,
    lanes: HashMap<LaneKey, u32>,
    places: Vec<Place>,
    denials: Vec<Denial>,
    progress: Vec<Progress>,
    admitted_by_pass: HashMap<u16, i64>,
}

impl<'a> Work<'a> {
    fn new(into: &'a AdmitInto<'a>, rules: &'a RuleSet, now: Moment) -> Self {
        Self {
            into,
            rules,
            now,
            rank: 0,
            rulings: HashMap::new(),
            lanes: HashMap::new(),
            places: Vec::new(),
            denials: Vec::new(),
            progress: Vec::new(),
            admitted_by_pass: HashMap::new(),
        }
    }

    fn take<T: Transaction + ?Sized>(
        &mut self,
        tx: &mut T,
        contact: &Contact,
        facts: &Facts,
        duplicate: bool,
    ) -> Result<Outcome> {
        let place = if duplicate {
            Err((Reason::Duplicate, None))
        } else if let Some(reason) = facts.denied {
            Err((reason, None))
        } else if let Some(reason) = (self.into.objection)(contact) {
            Err((reason, None))
        } else {
            self.first_place(contact, facts)
        };
        Ok(match place {
            Ok(place) => {
                let lane = self.lane(tx, &place.key)?;
                self.enqueue(contact.id, &place, lane);
                Outcome::Admitted { lane }
            }
            Err((reason, rule)) => {
                let denial =
                    Denial { run: self.into.run.id, contact: contact.id, at: self.now, reason, rule };
                self.denials.push(denial);
                Outcome::Filtered { reason, rule }
            }
        })
    }

    /// The first pass that takes the contact and has a device for it that is not denied. The reason told otherwise is that
    /// of the first device that was denied: it would have been the one to be tried.
    fn first_place(&mut self, contact: &Contact, facts: &Facts) -> Result2<FirstPlace> {
        let passes = &self.into.sub_campaign.passes;
        let mut denied = None;
        for (index, pass) in passes.iter().enumerate() {
            if !turn::accepts(passes, index, &[]) {
                continue;
            }
            for device in device::order(contact, pass, self.into.sub_campaign.escalation_type) {
                if let Some(reason) = facts.reason_against(device.number, pass.channel) {
                    denied.get_or_insert((reason, None));
                    continue;
                }
                let first_day = self.first_day(index);
                let key = self.rules.lane_key(contact, device, pass, first_day);
                match self.ruling(index as u16, &key) {
                    Ruling::Denied { reason, rule } => {
                        denied.get_or_insert((reason, rule));
                    }
                    Ruling::Kept => {
                        return Ok(FirstPlace { pass: index as u16, key, due: self.first_due() });
                    }
                }
            }
        }
        Err(denied.unwrap_or((Reason::NoDevice, None)))
    }
}
