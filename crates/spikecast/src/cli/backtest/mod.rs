//! `spikecast backtest`: past days as if they were today, scored; one span of them, or several
//! scenarios side by side.

mod args;
mod complete;
mod scenarios;

use std::sync::Arc;

use jiff::civil::Date;
use orchestration::{Clock, SystemClock};
use serde_json::json;

use super::args::GlobalArgs;
use super::run::{stop_on_signal, targets};
use super::terminal::{Style, Terminal};
use crate::config::Config;
use crate::exit::{CommandError, Exit};
use crate::jobs::backtest::BacktestInput;
use crate::jobs::failure::{JobError, exit_of_error};

pub(super) use args::BacktestArgs;
use complete::{Bench, Ended, complete, not_in_the_future};

pub(super) fn backtest(
    global: &GlobalArgs,
    arguments: &BacktestArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.data.settings(global)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let bench =
        |token| Bench { data_dir: config.data_dir.clone(), clock, token, json: global.json };
    match (&arguments.scenarios, arguments.from.zip(arguments.to)) {
        (Some(file), _) => {
            let scenarios = scenarios::read(file, &config, arguments)?;
            let bench = bench(stop_on_signal()?);
            scenarios::backtest(&bench, scenarios, &arguments.out, terminal)
        }
        (None, Some(span)) => {
            let input = input(&config, arguments, span)?;
            one(&bench(stop_on_signal()?), &input, arguments, terminal)
        }
        (None, None) => {
            Err(CommandError::usage("name the days with --from and --to, or --scenarios"))
        }
    }
}

/// Does one backtest and says how it went.
fn one(
    bench: &Bench,
    input: &BacktestInput,
    arguments: &BacktestArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    not_in_the_future(bench, input)?;
    let (workspace, evaluated) = match complete(bench, input, &arguments.out, terminal)? {
        Ended::Stopped(status) => return stopped(status, bench.json, terminal),
        Ended::Complete(workspace, evaluated) => (workspace, evaluated),
    };
    if bench.json {
        terminal.json(&json!({
            "status": "COMPLETED",
            "rows": evaluated.rows,
            "headlines": evaluated.headlines,
            "forecasts": workspace.forecasts(),
            "scores": workspace.scores(),
            "report": workspace.report(),
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.line(terminal.paint(Style::Bold, "Against climatology, pooled over lead days:"))?;
    for headline in &evaluated.headlines {
        terminal.line(format!("  {headline}"))?;
    }
    terminal.line(format!(
        "forecasts {} ({} rows)",
        workspace.forecasts().display(),
        evaluated.rows
    ))?;
    terminal.line(format!("scores    {}", workspace.scores().display()))?;
    terminal.line(format!("report    {}", workspace.report().display()))?;
    Ok(Exit::Fine)
}

fn stopped(status: &str, json: bool, terminal: &mut Terminal) -> Result<Exit, CommandError> {
    terminal.note("stopped; the same command continues where it is");
    if json {
        let code = Exit::Interrupted.code();
        terminal.json(&json!({ "status": status, "exit_code": code }))?;
    }
    Ok(Exit::Interrupted)
}

fn input(
    config: &Config,
    arguments: &BacktestArgs,
    (from, to): (Date, Date),
) -> Result<BacktestInput, CommandError> {
    if to < from {
        return Err(CommandError::usage(format!("--from {from} lies after --to {to}")));
    }
    Ok(BacktestInput {
        source: config.source.clone(),
        fingerprint: fingerprint(config)?,
        targets: targets(config)?,
        from,
        to,
        stride_days: 1,
        issue_time_of_day: arguments.issue_time,
        retrain_every_days: config.retrain_every_days,
        models: Vec::new(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn fingerprint(config: &Config) -> Result<String, CommandError> {
    let fingerprint = || -> Result<String, JobError> { Ok(config.source.open()?.fingerprint()?) };
    fingerprint().map_err(|error| CommandError::new(exit_of_error(&error), error))
}
