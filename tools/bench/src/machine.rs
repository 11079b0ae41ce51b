//! What the machine is doing: without it a figure means nothing, since the sync rate of one disk varies twentyfold over
//! minutes.

use crate::Failure;
use std::io::Write;
use std::time::{Duration, Instant};

/// How long the sync probe runs.
const PROBE: Duration = Duration::from_secs(1);
/// What one probe write holds.
const PROBE_BYTES: usize = 4_096;

/// The disk's sync rate and the load, as a line.
pub fn mood() -> Result<String, Failure> {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?").to_owned();
    Ok(format!(
        "{:.0} syncs/s (4 kB append + fdatasync), load {load}",
        syncs_per_second()?
    ))
}

fn syncs_per_second() -> Result<f64, Failure> {
    let mut file = tempfile::tempfile()?;
    let block = [7u8; PROBE_BYTES];
    let (start, mut count) = (Instant::now(), 0u32);
    while start.elapsed() < PROBE {
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

/// CPU time used by a process so far, user and system, in seconds; its children that ended are not in it.
pub fn cpu_seconds(process: u32) -> f64 {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else {
        return 0.0;
    };
    // The name in brackets may hold blanks: fields are counted from the last bracket.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

/// Resident memory of a process, in MB.
pub fn resident_megabytes(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|text| text.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}
