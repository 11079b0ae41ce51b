//! Imports into a store: totals, reports, Jobs that are interrupted, cancelled or cannot be run.

mod charset;
mod excel;
mod fixture;
mod import;
mod job;
