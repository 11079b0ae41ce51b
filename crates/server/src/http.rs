//! The listener: both doors, health, metrics and the status page on one port.

use crate::fence::Cause;
use crate::page::StatusPage;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use carillon_store::Store;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server takes work: false before the engine runs and from the start of a shutdown on.
#[derive(Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// Says whether it does.
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Everything the port answers.
pub fn router(
    doors: Router,
    page: Option<StatusPage>,
    metrics: PrometheusHandle,
    store: Store,
    readiness: Readiness,
    fence: Option<Cause>,
) -> Router {
    let health = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route(
            "/readyz",
            get(move || {
                let (store, readiness) = (store.clone(), readiness.clone());
                async move { ready(&store, &readiness, fence).await }
            }),
        )
        .route("/metrics", get(async move || metrics.render()));
    let pages = page.map(StatusPage::router).unwrap_or_default();
    // Trailing layers belong to the doors: they bound bodies, time and depth themselves, by method.
    health.merge(pages).merge(doors)
}

/// Ready = the engine runs and the store answers a read. A fenced server answers its doors, and is not ready.
async fn ready(
    store: &Store,
    readiness: &Readiness,
    fence: Option<Cause>,
) -> (StatusCode, &'static str) {
    if !readiness.is_ready() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "starting or shutting down\n",
        );
    }
    if fence.is_some() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "fenced: sends nothing until `carillon release`\n",
        );
    }
    match store
        .read(|snapshot| snapshot.fact("installation").map(|_| ()))
        .await
    {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready: the store does not answer");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store does not answer\n",
            )
        }
    }
}
