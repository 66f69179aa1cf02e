//! Stage *window*: train at the first issue time, forecast every issue day of the window.

use orchestration::{StageContext, StageOutput, StageResult};
use serde::{Deserialize, Serialize};

use super::shapes::{BacktestInput, Window};
use super::workspace::BacktestWorkspace;
use crate::jobs::failure::JobError;
use crate::jobs::inference::{Forecaster, forecast_rows};
use crate::jobs::training::train;
use crate::ledger::{ForecastRow, Provenance, write_forecast};
use crate::quality::Quality;

/// What a window left behind.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WindowOutput {
    rows: usize,
}

pub(super) fn window(workspace: &BacktestWorkspace, stage: &StageContext) -> StageResult {
    let input: BacktestInput = stage.run_input_as()?;
    let window: Window = stage.input_as()?;
    let shared = workspace.shared(&input, stage)?;
    stage.check_cancelled()?;
    let rows = forecast(&input, &window, &shared)?;
    let path = workspace.window_file(stage.stage());
    write_forecast(&path, &rows, &provenance(&input)?).map_err(JobError::from)?;
    StageOutput::of(&WindowOutput { rows: rows.len() })
}

fn forecast(
    input: &BacktestInput,
    window: &Window,
    shared: &super::workspace::Shared,
) -> Result<Vec<ForecastRow>, JobError> {
    let thresholds = input.targets.thresholds()?;
    let times = input.issue_times(window);
    let Some(&trained_at) = times.first() else { return Ok(Vec::new()) };
    let forecaster = if input.needs_training() {
        let past = shared.examples.range(..trained_at).flat_map(|(_, examples)| examples);
        let model = train(&shared.history.known_at(trained_at), past, &thresholds)?;
        let version = format!("backtest-{}", trained_at.strftime("%Y%m%dT%H%M%SZ"));
        Forecaster::Model { version, model: Box::new(model) }
    } else {
        Forecaster::Climatology
    };
    let mut rows = Vec::new();
    for issue_time in times {
        let examples = shared.examples.get(&issue_time).expect("every issue day was described");
        rows.extend(forecast_rows(&forecaster, examples, &thresholds, &Quality::Fresh));
    }
    Ok(rows)
}

/// Returns what the files of a backtest say about their origin.
pub(super) fn provenance(input: &BacktestInput) -> Result<Provenance, JobError> {
    let source = input.source.open()?;
    Ok(Provenance {
        issue_time: input.last_issue_time(),
        source_id: source.id(),
        source: source.describe(),
    })
}
