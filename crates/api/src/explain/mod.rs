//! Why a contact of a run is where it is, and what a whole run waits for. Every contact of a run has exactly one current
//! reason; by state and reason they add up to the run's counters. Read from one snapshot: the engine keeps no second truth.

pub mod contact;
mod current;
mod shapes;
pub mod sub_campaign;
mod why;

pub use current::{Current, RunView, State, Total, Verdict, VerdictKind};
pub use why::Why;
