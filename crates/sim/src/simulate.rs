//! One simulated trip: a text campaign with two passes and some batches, through days of virtual time, while processes
//! die, commits fail, links are cut, people opt out and operators pause, forbid and cancel.

use crate::carrier::SimCarrier;
use crate::laws::Laws;
use crate::world::{self, Installation, SHORT_CODE};
use carillon_channel::{Channel, Event};
use carillon_engine::{Carrier, Chores, Decisions, Engine, Inputs};
use carillon_model::contact::Contact;
use carillon_model::list::{SuppressionEntry, SuppressionKey};
use carillon_model::moment::{DAY, HOUR, MINUTE};
use carillon_model::pass::{Pass, RetryRule};
use carillon_model::run::Request;
use carillon_model::{
    AttemptResult, BatchId, ChannelType, Moment, PacingType, PassId, Reason, SubCampaignId,
};
use carillon_store::{Error, Store, Urgency};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;

/// How a trip is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// People on the List.
    pub people: usize,
    /// Batches, some people each.
    pub batches: usize,
    /// Whether processes die and commits fail.
    pub crashes: bool,
    /// Whether carriers misbehave and operators interfere.
    pub faults: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            people: 60,
            batches: 4,
            crashes: true,
            faults: true,
        }
    }
}

/// What came of a trip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What was wrong, in words; empty when every law held.
    pub wrong: Vec<String>,
    /// Equal for equal courses.
    pub digest: u64,
    /// Steps made.
    pub steps: usize,
    /// Processes that died.
    pub crashes: usize,
    /// Attempts in the ledger.
    pub attempts: usize,
    /// Orders the carriers took.
    pub sent: usize,
    /// Devices opted out.
    pub opted_out: usize,
    /// Orders given back because they were withdrawn.
    pub withdrawn: usize,
}

/// Moments at which trips begin: clock changes lie within the first days of some.
const BEGINNINGS: [i64; 4] = [
    1_772_800_200_000,
    1_774_607_400_000,
    1_792_830_600_000,
    1_781_518_200_000,
];
/// Steps after which a trip that has not ended counts as stuck.
const STEPS_MAX: usize = 60_000;
/// Virtual time after which carriers behave and operators rest.
const CALM_AFTER: i64 = 3 * DAY;
/// Virtual time after which every run has to have ended.
const END_AFTER: i64 = 12 * DAY;

/// Runs a seed to its end, in memory.
pub fn simulate(seed: u64, options: Options) -> Outcome {
    simulate_on(&Store::memory(), seed, options)
}

/// Runs a seed to its end on an empty store; every store brings the same outcome.
pub fn simulate_on(store: &Store, seed: u64, options: Options) -> Outcome {
    let mut trip = match Trip::begin(store.clone(), seed, options) {
        Ok(trip) => trip,
        Err(error) => {
            return Outcome {
                seed,
                wrong: vec![error.to_string()],
                ..Outcome::default()
            };
        }
    };
    if let Err(error) = trip.travel() {
        trip.wrong.push(format!("the store failed: {error}"));
    }
    trip.end()
}

/// Why a unit was undone.
enum Undone {
    /// The process died before the commit.
    Died,
    /// The store said no.
    Failed(Error),
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What becomes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    /// Its commit fails; the process lives on.
    CommitFails,
    /// The process dies before the commit.
    DiesBefore,
    /// The process dies after the commit, before anything of it was done.
    DiesAfter,
    /// The process dies while orders are placed.
    DiesHalfway,
}

struct Trip {
    seed: u64,
    options: Options,
    chance: SmallRng,
    store: Store,
    installation: Installation,
    carriers: Vec<Arc<SimCarrier>>,
    engine: Option<Engine>,
    chores: Chores,
    runs: Vec<SubCampaignId>,
    home: SubCampaignId,
    batches: Vec<BatchId>,
    now: Moment,
    begun: Moment,
    next_deed: Moment,
    people_made: usize,
    laws: Laws,
    wrong: Vec<String>,
    steps: usize,
    crashes: usize,
    opted_out: usize,
}

impl Trip {
    fn begin(store: Store, seed: u64, options: Options) -> Result<Self, Error> {
        let mut chance = SmallRng::seed_from_u64(seed);
        let now = Moment(BEGINNINGS[chance.random_range(0..BEGINNINGS.len())]);
        let installation = world::install(&store, now)?;
        let people: Vec<Contact> = (0..options.people)
            .map(|number| world::person(number, &mut chance))
            .collect();
        let run = world::sub_campaign(&store, installation, people, passes(&mut chance), now)?;
        let home = world::on_demand(&store, installation, vec![batch_pass()], now)?;
        if options.faults && chance.random_bool(0.1) {
            world::crowd(&store, run)?;
            world::crowd(&store, home)?;
        }
        if options.faults {
            world::forbid(&store, installation, "FR", now)?;
            world::hours(&store, installation, "GB", 10, 16, now)?;
        }
        let carriers = vec![
            Arc::new(SimCarrier::new("north", true, SHORT_CODE, seed ^ 1, now)),
            Arc::new(SimCarrier::new("south", false, SHORT_CODE, seed ^ 2, now)),
        ];
        if !options.faults {
            carriers.iter().for_each(|carrier| carrier.calm_down());
        }
        Ok(Self {
            seed,
            options,
            store,
            installation,
            carriers,
            engine: None,
            chores: Chores::default(),
            runs: vec![run, home],
            home,
            batches: Vec::new(),
            now,
            begun: now,
            next_deed: now.plus(chance.random_range(MINUTE..HOUR)),
            people_made: options.people,
            laws: Laws::new(options.faults),
            wrong: Vec::new(),
            steps: 0,
            crashes: 0,
            opted_out: 0,
            chance,
        })
    }

    fn travel(&mut self) -> Result<(), Error> {
        while self.steps < STEPS_MAX && self.wrong.len() < 10 {
            self.steps += 1;
            self.carriers
                .iter()
                .for_each(|carrier| carrier.set_now(self.now));
            let chores_next = self.do_chores()?;
            let next = self.step()?;
            if self.now >= self.next_deed {
                self.deed()?;
                continue;
            }
            if self.is_interrupted() {
                self.interrupt()?;
                continue;
            }
            if self.is_over()? {
                return Ok(());
            }
            if self.now.since(self.begun) > END_AFTER {
                self.wrong
                    .push("the runs have not ended in time".to_owned());
                return Ok(());
            }
            let coming = self
                .carriers
                .iter()
                .filter_map(|carrier| carrier.next_event());
            let next = coming
                .chain([next, chores_next, self.next_deed])
                .min()
                .unwrap_or(next);
            self.now = next.max(self.now.plus(1));
        }
        if self.steps >= STEPS_MAX {
            self.wrong
                .push(format!("stuck at {} after {} steps", self.now, self.steps));
        }
        Ok(())
    }

    fn is_over(&mut self) -> Result<bool, Error> {
        let runs = self.runs.clone();
        let planned = self.batches.len() < self.options.batches;
        self.store.read_now(move |snapshot| {
            for run in runs {
                if snapshot.run(run)?.is_some_and(|run| run.is_live()) {
                    return Ok(false);
                }
            }
            Ok(!planned)
        })
    }

    fn fate(&mut self) -> Fate {
        let quiet = !self.options.crashes || self.now.since(self.begun) > CALM_AFTER;
        if quiet {
            return Fate::Lives;
        }
        match self.chance.random_range(0..1_000) {
            0..6 => Fate::CommitFails,
            6..12 => Fate::DiesBefore,
            12..18 => Fate::DiesAfter,
            18..24 => Fate::DiesHalfway,
            _ => Fate::Lives,
        }
    }

    fn list_of_carriers(&self) -> Vec<Carrier> {
        let of = |carrier: &Arc<SimCarrier>| Carrier {
            name: carrier.name().into(),
            capabilities: carrier.capabilities(),
            emulated: false,
        };
        self.carriers.iter().map(of).collect()
    }

    fn step(&mut self) -> Result<Moment, Error> {
        let fate = self.fate();
        let seed = self.seed ^ self.steps as u64;
        let mut engine = match self.engine.take() {
            Some(engine) => engine,
            None => Engine::start(self.list_of_carriers(), seed),
        };
        let mut events: Vec<Event> = Vec::new();
        let mut redeliveries = Vec::new();
        for carrier in &self.carriers {
            let (due, redelivery) = carrier.take_due();
            events.extend(due);
            redeliveries.push(redelivery);
        }
        // What left until now did so before anything of this step was committed.
        self.laws
            .look(&self.store, &self.carriers, &mut self.wrong)?;
        let messages: Vec<(String, String)> = events.iter().filter_map(message).collect();
        let room = self.carriers.iter().map(|carrier| carrier.room()).collect();
        let now = self.now;
        let inputs = Inputs { events, room };
        let undo = matches!(fate, Fate::CommitFails | Fate::DiesBefore);
        let stepped = self.store.write_now(Urgency::People, move |tx| {
            let decisions = engine.step(tx, now, inputs)?;
            if undo {
                Err(Undone::Died)
            } else {
                Ok((engine, decisions))
            }
        });
        match stepped {
            Ok((engine, decisions)) => {
                for (from, body) in messages {
                    self.laws.received(&from, &body);
                }
                Ok(self.act(engine, decisions, fate))
            }
            Err(Undone::Failed(error)) => Err(error),
            Err(Undone::Died) => {
                let alive = fate == Fate::CommitFails;
                for (carrier, redelivery) in self.carriers.iter().zip(redeliveries) {
                    carrier.bring_again(redelivery, alive);
                }
                if alive {
                    self.engine = Some(Engine::resume(self.list_of_carriers(), seed));
                } else {
                    self.die();
                }
                Ok(self.now)
            }
        }
    }

    /// After the commit: what was decided is done, as far as the process lives.
    fn act(&mut self, engine: Engine, decisions: Decisions, fate: Fate) -> Moment {
        self.opted_out += decisions.done.opted_out;
        let next = decisions.next_wake;
        for (carrier, mut orders) in self.carriers.iter().zip(decisions.orders) {
            match fate {
                Fate::DiesAfter => orders.clear(),
                Fate::DiesHalfway => orders.truncate(orders.len() / 2),
                _ => {}
            }
            if !orders.is_empty() {
                carrier.place(orders);
            }
        }
        if matches!(fate, Fate::DiesAfter | Fate::DiesHalfway) {
            self.die();
            return self.now;
        }
        for (carrier, queries) in self.carriers.iter().zip(decisions.queries) {
            if !queries.is_empty() {
                carrier.query(queries);
            }
        }
        for (carrier, attempts) in self.carriers.iter().zip(decisions.withdrawals) {
            if !attempts.is_empty() {
                carrier.withdraw(&attempts);
            }
        }
        self.laws.stepped();
        self.engine = Some(engine);
        next
    }

    fn die(&mut self) {
        self.crashes += 1;
        self.engine = None;
        self.chores = Chores::default();
        self.carriers
            .iter()
            .for_each(|carrier| carrier.forget_links());
        let runs = self.runs.clone();
        if let Err(error) = self.laws.invariants(&self.store, &runs, &mut self.wrong) {
            self.wrong.push(format!("the store failed: {error}"));
        }
    }

    fn do_chores(&mut self) -> Result<Moment, Error> {
        loop {
            let dies = self.fate() == Fate::DiesBefore;
            let now = self.now;
            let mut chores = std::mem::take(&mut self.chores);
            let done = self.store.write_now(Urgency::Bulk, move |tx| {
                let piece = chores.work(tx, now)?;
                if dies {
                    Err(Undone::Died)
                } else {
                    Ok((chores, piece))
                }
            });
            match done {
                Ok((chores, piece)) => {
                    self.chores = chores;
                    if !piece.more {
                        return Ok(piece.next);
                    }
                }
                Err(Undone::Failed(error)) => return Err(error),
                Err(Undone::Died) => self.die(),
            }
        }
    }

    /// Whether somebody interferes just while orders wait to leave.
    fn is_interrupted(&mut self) -> bool {
        self.options.faults
            && self.now.since(self.begun) <= CALM_AFTER
            && self.carriers.iter().any(|carrier| carrier.is_waiting())
            && self.chance.random_bool(0.01)
    }

    fn interrupt(&mut self) -> Result<(), Error> {
        match self.chance.random_range(0..10) {
            0..6 => self.request(Request::Paused),
            6 => self.request(Request::Done),
            _ => self.cancel_batch(),
        }
    }

    /// Something an operator or caller does, or a link that is cut.
    fn deed(&mut self) -> Result<(), Error> {
        let now = self.now;
        let calm = now.since(self.begun) > CALM_AFTER;
        if calm {
            self.carriers.iter().for_each(|carrier| carrier.calm_down());
        }
        self.next_deed = now.plus(self.chance.random_range(10 * MINUTE..5 * HOUR));
        if self.batches.len() < self.options.batches && (calm || self.chance.random_bool(0.5)) {
            return self.add_batch();
        }
        if calm || !self.options.faults {
            return self.request(Request::Running);
        }
        match self.chance.random_range(0..8) {
            0 => self.request(Request::Paused),
            1 | 2 => self.request(Request::Running),
            3 => self.suppress(),
            4 => self.cancel_batch(),
            5 if self.chance.random_bool(0.2) => self.request(Request::Done),
            6 if self.chance.random_bool(0.3) => {
                self.laws.forbid("NP", now);
                world::forbid(&self.store, self.installation, "NP", now)
            }
            _ => {
                let carrier = self.chance.random_range(0..self.carriers.len());
                self.carriers[carrier].cut(self.chance.random_range(MINUTE..30 * MINUTE));
                Ok(())
            }
        }
    }

    fn request(&mut self, request: Request) -> Result<(), Error> {
        let now = self.now;
        let which = self.chance.random_range(0..self.runs.len());
        let run = self.runs[if request == Request::Running {
            which
        } else {
            0
        }];
        let state = self.store.write_now(Urgency::People, move |tx| {
            let Some(mut row) = tx.run(run)? else {
                return Ok::<_, Error>(None);
            };
            if row.request(request, now).is_ok() {
                tx.put_run(&row)?;
            }
            Ok(Some(row.state))
        })?;
        self.laws.requested(run, state, now);
        Ok(())
    }

    fn suppress(&mut self) -> Result<(), Error> {
        let client = format!("C-{}", self.chance.random_range(0..self.people_made.max(1)));
        self.laws.suppress(client.clone(), self.now);
        let list = self.installation.suppression;
        self.store.write_now(Urgency::People, move |tx| {
            let entry = SuppressionEntry {
                key: SuppressionKey::ClientId(client),
                device: None,
                channel: None,
                expires: None,
                reason: None,
                source: None,
            };
            tx.put_suppressions(list, &[entry])
        })
    }

    fn add_batch(&mut self) -> Result<(), Error> {
        let size = self.chance.random_range(1..12);
        let people: Vec<Contact> = (0..size)
            .map(|offset| world::person(self.people_made + offset, &mut self.chance))
            .collect();
        self.people_made += size;
        let ahead = if self.chance.random_bool(0.3) {
            HOUR
        } else {
            0
        };
        let minutes = self.chance.random_range(5..720);
        let start = self.now.plus(ahead);
        let (store, installation) = (&self.store, self.installation);
        let batch = world::batch(
            store,
            installation,
            self.home,
            people,
            start,
            minutes,
            self.now,
        )?;
        self.batches.push(batch);
        Ok(())
    }

    /// As a client's Cancelled does it: state and queue in one unit.
    fn cancel_batch(&mut self) -> Result<(), Error> {
        let Some(batch) = self.batches.last().copied() else {
            return Ok(());
        };
        let now = self.now;
        self.store.write_now(Urgency::People, move |tx| {
            let Some(mut run) = tx.batch_run(batch)? else {
                return Ok::<_, Error>(());
            };
            if run.cancel(now).is_ok() {
                tx.put_batch_run(&run)?;
                carillon_admission::retire(tx, &run, Reason::Skipped, Default::default(), now)?;
            }
            Ok(())
        })?;
        self.laws.cancelled(batch);
        Ok(())
    }

    fn end(mut self) -> Outcome {
        let runs = self.runs.clone();
        if let Err(error) = self.laws.invariants(&self.store, &runs, &mut self.wrong) {
            self.wrong.push(format!("the store failed: {error}"));
        }
        // A trip that broke off left receipts on their way.
        if self.wrong.is_empty()
            && let Err(error) = self
                .laws
                .receipts(&self.store, &self.carriers, &mut self.wrong)
        {
            self.wrong.push(format!("the store failed: {error}"));
        }
        let (digest, attempts) = match self.laws.digest(&self.store, &runs) {
            Ok(digest) => digest,
            Err(error) => {
                self.wrong.push(format!("the store failed: {error}"));
                (0, 0)
            }
        };
        Outcome {
            seed: self.seed,
            wrong: self.wrong,
            digest,
            steps: self.steps,
            crashes: self.crashes,
            attempts,
            sent: self
                .carriers
                .iter()
                .map(|carrier| carrier.sent_count())
                .sum(),
            opted_out: self.opted_out,
            withdrawn: self
                .carriers
                .iter()
                .map(|carrier| carrier.withdrawn_count())
                .sum(),
        }
    }
}

fn message(event: &Event) -> Option<(String, String)> {
    match event {
        Event::Inbound { from, body, .. } => Some((from.clone(), body.clone())),
        _ => None,
    }
}

fn passes(chance: &mut SmallRng) -> Vec<Pass> {
    let nine_to_eight = |pass: &mut Pass| {
        pass.start_time = Some(jiff::civil::time(9, 0, 0, 0));
        pass.end_time = Some(jiff::civil::time(20, 0, 0, 0));
    };
    let mut first = Pass::new(PassId(1), "First", ChannelType::Text);
    nine_to_eight(&mut first);
    first.max_attempts = chance.random_range(1..4);
    first.window_days = chance.random_range(1..3);
    first.retry_rules = vec![RetryRule {
        result: AttemptResult::Failed,
        max_retries: 2,
        interval_minutes: chance.random_range(5..300),
    }];
    if chance.random_bool(0.5) {
        first.retry_rules.push(RetryRule {
            result: AttemptResult::Unknown,
            max_retries: 1,
            interval_minutes: 20,
        });
    }
    if chance.random_bool(0.5) {
        first.pacing = Some(PacingType::Fixed);
        first.contacts_per_minute = Some(f64::from(chance.random_range(1..40)));
    }
    let mut second = Pass::new(PassId(2), "Second", ChannelType::Text);
    nine_to_eight(&mut second);
    second.days_to_wait = chance.random_range(0..2);
    second.window_days = 2;
    second.max_attempts = 2;
    if chance.random_bool(0.3) {
        second.accept_text_results = vec![AttemptResult::Failed, AttemptResult::NotAttempted];
    }
    vec![first, second]
}

fn batch_pass() -> Pass {
    let mut pass = Pass::new(PassId(3), "Batch", ChannelType::Text);
    pass.max_attempts = 2;
    pass.window_days = 2;
    pass
}
