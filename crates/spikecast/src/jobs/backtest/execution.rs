//! A backtest executed as a whole, by a stage of the daily operations: with a journal of its own,
//! so that it goes on where it was when the stage is tried again.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use orchestration::{CancellationToken, Clock, Journal, PipelineExecutor, RunReport, RunStatus};

use super::{BacktestInput, BacktestWorkspace, Evaluated, pipeline, registry};
use crate::data_dir::DataDir;
use crate::jobs::failure::JobError;

/// The name of the journal in the folder of a backtest.
pub const JOURNAL: &str = "journal.sqlite";

/// Executes a backtest in a folder, or the rest of it.
pub fn execute(
    (out, data_dir): (PathBuf, &DataDir),
    input: &BacktestInput,
    clock: &Arc<dyn Clock>,
    cancellation: &CancellationToken,
) -> Result<Evaluated, JobError> {
    let failed = |error: &dyn std::fmt::Display| JobError::Backtest(error.to_string());
    std::fs::create_dir_all(&out).map_err(|error| failed(&error))?;
    let journal = Journal::open(&out.join(JOURNAL)).map_err(|error| failed(&error))?;
    let workspace = Arc::new(BacktestWorkspace::new(out, data_dir.clone()));
    let pipeline = pipeline(input).map_err(|error| failed(&error))?;
    let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let executor = PipelineExecutor::new(journal, registry(&workspace), clock.clone(), workers);
    let value = serde_json::to_value(input).expect("the input of a backtest is plain data");
    let submission =
        executor.submit(&pipeline, &input.key(), value).map_err(|error| failed(&error))?;
    let report =
        executor.execute(submission.run_id, cancellation).map_err(|error| failed(&error))?;
    match report.status {
        RunStatus::Completed => report.output_as("evaluate").map_err(|error| failed(&error)),
        RunStatus::Interrupted | RunStatus::Pending | RunStatus::Running => Err(JobError::Stopped),
        RunStatus::Failed | RunStatus::Cancelled => Err(JobError::Backtest(why(&report))),
    }
}

fn why(report: &RunReport) -> String {
    let mut reasons = report.stages.iter().filter_map(|stage| stage.reason.clone());
    reasons.next().unwrap_or_else(|| format!("run {} {}", report.run_id, report.status))
}
