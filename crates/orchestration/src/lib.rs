//! Runs work on time and survives crashes.
//!
//! A [`Pipeline`] is a checked graph of [`Stage`]s; a stage names a function of the [`Registry`].
//! [`PipelineExecutor`] runs a pipeline durably: every step is written to the [`Journal`] first
//! and acted upon second, so a process that dies at any point resumes where it stood.
//! [`TaskManager`] runs closures in memory, whose outputs flow to dependents with their Rust types.
//! [`ErrorRecoveryManager`] says for both what is done about which failure.
//! [`IsolatedPool`] keeps child processes for stages that may take theirs down with them.
//! [`DailyScheduler`] has pipelines run when their [`Schedule`]s say so.
//!
//! What happens next is decided by pure functions over values ([`run`], [`recovery`]); only
//! [`journal`], [`runtime`] and [`clock`] touch the world. This crate knows nothing about what the
//! work is for.
//!
//! # Vocabulary
//! *stage* – a task's place in a pipeline · *run* – one execution of a pipeline · *attempt* – one
//! try of a stage in a run · *rung* – a function on a stage's ladder: its own, then its fallbacks ·
//! *event* – one line of the journal · *degraded* – completed, but by a fallback or from degraded
//! input · *fencing token* – the number that tells a living attempt from a superseded one ·
//! *fan-out* – a stage of which there is one item for each element of a collection · *pool* – slots
//! that stages of all runs share · *isolated* – made in a child process · *firing* – a time at which
//! a schedule says that its pipeline shall run.
//!
//! # Example
//! ```
//! use std::{num::NonZeroUsize, sync::Arc};
//! use orchestration::{
//!     CancellationToken, Journal, PipelineBuilder, PipelineExecutor, Registry, RunStatus, Stage,
//!     StageOutput, SystemClock,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("journal.sqlite");
//! let mut registry = Registry::new();
//! registry.register("two", |_| Ok(StageOutput::fresh(2.into())));
//! registry.register("double", |stage| {
//!     let number: i64 = stage.output_as("fetch")?;
//!     Ok(StageOutput::fresh((2 * number).into()))
//! });
//! let pipeline = PipelineBuilder::new("arithmetic")
//!     .stage(Stage::new("fetch", "two"))
//!     .stage(Stage::new("compute", "double").after(["fetch"]))
//!     .build()?;
//!
//! let workers_max = NonZeroUsize::MIN;
//! let clock = Arc::new(SystemClock::new());
//! let executor = PipelineExecutor::new(Journal::open(&path)?, registry, clock, workers_max);
//! let submission = executor.submit(&pipeline, "2026-01-27", serde_json::Value::Null)?;
//! let report = executor.execute(submission.run_id, &CancellationToken::new())?;
//! assert_eq!(report.status, RunStatus::Completed);
//! assert_eq!(report.output_as::<i64>("compute")?, 4);
//! # Ok(())
//! # }
//! ```

pub mod backfill;
pub mod clock;
pub mod journal;
pub mod pipeline;
pub mod recovery;
pub mod run;
pub mod runtime;
pub mod scheduler;
pub mod simulation;
pub mod task;

pub use backfill::{
    Backfill, BackfillError, Partition, PartitionCounts, PartitionState, PartitionStates,
    PartitionsError,
};
pub use clock::{Awaited, Clock, ManualClock, SystemClock};
pub use journal::{
    CheckReport, Finding, Journal, JournalError, JournalReader, Retention, Submission,
};
pub use pipeline::{Isolation, Pipeline, PipelineBuilder, PipelineError, Stage};
pub use recovery::{
    BreakerPolicy, DeadlineAlert, DeadlinePolicy, ErrorRecoveryManager, FailureClass,
    RecoveryAction, RecoveryContext, RecoveryStrategy, RecoveryTrigger, RetryPolicy, StageFailure,
    WhenLate,
};
pub use run::{
    AttemptOutcome, AttemptReport, CancelScope, Deadline, ItemCounts, OutputError, Recalled, RunId,
    RunReport, RunStatus, RunSummary, StageExplanation, StageReport, StageStatus,
};
pub use runtime::{
    ExecutionError, IsolatedCommand, IsolatedError, IsolatedLimits, IsolatedPolicy, IsolatedPool,
    Observation, ObservationKind, PipelineExecutor, ServeError, serve_isolated,
};
pub use scheduler::{
    Cron, CronError, CronField, DailyPipelines, DailyScheduler, DailyTimes, DstNote, DstPolicy,
    DueRun, Firing, Interval, IntervalUnit, Jitter, MisfirePolicy, OneOff, OverlapPolicy, RunPlan,
    RunningScheduler, Schedule, ScheduleAction, ScheduleError, ScheduleFrequency, ScheduleId,
    ScheduleRule, ScheduleState, ScheduleWarning, ScheduledEvent, ScheduledTask, Scheduler,
    SchedulerHandle, Timetable,
};
pub use task::{
    CancellationToken, Concurrency, IfCompleted, Priority, Registry, Retries, RunningTasks,
    StageContext, StageOutput, StageResult, Task, TaskContext, TaskError, TaskFailure, TaskHandle,
    TaskId, TaskInputs, TaskManager, TaskMetrics, TaskPriority, TaskResult, TaskStatus,
};
