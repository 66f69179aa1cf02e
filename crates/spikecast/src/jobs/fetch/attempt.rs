//! One try at a piece of work: by a stage, or by the repair before a stage is tried again.

use orchestration::{CancellationToken, StageContext};

use super::UNUSABLE_MAX;
use crate::jobs::failure::JobError;

/// One try.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    number: u32,
    cancellation: &'a CancellationToken,
    /// Who hears of progress.
    stage: Option<&'a StageContext>,
}

impl<'a> Attempt<'a> {
    /// Returns the attempt of a stage.
    pub(super) fn of(stage: &'a StageContext) -> Self {
        let (number, cancellation) = (stage.attempt(), stage.cancellation());
        Self { number, cancellation, stage: Some(stage) }
    }

    /// Returns an attempt of a repair.
    pub(super) fn of_repair(number: u32, cancellation: &'a CancellationToken) -> Self {
        Self { number, cancellation, stage: None }
    }

    /// Tells whether what comes broken is put aside and not fetched again, and what can be done
    /// without is done without.
    pub(super) fn is_last(&self) -> bool {
        UNUSABLE_MAX <= self.number
    }

    /// Fails if somebody asked to stop.
    pub(super) fn check_cancelled(&self) -> Result<(), JobError> {
        if self.cancellation.is_cancelled() { Err(JobError::Stopped) } else { Ok(()) }
    }

    /// Tells whoever watches.
    pub(super) fn progress(&self, done: u64, total: u64, message: &str) {
        if let Some(stage) = self.stage {
            stage.progress(done, total, message);
        }
    }
}
