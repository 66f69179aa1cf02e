//! `spikecast schedule run-now`: runs what a schedule runs, without waiting for its time.

use orchestration::{Clock, SystemClock};
use serde_json::json;

use super::{file_error, schedule_file};
use crate::cli::args::{GlobalArgs, RunArgs};
use crate::cli::run;
use crate::cli::serve::is_serving;
use crate::cli::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::jobs::forecast;

pub(super) fn run_now(
    global: &GlobalArgs,
    name: &str,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let now = SystemClock::new().now();
    let file = schedule_file(global)?;
    let schedules = file.read(now).map_err(file_error)?;
    let pipeline = schedules.get(name).map_err(CommandError::usage)?.task.pipeline.clone();
    if is_serving(&global.settings()?.data_dir) {
        file.edit(now, |schedules| schedules.request(name, now)).map_err(file_error)?;
        if global.json {
            terminal.json(&json!({ "schedule": name, "done": "requested" }))?;
        } else {
            terminal.line(format!(
                "the running server starts {name}; `spikecast runs list` shows how it goes"
            ))?;
        }
        return Ok(Exit::Fine);
    }
    if &*pipeline == forecast::PIPELINE {
        return run::run(global, &RunArgs::default(), terminal);
    }
    let instead = match &*pipeline {
        "backtest" => "use `spikecast backtest`, which asks for its days",
        "fetch" => "use `spikecast fetch`, which asks for series and days",
        "train" => "use `spikecast run`, which trains when a model is due",
        _ => "no command runs it by hand",
    };
    Err(CommandError::usage(format!(
        "schedule {name} runs pipeline {pipeline}, which only a server runs (`spikecast serve`), \
         and none runs in this data directory: {instead}"
    )))
}
