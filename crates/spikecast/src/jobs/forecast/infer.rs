//! Stage *infer*: the model speaks about the described hours.

use orchestration::{StageContext, StageOutput, StageResult};

use super::shapes::{FeaturesOutput, ForecastInput, InferOutput, TrainOutput};
use super::workspace::Workspace;
use crate::jobs::examples_file::read_examples;
use crate::jobs::failure::JobError;
use crate::jobs::inference::{Forecaster, forecast_rows};
use crate::ledger::{Provenance, write_forecast};
use crate::quality::Quality;
use crate::registry;

pub(super) fn infer(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> StageResult {
    let Some(_) = stage.output_of("features") else {
        let message = "the target hours could not be described".to_owned();
        return Err(JobError::NotEnoughData(message).into());
    };
    let features: FeaturesOutput = stage.output_as("features")?;
    let train = match stage.output_of("train") {
        Some(_) => stage.output_as("train")?,
        None => TrainOutput::none(),
    };
    let quality = Quality::because(stage.degraded("train"));
    let forecaster = match train.model {
        Some(reference) => {
            let model = registry::load(&reference.path).map_err(JobError::from)?;
            Forecaster::Model { version: reference.version, model: Box::new(model) }
        }
        None => Forecaster::Climatology,
    };
    let thresholds = input.targets.thresholds()?;
    let examples = read_examples(&features.path, &thresholds)?;
    let rows = forecast_rows(&forecaster, &examples, &thresholds, &quality);
    let path = workspace.data_dir.work_of(stage.run_id()).join("forecast.parquet");
    write_forecast(&path, &rows, &provenance(input)?).map_err(JobError::from)?;
    StageOutput::of(&InferOutput { path, rows: rows.len() })
}

/// Returns what a forecast's file says about its origin.
pub(super) fn provenance(input: &ForecastInput) -> Result<Provenance, JobError> {
    let source = input.source.open()?;
    Ok(Provenance {
        issue_time: input.issue_time,
        source_id: source.id(),
        source: source.describe(),
    })
}
