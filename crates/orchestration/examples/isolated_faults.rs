//! Functions that misbehave in every way, for the tests of isolated work.
//!
//! `isolated_faults serve [ADDRESS]` is a child of a pool; `isolated_faults orchestrate ADDRESS` is an
//! orchestrator in the middle of a call, to be killed; `isolated_faults panic` catches one panic and
//! lets another one be printed. Functions tell the test who they are through the socket at ADDRESS;
//! it stays open for as long as somebody lives who holds it.

use std::error::Error;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio, abort, exit};
use std::sync::Arc;
use std::thread;

use jiff::SignedDuration;
use orchestration::{
    CancellationToken, FailureClass, IsolatedCommand, IsolatedLimits, IsolatedPolicy, IsolatedPool,
    Journal, ManualClock, PipelineBuilder, PipelineExecutor, Registry, RetryPolicy, Stage,
    StageContext, StageFailure, StageOutput, StageResult, serve_isolated,
};
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["serve"] => match serve_isolated(&functions())? {},
        ["serve", address] => {
            // Kept until this process ends, so that its end is noticed.
            let _tester = introduce(address)?;
            match serve_isolated(&functions())? {}
        }
        ["orchestrate", address] => orchestrate(address),
        ["panic"] => panic_twice(),
        _ => Err("serve [ADDRESS], orchestrate ADDRESS or panic?".into()),
    }
}

fn functions() -> Registry {
    let mut registry = Registry::new();
    registry.register("pid", |_| Ok(StageOutput::fresh(std::process::id().into())));
    registry.register("echo", echo);
    registry.register("fail", fail);
    registry.register("panic", |_| panic!("index 7 is out of bounds"));
    registry.register("print", print);
    registry.register("progress", |stage| {
        stage.progress(1, 2, "half");
        stage.progress(2, 2, "all");
        Ok(StageOutput::fresh(().into()))
    });
    registry.register("hold", |stage| {
        let mut tester = tester(stage)?;
        let answer = hear(&mut tester)?;
        Ok(StageOutput::fresh(answer.into()))
    });
    registry.register("spin", |stage| {
        let _tester = tester(stage)?;
        spin()
    });
    registry.register("spin_with_grandchild", |stage| {
        let tester = OwnedFd::from(tester(stage)?);
        Command::new("sleep").arg("1000").stdout(Stdio::from(tester)).spawn().map_err(broken)?;
        spin()
    });
    registry.register("until_cancelled", |stage| {
        let _tester = tester(stage)?;
        while !stage.cancellation().is_cancelled() {
            thread::yield_now();
        }
        stage.check_cancelled()?;
        Ok(StageOutput::fresh(().into()))
    });
    registry.register("abort", |_| abort());
    registry.register("exit", |_| {
        drop(writeln!(io::stderr(), "the model file is gone"));
        exit(3)
    });
    registry.register("hoard", |_| {
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        loop {
            hoard.push(vec![1; 16 << 20]);
        }
    });
    registry.register("large_output", |_| Ok(StageOutput::fresh("x".repeat(1 << 20).into())));
    registry.register("large_failure", |_| {
        Err(StageFailure::new(FailureClass::Model, "x".repeat(5 << 20)))
    });
    registry
}

/// Says everything that it was handed.
fn echo(stage: &StageContext) -> StageResult {
    let first: serde_json::Value = stage.output_as("first")?;
    let value = json!({
        "run_id": stage.run_id().to_string(),
        "run_input": stage.run_input(),
        "stage": stage.stage(),
        "input": stage.input(),
        "attempt": stage.attempt(),
        "first": first,
        "first_degraded": stage.degraded("first"),
        "pid": std::process::id(),
    });
    Ok(StageOutput::fresh(value).degraded_because("only an echo"))
}

fn fail(stage: &StageContext) -> StageResult {
    let name = stage.input().as_str().unwrap_or_default();
    let class = FailureClass::ALL.into_iter().find(|class| class.as_str() == name);
    let class = class.ok_or_else(|| broken(format!("no class {name}")))?;
    Err(StageFailure::new(class, "as asked").with_wait(SignedDuration::from_millis(1500)))
}

#[expect(clippy::print_stdout, reason = "it shows that printing does no harm")]
fn print(_: &StageContext) -> StageResult {
    println!("{}", "noise ".repeat(50_000));
    let status = Command::new("echo").arg("more noise").status().map_err(broken)?;
    // Whoever reads the standard input must not steal what the orchestrator says.
    let cat = Command::new("cat").stdin(Stdio::inherit()).output().map_err(broken)?;
    Ok(StageOutput::fresh(json!([status.success(), cat.stdout.len()])))
}

/// Connects to the test and says who we are.
fn tester(stage: &StageContext) -> Result<UnixStream, StageFailure> {
    introduce(stage.input().as_str().unwrap_or_default()).map_err(broken)
}

fn introduce(address: &str) -> io::Result<UnixStream> {
    let mut tester = UnixStream::connect(address)?;
    tester.write_all(&std::process::id().to_be_bytes())?;
    Ok(tester)
}

/// Waits until the test says something.
fn hear(tester: &mut UnixStream) -> Result<u8, StageFailure> {
    let mut answer = [0];
    tester.read_exact(&mut answer).map_err(broken)?;
    Ok(answer[0])
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

fn broken(error: impl ToString) -> StageFailure {
    StageFailure::new(FailureClass::Bug, error.to_string())
}

/// Runs a pipeline whose only stage computes in a child for ever.
fn orchestrate(address: &str) -> Result<(), Box<dyn Error>> {
    let command = IsolatedCommand::this_program()?.argument("serve");
    let pool = Arc::new(IsolatedPool::start(command, IsolatedPolicy::default())?);
    let mut registry = Registry::new();
    registry.register("spin", pool.function("spin_with_grandchild", IsolatedLimits::default())?);
    run(registry, Stage::new("a", "spin").input(address.into()))
}

fn run(registry: Registry, stage: Stage) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let journal = Journal::open(&folder.path().join("journal.sqlite"))?;
    let clock = Arc::new(ManualClock::new(jiff::Timestamp::UNIX_EPOCH));
    let executor = PipelineExecutor::new(journal, registry, clock, NonZeroUsize::MIN);
    let pipeline = PipelineBuilder::new("day").stage(stage.retry(RetryPolicy::NEVER)).build()?;
    let submission = executor.submit(&pipeline, "k", serde_json::Value::Null)?;
    executor.execute(submission.run_id, &CancellationToken::new())?;
    Ok(())
}

/// Panics in a stage, which is a failure and nothing to print, and in a thread of its own.
fn panic_twice() -> Result<(), Box<dyn Error>> {
    let mut registry = Registry::new();
    registry.register("panic", |_| panic!("a caught panic"));
    run(registry, Stage::new("a", "panic"))?;
    let other = thread::spawn(|| panic!("another panic")).join();
    if other.is_ok() { Err("it has not panicked".into()) } else { Ok(()) }
}
