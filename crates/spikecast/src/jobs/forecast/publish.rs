//! Stage *publish*: the forecast goes to the ledger, the page to where people look.

use market::table::write_atomically;
use orchestration::{StageContext, StageFailure, StageOutput, StageResult};
use serde::de::DeserializeOwned;

use super::infer::provenance;
use super::page::{PageParts, page};
use super::shapes::{ForecastInput, InferOutput, Published, TrainOutput, ValidateOutput};
use super::track_record::track_record;
use super::workspace::Workspace;
use crate::jobs::failure::JobError;
use crate::ledger::{Ledger, Provenance, read_forecast};
use crate::quality::Quality;
use crate::registry;
use crate::report::TrackRecord;

pub(super) fn publish(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> StageResult {
    let inferred: InferOutput = stage.output_as("infer")?;
    let trained: TrainOutput = output_or(stage, "train", TrainOutput::none())?;
    let nothing_judged = ValidateOutput { inputs: Vec::new() };
    let validated: ValidateOutput = output_or(stage, "validate", nothing_judged)?;
    let quality = Quality::because(stage.degraded("infer"));
    let rows = read_forecast(&inferred.path).map_err(JobError::from)?;
    let provenance = provenance(input)?;
    let ledger = Ledger::in_folder(workspace.data_dir.ledger());
    let forecast = ledger.add(stage.run_id(), &rows, &provenance).map_err(JobError::from)?;
    // Who speaks is said in the rows; a model that cannot be read is only not described.
    let model = trained.model.as_ref().and_then(|reference| {
        Some((reference.version.clone(), registry::load(&reference.path).ok()?))
    });
    let parts = PageParts {
        input,
        source: &provenance.source,
        quality: &quality,
        rows: &rows,
        inputs: &validated.inputs,
        model: model.as_ref().map(|(version, model)| (version.as_str(), model)),
        track_record: scored(workspace, input, &ledger, &provenance)?,
    };
    let page = page(&parts)?;
    let report = workspace.data_dir.report();
    let html = page.to_html();
    write_atomically(&report, |out| out.write_all(html.as_bytes())).map_err(JobError::from)?;
    let mut hours: Vec<_> = rows.iter().map(|row| row.target.hour.start).collect();
    hours.sort_unstable();
    hours.dedup();
    let output = Published {
        forecast,
        report,
        headline: page.headline(),
        rows: rows.len(),
        hours: hours.len(),
        first_target: hours.first().map(|first| market::time::display(*first)).unwrap_or_default(),
        model_version: rows.first().map(|row| row.model_version.to_string()).unwrap_or_default(),
    };
    StageOutput::of(&output)
}

/// Returns the output of a stage that this one does without if need be.
fn output_or<T: DeserializeOwned>(
    stage: &StageContext,
    name: &str,
    otherwise: T,
) -> Result<T, StageFailure> {
    match stage.output_of(name) {
        Some(_) => stage.output_as(name),
        None => Ok(otherwise),
    }
}

/// Scores what was issued before. Prices that cannot be read keep no forecast from its readers.
fn scored(
    workspace: &Workspace,
    input: &ForecastInput,
    ledger: &Ledger,
    provenance: &Provenance,
) -> Result<TrackRecord, JobError> {
    match workspace.history(input) {
        Ok(history) => {
            track_record(ledger, &history.known_at(input.issue_time), &provenance.source_id)
        }
        Err(error) => {
            let sentence = format!("The archive could not be read, so nothing is scored: {error}.");
            Ok(TrackRecord::NoneScored { sentence })
        }
    }
}
