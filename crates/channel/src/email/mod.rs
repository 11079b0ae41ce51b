//! E-mail over SMTP: this side is the client of a relay. In the order of life: `outbox` keeps orders under rate and room,
//! `link` opens connections when there is something to send and closes them when there is not, `letter` and `dkim` make
//! the message, `session` hands it over, `reply` reads what the relay says. `intake` takes the bounces that come to the
//! return path. `links` makes and reads the tokens that stand in a mail. `peer` is a relay for the tests and the
//! benchmark.
//!
//! Guarantees: one answer per order; nothing is sent again unless the relay said "not now" or never had the content; a
//! connection lost between the end of the content and its answer is a Doubt, before it nothing; a bounce is taken from
//! its sender only when the engine has it durable.

mod config;
mod dkim;
mod intake;
mod letter;
mod link;
pub mod links;
mod outbox;
pub mod peer;
mod pem;
mod reply;
mod session;
mod tls;
mod wire;

pub use config::{Config, Dkim, Security};
pub use reply::is_bad_device;

use crate::contract::{Capabilities, Channel, Event, Events, Order};
use crate::post::Post;
use crate::text::ConfigError;
use crate::text::meter::Meter;
use carillon_model::moment::Clock;
use carillon_model::{AttemptId, ChannelType};
use letter::Writer;
use outbox::Outbox;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Why a carrier cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file it names cannot be used.
    #[error("carrier {carrier}: {file}: {problem}")]
    File {
        /// Which carrier.
        carrier: String,
        /// Which file.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// The address for bounces cannot be listened at.
    #[error("carrier {carrier}: cannot listen at {address}: {source}")]
    Intake {
        /// Which carrier.
        carrier: String,
        /// Where.
        address: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What all connections of a carrier share.
struct Shared {
    config: Config,
    outbox: Outbox,
    writer: Writer,
    tls: tls::Connector,
    stop: CancellationToken,
}

/// One SMTP carrier.
pub struct EmailChannel {
    shared: Arc<Shared>,
    intake: Option<SocketAddr>,
    tasks: TaskTracker,
}

impl EmailChannel {
    /// Starts a carrier on the current runtime: one connection at once, to see whether the relay is there; more as there
    /// is mail. `seed` spreads reconnects; `stop` ends it: what waits is answered NotSent, what is handed over is awaited
    /// for some seconds. The configuration must hold the key of the links.
    pub fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        events: Events,
        seed: u64,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, StartError> {
        config.check()?;
        let tls = tls::Connector::new(&config)?;
        let writer = Writer::new(&config, clock.clone())?;
        let listener = config.intake.as_deref().map(|address| {
            intake::listen(address).map_err(|source| StartError::Intake {
                carrier: config.name.clone(),
                address: address.to_owned(),
                source,
            })
        });
        let listener = listener.transpose()?;
        let (post, forward) = Post::start(events.clone());
        tokio::spawn(forward);
        let outbox = Outbox::new(
            config.name.as_str().into(),
            post,
            clock,
            Meter::new(&config.name),
            config.connections,
            config.rate,
            config.throttle_pause,
        );
        let shared = Arc::new(Shared {
            config,
            outbox,
            writer,
            tls,
            stop,
        });
        let tasks = TaskTracker::new();
        for number in 0..shared.config.connections {
            let seed = seed.wrapping_add(number as u64);
            tasks.spawn(link::keep(shared.clone(), number, seed));
        }
        let intake = listener.map(|(listener, address)| {
            tasks.spawn(intake::serve(
                shared.clone(),
                listener,
                events,
                tasks.clone(),
            ));
            address
        });
        tasks.spawn(close_at_the_end(shared.clone()));
        tasks.close();
        Ok(Arc::new(Self {
            shared,
            intake,
            tasks,
        }))
    }

    /// Where bounces are taken, if they are.
    pub fn intake(&self) -> Option<SocketAddr> {
        self.intake
    }

    /// Waits until the connections have ended after `stop` and the engine has taken their last events. The engine reads on
    /// meanwhile.
    pub async fn stopped(&self) {
        self.tasks.wait().await;
        self.shared.outbox.post.emptied().await;
    }
}

async fn close_at_the_end(shared: Arc<Shared>) {
    shared.stop.cancelled().await;
    shared.outbox.close();
}

impl Channel for EmailChannel {
    fn name(&self) -> &str {
        &self.shared.config.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: ChannelType::Email,
            rate_per_second: self.shared.config.rate,
            window: self.shared.config.connections,
            // A bounce may come, or not: the relay's 2xx is the result (`entities.md` 7.4).
            receipts: false,
            receipt_wait_ms: 0,
            // Message-ID is no key: relays do not compare it.
            idempotent: false,
            query: false,
        }
    }

    fn room(&self) -> usize {
        self.shared.outbox.room()
    }

    fn place(&self, orders: Vec<Order>) {
        self.shared.outbox.place(orders);
    }

    fn query(&self, queries: Vec<(AttemptId, String, String)>) {
        let outbox = &self.shared.outbox;
        let at = outbox.clock.now();
        let unknown = |(attempt, message_id, _)| Event::Queried {
            attempt,
            message_id,
            report: None,
            at,
        };
        outbox.post.send(queries.into_iter().map(unknown).collect());
    }

    fn withdraw(&self, attempts: &[AttemptId]) {
        self.shared.outbox.withdraw(Instant::now(), attempts);
    }

    fn is_up(&self) -> bool {
        self.shared.outbox.is_up()
    }
}
