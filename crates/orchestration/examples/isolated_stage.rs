//! Stages that run in processes of their own, so that what they do wrong stays there.
//!
//! The program starts itself as its children. One stage works, one hoards memory, one never ends
//! and one takes its process down; the day's run completes all the same.
//!
//! `isolated_stage --measure N` measures instead how long an isolated no-op takes on a warm child,
//! beside what passing a few bytes to another process and back takes on this machine.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio, abort};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use orchestration::{
    CancellationToken, Clock, IsolatedCommand, IsolatedLimits, IsolatedPolicy, IsolatedPool,
    Journal, PipelineBuilder, PipelineExecutor, Registry, RetryPolicy, RunReport, Stage,
    StageOutput, SystemClock, serve_isolated,
};
use serde_json::Value;

/// Tells a process that it is a child of the pool.
const SERVE: &str = "--serve";

/// Tells a process to repeat every line it reads.
const REPEAT: &str = "--repeat";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut out = std::io::stdout().lock();
    match words[..] {
        [SERVE] => match serve_isolated(&isolated_functions())? {},
        [REPEAT] => repeat(&mut out),
        ["--measure", calls] => measure(calls.parse()?, &mut out),
        [] => demonstrate(&mut out),
        _ => Err(format!("{} is not understood", words.join(" ")).into()),
    }
}

/// What children do.
fn isolated_functions() -> Registry {
    let mut registry = Registry::new();
    registry.register("nothing", |_| Ok(StageOutput::fresh(Value::Null)));
    registry.register("train", |stage| {
        let prices: Vec<f64> = stage.output_as("fetch")?;
        let spikes = prices.iter().filter(|price| 100.0 < **price).count();
        Ok(StageOutput::fresh(spikes.into()))
    });
    registry.register("hoard", |_| {
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        loop {
            hoard.push(vec![1; 1 << 20]);
        }
    });
    registry.register("search", |_| {
        loop {
            std::hint::spin_loop();
        }
    });
    registry.register("crash", |_| abort());
    registry
}

fn pool() -> Result<Arc<IsolatedPool>, Box<dyn Error>> {
    let command = IsolatedCommand::this_program()?.argument(SERVE);
    Ok(Arc::new(IsolatedPool::start(command, IsolatedPolicy::default())?))
}

fn execute(
    registry: Registry,
    stages: impl IntoIterator<Item = Stage>,
) -> Result<RunReport, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let journal = Journal::open(&folder.path().join("journal.sqlite"))?;
    let clock = Arc::new(SystemClock::new());
    let executor = PipelineExecutor::new(journal, registry, clock, NonZeroUsize::MIN);
    let pipeline = stages.into_iter().fold(PipelineBuilder::new("day"), PipelineBuilder::stage);
    let submission = executor.submit(&pipeline.build()?, "2026-01-28", Value::Null)?;
    Ok(executor.execute(submission.run_id, &CancellationToken::new())?)
}

fn demonstrate(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let pool = pool()?;
    let limits =
        IsolatedLimits { timeout: Some(Duration::from_mins(1)), memory_bytes_max: Some(512 << 20) };
    let hasty = IsolatedLimits { timeout: Some(Duration::from_millis(100)), ..limits };
    let mut registry = Registry::new();
    registry.register("fetch", |_| StageOutput::of(&[21.5, 480.0, 35.0, 1250.0]));
    registry.register("train", pool.function("train", limits)?);
    registry.register("tune", pool.function("hoard", limits)?);
    registry.register("search", pool.function("search", hasty)?);
    registry.register("explain", pool.function("crash", limits)?);
    registry.register("default", |_| Ok(StageOutput::fresh(Value::Null)));
    let risky = |name: &str| {
        Stage::new(name, name).after(["train"]).retry(RetryPolicy::NEVER).fallback("default")
    };
    let report = execute(
        registry,
        [
            Stage::new("fetch", "fetch"),
            Stage::new("train", "train").after(["fetch"]),
            risky("tune"),
            risky("search"),
            risky("explain"),
        ],
    )?;
    writeln!(out, "run: {}", report.status)?;
    writeln!(out, "spikes, counted in another process: {}", report.output_as::<u64>("train")?)?;
    for reason in &report.degraded {
        writeln!(out, "degraded: {reason}")?;
    }
    Ok(())
}

fn measure(calls: usize, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock::new());
    let isolated = pool()?.function("nothing", IsolatedLimits::default())?;
    let (sender, times) = channel();
    let timing = Arc::clone(&clock);
    let mut registry = Registry::new();
    registry.register("nothing", move |stage| {
        let begun = timing.monotonic();
        let result = isolated(stage);
        let elapsed = timing.monotonic().saturating_sub(begun);
        sender.send(elapsed).expect("the receiver lives until the run is over");
        result
    });
    let stages = (0..calls).map(|number| {
        let stage = Stage::new(number.to_string(), "nothing");
        match number.checked_sub(1) {
            Some(before) => stage.after([before.to_string()]),
            None => stage,
        }
    });
    let begun = clock.monotonic();
    execute(registry, stages)?;
    let all = clock.monotonic().saturating_sub(begun);
    let calls = u32::try_from(calls)?.max(1);
    show(out, "isolated no-op on a warm child", times.iter().collect())?;
    show(out, "a line to another process and back", round_trips(calls, &clock)?)?;
    writeln!(out, "{:<36} {:>8.3} ms each", "with the journal", (all / calls).as_secs_f64() * 1e3)?;
    Ok(())
}

fn show(out: &mut dyn Write, name: &str, mut times: Vec<Duration>) -> Result<(), Box<dyn Error>> {
    times.sort_unstable();
    let at = |hundredths: usize| {
        let rank = (times.len() * hundredths).div_ceil(100).saturating_sub(1);
        times.get(rank).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    writeln!(out, "{name:<36} p50 {:>8.3} ms, p99 {:>8.3} ms", at(50), at(99))?;
    Ok(())
}

/// Sends a line to another process, so many times, and waits for it to come back.
fn round_trips(lines: u32, clock: &SystemClock) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut other = Command::new(std::env::current_exe()?)
        .arg(REPEAT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut writer = other.stdin.take().ok_or("the other process has no input")?;
    let mut reader = BufReader::new(other.stdout.take().ok_or("the other process has no output")?);
    let mut times = Vec::new();
    for _ in 0..lines {
        let begun = clock.monotonic();
        writer.write_all(b"a few bytes\n")?;
        reader.read_line(&mut String::new())?;
        times.push(clock.monotonic().saturating_sub(begun));
    }
    drop(writer);
    other.wait()?;
    Ok(times)
}

/// Repeats every line.
fn repeat(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut buffer = [0; 64];
    let mut input = std::io::stdin().lock();
    loop {
        let bytes = input.read(&mut buffer)?;
        if bytes == 0 {
            return Ok(());
        }
        out.write_all(&buffer[..bytes])?;
        out.flush()?;
    }
}
