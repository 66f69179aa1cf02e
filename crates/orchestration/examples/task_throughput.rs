//! Measures how many no-op tasks run per second, in memory or through the journal on a disk.
//!
//! `task_throughput [--shape chain|wide|diamond|map] [--tasks N] [--workers N]
//! [--journal memory|sqlite] [--directory PATH]`
//!
//! It prints tasks per second, the time from the end of a task's last dependency to its own end
//! (p50 and p99), and, for the journal, how often it reached for the disk and how often per second
//! the same disk can be reached at all.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orchestration::{
    AttemptReport, CancellationToken, Clock, Concurrency, Journal, PipelineBuilder,
    PipelineExecutor, Registry, Retries, RunStatus, Stage, StageOutput, SystemClock, TaskHandle,
    TaskManager, TaskStatus,
};

/// A diamond opens to so many tasks and closes to one, again and again.
const DIAMOND_WIDTH: usize = 8;

/// The disk is tried so often.
const FSYNCS: u32 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::read(std::env::args().skip(1))?;
    let mut out = std::io::stdout().lock();
    let measured = match flags.journal {
        JournalKind::Memory => in_memory(&flags)?,
        JournalKind::Sqlite => through_journal(&flags)?,
    };
    let tasks = flags.shape.dependencies(flags.tasks).len();
    let per_second = f64::from(u32::try_from(tasks)?) / measured.execution.as_secs_f64();
    writeln!(out, "{tasks} tasks, {} workers", flags.workers)?;
    writeln!(out, "definition {:>10.1} ms", measured.definition.as_secs_f64() * 1e3)?;
    writeln!(out, "execution  {:>10.1} ms", measured.execution.as_secs_f64() * 1e3)?;
    writeln!(out, "throughput {per_second:>10.0} tasks/s, graph and results included")?;
    let begun = measured.ends.iter().map(|(started, _)| *started).min();
    let ended = measured.ends.iter().map(|(_, ended)| *ended).max();
    if let (Some(begun), Some(ended)) = (begun, ended) {
        let per_second = f64::from(u32::try_from(tasks)?) / (ended - begun).as_secs_f64();
        writeln!(
            out,
            "steady     {per_second:>10.0} tasks/s, from the first start to the last end"
        )?;
    }
    let latencies = latencies(&flags.shape.dependencies(flags.tasks), &measured.ends);
    for (name, hundredths) in [("p50", 50), ("p99", 99)] {
        let rank = (latencies.len() * hundredths).div_ceil(100).saturating_sub(1);
        let latency = latencies.get(rank).copied().unwrap_or_default();
        writeln!(out, "latency {name} {:>8.3} ms", latency.as_secs_f64() * 1e3)?;
    }
    if let Some(disk) = measured.disk {
        writeln!(out, "commits    {:>10} at least (one fsync each)", disk.commits)?;
        writeln!(out, "per commit {:>10.3} ms", disk.per_commit.as_secs_f64() * 1e3)?;
        writeln!(out, "disk alone {:>10.0} fsyncs/s", disk.fsyncs_per_second)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Shape {
    Chain,
    Wide,
    Diamond,
    /// One task, many that take its output, one that takes theirs.
    Map,
}

impl Shape {
    /// Returns what every task depends on.
    fn dependencies(self, tasks: usize) -> Vec<Vec<usize>> {
        (0..tasks)
            .map(|task| match self {
                Self::Chain => task.checked_sub(1).into_iter().collect(),
                Self::Wide => Vec::new(),
                Self::Diamond => match task.checked_sub(1) {
                    None => Vec::new(),
                    Some(before) if task % (DIAMOND_WIDTH + 1) == 0 => {
                        (before + 1 - DIAMOND_WIDTH..=before).collect()
                    }
                    Some(_) => vec![task - task % (DIAMOND_WIDTH + 1)],
                },
                Self::Map if task == 0 => Vec::new(),
                Self::Map if task + 1 == tasks => (1..task).collect(),
                Self::Map => vec![0],
            })
            .collect()
    }
}

enum JournalKind {
    Memory,
    Sqlite,
}

struct Flags {
    shape: Shape,
    tasks: usize,
    workers: NonZeroUsize,
    journal: JournalKind,
    directory: String,
}

impl Flags {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut flags = Self {
            shape: Shape::Wide,
            tasks: 10_000,
            workers: NonZeroUsize::new(2).ok_or("two is not zero")?,
            journal: JournalKind::Memory,
            directory: ".".to_owned(),
        };
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match (flag.as_str(), value.as_str()) {
                ("--shape", "chain") => flags.shape = Shape::Chain,
                ("--shape", "wide") => flags.shape = Shape::Wide,
                ("--shape", "diamond") => flags.shape = Shape::Diamond,
                ("--shape", "map") => flags.shape = Shape::Map,
                ("--tasks", number) => flags.tasks = number.parse()?,
                ("--workers", number) => flags.workers = number.parse()?,
                ("--journal", "memory") => flags.journal = JournalKind::Memory,
                ("--journal", "sqlite") => flags.journal = JournalKind::Sqlite,
                ("--directory", path) => flags.directory = path.to_owned(),
                _ => return Err(format!("{flag} {value} is not understood").into()),
            }
        }
        Ok(flags)
    }
}

struct Measured {
    definition: Duration,
    execution: Duration,
    /// When each task began and ended, in the order of definition.
    ends: Vec<(Timestamp, Timestamp)>,
    disk: Option<Disk>,
}

struct Disk {
    commits: u64,
    per_commit: Duration,
    fsyncs_per_second: f64,
}

fn in_memory(flags: &Flags) -> Result<Measured, Box<dyn Error>> {
    let clock = SystemClock::new();
    let mut manager = TaskManager::new(flags.workers);
    let mut handles: Vec<TaskHandle<()>> = Vec::with_capacity(flags.tasks);
    for (number, before) in flags.shape.dependencies(flags.tasks).iter().enumerate() {
        let inputs: Vec<_> = before.iter().map(|place| handles[*place].clone()).collect();
        let task = manager.create_task(&format!("t{number}"), inputs.as_slice(), |_, _| Ok(()))?;
        handles.push(task);
    }
    let definition = clock.monotonic();
    let results = manager.execute_all(Concurrency::Parallel, Retries::On)?;
    let execution = clock.monotonic() - definition;
    let mut ends = Vec::with_capacity(results.len());
    for result in results {
        if result.status != TaskStatus::Completed {
            return Err(format!("task {} is {}", result.name, result.status).into());
        }
        ends.push(end_of(&result.attempts)?);
    }
    Ok(Measured { definition, execution, ends, disk: None })
}

fn through_journal(flags: &Flags) -> Result<Measured, Box<dyn Error>> {
    let folder = tempfile::tempdir_in(&flags.directory)?;
    let clock = Arc::new(SystemClock::new());
    let mut builder = PipelineBuilder::new("throughput");
    for (number, before) in flags.shape.dependencies(flags.tasks).iter().enumerate() {
        let before = before.iter().map(|place| format!("t{place}"));
        builder = builder.stage(Stage::new(format!("t{number}"), "nothing").after(before));
    }
    let pipeline = builder.build()?;
    let mut registry = Registry::new();
    registry.register("nothing", |_| Ok(StageOutput::fresh(serde_json::Value::Null)));
    let journal = Journal::open(&folder.path().join("journal.sqlite"))?;
    let timer: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
    let executor = PipelineExecutor::new(journal, registry, timer, flags.workers);
    let run_id = executor.submit(&pipeline, "measured", serde_json::Value::Null)?.run_id;
    let definition = clock.monotonic();
    let report = executor.execute(run_id, &CancellationToken::new())?;
    let execution = clock.monotonic() - definition;
    if report.status != RunStatus::Completed {
        return Err(format!("the run is {}", report.status).into());
    }
    let commits = commits(report.stages.iter().flat_map(|stage| &stage.attempts));
    let mut ends = Vec::with_capacity(report.stages.len());
    for stage in &report.stages {
        ends.push(end_of(&stage.attempts)?);
    }
    let per_commit = execution / u32::try_from(commits)?;
    let fsyncs_per_second = fsyncs_per_second(folder.path(), clock.as_ref())?;
    let disk = Some(Disk { commits, per_commit, fsyncs_per_second });
    Ok(Measured { definition, execution, ends, disk })
}

/// Everything that is committed together is decided at one instant, and starts are always decided
/// with what they follow from, so there are as many commits as instants of starts, and a last one.
fn commits<'a>(attempts: impl Iterator<Item = &'a AttemptReport>) -> u64 {
    let instants: BTreeMap<Timestamp, ()> =
        attempts.map(|attempt| (attempt.started_at, ())).collect();
    instants.len() as u64 + 1
}

fn end_of(attempts: &[AttemptReport]) -> Result<(Timestamp, Timestamp), Box<dyn Error>> {
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

/// Measures how often the disk takes a small write for certain.
fn fsyncs_per_second(folder: &Path, clock: &dyn Clock) -> Result<f64, Box<dyn Error>> {
    let mut file = File::create(folder.join("fsync"))?;
    let begun = clock.monotonic();
    for _ in 0..FSYNCS {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    Ok(f64::from(FSYNCS) / (clock.monotonic() - begun).as_secs_f64())
}
