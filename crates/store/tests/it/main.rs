//! One contract for every backend: each law runs on a fresh store in memory and on a fresh SQLite store. Beside it stand
//! what only SQLite promises (group commit, reopening, being killed) and the law that both answer alike.

#[macro_use]
mod common;

mod attempt;
mod audit;
mod contact;
mod counter;
mod crash;
mod credential;
mod entity;
mod equality;
mod idempotency;
mod job;
mod meta;
mod progress;
mod queue;
mod receipt;
mod run;
mod sqlite;
mod suppression;
mod unit;
mod verdict;
mod word;
