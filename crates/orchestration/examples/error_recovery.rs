//! Saying what is done about which failure, and using it in a pipeline and for tasks.

use std::error::Error;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;
use orchestration::recovery::RecoveryDecision;
use orchestration::{
    BreakerPolicy, CancellationToken, Concurrency, ErrorRecoveryManager, FailureClass, Journal,
    PipelineBuilder, PipelineExecutor, RecoveryAction, RecoveryStrategy, RecoveryTrigger, Registry,
    Retries, RetryPolicy, Stage, StageFailure, StageOutput, SystemClock, TaskManager,
};

/// The other side could not be reached.
#[derive(Debug, thiserror::Error)]
#[error("connection refused")]
struct ConnectionError;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    run(folder.path(), &mut std::io::stdout().lock())
}

fn run(folder: &Path, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    // Create an error recovery manager.
    let mut recovery_manager = ErrorRecoveryManager::new();

    // Register custom recovery strategies: by the type of the error …
    let retry = RetryPolicy {
        attempts_max: 3,
        backoff_factor: 2.0,
        delay_first: SignedDuration::from_millis(1),
        ..RetryPolicy::default()
    };
    recovery_manager.register_recovery_strategy(
        RecoveryTrigger::error::<ConnectionError>(FailureClass::Connection),
        RecoveryStrategy::Retry(retry),
    )?;
    // … by the class of the failure, and for one stage only.
    let refetch = RecoveryAction::new(|_| Ok(()));
    recovery_manager.register_recovery_strategy(
        RecoveryTrigger::class(FailureClass::BadData),
        RecoveryStrategy::Repair { action: refetch, policy: retry },
    )?;
    recovery_manager.register_recovery_strategy(
        RecoveryTrigger::class(FailureClass::MissingData).at_stage("news"),
        RecoveryStrategy::Skip,
    )?;
    recovery_manager.register_fallback("forecast", "climatology");
    recovery_manager.register_breaker("ercot", BreakerPolicy::default(), ["prices"])?;
    let recovery_manager = Arc::new(recovery_manager);

    // Use it in a pipeline.
    let pipeline = PipelineBuilder::new("day")
        .stage(Stage::new("prices", "fetch_prices"))
        .stage(Stage::new("news", "fetch_news"))
        .stage(Stage::new("forecast", "infer").after(["prices"]))
        .build()?;
    let journal = Journal::open(&folder.join("journal.sqlite"))?;
    let clock = Arc::new(SystemClock::new());
    let executor = PipelineExecutor::new(journal, registry(), clock, NonZeroUsize::MIN)
        .recover_with(Arc::clone(&recovery_manager));
    let submission = executor.submit(&pipeline, "2026-01-28", serde_json::Value::Null)?;
    let report = executor.execute(submission.run_id, &CancellationToken::new())?;
    writeln!(out, "pipeline: {}", report.status)?;
    for reason in &report.degraded {
        writeln!(out, "degraded: {reason}")?;
    }

    // Use it for tasks in memory.
    let mut tasks = TaskManager::new(NonZeroUsize::MIN).recover_with(Arc::clone(&recovery_manager));
    let fetch = tasks.create_task("fetch", (), |(), task| match task.attempt() {
        1 => Err(ConnectionError.into()),
        attempt => Ok(attempt),
    })?;
    tasks.execute_all(Concurrency::Parallel, Retries::On)?;
    writeln!(out, "task: completed with attempt {}", tasks.output(&fetch)?)?;

    let statistics = recovery_manager.statistics();
    for decision in [
        RecoveryDecision::Retried,
        RecoveryDecision::Repaired,
        RecoveryDecision::FellBack,
        RecoveryDecision::Skipped,
    ] {
        writeln!(out, "{decision:?}: {}", statistics.count(decision))?;
    }
    Ok(())
}

fn registry() -> Registry {
    let fail = |class, message: &str| Err(StageFailure::new(class, message));
    let mut registry = Registry::new();
    registry.register("fetch_prices", move |stage| match stage.attempt() {
        1 => fail(FailureClass::BadData, "the file is truncated"),
        _ => Ok(StageOutput::fresh(21.into())),
    });
    registry.register("fetch_news", move |_| fail(FailureClass::MissingData, "nothing published"));
    registry.register("infer", move |_| fail(FailureClass::Model, "no model is fitted"));
    registry.register("climatology", |_| Ok(StageOutput::fresh(0.02.into())));
    registry
}
