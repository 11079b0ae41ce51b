//! Bar 3: durable attempt records through the store's group commit, beside bare SQLite at synchronous=FULL with a
//! thousand rows a transaction; bar 4: syncs per attempt.

use crate::{Failure, median};
use carillon_model::attempt::Attempt;
use carillon_model::contact::DeviceKey;
use carillon_model::{AttemptId, ChannelType, ContactId, Direction, Moment, PassId, SubCampaignId};
use carillon_store::{Store, Urgency};
use std::time::Instant;

/// Rows of one unit, and of one transaction of the limit.
const ROWS: usize = 1_000;
/// Units of one run.
const UNITS: usize = 200;
/// Runs of each side, one after the other.
const RUNS: usize = 3;

/// Measures and prints.
pub fn run() -> Result<(), Failure> {
    let (mut ours, mut limit, mut syncs) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..RUNS {
        let (rate, syncs_per_row) = store_rate()?;
        ours.push(rate);
        syncs = syncs_per_row;
        limit.push(bare_rate()?);
    }
    let (ours, limit) = (median(ours), median(limit));
    println!("durable attempts: {ours:.0}/s; bare SQLite FULL, {ROWS} a transaction: {limit:.0}/s");
    println!("bar 3: {:.2}x (must 0.2x, aim 0.5x)", ours / limit);
    println!(
        "bar 4 (ledger alone): 1 sync per {:.0} attempts",
        1.0 / syncs
    );
    Ok(())
}

fn store_rate() -> Result<(f64, f64), Failure> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    let before = store.statistics();
    let start = Instant::now();
    for _ in 0..UNITS {
        store.write_now(Urgency::People, |transaction| {
            let first = transaction.take_ids(ROWS as u64)?;
            let rows: Vec<Attempt> = (first..first + ROWS as i64).map(attempt).collect();
            transaction.write_attempts(&rows)
        })?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let commits = store.statistics().commits - before.commits;
    store.close();
    let rows = (UNITS * ROWS) as f64;
    Ok((rows / seconds, commits as f64 / rows))
}

/// The limit: the same number of narrow records of about 70 bytes, nothing else.
fn bare_rate() -> Result<f64, Failure> {
    let folder = tempfile::tempdir()?;
    let mut connection = rusqlite::Connection::open(folder.path().join("bare.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE attempt (id INTEGER PRIMARY KEY, contact INTEGER, device INTEGER,
         run INTEGER, pass INTEGER, number INTEGER, written INTEGER, state INTEGER, carrier TEXT)",
    )?;
    let start = Instant::now();
    let mut id = 0i64;
    for _ in 0..UNITS {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO attempt VALUES (?1, ?2, ?3, 1, 0, 1, ?4, 0, 'sink')",
            )?;
            for _ in 0..ROWS {
                id += 1;
                insert.execute((
                    id,
                    id + 5_000_000,
                    12_075_550_000 + id,
                    1_795_525_509_120 + id,
                ))?;
            }
        }
        transaction.commit()?;
    }
    Ok((UNITS * ROWS) as f64 / start.elapsed().as_secs_f64())
}

fn attempt(id: i64) -> Attempt {
    let address = format!("+1207555{:07}", id % 10_000_000);
    Attempt {
        id: AttemptId(id),
        run: SubCampaignId(1),
        batch: None,
        pass: 0,
        pass_id: PassId(2),
        account: 3,
        contact: ContactId(id + 5_000_000),
        device: DeviceKey::of(&address),
        address,
        our_address: "55555".to_owned(),
        channel: ChannelType::Text,
        direction: Direction::Outbound,
        number: 1,
        lane: 1,
        rank: id,
        carrier: "sink".to_owned(),
        text: "Your appointment is tomorrow at nine.".to_owned(),
        written: Moment(1_795_525_509_120 + id),
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
