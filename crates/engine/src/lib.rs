//! The life of a contact after it was admitted, named in order of life: [`admit`] loads it, [`schedule`] says when and in
//! which lane it waits, [`pace`] how many may start, [`dial`] writes the attempts, [`dispose`] takes what became of them,
//! [`receive`] what people send us. [`converge`] moves the states, [`reconcile`] what a crash left open.
//!
//! [`core::Engine::step`] is pure; [`driver`] gives it time, events and transactions, and does what it decided after the
//! commit. The engine and the doors do not know each other: they meet in the store.

pub mod admit;
pub mod carriers;
pub mod changes;
mod claim;
mod conclude;
pub mod context;
pub mod converge;
pub mod core;
pub mod dial;
pub mod dispose;
pub mod driver;
pub mod invariant;
pub mod limits;
pub mod metrics;
pub mod pace;
pub mod receive;
pub mod reconcile;
pub mod schedule;
pub mod status;
mod withdraw;

pub use admit::Chores;
pub use carriers::Carrier;
pub use core::{Decisions, Done, Engine, Inputs};
pub use driver::{Driver, Handle};
pub use status::Status;
