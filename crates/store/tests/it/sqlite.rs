//! What only the SQLite store promises: group commit, one process, reopening, a copy while it runs.

use crate::common::{attempt, contact, read, write};
use carillon_model::contact::DeviceKey;
use carillon_model::entity::Kind;
use carillon_model::{AttemptId, Moment};
use carillon_store::entity::Document;
use carillon_store::{Error, Store, Transaction, Urgency};
use std::sync::{Arc, Mutex, mpsc};

/// Units of both urgencies that wait together, behind one that holds the writer.
pub fn run_together(store: &Store, units: &[(Urgency, &'static str)]) -> Vec<&'static str> {
    let order = Arc::new(Mutex::new(Vec::new()));
    let (open, gate) = mpsc::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (started, holds) = tokio::sync::oneshot::channel();
        let held = tokio::spawn({
            let store = store.clone();
            async move {
                let hold = move |unit: &mut dyn Transaction| {
                    started.send(()).expect("the test listens");
                    gate.recv().expect("the test opens the gate");
                    unit.put_fact("gate", "open")
                };
                store.write::<_, Error>(Urgency::People, hold).await
            }
        });
        holds.await.expect("the writer holds the first unit");
        let waiting: Vec<_> = units
            .iter()
            .map(|(urgency, name)| {
                let (store, order, urgency, name) =
                    (store.clone(), Arc::clone(&order), *urgency, *name);
                tokio::spawn(async move {
                    let note = move |unit: &mut dyn Transaction| {
                        order.lock().expect("unpoisoned").push(name);
                        unit.put_fact("last", name)
                    };
                    store.write::<_, Error>(urgency, note).await
                })
            })
            .collect();
        // On one thread, tasks run in the order they were made: after a turn all of them are in the queue.
        tokio::task::yield_now().await;
        open.send(()).expect("the writer waits");
        held.await.expect("no panic").expect("kept");
        for one in waiting {
            one.await.expect("no panic").expect("kept");
        }
    });
    Arc::into_inner(order)
        .expect("all have ended")
        .into_inner()
        .expect("unpoisoned")
}

#[test]
fn waiting_units_share_a_commit_and_people_go_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let before = store.statistics();
    let units = [
        (Urgency::Bulk, "b1"),
        (Urgency::Bulk, "b2"),
        (Urgency::People, "p1"),
        (Urgency::People, "p2"),
        (Urgency::Bulk, "b3"),
        (Urgency::People, "p3"),
    ];
    let order = run_together(&store, &units);
    assert_eq!(order, ["p1", "p2", "p3", "b1", "b2", "b3"]);
    let after = store.statistics();
    assert_eq!(after.units - before.units, 7);
    assert!(after.commits - before.commits <= 3, "{after:?}");
    assert_eq!(
        read(&store, |snapshot| snapshot.fact("last")).as_deref(),
        Some("b3")
    );
}

#[test]
fn a_second_opener_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    assert!(matches!(
        Store::open(folder.path()).map(|_| ()),
        Err(Error::InUse)
    ));
    store.close();
    Store::open(folder.path()).map(|_| ()).expect("free again");
}

#[test]
fn everything_is_there_after_reopening() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let drawn = write(&store, |unit| unit.take_ids(3));
    write(&store, |unit| {
        let name = Some("a".to_owned());
        let body = b"{}".to_vec();
        let (created, deleted) = (Moment(1), false);
        unit.insert_document(&Document {
            kind: Kind::List,
            id: 1,
            scope: 2,
            name,
            created,
            deleted,
            version: 1,
            body,
        })?;
        unit.write_attempts(&[
            attempt(5, 1, 10, "+12075550111"),
            attempt(6, 1, 11, "+12075550112"),
        ])
    });
    store.close();
    let store = Store::open(folder.path()).expect("the store");
    let open = read(&store, |snapshot| snapshot.open_attempts(AttemptId(0), 10));
    assert_eq!(
        open,
        [
            attempt(5, 1, 10, "+12075550111"),
            attempt(6, 1, 11, "+12075550112")
        ]
    );
    assert!(
        read(&store, |snapshot| snapshot.document_by_name(
            Kind::List,
            2,
            "a"
        ))
        .is_some()
    );
    assert!(write(&store, |unit| unit.take_ids(1)) >= drawn + 3);
}

#[test]
fn a_copy_is_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    write(&store, |unit| unit.put_fact("colour", "red"));
    let copies = tempfile::tempdir().expect("a folder");
    let target = copies.path().join("carillon.db");
    store.backup(&target).expect("copied");
    assert!(
        store.backup(&target).is_err(),
        "a copy is never written over"
    );
    write(&store, |unit| unit.put_fact("colour", "blue"));
    let copy = Store::open(copies.path()).expect("the copy opens");
    assert_eq!(
        read(&copy, |snapshot| snapshot.fact("colour")).as_deref(),
        Some("red")
    );
}

#[test]
fn a_file_that_is_no_store_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("carillon.db"),
        "this is not a database at all, is it?".repeat(200),
    )
    .expect("written");
    assert!(matches!(
        Store::open(folder.path()).map(|_| ()),
        Err(Error::Database(_))
    ));
}

/// More devices than the small tree holds, so that some were moved and some not; a unit that is undone moves none.
#[test]
fn devices_are_found_wherever_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let phone = |n: i64| {
        format!(
            "+1{:010}",
            n.wrapping_mul(7_368_787).rem_euclid(10_000_000_000)
        )
    };
    let piece = move |first: i64| -> Vec<_> {
        (first..first + 1_000)
            .map(|id| {
                let phones: Vec<String> = (0..9).map(|n| phone(id * 9 + n)).collect();
                let phones: Vec<&str> = phones.iter().map(String::as_str).collect();
                contact(id + 1, &format!("C-{id}"), &phones)
            })
            .collect()
    };
    for first in (0..20_000).step_by(1_000) {
        let contacts = piece(first);
        write(&store, move |unit| unit.put_contacts(1, &contacts));
        let undone = store.write_now::<(), Error>(Urgency::Bulk, move |unit| {
            unit.put_contacts(1, &piece(900_000))?;
            Err(Error::NameInUse)
        });
        assert!(undone.is_err());
    }
    for id in (0..20_000).step_by(371) {
        let device = DeviceKey::of(&phone(id * 9 + 4));
        let found = read(&store, move |snapshot| {
            snapshot.contacts_with_device(device, 5)
        });
        assert_eq!(
            found.iter().map(|contact| contact.id.0).collect::<Vec<_>>(),
            [id + 1]
        );
    }
}
