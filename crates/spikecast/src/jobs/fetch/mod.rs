//! Fetching: brings the archive up to what was asked for, and says what is missing.
//!
//! windows → list (of each window) → plan → collect (each piece) → check. A piece is committed
//! together with the names of the postings that it came from, so whoever is killed fetches nothing
//! twice. What the usual routes lack is mended by the others before *check* is tried again.

mod attempt;
mod check;
mod collect;
mod list;
mod mend;
mod shapes;
mod windows;

use std::sync::Arc;

use jiff::SignedDuration;
use market::archive::Archive;
use market::source::open_meteo::OpenMeteo;
use orchestration::recovery::RecoveryError;
use orchestration::{
    Clock, ErrorRecoveryManager, FailureClass, Pipeline, PipelineBuilder, PipelineError,
    RecoveryAction, RecoveryContext, RecoveryStrategy, RecoveryTrigger, Registry, RetryPolicy,
    Stage, StageContext, StageFailure, StageOutput, StageResult,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::archive_repair::repair_if_damaged;
use super::ercot::Ercot;
use super::failure::JobError;
use crate::data_dir::DataDir;
use attempt::Attempt;
pub use shapes::{
    Collected, FailingDay, FetchInput, FetchOutcome, Gap, KeyName, Piece, Purpose, Vintages,
    WantedSpan, Window,
};

/// The name of the pipeline in the journal.
pub const PIPELINE: &str = "fetch";

/// The last stage of fetching.
pub const CHECK: &str = "check";

/// Requests wait for each other anyway; two of them keep the line busy.
const AT_ONCE: u32 = 2;

/// A budget that is used up refuses many times in a long backfill, without anything being wrong.
const REFUSALS_MAX: u32 = 10_000;

/// What comes broken is asked for again so often before it is put aside.
const UNUSABLE_MAX: u32 = 3;

/// Returns the pipeline.
pub fn pipeline(retry: RetryPolicy) -> Result<Pipeline, PipelineError> {
    stages(PipelineBuilder::new(PIPELINE), retry).build()
}

/// Adds the stages of fetching to a pipeline. What fails for good is done without, and leaves a gap
/// that *check*, the last of them, names.
#[must_use]
pub fn stages(pipeline: PipelineBuilder, retry: RetryPolicy) -> PipelineBuilder {
    let nothing_listed = json!([]);
    let nothing_collected = json!(Collected::default());
    let each = |stage: Stage, over: &str| stage.map_over(over, Some(AT_ONCE)).retry(retry);
    let check = Stage::new(CHECK, "check").after(["collect"]).retry(retry);
    pipeline
        .stage(Stage::new("windows", "windows"))
        .stage(each(Stage::new("list", "list"), "windows").fallback_value(nothing_listed))
        .stage(Stage::new("plan", "plan").after(["list"]))
        .stage(each(Stage::new("collect", "collect"), "plan").fallback_value(nothing_collected))
        .stage(check.fallback("tell_what_is_missing"))
}

/// Registers what is done about failures: a server is waited for as long as it wants, what came
/// broken is fetched again, what is missing is looked for on the other routes.
pub fn recover_fetching(
    recovery: &mut ErrorRecoveryManager,
    workspace: &Arc<FetchWorkspace>,
    retry: RetryPolicy,
) -> Result<(), RecoveryError> {
    let workspace = workspace.clone();
    let mend = RecoveryAction::new(move |context: &RecoveryContext| {
        let input = input_of_run(&context.run_input)?;
        if context.failure.class == FailureClass::BadData {
            repair_if_damaged(&workspace.archive, workspace.clock.now())?;
        }
        Ok(mend::mend(&workspace, &input, &context.cancellation)?)
    });
    let patient = RetryPolicy { attempts_max: REFUSALS_MAX, ..retry };
    let again = RetryPolicy { attempts_max: UNUSABLE_MAX, ..retry };
    for stage in ["list", "collect"] {
        for (class, policy) in [(FailureClass::RateLimit, patient), (FailureClass::BadData, again)]
        {
            let trigger = RecoveryTrigger::class(class).at_stage(stage);
            recovery.register_recovery_strategy(trigger, RecoveryStrategy::Retry(policy))?;
        }
    }
    let once = RetryPolicy { attempts_max: 2, delay_first: SignedDuration::ZERO, ..retry };
    for (class, policy) in [
        (FailureClass::MissingData, once),
        // The repair itself failed, and goes on where it was.
        (FailureClass::BadData, again),
        (FailureClass::Connection, retry),
        (FailureClass::RateLimit, patient),
    ] {
        recovery.register_recovery_strategy(
            RecoveryTrigger::class(class).at_stage(CHECK),
            RecoveryStrategy::Repair { action: mend.clone(), policy },
        )?;
    }
    Ok(())
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
    /// The way to Open-Meteo; nothing when the source is another one.
    pub weather: Option<OpenMeteo>,
    /// The archive of the source.
    pub archive: Archive,
}

impl FetchWorkspace {
    fn ercot(&self) -> Result<&Ercot, JobError> {
        let missing = || JobError::Intermediate("the way to ERCOT".to_owned());
        self.ercot.as_ref().ok_or_else(missing)
    }

    fn weather(&self) -> Result<&OpenMeteo, JobError> {
        let missing = || JobError::Intermediate("the way to Open-Meteo".to_owned());
        self.weather.as_ref().ok_or_else(missing)
    }
}

/// Opens the archive of a source.
pub fn open_archive(data_dir: &DataDir, source_id: &str) -> Result<Archive, JobError> {
    Ok(Archive::open(&data_dir.archive(source_id))?)
}

/// Registers the functions that the stages of fetching name.
pub fn register(registry: &mut Registry, workspace: &Arc<FetchWorkspace>) {
    let mut add = |name: &str, function: fn(&FetchWorkspace, &StageContext) -> StageResult| {
        let workspace = workspace.clone();
        registry.register(name, move |stage: &StageContext| function(&workspace, stage));
    };
    add("windows", |_, stage| finish(windows::windows(&input(stage)?)));
    add("list", |workspace, stage| {
        let window: Window = stage.item_as()?;
        finish(list::list(workspace, &input(stage)?, &window, &Attempt::of(stage)))
    });
    add("plan", |workspace, stage| finish(list::plan(workspace, stage)));
    add("collect", |workspace, stage| {
        let piece = list::planned(workspace, stage.run_id(), stage.item_as()?)?;
        finish(collect::collect(workspace, &input(stage)?, &piece, &Attempt::of(stage)))
    });
    add("check", |workspace, stage| finish(check::check(workspace, &input(stage)?, stage)));
    add("tell_what_is_missing", |workspace, stage| {
        finish(check::tell(workspace, &input(stage)?, stage))
    });
}

fn input(stage: &StageContext) -> Result<FetchInput, StageFailure> {
    input_of_run(stage.run_input())
}

/// A run that does more than fetching says under `fetch` what is to be fetched.
fn input_of_run(run: &Value) -> Result<FetchInput, StageFailure> {
    FetchInput::deserialize(run.get("fetch").unwrap_or(run)).map_err(|error| {
        let message = format!("the input of the run has another shape: {error}");
        StageFailure::new(FailureClass::Bug, message)
    })
}

fn finish<T: Serialize>(result: Result<T, JobError>) -> StageResult {
    StageOutput::of(&result?)
}
