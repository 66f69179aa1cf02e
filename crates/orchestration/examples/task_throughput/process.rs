//! What the system says about this process.

use std::fs;
use std::time::Duration;

use crate::Outcome;

/// The system counts the time of a process in hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

/// Returns a line of the process's memory in bytes: `VmHWM` for the peak, `VmRSS` for now.
pub(crate) fn memory(line: &str) -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kilobytes: u64 = value.unwrap_or_default().trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}

/// Returns how long the processors have worked for this process.
pub(crate) fn cpu_time() -> Outcome<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name of the program comes second, in brackets, and may contain anything.
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let mut ticks = 0;
    for field in fields.split_whitespace().skip(11).take(2) {
        ticks += field.parse::<u32>()?;
    }
    Ok(TICK * ticks)
}

#[expect(clippy::cast_precision_loss, reason = "shown to people, without decimals")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
