//! What the engine holds in memory of a run: its SubCampaign, rules, scripts, lanes with their openings. All of it is a
//! copy of the store that is thrown away and read again; nothing is true because it stands here.

use crate::dispose::OUTSIDE;
use carillon_admission::limits::LANES_MAX;
use carillon_admission::{LaneKey, Opening, RuleSet, Said, resolve};
use carillon_model::attempt::Attempt;
use carillon_model::campaign::Campaign;
use carillon_model::contact_batch::ContactBatch;
use carillon_model::org::Resolved;
use carillon_model::pass::Pass;
use carillon_model::run::{BatchRun, Run};
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::{
    BatchId, Moment, Reason, ScriptId, SubCampaignId, SubCampaignState, SubCampaignType,
};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt, Error, Result, Snapshot, Transaction};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A lane of a pass, as the engine works on it.
#[derive(Debug, Clone)]
pub struct LaneState {
    /// How many wait in it, as far as is known.
    pub waiting: i64,
    /// Nobody in it is due before this moment; 0 = not known.
    pub due: Moment,
    /// Its cached opening, as it was judged at that moment.
    pub opening: Option<Opening>,
    /// The deferral that was kept last, so that it is kept once.
    pub deferred: Option<(Moment, Reason)>,
}

/// A batch of an OnDemand run.
#[derive(Debug, Clone)]
pub struct Batch {
    /// How far it has come.
    pub run: BatchRun,
    /// Its Script.
    pub script: ScriptId,
}

/// A run and what belongs to it.
pub struct RunContext {
    /// The row, as it was read in this tick.
    pub run: Run,
    /// What was asked for.
    pub sub_campaign: SubCampaign,
    /// Version of the SubCampaign's document.
    version: u64,
    /// Its Campaign.
    pub campaign: Campaign,
    /// Its Account.
    pub account: Resolved,
    /// What binds it.
    pub rules: RuleSet,
    scripts: HashMap<ScriptId, Arc<Said>>,
    keys: BTreeMap<u32, LaneKey>,
    numbers: HashMap<LaneKey, u32>,
    /// Lanes by pass and number.
    pub lanes: BTreeMap<(u16, u32), LaneState>,
    /// Places given since the tick began to dial, which the store does not show yet: the first due moment by pass and lane.
    noted: BTreeMap<(u16, u32), Moment>,
    /// Live batches.
    pub batches: BTreeMap<BatchId, Batch>,
    /// Orders placed and not answered.
    pub unanswered: i64,
    /// Something changed since states were last looked at.
    pub changed: bool,
    /// A window opened or closed, the run started, stopped or was changed: minutes to go are set anew.
    pub pace_changed: bool,
    /// Somebody waits where nobody did: rates are reckoned anew.
    pub pace_stale: bool,
    /// Deferrals kept since the run is held.
    pub judgements: usize,
    /// When its states may move by the clock alone.
    pub look_again: Moment,
}

impl RunContext {
    fn load<S: Snapshot + ?Sized>(snapshot: &S, run: Run) -> Result<Option<Self>> {
        let Some(sub_campaign) = snapshot.stored::<SubCampaign>(run.id)? else {
            tracing::error!(run = run.id.0, "a run without SubCampaign");
            return Ok(None);
        };
        let Some(campaign) = snapshot.stored::<Campaign>(run.campaign)? else {
            return Ok(None);
        };
        let Some(account) = resolve(snapshot, run.account)? else {
            return Ok(None);
        };
        let rules = RuleSet::load(snapshot, &account, &campaign.entity, &sub_campaign.entity)?;
        let mut context = Self {
            run,
            sub_campaign: sub_campaign.entity,
            version: sub_campaign.version,
            campaign: campaign.entity,
            account,
            rules,
            scripts: HashMap::new(),
            keys: BTreeMap::new(),
            numbers: HashMap::new(),
            lanes: BTreeMap::new(),
            noted: BTreeMap::new(),
            batches: BTreeMap::new(),
            unanswered: 0,
            changed: true,
            pace_changed: true,
            pace_stale: true,
            judgements: 0,
            look_again: Moment(0),
        };
        context.refresh(snapshot)?;
        Ok(Some(context))
    }

    /// Reads again what others may have changed: the SubCampaign, lanes, how many wait, batches.
    fn refresh<S: Snapshot + ?Sized>(&mut self, snapshot: &S) -> Result<()> {
        let document = snapshot.stored::<SubCampaign>(self.run.id)?;
        if let Some(stored) = document
            && stored.version != self.version
        {
            self.version = stored.version;
            self.sub_campaign = stored.entity;
            self.rules =
                RuleSet::load(snapshot, &self.account, &self.campaign, &self.sub_campaign)?;
            self.forget_openings();
        }
        for lane in snapshot.lanes(self.run.id)? {
            if !self.keys.contains_key(&lane.number) {
                match LaneKey::decode(&lane.facts) {
                    Some(key) => self.know_lane(lane.number, key),
                    None => tracing::error!(
                        run = self.run.id.0,
                        lane = lane.number,
                        "the facts of a lane cannot be read; its contacts wait until it is repaired"
                    ),
                }
            }
        }
        self.lanes.values_mut().for_each(|lane| lane.waiting = 0);
        for waiting in snapshot.waiting(self.run.id)? {
            let lane = self.lane_state(waiting.pass, waiting.lane);
            lane.waiting = waiting.contacts;
            lane.due = Moment(0);
        }
        if self.run.run_type == SubCampaignType::OnDemand {
            self.refresh_batches(snapshot)?;
        }
        self.pace_stale = true;
        self.touch();
        Ok(())
    }

    fn refresh_batches<S: Snapshot + ?Sized>(&mut self, snapshot: &S) -> Result<()> {
        let mut batches = BTreeMap::new();
        for run in snapshot.live_batches(self.run.id)? {
            let script = match self.batches.get(&run.id) {
                Some(known) => known.script,
                None => match snapshot.stored::<ContactBatch>(run.id)? {
                    Some(batch) => batch.entity.script,
                    None => continue,
                },
            };
            batches.insert(run.id, Batch { run, script });
        }
        self.batches = batches;
        Ok(())
    }

    /// Reads what binds the run again: rules, lists or settings of Orgs have changed.
    fn reload_rules<S: Snapshot + ?Sized>(&mut self, snapshot: &S) -> Result<()> {
        if let Some(campaign) = snapshot.stored::<Campaign>(self.run.campaign)? {
            self.campaign = campaign.entity;
        }
        if let Some(account) = resolve(snapshot, self.run.account)? {
            self.account = account;
        }
        self.rules = RuleSet::load(snapshot, &self.account, &self.campaign, &self.sub_campaign)?;
        self.forget_openings();
        self.touch();
        Ok(())
    }

    fn forget_openings(&mut self) {
        self.lanes.values_mut().for_each(|lane| lane.opening = None);
        self.pace_changed = true;
    }

    fn know_lane(&mut self, number: u32, key: LaneKey) {
        self.numbers.insert(key.clone(), number);
        self.keys.insert(number, key);
    }

    fn lane_state(&mut self, pass: u16, lane: u32) -> &mut LaneState {
        self.lanes.entry((pass, lane)).or_insert(LaneState {
            waiting: 0,
            due: Moment(0),
            opening: None,
            deferred: None,
        })
    }

    /// Something moved.
    pub fn touch(&mut self) {
        self.changed = true;
    }

    /// Its passes.
    pub fn passes(&self) -> &[Pass] {
        &self.sub_campaign.passes
    }

    /// One of its passes.
    pub fn pass(&self, index: u16) -> Option<&Pass> {
        self.sub_campaign.passes.get(usize::from(index))
    }

    /// Hours that late replies and reports are taken.
    pub fn awaiting_hours(&self) -> u32 {
        self.sub_campaign.awaiting_hours
    }

    /// What a lane's contacts share.
    pub fn lane_key(&self, lane: u32) -> Option<&LaneKey> {
        self.keys.get(&lane)
    }

    /// The number of a lane, made when it is new; of a mixed one when there are too many.
    pub fn lane<T: Transaction + ?Sized>(&mut self, tx: &mut T, key: &LaneKey) -> Result<u32> {
        if let Some(number) = self.numbers.get(key) {
            return Ok(*number);
        }
        if self.keys.len() >= LANES_MAX && !key.is_mixed() {
            return self.lane(tx, &LaneKey::mixed(key.closes));
        }
        let number = tx.intern_lane(self.run.id, &key.encode())?;
        self.know_lane(number, key.clone());
        Ok(number)
    }

    /// Whether the contacts of a lane share no facts and are judged one by one.
    pub fn is_mixed(&self, lane: u32) -> bool {
        self.keys.get(&lane).is_some_and(LaneKey::is_mixed)
    }

    /// The opening in a pass for a contact of a mixed lane, by its own facts.
    pub fn own_opening(&self, pass: u16, own: &LaneKey, now: Moment) -> Option<Opening> {
        let pass = self.pass(pass)?;
        Some(self.rules.opening(own, pass, self.start(now), now))
    }

    /// When the run started, will start, or (held) would start if it were let go now.
    pub fn start(&self, now: Moment) -> Moment {
        if self.run.held {
            self.run.start_time.max(now)
        } else {
            self.run.start_time
        }
    }

    /// The opening of a lane in a pass at `now`, judged anew when it has changed since.
    pub fn opening(&mut self, pass: u16, lane: u32, now: Moment) -> Option<Opening> {
        if let Some(cached) = self
            .lanes
            .get(&(pass, lane))
            .and_then(|state| state.opening)
            && now < cached.next_change()
        {
            return Some(cached);
        }
        let key = self.keys.get(&lane)?;
        let opening = self.rules.opening(
            key,
            self.sub_campaign.passes.get(usize::from(pass))?,
            self.start(now),
            now,
        );
        let state = self.lane_state(pass, lane);
        if state.opening.map(|before| before.is_open()) != Some(opening.is_open()) {
            self.pace_changed = true;
            self.changed = true;
        }
        self.lane_state(pass, lane).opening = Some(opening);
        Some(opening)
    }

    /// The first moment from `due` on at which a pass is open for these facts; none when there is none left.
    pub fn opens_at(&self, pass: u16, key: &LaneKey, due: Moment) -> Option<Moment> {
        let pass = self.pass(pass)?;
        match self.rules.opening(key, pass, self.start(due), due) {
            Opening::Open { .. } => Some(due),
            Opening::Closed { until, .. } => Some(until),
            Opening::Over { .. } | Opening::Denied { .. } => None,
        }
    }

    /// Somebody waits in a lane from `due` on.
    pub fn note_due(&mut self, pass: u16, lane: u32, due: Moment) {
        self.pace_stale |= self.lane_state(pass, lane).waiting == 0;
        let state = self.lane_state(pass, lane);
        state.waiting += 1;
        state.due = if state.waiting == 1 {
            due
        } else {
            state.due.min(due)
        };
        self.changed = true;
        let noted = self.noted.entry((pass, lane)).or_insert(due);
        *noted = (*noted).min(due);
    }

    /// The store shows all places that were given until now.
    pub fn places_written(&mut self) {
        self.noted.clear();
    }

    /// So many were taken out of a lane, and the next one that the store shows is due then.
    pub fn note_claimed(&mut self, pass: u16, lane: u32, claimed: usize, next: Moment) {
        let noted = self.noted.get(&(pass, lane)).copied();
        let state = self.lane_state(pass, lane);
        state.waiting = (state.waiting - claimed as i64).max(0);
        state.due = next.min(noted.unwrap_or(Moment::NEVER));
        self.changed = true;
    }

    /// How many wait in all lanes.
    pub fn waiting(&self) -> i64 {
        self.lanes.values().map(|lane| lane.waiting).sum()
    }

    /// Whether contacts of the run (and batch) may wait for further attempts.
    pub fn goes_on<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        batch: Option<BatchId>,
        now: Moment,
    ) -> Result<bool> {
        use SubCampaignState::*;
        let run_goes_on = matches!(
            self.run.state,
            Loading | Pending | Running | Paused | Completing
        );
        let Some(batch) = batch else {
            return Ok(run_goes_on);
        };
        Ok(run_goes_on
            && self
                .batch_end(snapshot, Some(batch))?
                .is_some_and(|end| now < end))
    }

    /// The end of a batch; in the past for one that is over; none without a batch.
    pub fn batch_end<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        batch: Option<BatchId>,
    ) -> Result<Option<Moment>> {
        let Some(batch) = batch else { return Ok(None) };
        if let Some(known) = self.batches.get(&batch) {
            return Ok(Some(known.run.end_time));
        }
        let run = snapshot.batch_run(batch)?;
        Ok(Some(
            run.filter(BatchRun::is_live)
                .map_or(Moment(0), |run| run.end_time),
        ))
    }

    /// Why a contact gets no further attempt when its run or batch does not go on.
    pub fn reason_to_stop(&self) -> Reason {
        match self.run.state {
            SubCampaignState::Stopping | SubCampaignState::Cancelled => Reason::Skipped,
            _ if self.run.run_type == SubCampaignType::OnDemand => Reason::Expired,
            _ => Reason::Skipped,
        }
    }

    /// The Script of a pass: its own, else the batch's, else the SubCampaign's. Read once for each run: its content is
    /// fixed at load.
    pub fn script<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        pass: u16,
        batch: Option<BatchId>,
    ) -> Result<Option<Arc<Said>>> {
        let of_batch = || -> Result<Option<ScriptId>> {
            match batch {
                Some(batch) => match self.batches.get(&batch) {
                    Some(known) => Ok(Some(known.script)),
                    None => Ok(snapshot
                        .stored::<ContactBatch>(batch)?
                        .map(|batch| batch.entity.script)),
                },
                None => Ok(self.sub_campaign.script),
            }
        };
        let id = match self.pass(pass).and_then(|pass| pass.script) {
            Some(script) => Some(script),
            None => of_batch()?,
        };
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.scripts.get(&id) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(said) = Said::load(snapshot, id)? else {
            return Ok(None);
        };
        let said = Arc::new(said);
        self.scripts.insert(id, Arc::clone(&said));
        Ok(Some(said))
    }
}

/// A run whose rows cannot be read stands still; it must not stop the others.
fn readable<T>(run: SubCampaignId, read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error @ Error::Damaged { .. }) => {
            tracing::error!(run = run.0, %error, "the run stands still until this is repaired");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The runs in memory.
#[derive(Default)]
pub struct Contexts {
    runs: BTreeMap<SubCampaignId, RunContext>,
    live: Vec<SubCampaignId>,
    runs_epoch: Option<u64>,
    rules_epoch: Option<u64>,
}

impl Contexts {
    /// Looks whether runs or rules have changed, and reads those that have.
    pub fn refresh<S: Snapshot + ?Sized>(&mut self, snapshot: &S) -> Result<()> {
        let rules = snapshot.epoch(Topic::Rules)?;
        if self.rules_epoch != Some(rules) {
            let mut lost = Vec::new();
            for (id, context) in &mut self.runs {
                if readable(*id, context.reload_rules(snapshot))?.is_none() {
                    lost.push(*id);
                }
            }
            lost.iter().for_each(|id| drop(self.runs.remove(id)));
            self.rules_epoch = Some(rules);
        }
        let runs = snapshot.epoch(Topic::Runs)?;
        if self.runs_epoch == Some(runs) {
            return Ok(());
        }
        let live = snapshot.live_runs()?;
        self.live = live.iter().map(|run| run.id).collect();
        self.runs
            .retain(|id, _| self.live.binary_search(id).is_ok());
        for run in live {
            match self.runs.get_mut(&run.id) {
                Some(context) => {
                    let before = (context.run.start_time, context.run.held);
                    context.run = run;
                    if before != (context.run.start_time, context.run.held) {
                        context.forget_openings();
                    }
                    let id = context.run.id;
                    if readable(id, context.refresh(snapshot))?.is_none() {
                        self.runs.remove(&id);
                    }
                }
                None => {
                    let id = run.id;
                    if let Some(context) = readable(id, RunContext::load(snapshot, run))?.flatten()
                    {
                        self.runs.insert(id, context);
                    }
                }
            }
        }
        self.runs_epoch = Some(runs);
        Ok(())
    }

    /// What this tick wrote itself is known already.
    pub fn caught_up<S: Snapshot + ?Sized>(&mut self, snapshot: &S) -> Result<()> {
        self.runs_epoch = Some(snapshot.epoch(Topic::Runs)?);
        Ok(())
    }

    /// A run, live or not: late reports reach runs that are done. One that was not held is read and held until the next
    /// change of runs.
    pub fn get<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        id: SubCampaignId,
    ) -> Result<Option<&mut RunContext>> {
        match self.runs.entry(id) {
            Entry::Occupied(held) => Ok(Some(held.into_mut())),
            Entry::Vacant(free) => {
                let Some(run) = snapshot.run(id)? else {
                    return Ok(None);
                };
                let context = readable(id, RunContext::load(snapshot, run))?.flatten();
                Ok(context.map(|context| free.insert(context)))
            }
        }
    }

    /// A run that is held.
    pub fn held(&mut self, id: SubCampaignId) -> Option<&mut RunContext> {
        self.runs.get_mut(&id)
    }

    /// Runs that are not done, by id.
    pub fn live(&self) -> &[SubCampaignId] {
        &self.live
    }

    /// Everything that is held.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut RunContext> {
        self.runs.values_mut()
    }

    /// An order is out.
    pub fn placed(&mut self, attempt: &Attempt) {
        if attempt.number != OUTSIDE
            && let Some(context) = self.runs.get_mut(&attempt.run)
        {
            context.unanswered += 1;
        }
    }

    /// An order was answered.
    pub fn answered(&mut self, attempt: &Attempt) {
        if attempt.number != OUTSIDE
            && let Some(context) = self.runs.get_mut(&attempt.run)
        {
            context.unanswered -= 1;
            context.changed = true;
        }
    }
}
