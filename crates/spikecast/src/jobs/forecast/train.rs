//! Stage *train*: a new model when the newest one is older than the configured days. The new one
//! speaks if the registry promotes it.

use forecast::model::FittedModel;
use jiff::{SignedDuration, Timestamp};
use market::time::local;
use orchestration::StageContext;

use super::shapes::{ForecastInput, ModelReference, RefusedModel, TrainOutput};
use super::workspace::Workspace;
use crate::jobs::failure::JobError;
use crate::jobs::models::model_registry;
use crate::jobs::training::{self, describe_past, training_issue_times};
use crate::registry::{Judgement, ModelEntry, ModelRegistry, PastModel, load};

/// A run that starts a little earlier than the last one still counts the same day.
const SLACK: SignedDuration = SignedDuration::from_hours(6);

/// Returns the current model, or trains one if a training is due or the current one is unusable.
pub(super) fn train(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> Result<TrainOutput, JobError> {
    let registry = registry(workspace, input)?;
    // A model that was refused is tried again no sooner than one that was promoted.
    let newest = registry.known_at(input.issue_time)?.into_iter().next();
    if newest.is_some_and(|newest| !is_due(newest.trained_at, input))
        && let Some(current) = registry.current_at(input.issue_time)?
        && load(&current.path).is_ok()
    {
        return Ok(TrainOutput { model: Some(reference(&current)), ..TrainOutput::none() });
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
    // Without a history nobody could say whether the new model may speak.
    registry.history()?;
    let model = fit(workspace, input, stage)?;
    let candidate = registry.register(&model, input.issue_time)?;
    match registry.judge(&candidate, input.issue_time)? {
        Judgement::Promoted { replaces } => {
            let model = Some(reference(&candidate));
            let replaces = replaces.map(|replaced| replaced.to_string());
            Ok(TrainOutput { model, trained: true, replaces, refused: None })
        }
        Judgement::Refused { current, reason } => {
            // One that cannot speak is no reason to refuse another.
            load(&current.path)?;
            let refused = Some(RefusedModel { version: candidate.label(), reason });
            let model = Some(reference(&current));
            Ok(TrainOutput { model, trained: true, replaces: None, refused })
        }
    }
}

/// Returns the model of a past day: the one that spoke then if there was one, else one of its own.
pub(super) fn train_past(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> Result<TrainOutput, JobError> {
    let registry = registry(workspace, input)?;
    if let Some(current) = registry.current_at(input.issue_time)?
        && !is_due(current.trained_at, input)
        && load(&current.path).is_ok()
    {
        return Ok(TrainOutput { model: Some(reference(&current)), ..TrainOutput::none() });
    }
    let past = registry.past_models();
    for model in past.known_at(input.issue_time)? {
        // A damaged model is as good as none: the next older one may still be young enough.
        if !is_due(model.trained_at, input) && load(&model.path).is_ok() {
            return Ok(TrainOutput { model: Some(past_reference(model)), ..TrainOutput::none() });
        }
    }
    let model = fit(workspace, input, stage)?;
    let kept = past.keep(&model, input.issue_time)?;
    Ok(TrainOutput { model: Some(past_reference(kept)), trained: true, ..TrainOutput::none() })
}

/// Returns the next best usable model, however old: the rung below a new one.
pub(super) fn previous(
    workspace: &Workspace,
    input: &ForecastInput,
) -> Result<TrainOutput, JobError> {
    let registry = registry(workspace, input)?;
    let registered = registry.ladder_at(input.issue_time)?;
    let past = registry.past_models().known_at(input.issue_time)?;
    let registered = registered.iter().map(reference);
    let mut all = registered.chain(past.into_iter().map(past_reference));
    let best = all.find(|model| load(&model.path).is_ok()).ok_or_else(|| {
        JobError::NotEnoughData("there is no previous model to fall back to".to_owned())
    })?;
    Ok(TrainOutput { model: Some(best), ..TrainOutput::none() })
}

fn is_due(trained_at: Timestamp, input: &ForecastInput) -> bool {
    let every = SignedDuration::from_hours(24 * i64::from(input.retrain_every_days));
    trained_at + every - SLACK <= input.issue_time
}

fn fit(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> Result<FittedModel, JobError> {
    let history = workspace.history(input)?;
    let view = history.known_at(input.issue_time);
    let (points, thresholds) = (input.targets.points()?, input.targets.thresholds()?);
    let time_of_day = input.speaks_at.unwrap_or_else(|| local(input.issue_time).time());
    let times =
        training_issue_times(&view, &points, (input.issue_time, input.issue_time), time_of_day);
    let past = describe_past(&view, &times, &points, &thresholds, stage)?;
    stage.progress(0, 0, "fitting models");
    Ok(training::train(&view, past.iter().flatten(), &thresholds)?)
}

fn registry(workspace: &Workspace, input: &ForecastInput) -> Result<ModelRegistry, JobError> {
    model_registry(&workspace.data_dir, &input.source, &input.targets)
}

fn reference(entry: &ModelEntry) -> ModelReference {
    ModelReference { version: entry.label(), path: entry.path.clone() }
}

fn past_reference(model: PastModel) -> ModelReference {
    ModelReference { version: model.label, path: model.path }
}
