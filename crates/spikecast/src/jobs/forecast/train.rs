//! Stage *train*: a new model when the newest one is older than the configured days.

use jiff::SignedDuration;
use market::archive::Archive;
use market::time::local;
use orchestration::StageContext;

use super::fetch::generation;
use super::shapes::{ForecastInput, ModelReference, TrainOutput};
use super::workspace::Workspace;
use crate::jobs::failure::JobError;
use crate::jobs::training::{self, describe_past, training_issue_times};
use crate::registry::{ModelEntry, ModelRegistry};

/// A run that starts a little earlier than the last one still counts the same day.
const SLACK: SignedDuration = SignedDuration::from_hours(6);

pub(super) fn train(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> Result<TrainOutput, JobError> {
    let registry = registry(workspace, input)?;
    let every = SignedDuration::from_hours(24 * i64::from(input.retrain_every_days));
    for entry in registry.known_at(input.issue_time)? {
        let due = entry.trained_at + every - SLACK <= input.issue_time;
        // A damaged model is as good as none: the next older one may still be young enough.
        if !due && ModelRegistry::load(&entry.path).is_ok() {
            return Ok(TrainOutput { model: Some(reference(entry)), ..TrainOutput::none() });
        }
    }
    train_anew(workspace, input, stage)
}

/// Trains a model whether one is due or not.
pub(super) fn train_anew(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> Result<TrainOutput, JobError> {
    let registry = registry(workspace, input)?;
    let before = registry.known_at(input.issue_time)?.into_iter().next();
    let history = workspace.history(input)?;
    let view = history.known_at(input.issue_time);
    let (points, thresholds) = (input.targets.points()?, input.targets.thresholds()?);
    let time_of_day = input.speaks_at.unwrap_or_else(|| local(input.issue_time).time());
    let times =
        training_issue_times(&view, &points, (input.issue_time, input.issue_time), time_of_day);
    let past = describe_past(&view, &times, &points, &thresholds, stage)?;
    stage.progress(0, 0, "fitting models");
    let model = training::train(&view, past.iter().flatten(), &thresholds)?;
    let entry = registry.keep(&model, input.issue_time)?;
    let replaces = before.map(|before| before.version).filter(|version| *version != entry.version);
    Ok(TrainOutput { model: Some(reference(entry)), trained: true, replaces })
}

/// Returns the newest usable model, however old: the rung below a new one.
pub(super) fn previous(
    workspace: &Workspace,
    input: &ForecastInput,
) -> Result<TrainOutput, JobError> {
    let registry = registry(workspace, input)?;
    let usable = |entry: &ModelEntry| ModelRegistry::load(&entry.path).is_ok();
    let newest = registry.known_at(input.issue_time)?.into_iter().find(usable);
    let newest = newest.ok_or_else(|| {
        JobError::NotEnoughData("there is no previous model to fall back to".to_owned())
    })?;
    Ok(TrainOutput { model: Some(reference(newest)), ..TrainOutput::none() })
}

fn registry(workspace: &Workspace, input: &ForecastInput) -> Result<ModelRegistry, JobError> {
    let source_id = input.source.open()?.id();
    // Models that learnt from data that was corrected since are of an earlier generation.
    let generation = generation(&Archive::open(&workspace.data_dir.archive(&source_id))?);
    let scope = format!("{}-{generation}", input.targets.scope());
    Ok(ModelRegistry::in_folder(workspace.data_dir.models(&source_id, &scope)))
}

fn reference(entry: ModelEntry) -> ModelReference {
    ModelReference { version: entry.version, path: entry.path }
}
