//! Events that arise where waiting is not allowed (in `place`, under a lock) go through here to the engine, in order.
//! The queue holds at most what callers placed and have not yet read the answers of.

use crate::contract::{Event, Events};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Notify, mpsc};

/// A queue in front of the engine's.
#[derive(Clone)]
pub(crate) struct Post {
    sender: mpsc::UnboundedSender<Vec<Event>>,
    waiting: Arc<AtomicUsize>,
    emptied: Arc<Notify>,
}

impl Post {
    /// Starts the task that forwards; it ends when every `Post` is dropped.
    pub fn start(events: Events) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, mut receiver) = mpsc::unbounded_channel::<Vec<Event>>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let emptied = Arc::new(Notify::new());
        let (forwarded, told) = (waiting.clone(), emptied.clone());
        let forward = async move {
            while let Some(batch) = receiver.recv().await {
                let count = batch.len();
                // An engine that is gone cannot be told; what waits is dropped so that nobody waits for it.
                let _ = events.send(batch).await;
                if forwarded.fetch_sub(count, Ordering::AcqRel) == count {
                    told.notify_waiters();
                }
            }
        };
        (
            Self {
                sender,
                waiting,
                emptied,
            },
            forward,
        )
    }

    /// Sends a batch.
    pub fn send(&self, batch: Vec<Event>) {
        if batch.is_empty() {
            return;
        }
        let count = batch.len();
        self.waiting.fetch_add(count, Ordering::AcqRel);
        if self.sender.send(batch).is_err() {
            // The forwarding task ended with its runtime; nobody is left to tell.
            self.waiting.fetch_sub(count, Ordering::AcqRel);
        }
    }

    /// Events the engine has not yet taken.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// Waits until the engine has taken everything.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.waiting() == 0 {
                return;
            }
            emptied.await;
        }
    }
}
