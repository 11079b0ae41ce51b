//! One contract for every backend: each law runs on a fresh store in memory, in SQLite and in PostgreSQL. Beside it
//! stand what only those on disk promise (group commit, reopening, being killed) and the law that all answer alike.

#[macro_use]
mod common;

mod attempt;
mod audit;
mod cluster;
mod contact;
mod counter;
mod crash;
mod credential;
mod entity;
mod equality;
mod idempotency;
mod job;
mod meta;
mod postgres;
mod progress;
mod queue;
mod receipt;
mod run;
mod sqlite;
mod suppression;
mod unit;
mod verdict;
mod word;
