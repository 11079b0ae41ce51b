//! The JSON door: resources below `/api/v1`, problems after RFC 9457, merge patch, cursors.

pub mod address;
mod read;
pub mod write;

pub use read::{arguments, entity};
pub use write::{answer, problem};
