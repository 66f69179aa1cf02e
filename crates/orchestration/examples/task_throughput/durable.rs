//! The measurement through a journal: stages of a [`Pipeline`], and the disk by itself.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use orchestration::{
    CancellationToken, Clock, IsolatedCommand, IsolatedPolicy, IsolatedPool, Isolation, Journal,
    Pipeline, PipelineBuilder, PipelineError, PipelineExecutor, Registry, RunReport, RunStatus,
    Stage, StageOutput, StageReport, SystemClock,
};
use serde_json::Value;

use crate::flags::{Flags, SERVE, Shape};
use crate::{Measured, Outcome, end_of, process};

/// The disk is tried so often.
const FSYNCS: u32 = 500;

/// What the journal asked of the disk, and what the disk can do.
pub(crate) struct Disk {
    commits: u64,
    per_commit: Duration,
    fsyncs_per_second: f64,
}

impl Disk {
    pub(crate) fn print(&self, out: &mut impl Write) -> Outcome<()> {
        let per_second = 1.0 / self.per_commit.as_secs_f64();
        let share = 100.0 * per_second / self.fsyncs_per_second;
        writeln!(out, "commits    {:>10}, one fsync each", self.commits)?;
        writeln!(out, "per commit {:>10.3} ms", self.per_commit.as_secs_f64() * 1e3)?;
        writeln!(out, "disk alone {:>10.0} fsyncs/s", self.fsyncs_per_second)?;
        writeln!(out, "commits/s  {per_second:>10.0}, {share:.0} % of what the disk can do")?;
        Ok(())
    }
}

pub(crate) fn measure(flags: &Flags) -> Outcome<Measured> {
    let folder = tempfile::tempdir_in(&flags.directory)?;
    let clock = Arc::new(SystemClock::new());
    let stages = stages(flags);
    let defined = clock.monotonic();
    let pipeline = build(stages)?;
    let plan = (clock.monotonic() - defined, process::memory("VmHWM")?);
    let registry = functions(flags.tasks.saturating_sub(2));
    let path = folder.path().join("journal.sqlite");
    let journal = Journal::open(&path)?;
    let timer: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
    let mut executor = PipelineExecutor::new(journal, registry, timer, flags.workers());
    if flags.isolated {
        executor = executor.isolate_with(children(flags)?);
    }
    let run_id = executor.submit(&pipeline, "measured", Value::Null)?.run_id;
    let (begun, busy) = (clock.monotonic(), process::cpu_time()?);
    let report = executor.execute(run_id, &CancellationToken::new())?;
    let execution = clock.monotonic() - begun;
    let processor = process::cpu_time()?.saturating_sub(busy);
    if report.status != RunStatus::Completed {
        return Err(format!("the run is {}", report.status).into());
    }
    // The submission was the first.
    let commits = executor.journal().commits() - 1;
    let stages = with_items(&path, report, flags)?;
    let ends: Outcome<Vec<_>> = stages.iter().map(|stage| end_of(&stage.attempts)).collect();
    let per_commit = execution / u32::try_from(commits)?;
    let fsyncs_per_second = fsyncs_per_second(folder.path(), clock.as_ref())?;
    let disk = Some(Disk { commits, per_commit, fsyncs_per_second });
    Ok(Measured { definition: defined, plan, execution, processor, ends: ends?, disk })
}

/// What stages call, here or in another process.
pub(crate) fn functions(items: usize) -> Registry {
    let mut registry = Registry::new();
    registry.register("nothing", |_| Ok(StageOutput::fresh(Value::Null)));
    registry.register("count", move |_| Ok(StageOutput::fresh(items.into())));
    registry
}

/// Starts this program once more for each worker.
fn children(flags: &Flags) -> Outcome<Arc<IsolatedPool>> {
    let command = IsolatedCommand::this_program()?.argument(SERVE);
    let (children_max, idle_max) = (flags.workers(), flags.workers().get());
    let policy = IsolatedPolicy { children_max, idle_max, ..IsolatedPolicy::default() };
    Ok(Arc::new(IsolatedPool::start(command, policy)?))
}

fn stages(flags: &Flags) -> Vec<Stage> {
    if flags.shape == Shape::Map {
        return vec![
            Stage::new("list", "count"),
            nothing("item", flags).map_over("list", None),
            Stage::new("all", "nothing").after(["item"]),
        ];
    }
    let dependencies = flags.shape.dependencies(flags.tasks);
    let stage = |(number, before): (usize, &Vec<usize>)| {
        let before = before.iter().map(|place| format!("t{place}"));
        nothing(&format!("t{number}"), flags).after(before)
    };
    dependencies.iter().enumerate().map(stage).collect()
}

fn nothing(name: &str, flags: &Flags) -> Stage {
    let stage = Stage::new(name, "nothing");
    if flags.isolated { stage.isolated(Isolation::default()) } else { stage }
}

fn build(stages: Vec<Stage>) -> Result<Pipeline, PipelineError> {
    stages.into_iter().fold(PipelineBuilder::new("throughput"), PipelineBuilder::stage).build()
}

/// Returns the stages, with the items of a fan-out in its place.
fn with_items(path: &Path, report: RunReport, flags: &Flags) -> Outcome<Vec<StageReport>> {
    let mut stages = report.stages;
    if flags.shape == Shape::Map {
        let items = Journal::open_read_only(path)?.items(report.run_id, "item", 0..flags.tasks)?;
        stages.splice(1..2, items);
    }
    Ok(stages)
}

/// Measures how often the disk takes a small write for certain.
fn fsyncs_per_second(folder: &Path, clock: &dyn Clock) -> Outcome<f64> {
    let mut file = File::create(folder.join("fsync"))?;
    let begun = clock.monotonic();
    for _ in 0..FSYNCS {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    Ok(f64::from(FSYNCS) / (clock.monotonic() - begun).as_secs_f64())
}
