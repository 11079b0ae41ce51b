//! The e-mail channel against its relay: the contract, fates by address, what stands on the wire, and bounces.

use crate::world::TestClock;
use carillon_channel::conformance::{self, Subject, Witness, World as Kind, emails};
use carillon_channel::email::links::{self, Key};
use carillon_channel::email::peer::{Misbehaviour, Relay};
use carillon_channel::email::{Config, EmailChannel, is_bad_device};
use carillon_channel::{Answer, Channel, Event, Report};
use carillon_model::{AttemptId, AttemptResult};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub const DOMAIN: &str = "bounces.example.com";

pub fn key() -> Key {
    Key::new(&[9; 32])
}

pub fn config(address: &str) -> Config {
    Config {
        reconnect: Duration::from_millis(20),
        reconnect_max: Duration::from_millis(100),
        throttle_pause: Duration::from_millis(5),
        ..Config::new("mail", address, DOMAIN, "https://reach.example.com", key())
    }
}

/// A channel, its events and what both said.
pub struct Post {
    pub channel: Arc<EmailChannel>,
    pub events: mpsc::Receiver<Vec<Event>>,
    pub witness: Witness,
    pub stop: CancellationToken,
}

impl Post {
    pub fn start(config: Config) -> Self {
        // Room for one batch only, so that every test meets a full engine.
        let (sender, events) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let channel = EmailChannel::start(config, TestClock::start(), sender, 1, stop.clone())
            .expect("a good configuration");
        Self {
            channel,
            events,
            witness: Witness::default(),
            stop,
        }
    }

    pub async fn until(&mut self, what: &str, holds: impl Fn(&Witness) -> bool) {
        self.witness.until(&mut self.events, what, holds).await;
    }

    /// Places one mail to each local part, attempts from 1, and waits for the answers.
    pub async fn send(&mut self, locals: &[&str]) -> Vec<Answer> {
        let up = |witness: &Witness| witness.links.last() == Some(&true);
        self.until("a link", up).await;
        let mut orders = emails("mail", 1, locals.len());
        for (order, local) in orders.iter_mut().zip(locals) {
            order.to = format!("{local}@example.org");
        }
        self.channel.place(orders);
        let count = locals.len();
        self.until("answers", |witness| witness.answers.len() >= count)
            .await;
        (1..)
            .take(count)
            .map(|attempt| self.witness.answers[&AttemptId(attempt)][0].clone())
            .collect()
    }
}

async fn subject(kind: Kind, connections: usize, manners: Misbehaviour) -> Option<Subject> {
    let manners = match kind {
        Kind::Calm => manners,
        Kind::Busy => Misbehaviour {
            later_every: Some(7),
            closes_after: Some(11),
            ..manners
        },
        Kind::Unanswering => Misbehaviour {
            unanswered_every: Some(2),
            connections_first: connections.max(2),
            ..manners
        },
        Kind::Nobody => {
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = free.local_addr().expect("bound").to_string();
            drop(free);
            let post = Post::start(config(&address));
            return Some(Subject {
                channel: post.channel,
                events: post.events,
                cut: None,
                taken_twice: Box::new(|| 0),
            });
        }
    };
    let relay = Arc::new(
        Relay::start("127.0.0.1:0", manners)
            .await
            .expect("a free port"),
    );
    let connections = match kind {
        Kind::Unanswering => connections.max(2),
        _ => connections,
    };
    let post = Post::start(Config {
        connections,
        ..config(&relay.address().to_string())
    });
    let counting = relay.clone();
    Some(Subject {
        channel: post.channel,
        events: post.events,
        cut: Some(Box::new(move || {
            relay.misbehave(Misbehaviour::default());
            relay.cut();
        })),
        taken_twice: Box::new(move || counting.taken_twice().len()),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_over_one_connection() {
    conformance::run(|kind| subject(kind, 1, Misbehaviour::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_over_four_connections() {
    conformance::run(|kind| subject(kind, 4, Misbehaviour::default())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_without_pipelining() {
    let manners = Misbehaviour {
        no_pipelining: true,
        ..Misbehaviour::default()
    };
    conformance::run(|kind| subject(kind, 2, manners.clone())).await;
}

fn refused(result: AttemptResult, code: u32, permanent: bool) -> Answer {
    Answer::Refused {
        result,
        code,
        permanent,
    }
}

/// What each fate comes to; the last mail shows that the connection is still of use after all the others.
async fn fates(manners: Misbehaviour) {
    let relay = Relay::start("127.0.0.1:0", manners).await.expect("a port");
    let mut post = Post::start(Config {
        connections: 1,
        ..config(&relay.address().to_string())
    });
    let locals = [
        "unknown", "nobody", "policy", "busy", "spam", "late", "lost", "ada",
    ];
    // "lost" ends the link, and what waits behind it comes back: so the two last are sent one after the other.
    let answers = post.send(&locals[..7]).await;
    let (bad, failed) = (AttemptResult::BadDevice, AttemptResult::Failed);
    let expected = [
        refused(bad, 550, true),
        refused(bad, 550, true),
        refused(failed, 550, true),
        refused(failed, 450, false),
        refused(failed, 550, true),
        refused(failed, 451, false),
        Answer::Doubt,
    ];
    assert_eq!(answers, expected);
    post.until("the link again", |witness| {
        witness.links.ends_with(&[false, true])
    })
    .await;
    let mut last = emails("mail", 8, 1);
    last[0].to = "ada@example.org".to_owned();
    post.channel.place(last);
    post.until("the last answer", |witness| witness.answers.len() == 8)
        .await;
    let id = links::message_id(&key(), AttemptId(8), DOMAIN);
    assert_eq!(
        post.witness.answers[&AttemptId(8)],
        [Answer::Accepted {
            message_ids: vec![id]
        }]
    );
    let taken: Vec<String> = relay.taken().into_iter().map(|mail| mail.to).collect();
    assert_eq!(taken, ["lost@example.org", "ada@example.org"]);
}

#[tokio::test]
async fn fates_by_address() {
    fates(Misbehaviour::default()).await;
}

#[tokio::test]
async fn fates_without_pipelining() {
    fates(Misbehaviour {
        no_pipelining: true,
        ..Misbehaviour::default()
    })
    .await;
}

#[tokio::test]
async fn a_careless_relay_gets_no_content_for_nobody() {
    fates(Misbehaviour {
        careless_data: true,
        ..Misbehaviour::default()
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_ends_before_the_content_leaves_no_doubt() {
    let relay = Relay::start("127.0.0.1:0", Misbehaviour::default())
        .await
        .expect("a port");
    let mut post = Post::start(config(&relay.address().to_string()));
    // The relay hangs up at RCPT, each time it is tried.
    let answers = post.send(&["gone"]).await;
    assert_eq!(answers, [Answer::NotSent]);
    assert_eq!(relay.count(), 0);
}

#[tokio::test]
async fn idle_connections_are_closed_and_the_carrier_stays_up() {
    let relay = Relay::start("127.0.0.1:0", Misbehaviour::default())
        .await
        .expect("a port");
    let mut post = Post::start(Config {
        idle: Duration::from_millis(10),
        ..config(&relay.address().to_string())
    });
    post.send(&["ada"]).await;
    let closed = async {
        // The next mail finds the connection closed by us or open; either way it goes, and sooner or later over a new one.
        let mut attempt = 100;
        while relay.connections() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            post.channel.place(emails("mail", attempt, 1));
            let id = AttemptId(attempt);
            post.until("an answer", |witness| witness.answers.contains_key(&id))
                .await;
            assert!(matches!(
                post.witness.answers[&id][..],
                [Answer::Accepted { .. }]
            ));
            attempt += 1;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), closed)
        .await
        .expect("it reconnects");
    assert_eq!(post.witness.links, [true]);
}

#[tokio::test]
async fn a_relay_that_does_not_want_us_is_down() {
    let manners = Misbehaviour {
        greeting: Some("554 go away".to_owned()),
        ..Misbehaviour::default()
    };
    let relay = Relay::start("127.0.0.1:0", manners).await.expect("a port");
    let mut post = Post::start(config(&relay.address().to_string()));
    post.channel.place(emails("mail", 1, 1));
    post.until("an answer", |witness| !witness.answers.is_empty())
        .await;
    assert_eq!(post.witness.answers[&AttemptId(1)], [Answer::NotSent]);
    assert!(!post.channel.is_up() && post.witness.links.is_empty());
}

#[tokio::test]
async fn the_end_leaves_nothing_open() {
    let manners = Misbehaviour {
        later_every: Some(1),
        ..Misbehaviour::default()
    };
    let relay = Relay::start("127.0.0.1:0", manners).await.expect("a port");
    let mut post = Post::start(Config {
        throttle_pause: Duration::from_secs(20),
        ..config(&relay.address().to_string())
    });
    post.until("a link", |witness| witness.links.last() == Some(&true))
        .await;
    post.channel.place(emails("mail", 1, 20));
    post.stop.cancel();
    post.until("answers", |witness| witness.answers.len() == 20)
        .await;
    assert_eq!(post.witness.count(|answer| *answer == Answer::NotSent), 20);
    let (channel, mut events) = (post.channel, post.events);
    let reading = tokio::spawn(async move { while events.recv().await.is_some() {} });
    channel.stopped().await;
    drop(channel);
    reading.await.expect("it ends");
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept() {
    let relay = Relay::sink("127.0.0.1:0").await.expect("a port");
    let mut post = Post::start(Config {
        rate: Some(20.0),
        ..config(&relay.address().to_string())
    });
    let up = |witness: &Witness| witness.links.last() == Some(&true);
    post.until("a link", up).await;
    assert_eq!(post.channel.room(), 20);
    let began = tokio::time::Instant::now();
    post.channel.place(emails("mail", 1, 20));
    post.until("answers", |witness| witness.answers.len() == 20)
        .await;
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(900), "{took:?}");
    assert_eq!(
        post.witness
            .count(|answer| matches!(answer, Answer::Accepted { .. })),
        20
    );
}

/// A sender of bounces, line by line.
struct Sender(BufReader<TcpStream>);

impl Sender {
    async fn connect(post: &Post) -> Self {
        let address = post.channel.intake().expect("it listens");
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut sender = Self(BufReader::new(stream));
        assert!(sender.reply().await.starts_with("220"));
        sender
    }

    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("a reply");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }

    async fn say(&mut self, line: &str) -> String {
        let line = format!("{line}\r\n");
        self.0.write_all(line.as_bytes()).await.expect("it is sent");
        self.reply().await
    }
}

fn bounce(action: &str, status: &str) -> String {
    format!(
        "Subject: failure\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsorry\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; r\r\n\r\n\
         Final-Recipient: rfc822; ada@example.org\r\nAction: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n."
    )
}

async fn post_with_intake() -> (Relay, Post) {
    let relay = Relay::start("127.0.0.1:0", Misbehaviour::default())
        .await
        .expect("a port");
    let mut post = Post::start(Config {
        intake: Some("127.0.0.1:0".to_owned()),
        ..config(&relay.address().to_string())
    });
    post.send(&["ada", "ben"]).await;
    (relay, post)
}

#[tokio::test]
async fn a_bounce_finds_its_attempt() {
    let (relay, mut post) = post_with_intake().await;
    let mail = relay
        .taken()
        .into_iter()
        .find(|mail| mail.to.starts_with("ben"))
        .expect("it was sent");
    for (hello, action, status, expected) in [
        (
            "LHLO r",
            "failed",
            "5.1.1",
            Report::Failed {
                code: "5.1.1".to_owned(),
            },
        ),
        (
            "EHLO r",
            "delayed",
            "4.0.0",
            Report::Intermediate {
                state: "delayed 4.0.0".to_owned(),
            },
        ),
    ] {
        let mut sender = Sender::connect(&post).await;
        assert!(sender.say(hello).await.starts_with("250"));
        assert!(sender.say("MAIL FROM:<>").await.starts_with("250"));
        assert!(
            sender
                .say(&format!("rcpt to:<{}> X=y", mail.from.to_uppercase()))
                .await
                .starts_with("250")
        );
        assert!(sender.say("DATA").await.starts_with("354"));
        let body = bounce(action, status);
        let taken = tokio::spawn(async move { sender.say(&body).await });
        let known = post.witness.reports.len();
        post.until("a report", |witness| witness.reports.len() > known)
            .await;
        let (id, reference, report) = post.witness.reports.last().expect("it came").clone();
        assert_eq!(
            post.witness.answers[&AttemptId(2)],
            [Answer::Accepted {
                message_ids: vec![id]
            }]
        );
        assert_eq!((reference, &report), (Some(2), &expected));
        assert!(taken.await.expect("it ends").starts_with("250"));
    }
    assert!(is_bad_device("5.1.1") && !is_bad_device("5.0.0"));
}

#[tokio::test]
async fn a_bounce_that_is_not_kept_is_asked_for_again() {
    let (relay, mut post) = post_with_intake().await;
    let path = relay.taken()[0].from.clone();
    let mut sender = Sender::connect(&post).await;
    sender.say("LHLO r").await;
    sender.say("MAIL FROM:<>").await;
    sender.say(&format!("RCPT TO:<{path}>")).await;
    sender.say("DATA").await;
    let taken = tokio::spawn(async move { sender.say(&bounce("failed", "5.1.1")).await });
    // The engine reads the report and dies before it is durable.
    while !post
        .events
        .recv()
        .await
        .expect("events")
        .iter()
        .any(|event| matches!(event, Event::Report { .. }))
    {}
    assert!(taken.await.expect("it ends").starts_with("451"));
}

#[tokio::test]
async fn everything_else_is_refused() {
    let (relay, post) = post_with_intake().await;
    let taken = relay.taken();
    let (path, other) = (taken[0].from.clone(), taken[1].from.clone());
    let mut sender = Sender::connect(&post).await;
    let forged = path.replacen("bounce+0", "bounce+1", 1);
    for (line, expected) in [
        ("MAIL FROM:<>".to_owned(), "503"),
        ("EHLO x".to_owned(), "250"),
        (format!("RCPT TO:<{path}>"), "503"),
        ("MAIL FROM:<a@b>".to_owned(), "250"),
        ("DATA".to_owned(), "503"),
        ("RCPT TO:<postmaster@bounces.example.com>".to_owned(), "550"),
        (format!("RCPT TO:<{forged}>"), "550"),
        (format!("RCPT TO:{path}"), "550"),
        (format!("RCPT TO:<{path}>"), "250"),
        (format!("RCPT TO:<{other}>"), "452"),
        ("EXPN x".to_owned(), "500"),
        ("é".to_owned(), "500"),
        ("DATA".to_owned(), "354"),
        ("Subject: away\r\n\r\nI am away\r\n.".to_owned(), "550"),
        ("MAIL FROM:<>".to_owned(), "250"),
        (format!("RCPT TO:<{path}>"), "250"),
        ("DATA".to_owned(), "354"),
        (format!("{}\r\n.", "x".repeat(1_100_000)), "552"),
        ("NOOP".to_owned(), "250"),
        ("QUIT".to_owned(), "221"),
    ] {
        let reply = sender.say(&line).await;
        assert!(reply.starts_with(expected), "{:.60}: {reply}", line);
    }
    // A line without end is not waited for.
    let mut sender = Sender::connect(&post).await;
    let _ = sender.0.write_all(&vec![b'x'; 10_000]).await;
    let mut rest = Vec::new();
    let closed = sender.0.read_to_end(&mut rest).await;
    assert!(closed.is_err() || rest.is_empty());
}
