//! The other side of the wire: carriers of our own, on loopback. `Smsc` behaves as real ones do, well and badly, for the
//! demo, the tests and the simulation; `Sink` takes everything as fast as it can, for the benchmark.

mod conversation;
mod fate;
mod manners;
mod sink;
mod smsc;

pub use fate::{Fate, Fates};
pub use manners::{Config as SmscConfig, IdSpelling, Misbehaviour, ReceiptSpelling, Totals};
pub use sink::Sink;
pub use smsc::Smsc;
