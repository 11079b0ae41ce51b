//! Text messages over SMPP 3.4: this side is the ESME. In the order of life: `prepare` makes PDUs of an order, `outbox`
//! keeps them under rate and room, `link` opens connections and opens them again, `session` and `receive` move bytes, `window` knows
//! what is handed over, `outcome`, `receipt`, `ids` and `inbound` read what comes back. `peer` is a carrier for the demo,
//! the tests and the benchmark.
//!
//! Guarantees: one answer per order; nothing is sent again unless the carrier said "not now"; a cut or a silence is a
//! Doubt; a receipt is answered to the carrier only when the engine has it durable.

pub(crate) mod config;
mod gsm;
mod ids;
mod inbound;
mod link;
pub(crate) mod meter;
mod outbox;
mod outcome;
pub mod peer;
mod prepare;
mod receipt;
mod receive;
mod session;
mod window;
pub mod wire;

pub use config::{Bind, Config, Error as ConfigError, parse_duration};
pub use ids::{Spelling, message_key};

use crate::contract::{Acknowledge, Capabilities, Channel, Event, Events, Order};
use crate::limits;
use crate::post::Post;
use carillon_model::moment::Clock;
use carillon_model::{AttemptId, ChannelType};
use inbound::Assembly;
use meter::Meter;
use outbox::{Outbox, Query};
use prepare::Template;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What all links of a carrier share.
struct Shared {
    config: Config,
    outbox: Outbox,
    ids: Mutex<ids::Ids>,
    assembly: Mutex<Assembly>,
    events: Events,
    stop: CancellationToken,
}

/// One SMPP carrier.
pub struct TextChannel {
    shared: Arc<Shared>,
    template: Template,
    series: AtomicU8,
    tasks: TaskTracker,
}

impl TextChannel {
    /// Starts the links of a carrier on the current runtime. `seed` spreads their reconnects; `stop` ends them: what waits
    /// is answered NotSent, what is handed over is awaited for a few seconds, then the links unbind.
    pub fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        events: Events,
        seed: u64,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, ConfigError> {
        config.check()?;
        let roles: Vec<link::Role> = match config.bind {
            Bind::Transceiver => vec![link::Role::Transceiver; config.binds],
            Bind::TransmitterAndReceiver => {
                [link::Role::Transmitter, link::Role::Receiver].repeat(config.binds)
            }
        };
        let wakers: Vec<Arc<Notify>> = roles.iter().map(|_| Arc::default()).collect();
        let sending = roles.iter().zip(&wakers).filter(|(role, _)| role.sends());
        let sending = sending.map(|(_, waker)| waker.clone()).collect();
        let (post, forward) = Post::start(events.clone());
        tokio::spawn(forward);
        let outbox = Outbox::new(
            config.name.as_str().into(),
            sending,
            post,
            clock,
            Meter::new(&config.name),
            config.window,
            config.rate,
            config.throttle_pause,
        );
        let shared = Arc::new(Shared {
            outbox,
            ids: Mutex::new(ids::Ids::new(config.message_ids)),
            assembly: Mutex::default(),
            events,
            stop,
            config,
        });
        let tasks = TaskTracker::new();
        for (number, (role, waker)) in (0..).zip(roles.into_iter().zip(wakers)) {
            let seed = seed.wrapping_add(number);
            tasks.spawn(link::keep(shared.clone(), role, waker, seed));
        }
        tasks.spawn(tidy(shared.clone()));
        tasks.close();
        let template = Template::new(&shared.config);
        Ok(Arc::new(Self {
            shared,
            template,
            series: AtomicU8::new(1),
            tasks,
        }))
    }

    /// Waits until the links have ended after `stop` and the engine has taken their last events. The engine reads on
    /// meanwhile.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
        self.shared.outbox.post.emptied().await;
    }
}

/// Passes on what is left of messages whose parts never came, and closes the outbox at the end.
async fn tidy(shared: Arc<Shared>) {
    while !shared.stop.is_cancelled() {
        tokio::select! {
            () = shared.stop.cancelled() => {}
            () = tokio::time::sleep(limits::TIDY_EVERY) => {
                let left = shared.assembly.lock().expect("nothing panics while it holds the parts").expire(Instant::now());
                let passed_on = left.into_iter().map(|inbound| shared.inbound(inbound, Acknowledge::none()));
                shared.outbox.post.send(passed_on.collect());
            }
        }
    }
    shared.outbox.close();
}

impl Shared {
    fn inbound(&self, inbound: inbound::Inbound, acknowledge: Acknowledge) -> Event {
        self.outbox.meter.inbound.increment(1);
        Event::Inbound {
            carrier: self.outbox.carrier.clone(),
            from: inbound.from,
            to: inbound.to,
            body: inbound.body,
            at: self.outbox.clock.now(),
            acknowledge,
        }
    }
}

impl Channel for TextChannel {
    fn name(&self) -> &str {
        &self.shared.config.name
    }

    fn capabilities(&self) -> Capabilities {
        let config = &self.shared.config;
        Capabilities {
            channel: ChannelType::Text,
            rate_per_second: config.rate,
            window: config.window * config.binds,
            receipts: config.receipts,
            receipt_wait_ms: i64::try_from(config.receipt_wait.as_millis()).unwrap_or(i64::MAX),
            // user_message_reference is no key: carriers return it, they do not compare it.
            idempotent: false,
            query: config.query,
        }
    }

    fn room(&self) -> usize {
        self.shared.outbox.room()
    }

    fn place(&self, orders: Vec<Order>) {
        let outbox = &self.shared.outbox;
        let mut prepared = Vec::with_capacity(orders.len());
        let mut refused = Vec::new();
        for order in orders {
            match self
                .template
                .prepare(&order, self.series.fetch_add(1, Ordering::Relaxed))
            {
                Ok(ready) => prepared.push(ready),
                Err(answer) => {
                    outbox.meter.answer(&answer);
                    refused.push(Event::Answer {
                        attempt: order.attempt,
                        answer,
                        at: outbox.clock.now(),
                    });
                }
            }
        }
        outbox.post.send(refused);
        let left = outbox.place(prepared);
        outbox.not_sent(left.into_iter().map(|order| order.attempt).collect());
    }

    fn query(&self, queries: Vec<(AttemptId, String, String)>) {
        let queries = queries
            .into_iter()
            .map(|(attempt, message_id, from)| Query {
                attempt,
                message_id,
                from,
            });
        let outbox = &self.shared.outbox;
        if self.shared.config.query {
            let left = outbox.ask(queries.collect());
            outbox.not_known(left);
        } else {
            outbox.not_known(queries.collect());
        }
    }

    fn withdraw(&self, attempts: &[AttemptId]) {
        self.shared.outbox.withdraw(Instant::now(), attempts);
    }

    fn is_up(&self) -> bool {
        self.shared.outbox.is_up()
    }
}
