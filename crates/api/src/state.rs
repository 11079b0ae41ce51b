//! What all calls of a process share.

use crate::auth::{Keys, Memory, Rates};
use crate::cache::Cache;
use crate::context::Chance;
use carillon_model::moment::Clock;
use carillon_model::{Moment, OrgId};
use carillon_store::Store;
use rand::RngCore;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// The state of the API: cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    clock: Arc<dyn Clock>,
    chance: Chance,
    keys: Arc<Keys>,
    memory: Memory,
    rates: Rates,
    cache: Arc<Cache>,
    running: Mutex<HashSet<(OrgId, &'static str, String)>>,
}

impl ApiState {
    /// `installation_key` is the same for as long as the store lives; it seals API secrets.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        mut chance: impl RngCore + Send + 'static,
        installation_key: &[u8; 32],
    ) -> Self {
        let mut process = [0; 32];
        chance.fill_bytes(&mut process);
        Self {
            shared: Arc::new(Shared {
                store,
                clock,
                chance: Arc::new(Mutex::new(chance)),
                keys: Arc::new(Keys::new(installation_key, process)),
                memory: Memory::default(),
                rates: Rates::default(),
                cache: Arc::default(),
                running: Mutex::new(HashSet::new()),
            }),
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.shared.clock.now()
    }

    /// Randomness.
    pub fn chance(&self) -> Chance {
        Arc::clone(&self.shared.chance)
    }

    /// Keys of the installation.
    pub fn keys(&self) -> &Arc<Keys> {
        &self.shared.keys
    }

    pub(crate) fn cache(&self) -> Arc<Cache> {
        Arc::clone(&self.shared.cache)
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.shared.memory
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.shared.rates
    }

    /// Marks a call under an idempotency key as running; none when one is running already.
    pub(crate) fn begin(&self, org: OrgId, method: &'static str, key: &str) -> Option<Running> {
        let name = (org, method, key.to_owned());
        let mut running = self
            .shared
            .running
            .lock()
            .expect("no panic holds this lock");
        running.insert(name.clone()).then(|| Running {
            state: self.clone(),
            name,
        })
    }

    /// An opaque id for an internal failure, told to the caller and logged.
    pub(crate) fn reference(&self) -> String {
        let mut bytes = [0u8; 8];
        self.shared
            .chance
            .lock()
            .expect("no panic holds this lock")
            .fill_bytes(&mut bytes);
        format!("{:016x}", u64::from_be_bytes(bytes))
    }
}

/// A call under an idempotency key, until it is dropped.
pub(crate) struct Running {
    state: ApiState,
    name: (OrgId, &'static str, String),
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(mut running) = self.state.shared.running.lock() {
            running.remove(&self.name);
        }
    }
}
