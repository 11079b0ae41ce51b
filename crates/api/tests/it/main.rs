//! The doors and methods on the memory store, one binary.

mod auth;
mod documents;
mod examples;
mod hostile;
mod json;
mod rows;
mod soap;
mod world;
