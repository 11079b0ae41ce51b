//! Where a contact is, read as the engine reads it: denial, ledger, progress, place in the queue, and the opening of its
//! lane by the very rules that the engine judges with.

use super::Why;
use carillon_admission::{LaneKey, Opening, RuleSet, resolve};
use carillon_model::attempt::Attempt;
use carillon_model::campaign::Campaign;
use carillon_model::contact::Contact;
use carillon_model::counter::{Counters, Subject};
use carillon_model::run::{Place as Where, Progress, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    AttemptId, BatchId, ContactId, Moment, Reason, RuleId, SubCampaignState, SubCampaignType,
};
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use carillon_store::queue::{Place, Waiting};
use carillon_store::verdict::Denial;
use carillon_store::{EntityReadExt as _, Result, Snapshot};
use std::collections::BTreeMap;

/// Attempts of a contact read at once; it may be in many runs.
const ATTEMPTS_CHUNK: usize = 1_000;
/// Judgements of a run that are looked through.
const JUDGEMENTS_MAX: usize = 1_000;
/// The number of messages outside the passes, such as answers to HELP: they say nothing about where a contact is.
const OUTSIDE: u16 = 0;

/// The state of a contact in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It may not be attempted and never was.
    Filtered,
    /// It waits for an attempt.
    Waiting,
    /// An attempt is out.
    Active,
    /// It gets no more attempts.
    Done,
}

impl State {
    /// Every word.
    pub const TEXTS: &'static [&'static str] = &["Filtered", "Waiting", "Active", "Done"];

    /// Its word on the wire.
    pub fn text(self) -> &'static str {
        match self {
            State::Filtered => "Filtered",
            State::Waiting => "Waiting",
            State::Active => "Active",
            State::Done => "Done",
        }
    }
}

/// What a contact is in, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// Its state.
    pub state: State,
    /// Index of the pass it is in, or was in last.
    pub pass: Option<u16>,
    /// Number of its lane.
    pub lane: Option<u32>,
    /// Why.
    pub why: Why,
    /// Until when, as far as can be seen.
    pub until: Option<Moment>,
    /// The rule that decides, in which version.
    pub rule: Option<(RuleId, u32)>,
    /// Its attempts in this run, oldest first.
    pub attempts: Vec<Attempt>,
}

/// What was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictKind {
    /// It may be attempted.
    Allow,
    /// Not now.
    Defer,
    /// Not at all.
    Deny,
}

impl VerdictKind {
    /// Every word.
    pub const TEXTS: &'static [&'static str] = &["Allow", "Defer", "Deny"];

    /// Its word on the wire.
    pub fn text(self) -> &'static str {
        match self {
            VerdictKind::Allow => "Allow",
            VerdictKind::Defer => "Defer",
            VerdictKind::Deny => "Deny",
        }
    }
}

/// A judgement that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// When.
    pub at: Moment,
    /// What.
    pub kind: VerdictKind,
    /// Why.
    pub reason: Option<Reason>,
    /// By which rule, in which version.
    pub rule: Option<(RuleId, u32)>,
    /// Until when it defers.
    pub until: Option<Moment>,
}

/// So many contacts share a state and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The state.
    pub state: State,
    /// Index of the pass in which they wait.
    pub pass: Option<u16>,
    /// Why; none for Done, whose results are the counters.
    pub why: Option<Why>,
    /// Until when, as far as can be seen.
    pub until: Option<Moment>,
    /// How many.
    pub contacts: i64,
}

/// Why those of a lane wait.
struct Wait {
    why: Why,
    until: Option<Moment>,
    rule: Option<(RuleId, u32)>,
}

impl Wait {
    fn of(why: Why, until: Option<Moment>) -> Self {
        Self {
            why,
            until,
            rule: None,
        }
    }
}

/// A run with what binds it, at a moment.
pub struct RunView {
    run: Run,
    sub_campaign: SubCampaign,
    rules: RuleSet,
    lanes: BTreeMap<u32, Option<LaneKey>>,
    waiting: Vec<Waiting>,
    now: Moment,
}

impl RunView {
    /// Reads a run; none when its Campaign or Account is not there.
    pub fn load(
        snapshot: &dyn Snapshot,
        run: Run,
        sub_campaign: SubCampaign,
        now: Moment,
    ) -> Result<Option<Self>> {
        let Some(campaign) = snapshot.stored::<Campaign>(run.campaign)? else {
            return Ok(None);
        };
        let Some(account) = resolve(snapshot, run.account)? else {
            return Ok(None);
        };
        let rules = RuleSet::load(snapshot, &account, &campaign.entity, &sub_campaign)?;
        let lanes = snapshot.lanes(run.id)?;
        let lanes = lanes
            .into_iter()
            .map(|lane| (lane.number, LaneKey::decode(&lane.facts)))
            .collect();
        Ok(Some(Self {
            waiting: snapshot.waiting(run.id)?,
            run,
            sub_campaign,
            rules,
            lanes,
            now,
        }))
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What was asked for.
    pub fn sub_campaign(&self) -> &SubCampaign {
        &self.sub_campaign
    }

    /// Whether a container (List or batch) is one the run takes contacts from.
    pub fn takes_from(&self, snapshot: &dyn Snapshot, container: i64) -> Result<bool> {
        if self.run.run_type != SubCampaignType::OnDemand {
            return Ok(self
                .sub_campaign
                .list
                .is_some_and(|list| list.0 == container));
        }
        let batch = snapshot.batch_run(BatchId(container))?;
        Ok(batch.is_some_and(|batch| batch.sub_campaign == self.run.id))
    }

    /// Where a contact of the run's List or batches is; none when it is not of this run: it came to the List after the
    /// load, or left it before.
    pub fn explain(
        &self,
        snapshot: &dyn Snapshot,
        contact: &Contact,
    ) -> Result<Option<(Current, Vec<Verdict>)>> {
        let denial = snapshot.denial(self.run.id, contact.id)?;
        let past = snapshot.progress(self.run.id, &[contact.id])?.pop();
        let current = self.current(snapshot, contact, denial.as_ref(), past.flatten())?;
        let Some(current) = current else {
            return Ok(None);
        };
        let verdicts = self.verdicts(snapshot, contact, &current, denial)?;
        Ok(Some((current, verdicts)))
    }

    fn current(
        &self,
        snapshot: &dyn Snapshot,
        contact: &Contact,
        denial: Option<&Denial>,
        past: Option<Progress>,
    ) -> Result<Option<Current>> {
        let attempts = self.attempts(snapshot, contact.id)?;
        if let Some(open) = attempts.iter().find(|attempt| attempt.result.is_none()) {
            return Ok(Some(Current {
                state: State::Active,
                pass: Some(open.pass),
                lane: Some(open.lane),
                why: Why::Result,
                until: None,
                rule: None,
                attempts,
            }));
        }
        if let Some(denial) = denial
            && past.as_ref().is_none_or(|past| !past.attempted)
        {
            return Ok(Some(Current {
                state: State::Filtered,
                pass: None,
                lane: None,
                why: Why::Verdict(denial.reason),
                until: None,
                rule: denial.rule,
                attempts,
            }));
        }
        match past {
            Some(past) if past.place == Where::Finished => Ok(Some(finished(&past, attempts))),
            Some(past) => {
                let lane = self.lane_of(snapshot, &past)?;
                let mut current = self.waiting_at(past.pass, lane, past.due, attempts);
                // A cap on the contact's own attempts, which its lane does not know.
                if let (Why::Queue, Some(reason), true) =
                    (current.why, past.reason, past.due > self.now)
                {
                    current.why = Why::Verdict(reason);
                }
                Ok(Some(current))
            }
            None => self.untried(snapshot, contact, attempts),
        }
    }

    /// A contact without any trace: it waits in the first pass, or the load has not come to it, or it is not of this run.
    fn untried(
        &self,
        snapshot: &dyn Snapshot,
        contact: &Contact,
        attempts: Vec<Attempt>,
    ) -> Result<Option<Current>> {
        let is_loading = self.run.state == SubCampaignState::Loading && !self.run.load.done;
        if is_loading && contact.id.0 > self.run.load.contact_after {
            let is_member = snapshot.contacts_live(&[contact.id])? == [true];
            return Ok(is_member.then_some(Current {
                state: State::Waiting,
                pass: None,
                lane: None,
                why: Why::NotLoaded,
                until: None,
                rule: None,
                attempts,
            }));
        }
        for waiting in self.waiting.iter().filter(|waiting| waiting.pass == 0) {
            let place = Place {
                pass: 0,
                lane: waiting.lane,
                due: Moment(0),
                // Contacts of Lists stand in the order of their ids.
                rank: contact.id.0,
                contact: contact.id,
            };
            if snapshot.is_waiting(self.run.id, &place)? {
                return Ok(Some(self.waiting_at(0, waiting.lane, Moment(0), attempts)));
            }
        }
        Ok(None)
    }

    /// The lane in which a contact waits: that of its row, or one that has become finer since the row was written.
    fn lane_of(&self, snapshot: &dyn Snapshot, past: &Progress) -> Result<u32> {
        let in_pass = self
            .waiting
            .iter()
            .filter(|waiting| waiting.pass == past.pass)
            .map(|waiting| waiting.lane);
        for lane in std::iter::once(past.lane).chain(in_pass) {
            let place = Place {
                pass: past.pass,
                lane,
                due: past.due,
                rank: past.rank,
                contact: past.contact,
            };
            if snapshot.is_waiting(self.run.id, &place)? {
                return Ok(lane);
            }
        }
        Ok(past.lane)
    }

    fn waiting_at(&self, pass: u16, lane: u32, due: Moment, attempts: Vec<Attempt>) -> Current {
        let mut wait = self.wait(pass, lane);
        if due > self.now {
            let opens = match (wait.why, wait.until) {
                (Why::Queue, _) => self.opens_at(pass, lane, due),
                (_, Some(until)) => Some(until.max(due)),
                (_, None) => None,
            };
            wait.until = opens;
        }
        Current {
            state: State::Waiting,
            pass: Some(pass),
            lane: Some(lane),
            why: wait.why,
            until: wait.until,
            rule: wait.rule,
            attempts,
        }
    }

    /// When a lane is open from `at` on.
    fn opens_at(&self, pass: u16, lane: u32, at: Moment) -> Option<Moment> {
        let key = self.lanes.get(&lane)?.as_ref()?;
        let of = self.sub_campaign.passes.get(usize::from(pass))?;
        match self.rules.opening(key, of, self.run.start_time.max(at), at) {
            Opening::Open { .. } => Some(at),
            Opening::Closed { until, .. } => Some(until),
            Opening::Over { .. } | Opening::Denied { .. } => None,
        }
    }

    /// Why a lane of a pass waits.
    fn wait(&self, pass: u16, lane: u32) -> Wait {
        use SubCampaignState::{Awaiting, Cancelled, Done, Loading, Paused, Stopping};
        match self.run.state {
            Loading => return Wait::of(Why::Loading, None),
            Paused => return Wait::of(Why::Paused, None),
            Stopping | Done | Cancelled | Awaiting => return Wait::of(Why::Stopping, None),
            _ => {}
        }
        let starts_by_itself = self.run.run_type == SubCampaignType::OnDemand;
        if self.run.held && !starts_by_itself {
            return Wait::of(Why::Held, None);
        }
        let start = self.run.start_time;
        if start > self.now && !starts_by_itself {
            return Wait::of(Why::StartTime, self.opens_at(pass, lane, start));
        }
        let key = self.lanes.get(&lane).and_then(Option::as_ref);
        let of = self.sub_campaign.passes.get(usize::from(pass));
        let (Some(key), Some(of)) = (key, of) else {
            return Wait::of(Why::Unreadable, None);
        };
        match self.rules.opening(key, of, start, self.now) {
            Opening::Open { .. } => Wait::of(Why::Queue, None),
            Opening::Closed { until, reason, .. } => Wait::of(Why::Verdict(reason), Some(until)),
            // About to leave the pass, or to be filtered: the sweep has not come to it.
            Opening::Over { reason } => Wait::of(Why::Verdict(reason), None),
            Opening::Denied { reason, rule, .. } => Wait {
                why: Why::Verdict(reason),
                until: None,
                rule,
            },
        }
    }

    fn attempts(&self, snapshot: &dyn Snapshot, contact: ContactId) -> Result<Vec<Attempt>> {
        let mut found = Vec::new();
        let mut after = AttemptId(0);
        loop {
            let chunk = snapshot.attempts_of(&AttemptQuery {
                of: AttemptsOf::Contacts(vec![contact]),
                from: Moment(0),
                to: Moment::NEVER,
                after,
                limit: ATTEMPTS_CHUNK,
            })?;
            let is_last = chunk.len() < ATTEMPTS_CHUNK;
            after = chunk.last().map_or(after, |last| last.id);
            let of_run =
                |attempt: &Attempt| attempt.run == self.run.id && attempt.number != OUTSIDE;
            found.extend(chunk.into_iter().filter(of_run));
            if is_last {
                return Ok(found);
            }
        }
    }

    /// What was kept about a contact: its denial, else that it was admitted, and the deferrals of its lane.
    fn verdicts(
        &self,
        snapshot: &dyn Snapshot,
        contact: &Contact,
        current: &Current,
        denial: Option<Denial>,
    ) -> Result<Vec<Verdict>> {
        if let Some(denial) = denial {
            return Ok(vec![Verdict {
                at: denial.at,
                kind: VerdictKind::Deny,
                reason: Some(denial.reason),
                rule: denial.rule,
                until: None,
            }]);
        }
        if current.why == Why::NotLoaded {
            return Ok(Vec::new());
        }
        // A batch was judged when it was made; a List by the first judgement of its run.
        let judged_from = if self.run.run_type == SubCampaignType::OnDemand {
            let batch = BatchId(contact.container);
            let batch = snapshot.stored::<carillon_model::contact_batch::ContactBatch>(batch)?;
            batch.map_or(Moment(0), |batch| batch.entity.base.created)
        } else {
            Moment(0)
        };
        let judgements = snapshot.judgements(self.run.id, JUDGEMENTS_MAX)?;
        let load = judgements
            .iter()
            .find(|judgement| judgement.lane.is_none() && judgement.at >= judged_from);
        let mut verdicts: Vec<Verdict> = load
            .map(|load| Verdict {
                at: load.at,
                kind: VerdictKind::Allow,
                reason: None,
                rule: None,
                until: None,
            })
            .into_iter()
            .collect();
        let deferrals = judgements
            .iter()
            .filter(|judgement| judgement.lane.is_some() && judgement.lane == current.lane);
        verdicts.extend(deferrals.map(|judgement| Verdict {
            at: judgement.at,
            kind: VerdictKind::Defer,
            reason: judgement.reason,
            rule: None,
            until: judgement.until,
        }));
        Ok(verdicts)
    }

    /// How many contacts share each state and reason, and the counters they add up to: Filtered to `filtered`, all others
    /// to `delivered`, `failed` and `notAttempted`. Those who wait are counted by lane: one that waits for a moment of its
    /// own (a retry, a cap) counts as Queue while its lane is open.
    pub fn totals(&self, snapshot: &dyn Snapshot) -> Result<(Vec<Total>, Counters)> {
        let counters = snapshot
            .counters(&[Subject::whole(self.run.id)])?
            .pop()
            .unwrap_or_default();
        let mut totals: Vec<Total> = snapshot
            .denials_by_reason(self.run.id)?
            .into_iter()
            .map(|(reason, contacts)| Total {
                state: State::Filtered,
                pass: None,
                why: Some(Why::Verdict(reason)),
                until: None,
                contacts,
            })
            .collect();
        let mut waits: BTreeMap<(u16, Why, Option<Moment>), i64> = BTreeMap::new();
        for lane in &self.waiting {
            let wait = self.wait(lane.pass, lane.lane);
            *waits.entry((lane.pass, wait.why, wait.until)).or_default() += lane.contacts;
        }
        let waiting: i64 = waits.values().sum();
        totals.extend(
            waits
                .into_iter()
                .map(|((pass, why, until), contacts)| Total {
                    state: State::Waiting,
                    pass: Some(pass),
                    why: Some(why),
                    until,
                    contacts,
                }),
        );
        let rest = [
            (State::Active, Some(Why::Result), counters.active),
            (
                State::Done,
                None,
                counters.available() - waiting - counters.active,
            ),
        ];
        totals.extend(
            rest.into_iter()
                .filter(|(_, _, contacts)| *contacts != 0)
                .map(|(state, why, contacts)| Total {
                    state,
                    pass: None,
                    why,
                    until: None,
                    contacts,
                }),
        );
        Ok((totals, counters))
    }
}

fn finished(past: &Progress, attempts: Vec<Attempt>) -> Current {
    let why = match past.reason {
        _ if past.delivered => Why::Delivered,
        Some(reason) => Why::Verdict(reason),
        None => Why::NotDelivered,
    };
    Current {
        state: State::Done,
        pass: Some(past.pass),
        lane: Some(past.lane),
        why,
        until: None,
        rule: None,
        attempts,
    }
}
