//! Bar 5: claiming a hundred places must not cost more in a long queue than in a short one, half of the lanes closed.

use crate::{Failure, median};
use carillon_model::{ContactId, Moment, SubCampaignId};
use carillon_store::queue::Place;
use carillon_store::{Store, Urgency};
use std::time::Instant;

/// Lanes of the run; every second one is closed and never asked.
const LANES: u32 = 20;
/// Places of one claim.
const CLAIM: usize = 100;
/// Claims measured at each length.
const CLAIMS: usize = 200;
/// Places added in one unit.
const PIECE: i64 = 5_000;
/// Lengths of the queue.
const LENGTHS: [i64; 3] = [10_000, 1_000_000, 10_000_000];

/// Measures and prints.
pub fn run() -> Result<(), Failure> {
    let mut base = None;
    for length in LENGTHS {
        let milliseconds = claim_milliseconds(length)?;
        let base = *base.get_or_insert(milliseconds);
        println!(
            "{length} waiting: {milliseconds:.3} ms for a claim of {CLAIM}, {:.2}x of the first",
            milliseconds / base
        );
    }
    println!("bar 5: the last ratio (must 5x, aim 2.5x)");
    Ok(())
}

fn claim_milliseconds(length: i64) -> Result<f64, Failure> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(folder.path())?;
    let run = SubCampaignId(1);
    for first in (0..length).step_by(PIECE as usize) {
        store.write_now(Urgency::Bulk, move |transaction| {
            let places: Vec<Place> = (first..(first + PIECE).min(length)).map(place).collect();
            transaction.enqueue(run, &places)
        })?;
    }
    let mut times = Vec::new();
    for round in 0..CLAIMS.min(length as usize / CLAIM / 4) {
        // Lanes with an odd number are closed: the claim goes over the open ones in turn.
        let lane = 2 * (round as u32 % (LANES / 2)) + 2;
        // Timed inside the unit: the sync of the commit is the same at every length and would hide the rest.
        let (claimed, elapsed) = store.write_now(Urgency::People, move |transaction| {
            let start = Instant::now();
            let claimed = transaction.claim(run, 0, lane, Moment(1), CLAIM)?;
            Ok::<_, carillon_store::Error>((claimed.len(), start.elapsed()))
        })?;
        assert_eq!(claimed, CLAIM, "an open lane has places left");
        times.push(elapsed.as_secs_f64() * 1_000.0);
    }
    store.close();
    Ok(median(times))
}

fn place(index: i64) -> Place {
    Place {
        pass: 0,
        lane: (index % i64::from(LANES)) as u32 + 1,
        due: Moment(0),
        rank: index,
        contact: ContactId(index + 1),
    }
}
