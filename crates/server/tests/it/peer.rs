//! Programs of `tests/peers` that speak JSON lines.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The root of the workspace.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace is there")
}

/// An SMS centre of somebody else's, as a process; it ends when this is dropped.
pub struct Centre {
    child: Child,
    input: ChildStdin,
    lines: Receiver<Value>,
    seen: Vec<Value>,
    /// `127.0.0.1:port`.
    pub address: String,
}

impl Centre {
    /// npm `smpp` with these options.
    pub fn npm(options: &Value) -> Self {
        let mut command = Command::new("node");
        command.arg(root().join("tests/peers/smsc.mjs"));
        Self::start(command, options)
    }

    /// PyPI `smpp34` with these options.
    pub fn python(options: &Value) -> Self {
        let mut command = Command::new(root().join("target/peers/venv/bin/python"));
        command.arg(root().join("tests/peers/smsc34.py"));
        Self::start(command, options)
    }

    fn start(mut command: Command, options: &Value) -> Self {
        let mut child = command
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer runs; `cargo xtask test` prepares it");
        let input = child.stdin.take().expect("it is piped");
        let output = child.stdout.take().expect("it is piped");
        let (say, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(value) = serde_json::from_str(&line)
                    && say.send(value).is_err()
                {
                    return;
                }
            }
        });
        let mut centre = Self {
            child,
            input,
            lines,
            seen: Vec::new(),
            address: String::new(),
        };
        centre.wait_for("it listens", |seen| seen["event"] == "listening");
        let port = centre
            .seen
            .iter()
            .find(|seen| seen["event"] == "listening")
            .map(|seen| seen["port"].to_string());
        centre.address = format!("127.0.0.1:{}", port.unwrap_or_default());
        centre
    }

    /// Gives a command.
    pub fn command(&mut self, command: &Value) {
        writeln!(self.input, "{command}").expect("the peer reads its input");
    }

    /// Everything seen so far.
    pub fn seen(&mut self) -> &[Value] {
        while let Ok(value) = self.lines.try_recv() {
            self.seen.push(value);
        }
        &self.seen
    }

    /// How many events of a kind were seen.
    pub fn count(&mut self, event: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen["event"] == event)
            .count()
    }

    /// Waits for an event.
    pub fn wait_for(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) {
        while !self.seen.iter().any(&is_it) {
            let value = self.lines.recv_timeout(Duration::from_secs(60));
            self.seen
                .push(value.unwrap_or_else(|_| panic!("waited in vain until {what}")));
        }
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
