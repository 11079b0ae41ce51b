//! The conformance suite on every channel there is.

use crate::world::{TestClock, World, config, manners};
use carillon_channel::conformance::{self, Subject, Witness, World as Kind, orders};
use carillon_channel::loopback::{self, Fate, Loopback};
use carillon_channel::text::peer::Misbehaviour;
use carillon_channel::text::{Bind, TextChannel};
use carillon_channel::{Answer, Channel, Report};
use carillon_model::{AttemptId, ChannelType};
use std::collections::HashMap;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

async fn text(kind: Kind, bind: Bind, binds: usize) -> Option<Subject> {
    let manners_of = match kind {
        Kind::Calm => Misbehaviour {
            intermediate_first: binds == 1,
            ..Misbehaviour::default()
        },
        Kind::Busy => Misbehaviour {
            throttle_every: Some(7),
            queue_full_every: Some(11),
            ..Misbehaviour::default()
        },
        Kind::Unanswering => Misbehaviour {
            unanswered_every: Some(2),
            ..Misbehaviour::default()
        },
        Kind::Nobody => {
            // A port nobody listens at.
            let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = free.local_addr().expect("bound").to_string();
            drop(free);
            let (sender, events) = mpsc::channel(64);
            let channel = TextChannel::start(
                config(&address),
                TestClock::start(),
                sender,
                1,
                CancellationToken::new(),
            );
            let channel = channel.expect("a good configuration");
            return Some(Subject {
                channel,
                events,
                cut: None,
                taken_twice: Box::new(|| 0),
            });
        }
    };
    let world = World::start(manners(manners_of), |config| {
        config.bind = bind;
        config.binds = binds;
    });
    Some(world.await.subject())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_by_one_transceiver() {
    conformance::run(|kind| text(kind, Bind::Transceiver, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_by_three_pairs() {
    conformance::run(|kind| text(kind, Bind::TransmitterAndReceiver, 3)).await;
}

fn loopback(
    fates: HashMap<String, Fate>,
) -> (
    std::sync::Arc<Loopback>,
    mpsc::Receiver<Vec<carillon_channel::Event>>,
) {
    let (sender, events) = mpsc::channel(64);
    let config = loopback::Config {
        name: "loopback".to_owned(),
        fates,
    };
    (
        Loopback::start(config, ChannelType::Text, TestClock::start(), sender),
        events,
    )
}

#[tokio::test]
async fn loopback_keeps_the_contract() {
    conformance::run(|kind| async move {
        if kind != Kind::Calm {
            return None;
        }
        let (channel, events) = loopback(HashMap::new());
        Some(Subject {
            channel,
            events,
            cut: None,
            taken_twice: Box::new(|| 0),
        })
    })
    .await;
}

#[tokio::test]
async fn loopback_fates_by_device() {
    let number = |attempt: i64| format!("+49151{attempt:08}");
    let fates = [
        (1, Fate::Failed),
        (2, Fate::Unreported),
        (3, Fate::BadDevice),
        (4, Fate::Refused),
        (5, Fate::Doubt),
    ];
    let (channel, mut events) =
        loopback(fates.map(|(attempt, fate)| (number(attempt), fate)).into());
    channel.place(orders("loopback", 1, 6));
    let mut witness = Witness::default();
    witness
        .until(&mut events, "answers", |witness| {
            witness.answers.len() == 6 && witness.reports.len() == 2
        })
        .await;
    let accepted = |attempt: i64| {
        matches!(
            witness.answers[&AttemptId(attempt)][..],
            [Answer::Accepted { .. }]
        )
    };
    assert!(accepted(1) && accepted(2) && accepted(6));
    assert_eq!(witness.answers[&AttemptId(5)], [Answer::Doubt]);
    let reports: Vec<_> = witness
        .reports
        .iter()
        .map(|(id, _, report)| (id.as_str(), report.clone()))
        .collect();
    assert_eq!(
        reports,
        [
            (
                "1-failed",
                Report::Failed {
                    code: "UNDELIV".to_owned()
                }
            ),
            ("6-delivered", Report::Delivered)
        ]
    );
}
