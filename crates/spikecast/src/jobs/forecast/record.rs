//! Stage *record*: the forecast of a past day goes to the ledger, and nowhere else.

use std::path::PathBuf;

use orchestration::{StageContext, StageOutput, StageResult};
use serde::Serialize;

use super::infer::provenance;
use super::shapes::{ForecastInput, InferOutput};
use super::workspace::Workspace;
use crate::jobs::failure::JobError;
use crate::ledger::{Ledger, read_forecast};

/// What was recorded.
#[derive(Serialize)]
struct Recorded {
    /// The forecast's file in the ledger.
    forecast: PathBuf,
    /// How many rows it has.
    rows: usize,
}

pub(super) fn record(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> StageResult {
    let inferred: InferOutput = stage.output_as("infer")?;
    let rows = read_forecast(&inferred.path).map_err(JobError::from)?;
    let ledger = Ledger::in_folder(workspace.data_dir.ledger());
    let added = ledger.add(stage.run_id(), &rows, &provenance(input)?);
    let forecast = added.map_err(JobError::from)?;
    StageOutput::of(&Recorded { forecast, rows: rows.len() })
}
