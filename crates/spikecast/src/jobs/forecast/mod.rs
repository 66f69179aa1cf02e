//! The main job: fetch → validate → features → train (if due) → infer → publish.
//!
//! Each stage is a file here. ERCOT is fetched by the stages of [`super::fetch`] in place of the
//! first one. What crosses the journal is the small JSON in `shapes`; tables and
//! models are files in the data directory, named by it. A stage that runs again (after a crash)
//! writes the same files again.

mod features;
mod fetch;
mod infer;
mod page;
mod publish;
mod record;
mod shapes;
mod track_record;
mod train;
mod validate;
mod wanted;
mod workspace;

use std::sync::Arc;

use orchestration::{
    Isolation, Pipeline, PipelineBuilder, PipelineError, Registry, RetryPolicy, Stage,
    StageContext, StageOutput, StageResult,
};

use super::failure::JobError;
pub use shapes::{
    FetchOutput, ForecastInput, InferOutput, InputStatus, Published, TrainOutput, ValidateOutput,
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

/// Returns the pipeline. The ladder of *train*: a new model, the previous one, the climatology.
pub fn pipeline(training: Training, fetching: Fetching) -> Result<Pipeline, PipelineError> {
    let stage = |name: &str| Stage::new(name, name).retry(RetryPolicy::NEVER);
    let train = match training {
        Training::Isolated => stage("train").isolated(Isolation::default()),
        Training::Here => stage("train"),
    };
    let pipeline = PipelineBuilder::new(PIPELINE);
    let (pipeline, fetched) = match fetching {
        Fetching::AtOnce => (pipeline.stage(stage("fetch")), "fetch"),
        Fetching::Patient(retry) => (super::fetch::stages(pipeline, retry), super::fetch::CHECK),
    };
    pipeline
        .stage(stage("validate").after([fetched]))
        .stage(stage("features").after(["validate"]))
        .stage(
            train.after(["features"]).fallback("keep_previous_model").fallback("use_climatology"),
        )
        .stage(stage("infer").after(["features", "train"]))
        .stage(stage("publish").after(["validate", "train", "infer"]))
        .build()
}

/// The name of the pipeline of a past day.
pub const PAST_PIPELINE: &str = "past forecast";

/// Returns the pipeline of a past day, in a process that has fetched for all its days at once: the
/// forecast goes to the ledger only, and nobody's page is replaced by one of the past.
pub fn past_pipeline() -> Result<Pipeline, PipelineError> {
    let stage = |name: &str| Stage::new(name, name).retry(RetryPolicy::NEVER);
    PipelineBuilder::new(PAST_PIPELINE)
        .stage(stage("validate"))
        .stage(stage("features").after(["validate"]))
        .stage(
            stage("train")
                .after(["features"])
                .fallback("keep_previous_model")
                .fallback("use_climatology"),
        )
        .stage(stage("infer").after(["features", "train"]))
        .stage(stage("record").after(["validate", "infer"]))
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
    add("train", |workspace, stage| finish(train::train(workspace, &input(stage)?, stage)));
    add("keep_previous_model", |workspace, stage| {
        finish(train::previous(workspace, &input(stage)?))
    });
    add("use_climatology", |_, _| finish(Ok(TrainOutput::none())));
    add("infer", |workspace, stage| infer::infer(workspace, &input(stage)?, stage));
    add("publish", |workspace, stage| publish::publish(workspace, &input(stage)?, stage));
    add("record", |workspace, stage| record::record(workspace, &input(stage)?, stage));
    registry
}

fn input(stage: &StageContext) -> Result<ForecastInput, orchestration::StageFailure> {
    stage.run_input_as()
}

fn finish<T: serde::Serialize>(result: Result<T, JobError>) -> StageResult {
    StageOutput::of(&result?)
}
