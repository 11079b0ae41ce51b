//! Long runs of tests that are short in the continuous integration.

use crate::run::{Outcome, cargo, run};

/// Kills of a long run.
const KILLS: &str = "200";

/// kill -9 of a running campaign at random moments; prints its seed, which replays the moments.
pub fn crash(arguments: &[&str]) -> Outcome {
    let kills = arguments.first().copied().unwrap_or(KILLS);
    let mut command = cargo(&[
        "nextest",
        "run",
        "--package",
        "carillon-server",
        "--locked",
        "--profile",
        "soak",
        "--no-capture",
        "-E",
        "test(a_campaign_survives_kills)",
    ]);
    command.env("CARILLON_KILLS", kills);
    if let Some(seed) = arguments.get(1) {
        command.env("CARILLON_SEED", seed);
    }
    run(command)
}
