//! Everything that can be said about the sources without running the product.

use crate::run::{Outcome, cargo, run};
use crate::{deny, prepare, tidy};

/// The cheap checks first.
pub fn check() -> Outcome {
    tidy::tidy()?;
    run(cargo(&["fmt", "--all", "--check"]))?;
    deny::deny()?;
    run(cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    documentation()?;
    generated_documents()
}

fn documentation() -> Outcome {
    let mut command = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    run(command)
}

/// The committed documents are compared by tests beside the code that prints them. The whole workspace is named so that
/// `test` finds everything built; that no test matches is a failure.
fn generated_documents() -> Outcome {
    prepare::nextest()?;
    let generated = "test(/generated_documents/)";
    run(cargo(&[
        "nextest",
        "run",
        "--workspace",
        "--locked",
        "-E",
        generated,
    ]))
}
