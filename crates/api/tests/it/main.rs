//! The doors and methods on the memory store, one binary.

mod auth;
mod compliance_rule;
mod contact;
mod documents;
mod examples;
mod explain;
mod hostile;
mod job;
mod json;
mod rows;
mod soap;
mod world;
