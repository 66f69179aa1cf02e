//! Measures how fast the partitions of a backfill are counted, and how fast they are worked off.
//!
//! `backfill_status [--partitions N] [--run N]`

use std::error::Error;
use std::io::Write;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use orchestration::{
    Backfill, CancellationToken, Clock, Journal, Partition, PartitionState, PartitionStates,
    PipelineBuilder, PipelineExecutor, Registry, Stage, StageOutput, SystemClock,
};
use serde_json::json;

/// The states are counted so often.
const COUNTS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut partitions, mut run) = (1_000_000, 2_000);
    let mut words = std::env::args().skip(1);
    while let Some(flag) = words.next() {
        let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?.parse()?;
        match flag.as_str() {
            "--partitions" => partitions = value,
            "--run" => run = value,
            _ => return Err(format!("{flag} {value} is not understood").into()),
        }
    }
    let mut out = std::io::stdout().lock();
    count(partitions, &mut out)?;
    work_off(run, &mut out)
}

/// Counts the partitions in a file of every state, again and again.
fn count(partitions: usize, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("partitions");
    let states = PartitionState::ALL.into_iter().cycle().take(partitions);
    drop(PartitionStates::create(&path, "example", states)?);
    let clock = SystemClock::new();
    let mut took = Vec::new();
    for _ in 0..COUNTS {
        let begun = clock.monotonic();
        let (_, counts) = PartitionStates::count(&path)?;
        took.push(clock.monotonic().saturating_sub(begun));
        if counts.total() != partitions as u64 {
            return Err("not all are counted".into());
        }
    }
    took.sort_unstable();
    let milliseconds = |took: Duration| took.as_secs_f64() * 1e3;
    writeln!(
        out,
        "status of {partitions} partitions: p50 {:.3} ms, max {:.3} ms",
        milliseconds(took[COUNTS / 2]),
        milliseconds(took[COUNTS - 1])
    )?;
    Ok(())
}

/// Works off partitions whose only stage does nothing, durably.
fn work_off(run: usize, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let states = std::iter::repeat_n(PartitionState::Pending, run);
    let states = PartitionStates::create(&folder.path().join("partitions"), "example", states)?;
    let mut registry = Registry::new();
    registry.register("nothing", |_| Ok(StageOutput::fresh(json!(null))));
    let clock = Arc::new(SystemClock::new());
    let journal = Journal::open(&folder.path().join("journal.sqlite"))?;
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let executor =
        PipelineExecutor::new(journal, registry, Arc::<SystemClock>::clone(&clock), workers);
    let pipeline = PipelineBuilder::new("nothing").stage(Stage::new("work", "nothing")).build()?;
    let begun = clock.monotonic();
    let counts = Backfill {
        executor: &executor,
        pipeline: &pipeline,
        states: &states,
        partition: &|number| Partition { key: number.to_string(), input: json!(null) },
        group: NonZeroUsize::MIN,
        workers,
        observer: &|_, _, _| {},
    }
    .run(&CancellationToken::new())?;
    let elapsed = clock.monotonic().saturating_sub(begun).as_secs_f64();
    let rate = f64::from(u32::try_from(counts.done())?) / elapsed;
    writeln!(out, "{} partitions worked off, {rate:.0} per second", counts.done())?;
    Ok(())
}
