//! A carrier on the virtual clock: it accepts, refuses, doubts, throttles; its receipts come early, late, twice or never;
//! its link is cut; the people behind it reply. Orders wait in a queue of our own process before they leave, and are given
//! back from there when they are withdrawn. What has left the carrier keeps, whatever becomes of us.

use carillon_channel::{Acknowledge, Answer, Capabilities, Channel, Content, Event, Order, Report};
use carillon_model::moment::{MINUTE, SECOND};
use carillon_model::{AttemptId, AttemptResult, ChannelType, Moment};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// Orders it takes and has not answered, at most.
const WINDOW: usize = 20;
/// The longest that an order waits to leave.
const SLOW: i64 = 40 * MINUTE;

/// Something that has left for the carrier.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The attempt.
    pub attempt: AttemptId,
    /// To whom.
    pub to: String,
    /// What.
    pub body: String,
    /// When.
    pub at: Moment,
    /// Whether it left for the person, as far as the carrier knows.
    pub left: bool,
}

/// Something on its way to the engine.
#[derive(Debug, Clone)]
enum Coming {
    /// An order leaves our queue.
    Leave(Order),
    Answer(AttemptId, Answer),
    Report(String, Report),
    Inbound(String, String),
    Queried(AttemptId, String, Option<Report>),
}

#[derive(Debug)]
struct State {
    now: Moment,
    chance: SmallRng,
    outstanding: BTreeSet<AttemptId>,
    coming: BTreeMap<(Moment, u64), Coming>,
    next: u64,
    sent: Vec<Sent>,
    withdrawn: usize,
    fates: BTreeMap<String, Report>,
    /// Messages whose receipts have come.
    reported: BTreeSet<String>,
    down_until: Moment,
    calm: bool,
}

/// A simulated carrier.
#[derive(Debug)]
pub struct SimCarrier {
    name: Arc<str>,
    receipts: bool,
    address: String,
    state: Mutex<State>,
}

impl SimCarrier {
    /// A carrier with its own chance.
    pub fn new(name: &str, receipts: bool, address: &str, seed: u64, now: Moment) -> Self {
        Self {
            name: name.into(),
            receipts,
            address: address.to_owned(),
            state: Mutex::new(State {
                now,
                chance: SmallRng::seed_from_u64(seed),
                outstanding: BTreeSet::new(),
                coming: BTreeMap::new(),
                next: 0,
                sent: Vec::new(),
                withdrawn: 0,
                fates: BTreeMap::new(),
                reported: BTreeSet::new(),
                down_until: Moment(0),
                calm: false,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the simulation has one thread")
    }

    /// Moves its clock.
    pub fn set_now(&self, now: Moment) {
        self.state().now = now;
    }

    /// From now on everything is delivered: runs come to their ends.
    pub fn calm_down(&self) {
        self.state().calm = true;
    }

    /// When something comes next.
    pub fn next_event(&self) -> Option<Moment> {
        let state = self.state();
        let coming = state.coming.keys().next().map(|(at, _)| *at);
        let up = (state.down_until > state.now).then_some(state.down_until);
        coming.into_iter().chain(up).min()
    }

    /// Everything it was given.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// How many orders it was given.
    pub fn sent_count(&self) -> usize {
        self.state().sent.len()
    }

    /// Whether orders wait to leave.
    pub fn is_waiting(&self) -> bool {
        let state = self.state();
        let leaves = |coming: &Coming| matches!(coming, Coming::Leave(_));
        state.coming.values().any(leaves)
    }

    /// How many orders it gave back because they were withdrawn.
    pub fn withdrawn_count(&self) -> usize {
        self.state().withdrawn
    }

    /// What the receipts that have come said, by attempt.
    pub fn receipts(&self) -> Vec<(AttemptId, bool)> {
        let state = self.state();
        let id = |message: &str| {
            message
                .rsplit('-')
                .next()
                .and_then(|digits| digits.parse().ok())
        };
        state
            .reported
            .iter()
            .filter_map(|message| {
                let delivered = state.fates.get(message) == Some(&Report::Delivered);
                id(message).map(|id| (AttemptId(id), delivered))
            })
            .collect()
    }

    /// Orders not answered yet.
    pub fn outstanding(&self) -> usize {
        self.state().outstanding.len()
    }

    /// What has come, and how to bring it again should it not become durable.
    pub fn take_due(&self) -> (Vec<Event>, Redelivery) {
        let mut state = self.state();
        let now = state.now;
        let later = state.coming.split_off(&(now.plus(1), 0));
        let mut due = Vec::new();
        for coming in std::mem::replace(&mut state.coming, later).into_values() {
            match coming {
                Coming::Leave(order) => self.take_order(&mut state, &order),
                coming => due.push(coming),
            }
        }
        let events = due
            .iter()
            .filter_map(|coming| self.event(&mut state, coming))
            .collect();
        (events, Redelivery(due))
    }

    fn event(&self, state: &mut State, coming: &Coming) -> Option<Event> {
        let (carrier, at) = (Arc::clone(&self.name), state.now);
        let event = match coming.clone() {
            Coming::Leave(_) => return None,
            Coming::Answer(attempt, answer) => {
                state.outstanding.remove(&attempt);
                Event::Answer {
                    attempt,
                    answer,
                    at,
                }
            }
            Coming::Report(message_id, report) => {
                state.reported.insert(message_id.clone());
                Event::Report {
                    carrier,
                    message_id,
                    reference: None,
                    report,
                    at,
                    acknowledge: Acknowledge::none(),
                }
            }
            Coming::Inbound(from, body) => Event::Inbound {
                carrier,
                from,
                to: self.address.clone(),
                body,
                at,
                acknowledge: Acknowledge::none(),
            },
            Coming::Queried(attempt, message_id, report) => Event::Queried {
                attempt,
                message_id,
                report,
                at,
            },
        };
        Some(event)
    }

    /// The process that was to take these events died, or could not commit: what waits for an acknowledgement comes again;
    /// answers come again only where the process itself lives on.
    pub fn bring_again(&self, redelivery: Redelivery, alive: bool) {
        let mut state = self.state();
        let at = state.now.plus(SECOND);
        for coming in redelivery.0 {
            let again = match &coming {
                Coming::Leave(..) | Coming::Answer(..) | Coming::Queried(..) => alive,
                Coming::Report(..) | Coming::Inbound(..) => true,
            };
            if again {
                state.come(at, coming);
            }
        }
    }

    /// Our process died: its links are gone, and with them the answers and what waited to leave.
    pub fn forget_links(&self) {
        let mut state = self.state();
        state.outstanding.clear();
        state
            .coming
            .retain(|_, coming| matches!(coming, Coming::Report(..) | Coming::Inbound(..)));
    }

    /// The link is cut: what has left and was not answered is in doubt, and nothing leaves for a while.
    pub fn cut(&self, milliseconds: i64) {
        let mut state = self.state();
        let now = state.now;
        state.down_until = now.plus(milliseconds);
        let mut doubtful = state.outstanding.clone();
        for coming in state.coming.values() {
            if let Coming::Leave(order) = coming {
                doubtful.remove(&order.attempt);
            }
        }
        state.coming.retain(
            |_, coming| !matches!(coming, Coming::Answer(attempt, _) if doubtful.contains(attempt)),
        );
        for attempt in doubtful {
            state.come(now.plus(10), Coming::Answer(attempt, Answer::Doubt));
        }
    }

    fn take_order(&self, state: &mut State, order: &Order) {
        let Content::Text { body, .. } = &order.content else {
            unreachable!("the carrier of the simulation is asked for texts only");
        };
        let now = state.now;
        if state.down_until > now || order.expires.is_some_and(|expires| expires <= now) {
            state.come(now.plus(1), Coming::Answer(order.attempt, Answer::NotSent));
            return;
        }
        let draw = if state.calm {
            0
        } else {
            state.chance.random_range(0..100)
        };
        let answer_at = now.plus(state.chance.random_range(10..400));
        let message_id = format!("{}-{}", self.name, order.attempt);
        let (answer, left) = match draw {
            0..74 => (
                Answer::Accepted {
                    message_ids: vec![message_id.clone()],
                },
                true,
            ),
            74..82 => (refused(AttemptResult::Failed, false), false),
            82..86 => (refused(AttemptResult::BadDevice, true), false),
            86..92 => (Answer::NotSent, false),
            _ => (Answer::Doubt, state.chance.random_bool(0.5)),
        };
        let not_sent = answer == Answer::NotSent;
        let accepted = matches!(answer, Answer::Accepted { .. });
        state.come(answer_at, Coming::Answer(order.attempt, answer));
        if !not_sent {
            let sent = Sent {
                attempt: order.attempt,
                to: order.to.clone(),
                body: body.clone(),
                at: now,
                left,
            };
            state.sent.push(sent);
        }
        if left && self.receipts {
            self.send_receipt(state, message_id, now, answer_at, accepted);
        }
        if left && !state.calm {
            self.maybe_reply(state, &order.to, now);
        }
    }

    fn send_receipt(
        &self,
        state: &mut State,
        message_id: String,
        now: Moment,
        answer_at: Moment,
        accepted: bool,
    ) {
        let failed = !state.calm && state.chance.random_bool(0.2);
        let report = if failed {
            Report::Failed {
                code: "UNDELIV 001".to_owned(),
            }
        } else {
            Report::Delivered
        };
        state.fates.insert(message_id.clone(), report.clone());
        let draw = if state.calm {
            30
        } else {
            state.chance.random_range(0..100)
        };
        let late = 30 * MINUTE;
        let at = match draw {
            // Before the answer that names its id.
            0..10 if accepted => now.plus(1),
            // Never.
            10..16 => return,
            // After receipt_wait: a late report.
            16..22 => now.plus(late),
            _ => answer_at.plus(state.chance.random_range(1..60 * SECOND)),
        };
        state.come(at, Coming::Report(message_id.clone(), report.clone()));
        if (22..30).contains(&draw) {
            state.come(at.plus(5 * SECOND), Coming::Report(message_id, report));
        }
    }

    fn maybe_reply(&self, state: &mut State, to: &str, now: Moment) {
        let body = match state.chance.random_range(0..100) {
            0..4 => "STOP",
            4..6 => "Help",
            6..8 => "thank you",
            8 => "START",
            _ => return,
        };
        let at = now.plus(state.chance.random_range(SECOND..20 * MINUTE));
        state.come(at, Coming::Inbound(to.to_owned(), body.to_owned()));
    }
}

/// Events that were taken, in case they must be brought again.
#[derive(Debug)]
pub struct Redelivery(Vec<Coming>);

impl State {
    fn come(&mut self, at: Moment, coming: Coming) {
        self.next += 1;
        self.coming.insert((at, self.next), coming);
    }
}

fn refused(result: AttemptResult, permanent: bool) -> Answer {
    Answer::Refused {
        result,
        code: if permanent { 0x0b } else { 0x08 },
        permanent,
    }
}

impl Channel for SimCarrier {
    fn name(&self) -> &str {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: ChannelType::Text,
            rate_per_second: Some(10.0),
            window: WINDOW,
            receipts: self.receipts,
            receipt_wait_ms: 10 * MINUTE,
            idempotent: false,
            query: self.receipts,
        }
    }

    fn room(&self) -> usize {
        let state = self.state();
        if state.down_until > state.now {
            0
        } else {
            WINDOW.saturating_sub(state.outstanding.len())
        }
    }

    fn place(&self, orders: Vec<Order>) {
        let mut state = self.state();
        for order in orders {
            state.outstanding.insert(order.attempt);
            // Mostly there is room on a link at once; now and then the carrier is slow.
            let is_slow = !state.calm && state.chance.random_bool(0.1);
            let longest = if is_slow { SLOW } else { SECOND };
            let at = state.now.plus(state.chance.random_range(1..longest));
            state.come(at, Coming::Leave(order));
        }
    }

    fn withdraw(&self, attempts: &[AttemptId]) {
        let mut state = self.state();
        let waits = |coming: &mut Coming| matches!(coming, Coming::Leave(order) if attempts.contains(&order.attempt));
        let given_back: Vec<Coming> = state
            .coming
            .extract_if(.., |_, coming| waits(coming))
            .map(|(_, coming)| coming)
            .collect();
        let at = state.now.plus(1);
        for coming in given_back {
            if let Coming::Leave(order) = coming {
                state.withdrawn += 1;
                state.come(at, Coming::Answer(order.attempt, Answer::NotSent));
            }
        }
    }

    fn query(&self, queries: Vec<(AttemptId, String, String)>) {
        let mut state = self.state();
        let at = state.now.plus(50);
        for (attempt, message_id, _) in queries {
            let report = state.fates.get(&message_id).cloned();
            state.come(at, Coming::Queried(attempt, message_id, report));
        }
    }
}
