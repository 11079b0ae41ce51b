//! What waits for a carrier, shared by all its links: the queue, the rate, the pause after "throttled", and how many links
//! are up. When the last link goes, nothing waits any longer: every order is answered NotSent, so the engine never wonders.

use super::meter::Meter;
use super::prepare::Prepared;
use crate::contract::{Answer, Event};
use crate::limits;
use crate::post::Post;
use carillon_model::AttemptId;
use carillon_model::moment::Clock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A question about a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub attempt: AttemptId,
    pub message_id: String,
    /// Our address.
    pub from: String,
}

/// What a session may do now.
#[derive(Debug, Default)]
pub(super) struct Grant {
    /// PDUs it may send, counting those it already holds.
    pub parts: usize,
    /// Orders it now owns.
    pub orders: Vec<Prepared>,
    /// Questions it now owns; each is counted in `parts` already.
    pub queries: Vec<Query>,
    /// When asking again makes sense, if the rate or a pause held something back.
    pub again: Option<Instant>,
}

/// See the file.
pub(super) struct Outbox {
    pub carrier: Arc<str>,
    inner: Mutex<Inner>,
    wakers: Vec<Arc<Notify>>,
    pub post: Post,
    pub clock: Arc<dyn Clock>,
    pub meter: Meter,
    window: usize,
    rate: Option<f64>,
    first_pause: Duration,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<Prepared>,
    waiting_parts: usize,
    queries: VecDeque<Query>,
    /// Tokens of the rate and when they were reckoned.
    tokens: f64,
    reckoned: Option<Instant>,
    paused_until: Option<Instant>,
    pause: Duration,
    taken_since_pause: bool,
    links: usize,
    closed: bool,
    promised: usize,
    /// Parts per order of late, so that room can be said in orders.
    parts_per_order: f64,
    /// Parts answered in the second that began at `second`, and in the one before.
    second: Option<Instant>,
    answered: usize,
    answered_before: usize,
}

impl Outbox {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, by the channel that wires it"
    )]
    pub fn new(
        carrier: Arc<str>,
        wakers: Vec<Arc<Notify>>,
        post: Post,
        clock: Arc<dyn Clock>,
        meter: Meter,
        window: usize,
        rate: Option<f64>,
        first_pause: Duration,
    ) -> Self {
        let inner = Inner {
            parts_per_order: 1.0,
            pause: first_pause,
            taken_since_pause: true,
            ..Inner::default()
        };
        Self {
            carrier,
            inner: Mutex::new(inner),
            wakers,
            post,
            clock,
            meter,
            window,
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
        let room = self.reckon_room(&inner);
        inner.promised = room;
        room
    }

    fn reckon_room(&self, inner: &Inner) -> usize {
        if inner.links == 0 || inner.closed {
            return 0;
        }
        let second = match self.rate {
            Some(rate) => rate.ceil() as usize,
            None => (self.window * limits::WINDOWS_WAITING * inner.links)
                .max(inner.answered_before)
                .max(inner.answered),
        };
        let free = second
            .min(limits::WAITING_MAX)
            .saturating_sub(inner.waiting_parts);
        // At least one while there is any room, else a carrier of one message a second could never take two parts.
        ((free as f64 / inner.parts_per_order) as usize).max(usize::from(free > 0))
    }

    /// Takes orders, as many as were promised; the others come back.
    pub fn place(&self, orders: Vec<Prepared>) -> Vec<Prepared> {
        let mut orders = orders.into_iter();
        {
            let mut inner = self.lock();
            if inner.links == 0 || inner.closed {
                return orders.collect();
            }
            let room = inner.promised.max(self.reckon_room(&inner));
            inner.promised = 0;
            for order in orders.by_ref().take(room) {
                inner.parts_per_order += (order.pdus.len() as f64 - inner.parts_per_order) / 100.0;
                inner.waiting_parts += order.pdus.len();
                inner.queue.push_back(order);
            }
        }
        self.wake();
        orders.collect()
    }

    /// Takes questions; those it cannot keep come back.
    pub fn ask(&self, queries: Vec<Query>) -> Vec<Query> {
        let mut queries = queries.into_iter();
        {
            let mut inner = self.lock();
            if inner.links == 0 || inner.closed {
                return queries.collect();
            }
            let room = limits::QUERIES_WAITING_MAX.saturating_sub(inner.queries.len());
            inner.queries.extend(queries.by_ref().take(room));
        }
        self.wake();
        queries.collect()
    }

    /// Gives a session with `free` places in its window, and `held` PDUs of its own to send first, what it may send.
    pub fn take(&self, now: Instant, held: usize, free: usize) -> Grant {
        let mut inner = self.lock();
        let mut grant = Grant::default();
        if held == 0 && inner.queue.is_empty() && inner.queries.is_empty() {
            return grant;
        }
        if inner.paused_until.is_some_and(|until| until > now) {
            grant.again = inner.paused_until;
            return grant;
        }
        inner.paused_until = None;
        let allowed = self.tokens(&mut inner, now).min(free);
        // Questions are few and settle doubts, so they go before new orders.
        let mut parts = 0;
        while parts < allowed
            && let Some(query) = inner.queries.pop_front()
        {
            grant.queries.push(query);
            parts += 1;
        }
        parts += held;
        let moment = self.clock.now();
        let mut expired = Vec::new();
        while parts < allowed
            && let Some(order) = inner.queue.pop_front()
        {
            inner.waiting_parts -= order.pdus.len();
            if order.expires.is_some_and(|expires| expires <= moment) {
                expired.push(order.attempt);
                continue;
            }
            parts += order.pdus.len();
            grant.orders.push(order);
        }
        grant.parts = parts.min(allowed);
        if let Some(rate) = self.rate {
            inner.tokens -= grant.parts as f64;
            if grant.parts < free && (parts > grant.parts || !inner.queue.is_empty()) {
                let wait = ((1.0 - inner.tokens) / rate).max(0.001);
                grant.again = Some(now + Duration::from_secs_f64(wait));
            }
        }
        drop(inner);
        self.not_sent(expired);
        grant
    }

    /// Whole tokens of the rate at `now`. At most a twentieth of a second may be saved up, so the carrier sees an even flow.
    fn tokens(&self, inner: &mut Inner, now: Instant) -> usize {
        let Some(rate) = self.rate else {
            return usize::MAX;
        };
        let burst = (rate / 20.0).max(1.0);
        let passed = inner
            .reckoned
            .map_or(1.0, |before| now.duration_since(before).as_secs_f64());
        inner.tokens = (inner.tokens + passed * rate).min(burst);
        inner.reckoned = Some(now);
        // A timer that fires a hair early must not lose the whole token.
        (inner.tokens + 1e-6).max(0.0) as usize
    }

    /// The carrier said "not now". Everything waits. The pause doubles while nothing at all is taken between two such
    /// answers; a carrier that takes some is near its rate, and the first pause is enough. The many answers of one window
    /// count once.
    pub fn throttled(&self, now: Instant) {
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

    /// The carrier answered so many parts, `taken` of them with yes.
    pub fn answered(&self, now: Instant, parts: usize, taken: usize) {
        let mut inner = self.lock();
        inner.taken_since_pause |= taken > 0;
        match inner.second {
            Some(began) if now.duration_since(began) < Duration::from_secs(1) => {
                inner.answered += parts
            }
            began => {
                let just_over =
                    began.is_some_and(|began| now.duration_since(began) < Duration::from_secs(2));
                inner.answered_before = if just_over { inner.answered } else { 0 };
                inner.answered = parts;
                inner.second = Some(now);
            }
        }
    }

    /// A link that can send is up.
    pub fn link_up(&self) {
        let mut inner = self.lock();
        inner.links += 1;
        self.meter.link_up.set(inner.links as f64);
        // Sent under the lock, so that up and down cannot overtake each other.
        if inner.links == 1 {
            self.post.send(vec![Event::Link {
                carrier: self.carrier.clone(),
                up: true,
                at: self.clock.now(),
            }]);
        }
        drop(inner);
        self.wake();
    }

    /// A link that could send is gone. What it held and certainly did not send goes to another link, or comes back to the
    /// engine with all that waits when there is none.
    pub fn link_down(&self, unsent: Vec<Prepared>) {
        let mut inner = self.lock();
        inner.links -= 1;
        self.meter.link_up.set(inner.links as f64);
        for order in unsent.into_iter().rev() {
            inner.waiting_parts += order.pdus.len();
            inner.queue.push_front(order);
        }
        if inner.links > 0 && !inner.closed {
            drop(inner);
            self.wake();
            return;
        }
        if inner.links == 0 {
            let at = self.clock.now();
            self.post.send(vec![Event::Link {
                carrier: self.carrier.clone(),
                up: false,
                at,
            }]);
        }
        self.drain(inner);
    }

    /// Nothing leaves any more.
    pub fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        self.drain(inner);
        self.wake();
    }

    fn drain(&self, mut inner: MutexGuard<'_, Inner>) {
        inner.waiting_parts = 0;
        let orders: Vec<AttemptId> = inner.queue.drain(..).map(|order| order.attempt).collect();
        let queries: Vec<Query> = inner.queries.drain(..).collect();
        drop(inner);
        self.not_sent(orders);
        self.not_known(queries);
    }

    /// Answers orders that were certainly not taken.
    pub fn not_sent(&self, attempts: Vec<AttemptId>) {
        self.meter.not_sent.increment(attempts.len() as u64);
        let at = self.clock.now();
        let answer = |attempt| Event::Answer {
            attempt,
            answer: Answer::NotSent,
            at,
        };
        self.post.send(attempts.into_iter().map(answer).collect());
    }

    /// Answers questions that could not be asked.
    pub fn not_known(&self, queries: Vec<Query>) {
        let at = self.clock.now();
        let answer = |query: Query| Event::Queried {
            attempt: query.attempt,
            message_id: query.message_id,
            report: None,
            at,
        };
        self.post.send(queries.into_iter().map(answer).collect());
    }

    fn wake(&self) {
        for waker in &self.wakers {
            waker.notify_one();
        }
    }
}
