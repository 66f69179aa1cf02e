//! The functions of the pipelines that are neither the main job nor fetching.

use std::sync::Arc;

use market::time::OperatingDay;
use orchestration::{Registry, StageContext, StageOutput, StageResult};

use super::pipelines::{BACKTEST, DEADLINE, SCORE};
use super::planner::{BacktestRequest, DeadlineRequest, ScoreRequest};
use crate::jobs::backtest;
use crate::jobs::deadline::is_forecast_there;
use crate::jobs::forecast::Workspace;
use crate::jobs::score::{Unknown, score};
use crate::ledger::Ledger;

/// Registers them. A process that serves isolated stages needs them, too.
pub fn register(registry: &mut Registry, workspace: &Arc<Workspace>) {
    let mut add = |name: &str, function: fn(&Workspace, &StageContext) -> StageResult| {
        let workspace = workspace.clone();
        registry.register(name, move |stage: &StageContext| function(&workspace, stage));
    };
    add(SCORE, |workspace, stage| scored(workspace, stage, Unknown::Awaited));
    add("score_what_is_known", |workspace, stage| scored(workspace, stage, Unknown::LeftOut));
    add(DEADLINE, look_for_forecast);
    add(BACKTEST, |workspace, stage| {
        let BacktestRequest { input, folder } = stage.run_input_as()?;
        let out = workspace.data_dir.backtests().join(folder);
        let place = (out, &workspace.data_dir);
        let done = backtest::execute(place, &input, &workspace.clock, stage.cancellation());
        StageOutput::of(&done?)
    });
}

/// Looks whether the forecast of the request's day is there.
pub fn look_for_forecast(workspace: &Workspace, stage: &StageContext) -> StageResult {
    let request: DeadlineRequest = stage.run_input_as()?;
    let ledger = Ledger::in_folder(workspace.data_dir.ledger());
    let day = OperatingDay::new(request.day);
    let is_there = is_forecast_there(&ledger, day, (&request.source, &request.targets))?;
    StageOutput::of(&is_there)
}

fn scored(workspace: &Workspace, stage: &StageContext, unknown: Unknown) -> StageResult {
    let request: ScoreRequest = stage.run_input_as()?;
    StageOutput::of(&score(workspace, &request, unknown)?)
}
