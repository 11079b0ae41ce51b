//! Units of work: kept as a whole or not at all, seen when durable, by everybody.

use crate::common::{read, refused, write};
use carillon_model::{Moment, SubCampaignId};
use carillon_store::meta::Topic;
use carillon_store::{Error, Store, Urgency};

contract! {
    fn a_unit_sees_its_own_writes_and_others_see_them_afterwards(store: &Store) {
        let seen = write(store, |unit| {
            unit.put_fact("colour", "red")?;
            unit.fact("colour")
        });
        assert_eq!(seen.as_deref(), Some("red"));
        assert_eq!(read(store, |snapshot| snapshot.fact("colour")).as_deref(), Some("red"));
    }

    fn a_refused_unit_leaves_nothing(store: &Store) {
        write(store, |unit| unit.put_fact("colour", "red"));
        let error = refused(store, |unit| {
            unit.put_fact("colour", "blue")?;
            unit.put_fact("size", "large")?;
            Err::<(), _>(Error::NameInUse)
        });
        assert!(matches!(error, Error::NameInUse));
        assert_eq!(read(store, |snapshot| snapshot.fact("colour")).as_deref(), Some("red"));
        assert_eq!(read(store, |snapshot| snapshot.fact("size")), None);
    }

    fn a_unit_that_panics_is_undone_and_the_store_goes_on(store: &Store) {
        let error = refused::<()>(store, |unit| {
            unit.put_fact("colour", "blue")?;
            panic!("out of paint")
        });
        assert!(error.to_string().contains("out of paint"), "{error}");
        assert_eq!(read(store, |snapshot| snapshot.fact("colour")), None);
        write(store, |unit| unit.put_fact("colour", "red"));
        assert_eq!(read(store, |snapshot| snapshot.fact("colour")).as_deref(), Some("red"));
    }

    fn a_snapshot_stands_still(store: &Store) {
        write(store, |unit| unit.put_fact("colour", "red"));
        let writer = store.clone();
        let (first, second) = read(store, move |snapshot| {
            let first = snapshot.fact("colour")?;
            write(&writer, |unit| unit.put_fact("colour", "blue"));
            Ok((first, snapshot.fact("colour")?))
        });
        assert_eq!(first, second);
        assert_eq!(read(store, |snapshot| snapshot.fact("colour")).as_deref(), Some("blue"));
    }

    fn reads_do_not_wait_for_the_unit_that_runs(store: &Store) {
        let reader = store.clone();
        let seen = write(store, move |unit| {
            unit.put_fact("colour", "red")?;
            Ok(read(&reader, |snapshot| snapshot.fact("colour")))
        });
        assert_eq!(seen, None);
    }

    fn ids_of_failed_units_are_lost(store: &Store) {
        let first = write(store, |unit| unit.take_ids(5));
        let (sender, lost) = std::sync::mpsc::channel();
        refused(store, move |unit| {
            sender.send(unit.take_ids(3)?).expect("somebody listens");
            Err::<(), _>(Error::NameInUse)
        });
        let lost = lost.recv().expect("drawn");
        let next = write(store, |unit| unit.take_ids(1));
        assert!(first > 0);
        assert!(lost >= first + 5);
        assert!(next >= lost + 3);
    }

    fn only_changes_of_runs_and_rules_wake(store: &Store) {
        let mut wake = store.wake();
        wake.mark_unchanged();
        write(store, |unit| unit.put_fact("colour", "red"));
        assert!(!wake.has_changed().expect("open"));
        refused(store, |unit| {
            unit.touch(Topic::Rules)?;
            Err::<(), _>(Error::NameInUse)
        });
        assert!(!wake.has_changed().expect("open"));
        write(store, |unit| unit.touch(Topic::Rules));
        assert!(wake.has_changed().expect("open"));
        assert_eq!(read(store, |snapshot| snapshot.epoch(Topic::Rules)), 1);
        assert_eq!(read(store, |snapshot| snapshot.epoch(Topic::Runs)), 0);
    }

    fn units_are_counted(store: &Store) {
        let before = store.statistics();
        write(store, |unit| unit.put_fact("colour", "red"));
        write(store, |unit| unit.put_fact("colour", "blue"));
        refused(store, |_| Err::<(), _>(Error::NameInUse));
        let after = store.statistics();
        assert_eq!(after.units - before.units, 2);
        assert_eq!(after.commits - before.commits, 2);
    }

    fn a_closed_store_refuses(store: &Store) {
        store.close();
        assert!(matches!(refused(store, |unit| unit.put_fact("colour", "red")), Error::Closed));
        let read = store.read_now::<_, Error>(|snapshot| snapshot.fact("colour"));
        assert!(matches!(read, Err(Error::Closed)));
    }

    fn the_async_door_answers_like_the_other(store: &Store) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let fact = runtime.block_on(async {
            store.write::<_, Error>(Urgency::Bulk, |unit| unit.put_fact("colour", "red")).await?;
            store.read::<_, Error>(|snapshot| snapshot.fact("colour")).await
        });
        assert_eq!(fact.expect("read").as_deref(), Some("red"));
    }

    fn a_panicking_read_harms_nobody(store: &Store) {
        for _ in 0..carillon_store::limits::READERS * 2 {
            let store = store.clone();
            let panicked = std::thread::spawn(move || read::<()>(&store, |_| panic!("lost my glasses"))).join();
            assert!(panicked.is_err());
        }
        assert_eq!(read(store, |snapshot| snapshot.next_due(SubCampaignId(1), 0, 1)), None::<Moment>);
    }
}
