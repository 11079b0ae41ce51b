//! Measures the store on PostgreSQL: list load beside a bare COPY of the same rows, durable attempts, claims from a short and a
//! long queue.
//!
//! `cargo run --release -p carillon-store --example database_rates <url of an empty database> [contacts]`. The bare COPY goes
//! to a table with a primary key, made beside the store in the same database and dropped again.

use carillon_model::attempt::{Attempt, Fact};
use carillon_model::contact::{Contact, Device, DeviceKey};
use carillon_model::{
    AttemptId, AttemptResult, ChannelType, ContactId, DeviceType, Direction, LineType, Moment,
    PassId, SubCampaignId,
};
use carillon_store::queue::Place;
use carillon_store::{Error, Store, Urgency};
use std::error::Error as StdError;
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

type Outcome<T> = Result<T, Box<dyn StdError>>;

/// Contacts or places of one bulk unit.
const PIECE: i64 = carillon_store::limits::CONTACTS_PER_UNIT as i64;
/// Callers that load: one prepares while the units of the others wait together for the writer.
const CALLERS: usize = 6;
/// Attempts of one unit.
const BATCH: i64 = 1_000;
/// Places of one claim.
const CLAIM: usize = 100;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("the url of an empty database")?;
    let contacts: i64 = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        Ok::<_, tokio_postgres::Error>(client)
    })?;
    let store = Store::open_database(&url)?;
    let mut ratios = Vec::new();
    for round in 0..3 {
        let bare = runtime.block_on(copy(&client, contacts))?;
        let ours = load(&store, 1 + round, contacts)?;
        println!(
            "load: {ours:.0} contacts/s, bare COPY {bare:.0} rows/s, ratio {:.2}",
            ours / bare
        );
        ratios.push(ours / bare);
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!("load: median ratio {:.2}", ratios[1]);
    let sizes = runtime.block_on(client.query(
        "SELECT relname::TEXT, pg_relation_size(oid) FROM pg_class WHERE relname LIKE 'contact%' ORDER BY 2 DESC",
        &[],
    ))?;
    for row in sizes {
        let (name, bytes): (String, i64) = (row.get(0), row.get(1));
        println!("  {name}: {:.1} B", bytes as f64 / (3 * contacts) as f64);
    }
    attempts(&store, 200_000)?;
    for places in [10_000, 1_000_000] {
        claims(&store, places)?;
    }
    store.close();
    Ok(())
}

/// The same contacts into one table with a key, in one stream and one transaction; answers rows a second.
async fn copy(client: &Client, contacts: i64) -> Outcome<f64> {
    let columns: Vec<String> = (1..=15).map(|column| format!("c{column} TEXT")).collect();
    client
        .batch_execute(&format!(
            "DROP TABLE IF EXISTS bare; CREATE TABLE bare (id BIGINT PRIMARY KEY, {})",
            columns.join(", ")
        ))
        .await?;
    let begun = Instant::now();
    let sink = client
        .copy_in("COPY bare FROM STDIN (FORMAT binary)")
        .await?;
    let types: Vec<Type> = std::iter::once(Type::INT8)
        .chain((1..=15).map(|_| Type::TEXT))
        .collect();
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for n in 0..contacts {
        let contact = contact(n, n);
        let mut row: Vec<&(dyn ToSql + Sync)> = vec![&n, &contact.external_id];
        row.extend(
            contact
                .devices
                .iter()
                .map(|device| &device.address as &(dyn ToSql + Sync)),
        );
        row.extend(
            contact
                .attributes
                .values()
                .map(|value| value as &(dyn ToSql + Sync)),
        );
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    let rate = contacts as f64 / begun.elapsed().as_secs_f64();
    client.batch_execute("DROP TABLE bare").await?;
    Ok(rate)
}

/// A list with twelve attributes, a Client ID and two devices for each contact, in bulk pieces; answers contacts a second.
fn load(store: &Store, container: i64, contacts: i64) -> Outcome<f64> {
    let first = store.write_now::<_, Error>(Urgency::Bulk, move |unit| {
        unit.take_ids(contacts.cast_unsigned())
    })?;
    let begun = Instant::now();
    let next = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                loop {
                    let from = next.fetch_add(PIECE, Ordering::Relaxed);
                    if from >= contacts {
                        return;
                    }
                    let piece: Vec<Contact> = (from..contacts.min(from + PIECE))
                        .map(|n| contact(first + n, n))
                        .collect();
                    store
                        .write_now::<_, Error>(Urgency::Bulk, move |unit| {
                            unit.put_contacts(container, &piece)
                        })
                        .expect("kept");
                }
            });
        }
    });
    Ok(contacts as f64 / begun.elapsed().as_secs_f64())
}

/// Attempts and their ends through units.
fn attempts(store: &Store, attempts: i64) -> Outcome<()> {
    let first = store.write_now::<_, Error>(Urgency::Bulk, move |unit| {
        unit.take_ids(attempts.cast_unsigned())
    })?;
    let before = store.statistics().commits;
    let begun = Instant::now();
    for from in (0..attempts).step_by(BATCH as usize) {
        let rows: Vec<Attempt> = (from..from + BATCH)
            .map(|n| attempt(first + n, n))
            .collect();
        store.write_now::<_, Error>(Urgency::People, move |unit| unit.write_attempts(&rows))?;
    }
    let rate = attempts as f64 / begun.elapsed().as_secs_f64();
    let commits = store.statistics().commits - before;
    let begun = Instant::now();
    for from in (0..attempts).step_by(BATCH as usize) {
        let facts: Vec<(AttemptId, Fact)> = (from..from + BATCH)
            .map(|n| (AttemptId(first + n), ended()))
            .collect();
        store.write_now::<_, Error>(Urgency::People, move |unit| unit.add_facts(&facts))?;
    }
    let facts_rate = attempts as f64 / begun.elapsed().as_secs_f64();
    println!(
        "attempts: {rate:.0}/s, ends {facts_rate:.0}/s, {:.0} attempts a sync",
        attempts as f64 / commits as f64
    );
    Ok(())
}

/// Claims of a hundred from a queue of so many places, in key order unrelated to the order in which they were put.
fn claims(store: &Store, places: i64) -> Outcome<()> {
    let run = SubCampaignId(places);
    let begun = Instant::now();
    for from in (0..places).step_by(PIECE as usize) {
        let piece: Vec<Place> = (from..from + PIECE)
            .map(|n| Place {
                pass: 0,
                lane: 1 + (n % 4) as u32,
                due: Moment(0),
                rank: n * 7_919 % 1_000_003,
                contact: ContactId(n),
            })
            .collect();
        store.write_now::<_, Error>(Urgency::Bulk, move |unit| unit.enqueue(run, &piece))?;
    }
    let enqueued = places as f64 / begun.elapsed().as_secs_f64();
    let mut times = Vec::new();
    for turn in 0..60 {
        let lane = 1 + turn % 3;
        times.push(store.write_now::<_, Error>(Urgency::People, move |unit| {
            let begun = Instant::now();
            let claimed = unit.claim(run, 0, lane, Moment(1), CLAIM)?;
            assert_eq!(claimed.len(), CLAIM);
            Ok(begun.elapsed())
        })?);
    }
    times.sort_unstable();
    println!(
        "queue of {places}: enqueued {enqueued:.0}/s, claim of {CLAIM} {:?} median, {:?} slowest",
        times[30], times[59]
    );
    Ok(())
}

/// A phone number that is unlike its neighbours.
fn phone(n: i64, device: i64) -> i64 {
    12_000_000_000 + ((n * 2 + device) * 7_368_787).rem_euclid(9_999_999_967) / 10
}

fn contact(id: i64, n: i64) -> Contact {
    let device = |number: i64| Device {
        address: format!("+{}", phone(n, number)),
        device_type: if number == 0 {
            DeviceType::Mobile
        } else {
            DeviceType::Home
        },
        number: number as u8 + 1,
        time_zone: None,
        line_type: LineType::Unknown,
    };
    let attributes = [
        ("firstName", format!("First{:06}", n % 100_000)),
        ("lastName", format!("Last{:06}", n % 70_000)),
        ("company", format!("Company {:05}", n % 5_000)),
        ("postalCode", format!("{:05}", n % 100_000)),
        ("state", "ME".to_owned()),
        ("country", "US".to_owned()),
        ("other1", format!("account number {n:010}")),
        ("other2", format!("balance {:08}", n * 17 % 100_000_000)),
        ("other3", "2026-11-24".to_owned()),
        ("other4", format!("branch {:04}", n % 900)),
        ("other5", format!("product {:010}", n % 1_234)),
        ("other6", "preferred customer since spring".to_owned()),
    ];
    Contact {
        id: ContactId(id),
        container: 1,
        external_id: format!("C-{n:08}"),
        devices: vec![device(0), device(1)],
        attributes: attributes
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
    }
}

fn attempt(id: i64, n: i64) -> Attempt {
    let device = DeviceKey(phone(n, 0));
    Attempt {
        id: AttemptId(id),
        run: SubCampaignId(1),
        batch: None,
        pass: 0,
        pass_id: PassId(5),
        account: 2,
        // The contact that was loaded with this phone: ids of contacts begin at 1.
        contact: ContactId(n + 1),
        device,
        address: format!("+{}", device.0),
        our_address: "12345".into(),
        channel: ChannelType::Text,
        direction: Direction::Outbound,
        number: 1,
        lane: 1,
        rank: n,
        carrier: "first".into(),
        text: "Your order is ready for collection today".into(),
        written: Moment(1_795_000_000_000 + n),
        accepted: None,
        parts: 0,
        parts_delivered: 0,
        ended: None,
        result: None,
        reason: None,
        script_result: None,
        carrier_status: None,
        archived: false,
    }
}

fn ended() -> Fact {
    Fact::Ended {
        at: Moment(1_795_000_000_000),
        result: AttemptResult::Success,
        reason: None,
        script_result: None,
        carrier_status: None,
    }
}
