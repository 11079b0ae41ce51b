//! The laws of counters and places, checked from the rows themselves (`entities.md` 8): for the simulation, the crash tests
//! only. Reads everything of a run; no part of the engine depends on it.

use carillon_model::attempt::Attempt;
use carillon_model::counter::{Counters, Subject};
use carillon_model::run::{Place as Where, Progress, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AttemptId, ContactId, Direction, Moment, SubCampaignId, SubCampaignState, SubCampaignType,
};
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use carillon_store::queue::Place;
use carillon_store::{EntityReadExt, Result, Snapshot};
use std::collections::BTreeMap;

/// Rows read at a time.
const PAGE: usize = 1_000;

/// What is wrong with a run, in words; empty when all laws hold.
pub fn check_invariants<S: Snapshot + ?Sized>(
    snapshot: &S,
    run: SubCampaignId,
) -> Result<Vec<String>> {
    let Some(row) = snapshot.run(run)? else {
        return Ok(vec![format!("no run {run}")]);
    };
    let Some(sub_campaign) = snapshot.stored::<SubCampaign>(run)? else {
        return Ok(vec![format!("no SubCampaign {run}")]);
    };
    let audit = Audit::read(snapshot, row, sub_campaign.entity)?;
    let mut wrong = Vec::new();
    audit.check_places(snapshot, &mut wrong)?;
    audit.check_counters(snapshot, &mut wrong)?;
    Ok(wrong)
}

struct Audit {
    run: Run,
    sub_campaign: SubCampaign,
    contacts: Vec<ContactId>,
    progress: BTreeMap<ContactId, Progress>,
    /// Attempts of the passes, by contact.
    attempts: BTreeMap<ContactId, Vec<Attempt>>,
}

impl Audit {
    fn read<S: Snapshot + ?Sized>(
        snapshot: &S,
        run: Run,
        sub_campaign: SubCampaign,
    ) -> Result<Self> {
        let mut audit = Self {
            run,
            sub_campaign,
            contacts: Vec::new(),
            progress: BTreeMap::new(),
            attempts: BTreeMap::new(),
        };
        audit.read_contacts(snapshot)?;
        audit.read_attempts(snapshot)?;
        Ok(audit)
    }

    /// Contacts the run has taken in: those of the List up to where the load has come, or those of its batches. Members
    /// that were removed or replaced since are found by their attempts, progress or denials only, so runs under audit keep
    /// their Lists still.
    fn read_contacts<S: Snapshot + ?Sized>(&mut self, snapshot: &S) -> Result<()> {
        let mut containers = Vec::new();
        if self.run.run_type == SubCampaignType::OnDemand {
            containers.extend(
                snapshot
                    .batches_of(self.run.id)?
                    .iter()
                    .map(|batch| batch.0),
            );
        }
        containers.extend(self.sub_campaign.list.map(|list| list.0));
        for container in containers {
            let mut after = ContactId(0);
            loop {
                let page = snapshot.contact_page(container, after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = last.id;
                let of_list = self.run.run_type != SubCampaignType::OnDemand;
                let taken = |id: ContactId| !of_list || id.0 <= self.run.load.contact_after;
                let ids: Vec<ContactId> = page
                    .iter()
                    .map(|contact| contact.id)
                    .filter(|id| taken(*id))
                    .collect();
                for past in snapshot.progress(self.run.id, &ids)?.into_iter().flatten() {
                    self.progress.insert(past.contact, past);
                }
                self.contacts.extend(ids);
            }
        }
        Ok(())
    }

    fn read_attempts<S: Snapshot + ?Sized>(&mut self, snapshot: &S) -> Result<()> {
        let mut after = AttemptId(0);
        loop {
            let page = snapshot.attempts_of(&AttemptQuery {
                of: AttemptsOf::Run(self.run.id),
                from: Moment(0),
                to: Moment::NEVER,
                after,
                limit: PAGE,
            })?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.id;
            for attempt in page {
                let in_pass = attempt.number != crate::dispose::OUTSIDE
                    && attempt.direction == Direction::Outbound;
                if in_pass {
                    self.attempts
                        .entry(attempt.contact)
                        .or_default()
                        .push(attempt);
                }
            }
        }
    }

    /// Every contact is denied, waiting, out with an attempt, or finished: one of them, and not two.
    fn check_places<S: Snapshot + ?Sized>(
        &self,
        snapshot: &S,
        wrong: &mut Vec<String>,
    ) -> Result<()> {
        let lanes: Vec<u32> = snapshot
            .lanes(self.run.id)?
            .into_iter()
            .map(|lane| lane.number)
            .collect();
        for contact in &self.contacts {
            let past = self.progress.get(contact);
            let denied = snapshot.denial(self.run.id, *contact)?.is_some();
            let open = self
                .attempts
                .get(contact)
                .is_some_and(|all| all.iter().any(|attempt| attempt.result.is_none()));
            let finished = past.is_some_and(|past| past.place == Where::Finished);
            let waiting = self.is_waiting(snapshot, *contact, past, &lanes)?;
            let places = [denied, waiting, open, finished && !denied && !open];
            if places.iter().filter(|place| **place).count() != 1 {
                wrong.push(format!(
                    "contact {contact} of run {}: denied {denied}, waiting {waiting}, open attempt {open}, finished {finished}",
                    self.run.id
                ));
            }
        }
        Ok(())
    }

    fn is_waiting<S: Snapshot + ?Sized>(
        &self,
        snapshot: &S,
        contact: ContactId,
        past: Option<&Progress>,
        lanes: &[u32],
    ) -> Result<bool> {
        let place = |pass, lane, due, rank| Place {
            pass,
            lane,
            due,
            rank,
            contact,
        };
        if let Some(past) = past {
            // Its lane may have become finer since the row was written.
            for lane in std::iter::once(&past.lane).chain(lanes) {
                let place = place(past.pass, *lane, past.due, past.rank);
                if snapshot.is_waiting(self.run.id, &place)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        // Never tried: it waits where it was admitted, which no row but the queue names.
        for pass in 0..self.sub_campaign.passes.len() as u16 {
            for lane in lanes {
                let place = place(pass, *lane, Moment(0), contact.0);
                if snapshot.is_waiting(self.run.id, &place)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn check_counters<S: Snapshot + ?Sized>(
        &self,
        snapshot: &S,
        wrong: &mut Vec<String>,
    ) -> Result<()> {
        let passes = self.sub_campaign.passes.len() as u16;
        let mut subjects = vec![Subject::whole(self.run.id)];
        subjects.extend((0..passes).map(|index| Subject::pass(self.run.id, index)));
        let mut counted = snapshot.counters(&subjects)?;
        let whole = counted.remove(0);
        let contacts = self.contacts.len() as i64 + self.former(snapshot)?;
        if !whole.is_sound(contacts) {
            wrong.push(format!(
                "run {}: {whole:?} is not sound for {contacts} contacts",
                self.run.id
            ));
        }
        let expected = self.expected();
        for (name, counts, rows) in [
            ("attempted", whole.attempted, expected.attempted),
            ("active", whole.active, expected.active),
            ("delivered", whole.delivered, expected.delivered),
            ("failed", whole.failed, expected.failed),
        ] {
            if counts != rows {
                wrong.push(format!(
                    "run {}: {name} is {counts}, the rows say {rows}",
                    self.run.id
                ));
            }
        }
        let waiting: i64 = snapshot
            .waiting(self.run.id)?
            .iter()
            .map(|waiting| waiting.contacts)
            .sum();
        if whole.pending != waiting {
            wrong.push(format!(
                "run {}: pending is {}, {waiting} wait",
                self.run.id, whole.pending
            ));
        }
        let sum = |of: fn(&Counters) -> i64| counted.iter().map(of).sum::<i64>();
        for (name, of) in [
            (
                "attempted",
                (|counters: &Counters| counters.attempted) as fn(&Counters) -> i64,
            ),
            ("active", |counters: &Counters| counters.active),
            ("pending", |counters: &Counters| counters.pending),
        ] {
            if of(&whole) != sum(of) {
                wrong.push(format!(
                    "run {}: {name} is {}, its passes sum to {}",
                    self.run.id,
                    of(&whole),
                    sum(of)
                ));
            }
        }
        for (index, counters) in counted.iter().enumerate() {
            if !counters.is_sound(counters.available() + counters.filtered) {
                wrong.push(format!(
                    "run {} pass {index}: {counters:?} is not sound",
                    self.run.id
                ));
            }
        }
        let is_over = matches!(
            self.run.state,
            SubCampaignState::Done | SubCampaignState::Cancelled
        );
        if is_over && (whole.active != 0 || whole.pending != 0) {
            wrong.push(format!("run {} is over with {whole:?}", self.run.id));
        }
        let denied: i64 = snapshot
            .denials_by_reason(self.run.id)?
            .iter()
            .map(|(_, contacts)| contacts)
            .sum();
        if whole.filtered != denied {
            wrong.push(format!(
                "run {}: filtered is {}, {denied} are denied",
                self.run.id, whole.filtered
            ));
        }
        Ok(())
    }

    /// Duplicates of batches are kept as former contacts: counted as filtered, members of nothing.
    fn former<S: Snapshot + ?Sized>(&self, snapshot: &S) -> Result<i64> {
        let duplicates = snapshot
            .denials_by_reason(self.run.id)?
            .into_iter()
            .filter(|(reason, _)| *reason == carillon_model::Reason::Duplicate)
            .map(|(_, contacts)| contacts)
            .sum();
        Ok(duplicates)
    }

    /// What the ledger says.
    fn expected(&self) -> Counters {
        let mut expected = Counters::default();
        for attempts in self.attempts.values() {
            let counted: Vec<&Attempt> = attempts
                .iter()
                .filter(|attempt| {
                    attempt
                        .result
                        .is_none_or(|result| result.counts_as_attempt())
                })
                .collect();
            expected.attempted += counted.len() as i64;
            expected.active += counted
                .iter()
                .filter(|attempt| attempt.result.is_none())
                .count() as i64;
            let results: Vec<_> = counted
                .iter()
                .filter_map(|attempt| attempt.result)
                .collect();
            if results.iter().any(|result| result.is_delivered()) {
                expected.delivered += 1;
            } else if !results.is_empty() {
                expected.failed += 1;
            }
        }
        expected
    }
}
