//! What only the PostgreSQL store promises: group commit, one process, reopening, servers that go away and come back.

use crate::cluster::Cluster;
use crate::common::{attempt, contact, read, refused, write};
use crate::sqlite::run_together;
use carillon_model::contact::DeviceKey;
use carillon_model::{AttemptId, ContactId};
use carillon_store::{Error, Store, Urgency};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn waiting_units_share_a_commit_and_people_go_first() {
    let database = Cluster::shared().database();
    let store = Store::open_database(&database.url()).expect("a store");
    let before = store.statistics();
    let units = [
        (Urgency::Bulk, "b1"),
        (Urgency::People, "p1"),
        (Urgency::People, "p2"),
        (Urgency::Bulk, "b2"),
    ];
    assert_eq!(run_together(&store, &units), ["p1", "p2", "b1", "b2"]);
    let after = store.statistics();
    assert_eq!(after.units - before.units, 5);
    assert!(after.commits - before.commits <= 3, "{after:?}");
    store.close();
}

#[test]
fn a_second_opener_is_refused() {
    let database = Cluster::shared().database();
    let store = Store::open_database(&database.url()).expect("a store");
    let second = Store::open_database(&database.url()).map(|_| ());
    assert!(matches!(second, Err(Error::InUse)), "{second:?}");
    store.close();
    let again = Store::open_database(&database.url()).expect("free again");
    again.close();
}

#[test]
fn everything_is_there_after_reopening() {
    let database = Cluster::shared().database();
    let store = Store::open_database(&database.url()).expect("a store");
    let drawn = write(&store, |unit| unit.take_ids(3));
    let written = attempt(drawn, 1, 10, "+12075550111");
    let expected = written.clone();
    write(&store, move |unit| unit.write_attempts(&[written]));
    store.close();
    let store = Store::open_database(&database.url()).expect("the store");
    let open = read(&store, |snapshot| snapshot.open_attempts(AttemptId(0), 10));
    assert_eq!(open, [expected]);
    assert!(write(&store, |unit| unit.take_ids(1)) >= drawn + 3);
    store.close();
}

#[test]
fn databases_that_are_no_store_of_ours_are_refused() {
    let cluster = Cluster::shared();
    let newer = cluster.database();
    newer.run(&[
        "CREATE TABLE migration (number INTEGER PRIMARY KEY)",
        "INSERT INTO migration SELECT * FROM generate_series(1, 99)",
    ]);
    let error = Store::open_database(&newer.url())
        .map(|_| ())
        .expect_err("too new");
    assert!(error.to_string().contains("schema 99"), "{error}");
    let foreign = cluster.database();
    foreign.run(&["CREATE TABLE contact (id INTEGER)"]);
    assert!(matches!(
        Store::open_database(&foreign.url()).map(|_| ()),
        Err(Error::Database(_))
    ));
    let away = Store::open_database("postgres://nobody@localhost:1/none").map(|_| ());
    assert!(matches!(away, Err(Error::Unreachable(_))), "{away:?}");
    let secret = Store::open_database("postgres://ann:secret@localhost:port/none").map(|_| ());
    let said = secret.expect_err("no port").to_string();
    assert!(!said.contains("secret"), "{said}");
}

#[test]
fn copies_are_made_by_the_servers_own_program() {
    let database = Cluster::shared().database();
    let store = Store::open_database(&database.url()).expect("a store");
    let error = store.backup("copy.db".as_ref()).expect_err("refused");
    assert!(error.to_string().contains("pg_dump"), "{error}");
    store.close();
}

/// PostgreSQL undoes a transaction in which a statement has failed; a unit that hides the failure must not look kept.
#[test]
fn a_unit_that_hides_a_failure_is_undone_alone() {
    let database = Cluster::shared().database();
    let store = Store::open_database(&database.url()).expect("a store");
    write(&store, |unit| unit.put_contacts(1, &[contact(5, "A", &[])]));
    let error = refused(&store, |unit| {
        unit.put_fact("colour", "red")?;
        assert!(unit.put_contacts(1, &[contact(5, "B", &[])]).is_err());
        Ok(())
    });
    assert!(error.to_string().contains("had failed"), "{error}");
    assert_eq!(read(&store, |snapshot| snapshot.fact("colour")), None);
    write(&store, |unit| unit.put_fact("colour", "blue"));
    store.close();
}

#[test]
fn a_text_with_a_zero_is_kept_and_found() {
    let database = Cluster::shared().database();
    let store = Store::open_database(&database.url()).expect("a store");
    let mut sent = attempt(9, 1, 10, "+12075550111");
    sent.text = "a\0b".into();
    write(&store, move |unit| {
        unit.write_attempts(&[sent])?;
        unit.put_contacts(1, &[contact(5, "A\0", &["+12075550111"])])
    });
    let kept = read(&store, |snapshot| snapshot.attempts(&[AttemptId(9)]));
    assert_eq!(
        kept[0].as_ref().map(|kept| kept.text.as_str()),
        Some("a\u{fffd}b")
    );
    let found = read(&store, |snapshot| {
        snapshot.contacts_by_client_id(1, &["A\0"])
    });
    assert_eq!(found, [Some(ContactId(5))]);
    store.close();
}

#[test]
fn a_store_without_its_server_says_so_and_goes_on_when_it_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::private(folder.path());
    let database = cluster.database();
    let store = Store::open_database(&database.url()).expect("a store");
    write(&store, |unit| unit.put_fact("colour", "red"));
    cluster.crash();
    let error = refused(&store, |unit| unit.put_fact("colour", "blue"));
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    let error = store
        .read_now::<_, Error>(|snapshot| snapshot.fact("colour"))
        .expect_err("nobody answers");
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    cluster.start();
    let fact = read(&store, |snapshot| snapshot.fact("colour"));
    assert_eq!(fact.as_deref(), Some("red"));
    until_kept(&store, "green");
    store.close();
    cluster.crash();
}

/// Writes until the writer has noticed that the server is back: it looks again after a pause.
fn until_kept(store: &Store, colour: &'static str) {
    loop {
        let kept = store
            .write_now::<(), Error>(Urgency::People, move |unit| unit.put_fact("colour", colour));
        match kept {
            Ok(()) => return,
            Err(Error::Unreachable(_)) => std::thread::yield_now(),
            Err(other) => panic!("{other}"),
        }
    }
}

/// What was acknowledged is there and what was refused is not, though the server crashes amid the commits.
#[test]
fn a_server_that_crashes_loses_nothing_and_repeats_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = Cluster::private(folder.path());
    let database = cluster.database();
    let store = Store::open_database(&database.url()).expect("a store");
    let stop = AtomicBool::new(false);
    let (kept, lost) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| write_until(&store, &stop)))
            .collect();
        for _ in 0..4 {
            let before = store.statistics().units;
            while store.statistics().units < before + 200 {
                let all_write = writers.iter().all(|writer| !writer.is_finished());
                assert!(all_write, "a writer met an error it should not meet");
                std::thread::sleep(Duration::from_millis(1));
            }
            cluster.crash();
            cluster.start();
        }
        stop.store(true, Ordering::Relaxed);
        let mut all = (Vec::new(), Vec::new());
        for writer in writers {
            let (kept, lost) = writer.join().expect("no panic");
            all.0.extend(kept);
            all.1.extend(lost);
        }
        all
    });
    assert!(!lost.is_empty(), "the crashes came amid the units");
    read(&store, move |snapshot| {
        for id in &kept {
            assert!(
                snapshot.fact(&format!("unit {id}"))?.is_some(),
                "{id} was lost"
            );
        }
        for id in &lost {
            assert!(
                snapshot.fact(&format!("unit {id}"))?.is_none(),
                "{id} was refused and kept"
            );
        }
        let device = DeviceKey::of("+12075550111");
        assert_eq!(
            snapshot.contacts_with_device(device, 10_000)?.len(),
            kept.len().min(10_000)
        );
        Ok(())
    });
    store.close();
    cluster.crash();
}

/// Ids of units that were kept, and of those that were not.
fn write_until(store: &Store, stop: &AtomicBool) -> (Vec<i64>, Vec<i64>) {
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let (sender, drawn) = std::sync::mpsc::channel();
        let answer = store.write_now::<(), Error>(Urgency::People, move |unit| {
            let id = unit.take_ids(1)?;
            sender.send(id).expect("the test listens");
            unit.put_contacts(1, &[contact(id, &format!("C-{id}"), &["+12075550111"])])?;
            unit.put_fact(&format!("unit {id}"), "whole")
        });
        match (answer, drawn.try_recv()) {
            (Ok(()), Ok(id)) => kept.push(id),
            (Err(Error::Unreachable(_)), Ok(id)) => lost.push(id),
            (Err(Error::Unreachable(_)), Err(_)) => std::thread::sleep(Duration::from_millis(5)),
            (other, _) => panic!("{other:?}"),
        }
    }
    (kept, lost)
}
