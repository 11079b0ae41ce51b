//! The tasks of the workspace: `cargo xtask check` and `cargo xtask test` are exactly what the continuous integration
//! runs. Each task prints the commands it runs and ends at the first that fails.

mod bench;
mod check;
mod deny;
mod licence;
mod prepare;
mod run;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask <task>

  check          formatting, clippy, documentation, dependencies, tidiness, generated documents
  test [FILTER]  prepare what the tests need, then run them all, documentation tests included
  prepare        only prepare what the tests need
  tidy           only the tidiness check
  deny           only the check of dependencies
  bench [NAME]   measure, beside limits and peers, in release: attempts, claims, batches, sms (all when none is named)
  soak crash [KILLS [SEED]]  kill -9 a running campaign so many times (200) and check that nothing is lost or doubled";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    let outcome = match (arguments.first().map(String::as_str), rest.as_slice()) {
        (Some("check"), []) => check::check(),
        (Some("test"), filters) => test::test(filters),
        (Some("prepare"), []) => prepare::prepare(),
        (Some("tidy"), []) => tidy::tidy(),
        (Some("deny"), []) => deny::deny(),
        (Some("bench"), names) => bench::bench(names),
        (Some("soak"), ["crash", rest @ ..]) => soak::crash(rest),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}
