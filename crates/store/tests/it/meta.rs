//! Facts and epochs.

use crate::common::{read, write};
use carillon_store::Store;
use carillon_store::meta::Topic;

contract! {
    fn facts_are_set_and_epochs_count(store: &Store) {
        assert_eq!(read(store, |snapshot| snapshot.fact("key")), None);
        write(store, |unit| unit.put_fact("key", "old"));
        write(store, |unit| unit.put_fact("key", "new"));
        assert_eq!(read(store, |snapshot| snapshot.fact("key")).as_deref(), Some("new"));
        for _ in 0..3 {
            write(store, |unit| unit.touch(Topic::Rules));
        }
        assert_eq!(read(store, |snapshot| Ok((snapshot.epoch(Topic::Rules)?, snapshot.epoch(Topic::Runs)?))), (3, 0));
    }
}
