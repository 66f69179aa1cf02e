//! Executes the partitions of a backfill side by side, each once.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;

use super::partitions::{PartitionCounts, PartitionState, PartitionStates, PartitionsError};
use crate::pipeline::Pipeline;
use crate::run::{RunReport, RunStatus};
use crate::runtime::{ExecutionError, PipelineExecutor};
use crate::task::CancellationToken;

/// What the run of one partition is submitted with.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// Tells it from all others of the journal.
    pub key: String,
    /// The input of its run.
    pub input: Value,
}

/// Why a backfill could not go on. What was done is kept, and the same backfill continues.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// A run could not be submitted or executed; one that failed is no such case.
    #[error(transparent)]
    Execution(#[from] ExecutionError),
    /// How far it is could not be noted.
    #[error(transparent)]
    Partitions(#[from] PartitionsError),
    /// The system gives no thread.
    #[error("no thread for the backfill could be started")]
    NoThread(#[source] std::io::Error),
}

/// One pipeline for many partitions.
pub struct Backfill<'b> {
    /// Executes the runs; its journal knows them.
    pub executor: &'b PipelineExecutor,
    /// What runs for each partition.
    pub pipeline: &'b Pipeline,
    /// How far it is.
    pub states: &'b PartitionStates,
    /// Returns what a partition is submitted with, by its number.
    pub partition: &'b (dyn Fn(usize) -> Partition + Sync),
    /// So many neighbours are executed one after the other, because the later ones use what the
    /// earlier ones leave behind; such groups are executed side by side.
    pub group: NonZeroUsize,
    /// So many groups at a time.
    pub workers: NonZeroUsize,
    /// Is told of every partition that has ended, how it stands, and how all stand.
    pub observer: &'b (dyn Fn(usize, &RunReport, PartitionCounts) + Sync),
}

impl Backfill<'_> {
    /// Executes what is pending and tries again what had failed, until all are over or
    /// `cancellation` asks to stop; returns how the partitions stand then.
    pub fn run(&self, cancellation: &CancellationToken) -> Result<PartitionCounts, BackfillError> {
        let groups = self.states.len().div_ceil(self.group.get());
        let next = Mutex::new(0..groups);
        // Who fails stops the others after the partition at hand.
        let stop = CancellationToken::new();
        let forwarded = stop.clone();
        let _subscription = cancellation.on_cancel(move || forwarded.cancel());
        let work = || -> Result<(), BackfillError> {
            let claim = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some(group) = claim() {
                let outcome = self.run_group(group, &stop);
                if stop.is_cancelled() || outcome.is_err() {
                    stop.cancel();
                    return outcome;
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let mut workers = Vec::new();
            for _ in 0..self.workers.get().min(groups) {
                let spawned =
                    thread::Builder::new().name("backfill".into()).spawn_scoped(scope, work);
                match spawned {
                    Ok(worker) => workers.push(worker),
                    // Those that did start do the work.
                    Err(_) if !workers.is_empty() => break,
                    Err(error) => return Err(BackfillError::NoThread(error)),
                }
            }
            for worker in workers {
                match worker.join() {
                    Ok(outcome) => outcome?,
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(())
        })?;
        Ok(self.states.counts())
    }

    fn run_group(&self, group: usize, stop: &CancellationToken) -> Result<(), BackfillError> {
        let first = group * self.group.get();
        let end = (first + self.group.get()).min(self.states.len());
        for number in first..end {
            if stop.is_cancelled() {
                return Ok(());
            }
            match self.states.state(number) {
                PartitionState::Pending | PartitionState::Running | PartitionState::Failed => {
                    self.run_partition(number, stop)?;
                }
                PartitionState::Completed | PartitionState::Degraded | PartitionState::Present => {}
            }
        }
        Ok(())
    }

    fn run_partition(&self, number: usize, stop: &CancellationToken) -> Result<(), BackfillError> {
        self.states.set(number, PartitionState::Running)?;
        let report = self.execute(number, stop)?;
        let state = match report.status {
            RunStatus::Completed if report.degraded.is_empty() => PartitionState::Completed,
            RunStatus::Completed => PartitionState::Degraded,
            RunStatus::Failed | RunStatus::Cancelled => PartitionState::Failed,
            RunStatus::Interrupted | RunStatus::Pending | RunStatus::Running => {
                return Ok(self.states.set(number, PartitionState::Pending)?);
            }
        };
        self.states.set(number, state)?;
        (self.observer)(number, &report, self.states.counts());
        Ok(())
    }

    /// Executes the run that the journal knows for a partition, or a new one. One that had failed
    /// is followed by another.
    fn execute(&self, number: usize, stop: &CancellationToken) -> Result<RunReport, BackfillError> {
        let Partition { key, input } = (self.partition)(number);
        let known = self.executor.submit_once(self.pipeline, &key, input.clone())?;
        let report = self.executor.execute(known.run_id, stop)?;
        match report.status {
            RunStatus::Failed | RunStatus::Cancelled if known.resumed => {
                let another = self.executor.submit(self.pipeline, &key, input)?;
                Ok(self.executor.execute(another.run_id, stop)?)
            }
            RunStatus::Failed
            | RunStatus::Cancelled
            | RunStatus::Completed
            | RunStatus::Interrupted
            | RunStatus::Pending
            | RunStatus::Running => Ok(report),
        }
    }
}

impl std::fmt::Debug for Backfill<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pipeline, states, group, workers, .. } = self;
        formatter
            .debug_struct("Backfill")
            .field("pipeline", &pipeline.name())
            .field("partitions", &states.len())
            .field("group", group)
            .field("workers", workers)
            .finish_non_exhaustive()
    }
}
