//! Stage *evaluate*: all forecasts against what happened; writes forecasts, scores and the report.

use forecast::evaluation::Forecaster;
use forecast::target::{HourOutcome, outcomes};
use jiff::Timestamp;
use market::observation::History;
use market::table::write_atomically;
use orchestration::{StageContext, StageOutput, StageResult};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::page::page;
use super::shapes::BacktestInput;
use super::window::provenance;
use super::workspace::BacktestWorkspace;
use crate::jobs::failure::JobError;
use crate::ledger::{ForecastRow, read_forecast, write_forecast};
use crate::verification::{Assessment, Case, Cases, CasesBuilder, scores_json};

/// What the evaluation says in a few lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// How many forecast rows were written.
    pub rows: usize,
    /// The most important results, one sentence each.
    pub headlines: Vec<String>,
}

pub(super) fn evaluate(workspace: &BacktestWorkspace, stage: &StageContext) -> StageResult {
    let input: BacktestInput = stage.run_input_as()?;
    StageOutput::of(&write_all(workspace, &input, stage)?)
}

fn write_all(
    workspace: &BacktestWorkspace,
    input: &BacktestInput,
    stage: &StageContext,
) -> Result<Evaluated, JobError> {
    let mut rows = Vec::new();
    let windows = input.windows().len();
    for number in 1..=windows {
        let (done, total) = (number as u64 - 1, windows as u64);
        stage.progress(done, total, "collecting forecasts");
        rows.extend(read_forecast(&workspace.window_file(&format!("window-{number:04}")))?);
    }
    stage.progress(0, 0, "scoring");
    write_forecast(&workspace.forecasts(), &rows, &provenance(input)?)?;
    let truth = label(&rows, &workspace.load(input)?);
    let cases = cases(&rows, &truth);
    if cases.is_empty() {
        let message = "the source knows no prices of the forecast hours, so there is nothing to score; choose earlier days or add the prices";
        return Err(JobError::NotEnoughData(message.to_owned()));
    }
    let assessment = Assessment::of(&cases);
    let json = scores_json(&about(input), &cases, &assessment);
    write_atomically(&workspace.scores(), |out| out.write_all(json.as_bytes()))?;
    let page = page(&rows, &truth, (&cases, &assessment), input)?;
    let headlines = page.headlines.clone();
    let html = page.to_html();
    write_atomically(&workspace.report(), |out| out.write_all(html.as_bytes()))?;
    Ok(Evaluated { rows: rows.len(), headlines })
}

/// Returns what happened in each row's hour, as known in the end.
fn label(rows: &[ForecastRow], history: &History) -> Vec<HourOutcome> {
    let view = history.known_at(Timestamp::MAX);
    rows.chunk_by(|a, b| a.settlement_point == b.settlement_point)
        .flat_map(|rows| {
            let hours = rows.iter().map(|row| &row.target.hour);
            outcomes(&view, &rows[0].settlement_point, hours)
        })
        .collect()
}

/// Puts forecasts beside what happened.
fn cases(rows: &[ForecastRow], truth: &[HourOutcome]) -> Cases {
    let of_prediction = |who: &Forecaster| {
        rows.first().is_some_and(|row| who.of_prediction(&row.prediction).is_some())
    };
    let forecasters = Forecaster::ALL.into_iter().filter(of_prediction);
    let mut cases = CasesBuilder::new(forecasters.collect());
    for (row, outcome) in rows.iter().zip(truth) {
        let case = Case {
            issue_time: row.issue_time,
            target: row.target,
            settlement_point: row.settlement_point.name(),
            threshold: row.threshold.value(),
            exceeded: outcome.exceeds(row.threshold),
        };
        cases.add(&case, |who| who.of_prediction(&row.prediction).unwrap_or(f64::NAN));
    }
    cases.build()
}

/// Returns what `scores.json` says about the backtest itself.
fn about(input: &BacktestInput) -> serde_json::Value {
    json!({
        "program": input.program,
        "from": input.from.to_string(),
        "to": input.to.to_string(),
        "issue_time_of_day": input.issue_time_of_day.to_string(),
        "retrain_every_days": input.retrain_every_days,
    })
}
