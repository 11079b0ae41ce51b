//! Messages from people, and what the carrier hears back about them.

use crate::world::World;
use carillon_channel::text::peer::Misbehaviour;
use carillon_channel::{Answer, Channel, Event};
use std::time::Duration;

#[tokio::test]
async fn alphabets_and_parts() {
    let mut world = World::of(Misbehaviour::default()).await;
    world.up().await;
    let from = "4915112345678";
    world.smsc.write(from, "72273", b"STOP", 0, 0);
    world.smsc.write(from, "72273", &[0x04, 0x36], 8, 0);
    world.smsc.write(from, "72273", &[0xE9], 3, 0);
    world
        .smsc
        .write(from, "72273", &[5, 0, 3, 9, 2, 2, b'b'], 0, 0x40);
    world
        .smsc
        .write(from, "72273", &[5, 0, 3, 9, 2, 1, b'a'], 0, 0x40);
    world
        .smsc
        .write(from, "72273", "x".repeat(400).as_bytes(), 0, 0);
    world
        .until("six messages, one of them in two parts", |witness| {
            witness.inbound.len() == 5
        })
        .await;
    let long = "x".repeat(400);
    let bodies: Vec<&str> = world
        .witness
        .inbound
        .iter()
        .map(|(.., body)| body.as_str())
        .collect();
    assert_eq!(bodies, ["STOP", "ж", "é", "ab", long.as_str()]);
    assert!(
        world
            .witness
            .inbound
            .iter()
            .all(|(from, to, _)| from == "+4915112345678" && to == "72273")
    );
    let smsc = world.smsc.clone();
    until(|| smsc.totals().acknowledged == 6).await;
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let mut world = World::of(Misbehaviour::default()).await;
    world.up().await;
    world.smsc.write("4915112345678", "72273", b"Hello", 0, 0);
    let acknowledge = loop {
        let batch = world.events.recv().await.expect("the channel lives");
        let inbound = batch.into_iter().find_map(|event| match event {
            Event::Inbound { acknowledge, .. } => Some(acknowledge),
            _ => None,
        });
        if let Some(acknowledge) = inbound {
            break acknowledge;
        }
    };
    assert_eq!(
        world.smsc.totals().acknowledged,
        0,
        "not before it is durable"
    );
    drop(acknowledge);
    world
        .until("the message again", |witness| witness.inbound.len() == 1)
        .await;
    let smsc = world.smsc.clone();
    until(|| smsc.totals().acknowledged == 1 && smsc.totals().put_off == 1).await;
}

#[tokio::test]
async fn a_cut_before_the_acknowledgement_brings_it_again() {
    let mut world = World::of(Misbehaviour::default()).await;
    world.up().await;
    world.smsc.write("4915112345678", "72273", b"Hello", 0, 0);
    let mut held = Vec::new();
    while held.is_empty() {
        let batch = world.events.recv().await.expect("the channel lives");
        held.extend(
            batch
                .into_iter()
                .filter(|event| matches!(event, Event::Inbound { .. })),
        );
    }
    world.smsc.cut();
    world
        .until("the message again", |witness| witness.inbound.len() == 1)
        .await;
    // Acknowledging the first one now must not disturb the new link.
    drop(held);
    world.place(1, 5).await;
}

#[tokio::test]
async fn a_full_engine_stops_the_reading_and_loses_nothing() {
    let mut world = World::of(Misbehaviour::default()).await;
    world.up().await;
    for number in 0..5_000 {
        world.smsc.write(
            "4915112345678",
            "72273",
            format!("m{number}").as_bytes(),
            0,
            0,
        );
    }
    let smsc = world.smsc.clone();
    until(|| smsc.totals().deliveries > 0).await;
    assert!(world.channel.room() > 0);
    world
        .until("all messages", |witness| witness.inbound.len() == 5_000)
        .await;
    let bodies: Vec<String> = world
        .witness
        .inbound
        .iter()
        .map(|(.., body)| body.clone())
        .collect();
    assert_eq!(
        bodies,
        (0..5_000)
            .map(|number| format!("m{number}"))
            .collect::<Vec<_>>(),
        "in order"
    );
}

/// Waits for something the carrier sees.
pub async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), waiting)
        .await
        .expect("it comes");
}

#[tokio::test]
async fn a_carrier_that_is_not_read_is_not_silent() {
    let manners = crate::world::manners(Misbehaviour {
        receipt_never: true,
        ..Misbehaviour::default()
    });
    let mut world = World::start(manners, |config| {
        config.response_timeout = Duration::from_millis(100);
        config.enquire_link = Duration::from_millis(100);
    })
    .await;
    world.up().await;
    let most = carillon_channel::limits::UNACKNOWLEDGED_MAX;
    let mut held = Vec::new();
    for number in 0..most + 100 {
        world.smsc.write(
            "4915112345678",
            "72273",
            format!("m{number}").as_bytes(),
            0,
            0,
        );
    }
    while held.len() < most {
        held.extend(world.events.recv().await.expect("the channel lives"));
    }
    world
        .channel
        .place(carillon_channel::conformance::orders("north", 1, 10));
    let smsc = world.smsc.clone();
    until(|| smsc.totals().taken == 10).await;
    // Time must pass here: several time-outs, in which nothing is read because nothing is acknowledged.
    tokio::time::sleep(Duration::from_millis(400)).await;
    world.witness.take(held);
    world
        .until("answers", |witness| witness.answers.len() == 10)
        .await;
    assert_eq!(
        world
            .witness
            .count(|answer| matches!(answer, Answer::Accepted { .. })),
        10
    );
    assert_eq!(world.witness.links, [true]);
}
