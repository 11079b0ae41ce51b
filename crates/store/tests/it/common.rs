//! Fresh stores, short ways to write and read, and samples.

use crate::cluster::Cluster;
use carillon_model::attempt::Attempt;
use carillon_model::contact::{Contact, Device, DeviceKey};
use carillon_model::{
    AttemptId, AttemptResult, BatchId, ChannelType, ContactId, DeviceType, Direction, LineType,
    Moment, PassId, SubCampaignId,
};
use carillon_store::{Error, Result, Snapshot, Store, Transaction, Urgency};

/// Declares laws, each a test on every backend.
macro_rules! contract {
    ($($(#[$note:meta])* fn $name:ident($store:ident: &$type:ty) $body:block)+) => {$(
        mod $name {
            use super::*;

            $(#[$note])*
            fn law($store: &$type) $body

            #[test]
            fn memory() {
                law(&<$type>::memory());
            }

            #[test]
            fn sqlite() {
                $crate::common::on_sqlite(law);
            }

            #[test]
            fn postgres() {
                $crate::common::on_postgres(law);
            }
        }
    )+};
}

/// Runs a law on a fresh SQLite store.
pub fn on_sqlite(law: fn(&Store)) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    law(&store);
    store.close();
}

/// Runs a law on a fresh PostgreSQL store.
pub fn on_postgres(law: fn(&Store)) {
    let database = Cluster::shared().database();
    let store = Store::open_database(&database.url()).expect("a store");
    law(&store);
    store.close();
}

/// A unit that must succeed.
pub fn write<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
) -> T {
    store
        .write_now::<T, Error>(Urgency::People, work)
        .expect("the unit is kept")
}

/// A unit that must be refused.
pub fn refused<T: Send + std::fmt::Debug + 'static>(
    store: &Store,
    work: impl FnOnce(&mut dyn Transaction) -> Result<T> + Send + 'static,
) -> Error {
    store
        .write_now::<T, Error>(Urgency::People, work)
        .expect_err("the unit is refused")
}

/// A read that must succeed.
pub fn read<T: Send + 'static>(
    store: &Store,
    look: impl FnOnce(&dyn Snapshot) -> Result<T> + Send + 'static,
) -> T {
    store.read_now::<T, Error>(look).expect("the read succeeds")
}

/// A contact with an id, a Client ID and phones.
pub fn contact(id: i64, client_id: &str, phones: &[&str]) -> Contact {
    let device = |(index, address): (usize, &&str)| Device {
        address: (*address).to_owned(),
        device_type: DeviceType::Mobile,
        number: index as u8 + 1,
        time_zone: None,
        line_type: LineType::Unknown,
    };
    Contact {
        id: ContactId(id),
        container: 0,
        external_id: client_id.to_owned(),
        devices: phones.iter().enumerate().map(device).collect(),
        attributes: [
            ("firstName".to_owned(), format!("Ann {id}")),
            ("ticket".to_owned(), "T-1".to_owned()),
        ]
        .into(),
    }
}

/// An outbound text that was just written.
pub fn attempt(id: i64, run: i64, contact: i64, phone: &str) -> Attempt {
    Attempt {
        id: AttemptId(id),
        run: SubCampaignId(run),
        batch: None,
        pass: 0,
        pass_id: PassId(7),
        account: 3,
        contact: ContactId(contact),
        device: DeviceKey::of(phone),
        address: phone.to_owned(),
        our_address: "12345".into(),
        channel: ChannelType::Text,
        direction: Direction::Outbound,
        number: 1,
        lane: 2,
        rank: contact,
        carrier: "first".into(),
        text: format!("Hello {contact}"),
        written: Moment(1_000 + id),
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

/// The same attempt in a batch.
pub fn in_batch(attempt: Attempt, batch: i64) -> Attempt {
    Attempt {
        batch: Some(BatchId(batch)),
        ..attempt
    }
}

/// A fact that ends an attempt.
pub fn ended(at: i64, result: AttemptResult) -> carillon_model::attempt::Fact {
    carillon_model::attempt::Fact::Ended {
        at: Moment(at),
        result,
        reason: None,
        script_result: None,
        carrier_status: Some("stat:DELIVRD".into()),
    }
}

/// A fact that names message ids.
pub fn accepted(at: i64, message_ids: &[&str]) -> carillon_model::attempt::Fact {
    carillon_model::attempt::Fact::Accepted {
        at: Moment(at),
        message_ids: message_ids.iter().map(|id| (*id).to_owned()).collect(),
        parts: message_ids.len() as u16,
    }
}
