//! Measures how many no-op tasks run per second, in memory or through the journal on a disk, and
//! what an engine that has nothing to do costs.
//!
//! `task_throughput --help` tells the flags. It prints how long checking and ordering takes, tasks
//! per second, the time from the end of a task's last dependency to its own end (p50 and p99),
//! memory, and, for the journal, how often it reached for the disk and how often per second the
//! same disk can be reached at all.

mod durable;
mod flags;
mod idle;
mod memory;
mod process;

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use flags::{Flags, HELP, JournalKind, Mode};
use jiff::{SignedDuration, Timestamp};
use orchestration::{AttemptReport, serve_isolated};

/// What one of the examples' steps returns.
type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    let flags = Flags::read(std::env::args().skip(1))?;
    match flags.mode {
        Mode::Help => Ok(writeln!(out, "{HELP}")?),
        Mode::Idle(seconds) => idle::nothing_to_do(&flags, Duration::from_secs(seconds), &mut out),
        Mode::AfterIdle(runs) => idle::first_start(&flags, runs, &mut out),
        Mode::Serve => match serve_isolated(&durable::functions(0))? {},
        Mode::Throughput => {
            let measured = match flags.journal {
                JournalKind::Memory => memory::measure(&flags)?,
                JournalKind::Sqlite => durable::measure(&flags)?,
            };
            print(&flags, &measured, &mut out)
        }
    }
}

struct Measured {
    definition: Duration,
    /// How long checking and ordering took, and the most memory until then.
    plan: (Duration, u64),
    execution: Duration,
    /// The processor time of the execution, which others on the machine do not disturb.
    processor: Duration,
    /// When each task began and ended, in the order of [`flags::Shape::dependencies`].
    ends: Vec<(Timestamp, Timestamp)>,
    disk: Option<durable::Disk>,
}

fn print(flags: &Flags, measured: &Measured, out: &mut impl Write) -> Outcome<()> {
    let dependencies = flags.shape.dependencies(flags.tasks);
    let tasks = f64::from(u32::try_from(dependencies.len())?);
    let (plan, plan_bytes) = measured.plan;
    writeln!(out, "{tasks} tasks, {} workers", flags.workers())?;
    writeln!(out, "definition {:>10.1} ms", milliseconds(measured.definition))?;
    writeln!(
        out,
        "plan       {:>10.1} ms to check and order, peak memory until then {:.0} MB",
        milliseconds(plan),
        process::megabytes(plan_bytes)
    )?;
    let (execution, processor) = (measured.execution, measured.processor);
    writeln!(
        out,
        "execution  {:>10.1} ms, of processors {:.1} ms",
        milliseconds(execution),
        milliseconds(processor)
    )?;
    let per_second = tasks / execution.as_secs_f64();
    writeln!(out, "throughput {per_second:>10.0} tasks/s, graph and results included")?;
    let begun = measured.ends.iter().map(|(started, _)| *started).min();
    let ended = measured.ends.iter().map(|(_, ended)| *ended).max();
    if let (Some(begun), Some(ended)) = (begun, ended) {
        let per_second = tasks / (ended - begun).as_secs_f64();
        writeln!(out, "steady     {per_second:>10.0} tasks/s, first start to last end")?;
    }
    let latencies = latencies(&dependencies, &measured.ends);
    print_percentiles("latency", &latencies, out)?;
    writeln!(out, "peak       {:>10.0} MB", process::megabytes(process::memory("VmHWM")?))?;
    if let Some(disk) = &measured.disk {
        disk.print(out)?;
    }
    Ok(())
}

/// Prints the nearest ranks of sorted times.
fn print_percentiles(what: &str, sorted: &[SignedDuration], out: &mut impl Write) -> Outcome<()> {
    for (name, hundredths) in [("p50", 50), ("p99", 99)] {
        let rank = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
        let time = sorted.get(rank).copied().unwrap_or_default();
        writeln!(out, "{what} {name} {:>8.3} ms", time.as_secs_f64() * 1e3)?;
    }
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Returns when the last attempt of a completed task began and ended.
fn end_of(attempts: &[AttemptReport]) -> Outcome<(Timestamp, Timestamp)> {
    let attempt = attempts.last().ok_or("a completed task was attempted")?;
    Ok((attempt.started_at, attempt.ended_at.ok_or("a completed task has ended")?))
}

/// Returns, sorted, how long after its last dependency (or its own start) each task ended.
fn latencies(dependencies: &[Vec<usize>], ends: &[(Timestamp, Timestamp)]) -> Vec<SignedDuration> {
    let mut latencies: Vec<SignedDuration> = dependencies
        .iter()
        .zip(ends)
        .map(|(before, (started, ended))| {
            let ready = before.iter().map(|place| ends[*place].1).max();
            *ended - ready.unwrap_or(*started)
        })
        .collect();
    latencies.sort_unstable();
    latencies
}
