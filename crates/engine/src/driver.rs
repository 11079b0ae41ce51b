//! Time, events and transactions for the engine, on two threads of their own: one steps it, one does its chores in bulk
//! pieces. A step's decisions are done after its commit and only then. When a commit fails nothing is placed or
//! acknowledged; the engine's memory is thrown away and read again, after a pause that grows.

use crate::admit::{Chores, Piece};
use crate::carriers::Carrier;
use crate::core::{Decisions, Engine, Inputs};
use crate::dispose::Answered;
use crate::limits::{BACK_OFF_FIRST, BACK_OFF_LONGEST, EVENTS_MAX, LOOK_EVERY, SHUTDOWN_WAIT};
use crate::metrics as figures;
use crate::status::Status;
use carillon_channel::{Channel, Event};
use carillon_model::Moment;
use carillon_model::moment::Clock;
use carillon_store::{Error, Store, Urgency};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// How often the status is reckoned, in milliseconds.
const STATUS_EVERY: i64 = 500;

/// A channel of the driver.
pub struct Attached {
    /// The channel.
    pub channel: Arc<dyn Channel>,
    /// It serves Accounts with emulateOutreach, and only those.
    pub emulated: bool,
}

/// What the driver is made of.
pub struct Driver {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The channels; a carrier's place in this list is its index.
    pub channels: Vec<Attached>,
    /// Where the channels' events come out.
    pub events: mpsc::Receiver<Vec<Event>>,
    /// Chance.
    pub seed: u64,
}

/// The running engine.
pub struct Handle {
    stop: CancellationToken,
    status: watch::Receiver<Status>,
    stopped: Vec<oneshot::Receiver<()>>,
}

impl Handle {
    /// The status, at most a second old while the engine runs.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// A receiver that follows the status.
    pub fn follow(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Stops dialling, takes the answers to what was placed for a bounded time, and ends. Channels are stopped after it.
    pub async fn shutdown(self) {
        self.stop.cancel();
        for stopped in self.stopped {
            // Dropped without a word means the thread is gone, which is what is waited for.
            let _ = stopped.await;
        }
    }
}

impl Driver {
    /// Starts the threads.
    pub fn start(self) -> std::io::Result<Handle> {
        figures::describe();
        let stop = CancellationToken::new();
        let (status, follow) = watch::channel(Status::default());
        let (engine_stopped, engine_end) = oneshot::channel();
        let (chores_stopped, chores_end) = oneshot::channel();
        let chores = ChoresThread {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            stop: stop.clone(),
        };
        let engine = EngineThread::new(self, stop.clone(), status)?;
        let runtime = runtime()?;
        std::thread::Builder::new()
            .name("carillon-engine".to_owned())
            .spawn(move || {
                engine.run();
                // Nobody may wait any more; then there is nobody to tell.
                let _ = engine_stopped.send(());
            })?;
        std::thread::Builder::new()
            .name("carillon-chores".to_owned())
            .spawn(move || {
                chores.run(&runtime);
                let _ = chores_stopped.send(());
            })?;
        Ok(Handle {
            stop,
            status: follow,
            stopped: vec![engine_end, chores_end],
        })
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
}

/// Milliseconds from `now` to `next` as a time to wait.
fn wait_until(next: Moment, now: Moment) -> Duration {
    Duration::from_millis(next.since(now).clamp(0, LOOK_EVERY).unsigned_abs())
}

struct EngineThread {
    driver: Driver,
    stop: CancellationToken,
    status: watch::Sender<Status>,
    runtime: tokio::runtime::Runtime,
    wake: watch::Receiver<u64>,
    carriers: Vec<Carrier>,
    /// Answers of steps that could not be committed, to be given to the next one.
    kept: Vec<Event>,
    outstanding: usize,
    back_off: Duration,
    generation: u64,
    status_at: Moment,
}

impl EngineThread {
    fn new(
        driver: Driver,
        stop: CancellationToken,
        status: watch::Sender<Status>,
    ) -> std::io::Result<Self> {
        let carriers = driver
            .channels
            .iter()
            .map(|attached| Carrier {
                name: attached.channel.name().into(),
                capabilities: attached.channel.capabilities(),
                emulated: attached.emulated,
            })
            .collect();
        Ok(Self {
            wake: driver.store.wake(),
            driver,
            stop,
            status,
            runtime: runtime()?,
            carriers,
            kept: Vec::new(),
            outstanding: 0,
            back_off: BACK_OFF_FIRST,
            generation: 0,
            status_at: Moment(0),
        })
    }

    fn run(mut self) {
        let mut engine = Engine::start(self.carriers.clone(), self.driver.seed);
        let mut next = self.driver.clock.now();
        let mut deadline = None;
        loop {
            let events = self.gather(next);
            let now = self.driver.clock.now();
            if self.stop.is_cancelled() {
                let deadline = *deadline.get_or_insert(now.plus(SHUTDOWN_WAIT.as_millis() as i64));
                if (self.outstanding == 0 && events.is_empty()) || now >= deadline {
                    return;
                }
            }
            match self.step(engine, events, now) {
                Ok((stepped, next_wake)) => {
                    engine = stepped;
                    next = next_wake;
                    self.back_off = BACK_OFF_FIRST;
                }
                Err(Error::Closed) => return,
                Err(error) => {
                    engine = self.recover(&error);
                    next = self.driver.clock.now();
                }
            }
        }
    }

    /// Waits until something happens or the moment has come, and takes what the channels say.
    fn gather(&mut self, next: Moment) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.kept);
        let wait = wait_until(next, self.driver.clock.now());
        if !wait.is_zero() && events.is_empty() {
            let (receiver, wake, stop) = (&mut self.driver.events, &mut self.wake, &self.stop);
            let stopping = stop.is_cancelled();
            let first = self.runtime.block_on(async {
                tokio::select! {
                    some = receiver.recv(), if !receiver.is_closed() || !receiver.is_empty() => some,
                    changed = wake.changed() => { let _ = changed; None }
                    () = stop.cancelled(), if !stopping => None,
                    () = tokio::time::sleep(wait) => None,
                }
            });
            events.extend(first.into_iter().flatten());
        }
        while events.len() < EVENTS_MAX {
            match self.driver.events.try_recv() {
                Ok(more) => events.extend(more),
                Err(_) => break,
            }
        }
        self.wake.mark_unchanged();
        events
    }

    fn step(
        &mut self,
        mut engine: Engine,
        events: Vec<Event>,
        now: Moment,
    ) -> Result<(Engine, Moment), Error> {
        let begun = std::time::Instant::now();
        // The channel says each answer once: those of a step that fails are given to the next one.
        let answers = answers_of(&events);
        let answered = answers.len();
        let stopping = self.stop.is_cancelled();
        let room = self
            .driver
            .channels
            .iter()
            .map(|attached| if stopping { 0 } else { attached.channel.room() })
            .collect();
        let inputs = Inputs { events, room };
        let stepped = self.driver.store.write_now(Urgency::People, move |tx| {
            let decisions = engine.step(tx, now, inputs)?;
            Ok::<_, Error>((engine, decisions))
        });
        let (mut engine, decisions) = match stepped {
            Ok(stepped) => stepped,
            Err(error) => {
                self.kept = answers
                    .into_iter()
                    .map(
                        |Answered {
                             attempt,
                             answer,
                             at,
                         }| Event::Answer {
                            attempt,
                            answer,
                            at,
                        },
                    )
                    .collect();
                return Err(error);
            }
        };
        self.outstanding = self.outstanding.saturating_sub(answered);
        figures::count(&decisions.done, begun.elapsed());
        let next = decisions.next_wake;
        self.act(decisions);
        self.tell(&mut engine, now);
        Ok((engine, next))
    }

    /// After the commit, and only then.
    fn act(&mut self, decisions: Decisions) {
        decisions
            .acknowledgements
            .into_iter()
            .for_each(carillon_channel::Acknowledge::done);
        for (attached, orders) in self.driver.channels.iter().zip(decisions.orders) {
            if !orders.is_empty() {
                self.outstanding += orders.len();
                attached.channel.place(orders);
            }
        }
        for (attached, queries) in self.driver.channels.iter().zip(decisions.queries) {
            if !queries.is_empty() {
                attached.channel.query(queries);
            }
        }
        for (attached, attempts) in self.driver.channels.iter().zip(decisions.withdrawals) {
            if !attempts.is_empty() {
                attached.channel.withdraw(&attempts);
            }
        }
    }

    fn tell(&mut self, engine: &mut Engine, now: Moment) {
        if now.since(self.status_at).abs() < STATUS_EVERY {
            return;
        }
        self.status_at = now;
        let mut status = engine.status(now);
        status.dialling = engine.is_reconciled() && !self.stop.is_cancelled();
        metrics::gauge!(figures::RUNS).set(status.runs.len() as f64);
        let waiting: i64 = status.runs.iter().map(|run| run.waiting).sum();
        metrics::gauge!(figures::WAITING).set(waiting as f64);
        self.status.send_replace(status);
    }

    fn recover(&mut self, error: &Error) -> Engine {
        tracing::error!(%error, wait = ?self.back_off, "a step could not be committed; nothing of it was done");
        metrics::counter!(figures::FAILED_STEPS).increment(1);
        self.status.send_modify(|status| {
            status.dialling = false;
            status.trouble = Some(error.to_string());
        });
        self.generation += 1;
        let mut engine = Engine::resume(self.carriers.clone(), self.driver.seed ^ self.generation);
        let jitter = engine.chance() % (self.back_off.as_millis().max(2) as u64 / 2);
        let wait = self.back_off + Duration::from_millis(jitter);
        self.back_off = (self.back_off * 2).min(BACK_OFF_LONGEST);
        let stop = self.stop.clone();
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => {}
            }
        });
        engine
    }
}

fn answers_of(events: &[Event]) -> Vec<Answered> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Answer {
                attempt,
                answer,
                at,
            } => Some(Answered {
                attempt: *attempt,
                answer: answer.clone(),
                at: *at,
            }),
            _ => None,
        })
        .collect()
}

struct ChoresThread {
    store: Store,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
}

impl ChoresThread {
    fn run(self, runtime: &tokio::runtime::Runtime) {
        let mut wake = self.store.wake();
        let mut chores = Chores::default();
        let mut back_off = BACK_OFF_FIRST;
        while !self.stop.is_cancelled() {
            wake.mark_unchanged();
            let now = self.clock.now();
            let done = self.store.write_now(Urgency::Bulk, move |tx| {
                let piece = chores.work(tx, now)?;
                Ok::<_, Error>((chores, piece))
            });
            let wait = match done {
                Ok((kept, piece)) => {
                    chores = kept;
                    back_off = BACK_OFF_FIRST;
                    self.after(piece, now)
                }
                Err(Error::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "a chore could not be committed; it is tried again");
                    chores = Chores::default();
                    let wait = back_off;
                    back_off = (back_off * 2).min(BACK_OFF_LONGEST);
                    wait
                }
            };
            if wait.is_zero() {
                continue;
            }
            runtime.block_on(async {
                tokio::select! {
                    changed = wake.changed() => { let _ = changed; }
                    () = self.stop.cancelled() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            });
        }
    }

    fn after(&self, piece: Piece, now: Moment) -> Duration {
        if piece.handled > 0 {
            metrics::counter!(figures::CHORES).increment(piece.handled as u64);
        }
        if piece.more {
            Duration::ZERO
        } else {
            wait_until(piece.next, now)
        }
    }
}
