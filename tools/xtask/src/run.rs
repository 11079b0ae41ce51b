//! Running commands in the workspace's root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Why a task failed, for the person who ran it.
pub type Outcome = Result<(), String>;

/// The root of the workspace.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2);
    root.expect("this package stands two folders below the root")
        .to_owned()
}

/// A command with its arguments, in the root.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, the same that runs this.
pub fn cargo(arguments: &[&str]) -> Command {
    command(
        &std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()),
        arguments,
    )
}

/// Runs a command to its end and tells how long it took.
pub fn run(mut command: Command) -> Outcome {
    let line = describe(&command);
    eprintln!("$ {line}");
    let begun = Instant::now();
    let status = command
        .status()
        .map_err(|error| format!("{line}: {error}"))?;
    eprintln!("  {:.1} s", begun.elapsed().as_secs_f32());
    if status.success() {
        Ok(())
    } else {
        Err(format!("failed: {line} ({status})"))
    }
}

/// What a command prints.
pub fn output(mut command: Command) -> Result<Vec<u8>, String> {
    let line = describe(&command);
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{line}: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("failed: {line}"))
    }
}

/// Whether a command is there and succeeds, quietly.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = command(program, arguments);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
