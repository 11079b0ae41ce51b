//! Receipts before the response, twice, never, oddly spelled; ids in two number systems; refusals and throttling.

use crate::world::{World, fates, manners};
use carillon_channel::text::Spelling;
use carillon_channel::text::peer::{Fate, Fates, IdSpelling, Misbehaviour, ReceiptSpelling};
use carillon_channel::{Answer, Channel, Report};
use carillon_model::{AttemptId, AttemptResult};
use std::collections::HashSet;
use std::time::Duration;

/// Every accepted id is reported delivered, in its own spelling.
async fn all_reported(world: &mut World, count: usize) {
    world.up().await;
    world.place(1, count).await;
    world
        .until("reports", |witness| {
            // A receipt that comes twice counts once.
            let reported = witness.reports.iter().map(|(id, ..)| id);
            reported.collect::<HashSet<_>>().len() >= count
        })
        .await;
    let ids: HashSet<String> = world
        .witness
        .answers
        .values()
        .flatten()
        .flat_map(|answer| match answer {
            Answer::Accepted { message_ids } => message_ids.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let reported: HashSet<String> = world
        .witness
        .reports
        .iter()
        .map(|(id, ..)| id.clone())
        .collect();
    assert_eq!(reported, ids);
    assert!(
        world
            .witness
            .reports
            .iter()
            .all(|(.., report)| *report == Report::Delivered)
    );
}

#[tokio::test]
async fn before_the_response() {
    let mut world = World::of(Misbehaviour {
        receipt_first: true,
        ..Misbehaviour::default()
    })
    .await;
    all_reported(&mut world, 100).await;
}

#[tokio::test]
async fn twice() {
    let mut world = World::of(Misbehaviour {
        receipt_twice: true,
        ..Misbehaviour::default()
    })
    .await;
    all_reported(&mut world, 50).await;
    world
        .until("the second ones", |witness| witness.reports.len() == 100)
        .await;
}

#[tokio::test]
async fn never_and_then_asked_for() {
    let mut world = World::of(Misbehaviour {
        receipt_never: true,
        ..Misbehaviour::default()
    })
    .await;
    world.up().await;
    world.place(1, 20).await;
    let queries = world
        .witness
        .answers
        .iter()
        .map(|(attempt, answers)| match &answers[..] {
            [Answer::Accepted { message_ids }] => {
                (*attempt, message_ids[0].clone(), "72273".to_owned())
            }
            other => panic!("{other:?}"),
        });
    let queries = queries.collect();
    world.channel.query(queries);
    world
        .until("answers to queries", |witness| witness.queried.len() == 20)
        .await;
    assert!(
        world
            .witness
            .queried
            .iter()
            .all(|(.., report)| *report == Some(Report::Delivered))
    );
    assert_eq!(world.witness.reports.len(), 0);
}

#[tokio::test]
async fn in_every_spelling() {
    for receipts in [
        ReceiptSpelling::Odd,
        ReceiptSpelling::Parameters,
        ReceiptSpelling::DataSm,
    ] {
        let mut world = World::of(Misbehaviour {
            receipts,
            ..Misbehaviour::default()
        })
        .await;
        all_reported(&mut world, 20).await;
    }
}

#[tokio::test]
async fn references_come_back() {
    let mut world = World::of(Misbehaviour::default()).await;
    all_reported(&mut world, 5).await;
    let references: HashSet<Option<u64>> = world
        .witness
        .reports
        .iter()
        .map(|(_, reference, _)| *reference)
        .collect();
    assert_eq!(references, (1..=5).map(Some).collect());
}

#[tokio::test]
async fn hexadecimal_and_decimal_ids() {
    for ids in [IdSpelling::HexThenDecimal, IdSpelling::DecimalThenHex] {
        let mut world = World::of(Misbehaviour {
            ids,
            ..Misbehaviour::default()
        })
        .await;
        all_reported(&mut world, 100).await;
    }
    let known = Misbehaviour {
        ids: IdSpelling::HexThenDecimal,
        ..Misbehaviour::default()
    };
    let mut world = World::start(manners(known), |config| {
        config.message_ids = Spelling::HexThenDecimal
    })
    .await;
    all_reported(&mut world, 20).await;
}

#[tokio::test]
async fn throttled_and_queue_full_are_offered_again_and_only_they() {
    let busy = Misbehaviour {
        throttle_every: Some(5),
        queue_full_every: Some(7),
        ..Misbehaviour::default()
    };
    let mut world = World::of(busy).await;
    all_reported(&mut world, 200).await;
    let totals = world.smsc.totals();
    assert_eq!(totals.taken, 200);
    assert_eq!(totals.submits, 200 + totals.throttled);
    assert!(totals.throttled > 50);
    assert_eq!(world.smsc.taken_twice(), []);
}

#[tokio::test]
async fn refusals_and_failures() {
    let mut dealt = Fates::all_delivered();
    let fate_of = [
        (1, Fate::UnknownSubscriber),
        (2, Fate::Failed),
        (3, Fate::Throttled),
        (4, Fate::Stop),
    ];
    dealt.of_number = fate_of
        .map(|(attempt, fate)| (format!("49151{attempt:08}"), fate))
        .into();
    let mut world = World::start(fates(dealt), |_| {}).await;
    world.up().await;
    world.place(1, 5).await;
    let refused = Answer::Refused {
        result: AttemptResult::BadDevice,
        code: 0x0B,
        permanent: true,
    };
    assert_eq!(world.witness.answers[&AttemptId(1)], [refused]);
    world
        .until("reports and the reply", |witness| {
            witness.reports.len() == 4 && witness.inbound.len() == 1
        })
        .await;
    let failed: Vec<_> = world
        .witness
        .reports
        .iter()
        .filter(|(.., report)| *report != Report::Delivered)
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        failed[0].2,
        Report::Failed {
            code: "UNDELIV 069".to_owned()
        }
    );
    assert_eq!(
        world.witness.inbound,
        [(
            "+4915100000004".to_owned(),
            "72273".to_owned(),
            "STOP".to_owned()
        )]
    );
}

#[tokio::test]
async fn the_rate_is_kept() {
    let mut world = World::start(manners(Misbehaviour::default()), |config| {
        config.rate = Some(200.0)
    })
    .await;
    world.up().await;
    assert!(world.channel.room() <= 200, "one second's worth");
    let began = tokio::time::Instant::now();
    world.place(1, 100).await;
    let took = began.elapsed();
    // 100 at 200 a second, less the twentieth of a second that may be saved up.
    assert!(took >= Duration::from_millis(440), "{took:?}");
}

#[tokio::test]
async fn parts_of_a_long_text() {
    let mut world = World::of(Misbehaviour {
        throttle_every: Some(4),
        ..Misbehaviour::default()
    })
    .await;
    world.up().await;
    let mut orders = carillon_channel::conformance::orders("north", 1, 10);
    for order in &mut orders {
        order.content = carillon_channel::Content::Text {
            body: "ж".repeat(150),
            max_parts: 3,
        };
    }
    world.channel.place(orders);
    world
        .until("answers", |witness| witness.answers.len() == 10)
        .await;
    for answers in world.witness.answers.values() {
        assert!(
            matches!(&answers[..], [Answer::Accepted { message_ids }] if message_ids.len() == 3),
            "{answers:?}"
        );
    }
    world
        .until("reports", |witness| witness.reports.len() == 30)
        .await;
    assert_eq!(world.smsc.taken_twice(), []);
    assert_eq!(world.smsc.totals().taken, 30);
}
