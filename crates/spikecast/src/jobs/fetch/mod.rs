//! Fetching: brings the archive up to what was asked for, and says what is missing.
//!
//! windows → list (of each window) → plan → collect (each piece) → check. A piece is committed
//! together with the names of the postings that it came from, so whoever is killed fetches nothing
//! twice. What the usual routes lack is asked for again on the others, in a second run.

mod check;
mod collect;
mod list;
mod shapes;
mod windows;

use std::sync::Arc;

use market::archive::Archive;
use orchestration::recovery::RecoveryError;
use orchestration::{
    Clock, ErrorRecoveryManager, FailureClass, Pipeline, PipelineBuilder, PipelineError,
    RecoveryStrategy, RecoveryTrigger, Registry, RetryPolicy, Stage, StageContext, StageFailure,
    StageOutput, StageResult,
};
use serde::Serialize;
use serde_json::json;

use super::ercot::Ercot;
use super::failure::JobError;
use crate::data_dir::DataDir;
pub use shapes::{Collected, FetchInput, FetchOutcome, Gap, KeyName, Piece, Vintages, Window};

/// The name of the pipeline in the journal.
pub const PIPELINE: &str = "fetch";

/// Requests wait for each other anyway; two of them keep the line busy.
const AT_ONCE: u32 = 2;

/// A budget that is used up refuses many times in a long backfill, without anything being wrong.
const REFUSALS_MAX: u32 = 10_000;

/// What comes broken is asked for again so often before it is put aside.
const UNUSABLE_MAX: u32 = 3;

/// Returns the pipeline. What fails for good is done without, and leaves a gap that *check* names.
pub fn pipeline(retry: RetryPolicy) -> Result<Pipeline, PipelineError> {
    let nothing_listed = json!([]);
    let nothing_collected = json!(Collected::default());
    let each = |stage: Stage, over: &str| stage.map_over(over, Some(AT_ONCE)).retry(retry);
    PipelineBuilder::new(PIPELINE)
        .stage(Stage::new("windows", "windows"))
        .stage(each(Stage::new("list", "list"), "windows").fallback_value(nothing_listed))
        .stage(Stage::new("plan", "plan").after(["list"]))
        .stage(each(Stage::new("collect", "collect"), "plan").fallback_value(nothing_collected))
        .stage(Stage::new("check", "check").after(["collect"]))
        .build()
}

/// Returns what is done about failures: a server is waited for as long as it wants, what came
/// broken is fetched again.
pub fn recovery(retry: RetryPolicy) -> Result<ErrorRecoveryManager, RecoveryError> {
    let mut recovery = ErrorRecoveryManager::new();
    let patient = RetryPolicy { attempts_max: REFUSALS_MAX, ..retry };
    let again = RetryPolicy { attempts_max: UNUSABLE_MAX, ..retry };
    for (class, policy) in [(FailureClass::RateLimit, patient), (FailureClass::BadData, again)] {
        recovery.register_recovery_strategy(
            RecoveryTrigger::class(class),
            RecoveryStrategy::Retry(policy),
        )?;
    }
    Ok(recovery)
}

/// What the stages share within one process.
#[derive(Debug)]
pub struct FetchWorkspace {
    /// Where everything lives.
    pub data_dir: DataDir,
    /// The one reader of the time.
    pub clock: Arc<dyn Clock>,
    /// The way to ERCOT; nothing when the source is another one.
    pub ercot: Option<Ercot>,
    /// The archive of the source.
    pub archive: Archive,
}

impl FetchWorkspace {
    fn ercot(&self) -> Result<&Ercot, JobError> {
        let missing = || JobError::Intermediate("the way to ERCOT".to_owned());
        self.ercot.as_ref().ok_or_else(missing)
    }
}

/// Opens the archive of a source.
pub fn open_archive(data_dir: &DataDir, source_id: &str) -> Result<Archive, JobError> {
    Ok(Archive::open(&data_dir.archive(source_id))?)
}

/// Returns the functions that the pipeline's stages name.
#[must_use]
pub fn registry(workspace: &Arc<FetchWorkspace>) -> Registry {
    let mut registry = Registry::new();
    let mut add = |name: &str, function: fn(&FetchWorkspace, &StageContext) -> StageResult| {
        let workspace = workspace.clone();
        registry.register(name, move |stage: &StageContext| function(&workspace, stage));
    };
    add("windows", |_, stage| finish(windows::windows(&input(stage)?)));
    add("list", |workspace, stage| {
        let window: Window = stage.item_as()?;
        finish(list::list(workspace, &input(stage)?, &window, stage))
    });
    add("plan", |workspace, stage| finish(list::plan(workspace, stage)));
    add("collect", |workspace, stage| {
        let piece: Piece = stage.item_as()?;
        finish(collect::collect(workspace, &input(stage)?, &piece, stage))
    });
    add("check", |workspace, stage| finish(check::check(workspace, &input(stage)?, stage)));
    registry
}

fn input(stage: &StageContext) -> Result<FetchInput, StageFailure> {
    stage.run_input_as()
}

fn finish<T: Serialize>(result: Result<T, JobError>) -> StageResult {
    StageOutput::of(&result?)
}
