//! The benchmarks: built in release beside the server, then run. `docs/performance.md` says what they mean.

use crate::run::{Outcome, cargo, root, run};
use std::process::Command;

/// Measures what is named, or everything.
pub fn bench(names: &[&str]) -> Outcome {
    run(cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "carillon-server",
        "--package",
        "carillon-bench",
    ]))?;
    let mut command = Command::new(root().join("target/release/carillon-bench"));
    command.args(names);
    run(command)
}
