//! The vocabulary of Carillon: typed ids, the entities of the specification, enumerations, state machines and
//! moments in time. No I/O, no async, no SQL; every other crate speaks in these words. The glossary is README.md.

pub mod agent;
pub mod agent_group;
pub mod attempt;
pub mod campaign;
pub mod compliance_rule;
pub mod contact;
pub mod contact_batch;
pub mod counter;
pub mod entity;
pub mod event;
pub mod id;
pub mod inbound_device;
pub mod job;
pub mod limits;
pub mod list;
pub mod moment;
pub mod name;
pub mod org;
pub mod pacing_info;
pub mod pass;
pub mod platform;
pub mod run;
pub mod script;
pub mod strategy;
pub mod sub_campaign;
pub mod user;
pub mod webhook;
pub mod word;
pub mod zone;

pub use id::*;
pub use moment::Moment;
pub use word::*;
