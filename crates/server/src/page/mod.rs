//! The live status page at `/`: what runs, how far it is, which carriers are up. It shows names and counts, no contacts,
//! and is served on trusted listeners only.

use crate::fence::Cause;
use axum::Json;
use axum::response::Html;
use carillon_channel::Channel;
use carillon_model::SubCampaignId;
use carillon_model::campaign::Campaign;
use carillon_model::counter::Subject;
use carillon_model::moment::Clock;
use carillon_model::sub_campaign::SubCampaign;
use carillon_store::{EntityReadExt, Snapshot, Store};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often the rate is sampled.
const SAMPLE: Duration = Duration::from_secs(1);
/// Samples kept: three minutes.
const SAMPLES_MAX: usize = 180;

/// What the page needs.
#[derive(Clone)]
pub struct StatusPage {
    /// Runs and counters.
    pub store: Store,
    /// Carriers.
    pub channels: Vec<Arc<dyn Channel>>,
    /// The time shown.
    pub clock: Arc<dyn Clock>,
    /// Attempts of each of the last seconds, oldest first.
    pub rates: Rates,
    /// Why nothing is sent, where the store is fenced.
    pub fence: Option<Cause>,
}

/// Attempts of each of the last seconds, oldest first.
#[derive(Clone, Default)]
pub struct Rates(Arc<Mutex<VecDeque<i64>>>);

impl Rates {
    /// Samples for as long as it is polled.
    pub async fn sample(self, store: Store) {
        let mut before: BTreeMap<SubCampaignId, i64> = BTreeMap::new();
        let mut every = tokio::time::interval(SAMPLE);
        loop {
            every.tick().await;
            // A read that fails leaves a gap; the log says why elsewhere.
            let Ok(now) = store.read(attempted).await else {
                continue;
            };
            let rise = |(run, count): (&SubCampaignId, &i64)| {
                count - before.get(run).copied().unwrap_or(*count)
            };
            let rate = now.iter().map(rise).sum::<i64>().max(0);
            before = now;
            let mut rates = self.0.lock().expect("no panic holds this lock");
            rates.push_back(rate);
            if rates.len() > SAMPLES_MAX {
                rates.pop_front();
            }
        }
    }

    fn list(&self) -> Vec<i64> {
        self.0
            .lock()
            .expect("no panic holds this lock")
            .iter()
            .copied()
            .collect()
    }
}

/// Attempts of every live run.
fn attempted(snapshot: &dyn Snapshot) -> carillon_store::Result<BTreeMap<SubCampaignId, i64>> {
    let runs: Vec<SubCampaignId> = snapshot.live_runs()?.iter().map(|run| run.id).collect();
    let subjects: Vec<Subject> = runs.iter().map(|run| Subject::whole(*run)).collect();
    let counters = snapshot.counters(&subjects)?;
    Ok(runs
        .into_iter()
        .zip(counters.iter().map(|counters| counters.attempted))
        .collect())
}

/// The answer of `/status.json`.
#[derive(Serialize)]
struct Status {
    version: &'static str,
    time: String,
    /// Why nothing is sent.
    fenced: Option<&'static str>,
    rates: Vec<i64>,
    runs: Vec<RunStatus>,
    carriers: Vec<CarrierStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunStatus {
    name: String,
    campaign: String,
    state: &'static str,
    delivered: i64,
    failed: i64,
    active: i64,
    not_attempted: i64,
    filtered: i64,
    attempted: i64,
    pending: i64,
}

#[derive(Serialize)]
struct CarrierStatus {
    name: String,
    channel: &'static str,
    up: bool,
    room: usize,
}

impl StatusPage {
    /// `/` and `/status.json`.
    pub fn router(self) -> axum::Router {
        axum::Router::new()
            .route(
                "/",
                axum::routing::get(async || Html(include_str!("status.html"))),
            )
            .route(
                "/status.json",
                axum::routing::get(move || {
                    let page = self.clone();
                    async move { page.status().await.map(Json) }
                }),
            )
    }

    async fn status(&self) -> Result<Status, axum::http::StatusCode> {
        let runs = self.store.read(run_statuses).await.map_err(|error| {
            tracing::warn!(%error, "the status page cannot read the store");
            axum::http::StatusCode::SERVICE_UNAVAILABLE
        })?;
        let carriers = self.channels.iter().map(|channel| {
            let room = channel.room();
            CarrierStatus {
                name: channel.name().to_owned(),
                channel: channel.capabilities().channel.text(),
                up: channel.is_up(),
                room,
            }
        });
        Ok(Status {
            version: env!("CARGO_PKG_VERSION"),
            time: self.clock.now().wire(),
            fenced: self.fence.map(Cause::sentence),
            rates: self.rates.list(),
            runs,
            carriers: carriers.collect(),
        })
    }
}

fn run_statuses(snapshot: &dyn Snapshot) -> carillon_store::Result<Vec<RunStatus>> {
    let runs = snapshot.live_runs()?;
    let subjects: Vec<Subject> = runs.iter().map(|run| Subject::whole(run.id)).collect();
    let counters = snapshot.counters(&subjects)?;
    let mut statuses = Vec::with_capacity(runs.len());
    for (run, counters) in runs.iter().zip(counters) {
        let name = snapshot
            .get::<SubCampaign>(run.id)?
            .map(|it| it.base.external_id);
        let campaign = snapshot
            .get::<Campaign>(run.campaign)?
            .map(|it| it.base.external_id);
        statuses.push(RunStatus {
            name: name.unwrap_or_default(),
            campaign: campaign.unwrap_or_default(),
            state: run.state.text(),
            delivered: counters.delivered,
            failed: counters.failed,
            active: counters.active,
            not_attempted: counters.not_attempted,
            filtered: counters.filtered,
            attempted: counters.attempted,
            pending: counters.pending,
        });
    }
    Ok(statuses)
}
