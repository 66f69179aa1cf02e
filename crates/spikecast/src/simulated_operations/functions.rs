//! The functions of all stages: fetching is real, the rest is light.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use forecast::horizon::horizon;
use forecast::model::Prediction;
use jiff::{SignedDuration, Timestamp};
use market::archive::{Query, Vintages};
use market::observation::{Series, SeriesKey};
use market::time::{OperatingDay, display};
use orchestration::{
    Clock, FailureClass, Registry, StageContext, StageFailure, StageOutput, StageResult,
};
use serde_json::json;
use twox_hash::XxHash64;

use super::desk;
use super::diary::Entry;
use super::light::Light;
use super::trouble::Kind;
use crate::jobs::failure::JobError;
use crate::jobs::fetch::{self, FetchWorkspace};
use crate::jobs::forecast::{
    ForecastInput, InferOutput, ModelReference, Published, TrainOutput, ValidateOutput, Workspace,
    repeat_previous_forecast,
};
use crate::ledger::{ForecastRow, Ledger, Provenance, read_forecast, write_forecast};
use crate::operations::{ScoreRequest, look_for_forecast};
use crate::quality::Quality;

/// What light operations fetch.
pub(super) fn fetched() -> SeriesKey {
    SeriesKey::system(Series::LoadActual)
}

/// Load is published at 05:50 for the day before; what is older than this is stale.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(31);
/// A model that is older is replaced.
const MODEL_AGE_MAX: SignedDuration = SignedDuration::from_hours(42);
/// A training that hangs would do so for days.
const HANGS: Duration = Duration::from_hours(100);

/// Functions around which time passes; others let it pass themselves, or take none worth speaking of.
const TAKE_TIME: [&str; 5] = ["list", "collect", "publish", "score", "repeat_previous_forecast"];

/// Returns the functions, with time passing around some and deaths around all of them.
pub(super) fn registry(
    light: &Arc<Light>,
    fetching: &Arc<FetchWorkspace>,
    workspace: &Arc<Workspace>,
) -> Registry {
    let mut registry = Registry::new();
    fetch::register(&mut registry, fetching);
    let mut add = |name: &str, function: fn(&Light, &StageContext) -> StageResult| {
        let light = light.clone();
        registry.register(name, move |stage: &StageContext| function(&light, stage));
    };
    add("validate", validate);
    add("features", features);
    add("train", |light, stage| match newest_model(light) {
        Some((_, at)) if light.clock.now() - at < MODEL_AGE_MAX => previous_model(light),
        Some(_) | None => fit(light, stage),
    });
    add("train_anew", fit);
    add("keep_previous_model", |light, _| previous_model(light));
    add("use_climatology", |_, _| StageOutput::of(&TrainOutput::none()));
    add("infer", infer);
    add("publish", publish);
    add("score", |light, stage| score(light, stage, true));
    add("score_what_is_known", |light, stage| score(light, stage, false));
    add("backtest", |light, stage| {
        light.work(stage, 600..=2_400)?;
        StageOutput::of(&json!({ "rows": 0, "headlines": [] }))
    });
    add("deliver", desk::deliver);
    let real = workspace.clone();
    registry.register("repeat_previous_forecast", move |stage: &StageContext| {
        repeat_previous_forecast(&real, stage)
    });
    let real = workspace.clone();
    registry.register("deadline", move |stage: &StageContext| look_for_forecast(&real, stage));
    registry.wrap(|name, function| {
        let light = light.clone();
        let takes_time = TAKE_TIME.contains(&name);
        Arc::new(move |stage: &StageContext| {
            light.before_work();
            if takes_time {
                light.work(stage, 1..=8)?;
            }
            let result = function(stage);
            if result.is_ok() {
                light.after_work();
            }
            result
        })
    })
}

fn validate(light: &Light, _stage: &StageContext) -> StageResult {
    let now = light.clock.now();
    let newest = read_archive(light, now)?;
    let output = StageOutput::of(&ValidateOutput { inputs: Vec::new() })?;
    match newest {
        Some(newest) if now <= newest + STALE_AFTER => Ok(output),
        Some(newest) => Ok(output.degraded_because(format!("load: newest of {}", display(newest)))),
        None => Ok(output.degraded_because("load: none of the last days".to_owned())),
    }
}

/// Reads the archive's last days; returns the newest interval.
fn read_archive(light: &Light, now: Timestamp) -> Result<Option<Timestamp>, JobError> {
    let from = now - SignedDuration::from_hours(4 * 24);
    let query = Query { key: fetched(), from, to: now, vintages: Vintages::All };
    let newest = light.archive.read(&query)?.observations().last();
    Ok(newest.map(|observation| observation.interval_start))
}

fn features(light: &Light, stage: &StageContext) -> StageResult {
    light.need_disk()?;
    read_archive(light, light.clock.now())?;
    light.work(stage, 5..=20)?;
    StageOutput::of(&json!({}))
}

fn models(light: &Light) -> PathBuf {
    light.data_dir.models("light", "all")
}

/// Returns the newest model that is as it was written.
fn newest_model(light: &Light) -> Option<(PathBuf, Timestamp)> {
    let listed = fs::read_dir(models(light)).ok()?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths.into_iter().rev().find_map(|path| {
        let text = fs::read_to_string(&path).ok()?;
        let (time, checksum) = text.split_once(' ')?;
        let is_whole = checksum.parse() == Ok(XxHash64::oneshot(0, time.as_bytes()));
        is_whole.then_some(())?;
        Some((path, time.parse().ok()?))
    })
}

fn reference(path: PathBuf) -> ModelReference {
    let version = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    ModelReference { version, path }
}

fn previous_model(light: &Light) -> StageResult {
    let (path, _) = newest_model(light).ok_or_else(|| {
        JobError::NotEnoughData("there is no previous model to fall back to".to_owned())
    })?;
    StageOutput::of(&TrainOutput { model: Some(reference(path)), ..TrainOutput::none() })
}

fn fit(light: &Light, stage: &StageContext) -> StageResult {
    light.work(stage, 60..=400)?;
    if light.suffers(Kind::TrainingHangs) {
        light.clock.sleep(HANGS, stage.cancellation());
        stage.check_cancelled()?;
    }
    if light.suffers(Kind::TrainingFails) {
        let message = "training did not converge".to_owned();
        return Err(StageFailure::new(FailureClass::Model, message));
    }
    light.need_disk()?;
    let time = light.clock.now().to_string();
    let path = models(light).join(format!("{}.model", time.replace(':', "")));
    fs::create_dir_all(models(light)).map_err(|error| broken(&error))?;
    let text = format!("{time} {}", XxHash64::oneshot(0, time.as_bytes()));
    fs::write(&path, text).map_err(|error| broken(&error))?;
    let model = Some(reference(path));
    StageOutput::of(&TrainOutput { model, trained: true, ..TrainOutput::none() })
}

fn broken(error: &std::io::Error) -> StageFailure {
    StageFailure::new(FailureClass::Bug, format!("the simulation's own files: {error}"))
}

fn infer(light: &Light, stage: &StageContext) -> StageResult {
    let Some(_) = stage.output_of("features") else {
        let message = "the target hours could not be described".to_owned();
        return Err(JobError::NotEnoughData(message).into());
    };
    light.need_disk()?;
    light.work(stage, 2..=10)?;
    let input: ForecastInput = stage.run_input_as()?;
    let quality = Quality::because(stage.degraded("train"));
    let point = input.targets.points()?.remove(0);
    let threshold = input.targets.thresholds()?.iter().next().expect("there is one threshold");
    let usual = 0.05;
    let prediction = Prediction {
        probability: usual,
        lower: usual,
        upper: usual,
        climatology: usual,
        climatology_recent: usual,
        persistence: usual,
        logistic: usual,
        boosted_trees: usual,
    };
    let row = |target| ForecastRow {
        issue_time: input.issue_time,
        target,
        settlement_point: point.clone(),
        threshold,
        prediction,
        model_version: "light".into(),
        quality: quality.to_string().into(),
    };
    let rows: Vec<ForecastRow> = horizon(input.issue_time).into_iter().map(row).collect();
    let path = light.data_dir.work_of(stage.run_id()).join("forecast.parquet");
    write_forecast(&path, &rows, &provenance(&input)?).map_err(JobError::from)?;
    StageOutput::of(&InferOutput { path, rows: rows.len() })
}

fn provenance(input: &ForecastInput) -> Result<Provenance, JobError> {
    let source = input.source.open()?;
    let (issue_time, source_id) = (input.issue_time, source.id());
    Ok(Provenance { issue_time, source_id, source: source.describe() })
}

fn publish(light: &Light, stage: &StageContext) -> StageResult {
    light.need_disk()?;
    let input: ForecastInput = stage.run_input_as()?;
    let inferred: InferOutput = stage.output_as("infer")?;
    let rows = read_forecast(&inferred.path).map_err(JobError::from)?;
    let ledger = Ledger::in_folder(light.data_dir.ledger());
    let added = ledger.add(stage.run_id(), &rows, &provenance(&input)?);
    let forecast = added.map_err(JobError::from)?;
    let degraded = ["infer", "train", "validate"].iter().flat_map(|name| stage.degraded(name));
    light.diary.write(&Entry::Published {
        at: light.clock.true_time(),
        issue_day: OperatingDay::of(input.issue_time).date(),
        issue_time: input.issue_time,
        run: stage.run_id().to_string(),
        degraded: degraded.cloned().collect(),
    });
    StageOutput::of(&Published {
        forecast,
        report: light.data_dir.report(),
        headline: "nothing is likely".to_owned(),
        rows: rows.len(),
        hours: rows.len(),
        first_target: String::new(),
        model_version: "light".to_owned(),
    })
}

/// Waits for the load of the day, as scoring waits for prices.
fn score(light: &Light, stage: &StageContext, is_awaited: bool) -> StageResult {
    let request: ScoreRequest = stage.run_input_as()?;
    let day = OperatingDay::new(request.day);
    let (from, to) = (day.start(), day.plus_days(1).start());
    let query = Query { key: fetched(), from, to, vintages: Vintages::All };
    let known = light.archive.read(&query).map_err(JobError::from)?.len();
    if is_awaited && known == 0 {
        return Err(JobError::Incomplete(format!("load of {day} is not in yet")).into());
    }
    StageOutput::of(&json!({ "path": "", "hours": known }))
}
