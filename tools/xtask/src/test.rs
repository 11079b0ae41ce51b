//! All tests.

use crate::prepare;
use crate::run::{Outcome, cargo, root, run, succeeds};

/// Prepares, then runs the tests (those whose names hold one of the filters, when there are any).
pub fn test(filters: &[&str]) -> Outcome {
    prepare::prepare()?;
    let outcome = run_all(filters);
    stop_database();
    outcome
}

fn run_all(filters: &[&str]) -> Outcome {
    let profile = if std::env::var_os("CI").is_some() {
        "ci"
    } else {
        "default"
    };
    let mut arguments = vec![
        "nextest",
        "run",
        "--workspace",
        "--locked",
        "--profile",
        profile,
    ];
    arguments.extend(filters);
    run(cargo(&arguments))?;
    if filters.is_empty() {
        run(cargo(&["test", "--workspace", "--doc", "--locked"]))?;
    }
    Ok(())
}

/// Stops the PostgreSQL server the tests of the store share: the first of them started it.
fn stop_database() {
    let note = root().join("target/tmp/postgres/data/postmaster.pid");
    let process = std::fs::read_to_string(note).ok();
    if let Some(process) = process.as_deref().and_then(|note| note.lines().next()) {
        // SIGINT ends every connection and stops the server in order. One that is gone needs nothing.
        succeeds("kill", &["-INT", process]);
    }
}
