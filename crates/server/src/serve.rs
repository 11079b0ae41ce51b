//! Wiring: the store, the carriers, the engine, the doors and the listener, and how they stop again.

use crate::clock::SystemClock;
use crate::command::Failure;
use crate::config::{Carrier, Config};
use crate::fence::{self, Cause};
use crate::http::{self, Readiness};
use crate::page::{Rates, StatusPage};
use crate::{backup, chance, installation};
use carillon_channel::text::TextChannel;
use carillon_channel::{Channel, Events, loopback};
use carillon_engine::driver::{Attached, Driver, Handle};
use carillon_model::ChannelType;
use carillon_model::moment::Clock;
use carillon_store::Store;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use rand::Rng;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Batches of events on their way to the engine; while it is full, links do not read their sockets.
const EVENTS_WAITING_MAX: usize = 1_024;
/// How long a link may take to unbind.
const UNBIND: Duration = Duration::from_secs(5);
/// Name of the carrier of Accounts with emulateOutreach.
const LOOPBACK: &str = "loopback";
/// How often what has grown old is cleared away: nonces, kept answers, metrics that nobody fetched.
const SWEEP: Duration = Duration::from_secs(60);
/// How often the import worker looks by itself, if a wake-up was lost.
const WORKER_LOOK: Duration = Duration::from_secs(5);

/// A running server.
pub struct Running {
    url: String,
    readiness: Readiness,
    /// None where the store is fenced.
    engine: Option<Handle>,
    channels: Channels,
    stop_carriers: CancellationToken,
    stop_doors: CancellationToken,
    doors: tokio::task::JoinHandle<()>,
    store: Store,
    patience: Duration,
}

struct Channels {
    text: Vec<Arc<TextChannel>>,
    loopback: Arc<loopback::Loopback>,
}

/// `carillon serve`: opens the installation, serves, and stops on SIGTERM or Ctrl-C.
pub async fn until_signal(config: Config) -> Result<(), Failure> {
    let data = config.server.data.clone();
    let (store, key) = tokio::task::spawn_blocking(move || -> Result<_, Failure> {
        let key = installation::read_key(&data)?;
        Ok((Store::open(&data)?, key))
    })
    .await??;
    let running = start(config, store, key).await?;
    // The one line on standard output: whoever started the server with port 0 reads the address here.
    println!("listening on {}", running.url());
    running.until_signal().await;
    Ok(())
}

/// Starts everything. The listener is bound before carriers are called, so that a port in use costs nothing.
pub async fn start(
    config: Config,
    store: Store,
    key: installation::Key,
) -> Result<Running, Failure> {
    let listener = TcpListener::bind(config.server.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", config.server.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    let metrics = metrics();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let stop_carriers = CancellationToken::new();
    let (events, inbox) = tokio::sync::mpsc::channel(EVENTS_WAITING_MAX);
    let fence = fence_of(&config, &store).await?;
    // A copy must not even call the carriers: it would be given what they have to say to the original.
    let carriers = if fence.is_none() {
        &config.carriers[..]
    } else {
        &[]
    };
    let channels = start_channels(carriers, &clock, &events, &stop_carriers)?;
    let readiness = Readiness::default();

    let seed = chance::generator().random();
    let attached = channels.attached();
    let driver = Driver {
        store: store.clone(),
        clock: clock.clone(),
        channels: attached,
        events: inbox,
        seed,
    };
    let engine = match fence {
        None => Some(driver.start()?),
        Some(_) => None,
    };
    let trusted = config.server.is_trusted();
    let state =
        carillon_api::ApiState::new(store.clone(), clock.clone(), chance::generator(), &key);
    let mut doors = carillon_api::router(state.clone(), trusted);
    if trusted {
        let data = config.server.data.clone();
        doors = doors.merge(backup::router(state, key, data));
    }
    let rates = Rates::default();
    let page = trusted.then(|| StatusPage {
        store: store.clone(),
        channels: channels.list(),
        clock: clock.clone(),
        rates: rates.clone(),
        fence,
    });
    let router = http::router(
        doors,
        page,
        metrics.clone(),
        store.clone(),
        readiness.clone(),
        fence,
    );

    let stop_doors = CancellationToken::new();
    tokio::spawn(stop_doors.clone().run_until_cancelled_owned(sweep(
        store.clone(),
        clock.clone(),
        metrics,
    )));
    tokio::spawn(
        stop_doors
            .clone()
            .run_until_cancelled_owned(work_on_jobs(store.clone(), clock)),
    );
    if trusted {
        let sampling = rates.sample(store.clone());
        tokio::spawn(stop_doors.clone().run_until_cancelled_owned(sampling));
    }
    let stopped = stop_doors.clone();
    let doors = tokio::spawn(async move {
        let served = axum::serve(listener, router)
            .with_graceful_shutdown(stopped.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "the listener failed");
        }
    });
    readiness.set(true);
    tracing::info!(%url, carriers = config.carriers.len(), "serving");
    let patience = Duration::from_secs(config.server.shutdown_seconds);
    Ok(Running {
        url,
        readiness,
        engine,
        channels,
        stop_carriers,
        stop_doors,
        doors,
        store,
        patience,
    })
}

impl Running {
    /// `http://host:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until SIGTERM or Ctrl-C, then stops in order.
    pub async fn until_signal(self) {
        let mut terminate =
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(signal) => signal,
                Err(error) => {
                    tracing::error!(%error, "cannot listen for SIGTERM");
                    return self.stop().await;
                }
            };
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: shutting down"),
            _ = tokio::signal::ctrl_c() => tracing::info!("interrupt: shutting down"),
        }
        self.stop().await;
    }

    /// Stops in order: no new calls, no new attempts, carriers answer what they have, the store is closed.
    pub async fn stop(self) {
        self.readiness.set(false);
        self.stop_doors.cancel();
        if tokio::time::timeout(self.patience, self.doors)
            .await
            .is_err()
        {
            tracing::warn!("calls were still running at the end of the shutdown time");
        }
        if let Some(engine) = self.engine
            && tokio::time::timeout(self.patience, engine.shutdown())
                .await
                .is_err()
        {
            tracing::warn!(
                "carriers had not answered at the end of the shutdown time; their attempts are reconciled at the next start"
            );
        }
        self.stop_carriers.cancel();
        for channel in &self.channels.text {
            // The links unbind by themselves; a carrier that does not answer to that is left alone.
            let _ended = tokio::time::timeout(UNBIND, channel.stopped()).await;
        }
        self.store.close();
    }
}

impl Channels {
    fn list(&self) -> Vec<Arc<dyn Channel>> {
        let text = self
            .text
            .iter()
            .map(|channel| Arc::clone(channel) as Arc<dyn Channel>);
        text.chain([Arc::clone(&self.loopback) as Arc<dyn Channel>])
            .collect()
    }

    fn attached(&self) -> Vec<Attached> {
        let loopback = Attached {
            channel: Arc::clone(&self.loopback) as Arc<dyn Channel>,
            emulated: true,
        };
        let text = self.text.iter().map(|channel| Attached {
            channel: Arc::clone(channel) as Arc<dyn Channel>,
            emulated: false,
        });
        text.chain([loopback]).collect()
    }
}

/// Whether the store is fenced, told in the log.
async fn fence_of(config: &Config, store: &Store) -> Result<Option<Cause>, Failure> {
    let (data, at) = (config.server.data.clone(), store.clone());
    let fence = tokio::task::spawn_blocking(move || fence::check(&data, &at)).await??;
    if let Some(cause) = fence {
        tracing::warn!(
            cause = cause.sentence(),
            data = %config.server.data.display(),
            "FENCED: nothing is sent; stop the server and run `carillon release` when no other copy sends"
        );
    }
    Ok(fence)
}

fn start_channels(
    carriers: &[Carrier],
    clock: &Arc<dyn Clock>,
    events: &Events,
    stop: &CancellationToken,
) -> Result<Channels, Failure> {
    let loopback = loopback::Config {
        name: LOOPBACK.to_owned(),
        fates: HashMap::new(),
    };
    let loopback =
        loopback::Loopback::start(loopback, ChannelType::Text, clock.clone(), events.clone());
    let mut text = Vec::new();
    for Carrier::Smpp(carrier) in carriers {
        let seed = chance::generator().random();
        text.push(TextChannel::start(
            carrier.clone(),
            clock.clone(),
            events.clone(),
            seed,
            stop.clone(),
        )?);
    }
    Ok(Channels { text, loopback })
}

/// Runs imports as they are handed in.
async fn work_on_jobs(store: Store, clock: Arc<dyn Clock>) {
    let mut wake = store.wake();
    let mut worker = carillon_import::Worker::new();
    loop {
        let (at, by) = (store.clone(), clock.clone());
        let turn = tokio::task::spawn_blocking(move || {
            let outcome = worker.run_pending(&at, by.as_ref());
            (worker, outcome)
        });
        let Ok((back, outcome)) = turn.await else {
            tracing::error!("the import worker panicked; imports wait for a restart");
            return;
        };
        worker = back;
        if let Err(error) = outcome {
            tracing::warn!(%error, "imports wait for the store");
        }
        // A signal or a period: a lost wake-up costs seconds, never a Job. The store closes after this task has ended.
        let _woken = tokio::time::timeout(WORKER_LOOK, wake.changed()).await;
    }
}

/// Clears away what has grown old.
async fn sweep(store: Store, clock: Arc<dyn Clock>, metrics: PrometheusHandle) {
    let mut every = tokio::time::interval(SWEEP);
    loop {
        every.tick().await;
        metrics.run_upkeep();
        let now = clock.now();
        let swept = store
            .write(carillon_store::Urgency::Bulk, move |transaction| {
                transaction.drop_nonces(now.plus(-2 * carillon_model::moment::HOUR))?;
                transaction.drop_answers(now.plus(-carillon_model::moment::DAY))
            })
            .await;
        if let Err(error) = swept {
            tracing::warn!(%error, "what has grown old could not be cleared away");
        }
    }
}

/// The recorder of the process; made once, since the demo and tests start more than one server in a process.
fn metrics() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            // Another recorder can only be there in a test that brought its own.
            let _installed = metrics::set_global_recorder(recorder);
            handle
        })
        .clone()
}
