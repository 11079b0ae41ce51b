//! Killed at any moment: what was acknowledged is there, whole, and no id is drawn twice.
//!
//! The test starts its own binary again as a writer that acknowledges each unit on its standard output, kills it after some
//! lines and looks at what it left.

use crate::cluster::Cluster;
use crate::common::{attempt, contact, read, write};
use carillon_model::{AttemptId, ContactId, Moment, SubCampaignId};
use carillon_store::queue::Place;
use carillon_store::{Error, Result, Store, Transaction, Urgency};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const PLACE: &str = "CARILLON_STORE_CRASH_PLACE";
const ROUNDS: usize = 8;
const WRITERS: usize = 4;
const RUN: SubCampaignId = SubCampaignId(1);

/// One unit over several aggregates; answers the id it drew.
fn unit(transaction: &mut dyn Transaction) -> Result<i64> {
    let id = transaction.take_ids(3)?;
    let phone = format!("+1207{:07}", id % 10_000_000);
    transaction.put_contacts(7, &[contact(id, &format!("C-{id}"), &[&phone])])?;
    transaction.write_attempts(&[attempt(id + 1, RUN.0, id, &phone)])?;
    transaction.enqueue(RUN, &[place(id)])?;
    transaction.put_fact(&format!("unit {id}"), "whole")?;
    Ok(id)
}

fn place(id: i64) -> Place {
    Place {
        pass: 0,
        lane: 1,
        due: Moment(0),
        rank: id,
        contact: ContactId(id),
    }
}

/// Opens the store in a folder or a database.
fn open(place: &str) -> Store {
    let store = if place.starts_with("host=") {
        Store::open_database(place)
    } else {
        Store::open(Path::new(place))
    };
    store.expect("the store opens after every crash")
}

/// The writer; does nothing unless it was started by the test below.
#[test]
fn writes_until_it_is_killed() {
    let Ok(place) = std::env::var(PLACE) else {
        return;
    };
    let store = open(&place);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let store = &store;
            let urgency = if writer == 0 {
                Urgency::Bulk
            } else {
                Urgency::People
            };
            scope.spawn(move || {
                loop {
                    let id = store.write_now::<i64, Error>(urgency, unit).expect("kept");
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "kept {id}")
                        .and_then(|()| out.flush())
                        .expect("the test listens");
                }
            });
        }
    });
}

/// Lets the writer acknowledge so many units, kills it, and answers all that it had acknowledged.
fn round(place: &str, lines: usize) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "crash::writes_until_it_is_killed", "--nocapture"])
        .env(PLACE, place)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the writer starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped")).lines();
    let number = |line: std::io::Result<String>| line.ok()?.strip_prefix("kept ")?.parse().ok();
    let mut kept: Vec<i64> = output.by_ref().filter_map(number).take(lines).collect();
    child.kill().expect("killed");
    kept.extend(output.filter_map(number));
    child.wait().expect("ended");
    kept
}

#[test]
fn every_acknowledged_unit_survives_being_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    kill_again_and_again(folder.path().to_str().expect("UTF-8"));
}

#[test]
fn postgres_keeps_every_acknowledged_unit_of_a_killed_process() {
    let database = Cluster::shared().database();
    kill_again_and_again(&database.url());
}

fn kill_again_and_again(place: &str) {
    let mut all = BTreeSet::new();
    for number in 0..ROUNDS {
        let kept = round(place, 1 + number * number * 13);
        assert!(!kept.is_empty(), "the writer wrote");
        for id in kept {
            assert!(all.insert(id), "id {id} was drawn twice");
        }
        let store = open(place);
        check(&store, &all);
        store.close();
    }
}

fn check(store: &Store, acknowledged: &BTreeSet<i64>) {
    let whole = read(store, |snapshot| {
        let mut ids = Vec::new();
        let mut after = ContactId(0);
        loop {
            let page = snapshot.contact_page(7, after, 1_000)?;
            let Some(last) = page.last() else {
                return Ok(ids);
            };
            after = last.id;
            for contact in page {
                let id = contact.id.0;
                assert_eq!(
                    snapshot.fact(&format!("unit {id}"))?.as_deref(),
                    Some("whole")
                );
                assert!(snapshot.attempts(&[AttemptId(id + 1)])?[0].is_some());
                assert!(snapshot.is_waiting(RUN, &place(id))?);
                ids.push(id);
            }
        }
    });
    let missing: Vec<_> = acknowledged
        .iter()
        .filter(|id| whole.binary_search(id).is_err())
        .collect();
    assert!(missing.is_empty(), "lost: {missing:?}");
    let count = whole.len() as i64;
    assert_eq!(
        read(store, |snapshot| snapshot.container(7)).contacts,
        count
    );
    assert_eq!(
        read(store, |snapshot| snapshot.waiting(RUN))
            .iter()
            .map(|lane| lane.contacts)
            .sum::<i64>(),
        count
    );
    assert_eq!(
        read(store, |snapshot| snapshot.count_open_attempts(RUN)),
        count
    );
    let fresh = write(store, |unit| unit.take_ids(1));
    assert!(
        whole.last().is_none_or(|last| fresh > last + 2),
        "{fresh} was drawn already"
    );
}
