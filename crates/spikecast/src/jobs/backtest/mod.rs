//! The backtest: the daily job with the issue time turned back, day by day.
//!
//! A *window* is a training and the issue days until the next one. Windows do not depend on each
//! other, so they run side by side; each leaves its forecasts in a file, so that a stopped backtest
//! goes on where it was. `evaluate` scores them all and writes the report. Everything, journal
//! included, lives in the output folder.

mod evaluate;
mod execution;
mod page;
mod references;
mod shapes;
mod window;
mod workspace;

use std::sync::Arc;

use orchestration::{
    Pipeline, PipelineBuilder, PipelineError, Registry, RetryPolicy, Stage, StageContext,
    StageResult,
};

pub use evaluate::Evaluated;
pub use execution::{JOURNAL, execute};
pub use shapes::{BacktestInput, Window};
pub use workspace::BacktestWorkspace;

/// The name of the pipeline in the journal.
pub const PIPELINE: &str = "backtest";

/// Returns the pipeline: a stage for each window, then the evaluation of all.
pub fn pipeline(input: &BacktestInput) -> Result<Pipeline, PipelineError> {
    let mut builder = PipelineBuilder::new(PIPELINE);
    let mut names = Vec::new();
    for (number, window) in input.windows().iter().enumerate() {
        let name = format!("window-{:04}", number + 1);
        let value = serde_json::to_value(window).expect("a date and a count");
        builder = builder
            .stage(Stage::new(name.as_str(), "window").input(value).retry(RetryPolicy::NEVER));
        names.push(name);
    }
    builder.stage(Stage::new("evaluate", "evaluate").after(names).retry(RetryPolicy::NEVER)).build()
}

/// Returns the functions that the pipeline's stages name.
#[must_use]
pub fn registry(workspace: &Arc<BacktestWorkspace>) -> Registry {
    let mut registry = Registry::new();
    let mut add = |name: &str, function: fn(&BacktestWorkspace, &StageContext) -> StageResult| {
        let workspace = workspace.clone();
        registry.register(name, move |stage: &StageContext| function(&workspace, stage));
    };
    add("window", window::window);
    add("evaluate", evaluate::evaluate);
    registry
}
