//! A carrier, a channel bound to it, and what both saw.

use carillon_channel::conformance::{Subject, Witness, orders};
use carillon_channel::text::peer::{Fates, Misbehaviour, Smsc, SmscConfig};
use carillon_channel::text::{Config, TextChannel};
use carillon_channel::{Channel, Event};
use carillon_model::Moment;
use carillon_model::moment::Clock;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A clock that starts at a fixed moment.
pub struct TestClock(Instant);

impl TestClock {
    pub fn start() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment(1_795_525_509_120)
            .plus(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

pub struct World {
    pub smsc: Arc<Smsc>,
    pub channel: Arc<TextChannel>,
    pub events: mpsc::Receiver<Vec<Event>>,
    pub witness: Witness,
    pub stop: CancellationToken,
}

pub fn config(address: &str) -> Config {
    Config {
        reconnect: Duration::from_millis(20),
        reconnect_max: Duration::from_millis(100),
        throttle_pause: Duration::from_millis(10),
        query: true,
        ..Config::new("north", address, "carillon", "secret")
    }
}

pub fn manners(misbehaviour: Misbehaviour) -> SmscConfig {
    SmscConfig {
        misbehaviour,
        receipt_after: Duration::from_millis(5),
        reply_after: Duration::from_millis(5),
        ..SmscConfig::default()
    }
}

impl World {
    pub async fn of(misbehaviour: Misbehaviour) -> Self {
        Self::start(manners(misbehaviour), |_| {}).await
    }

    pub async fn start(peer: SmscConfig, change: impl FnOnce(&mut Config)) -> Self {
        let smsc = Arc::new(Smsc::start("127.0.0.1:0", peer).await.expect("a free port"));
        let mut config = config(&smsc.address().to_string());
        change(&mut config);
        // Room for one batch only, so that every test meets a full engine.
        let (sender, events) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let channel = TextChannel::start(config, TestClock::start(), sender, 1, stop.clone())
            .expect("a good configuration");
        Self {
            smsc,
            channel,
            events,
            witness: Witness::default(),
            stop,
        }
    }

    pub fn subject(self) -> Subject {
        let (cutting, counting) = (self.smsc.clone(), self.smsc);
        Subject {
            channel: self.channel,
            events: self.events,
            cut: Some(Box::new(move || {
                cutting.misbehave(Misbehaviour::default());
                cutting.cut();
            })),
            taken_twice: Box::new(move || counting.taken_twice().len()),
        }
    }

    pub async fn up(&mut self) {
        self.until("a link", |witness| witness.links.last() == Some(&true))
            .await;
    }

    pub async fn until(&mut self, what: &str, holds: impl Fn(&Witness) -> bool) {
        self.witness.until(&mut self.events, what, holds).await;
    }

    /// Places numbered orders as there is room, and waits for their answers.
    pub async fn place(&mut self, first: i64, count: usize) {
        let mut waiting = orders("north", first, count);
        let answered = self.witness.answers.len();
        while !waiting.is_empty() {
            let room = self.channel.room().min(waiting.len());
            if room > 0 {
                self.channel.place(waiting.drain(..room).collect());
            } else {
                let before = self.witness.answers.len();
                self.until("room", |witness| witness.answers.len() > before)
                    .await;
            }
        }
        self.until("answers", |witness| {
            witness.answers.len() >= answered + count
        })
        .await;
        self.witness
            .answers
            .iter()
            .for_each(|(attempt, answers)| assert_eq!(answers.len(), 1, "{attempt}: {answers:?}"));
    }
}

pub fn fates(fates: Fates) -> SmscConfig {
    SmscConfig {
        fates,
        ..manners(Misbehaviour::default())
    }
}
