//! Several backtests of one file, one after the other, each in a folder of its own; then all of them
//! compared.

use std::fs;
use std::path::Path;

use anyhow::Context;
use market::table::write_atomically;
use serde_json::json;

use super::args::BacktestArgs;
use super::complete::{Bench, Ended, complete, not_in_the_future};
use super::{fingerprint, stopped};
use crate::cli::run::targets;
use crate::cli::table::{Side, table};
use crate::cli::terminal::{Style, Terminal};
use crate::config::Config;
use crate::exit::{CommandError, Exit};
use crate::jobs::scenarios::{Compared, Comparison, Scenario, Score, Unsaid, page};
use crate::report::format::{count, dollars, signed_percent};

/// Reads the scenarios; what they do not say, settings and flags do.
pub(super) fn read(
    file: &Path,
    config: &Config,
    arguments: &BacktestArgs,
) -> Result<Vec<Scenario>, CommandError> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .with_context(|| format!("scenarios {name}: cannot be read"))
        .map_err(|cause| CommandError { exit: Exit::Usage, cause })?;
    let unsaid = Unsaid {
        source: config.source.clone(),
        fingerprint: fingerprint(config)?,
        targets: targets(config)?,
        issue_time_of_day: arguments.issue_time,
        retrain_every_days: config.retrain_every_days,
        program: env!("CARGO_PKG_VERSION").to_owned(),
    };
    crate::jobs::scenarios::read(&text, &unsaid)
        .map_err(|error| CommandError::usage(format!("scenarios {name}: {error}")))
}

/// Does all backtests, then compares them.
pub(super) fn backtest(
    bench: &Bench,
    scenarios: Vec<Scenario>,
    out: &Path,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    for scenario in &scenarios {
        not_in_the_future(bench, &scenario.input).map_err(|error| about(&scenario.name, error))?;
    }
    let total = scenarios.len();
    let mut compared = Vec::with_capacity(total);
    for (number, scenario) in (1..).zip(scenarios) {
        let name = scenario.name.clone();
        terminal.note(&format!("scenario {name} ({number} of {total})"));
        let ended = complete(bench, &scenario.input, &out.join(&name), terminal)
            .map_err(|error| about(&name, error))?;
        match ended {
            Ended::Stopped(status) => return stopped(status, bench.json, terminal),
            Ended::Complete(workspace, _) => {
                let scores = fs::read_to_string(workspace.scores())
                    .with_context(|| format!("{}: cannot be read", workspace.scores().display()))
                    .map_err(|cause| CommandError { exit: Exit::BadInput, cause })?;
                let scored = Compared::of(scenario, &scores);
                compared.push(scored.map_err(|error| CommandError::new(Exit::BadInput, error))?);
            }
        }
    }
    conclude(&Comparison { compared }, bench.json, out, terminal)
}

fn about(name: &str, error: CommandError) -> CommandError {
    let cause = error.cause.context(format!("scenario {name}"));
    CommandError { exit: error.exit, cause }
}

fn conclude(
    comparison: &Comparison,
    json: bool,
    out: &Path,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let (numbers, html) = (out.join("comparison.json"), out.join("comparison.html"));
    for (path, text) in [(&numbers, comparison.to_json()), (&html, page(comparison).to_html())] {
        write_atomically(path, |file| file.write_all(text.as_bytes()))
            .map_err(|error| CommandError::new(Exit::NotWritable, error))?;
    }
    if json {
        let names = comparison.compared.iter().map(|it| it.scenario.name.as_str());
        terminal.json(&json!({
            "status": "COMPLETED",
            "scenarios": names.collect::<Vec<_>>(),
            "same_hours": comparison.is_on_the_same_hours(),
            "scores": numbers,
            "report": html,
        }))?;
        return Ok(Exit::Fine);
    }
    let mut lines = lines(comparison).into_iter();
    if let Some(header) = lines.next() {
        terminal.line(terminal.paint(Style::Bold, &header))?;
    }
    for line in lines {
        terminal.line(line)?;
    }
    if !comparison.is_on_the_same_hours() {
        terminal.warning("the scenarios were not scored on the same hours");
    }
    terminal.line(format!("scores    {}", numbers.display()))?;
    terminal.line(format!("report    {}", html.display()))?;
    Ok(Exit::Fine)
}

fn lines(comparison: &Comparison) -> Vec<String> {
    let header = [
        ("above", Side::Right),
        ("scenario", Side::Left),
        ("model", Side::Left),
        ("hours", Side::Right),
        ("log-loss skill", Side::Right),
        ("90 % interval", Side::Left),
        ("Brier skill", Side::Right),
    ];
    let row = |(scenario, score): (&Scenario, &Score)| {
        let skill = |value: Option<f64>| signed_percent(value.unwrap_or(f64::NAN));
        let interval = match (score.log_loss_skill_lower, score.log_loss_skill_upper) {
            (Some(lower), Some(upper)) => {
                format!("{} to {}", signed_percent(lower), signed_percent(upper))
            }
            (_, _) => "too few weeks".to_owned(),
        };
        [
            dollars(score.threshold),
            scenario.name.clone(),
            score.forecaster.clone(),
            count(score.hours),
            skill(score.log_loss_skill),
            interval,
            skill(score.brier_skill),
        ]
    };
    let thresholds = comparison.thresholds();
    let rows: Vec<[String; 7]> =
        thresholds.into_iter().flat_map(|threshold| comparison.at(threshold)).map(row).collect();
    table(header, &rows)
}
