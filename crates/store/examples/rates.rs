//! Measures the store: list load, durable attempts beside a bare SQLite loop, claims from a short and a long queue.
//!
//! `cargo run --release -p carillon-store --example rates [contacts]`. Every figure stands beside a probe of the disk, because
//! the time of a sync varies twentyfold over minutes: compare ratios and counts, not rates of different runs.

use carillon_model::attempt::{Attempt, Fact};
use carillon_model::contact::{Contact, Device, DeviceKey};
use carillon_model::{
    AttemptId, AttemptResult, ChannelType, ContactId, DeviceType, Direction, LineType, Moment,
    PassId, SubCampaignId,
};
use carillon_store::queue::Place;
use carillon_store::{Error, Store, Urgency};
use rusqlite::{Connection, params};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Contacts or places of one bulk unit.
const PIECE: i64 = carillon_store::limits::CONTACTS_PER_UNIT as i64;
/// Callers that load: one prepares while the units of the others wait together for the writer.
const CALLERS: usize = 6;
/// Attempts of one unit.
const BATCH: i64 = 1_000;
/// Places of one claim.
const CLAIM: usize = 100;

fn main() -> Outcome<()> {
    let contacts: i64 = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(".")?;
    println!("syncs per second before: {:.0}", probe(folder.path())?);
    let store = Store::open(&folder.path().join("store"))?;
    load(&store, folder.path(), contacts)?;
    attempts(&store, folder.path(), 200_000)?;
    for places in [10_000, 1_000_000] {
        claims(&store, places)?;
    }
    println!("resident: {} MB", resident_bytes()? / 1_000_000);
    println!("syncs per second after: {:.0}", probe(folder.path())?);
    store.close();
    Ok(())
}

/// Appends of 4 kB, each synced, for a second.
fn probe(folder: &Path) -> Outcome<f64> {
    let mut file = File::create(folder.join("probe"))?;
    let begun = Instant::now();
    let mut syncs = 0;
    while begun.elapsed() < Duration::from_secs(1) {
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
        syncs += 1;
    }
    Ok(f64::from(syncs) / begun.elapsed().as_secs_f64())
}

/// A list with twelve attributes, a Client ID and two devices for each contact, in bulk pieces.
fn load(store: &Store, folder: &Path, contacts: i64) -> Outcome<()> {
    let (first, before) = (
        store.write_now::<_, Error>(Urgency::Bulk, move |unit| {
            unit.take_ids(contacts.cast_unsigned())
        })?,
        store.statistics(),
    );
    let begun = Instant::now();
    let mut payload = 0;
    let next = std::sync::atomic::AtomicI64::new(0);
    let slowest = std::thread::scope(|scope| {
        let load = || {
            let mut slowest = Duration::ZERO;
            let mut bytes = 0;
            loop {
                let from = next.fetch_add(PIECE, std::sync::atomic::Ordering::Relaxed);
                if from >= contacts {
                    return (slowest, bytes);
                }
                let piece: Vec<Contact> = (from..contacts.min(from + PIECE))
                    .map(|n| contact(first + n, n))
                    .collect();
                bytes += piece.iter().map(raw_bytes).sum::<usize>();
                let asked = Instant::now();
                store
                    .write_now::<_, Error>(Urgency::Bulk, move |unit| unit.put_contacts(1, &piece))
                    .expect("kept");
                slowest = slowest.max(asked.elapsed());
            }
        };
        let callers = [(); CALLERS].map(|()| scope.spawn(load));
        callers
            .map(|caller| caller.join().expect("no panic"))
            .into_iter()
            .fold(Duration::ZERO, |slowest, (other, bytes)| {
                payload += bytes;
                slowest.max(other)
            })
    });
    let seconds = begun.elapsed().as_secs_f64();
    let commits = store.statistics().commits - before.commits;
    let copy = folder.join("copy.db");
    let log = std::fs::metadata(folder.join("store/carillon.db-wal"))?.len();
    store.backup(&copy)?;
    let packed = std::fs::metadata(&copy)?.len();
    let connection = Connection::open(&copy)?;
    let mut tables = connection
        .prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 6")?;
    let tables: Vec<(String, i64)> = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    println!(
        "load: {:.0} contacts/s ({contacts} in {seconds:.2} s, {commits} commits, slowest answer {slowest:?})",
        contacts as f64 / seconds
    );
    let each = |bytes: u64| bytes as f64 / contacts as f64;
    println!(
        "  raw payload {:.0} B, copied store {:.0} B ({:.2}x), log {:.1} MB",
        each(payload as u64),
        each(packed),
        packed as f64 / payload as f64,
        log as f64 / 1e6
    );
    for (name, bytes) in tables {
        println!("  {name}: {:.1} B", each(bytes.cast_unsigned()));
    }
    let file = std::fs::metadata(folder.join("store/carillon.db"))?.len();
    println!(
        "  file as loaded {:.0} B; resident {} MB",
        each(file),
        resident_bytes()? / 1_000_000
    );
    std::fs::remove_file(copy)?;
    Ok(())
}

/// Attempts and their ends through units, and the same number of rows by a bare loop, in turns.
fn attempts(store: &Store, folder: &Path, attempts: i64) -> Outcome<()> {
    let bare = Connection::open(folder.join("bare.db"))?;
    bare.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE attempt (id INTEGER PRIMARY KEY, run INTEGER, contact INTEGER, device INTEGER, written INTEGER, text TEXT)",
    )?;
    let mut ratios = Vec::new();
    for round in 0..3 {
        let begun = Instant::now();
        for from in (0..attempts).step_by(BATCH as usize) {
            bare.execute_batch("BEGIN")?;
            let mut insert =
                bare.prepare_cached("INSERT INTO attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for n in from..from + BATCH {
                insert.execute(params![
                    round * attempts + n,
                    1,
                    n,
                    phone(n, 0),
                    n,
                    "Your order is ready for collection today"
                ])?;
            }
            bare.execute_batch("COMMIT")?;
        }
        let bare_rate = attempts as f64 / begun.elapsed().as_secs_f64();
        let first = store.write_now::<_, Error>(Urgency::Bulk, move |unit| {
            unit.take_ids(attempts.cast_unsigned())
        })?;
        let batches: Vec<Vec<Attempt>> = (0..attempts)
            .step_by(BATCH as usize)
            .map(|from| {
                (from..from + BATCH)
                    .map(|n| attempt(first + n, round + 1, n))
                    .collect()
            })
            .collect();
        let before = store.statistics().commits;
        let begun = Instant::now();
        for rows in batches {
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
        ratios.push(rate / bare_rate);
        println!(
            "attempts: {rate:.0}/s, ends {facts_rate:.0}/s, bare loop {bare_rate:.0}/s, ratio {:.2}, {:.0} attempts a sync",
            rate / bare_rate,
            attempts as f64 / commits as f64
        );
    }
    ratios.sort_unstable_by(f64::total_cmp);
    println!("attempts: median ratio {:.2}", ratios[1]);
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
        let asked = store.write_now::<_, Error>(Urgency::People, move |unit| {
            let begun = Instant::now();
            let claimed = unit.claim(run, 0, lane, Moment(1), CLAIM)?;
            assert_eq!(claimed.len(), CLAIM);
            Ok(begun.elapsed())
        })?;
        times.push(asked);
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

/// What the client sent, without names and marks.
fn raw_bytes(contact: &Contact) -> usize {
    let devices: usize = contact
        .devices
        .iter()
        .map(|device| device.address.len())
        .sum();
    contact.external_id.len()
        + devices
        + contact.attributes.values().map(String::len).sum::<usize>()
}

fn attempt(id: i64, run: i64, n: i64) -> Attempt {
    let device = DeviceKey(phone(n, 0));
    Attempt {
        id: AttemptId(id),
        run: SubCampaignId(run),
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

/// Resident memory of this process.
fn resident_bytes() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1_024)
}
