//! The state of one link, without I/O: which orders it holds, which parts are handed over, which are answered. Every order
//! that enters leaves with exactly one answer, whatever the carrier does; a property test says so.

use super::outbox::Query;
use super::outcome::{Verdict, verdict};
use super::prepare::Prepared;
use crate::contract::Answer;
use crate::limits;
use bytes::BytesMut;
use carillon_model::AttemptId;
use std::collections::{BTreeSet, HashMap, VecDeque};
use tokio::time::Instant;

/// One PDU without its answer yet.
#[derive(Debug)]
enum Flight {
    Part { order: u64, part: u8 },
    Query(Query),
    Probe,
    Unbind,
}

/// An order this link holds.
#[derive(Debug)]
struct Held {
    prepared: Prepared,
    ids: Vec<Option<String>>,
    in_flight: usize,
    accepted: usize,
    answered: bool,
}

impl Held {
    /// Nothing of it is, or may be, with the carrier.
    fn is_untouched(&self) -> bool {
        self.in_flight == 0 && self.accepted == 0 && !self.answered
    }
}

/// What a response brought.
#[derive(Debug, PartialEq)]
pub(super) enum Response {
    /// An order has its answer.
    Answered(AttemptId, Answer),
    /// A part of an order was taken, but not the last.
    Taken,
    /// A part has to be offered again. When the carrier has nothing else of the order, the order leaves the window.
    Throttled(Option<Prepared>),
    /// A part of an order that had its answer already.
    Nothing,
    /// The answer to a question.
    Queried(Query),
    /// The link is alive.
    Probe,
    /// The carrier agreed to part.
    Unbound,
    /// Nobody asked: too late, twice, or invented.
    Stray,
}

/// What is left when a link ends.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub doubts: Vec<AttemptId>,
    pub unsent: Vec<Prepared>,
    pub queries: Vec<Query>,
}

/// See the file.
pub(super) struct Window {
    size: usize,
    sequence: u32,
    next_order: u64,
    orders: HashMap<u64, Held>,
    /// Parts to send, by order and part: what is put back returns to where it was, before everything newer.
    ready: BTreeSet<(u64, u8)>,
    flights: HashMap<u32, Flight>,
    /// Sequence numbers by when they were sent; those no longer in `flights` are skipped.
    sent: VecDeque<(Instant, u32)>,
    /// Parts and queries in flight.
    used: usize,
}

impl Window {
    pub fn new(size: usize) -> Self {
        Self {
            size,
            sequence: 0,
            next_order: 0,
            orders: HashMap::new(),
            ready: BTreeSet::new(),
            flights: HashMap::new(),
            sent: VecDeque::new(),
            used: 0,
        }
    }

    pub fn free(&self) -> usize {
        self.size.saturating_sub(self.used)
    }

    pub fn used(&self) -> usize {
        self.used
    }

    /// Parts it holds and has not handed over.
    pub fn held(&self) -> usize {
        self.ready.len()
    }

    /// When the oldest unanswered PDU was sent.
    pub fn oldest(&mut self) -> Option<Instant> {
        while let Some((sent, sequence)) = self.sent.front() {
            if self.flights.contains_key(sequence) {
                return Some(*sent);
            }
            self.sent.pop_front();
        }
        None
    }

    /// The next sequence number, 1 to 0x7FFFFFFF and round again.
    pub fn next_sequence(&mut self) -> u32 {
        self.sequence = if self.sequence >= 0x7FFF_FFFF {
            1
        } else {
            self.sequence + 1
        };
        self.sequence
    }

    /// Takes an order; all its parts stay on this link.
    pub fn admit(&mut self, prepared: Prepared) {
        let number = self.next_order;
        self.next_order += 1;
        let parts = u8::try_from(prepared.pdus.len()).expect("the encoder makes at most 255 parts");
        self.ready.extend((0..parts).map(|part| (number, part)));
        let ids = vec![None; prepared.pdus.len()];
        self.orders.insert(
            number,
            Held {
                prepared,
                ids,
                in_flight: 0,
                accepted: 0,
                answered: false,
            },
        );
    }

    /// Writes up to `count` parts; answers how many.
    pub fn write_parts(&mut self, count: usize, now: Instant, out: &mut BytesMut) -> usize {
        let mut written = 0;
        while written < count
            && let Some((number, part)) = self.ready.pop_first()
        {
            let sequence = self.next_sequence();
            let held = self
                .orders
                .get_mut(&number)
                .expect("a ready part belongs to a held order");
            let pdu = &held.prepared.pdus[usize::from(part)];
            let start = out.len();
            out.extend_from_slice(pdu);
            out[start + 12..start + 16].copy_from_slice(&sequence.to_be_bytes());
            held.in_flight += 1;
            self.fly(
                sequence,
                Flight::Part {
                    order: number,
                    part,
                },
                now,
            );
            written += 1;
        }
        written
    }

    /// Nothing of this order is to be sent any more.
    fn drop_parts(&mut self, number: u64) {
        let parts: Vec<_> = self
            .ready
            .range((number, 0)..=(number, u8::MAX))
            .copied()
            .collect();
        for part in parts {
            self.ready.remove(&part);
        }
    }

    fn fly(&mut self, sequence: u32, flight: Flight, now: Instant) {
        self.used += usize::from(matches!(flight, Flight::Part { .. } | Flight::Query(_)));
        self.flights.insert(sequence, flight);
        self.sent.push_back((now, sequence));
    }

    /// Notes that a question, a probe or the unbind left, and names its sequence number.
    pub fn asked(&mut self, query: Query, now: Instant) -> u32 {
        let sequence = self.next_sequence();
        self.fly(sequence, Flight::Query(query), now);
        sequence
    }

    pub fn probed(&mut self, now: Instant) -> u32 {
        let sequence = self.next_sequence();
        self.fly(sequence, Flight::Probe, now);
        sequence
    }

    pub fn unbinding(&mut self, now: Instant) -> u32 {
        let sequence = self.next_sequence();
        self.fly(sequence, Flight::Unbind, now);
        sequence
    }

    /// A response came. `accepted` is called with the id and the person of each part taken.
    pub fn responded(
        &mut self,
        sequence: u32,
        status: u32,
        id: impl FnOnce() -> String,
        accepted: impl FnOnce(&str, &str),
    ) -> Response {
        let Some(flight) = self.flights.remove(&sequence) else {
            return Response::Stray;
        };
        let (number, part) = match flight {
            Flight::Probe => return Response::Probe,
            Flight::Unbind => return Response::Unbound,
            Flight::Query(query) => {
                self.used -= 1;
                return Response::Queried(query);
            }
            Flight::Part { order, part } => (order, part),
        };
        self.used -= 1;
        let held = self
            .orders
            .get_mut(&number)
            .expect("a part in flight belongs to a held order");
        held.in_flight -= 1;
        let response = match verdict(status) {
            Verdict::Accepted => {
                let id = id();
                accepted(&id, &held.prepared.person);
                held.ids[usize::from(part)] = Some(id);
                held.accepted += 1;
                if held.answered {
                    Response::Nothing
                } else if held.accepted < held.ids.len() {
                    Response::Taken
                } else {
                    held.answered = true;
                    let message_ids = held
                        .ids
                        .drain(..)
                        .map(|id| id.expect("every part is accepted"))
                        .collect();
                    Response::Answered(held.prepared.attempt, Answer::Accepted { message_ids })
                }
            }
            Verdict::Later if held.answered => Response::Nothing,
            Verdict::Later
                if held.prepared.put_off
                    < limits::THROTTLED_TRIES_MAX * held.prepared.pdus.len() =>
            {
                held.prepared.put_off += 1;
                self.ready.insert((number, part));
                Response::Throttled(self.release(number))
            }
            verdict => {
                let (result, permanent) = match verdict {
                    Verdict::Refused { result, permanent } => (result, permanent),
                    _ => (carillon_model::AttemptResult::Failed, false),
                };
                let code = status;
                self.answer(number).map_or(Response::Nothing, |attempt| {
                    Response::Answered(
                        attempt,
                        Answer::Refused {
                            result,
                            code,
                            permanent,
                        },
                    )
                })
            }
        };
        self.forget_if_over(number);
        response
    }

    /// Marks an order answered and drops what of it has not left; none when it was answered before.
    fn answer(&mut self, number: u64) -> Option<AttemptId> {
        let held = self
            .orders
            .get_mut(&number)
            .expect("called for held orders");
        if std::mem::replace(&mut held.answered, true) {
            return None;
        }
        let attempt = held.prepared.attempt;
        self.drop_parts(number);
        Some(attempt)
    }

    /// Lets go of an order of which the carrier has nothing, so that it can be withdrawn, expire, or take another link.
    fn release(&mut self, number: u64) -> Option<Prepared> {
        self.orders
            .get(&number)
            .filter(|held| held.is_untouched())?;
        self.drop_parts(number);
        self.orders.remove(&number).map(|held| held.prepared)
    }

    fn forget_if_over(&mut self, number: u64) {
        if self
            .orders
            .get(&number)
            .is_some_and(|held| held.answered && held.in_flight == 0)
        {
            self.orders.remove(&number);
        }
    }

    /// Gives up what was sent at or before `deadline` and not answered. True = a probe is among it: the link is dead.
    pub fn overdue(&mut self, deadline: Instant) -> (bool, Vec<AttemptId>, Vec<Query>) {
        let (mut dead, mut doubts, mut queries) = (false, Vec::new(), Vec::new());
        while self.sent.front().is_some_and(|(sent, _)| *sent <= deadline) {
            let (_, sequence) = self.sent.pop_front().expect("looked at above");
            match self.flights.remove(&sequence) {
                None => {}
                Some(Flight::Probe | Flight::Unbind) => dead = true,
                Some(Flight::Query(query)) => {
                    self.used -= 1;
                    queries.push(query);
                }
                Some(Flight::Part { order, .. }) => {
                    self.used -= 1;
                    let held = self
                        .orders
                        .get_mut(&order)
                        .expect("a part in flight belongs to a held order");
                    held.in_flight -= 1;
                    doubts.extend(self.answer(order));
                    self.forget_if_over(order);
                }
            }
        }
        (dead, doubts, queries)
    }

    /// The link is gone: what the carrier may have is in doubt, the rest was not sent.
    pub fn cut(&mut self) -> Rest {
        let mut rest = Rest::default();
        let mut orders: Vec<(u64, Held)> = self.orders.drain().collect();
        orders.sort_unstable_by_key(|(number, _)| *number);
        for (_, held) in orders {
            if held.is_untouched() {
                rest.unsent.push(held.prepared);
            } else if !held.answered {
                rest.doubts.push(held.prepared.attempt);
            }
        }
        let flights = self.flights.drain().map(|(_, flight)| flight);
        rest.queries = flights
            .filter_map(|flight| {
                if let Flight::Query(query) = flight {
                    Some(query)
                } else {
                    None
                }
            })
            .collect();
        self.ready.clear();
        self.sent.clear();
        self.used = 0;
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prepared(attempt: i64, parts: usize) -> Prepared {
        Prepared {
            attempt: AttemptId(attempt),
            expires: None,
            person: "1".to_owned(),
            pdus: vec![vec![0; 16]; parts],
            number: 0,
            put_off: 0,
        }
    }

    fn respond(window: &mut Window, sequence: u32, status: u32) -> Response {
        window.responded(sequence, status, || format!("m{sequence}"), |_, _| {})
    }

    fn released(response: Response) -> Prepared {
        match response {
            Response::Throttled(Some(prepared)) => prepared,
            other => panic!("not released: {other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_wholly_put_off_is_released() {
        let now = Instant::now();
        let mut window = Window::new(10);
        let mut out = BytesMut::new();
        window.admit(prepared(1, 1));
        window.admit(prepared(2, 2));
        window.admit(prepared(3, 2));
        assert_eq!(window.write_parts(5, now, &mut out), 5);
        assert_eq!(released(respond(&mut window, 1, 0x58)).put_off, 1);
        // The other part may be with the carrier, until it is put off too.
        assert_eq!(respond(&mut window, 2, 0x58), Response::Throttled(None));
        let both = released(respond(&mut window, 3, 0x14));
        assert_eq!(
            (both.attempt, both.put_off, both.pdus.len()),
            (AttemptId(2), 2, 2)
        );
        // The other part is with the carrier: this one stays and is sent before everything newer.
        assert_eq!(respond(&mut window, 4, 0x58), Response::Throttled(None));
        assert_eq!(respond(&mut window, 5, 0), Response::Taken);
        assert_eq!(window.held(), 1);
        window.admit(prepared(4, 1));
        assert_eq!(window.write_parts(1, now, &mut out), 1);
        let answer = Answer::Accepted {
            message_ids: vec!["m6".to_owned(), "m5".to_owned()],
        };
        assert_eq!(
            respond(&mut window, 6, 0),
            Response::Answered(AttemptId(3), answer)
        );
        let left: Vec<_> = window.cut().unsent;
        assert_eq!(left, [prepared(4, 1)]);
        assert!(window.orders.is_empty() && window.flights.is_empty() && window.ready.is_empty());
    }

    #[tokio::test]
    async fn one_refused_part_refuses_the_order() {
        let now = Instant::now();
        let mut window = Window::new(10);
        window.admit(prepared(1, 3));
        window.write_parts(2, now, &mut BytesMut::new());
        assert!(matches!(
            respond(&mut window, 1, 0x0B),
            Response::Answered(
                AttemptId(1),
                Answer::Refused {
                    code: 0x0B,
                    permanent: true,
                    ..
                }
            )
        ));
        assert_eq!(window.held(), 0, "the third part stays here");
        assert_eq!(respond(&mut window, 2, 0), Response::Nothing);
        assert!(window.orders.is_empty());
        assert_eq!(window.cut().doubts, []);
    }

    #[tokio::test]
    async fn throttling_without_end_is_a_refusal() {
        let now = Instant::now();
        let mut window = Window::new(1);
        window.admit(prepared(1, 1));
        for sequence in 1..=limits::THROTTLED_TRIES_MAX as u32 {
            window.write_parts(1, now, &mut BytesMut::new());
            let again = released(respond(&mut window, sequence, 0x14));
            window.admit(again);
        }
        window.write_parts(1, now, &mut BytesMut::new());
        let last = limits::THROTTLED_TRIES_MAX as u32 + 1;
        assert!(matches!(
            respond(&mut window, last, 0x14),
            Response::Answered(
                _,
                Answer::Refused {
                    permanent: false,
                    ..
                }
            )
        ));
    }

    proptest! {
        /// Whatever happens, each order gets one answer, counting what `cut` leaves.
        #[test]
        fn one_answer_per_order(
            steps in proptest::collection::vec(
                (0_u8..6, 0_u32..60, prop_oneof![Just(0_u32), Just(0x58), Just(0x0B), Just(8)], 1_usize..4),
                1..120,
            )
        ) {
            let start = Instant::from_std(std::time::Instant::now());
            let mut window = Window::new(5);
            let (mut placed, mut answers) = (0, Vec::new());
            for (index, (step, sequence, status, count)) in steps.into_iter().enumerate() {
                let now = start + std::time::Duration::from_secs(index as u64);
                match step {
                    0 | 1 => {
                        placed += 1;
                        window.admit(prepared(placed, count));
                    }
                    2 => {
                        window.write_parts(count.min(window.free()), now, &mut BytesMut::new());
                    }
                    3 | 4 => match respond(&mut window, sequence, status) {
                        Response::Answered(attempt, _) => answers.push(attempt),
                        Response::Throttled(Some(again)) if step == 3 => window.admit(again),
                        Response::Throttled(Some(elsewhere)) => answers.push(elsewhere.attempt),
                        _ => {}
                    },
                    _ => answers.extend(window.overdue(now - std::time::Duration::from_secs(6).min(now - start)).1),
                }
                prop_assert!(window.used() <= 5);
            }
            let rest = window.cut();
            answers.extend(rest.doubts);
            answers.extend(rest.unsent.into_iter().map(|order| order.attempt));
            answers.sort_unstable();
            prop_assert_eq!(answers, (1..=placed).map(AttemptId).collect::<Vec<_>>());
        }
    }
}
