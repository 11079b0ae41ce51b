//! The driver: threads, real time, commits before orders, a shutdown that ends.

use crate::bench::{NOON, fast, new_yorker};
use carillon_channel::loopback::{Config, Loopback};
use carillon_channel::{Answer, Capabilities, Channel, Event, Events, Order};
use carillon_engine::driver::Attached;
use carillon_engine::{Driver, Handle};
use carillon_model::moment::Clock;
use carillon_model::{AttemptId, ChannelType, Moment, SubCampaignId, SubCampaignState};
use carillon_sim::world;
use carillon_store::{EntityReadExt, EntityWriteExt, Error, Store, Urgency};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Goes like a clock that was set to the test's noon when it was made.
struct SetClock(Instant);

impl Clock for SetClock {
    fn now(&self) -> Moment {
        NOON.plus(self.0.elapsed().as_millis() as i64)
    }
}

/// Takes everything, asks the store whether the attempt is there already, and answers when it is told to.
struct Careful {
    store: Store,
    events: Events,
    seen: Mutex<Vec<AttemptId>>,
    silent: bool,
}

impl Channel for Careful {
    fn name(&self) -> &str {
        "careful"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            channel: ChannelType::Text,
            rate_per_second: None,
            window: 100,
            receipts: false,
            receipt_wait_ms: 0,
            idempotent: false,
            query: false,
        }
    }

    fn room(&self) -> usize {
        100
    }

    fn place(&self, orders: Vec<Order>) {
        let ids: Vec<AttemptId> = orders.iter().map(|order| order.attempt).collect();
        let asked = ids.clone();
        let known = self
            .store
            .read_now(move |snapshot| snapshot.attempts(&asked))
            .expect("readable");
        assert!(
            known.iter().all(Option::is_some),
            "an order left before its attempt was durable"
        );
        self.seen.lock().expect("one writer").extend(&ids);
        if self.silent {
            return;
        }
        let answers = ids
            .into_iter()
            .map(|attempt| Event::Answer {
                attempt,
                answer: Answer::Accepted {
                    message_ids: vec![attempt.to_string()],
                },
                at: NOON,
            })
            .collect();
        self.events.try_send(answers).expect("there is room");
    }

    fn query(&self, _queries: Vec<(AttemptId, String, String)>) {}
}

fn people(count: usize) -> Vec<carillon_model::contact::Contact> {
    (0..count).map(|number| new_yorker(number, 1)).collect()
}

async fn until_state(store: &Store, run: SubCampaignId, state: SubCampaignState) {
    let mut wake = store.wake();
    let reached = async {
        loop {
            let row = store
                .read(move |snapshot| snapshot.run(run))
                .await
                .expect("readable");
            if row.is_some_and(|row| row.state == state) {
                return;
            }
            // Runs wake whoever waits whenever they change.
            wake.changed().await.expect("the store lives");
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached)
        .await
        .expect("reached in time");
}

fn start(
    store: &Store,
    channel: Arc<dyn Channel>,
    emulated: bool,
    events: mpsc::Receiver<Vec<Event>>,
) -> Handle {
    let channels = vec![Attached { channel, emulated }];
    let clock = Arc::new(SetClock(Instant::now()));
    Driver {
        store: store.clone(),
        clock,
        channels,
        events,
        seed: 7,
    }
    .start()
    .expect("threads start")
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_leave_after_their_commit_and_the_run_ends() {
    let store = Store::memory();
    let installation = world::install(&store, NOON).expect("stored");
    let (sender, events) = mpsc::channel(100);
    let careful = Arc::new(Careful {
        store: store.clone(),
        events: sender,
        seen: Mutex::default(),
        silent: false,
    });
    let handle = start(
        &store,
        Arc::clone(&careful) as Arc<dyn Channel>,
        false,
        events,
    );
    let run = tokio::task::spawn_blocking({
        let store = store.clone();
        move || world::sub_campaign(&store, installation, people(300), vec![fast(1)], NOON)
    })
    .await
    .expect("no panic")
    .expect("stored");
    until_state(&store, run, SubCampaignState::Awaiting).await;
    assert_eq!(careful.seen.lock().expect("one writer").len(), 300);
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulated_account_reaches_nobody_outside() {
    let store = Store::memory();
    let installation = world::install(&store, NOON).expect("stored");
    store
        .write(Urgency::People, move |tx| {
            let mut org: carillon_model::org::Org = tx.get(installation.account)?.expect("there");
            org.settings.emulate_outreach = Some(true);
            tx.replace(&org)?;
            Ok::<_, Error>(())
        })
        .await
        .expect("stored");
    let (sender, events) = mpsc::channel(100);
    let clock = Arc::new(SetClock(Instant::now()));
    let config = Config {
        name: "loopback".into(),
        fates: Default::default(),
    };
    let loopback = Loopback::start(config, ChannelType::Text, clock, sender);
    let handle = start(&store, loopback, true, events);
    let run = tokio::task::spawn_blocking({
        let store = store.clone();
        move || world::sub_campaign(&store, installation, people(20), vec![fast(1)], NOON)
    })
    .await
    .expect("no panic")
    .expect("stored");
    until_state(&store, run, SubCampaignState::Awaiting).await;
    handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_without_anything_outstanding_is_quick() {
    let store = Store::memory();
    let (_sender, events) = mpsc::channel(100);
    let careful = Careful {
        store: store.clone(),
        events: mpsc::channel(1).0,
        seen: Mutex::default(),
        silent: true,
    };
    let handle = start(&store, Arc::new(careful), false, events);
    tokio::time::timeout(Duration::from_secs(5), handle.shutdown())
        .await
        .expect("it ends");
}
