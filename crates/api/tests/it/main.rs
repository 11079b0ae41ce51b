//! The doors and methods on the memory store, one binary.

mod auth;
mod contact;
mod documents;
mod examples;
mod hostile;
mod job;
mod json;
mod rows;
mod soap;
mod world;
