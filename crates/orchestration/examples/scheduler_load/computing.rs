//! Next firings per second, ours beside croniter's.

use std::error::Error;
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::{Clock, Schedule, SystemClock};

/// Next firings computed for each expression.
const FIRINGS: u32 = 100_000;

/// croniter is asked for fewer, so that it takes a second.
const FIRINGS_OF_CRONITER: u32 = 5_000;

/// Firings are computed within a year from here, so that far years are not what is measured.
const BEGIN: &str = "2026-01-27T00:00:00Z";

const ZONE: &str = "America/Chicago";

const CRON: [&str; 4] = ["0 6 * * *", "*/5 * * * *", "30 2 * * MON#2", "0 1 */2 * *"];

const INTERVALS: [&str; 2] =
    ["every 2 days at 01:00 from 2026-01-27", "every 15 minutes from 2026-01-27T00:00"];

pub(super) fn compare(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    for rule in CRON {
        let ours = ours(rule)?;
        write!(out, "{ours:>10.0} next firings/s of {rule}")?;
        match croniters(rule)? {
            Some(theirs) => {
                writeln!(out, ", croniter {theirs:.0}/s, {:.0} times as many", ours / theirs)?;
            }
            None => writeln!(out)?,
        }
    }
    for rule in INTERVALS {
        writeln!(out, "{:>10.0} next firings/s of {rule}", ours(rule)?)?;
    }
    Ok(())
}

fn ours(rule: &str) -> Result<f64, Box<dyn Error>> {
    let (clock, begin) = (SystemClock::new(), BEGIN.parse::<Timestamp>()?);
    let schedule = Schedule::parse(rule, TimeZone::get(ZONE)?)?;
    let begun = clock.monotonic();
    let mut after = begin;
    for _ in 0..FIRINGS {
        let firing = black_box(schedule.next_after(after)).ok_or("it fires no more")?;
        let is_near = firing.at - begin < SignedDuration::from_hours(366 * 24);
        after = if is_near { firing.at } else { begin };
    }
    let elapsed = clock.monotonic().saturating_sub(begun);
    Ok(f64::from(FIRINGS) / elapsed.as_secs_f64())
}

/// Asks croniter to do the same and to look at its watch; none if it is not here.
fn croniters(rule: &str) -> Result<Option<f64>, Box<dyn Error>> {
    let folder: PathBuf = env!("CARGO_MANIFEST_DIR").into();
    let installed = folder.join("../../target/cron/bin/python");
    let script = folder.join("examples/scheduler_load/croniter_speed.py");
    let count = FIRINGS_OF_CRONITER.to_string();
    for python in [installed, "python3".into()] {
        let output = Command::new(python).arg(&script).args([rule, ZONE, BEGIN, &count]).output();
        if let Ok(output) = output
            && output.status.success()
        {
            return Ok(Some(String::from_utf8(output.stdout)?.trim().parse()?));
        }
    }
    Ok(None)
}
