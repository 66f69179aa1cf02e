//! What an engine costs that has nothing to do, and how soon it is at work again.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use jiff::SignedDuration;
use orchestration::{
    CancellationToken, Clock, FailureClass, Journal, Pipeline, PipelineBuilder, PipelineExecutor,
    Registry, RunStatus, Stage, StageFailure, StageOutput, SystemClock,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::flags::Flags;
use crate::{Outcome, milliseconds, print_percentiles, process};

/// The engine has so long nothing to do before each run.
const PAUSE: Duration = Duration::from_millis(5);

struct Engine {
    executor: PipelineExecutor,
    clock: Arc<SystemClock>,
    /// When each function began.
    starts: Receiver<Duration>,
    _folder: TempDir,
}

impl Engine {
    fn open(flags: &Flags) -> Outcome<Self> {
        let folder = tempfile::tempdir_in(&flags.directory)?;
        let clock = Arc::new(SystemClock::new());
        let (sender, starts) = channel();
        let mut registry = Registry::new();
        let watch = Arc::clone(&clock);
        registry.register("start", move |_| {
            sender
                .send(watch.monotonic())
                .map_err(|error| StageFailure::caused_by(FailureClass::Bug, &error))?;
            Ok(StageOutput::fresh(Value::Null))
        });
        let journal = Journal::open(&folder.path().join("journal.sqlite"))?;
        let timer: Arc<dyn Clock> = Arc::<SystemClock>::clone(&clock);
        let executor = PipelineExecutor::new(journal, registry, timer, flags.workers());
        Ok(Self { executor, clock, starts, _folder: folder })
    }

    fn run(&self, pipeline: &Pipeline, key: &str) -> Outcome<()> {
        let run_id = self.executor.submit(pipeline, key, Value::Null)?.run_id;
        let report = self.executor.execute(run_id, &CancellationToken::new())?;
        match report.status {
            RunStatus::Completed => Ok(()),
            status => Err(format!("the run is {status}").into()),
        }
    }
}

fn pipeline(stages: usize) -> Outcome<Pipeline> {
    let stages = (0..stages).map(|number| Stage::new(format!("t{number}"), "start"));
    Ok(stages.fold(PipelineBuilder::new("idle"), PipelineBuilder::stage).build()?)
}

/// Lets time pass without doing anything.
fn wait(time: Duration) {
    let (_sender, nothing) = channel::<()>();
    assert!(nothing.recv_timeout(time).is_err(), "nothing was sent");
}

/// Measures the processor time and the memory of an engine that waits with warm threads.
pub(crate) fn nothing_to_do(flags: &Flags, time: Duration, out: &mut impl Write) -> Outcome<()> {
    let engine = Engine::open(flags)?;
    engine.run(&pipeline(flags.workers().get())?, "warm")?;
    let before = process::cpu_time()?;
    wait(time);
    let busy = process::cpu_time()?.saturating_sub(before);
    let share = 100.0 * busy.as_secs_f64() / time.as_secs_f64().max(f64::EPSILON);
    writeln!(out, "idle       {:>10.1} ms", milliseconds(time))?;
    writeln!(out, "processor  {:>10.1} ms, {share:.2} %", milliseconds(busy))?;
    writeln!(out, "memory     {:>10.0} MB", process::megabytes(process::memory("VmRSS")?))?;
    Ok(())
}

/// Measures how long after its submission, journalled, a stage's function begins.
pub(crate) fn first_start(flags: &Flags, runs: usize, out: &mut impl Write) -> Outcome<()> {
    let engine = Engine::open(flags)?;
    let single = pipeline(1)?;
    let mut delays = Vec::with_capacity(runs);
    for number in 0..runs {
        wait(PAUSE);
        let submitted = engine.clock.monotonic();
        engine.run(&single, &number.to_string())?;
        let start = engine.starts.recv()?;
        delays.push(SignedDuration::try_from(start.saturating_sub(submitted))?);
    }
    delays.sort_unstable();
    writeln!(out, "{runs} runs, each after {:.0} ms of nothing", milliseconds(PAUSE))?;
    print_percentiles("start", &delays, out)
}
