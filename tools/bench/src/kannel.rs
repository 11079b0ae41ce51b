//! The peer of bars 12 and 13: Kannel's bearerbox and smsbox, without a store, in front of the same sink.

use crate::{Failure, machine};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ADMIN_PORT: u16 = 13_900;
const SMSBOX_PORT: u16 = 13_901;
const SEND_PORT: u16 = 13_913;

/// A running pair of boxes; killed when dropped.
pub struct Kannel {
    boxes: Vec<Child>,
}

impl Kannel {
    /// Whether Kannel and wrk are installed.
    pub fn is_installed() -> bool {
        ["/usr/sbin/bearerbox", "/usr/sbin/smsbox", "/usr/bin/wrk"]
            .iter()
            .all(|path| Path::new(path).exists())
    }

    /// Starts both boxes against an SMPP sink.
    pub fn start(folder: &Path, sink: u16) -> Result<Self, Failure> {
        let config = folder.join("kannel.conf");
        std::fs::write(
            &config,
            format!(
                "group = core\nadmin-port = {ADMIN_PORT}\nsmsbox-port = {SMSBOX_PORT}\nadmin-password = x\nlog-level = 4\n\
                 box-allow-ip = \"127.0.0.1\"\n\n\
                 group = smsc\nsmsc = smpp\nsmsc-id = sink\nhost = 127.0.0.1\nport = {sink}\ntransceiver-mode = true\n\
                 smsc-username = bench\nsmsc-password = bench\nsystem-type = \"\"\nmax-pending-submits = 200\n\n\
                 group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {SEND_PORT}\nlog-level = 4\n\n\
                 group = sendsms-user\nusername = bench\npassword = bench\n"
            ),
        )?;
        let mut boxes = Vec::new();
        for name in ["bearerbox", "smsbox"] {
            let child = Command::new(format!("/usr/sbin/{name}"))
                .arg(&config)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            boxes.push(child);
            std::thread::sleep(Duration::from_secs(2));
        }
        Ok(Self { boxes })
    }

    /// Sends for some seconds over 64 connections; answers (messages the sink saw a second, CPU microseconds a message).
    pub fn measure(&self, seconds: u64, seen: impl Fn() -> u64) -> Result<(f64, f64), Failure> {
        let (cpu, before, start) = (self.cpu_seconds(), seen(), Instant::now());
        let url = format!(
            "http://127.0.0.1:{SEND_PORT}/cgi-bin/sendsms?username=bench&password=bench&from=55555&to=12075550111&text=Hello+you,+your+order+is+ready."
        );
        let status = Command::new("wrk")
            .args(["-t1", "-c64", &format!("-d{seconds}s"), &url])
            .stdout(Stdio::null())
            .status()?;
        if !status.success() {
            return Err("wrk failed".into());
        }
        // What was accepted is drained before the clock stops: accepted and lost would not count.
        let mut last = seen();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let now = seen();
            if now == last {
                break;
            }
            last = now;
        }
        let messages = (last - before) as f64;
        let elapsed = start.elapsed().as_secs_f64() - 0.3;
        Ok((
            messages / elapsed,
            (self.cpu_seconds() - cpu) * 1e6 / messages,
        ))
    }

    fn cpu_seconds(&self) -> f64 {
        self.boxes
            .iter()
            .map(|child| machine::cpu_seconds(child.id()))
            .sum()
    }
}

impl Drop for Kannel {
    fn drop(&mut self) {
        for child in self.boxes.iter_mut().rev() {
            // Either may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
