//! A carrier with realistic fates and, when told so, the bad manners of real carriers. Everything it does follows from
//! the seed, the number and the order of what it received. It counts what it took per attempt, so that a test can say
//! "nothing was sent twice".

use super::conversation::Session;
use super::manners::{Config, Misbehaviour, Totals};
use crate::text::wire::{self, Message, command};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What waits to be delivered to the client.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) command: u32,
    pub(super) body: Vec<u8>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) totals: Totals,
    pub(super) next_id: u64,
    /// How often each part was taken: (number, reference, part, content) → times.
    pub(super) taken: HashMap<(String, Option<u16>, u8, u64), u32>,
    pub(super) throttled_once: HashSet<String>,
    pub(super) states: HashMap<String, u8>,
    pub(super) due: BTreeMap<(Instant, u64), Delivery>,
    pub(super) next_due: u64,
    pub(super) second: Option<Instant>,
    pub(super) in_second: u32,
    pub(super) replied: HashSet<String>,
}

pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) misbehaviour: Mutex<Misbehaviour>,
    pub(super) state: Mutex<State>,
    pub(super) wake: Notify,
    pub(super) stop: CancellationToken,
    pub(super) cut: Mutex<CancellationToken>,
}

/// See the file. It ends when it is dropped.
pub struct Smsc {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl Drop for Smsc {
    fn drop(&mut self) {
        self.inner.stop.cancel();
    }
}

impl Smsc {
    /// Listens, for instance at `127.0.0.1:0`.
    pub async fn start(listen: &str, config: Config) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            misbehaviour: Mutex::new(config.misbehaviour.clone()),
            state: Mutex::new(State {
                next_id: 1_000,
                ..State::default()
            }),
            wake: Notify::new(),
            stop: CancellationToken::new(),
            cut: Mutex::new(CancellationToken::new()),
            config,
        });
        let accepting = inner.clone();
        tokio::spawn(inner.stop.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let cut = lock(&accepting.cut).clone();
                let session = Session::new(accepting.clone());
                let stop = accepting.stop.clone();
                tokio::spawn(stop.run_until_cancelled_owned(
                    cut.run_until_cancelled_owned(session.serve(stream)),
                ));
            }
        }));
        Ok(Self { address, inner })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it saw so far.
    pub fn totals(&self) -> Totals {
        lock(&self.inner.state).totals.clone()
    }

    /// Parts it took more than once: number, reference, part and times.
    pub fn taken_twice(&self) -> Vec<(String, Option<u16>, u8, u32)> {
        let state = lock(&self.inner.state);
        let twice = state.taken.iter().filter(|(_, times)| **times > 1);
        twice
            .map(|((number, reference, part, _), times)| {
                (number.clone(), *reference, *part, *times)
            })
            .collect()
    }

    /// How often each attempt (number, reference) was taken: the most of its parts.
    pub fn taken(&self) -> HashMap<(String, Option<u16>), u32> {
        let mut attempts = HashMap::new();
        for ((number, reference, ..), times) in &lock(&self.inner.state).taken {
            let most = attempts.entry((number.clone(), *reference)).or_insert(0);
            *most = (*times).max(*most);
        }
        attempts
    }

    /// Behaves so from now on.
    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        *lock(&self.inner.misbehaviour) = misbehaviour;
    }

    /// Cuts every link at once; new ones are taken.
    pub fn cut(&self) {
        std::mem::take(&mut *lock(&self.inner.cut)).cancel();
    }

    /// A person writes: the content in the alphabet of `data_coding`, as one deliver_sm with this esm_class.
    pub fn write(&self, from: &str, to: &str, content: &[u8], data_coding: u8, esm_class: u8) {
        let mut body = Vec::new();
        wire::put_message(
            &mut body,
            &Message {
                source: wire::Address {
                    ton: 1,
                    npi: 1,
                    digits: from.as_bytes(),
                },
                destination: wire::Address {
                    ton: 3,
                    npi: 0,
                    digits: to.as_bytes(),
                },
                esm_class,
                data_coding,
                content,
                ..Message::default()
            },
        );
        self.inner.deliver(
            Instant::now(),
            Delivery {
                command: command::DELIVER_SM,
                body,
            },
        );
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("nothing panics while it holds the state")
}

impl Inner {
    pub(super) fn deliver(&self, at: Instant, delivery: Delivery) {
        let mut state = lock(&self.state);
        state.next_due += 1;
        let key = (at, state.next_due);
        state.due.insert(key, delivery);
        drop(state);
        // Every receiving link looks; one of them takes it.
        self.wake.notify_waiters();
    }
}
