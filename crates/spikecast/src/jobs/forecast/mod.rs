//! The main job: fetch → validate → features → train (if due) → infer → publish.
//!
//! Each stage is a file here. ERCOT is fetched by the stages of [`super::fetch`] in place of the
//! first one. What crosses the journal is the small JSON in `shapes`; tables and
//! models are files in the data directory, named by it. A stage that runs again (after a crash)
//! writes the same files again.

mod features;
mod fetch;
mod infer;
mod mend;
mod page;
mod previous_forecast;
mod publish;
mod record;
mod request;
mod shapes;
mod track_record;
mod train;
mod validate;
mod wanted;
mod workspace;

use std::sync::Arc;

use jiff::SignedDuration;
use orchestration::{
    Isolation, Pipeline, PipelineBuilder, PipelineError, Registry, RetryPolicy, Stage,
    StageContext, StageOutput, StageResult,
};

use super::failure::JobError;
pub(super) use fetch::generation;
pub use mend::recover_archive;
pub use request::{forecast_input, targets};
pub use shapes::{
    FetchOutput, ForecastInput, InferOutput, InputStatus, ModelReference, Published, RefusedModel,
    TrainOutput, ValidateOutput,
};
pub use wanted::wanted;
pub use workspace::Workspace;

/// The name of the pipeline in the journal.
pub const PIPELINE: &str = "forecast";

/// Where *train* fits models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Training {
    /// In a process of its own: one that crashes or runs out of memory takes nothing else with it,
    /// and the previous model stands in.
    Isolated,
    /// In this process, where no other can be started.
    Here,
}

/// How the archive is brought up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fetching {
    /// By one stage, from a source that has whole series.
    AtOnce,
    /// Piece by piece, from a server that may fail, as patiently as this says.
    Patient(RetryPolicy),
}

/// Whether somebody waits for the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendance {
    /// A person reads the error, mends its cause and gives the command again.
    Attended,
    /// Nobody does: what can be done without is done without, and what may pass is waited for.
    Unattended,
}

/// How the pipelines are put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setup {
    /// Where models are fitted.
    pub training: Training,
    /// How the archive is brought up.
    pub fetching: Fetching,
    /// Whether somebody waits.
    pub attendance: Attendance,
}

/// A disk that is full at six may have room again before the market closes.
const UNTIL_THERE_IS_ROOM: RetryPolicy = RetryPolicy {
    attempts_max: 40,
    delay_first: SignedDuration::from_secs(10),
    backoff_factor: 2.0,
    delay_max: SignedDuration::from_mins(5),
};

/// No model takes longer to fit: the previous one stands in then.
const TRAINING_TIME_MAX: SignedDuration = SignedDuration::from_mins(45);

impl Setup {
    /// Adds the stages that bring the archive up; returns the last of them, too.
    #[must_use]
    pub fn fetch(&self, pipeline: PipelineBuilder) -> (PipelineBuilder, &'static str) {
        match (self.fetching, self.attendance) {
            (Fetching::AtOnce, Attendance::Attended) => (pipeline.stage(once("fetch")), "fetch"),
            (Fetching::AtOnce, Attendance::Unattended) => {
                // What is archived already is a day old at most.
                let fetch = once("fetch").fallback("use_archive");
                (pipeline.stage(fetch), "fetch")
            }
            (Fetching::Patient(retry), Attendance::Attended | Attendance::Unattended) => {
                (super::fetch::stages(pipeline, retry), super::fetch::CHECK)
            }
        }
    }

    /// Returns a stage that fits a model with `function`.
    #[must_use]
    pub fn fit(&self, function: &str) -> Stage {
        let train = Stage::new("train", function).retry(RetryPolicy::NEVER);
        let train = train.timeout(TRAINING_TIME_MAX);
        match self.training {
            Training::Isolated => train.isolated(Isolation::default()),
            Training::Here => train,
        }
    }
}

fn once(name: &str) -> Stage {
    Stage::new(name, name).retry(RetryPolicy::NEVER)
}

/// Returns the pipeline. The ladder of *train*: a new model, the previous one, the climatology;
/// that of *infer*: the model, the previous forecast. Whatever fails before *infer*, there is a
/// forecast as long as there was one in the last days.
pub fn pipeline(setup: &Setup) -> Result<Pipeline, PipelineError> {
    let (pipeline, fetched) = setup.fetch(PipelineBuilder::new(PIPELINE));
    let train = setup.fit("train").after(["features"]);
    let infer = once("infer").after_end_of(["features", "train"]);
    let publish = match setup.attendance {
        Attendance::Attended => once("publish"),
        Attendance::Unattended => once("publish").retry(UNTIL_THERE_IS_ROOM),
    };
    pipeline
        .stage(once("validate").after_end_of([fetched]))
        .stage(once("features").after(["validate"]))
        .stage(train.fallback("keep_previous_model").fallback("use_climatology"))
        .stage(infer.fallback("repeat_previous_forecast"))
        .stage(publish.after(["infer"]).after_end_of(["validate", "train"]))
        .build()
}

/// The name of the pipeline of a past day.
pub const PAST_PIPELINE: &str = "past forecast";

/// Returns the pipeline of a past day, in a process that has fetched for all its days at once: the
/// forecast goes to the ledger only, nobody's page is replaced by one of the past, and its models
/// take the floor from nobody.
pub fn past_pipeline() -> Result<Pipeline, PipelineError> {
    let train = Stage::new("train", "train_past").retry(RetryPolicy::NEVER).after(["features"]);
    PipelineBuilder::new(PAST_PIPELINE)
        .stage(once("validate"))
        .stage(once("features").after(["validate"]))
        .stage(train.fallback("keep_previous_model").fallback("use_climatology"))
        .stage(once("infer").after(["features", "train"]))
        .stage(once("record").after(["validate", "infer"]))
        .build()
}

/// Returns the pipeline that only brings the archive up.
pub fn fetch_pipeline() -> Result<Pipeline, PipelineError> {
    PipelineBuilder::new("fetch").stage(Stage::new("fetch", "fetch")).build()
}

/// Returns the functions that the pipelines' stages name.
#[must_use]
pub fn registry(workspace: &Arc<Workspace>) -> Registry {
    let mut registry = Registry::new();
    let mut add = |name: &str, function: fn(&Workspace, &StageContext) -> StageResult| {
        let workspace = workspace.clone();
        registry.register(name, move |stage: &StageContext| function(&workspace, stage));
    };
    add("fetch", |workspace, stage| finish(fetch::fetch(workspace, &input(stage)?, stage)));
    add("validate", |workspace, stage| validate::validate(workspace, &input(stage)?));
    add("features", |workspace, stage| {
        finish(features::features(workspace, &input(stage)?, stage.run_id()))
    });
    add("use_archive", |workspace, stage| finish(fetch::archived(workspace, &input(stage)?)));
    add("train", |workspace, stage| finish(train::train(workspace, &input(stage)?, stage)));
    add("train_anew", |workspace, stage| {
        finish(train::train_anew(workspace, &input(stage)?, stage))
    });
    add("train_past", |workspace, stage| {
        finish(train::train_past(workspace, &input(stage)?, stage))
    });
    add("keep_previous_model", |workspace, stage| {
        finish(train::previous(workspace, &input(stage)?))
    });
    add("use_climatology", |_, _| finish(Ok(TrainOutput::none())));
    add("infer", |workspace, stage| infer::infer(workspace, &input(stage)?, stage));
    add("repeat_previous_forecast", repeat_previous_forecast);
    add("publish", |workspace, stage| publish::publish(workspace, &input(stage)?, stage));
    add("record", |workspace, stage| record::record(workspace, &input(stage)?, stage));
    registry
}

/// Lets the previous forecast speak about today's horizon: what stands in for *infer*.
pub fn repeat_previous_forecast(workspace: &Workspace, stage: &StageContext) -> StageResult {
    previous_forecast::repeat(workspace, &input(stage)?, stage)
}

fn input(stage: &StageContext) -> Result<ForecastInput, orchestration::StageFailure> {
    stage.run_input_as()
}

fn finish<T: serde::Serialize>(result: Result<T, JobError>) -> StageResult {
    StageOutput::of(&result?)
}
