//! Stage *publish*: the forecast goes to the ledger, the page to where people look.

use market::table::write_atomically;
use orchestration::{StageContext, StageOutput, StageResult};

use super::infer::provenance;
use super::page::{PageParts, page};
use super::shapes::{ForecastInput, InferOutput, Published, TrainOutput, ValidateOutput};
use super::track_record::track_record;
use super::workspace::Workspace;
use crate::jobs::failure::JobError;
use crate::ledger::{Ledger, read_forecast};
use crate::quality::Quality;
use crate::registry::ModelRegistry;

pub(super) fn publish(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> StageResult {
    let inferred: InferOutput = stage.output_as("infer")?;
    let trained: TrainOutput = stage.output_as("train")?;
    let validated: ValidateOutput = stage.output_as("validate")?;
    let quality = Quality::because(stage.degraded("infer"));
    let rows = read_forecast(&inferred.path).map_err(JobError::from)?;
    let provenance = provenance(input)?;
    let ledger = Ledger::in_folder(workspace.data_dir.ledger());
    let forecast = ledger.add(stage.run_id(), &rows, &provenance).map_err(JobError::from)?;
    let model = match &trained.model {
        Some(reference) => {
            let model = ModelRegistry::load(&reference.path).map_err(JobError::from)?;
            Some((reference.version.clone(), model))
        }
        None => None,
    };
    let history = workspace.history(input)?;
    let view = history.known_at(input.issue_time);
    let parts = PageParts {
        input,
        source: &provenance.source,
        quality: &quality,
        rows: &rows,
        inputs: &validated.inputs,
        model: model.as_ref().map(|(version, model)| (version.as_str(), model)),
        track_record: track_record(&ledger, &view, &provenance.source_id)?,
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
