//! Delivers notices: each once to each channel, tried again until it arrives or is old.
//!
//! A delivery is a durable run, so that a process that dies delivers what it owed when it starts
//! again, and nobody is told twice.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use orchestration::{
    CancellationToken, Clock, JournalError, Pipeline, PipelineExecutor, RunId, RunStatus,
};

use crate::notifications::{Notice, Notifier, PIPELINE};

/// Unfinished deliveries are looked for among so many of the newest runs.
const RUNS_LOOKED_AT: u32 = 1_000;

/// Delivers notices on threads of their own.
pub struct Courier {
    executor: Arc<PipelineExecutor>,
    clock: Arc<dyn Clock>,
    notifier: Arc<Notifier>,
    pipeline: Pipeline,
    stop: CancellationToken,
    /// What is on its way.
    under_way: Arc<Mutex<BTreeSet<RunId>>>,
}

impl Courier {
    /// Returns a courier who delivers by `pipeline`.
    pub fn new(
        executor: Arc<PipelineExecutor>,
        clock: Arc<dyn Clock>,
        notifier: Arc<Notifier>,
        pipeline: Pipeline,
    ) -> Self {
        let (stop, under_way) = (CancellationToken::new(), Arc::default());
        Self { executor, clock, notifier, pipeline, stop, under_way }
    }

    /// Returns who knows what is worth telling.
    #[must_use]
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Tells a notice to everybody who wants it, and returns at once. Telling it again does nothing.
    pub fn tell(&self, notice: Notice) {
        tracing::info!(notice = %notice.key(), "notice");
        for delivery in self.notifier.deliveries(&notice) {
            match self.executor.submit_once(&self.pipeline, &delivery.key, delivery.input) {
                Ok(submission) => self.deliver(submission.run_id),
                Err(error) => {
                    tracing::error!(notice = %notice.key(), "cannot be delivered: {error}");
                }
            }
        }
    }

    /// Delivers what an earlier process owed.
    pub fn resume(&self) -> Result<(), JournalError> {
        for run in self.executor.journal().runs(RUNS_LOOKED_AT)? {
            let is_owed = matches!(
                run.status,
                RunStatus::Pending | RunStatus::Running | RunStatus::Interrupted
            );
            if run.pipeline == PIPELINE && is_owed {
                self.deliver(run.run_id);
            }
        }
        Ok(())
    }

    /// Stops trying; what was not delivered is owed.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    fn deliver(&self, run_id: RunId) {
        if !lock(&self.under_way).insert(run_id) {
            return;
        }
        let (executor, clock) = (Arc::clone(&self.executor), Arc::clone(&self.clock));
        let (stop, under_way) = (self.stop.clone(), Arc::clone(&self.under_way));
        clock.join();
        let work = move || {
            match executor.execute(run_id, &stop) {
                Ok(report) if report.status == RunStatus::Failed => {
                    tracing::error!(run = %run_id, key = report.key, "notice not delivered");
                }
                Ok(_) => {}
                Err(error) => tracing::error!(run = %run_id, "notice not delivered: {error}"),
            }
            lock(&under_way).remove(&run_id);
            clock.leave();
        };
        if let Err(error) = thread::Builder::new().name("courier".to_owned()).spawn(work) {
            self.clock.leave();
            // It is owed, and delivered when the process starts again.
            tracing::error!(run = %run_id, "no thread to deliver a notice: {error}");
        }
    }
}

fn lock(under_way: &Mutex<BTreeSet<RunId>>) -> MutexGuard<'_, BTreeSet<RunId>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Courier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Courier").field("notifier", &self.notifier).finish_non_exhaustive()
    }
}
