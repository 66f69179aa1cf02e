//! `spikecast schedule run-now`: runs what a schedule runs, without waiting for its time.

use orchestration::{Clock, SystemClock};

use super::{file_error, schedule_file};
use crate::cli::args::{GlobalArgs, RunArgs};
use crate::cli::run;
use crate::cli::terminal::Terminal;
use crate::exit::{CommandError, Exit};
use crate::jobs::forecast;

pub(super) fn run_now(
    global: &GlobalArgs,
    name: &str,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let schedules = schedule_file(global)?.read(SystemClock::new().now()).map_err(file_error)?;
    let record = schedules.get(name).map_err(CommandError::usage)?;
    let pipeline = &*record.task.pipeline;
    if pipeline == forecast::PIPELINE {
        return run::run(global, &RunArgs::default(), terminal);
    }
    let instead = match pipeline {
        "backtest" => "use `spikecast backtest`, which asks for its days",
        "fetch" => "use `spikecast fetch`, which asks for series and days",
        "train" => "use `spikecast run`, which trains when a model is due",
        _ => "no command runs it by hand",
    };
    Err(CommandError::usage(format!(
        "schedule {name} runs pipeline {pipeline}, which cannot be run now: {instead}"
    )))
}
