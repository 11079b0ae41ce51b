//! Credentials: the newest password first, keys by hash, nonces once.

use crate::common::{read, refused, write};
use carillon_model::user::ApiKey;
use carillon_model::{ApiKeyId, Moment, UserId};
use carillon_store::Store;

const USER: UserId = UserId(3);

fn key(id: i64, user: UserId) -> ApiKey {
    ApiKey {
        id: ApiKeyId(id),
        user,
        name: format!("key {id}"),
        created: Moment(id),
        expires: (id % 2 == 0).then_some(Moment(99)),
        hash: [id as u8; 32],
        sealed: vec![1, 2, 3],
    }
}

contract! {
    fn the_newest_password_counts(store: &Store) {
        assert_eq!(read(store, |snapshot| snapshot.password(USER)), None);
        for hash in ["first", "second", "third"] {
            write(store, move |unit| unit.put_password(USER, hash, Moment(1)));
        }
        assert_eq!(read(store, |snapshot| snapshot.password(USER)).as_deref(), Some("third"));
        assert_eq!(read(store, |snapshot| snapshot.password_history(USER, 2)), ["third", "second"]);
        assert_eq!(read(store, |snapshot| snapshot.password(UserId(4))), None);
    }

    fn keys_are_found_by_hash(store: &Store) {
        write(store, |unit| {
            unit.put_api_key(&key(2, USER))?;
            unit.put_api_key(&key(1, USER))?;
            unit.put_api_key(&key(3, UserId(4)))
        });
        assert_eq!(read(store, |snapshot| snapshot.api_key_by_hash(&[2; 32])), Some(key(2, USER)));
        assert_eq!(read(store, |snapshot| snapshot.api_key_by_hash(&[9; 32])), None);
        assert_eq!(read(store, |snapshot| snapshot.api_keys(USER)), [key(1, USER), key(2, USER)]);
        refused(store, |unit| unit.put_api_key(&ApiKey { hash: [2; 32], ..key(7, USER) }));
        assert!(write(store, |unit| unit.delete_api_key(ApiKeyId(2))));
        assert!(!write(store, |unit| unit.delete_api_key(ApiKeyId(2))));
        assert_eq!(read(store, |snapshot| snapshot.api_key_by_hash(&[2; 32])), None);
    }

    fn a_nonce_is_used_once(store: &Store) {
        assert!(write(store, |unit| unit.use_nonce(&[1; 32], Moment(10))));
        assert!(!write(store, |unit| unit.use_nonce(&[1; 32], Moment(11))));
        assert!(write(store, |unit| unit.use_nonce(&[2; 32], Moment(20))));
        assert_eq!(write(store, |unit| unit.drop_nonces(Moment(20))), 1);
        assert!(!write(store, |unit| unit.use_nonce(&[2; 32], Moment(30))));
        assert!(write(store, |unit| unit.use_nonce(&[1; 32], Moment(30))));
    }
}
