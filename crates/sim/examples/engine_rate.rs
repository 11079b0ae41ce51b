//! How fast a campaign of one text pass is dialled and disposed, without any carrier's own cost:
//! `cargo run -p carillon-sim --example engine_rate -- PEOPLE [FOLDER]`. Without a folder the store is in memory.

use carillon_channel::{Acknowledge, Answer, Capabilities, Event, Report};
use carillon_engine::{Carrier, Chores, Engine, Inputs};
use carillon_model::moment::MINUTE;
use carillon_model::pass::Pass;
use carillon_model::{ChannelType, Moment, PacingType, PassId};
use carillon_sim::world;
use carillon_store::{Error, Store, Urgency};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::time::Instant;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let people: usize = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    let store = match arguments.next() {
        Some(folder) => Store::open(std::path::Path::new(&folder))?,
        None => Store::memory(),
    };
    // 16:00 in London, 11:00 in New York, 8:00 in Los Angeles.
    let mut now = Moment(1_781_708_400_000);
    let installation = world::install(&store, now)?;
    let mut chance = SmallRng::seed_from_u64(1);
    let list = (0..people)
        .map(|number| world::person(number, &mut chance))
        .collect();
    let mut pass = Pass::new(PassId(1), "Only", ChannelType::Text);
    pass.pacing = Some(PacingType::Fixed);
    pass.contacts_per_minute = Some(60_000_000.0);
    world::sub_campaign(&store, installation, list, vec![pass], now)?;

    let begun = Instant::now();
    let mut chores = Chores::default();
    loop {
        let (done, piece) = store.write_now(Urgency::Bulk, move |tx| {
            let piece = chores.work(tx, now)?;
            Ok::<_, Error>((chores, piece))
        })?;
        chores = done;
        if !piece.more {
            break;
        }
    }
    println!("load: {:.1} us a contact", per(begun, people));

    let carrier = Carrier {
        name: "sink".into(),
        emulated: false,
        capabilities: Capabilities {
            channel: ChannelType::Text,
            rate_per_second: None,
            window: 10_000,
            receipts: true,
            receipt_wait_ms: 10 * MINUTE,
            idempotent: false,
            query: false,
        },
    };
    let mut engine = Engine::start(vec![carrier], 1);
    let mut events: Vec<Event> = Vec::new();
    let mut dialled = 0;
    let mut idle = 0;
    let mut steps = 0u64;
    let begun = Instant::now();
    let mut inside = std::time::Duration::ZERO;
    while idle < 3 {
        now = now.plus(10);
        let given = std::mem::take(&mut events);
        let ((taken, decisions), spent) = store.write_now(Urgency::People, move |tx| {
            let started = Instant::now();
            let inputs = Inputs {
                events: given,
                room: vec![10_000],
            };
            let decisions = engine.step(tx, now, inputs)?;
            Ok::<_, Error>(((engine, decisions), started.elapsed()))
        })?;
        engine = taken;
        inside += spent;
        steps += 1;
        dialled += decisions.done.attempts;
        idle = if decisions.done.attempts == 0 && decisions.done.ended == 0 {
            idle + 1
        } else {
            0
        };
        for order in &decisions.orders[0] {
            let message_id = order.attempt.to_string();
            events.push(Event::Answer {
                attempt: order.attempt,
                answer: Answer::Accepted {
                    message_ids: vec![message_id.clone()],
                },
                at: now,
            });
            events.push(Event::Report {
                carrier: "sink".into(),
                message_id,
                reference: None,
                report: Report::Delivered,
                at: now,
                acknowledge: Acknowledge::none(),
            });
        }
    }
    println!(
        "dial and dispose with receipts: {:.1} us an attempt, {:.1} of it in the step; {dialled} attempts in {steps} steps",
        per(begun, dialled),
        inside.as_secs_f64() * 1e6 / dialled.max(1) as f64,
    );
    store.close();
    Ok(())
}

fn per(begun: Instant, count: usize) -> f64 {
    begun.elapsed().as_secs_f64() * 1e6 / count.max(1) as f64
}
