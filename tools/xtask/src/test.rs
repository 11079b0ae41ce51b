//! All tests.

use crate::prepare;
use crate::run::{Outcome, cargo, run};

/// Prepares, then runs the tests (those whose names hold one of the filters, when there are any).
pub fn test(filters: &[&str]) -> Outcome {
    prepare::prepare()?;
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
