//! What waits for a carrier, shared by all its links: the queue, the rate, the pause after "throttled", and how many links
//! are up. When the last link goes, nothing waits any longer: every order is answered NotSent, so the engine never wonders.
//!
//! An order is either here or with one link, never both: it changes hands under the lock. A link returns what the carrier
//! wholly put off, so whatever the carrier has nothing of is here and can be withdrawn.

use super::meter::Meter;
use super::prepare::Prepared;
use crate::contract::{Answer, Event};
use crate::limits;
use crate::post::Post;
use carillon_model::AttemptId;
use carillon_model::moment::Clock;
use std::collections::{HashMap, HashSet, VecDeque};
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
    /// By number.
    queue: VecDeque<Prepared>,
    next_number: u64,
    waiting_parts: usize,
    /// Withdrawn while a link had them, and when: should the carrier put one off, it does not leave again.
    recalled: HashMap<AttemptId, Instant>,
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

impl Inner {
    /// Puts orders back where they were; answers those that were withdrawn meanwhile.
    fn requeue(&mut self, orders: Vec<Prepared>) -> Vec<AttemptId> {
        let mut recalled = Vec::new();
        for order in orders {
            if self.recalled.remove(&order.attempt).is_some() {
                recalled.push(order.attempt);
                continue;
            }
            self.waiting_parts += order.pdus.len();
            let place = self
                .queue
                .partition_point(|waiting| waiting.number < order.number);
            self.queue.insert(place, order);
        }
        recalled
    }
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
            for mut order in orders.by_ref().take(room) {
                order.number = inner.next_number;
                inner.next_number += 1;
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

    /// The carrier has nothing of these and may be offered them again.
    pub fn put_back(&self, orders: Vec<Prepared>) {
        if orders.is_empty() {
            return;
        }
        let mut inner = self.lock();
        let recalled = inner.requeue(orders);
        if inner.closed {
            self.drain(inner);
        } else {
            drop(inner);
            self.wake();
        }
        self.not_sent(recalled);
    }

    /// Takes out what waits of these. The others are with a link, answered, or not ours; only the first can come back.
    pub fn withdraw(&self, now: Instant, attempts: &[AttemptId]) {
        let mut asked: HashSet<AttemptId> = attempts.iter().copied().collect();
        let mut inner = self.lock();
        let (mut withdrawn, mut parts) = (Vec::new(), 0);
        inner.queue.retain(|order| {
            let goes = asked.remove(&order.attempt);
            if goes {
                withdrawn.push(order.attempt);
                parts += order.pdus.len();
            }
            !goes
        });
        inner.waiting_parts -= parts;
        inner
            .recalled
            .retain(|_, since| now.duration_since(*since) < limits::RECALL_KEPT);
        if inner.links > 0 {
            let room = limits::RECALLED_MAX.saturating_sub(inner.recalled.len());
            let with_a_link = asked.into_iter().take(room).map(|attempt| (attempt, now));
            inner.recalled.extend(with_a_link);
        }
        drop(inner);
        self.not_sent(withdrawn);
    }

    /// Whether a link that can send is up.
    pub fn is_up(&self) -> bool {
        self.lock().links > 0
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
        let recalled = inner.requeue(unsent);
        if inner.links > 0 && !inner.closed {
            drop(inner);
            self.wake();
            self.not_sent(recalled);
            return;
        }
        if inner.links == 0 {
            inner.recalled.clear();
            let at = self.clock.now();
            self.post.send(vec![Event::Link {
                carrier: self.carrier.clone(),
                up: false,
                at,
            }]);
        }
        self.drain(inner);
        self.not_sent(recalled);
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

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::Moment;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    struct Standing;

    impl Clock for Standing {
        fn now(&self) -> Moment {
            Moment(1_000)
        }
    }

    fn prepared(attempt: i64) -> Prepared {
        Prepared {
            attempt: AttemptId(attempt),
            // Every seventh is too late when it is taken.
            expires: (attempt % 7 == 0).then_some(Moment(1_000)),
            person: "1".to_owned(),
            pdus: vec![Vec::new(); usize::try_from(attempt % 3).expect("positive") + 1],
            number: 0,
            put_off: 0,
        }
    }

    fn outbox(post: Post) -> Outbox {
        let (meter, pause) = (Meter::new("north"), Duration::from_secs(1));
        Outbox::new(
            "north".into(),
            Vec::new(),
            post,
            Arc::new(Standing),
            meter,
            5,
            None,
            pause,
        )
    }

    /// What was done and is owed: orders with a link, answers that came, what was withdrawn while a link had it.
    #[derive(Default)]
    struct Ledger {
        placed: i64,
        with_links: Vec<Prepared>,
        answered: BTreeMap<AttemptId, usize>,
        recalled: HashSet<AttemptId>,
        links: usize,
    }

    impl Ledger {
        fn count(&mut self, attempt: AttemptId) {
            *self.answered.entry(attempt).or_default() += 1;
        }

        /// One step; `low` and `count` choose among orders.
        fn step(&mut self, outbox: &Outbox, now: Instant, step: u8, low: usize, count: usize) {
            match step {
                0 => {
                    let orders = (self.placed + 1..).take(count * 3).map(prepared).collect();
                    self.placed += count as i64 * 3;
                    for order in outbox.place(orders) {
                        self.count(order.attempt);
                    }
                }
                1 => {
                    let grant = outbox.take(now, 0, count);
                    for order in &grant.orders {
                        assert!(
                            !self.recalled.contains(&order.attempt),
                            "withdrawn and sent"
                        );
                    }
                    self.with_links.extend(grant.orders);
                }
                2 => {
                    let from = low.min(self.with_links.len());
                    let to = (from + count).min(self.with_links.len());
                    outbox.put_back(self.with_links.drain(from..to).collect());
                }
                3 => {
                    let attempts: Vec<_> = (low as i64..).take(count).map(AttemptId).collect();
                    outbox.withdraw(now, &attempts);
                    let out = self.with_links.iter().map(|order| order.attempt);
                    self.recalled
                        .extend(out.filter(|out| attempts.contains(out)));
                }
                4 => {
                    self.links += 1;
                    outbox.link_up();
                }
                _ if self.links > 0 => {
                    self.links -= 1;
                    let unsent = if self.links == 0 {
                        self.with_links.drain(..).collect()
                    } else {
                        Vec::new()
                    };
                    outbox.link_down(unsent);
                }
                _ => {}
            }
        }
    }

    proptest! {
        /// Each order placed is in one place or has one answer, and the parts that wait are counted right.
        #[test]
        fn every_order_is_once(steps in proptest::collection::vec((0_u8..6, 0_usize..40, 1_usize..8), 1..80)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
            runtime.block_on(async {
                let (events, mut seen) = tokio::sync::mpsc::channel(1_000);
                let (post, forward) = Post::start(events);
                let outbox = outbox(post);
                let (now, mut ledger) = (Instant::now(), Ledger::default());
                outbox.link_up();
                ledger.links = 1;
                for (step, low, count) in steps {
                    ledger.step(&outbox, now, step, low, count);
                    let inner = outbox.lock();
                    assert_eq!(inner.waiting_parts, inner.queue.iter().map(|order| order.pdus.len()).sum::<usize>());
                    assert!(inner.queue.iter().is_sorted_by_key(|order| order.number), "out of order");
                }
                let left: Vec<AttemptId> = outbox.lock().queue.iter().map(|order| order.attempt).collect();
                drop(outbox);
                forward.await;
                while let Ok(batch) = seen.try_recv() {
                    for event in batch {
                        if let Event::Answer { attempt, answer, .. } = event {
                            assert_eq!(answer, Answer::NotSent);
                            ledger.count(attempt);
                        }
                    }
                }
                let out: Vec<AttemptId> = ledger.with_links.drain(..).map(|order| order.attempt).collect();
                left.into_iter().chain(out).for_each(|attempt| ledger.count(attempt));
                let once: BTreeMap<AttemptId, usize> = (1..=ledger.placed).map(|id| (AttemptId(id), 1)).collect();
                assert_eq!(ledger.answered, once);
            });
        }
    }
}
