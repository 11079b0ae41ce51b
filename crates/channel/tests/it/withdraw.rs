//! Orders taken back: from the queue, from a carrier that puts everything off, and never from the carrier itself.

use crate::inbound::until;
use crate::world::{World, manners};
use carillon_channel::conformance::orders;
use carillon_channel::text::peer::Misbehaviour;
use carillon_channel::{Answer, Channel};
use carillon_model::AttemptId;
use std::time::Duration;

fn attempts(range: std::ops::RangeInclusive<i64>) -> Vec<AttemptId> {
    range.map(AttemptId).collect()
}

#[tokio::test]
async fn what_waits_for_the_rate_comes_back() {
    let mut world = World::start(manners(Misbehaviour::default()), |config| {
        config.rate = Some(5.0)
    })
    .await;
    assert!(!world.channel.is_up());
    world.up().await;
    assert!(world.channel.is_up());
    world.channel.place(orders("north", 1, 5));
    assert_eq!(world.channel.room(), 0, "a second's worth waits");
    world
        .until("a first answer", |witness| !witness.answers.is_empty())
        .await;
    world.channel.withdraw(&attempts(3..=5));
    assert!(world.channel.room() > 0, "their room is free again");
    world
        .until("answers", |witness| witness.answers.len() == 5)
        .await;
    for (attempt, answers) in &world.witness.answers {
        let accepted = matches!(answers[..], [Answer::Accepted { .. }]);
        let given_back = attempt.0 >= 3 && answers[..] == [Answer::NotSent];
        assert!(accepted || given_back, "{attempt}: {answers:?}");
    }
    let not_sent = world.witness.count(|answer| *answer == Answer::NotSent) as u64;
    assert!(not_sent > 0, "the last would have left after 0.8 s");
    assert_eq!(world.smsc.totals().taken + not_sent, 5);
}

#[tokio::test]
async fn what_the_carrier_puts_off_comes_back() {
    let mut world = World::of(Misbehaviour {
        throttle_every: Some(1),
        ..Misbehaviour::default()
    })
    .await;
    world.up().await;
    world.channel.place(orders("north", 1, 30));
    let smsc = world.smsc.clone();
    until(|| smsc.totals().throttled >= 15).await;
    // Some wait, some were put off, some are on their way there: the carrier has none.
    world.channel.withdraw(&attempts(1..=30));
    world
        .until("answers", |witness| witness.answers.len() == 30)
        .await;
    assert_eq!(world.witness.count(|answer| *answer == Answer::NotSent), 30);
    let offered = world.smsc.totals().submits;
    world.smsc.misbehave(Misbehaviour::default());
    world.place(100, 10).await;
    assert_eq!(world.smsc.totals().submits, offered + 10);
    assert_eq!(world.smsc.totals().taken, 10);
}

#[tokio::test]
async fn what_another_link_put_off_comes_back_too() {
    let mut world = World::start(
        manners(Misbehaviour {
            throttle_every: Some(1),
            ..Misbehaviour::default()
        }),
        |config| {
            config.binds = 3;
            config.throttle_pause = Duration::from_millis(1);
        },
    )
    .await;
    world.up().await;
    let smsc = world.smsc.clone();
    until(|| smsc.totals().binds == 3).await;
    world.channel.place(orders("north", 1, 100));
    until(|| smsc.totals().throttled >= 60).await;
    world.channel.withdraw(&attempts(1..=50));
    world
        .until("what was withdrawn", |witness| witness.answers.len() == 50)
        .await;
    world.smsc.misbehave(Misbehaviour::default());
    world
        .until("answers", |witness| witness.answers.len() == 100)
        .await;
    for (attempt, answers) in &world.witness.answers {
        let accepted = matches!(answers[..], [Answer::Accepted { .. }]);
        assert_eq!(accepted, attempt.0 > 50, "{attempt}: {answers:?}");
    }
    assert_eq!(world.smsc.totals().taken, 50);
    assert_eq!(world.smsc.taken_twice(), []);
}

#[tokio::test]
async fn strangers_are_left_alone() {
    let mut world = World::of(Misbehaviour::default()).await;
    world.up().await;
    world.channel.withdraw(&attempts(500..=600));
    world.place(1, 10).await;
    world.channel.withdraw(&attempts(1..=10));
    world.place(11, 10).await;
    assert_eq!(world.witness.answers.len(), 20);
    assert_eq!(world.witness.count(|answer| *answer == Answer::NotSent), 0);
}
