//! How people are reached: the contract every channel keeps, a suite that proves it, and one folder per channel. The
//! engine knows capabilities and events, never the kind of channel. `docs/specs/channel.md` says the contract in MUST words.

pub mod conformance;
pub mod contract;
pub mod email;
pub mod limits;
pub mod loopback;
mod post;
pub mod text;

pub use contract::{
    Acknowledge, Answer, Capabilities, Channel, Content, Event, Events, Order, Report,
};
