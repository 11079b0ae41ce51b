//! Links that are refused, cut, silent, or speak nonsense; and the orderly end.

use crate::inbound::until;
use crate::world::{World, manners};
use carillon_channel::text::peer::{Misbehaviour, SmscConfig};
use carillon_channel::{Answer, Channel};
use std::time::Duration;

#[tokio::test]
async fn cut_with_a_full_window() {
    let cut = Misbehaviour {
        cut_at: Some(60),
        ..Misbehaviour::default()
    };
    let mut world = World::of(cut).await;
    world.up().await;
    let orders = carillon_channel::conformance::orders("north", 1, world.channel.room().min(100));
    let count = orders.len();
    world.channel.place(orders);
    world
        .until("answers", |witness| witness.answers.len() == count)
        .await;
    world
        .until("the link again", |witness| {
            witness.links == [true, false, true]
        })
        .await;
    assert!(
        world
            .witness
            .answers
            .values()
            .all(|answers| answers.len() == 1)
    );
    let doubts = world.witness.count(|answer| *answer == Answer::Doubt);
    assert!(
        (1..=10).contains(&doubts),
        "{doubts}: what was in the window"
    );
    let taken = usize::try_from(world.smsc.totals().taken).expect("small");
    let accepted = world
        .witness
        .count(|answer| matches!(answer, Answer::Accepted { .. }));
    let not_sent = world.witness.count(|answer| *answer == Answer::NotSent);
    assert!(
        taken >= accepted && taken <= accepted + doubts,
        "each message the carrier took is accepted or in doubt"
    );
    assert_eq!(accepted + doubts + not_sent, count);
    assert_eq!(world.smsc.taken_twice(), []);
}

#[tokio::test]
async fn a_silent_carrier_is_left() {
    let silent = Misbehaviour {
        silent_from: Some(5),
        ..Misbehaviour::default()
    };
    let mut world = World::start(manners(silent), |config| {
        config.response_timeout = Duration::from_millis(200);
        config.enquire_link = Duration::from_millis(100);
        config.window = 4;
    })
    .await;
    world.up().await;
    world
        .channel
        .place(carillon_channel::conformance::orders("north", 1, 12));
    world
        .until("doubts", |witness| {
            witness.count(|answer| *answer == Answer::Doubt) >= 4
        })
        .await;
    world
        .until("the link down", |witness| witness.links.contains(&false))
        .await;
    world
        .until("answers", |witness| witness.answers.len() == 12)
        .await;
    assert_eq!(world.smsc.taken_twice(), []);
}

#[tokio::test]
async fn one_unanswered_message_holds_up_nothing() {
    let manners_of = manners(Misbehaviour {
        unanswered_every: Some(10),
        ..Misbehaviour::default()
    });
    let mut world = World::start(manners_of, |config| {
        config.response_timeout = Duration::from_millis(100)
    })
    .await;
    world.up().await;
    world.place(1, 100).await;
    assert_eq!(world.witness.count(|answer| *answer == Answer::Doubt), 10);
    assert_eq!(
        world.witness.links,
        [true],
        "probes are answered, so the link stays"
    );
}

#[tokio::test]
async fn nonsense_ends_the_link_not_the_channel() {
    let mut world = World::of(Misbehaviour {
        garbage_at: Some(20),
        ..Misbehaviour::default()
    })
    .await;
    world.up().await;
    world
        .channel
        .place(carillon_channel::conformance::orders("north", 1, 40));
    world
        .until("answers", |witness| witness.answers.len() == 40)
        .await;
    world
        .until("the link again", |witness| {
            witness.links == [true, false, true]
        })
        .await;
    world.place(100, 20).await;
    assert_eq!(world.smsc.taken_twice(), []);
}

#[tokio::test]
async fn a_refused_bind_is_tried_again() {
    let mut world = World::of(Misbehaviour {
        refuse_bind: Some(0x0D),
        ..Misbehaviour::default()
    })
    .await;
    assert_eq!(world.channel.room(), 0);
    world
        .channel
        .place(carillon_channel::conformance::orders("north", 1, 3));
    world
        .until("answers", |witness| witness.answers.len() == 3)
        .await;
    assert_eq!(world.witness.count(|answer| *answer == Answer::NotSent), 3);
    world.smsc.misbehave(Misbehaviour::default());
    world.up().await;
    world.place(10, 10).await;
}

#[tokio::test]
async fn a_wrong_password_stays_out() {
    let peer = SmscConfig {
        login: Some(("carillon".to_owned(), "other".to_owned())),
        ..manners(Misbehaviour::default())
    };
    let world = World::start(peer, |_| {}).await;
    tokio::time::timeout(Duration::from_millis(200), world.channel.stopped())
        .await
        .expect_err("it goes on trying");
    assert_eq!((world.smsc.totals().binds, world.channel.room()), (0, 0));
}

#[tokio::test]
async fn with_two_links_one_cut_is_not_the_end() {
    let mut world = World::start(
        manners(Misbehaviour {
            cut_at: Some(50),
            ..Misbehaviour::default()
        }),
        |config| config.binds = 2,
    )
    .await;
    world.up().await;
    let smsc = world.smsc.clone();
    until(|| smsc.totals().binds == 2).await;
    world.place(1, 60).await;
    world.place(1_000, 100).await;
    assert_eq!(
        world.witness.links,
        [true],
        "the carrier could be reached all the time"
    );
    let doubts = world.witness.count(|answer| *answer == Answer::Doubt);
    assert!((1..=10).contains(&doubts), "{doubts}");
    assert_eq!(world.witness.count(|answer| *answer == Answer::NotSent), 0);
    assert_eq!(world.smsc.taken_twice(), []);
}

#[tokio::test]
async fn an_orderly_end_answers_everything() {
    let mut world = World::start(manners(Misbehaviour::default()), |config| {
        config.rate = Some(50.0)
    })
    .await;
    world.up().await;
    world
        .channel
        .place(carillon_channel::conformance::orders("north", 1, 50));
    world
        .until("some answers", |witness| witness.answers.len() >= 5)
        .await;
    world.stop.cancel();
    let (channel, witness, events) = (world.channel.clone(), &mut world.witness, &mut world.events);
    let reading = witness.until(events, "answers and the end", |witness| {
        witness.answers.len() == 50 && witness.links == [true, false]
    });
    tokio::join!(reading, channel.stopped());
    assert_eq!(
        world.witness.count(|answer| *answer == Answer::Doubt),
        0,
        "what was handed over was awaited"
    );
    let accepted = world
        .witness
        .count(|answer| matches!(answer, Answer::Accepted { .. }));
    assert_eq!(
        u64::try_from(accepted).expect("small"),
        world.smsc.totals().taken
    );
    assert_eq!(world.channel.room(), 0);
}
