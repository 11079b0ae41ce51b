//! The whole trip in virtual time: invented people, faulty carriers, crashes. [`simulate`] runs one seed to its end and
//! says what was wrong; the same seed always takes the same course.

pub mod carrier;
mod laws;
mod simulate;
pub mod world;

pub use simulate::{Options, Outcome, simulate, simulate_on};
