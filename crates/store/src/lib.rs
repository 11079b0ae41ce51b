//! What is kept, and how. Each aggregate has a folder with its traits (`…Read`, `…Write`), its SQL and its backends side
//! by side; one contract suite (`tests/it`) runs on every backend.
//!
//! A caller gives the store a unit of work: a function over a [`Transaction`]. Units that arrive together are run one
//! after the other, each in a savepoint, and made durable by one commit; the answer comes after that commit. A unit that
//! returns an error leaves nothing behind. Reads run on snapshots beside the writer and never wait for it.
//!
//! Units of people ([`Urgency::People`]) go before bulk ([`Urgency::Bulk`]); whoever writes in bulk cuts the work into
//! pieces of at most some 5 ms, so that nobody waits long.

pub mod attempt;
pub mod audit;
pub mod contact;
pub mod counter;
pub mod credential;
pub mod entity;
mod error;
pub mod idempotency;
pub mod job;
pub mod limits;
mod memory;
pub mod meta;
mod postgres;
pub mod progress;
pub mod queue;
pub mod receipt;
pub mod run;
mod sqlite;
pub mod suppression;
mod unit;
pub mod verdict;
mod waiting;

pub use entity::{EntityReadExt, EntityWriteExt};
pub use error::{Error, Result};
pub use unit::{Statistics, Store, Urgency};

/// A consistent view of everything.
pub trait Snapshot:
    entity::EntityRead
    + contact::ContactRead
    + run::RunRead
    + queue::QueueRead
    + progress::ProgressRead
    + attempt::AttemptRead
    + receipt::ReceiptRead
    + verdict::VerdictRead
    + counter::CounterRead
    + suppression::SuppressionRead
    + credential::CredentialRead
    + job::JobRead
    + audit::AuditRead
    + idempotency::IdempotencyRead
    + meta::MetaRead
{
}

/// A unit of work: a snapshot that sees its own writes.
pub trait Transaction:
    Snapshot
    + entity::EntityWrite
    + contact::ContactWrite
    + run::RunWrite
    + queue::QueueWrite
    + progress::ProgressWrite
    + attempt::AttemptWrite
    + receipt::ReceiptWrite
    + verdict::VerdictWrite
    + counter::CounterWrite
    + suppression::SuppressionWrite
    + credential::CredentialWrite
    + job::JobWrite
    + audit::AuditWrite
    + idempotency::IdempotencyWrite
    + meta::MetaWrite
{
}
