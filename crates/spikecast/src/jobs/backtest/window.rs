//! Stage *window*: train at the first issue time, forecast every issue day of the window. The same
//! model forecasts the next window too, where it is the reference "the model before".

use orchestration::{StageContext, StageOutput, StageResult};
use serde::{Deserialize, Serialize};

use super::references::{Columns, PREVIOUS_MODEL, simple_columns, write_columns};
use super::shapes::{BacktestInput, Window};
use super::workspace::{BacktestWorkspace, Shared};
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
    let windows = input.windows();
    let place = windows.iter().position(|other| *other == window).unwrap_or(0);
    let Some(forecaster) = trained(&input, &window, &shared)? else {
        return StageOutput::of(&WindowOutput { rows: 0 });
    };
    let rows = forecast(&input, (&window, &forecaster), &shared)?;
    if let Some(next) = windows.get(place + 1) {
        let next = forecast(&input, (next, &forecaster), &shared)?;
        let said = next.iter().map(|row| row.prediction.probability).collect();
        let columns = Columns::from([(PREVIOUS_MODEL, said)]);
        let path = workspace.previous_file(place + 1);
        write_columns(&path, &columns).map_err(JobError::from)?;
    }
    let columns = simple_columns(&shared, rows[0].issue_time, &rows);
    write_columns(&workspace.references_file(place), &columns).map_err(JobError::from)?;
    let path = workspace.window_file(stage.stage());
    write_forecast(&path, &rows, &provenance(&input)?).map_err(JobError::from)?;
    StageOutput::of(&WindowOutput { rows: rows.len() })
}

/// Trains at the first issue time of a window; nothing for a window without one.
fn trained(
    input: &BacktestInput,
    window: &Window,
    shared: &Shared,
) -> Result<Option<Forecaster>, JobError> {
    let Some(&trained_at) = input.issue_times(window).first() else { return Ok(None) };
    if !input.needs_training() {
        return Ok(Some(Forecaster::Climatology));
    }
    let past = shared.examples.range(..trained_at).flat_map(|(_, examples)| examples);
    let thresholds = input.targets.thresholds()?;
    let model = train(&shared.history.known_at(trained_at), past, &thresholds)?;
    let version = format!("backtest-{}", trained_at.strftime("%Y%m%dT%H%M%SZ"));
    Ok(Some(Forecaster::Model { version, model: Box::new(model) }))
}

fn forecast(
    input: &BacktestInput,
    (window, forecaster): (&Window, &Forecaster),
    shared: &Shared,
) -> Result<Vec<ForecastRow>, JobError> {
    let thresholds = input.targets.thresholds()?;
    let mut rows = Vec::new();
    for issue_time in input.issue_times(window) {
        let examples = shared.examples.get(&issue_time).expect("every issue day was described");
        rows.extend(forecast_rows(forecaster, examples, &thresholds, &Quality::Fresh));
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
