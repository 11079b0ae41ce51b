//! The contract as a suite: every channel runs it, over whatever peer it has. A law that does not hold panics with its
//! name. `docs/specs/channel.md` numbers the laws; the functions here carry those numbers.

use crate::contract::{Answer, Channel, Content, Event, Order, Report};
use carillon_model::{AttemptId, ChannelType, Moment};
use carillon_script::email::Rendered;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long a law waits for what must come. Far above what any channel needs, so that only a lost event reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What kind of world a law needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// The carrier takes everything and reports it.
    Calm,
    /// The carrier says "not now" to some, and everything in the end.
    Busy,
    /// The carrier leaves the last orders unanswered, until the link is cut.
    Unanswering,
    /// Nobody is there.
    Nobody,
}

/// A channel in a world.
pub struct Subject {
    /// The channel.
    pub channel: Arc<dyn Channel>,
    /// Where its events come.
    pub events: mpsc::Receiver<Vec<Event>>,
    /// Cuts its links, if it has any.
    pub cut: Option<Box<dyn Fn() + Send + Sync>>,
    /// Parts its carrier took more than once.
    pub taken_twice: Box<dyn Fn() -> usize + Send + Sync>,
}

/// Reads events, acknowledges them and keeps what they said.
#[derive(Default)]
pub struct Witness {
    /// Every answer of every attempt.
    pub answers: HashMap<AttemptId, Vec<Answer>>,
    /// Reports in the order they came.
    pub reports: Vec<(String, Option<u64>, Report)>,
    /// Messages from people: from, to, body.
    pub inbound: Vec<(String, String, String)>,
    /// Answers to queries.
    pub queried: Vec<(AttemptId, String, Option<Report>)>,
    /// Links: up or down.
    pub links: Vec<bool>,
}

impl Witness {
    /// Keeps one batch.
    pub fn take(&mut self, batch: Vec<Event>) {
        for event in batch {
            match event {
                Event::Answer {
                    attempt, answer, ..
                } => self.answers.entry(attempt).or_default().push(answer),
                Event::Report {
                    message_id,
                    reference,
                    report,
                    acknowledge,
                    ..
                } => {
                    self.reports.push((message_id, reference, report));
                    acknowledge.done();
                }
                Event::Inbound {
                    from,
                    to,
                    body,
                    acknowledge,
                    ..
                } => {
                    self.inbound.push((from, to, body));
                    acknowledge.done();
                }
                Event::Queried {
                    attempt,
                    message_id,
                    report,
                    ..
                } => self.queried.push((attempt, message_id, report)),
                Event::Link { up, .. } => self.links.push(up),
            }
        }
    }

    /// Reads until something holds.
    pub async fn until(
        &mut self,
        events: &mut mpsc::Receiver<Vec<Event>>,
        what: &str,
        holds: impl Fn(&Self) -> bool,
    ) {
        let reading = async {
            while !holds(self) {
                let batch = events
                    .recv()
                    .await
                    .unwrap_or_else(|| panic!("{what}: the channel ended"));
                self.take(batch);
            }
        };
        let came = tokio::time::timeout(PATIENCE, reading).await.is_ok();
        assert!(
            came,
            "{what}: did not come; answers {}, reports {}, links {:?}",
            self.answers.len(),
            self.reports.len(),
            self.links
        );
    }

    /// Orders with such an answer.
    pub fn count(&self, matches: impl Fn(&Answer) -> bool) -> usize {
        self.answers
            .values()
            .flatten()
            .filter(|answer| matches(answer))
            .count()
    }

    /// Law 1.
    fn assert_one_answer_each(&self, attempts: &[Order], law: &str) {
        assert_eq!(
            self.answers.len(),
            attempts.len(),
            "{law}: an order was not answered, or another was"
        );
        for (attempt, answers) in &self.answers {
            assert_eq!(
                answers.len(),
                1,
                "{law}: attempt {attempt} was answered {answers:?}"
            );
        }
    }
}

/// Orders to numbered people, attempts from `first`.
pub fn orders(carrier: &str, first: i64, count: usize) -> Vec<Order> {
    let carrier: Arc<str> = carrier.into();
    let order = |attempt: i64| Order {
        attempt: AttemptId(attempt),
        carrier: carrier.clone(),
        from: "72273".to_owned(),
        to: format!("+49151{attempt:08}"),
        content: Content::Text {
            body: format!("Message {attempt}"),
            max_parts: 6,
        },
        expires: None,
    };
    (first..).take(count).map(order).collect()
}

/// Orders of the kind a channel carries.
fn orders_for(channel: &dyn Channel, first: i64, count: usize) -> Vec<Order> {
    match channel.capabilities().channel {
        ChannelType::Email => emails(channel.name(), first, count),
        _ => orders(channel.name(), first, count),
    }
}

/// E-mails to numbered people, attempts from `first`.
pub fn emails(carrier: &str, first: i64, count: usize) -> Vec<Order> {
    let letter = |attempt: AttemptId| Rendered {
        subject: format!("Message {attempt}"),
        text: Some(format!("This is message {attempt}.")),
        html: Some(format!("<p>This is message {attempt}.</p>")),
        ..Rendered::default()
    };
    let mut orders = orders(carrier, first, count);
    for order in &mut orders {
        order.from = "news@example.com".to_owned();
        order.to = format!("person{}@example.org", order.attempt);
        order.content = Content::Email {
            letter: Box::new(letter(order.attempt)),
        };
    }
    orders
}

/// Runs every law. `make` brings a channel into a world, or none where the channel does not know such a world.
pub async fn run<F, Made>(make: F)
where
    F: Fn(World) -> Made,
    Made: Future<Output = Option<Subject>>,
{
    for world in [World::Calm, World::Busy] {
        if let Some(subject) = make(world).await {
            one_answer_each(subject, world).await;
        }
    }
    if let Some(subject) = make(World::Calm).await {
        place_never_blocks(subject).await;
    }
    if let Some(subject) = make(World::Calm).await {
        room_is_kept(subject).await;
    }
    if let Some(subject) = make(World::Calm).await {
        what_expired_stays(subject).await;
    }
    if let Some(subject) = make(World::Calm).await {
        queries_are_answered(subject).await;
    }
    if let Some(subject) = make(World::Unanswering).await {
        a_cut_leaves_doubt(subject).await;
    }
    for world in [World::Calm, World::Busy] {
        if let Some(subject) = make(world).await {
            withdrawing_races_sending(subject).await;
        }
    }
    if let Some(subject) = make(World::Unanswering).await {
        what_waits_can_be_withdrawn(subject).await;
    }
    if let Some(subject) = make(World::Nobody).await {
        nobody_means_not_sent(subject).await;
    }
}

/// Places orders as room allows, reading on.
async fn place_all(subject: &mut Subject, witness: &mut Witness, mut waiting: Vec<Order>) {
    witness
        .until(&mut subject.events, "a link", |witness| {
            witness.links.last() == Some(&true)
        })
        .await;
    while !waiting.is_empty() {
        let room = subject.channel.room().min(waiting.len());
        if room > 0 {
            subject.channel.place(waiting.drain(..room).collect());
            continue;
        }
        let before = witness.answers.len();
        witness
            .until(&mut subject.events, "room", |witness| {
                witness.answers.len() > before
            })
            .await;
    }
}

/// Laws 1, 2 and 5: one answer each, none but "not now" is sent again, reports in the order the carrier sent them.
async fn one_answer_each(mut subject: Subject, world: World) {
    let mut witness = Witness::default();
    let all = orders_for(&*subject.channel, 1, 500);
    place_all(&mut subject, &mut witness, all.clone()).await;
    witness
        .until(&mut subject.events, "answers", |witness| {
            witness.answers.len() == all.len()
        })
        .await;
    let accepted = witness.count(
        |answer| matches!(answer, Answer::Accepted { message_ids } if !message_ids.is_empty()),
    );
    assert_eq!(
        accepted,
        all.len(),
        "{world:?}: all are accepted in the end"
    );
    if subject.channel.capabilities().receipts {
        let finals = |witness: &Witness| {
            witness
                .reports
                .iter()
                .filter(|(.., report)| *report == Report::Delivered)
                .count()
        };
        witness
            .until(&mut subject.events, "reports", |witness| {
                finals(witness) >= all.len()
            })
            .await;
        let mut ended = std::collections::HashSet::new();
        for (id, _, report) in &witness.reports {
            let intermediate = matches!(report, Report::Intermediate { .. });
            assert!(
                !(intermediate && ended.contains(id)),
                "law 5: {id} was reported out of order"
            );
            if !intermediate {
                ended.insert(id.clone());
            }
        }
    }
    witness.assert_one_answer_each(&all, "law 1");
    assert_eq!(
        (subject.taken_twice)(),
        0,
        "law 2: the carrier took something twice"
    );
}

/// Law 3: `place` returns although nobody reads the events, and nothing is lost by that.
async fn place_never_blocks(mut subject: Subject) {
    let mut witness = Witness::default();
    witness
        .until(&mut subject.events, "a link", |witness| {
            witness.links.last() == Some(&true)
        })
        .await;
    let all = orders_for(&*subject.channel, 1, 20_000);
    let (channel, placed) = (subject.channel.clone(), all.clone());
    let placing = tokio::task::spawn_blocking(move || {
        placed
            .chunks(1_000)
            .for_each(|chunk| channel.place(chunk.to_vec()))
    });
    tokio::time::timeout(PATIENCE, placing)
        .await
        .expect("law 3: place blocked")
        .expect("law 3: place panicked");
    witness
        .until(&mut subject.events, "answers", |witness| {
            witness.answers.len() == all.len()
        })
        .await;
    witness.assert_one_answer_each(&all, "law 3");
}

/// Law 4: what `room` said is taken; what is above may be answered NotSent, and only that.
async fn room_is_kept(mut subject: Subject) {
    let mut witness = Witness::default();
    witness
        .until(&mut subject.events, "a link", |witness| {
            witness.links.last() == Some(&true)
        })
        .await;
    let room = subject.channel.room();
    assert!(room > 0, "law 4: a link is up and there is no room");
    let all = orders_for(&*subject.channel, 1, room + 1_000);
    subject.channel.place(all.clone());
    witness
        .until(&mut subject.events, "answers", |witness| {
            witness.answers.len() == all.len()
        })
        .await;
    witness.assert_one_answer_each(&all, "law 4");
    for order in &all[..room] {
        let taken = matches!(
            witness.answers[&order.attempt][..],
            [Answer::Accepted { .. }]
        );
        assert!(taken, "law 4: {} was within the room", order.attempt);
    }
    let above = &all[room..];
    let not_sent = above
        .iter()
        .filter(|order| witness.answers[&order.attempt] == [Answer::NotSent])
        .count();
    assert!(
        not_sent > 0,
        "law 4: more was taken than there was room for"
    );
}

/// Law 6: an order does not leave at or after its moment.
async fn what_expired_stays(mut subject: Subject) {
    let mut witness = Witness::default();
    let mut all = orders_for(&*subject.channel, 1, 20);
    for order in all.iter_mut().step_by(2) {
        order.expires = Some(Moment(1));
    }
    place_all(&mut subject, &mut witness, all.clone()).await;
    witness
        .until(&mut subject.events, "answers", |witness| {
            witness.answers.len() == all.len()
        })
        .await;
    witness.assert_one_answer_each(&all, "law 6");
    assert_eq!(
        witness.count(|answer| *answer == Answer::NotSent),
        10,
        "law 6: expired orders are not sent"
    );
    assert_eq!(
        witness.count(|answer| matches!(answer, Answer::Accepted { .. })),
        10
    );
}

/// Law 8: each query brings one answer, known or not.
async fn queries_are_answered(mut subject: Subject) {
    let mut witness = Witness::default();
    let all = orders_for(&*subject.channel, 1, 10);
    place_all(&mut subject, &mut witness, all.clone()).await;
    witness
        .until(&mut subject.events, "answers", |witness| {
            witness.answers.len() == all.len()
        })
        .await;
    let mut queries = vec![(AttemptId(99), "no such id".to_owned(), "72273".to_owned())];
    for (attempt, answers) in &witness.answers {
        let Answer::Accepted { message_ids } = &answers[0] else {
            panic!("law 8: {attempt} was not accepted")
        };
        queries.push((*attempt, message_ids[0].clone(), "72273".to_owned()));
    }
    subject.channel.query(queries.clone());
    witness
        .until(&mut subject.events, "answers to queries", |witness| {
            witness.queried.len() >= queries.len()
        })
        .await;
    assert_eq!(
        witness.queried.len(),
        queries.len(),
        "law 8: a query was answered twice"
    );
    let known = witness
        .queried
        .iter()
        .filter(|(.., report)| *report == Some(Report::Delivered))
        .count();
    let able = subject.channel.capabilities().query;
    assert_eq!(
        known,
        if able { 10 } else { 0 },
        "law 8: {:?}",
        witness.queried
    );
}

/// Law 7: after a cut nothing is open; what may have left is in doubt, and it is not sent again by itself.
async fn a_cut_leaves_doubt(mut subject: Subject) {
    let mut witness = Witness::default();
    let all = orders_for(&*subject.channel, 1, 200);
    witness
        .until(&mut subject.events, "a link", |witness| {
            witness.links.last() == Some(&true)
        })
        .await;
    subject.channel.place(all.clone());
    let cut = subject
        .cut
        .as_ref()
        .expect("a channel with a link says how to cut it");
    // Enough answers to know that the window is full of orders without one.
    let answered = |witness: &Witness| witness.count(|answer| *answer != Answer::NotSent) > 0;
    witness
        .until(&mut subject.events, "first answers", answered)
        .await;
    cut();
    witness
        .until(&mut subject.events, "answers after the cut", |witness| {
            witness.answers.len() == all.len()
        })
        .await;
    witness
        .until(&mut subject.events, "the link again", |witness| {
            witness.links.ends_with(&[false, true])
        })
        .await;
    witness.assert_one_answer_each(&all, "law 7");
    let doubts = witness.count(|answer| *answer == Answer::Doubt);
    assert!(doubts > 0, "law 7: nothing is in doubt");
    assert!(
        doubts <= subject.channel.capabilities().window,
        "law 7: more in doubt than the window"
    );
    // The channel still works, and the doubts are left to the engine.
    let more = orders_for(&*subject.channel, 1_000, 5);
    place_all(
        &mut subject,
        &mut Witness {
            links: vec![true],
            ..Witness::default()
        },
        more,
    )
    .await;
    assert_eq!((subject.taken_twice)(), 0, "law 2: a doubt was sent again");
}

/// Law 9: without a link there is no room, and orders come back at once.
async fn nobody_means_not_sent(mut subject: Subject) {
    let mut witness = Witness::default();
    assert_eq!(subject.channel.room(), 0, "law 9: room without a link");
    assert!(!subject.channel.is_up(), "law 9: up without a link");
    let all = orders_for(&*subject.channel, 1, 50);
    subject.channel.place(all.clone());
    subject
        .channel
        .query(vec![(AttemptId(1), "m1".to_owned(), "72273".to_owned())]);
    let over =
        |witness: &Witness| witness.answers.len() == all.len() && !witness.queried.is_empty();
    witness.until(&mut subject.events, "answers", over).await;
    assert_eq!(
        witness.count(|answer| *answer == Answer::NotSent),
        all.len(),
        "law 9"
    );
    // Law 13: what is answered has nothing to give back; an order placed after this shows that nothing else came.
    let answered: Vec<AttemptId> = all.iter().map(|order| order.attempt).collect();
    subject.channel.withdraw(&answered);
    let last = orders_for(&*subject.channel, 1_000, 1);
    subject.channel.place(last.clone());
    witness
        .until(&mut subject.events, "the last answer", |witness| {
            witness.answers.contains_key(&last[0].attempt)
        })
        .await;
    witness.assert_one_answer_each(&[all, last].concat(), "law 13");
}

/// Law 13 against laws 1 and 2: orders are withdrawn while links take them. Each gets one answer, what was not withdrawn is
/// sent, and what is answered NotSent has not left.
async fn withdrawing_races_sending(mut subject: Subject) {
    let mut witness = Witness::default();
    witness
        .until(&mut subject.events, "a link", |witness| {
            witness.links.last() == Some(&true)
        })
        .await;
    assert!(subject.channel.is_up(), "law 13: a link is up, and is not");
    let room = subject.channel.room().min(2_000);
    let all = orders_for(&*subject.channel, 1, room);
    let unwanted = |attempt: AttemptId| (attempt.0 / 5) % 2 == 1;
    let (channel, placed) = (subject.channel.clone(), all.clone());
    let withdrawing = tokio::task::spawn_blocking(move || {
        channel.place(placed.clone());
        for chunk in placed.rchunks(5) {
            let attempts: Vec<AttemptId> = chunk.iter().map(|order| order.attempt).collect();
            let attempts: Vec<AttemptId> =
                attempts.into_iter().filter(|&id| unwanted(id)).collect();
            channel.withdraw(&attempts);
        }
    });
    witness
        .until(&mut subject.events, "answers", |witness| {
            witness.answers.len() == all.len()
        })
        .await;
    withdrawing.await.expect("law 13: withdraw panicked");
    for order in &all {
        let answer = &witness.answers[&order.attempt][0];
        let accepted = matches!(answer, Answer::Accepted { .. });
        let given_back = *answer == Answer::NotSent && unwanted(order.attempt);
        assert!(
            accepted || given_back,
            "law 13: {} was answered {answer:?}",
            order.attempt
        );
    }
    let accepted = witness.count(|answer| matches!(answer, Answer::Accepted { .. }));
    if subject.channel.capabilities().receipts {
        witness
            .until(&mut subject.events, "reports", |witness| {
                delivered(witness) >= accepted
            })
            .await;
    }
    // Had something left that was answered NotSent, its report would come before that of an order placed now.
    let last = orders_for(&*subject.channel, 100_000, 1);
    place_all(
        &mut subject,
        &mut Witness {
            links: vec![true],
            ..Witness::default()
        },
        last.clone(),
    )
    .await;
    let reported = |witness: &Witness| delivered(witness) > accepted;
    let receipts = subject.channel.capabilities().receipts;
    witness
        .until(&mut subject.events, "the last answer", |witness| {
            witness.answers.contains_key(&last[0].attempt) && (reported(witness) || !receipts)
        })
        .await;
    if receipts {
        assert_eq!(
            delivered(&witness),
            accepted + 1,
            "law 13: something answered NotSent had left"
        );
    }
    witness.assert_one_answer_each(&[all, last].concat(), "law 13");
    assert_eq!(
        (subject.taken_twice)(),
        0,
        "law 2: the carrier took something twice"
    );
}

/// Different messages reported as delivered.
fn delivered(witness: &Witness) -> usize {
    let ids: std::collections::HashSet<&str> = witness
        .reports
        .iter()
        .filter(|(.., report)| *report == Report::Delivered)
        .map(|(id, ..)| id.as_str())
        .collect();
    ids.len()
}

/// Law 13: behind a carrier that does not answer, everything comes back at once but what it may have.
async fn what_waits_can_be_withdrawn(mut subject: Subject) {
    let mut witness = Witness::default();
    witness
        .until(&mut subject.events, "a link", |witness| {
            witness.links.last() == Some(&true)
        })
        .await;
    let all = orders_for(&*subject.channel, 1, subject.channel.room().min(200));
    let attempts: Vec<AttemptId> = all.iter().map(|order| order.attempt).collect();
    subject.channel.place(all.clone());
    witness
        .until(&mut subject.events, "first answers", |witness| {
            !witness.answers.is_empty()
        })
        .await;
    subject.channel.withdraw(&attempts);
    let window = subject.channel.capabilities().window;
    witness
        .until(&mut subject.events, "law 13: what waited", |witness| {
            witness.answers.len() + window >= all.len()
        })
        .await;
    subject.channel.withdraw(&attempts);
    let cut = subject
        .cut
        .as_ref()
        .expect("a channel with a link says how to cut it");
    cut();
    witness
        .until(&mut subject.events, "answers after the cut", |witness| {
            witness.answers.len() == all.len() && witness.links.ends_with(&[false, true])
        })
        .await;
    witness.assert_one_answer_each(&all, "law 13");
    let doubts = witness.count(|answer| *answer == Answer::Doubt);
    assert!(
        (1..=window).contains(&doubts),
        "law 13: {doubts} in doubt, which is what had left and no other"
    );
    assert!(
        witness.count(|answer| *answer == Answer::NotSent) > 0,
        "law 13: nothing came back"
    );
}
