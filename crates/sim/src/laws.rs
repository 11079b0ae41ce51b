//! The laws a trip is held to, reckoned apart from the engine: what was sent stands in the ledger, nobody is tried outside
//! civil hours, after an opt-out or against a rule, nothing is sent more often than allowed, nobody is lost.

use crate::carrier::{Sent, SimCarrier};
use carillon_engine::invariant::check_invariants;
use carillon_model::attempt::Attempt;
use carillon_model::contact::Contact;
use carillon_model::counter::Subject;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::zone::Zone;
use carillon_model::{
    AttemptId, AttemptResult, BatchId, ContactId, Direction, Moment, SubCampaignId,
    SubCampaignState,
};
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use carillon_store::{EntityReadExt, Error, Snapshot, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What may send nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Still {
    /// A run that is paused or stopped.
    Run(SubCampaignId),
    /// A batch that was cancelled.
    Batch(BatchId),
}

/// What is known of the outside, and how far the carriers' books were checked.
pub struct Laws {
    faults: bool,
    looked: Vec<usize>,
    suppressed: BTreeMap<String, Moment>,
    forbidden: BTreeMap<&'static str, Moment>,
    /// Sends of a contact in a pass.
    sends: BTreeMap<(SubCampaignId, ContactId, u16), usize>,
    paused: BTreeMap<SubCampaignId, Moment>,
    /// Runs and batches that stand still, and whether a step was made since.
    still: BTreeMap<Still, bool>,
    /// Devices whose STOP was committed, without a START since.
    opted_out: BTreeSet<String>,
}

impl Laws {
    pub fn new(faults: bool) -> Self {
        let mut forbidden = BTreeMap::new();
        if faults {
            forbidden.insert("FR", Moment(0));
        }
        Self {
            faults,
            looked: Vec::new(),
            suppressed: BTreeMap::new(),
            forbidden,
            sends: BTreeMap::new(),
            paused: BTreeMap::new(),
            still: BTreeMap::new(),
            opted_out: BTreeSet::new(),
        }
    }

    /// A rule was committed.
    pub fn forbid(&mut self, country: &'static str, now: Moment) {
        self.forbidden.entry(country).or_insert(now);
    }

    /// A suppression entry was committed.
    pub fn suppress(&mut self, client: String, now: Moment) {
        self.suppressed.entry(client).or_insert(now);
    }

    /// A request was answered: the run is in this state now.
    pub fn requested(&mut self, run: SubCampaignId, state: Option<SubCampaignState>, now: Moment) {
        use SubCampaignState::{Paused, Stopping};
        if state == Some(Paused) {
            self.paused.entry(run).or_insert(now);
        } else {
            self.paused.remove(&run);
        }
        if matches!(state, Some(Paused | Stopping)) {
            self.still.entry(Still::Run(run)).or_insert(false);
        } else {
            self.still.remove(&Still::Run(run));
        }
    }

    /// A batch was cancelled.
    pub fn cancelled(&mut self, batch: BatchId) {
        self.still.entry(Still::Batch(batch)).or_insert(false);
    }

    /// A step was committed and all it decided was done: what waited for a run or batch that stands still was withdrawn.
    pub fn stepped(&mut self) {
        self.still.values_mut().for_each(|stepped| *stepped = true);
    }

    /// A message was committed.
    pub fn received(&mut self, from: &str, body: &str) {
        match body {
            "STOP" => {
                self.opted_out.insert(from.to_owned());
            }
            "START" => {
                self.opted_out.remove(from);
            }
            _ => {}
        }
    }

    /// Checks what the carriers were given since the last look.
    pub fn look(
        &mut self,
        store: &Store,
        carriers: &[Arc<SimCarrier>],
        wrong: &mut Vec<String>,
    ) -> Result<(), Error> {
        self.looked.resize(carriers.len(), 0);
        for (index, carrier) in carriers.iter().enumerate() {
            if carrier.sent_count() == self.looked[index] {
                continue;
            }
            let sent: Vec<Sent> = carrier.sent().split_off(self.looked[index]);
            self.looked[index] += sent.len();
            for sent in sent {
                self.check(store, sent, wrong)?;
            }
        }
        Ok(())
    }

    fn check(&mut self, store: &Store, sent: Sent, wrong: &mut Vec<String>) -> Result<(), Error> {
        let id = sent.attempt;
        let Some(known) = store.read_now(move |snapshot| Known::read(snapshot, id))? else {
            wrong.push(format!("attempt {id} was sent and is not in the ledger"));
            return Ok(());
        };
        let Known {
            attempt,
            contact,
            sub_campaign,
        } = known;
        if attempt.number == carillon_engine::dispose::OUTSIDE {
            return Ok(());
        }
        let mut blame = |what: &str| {
            wrong.push(format!(
                "attempt {id} to {} at {}: {what}",
                sent.to, sent.at
            ));
        };
        let (Some(contact), Some(sub_campaign)) = (contact, sub_campaign) else {
            blame("its contact or SubCampaign is not there");
            return Ok(());
        };
        // Sends are looked at before the next step is committed, and what a STOP forbids is withdrawn with its commit.
        if self.opted_out.contains(&attempt.address) {
            blame("the device had opted out");
        }
        if self
            .suppressed
            .get(&contact.external_id)
            .is_some_and(|since| *since < attempt.written)
        {
            blame("the contact was suppressed");
        }
        let country = contact.attribute("country").unwrap_or_default();
        if self
            .forbidden
            .get(country)
            .is_some_and(|since| *since < attempt.written)
        {
            blame("a rule forbids its country");
        }
        if self
            .paused
            .get(&attempt.run)
            .is_some_and(|since| *since < attempt.written)
        {
            blame("the run was paused");
        }
        let stands_still = |still: Still| self.still.get(&still) == Some(&true);
        let of_batch = attempt.batch.map(Still::Batch);
        if stands_still(Still::Run(attempt.run)) || of_batch.is_some_and(stands_still) {
            blame("its run or batch stands still and a step was made since");
        }
        let pass = &sub_campaign.passes[usize::from(attempt.pass)];
        let zone = contact
            .attribute("timeZone")
            .and_then(Zone::named)
            .unwrap_or_else(Zone::utc);
        let hour = zone.time_zone().to_datetime(sent.at.timestamp()).hour();
        let (mut first, mut last) = (8, 21);
        if sub_campaign.list.is_some() {
            (first, last) = (9, 20);
        }
        if country == "GB" && self.faults {
            (first, last) = (10, 16);
        }
        if !(first..last).contains(&hour) {
            blame(&format!("it is {hour} o'clock there"));
        }
        let sends = self
            .sends
            .entry((attempt.run, attempt.contact, attempt.pass))
            .or_default();
        *sends += 1;
        if *sends > usize::from(pass.max_attempts) {
            blame("it was sent more often than the pass allows");
        }
        Ok(())
    }

    /// The laws of counters and places.
    pub fn invariants(
        &self,
        store: &Store,
        runs: &[SubCampaignId],
        wrong: &mut Vec<String>,
    ) -> Result<(), Error> {
        let runs = runs.to_vec();
        let found = store.read_now(move |snapshot| {
            let mut found = Vec::new();
            for run in runs {
                found.extend(check_invariants(snapshot, run)?);
                found.extend(no_repeats(snapshot, run)?);
            }
            Ok::<_, Error>(found)
        })?;
        wrong.extend(found);
        Ok(())
    }

    /// Every receipt counts, in whichever order it came, unless a crash lost the id it names.
    pub fn receipts(
        &self,
        store: &Store,
        carriers: &[Arc<SimCarrier>],
        wrong: &mut Vec<String>,
    ) -> Result<(), Error> {
        for carrier in carriers {
            let said = carrier.receipts();
            let ids: Vec<AttemptId> = said.iter().map(|(attempt, _)| *attempt).collect();
            let attempts = store.read_now(move |snapshot| snapshot.attempts(&ids))?;
            for ((id, delivered), attempt) in said.into_iter().zip(attempts) {
                let Some(attempt) = attempt.filter(|attempt| attempt.accepted.is_some()) else {
                    continue;
                };
                let expected = if delivered {
                    AttemptResult::Success
                } else {
                    AttemptResult::Failed
                };
                if attempt.result != Some(expected) {
                    wrong.push(format!(
                        "attempt {id} ended {:?}, its receipt said {expected:?}",
                        attempt.result
                    ));
                }
            }
        }
        Ok(())
    }

    /// A number that is equal for equal ledgers, and how many attempts there are.
    pub fn digest(&self, store: &Store, runs: &[SubCampaignId]) -> Result<(u64, usize), Error> {
        let runs = runs.to_vec();
        store.read_now(move |snapshot| {
            let mut text = String::new();
            let mut count = 0;
            for run in runs {
                for attempt in attempts(snapshot, run)? {
                    count += 1;
                    text.push_str(&format!("{attempt:?}\n"));
                }
                text.push_str(&format!(
                    "{:?}\n",
                    snapshot.counters(&[Subject::whole(run)])?
                ));
                text.push_str(&format!("{:?}\n", snapshot.run(run)?.map(|run| run.state)));
            }
            Ok((fnv1a(&text), count))
        })
    }
}

/// Nothing is tried again in a pass after it was delivered there, and an Unknown is repeated only where a rule says so.
fn no_repeats(snapshot: &dyn Snapshot, run: SubCampaignId) -> Result<Vec<String>, Error> {
    let mut wrong = Vec::new();
    let Some(sub_campaign) = snapshot.get::<SubCampaign>(run)? else {
        return Ok(wrong);
    };
    let mut last: BTreeMap<(ContactId, u16), Attempt> = BTreeMap::new();
    for attempt in attempts(snapshot, run)? {
        let counts = attempt
            .result
            .is_none_or(|result| result.counts_as_attempt());
        if !counts || attempt.number == carillon_engine::dispose::OUTSIDE {
            continue;
        }
        let pass = &sub_campaign.passes[usize::from(attempt.pass)];
        if let Some(before) = last.get(&(attempt.contact, attempt.pass)) {
            let unknown = before.result == Some(AttemptResult::Unknown);
            let allowed = pass
                .retry_rules
                .iter()
                .any(|rule| rule.result == AttemptResult::Unknown);
            let delivered_before = before.result.is_some_and(|result| result.is_delivered())
                && before.ended.is_some_and(|ended| ended < attempt.written);
            if before.result.is_none() || delivered_before || (unknown && !allowed) {
                wrong.push(format!(
                    "contact {} was tried again by {} after {} was {:?}",
                    attempt.contact, attempt.id, before.id, before.result
                ));
            }
        }
        last.insert((attempt.contact, attempt.pass), attempt);
    }
    Ok(wrong)
}

fn attempts(snapshot: &dyn Snapshot, run: SubCampaignId) -> Result<Vec<Attempt>, Error> {
    let mut all = Vec::new();
    let mut after = AttemptId(0);
    loop {
        let page = snapshot.attempts_of(&AttemptQuery {
            of: AttemptsOf::Run(run),
            from: Moment(0),
            to: Moment::NEVER,
            after,
            limit: 1_000,
        })?;
        let Some(last) = page.last() else { break };
        after = last.id;
        all.extend(
            page.into_iter()
                .filter(|attempt| attempt.direction == Direction::Outbound),
        );
    }
    Ok(all)
}

struct Known {
    attempt: Attempt,
    contact: Option<Contact>,
    sub_campaign: Option<SubCampaign>,
}

impl Known {
    fn read(snapshot: &dyn Snapshot, id: AttemptId) -> Result<Option<Self>, Error> {
        let Some(attempt) = snapshot.attempts(&[id])?.into_iter().flatten().next() else {
            return Ok(None);
        };
        let contact = snapshot.contacts(&[attempt.contact])?.into_iter().next();
        let sub_campaign = snapshot.get::<SubCampaign>(attempt.run)?;
        Ok(Some(Self {
            attempt,
            contact,
            sub_campaign,
        }))
    }
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
