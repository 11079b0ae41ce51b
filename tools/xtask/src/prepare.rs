//! What the tests need besides Rust: a test runner, and peers that were not written here (an SMS centre on Node, SOAP
//! and SMPP libraries of Python). Only what is missing is fetched; it lands in target/peers.

use crate::run::{Outcome, command, root, run, succeeds};
use std::fs;
use std::path::Path;

/// Version of the test runner that is installed where none is there.
const NEXTEST_VERSION: &str = "0.9.143";
/// Programs of the peers, with the Debian package that has each and arguments with which it succeeds.
const PROGRAMS: [(&str, &[&str], &str); 5] = [
    ("node", &["--version"], "nodejs"),
    ("npm", &["--version"], "npm"),
    ("python3", &["-c", "import venv, ensurepip"], "python3-venv"),
    ("curl", &["--version"], "curl"),
    (
        "/usr/lib/postgresql/15/bin/postgres",
        &["--version"],
        "postgresql-15",
    ),
];
/// What describes the peers: when it is unchanged, nothing is done.
const DESCRIPTIONS: [&str; 3] = ["package.json", "package-lock.json", "requirements.txt"];

/// Prepares everything.
pub fn prepare() -> Outcome {
    nextest()?;
    packages()?;
    peers()
}

/// The test runner.
pub fn nextest() -> Outcome {
    if succeeds("cargo", &["nextest", "--version"]) {
        return Ok(());
    }
    let version = ["--version", NEXTEST_VERSION];
    run(command(
        "cargo",
        &[&["install", "cargo-nextest", "--locked"], &version[..]].concat(),
    ))
}

fn packages() -> Outcome {
    let is_missing = |program: &&(&str, &[&str], &str)| !succeeds(program.0, program.1);
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(is_missing)
        .map(|program| program.2)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let advice = format!(
        "the tests need these Debian packages: {}",
        missing.join(" ")
    );
    if !succeeds("sh", &["-c", "test $(id -u) = 0 && command -v apt-get"]) {
        return Err(advice);
    }
    eprintln!("{advice}");
    // An old package list still serves where the network does not.
    if let Err(reason) = run(command("apt-get", &["update", "--quiet"])) {
        eprintln!("{reason}; going on with the list that is there");
    }
    let install = ["install", "--yes", "--quiet", "--no-install-recommends"];
    let mut command = command("apt-get", &[&install[..], &missing].concat());
    command.env("DEBIAN_FRONTEND", "noninteractive");
    run(command)
}

fn peers() -> Outcome {
    let from = root().join("tests/peers");
    let to = root().join("target/peers");
    let description = describe(&from)?;
    let stamp = to.join("prepared");
    if fs::read_to_string(&stamp).is_ok_and(|prepared| prepared == description) {
        return Ok(());
    }
    fs::create_dir_all(&to).map_err(|error| format!("{}: {error}", to.display()))?;
    for name in DESCRIPTIONS {
        fs::copy(from.join(name), to.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    run(command(
        "npm",
        &[
            "ci",
            "--prefix",
            "target/peers",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ],
    ))?;
    run(command("python3", &["-m", "venv", "target/peers/venv"]))?;
    let requirements = "target/peers/requirements.txt";
    let install = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        requirements,
    ];
    run(command("target/peers/venv/bin/pip", &install))?;
    fs::write(&stamp, description).map_err(|error| format!("{}: {error}", stamp.display()))
}

fn describe(folder: &Path) -> Result<String, String> {
    let read =
        |name| fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    DESCRIPTIONS.into_iter().map(read).collect()
}
