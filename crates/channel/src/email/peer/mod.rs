//! A relay for the demo, the tests and the benchmark: it takes mail and keeps what it saw. Its fates are chosen by the
//! recipient's local part, its misbehaviour by count.

mod conversation;

use conversation::converse;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// What a relay does that it should not. `Some(n)` = every n-th time.
#[derive(Debug, Clone, Default)]
pub struct Misbehaviour {
    /// Answers MAIL with 421 and closes.
    pub later_every: Option<usize>,
    /// Takes the content and never answers it. It answers the others only from the first such one on, and when
    /// `connections_first` have a mail each, so whoever has an answer knows both; that takes two connections.
    pub unanswered_every: Option<usize>,
    /// See `unanswered_every`.
    pub connections_first: usize,
    /// Closes the connection after so many mails without a word.
    pub closes_after: Option<usize>,
    /// Does not offer PIPELINING.
    pub no_pipelining: bool,
    /// Answers DATA with 354 although nobody is to get the mail.
    pub careless_data: bool,
    /// Greets with this instead of 220.
    pub greeting: Option<String>,
}

/// A mail that was taken or at least read to its end.
#[derive(Debug, Clone)]
pub struct Taken {
    /// MAIL FROM.
    pub from: String,
    /// RCPT TO.
    pub to: String,
    /// Headers and body.
    pub content: Vec<u8>,
}

/// What all connections of a relay share.
struct State {
    misbehaviour: Mutex<Misbehaviour>,
    /// None = a sink that keeps nothing but counts.
    taken: Option<Mutex<Vec<Taken>>>,
    counts: Mutex<Counts>,
    cut: Mutex<CancellationToken>,
    /// Whether a mail was left without an answer, and how many connections have brought one.
    seen: watch::Sender<(bool, usize)>,
}

#[derive(Default)]
struct Counts {
    senders: usize,
    mails: usize,
    connections: usize,
}

/// The relay. Dropped, it is gone with all its connections.
pub struct Relay {
    address: SocketAddr,
    state: Arc<State>,
    _task: AbortOnDropHandle<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("nothing panics while it holds a lock of the relay")
}

impl Relay {
    /// A relay that keeps every mail.
    pub async fn start(address: &str, misbehaviour: Misbehaviour) -> io::Result<Self> {
        Self::serve(address, misbehaviour, Some(Mutex::default())).await
    }

    /// A relay that takes everything, keeps nothing and counts.
    pub async fn sink(address: &str) -> io::Result<Self> {
        Self::serve(address, Misbehaviour::default(), None).await
    }

    async fn serve(
        address: &str,
        misbehaviour: Misbehaviour,
        taken: Option<Mutex<Vec<Taken>>>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            misbehaviour: Mutex::new(misbehaviour),
            taken,
            counts: Mutex::default(),
            cut: Mutex::default(),
            seen: watch::Sender::new((false, 0)),
        });
        let shared = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                lock(&shared.counts).connections += 1;
                let cut = lock(&shared.cut).clone();
                let state = shared.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = cut.cancelled() => {}
                        () = converse(state, stream) => {}
                    }
                });
            }
        });
        Ok(Self {
            address,
            state,
            _task: AbortOnDropHandle::new(task),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Behaves otherwise from now on.
    pub fn misbehave(&self, misbehaviour: Misbehaviour) {
        *lock(&self.state.misbehaviour) = misbehaviour;
    }

    /// Cuts every connection; new ones are welcome.
    pub fn cut(&self) {
        let cut = std::mem::take(&mut *lock(&self.state.cut));
        cut.cancel();
    }

    /// The mails it has, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.state
            .taken
            .as_ref()
            .map_or_else(Vec::new, |taken| lock(taken).clone())
    }

    /// How many mails it read to the end.
    pub fn count(&self) -> usize {
        lock(&self.state.counts).mails
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        lock(&self.state.counts).connections
    }

    /// Return paths, and so attempts, of which it has more than one mail.
    pub fn taken_twice(&self) -> Vec<String> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for mail in self.taken() {
            *counts.entry(mail.from).or_default() += 1;
        }
        let twice = counts.into_iter().filter(|(_, count)| *count > 1);
        twice.map(|(from, _)| from).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}
