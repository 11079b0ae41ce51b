//! What waits for a relay, shared by all connections of a carrier: the queue, the rate, the pause after 421, and whether
//! the relay can be reached. When it cannot, nothing waits any longer: every order is answered NotSent.
//!
//! A carrier without mail has no connections and is up all the same: it is down from the moment its last connection
//! breaks, or none can be opened, until one is open again.
//!
//! An order is either here or with one connection, never both; it changes hands under the lock.

use crate::contract::{Answer, Event, Order};
use crate::limits;
use crate::post::Post;
use crate::text::meter::Meter;
use carillon_model::AttemptId;
use carillon_model::moment::Clock;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// An order with its place in the queue.
#[derive(Debug)]
pub(super) struct Waiting {
    pub order: Order,
    number: u64,
    /// How often the relay put it off, or a connection ended before it had the content.
    pub tries: u32,
}

/// What a connection may do now.
#[derive(Debug)]
pub(super) enum Take {
    /// Hand over this one.
    Mail(Waiting),
    /// Nothing before this moment: the rate or a pause holds it back.
    After(Instant),
    /// Nothing waits.
    Nothing,
}

/// See the file.
pub(super) struct Outbox {
    pub carrier: Arc<str>,
    inner: Mutex<Inner>,
    pub changed: Notify,
    pub post: Post,
    pub clock: Arc<dyn Clock>,
    pub meter: Meter,
    connections: usize,
    rate: Option<f64>,
    first_pause: Duration,
}

#[derive(Default)]
struct Inner {
    /// By number.
    queue: VecDeque<Waiting>,
    next_number: u64,
    /// Withdrawn while a connection had them: should they come back here, they do not leave again.
    recalled: HashMap<AttemptId, Instant>,
    tokens: f64,
    reckoned: Option<Instant>,
    paused_until: Option<Instant>,
    pause: Duration,
    taken_since_pause: bool,
    is_up: bool,
    /// A connection broke, and since then the relay has taken nothing and no other was opened.
    suspect: bool,
    live: usize,
    busy: usize,
    closed: bool,
    promised: usize,
    /// Mails answered in the second that began at `second`, and in the one before.
    second: Option<Instant>,
    answered: usize,
    answered_before: usize,
}

impl Outbox {
    pub fn new(
        carrier: Arc<str>,
        post: Post,
        clock: Arc<dyn Clock>,
        meter: Meter,
        connections: usize,
        rate: Option<f64>,
        first_pause: Duration,
    ) -> Self {
        let inner = Inner {
            pause: first_pause,
            taken_since_pause: true,
            ..Inner::default()
        };
        Self {
            carrier,
            inner: Mutex::new(inner),
            changed: Notify::new(),
            post,
            clock,
            meter,
            connections,
            rate,
            first_pause,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner
            .lock()
            .expect("nothing panics while it holds the outbox")
    }

    /// Orders it would take now.
    pub fn room(&self) -> usize {
        let mut inner = self.lock();
        inner.promised = self.reckon_room(&inner);
        inner.promised
    }

    fn reckon_room(&self, inner: &Inner) -> usize {
        if !inner.is_up || inner.closed {
            return 0;
        }
        let second = match self.rate {
            Some(rate) => rate.ceil() as usize,
            None => (self.connections * limits::MAILS_WAITING)
                .max(inner.answered_before)
                .max(inner.answered),
        };
        second
            .min(limits::WAITING_MAX)
            .saturating_sub(inner.queue.len())
    }

    /// Takes orders, as many as were promised; the others are answered NotSent.
    pub fn place(&self, orders: Vec<Order>) {
        let mut orders = orders.into_iter();
        let mut inner = self.lock();
        if inner.is_up && !inner.closed {
            let room = inner.promised.max(self.reckon_room(&inner));
            inner.promised = 0;
            for order in orders.by_ref().take(room) {
                let number = inner.next_number;
                inner.next_number += 1;
                inner.queue.push_back(Waiting {
                    order,
                    number,
                    tries: 0,
                });
            }
        }
        drop(inner);
        self.changed.notify_waiters();
        self.not_sent(orders.map(|order| order.attempt).collect());
    }

    /// What a connection that is open and free may do.
    pub fn take(&self, now: Instant) -> Take {
        let mut inner = self.lock();
        if inner.queue.is_empty() {
            return Take::Nothing;
        }
        if let Some(until) = inner.paused_until.filter(|until| *until > now) {
            return Take::After(until);
        }
        inner.paused_until = None;
        if let Some(until) = self.rate_allows(&mut inner, now) {
            return Take::After(until);
        }
        let moment = self.clock.now();
        let mut expired = Vec::new();
        let mut taken = Take::Nothing;
        while let Some(waiting) = inner.queue.pop_front() {
            if waiting
                .order
                .expires
                .is_some_and(|expires| expires <= moment)
            {
                expired.push(waiting.order.attempt);
                continue;
            }
            if self.rate.is_some() {
                inner.tokens -= 1.0;
            }
            inner.busy += 1;
            self.meter.window_used.set(inner.busy as f64);
            taken = Take::Mail(waiting);
            break;
        }
        drop(inner);
        self.not_sent(expired);
        taken
    }

    /// When the rate allows a mail, if not now. At most a twentieth of a second is saved up, so the relay sees an even flow.
    fn rate_allows(&self, inner: &mut Inner, now: Instant) -> Option<Instant> {
        let rate = self.rate?;
        let burst = (rate / 20.0).max(1.0);
        let passed = inner
            .reckoned
            .map_or(1.0, |before| now.duration_since(before).as_secs_f64());
        inner.tokens = (inner.tokens + passed * rate).min(burst);
        inner.reckoned = Some(now);
        // A timer that fires a hair early must not lose the whole token.
        let wait = (1.0 - 1e-6 - inner.tokens) / rate;
        (wait > 0.0).then(|| now + Duration::from_secs_f64(wait.max(0.001)))
    }

    /// Whether so many orders wait that a connection of this number is worth opening.
    pub fn wants(&self, number: usize) -> bool {
        let inner = self.lock();
        if inner.closed {
            return false;
        }
        if inner.is_up {
            inner.queue.len() > number
        } else {
            // One connection looks whether the relay is there.
            number == 0
        }
    }

    /// One order has its answer.
    pub fn answer(&self, waiting: &Waiting, answer: Answer) {
        let mut inner = self.lock();
        inner.recalled.remove(&waiting.order.attempt);
        if matches!(answer, Answer::Accepted { .. }) {
            inner.taken_since_pause = true;
            inner.suspect = false;
        }
        self.left(&mut inner);
        let now = Instant::now();
        match inner.second {
            Some(began) if now.duration_since(began) < Duration::from_secs(1) => {
                inner.answered += 1
            }
            began => {
                let just_over =
                    began.is_some_and(|began| now.duration_since(began) < Duration::from_secs(2));
                inner.answered_before = if just_over { inner.answered } else { 0 };
                inner.answered = 1;
                inner.second = Some(now);
            }
        }
        drop(inner);
        self.meter.answer(&answer);
        self.post.send(vec![Event::Answer {
            attempt: waiting.order.attempt,
            answer,
            at: self.clock.now(),
        }]);
    }

    fn left(&self, inner: &mut Inner) {
        inner.busy -= 1;
        self.meter.window_used.set(inner.busy as f64);
    }

    /// The relay has nothing of this one and may be offered it again.
    pub fn put_back(&self, waiting: Waiting) {
        let mut inner = self.lock();
        self.left(&mut inner);
        if inner.recalled.remove(&waiting.order.attempt).is_some() || inner.closed || !inner.is_up {
            drop(inner);
            self.not_sent(vec![waiting.order.attempt]);
            return;
        }
        let place = inner
            .queue
            .partition_point(|other| other.number < waiting.number);
        inner.queue.insert(place, waiting);
        drop(inner);
        self.changed.notify_waiters();
    }

    /// The relay said "not now": everything waits. The pause doubles while nothing at all is taken between two such replies.
    pub fn throttled(&self, now: Instant) {
        self.meter.throttled.increment(1);
        let mut inner = self.lock();
        if inner.paused_until.is_none_or(|until| until <= now) {
            let doubled = (inner.pause * 2).min(limits::THROTTLE_PAUSE_MAX);
            inner.pause = if inner.taken_since_pause {
                self.first_pause
            } else {
                doubled
            };
            inner.taken_since_pause = false;
            inner.paused_until = Some(now + inner.pause);
        }
    }

    /// Takes out what waits of these. The others are with a connection, answered, or not ours; only the first can come back.
    pub fn withdraw(&self, now: Instant, attempts: &[AttemptId]) {
        let mut asked: HashSet<AttemptId> = attempts.iter().copied().collect();
        let mut inner = self.lock();
        let mut withdrawn = Vec::new();
        inner.queue.retain(|waiting| {
            let goes = asked.remove(&waiting.order.attempt);
            if goes {
                withdrawn.push(waiting.order.attempt);
            }
            !goes
        });
        inner
            .recalled
            .retain(|_, since| now.duration_since(*since) < limits::RECALL_KEPT);
        if inner.busy > 0 {
            let room = limits::RECALLED_MAX.saturating_sub(inner.recalled.len());
            let with_a_connection = asked.into_iter().take(room).map(|attempt| (attempt, now));
            inner.recalled.extend(with_a_connection);
        }
        drop(inner);
        self.not_sent(withdrawn);
    }

    /// Whether the relay can be reached, as far as is known.
    pub fn is_up(&self) -> bool {
        self.lock().is_up
    }

    /// A connection is open.
    pub fn opened(&self) {
        let mut inner = self.lock();
        inner.live += 1;
        inner.suspect = false;
        self.meter.link_up.set(inner.live as f64);
        if !inner.is_up && !inner.closed {
            inner.is_up = true;
            self.tell(true);
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// A connection ended in good order: the next mail opens another. When others broke just before, it is no good order.
    pub fn ended(&self) {
        let mut inner = self.lock();
        inner.live -= 1;
        self.meter.link_up.set(inner.live as f64);
        if inner.suspect {
            self.down_without_any(inner);
        } else {
            drop(inner);
            self.changed.notify_waiters();
        }
    }

    /// A connection broke.
    pub fn broke(&self) {
        let mut inner = self.lock();
        inner.live -= 1;
        inner.suspect = true;
        self.meter.link_up.set(inner.live as f64);
        self.down_without_any(inner);
    }

    /// None could be opened.
    pub fn unreachable(&self) {
        self.down_without_any(self.lock());
    }

    fn down_without_any(&self, mut inner: MutexGuard<'_, Inner>) {
        if inner.live == 0 && inner.is_up {
            inner.is_up = false;
            inner.recalled.clear();
            self.tell(false);
            self.drain(inner);
        }
        self.changed.notify_waiters();
    }

    /// Sent under the lock, so that up and down cannot overtake each other.
    fn tell(&self, up: bool) {
        self.post.send(vec![Event::Link {
            carrier: self.carrier.clone(),
            up,
            at: self.clock.now(),
        }]);
    }

    /// Nothing leaves any more.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        if inner.is_up {
            inner.is_up = false;
            self.tell(false);
        }
        self.drain(inner);
        self.changed.notify_waiters();
    }

    fn drain(&self, mut inner: MutexGuard<'_, Inner>) {
        let waiting: Vec<AttemptId> = inner
            .queue
            .drain(..)
            .map(|waiting| waiting.order.attempt)
            .collect();
        drop(inner);
        self.not_sent(waiting);
    }

    /// Answers orders that were certainly not taken.
    fn not_sent(&self, attempts: Vec<AttemptId>) {
        if attempts.is_empty() {
            return;
        }
        self.meter.not_sent.increment(attempts.len() as u64);
        let at = self.clock.now();
        let answer = |attempt| Event::Answer {
            attempt,
            answer: Answer::NotSent,
            at,
        };
        self.post.send(attempts.into_iter().map(answer).collect());
    }
}
