//! `spikecast scores`: how the issued forecasts did, over all scored days and the last weeks, and
//! whether they have become worse.

use clap::Args;
use forecast::evaluation::{Drift, EARLIER_DAYS_MIN, Interval, RECENT_DAYS, Windows};
use jiff::civil::Date;
use market::time::OperatingDay;
use serde_json::{Value, json};

use super::args::{GlobalArgs, SourceArgs};
use super::table::{Side, table};
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::exit_of_error;
use crate::jobs::running_scores::{PooledScores, RunningScores, Selection};

#[derive(Debug, Args)]
pub(super) struct ScoresArgs {
    #[command(flatten)]
    source: SourceArgs,
}

/// A period up to the last scored day.
struct Period {
    name: &'static str,
    days: Option<i32>,
}

const PERIODS: [Period; 3] = [
    Period { name: "all days", days: None },
    Period { name: "last 90 days", days: Some(90) },
    Period { name: "last 30 days", days: Some(30) },
];

pub(super) fn scores(
    global: &GlobalArgs,
    arguments: &ScoresArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.source.settings(global)?;
    let source_id = config.source.id().map_err(|error| failed(error.into()))?;
    let scores =
        RunningScores::read(&config.data_dir.scores(), &source_id, None).map_err(failed)?;
    if 0 < scores.unreadable {
        terminal.warning(&format!(
            "{} files in {} cannot be read and are left out",
            scores.unreadable,
            config.data_dir.scores().display()
        ));
    }
    if global.json {
        terminal.json(&document(&source_id, &scores))?;
        return Ok(Exit::Fine);
    }
    let (Some(first), Some(last)) = (scores.days.first(), scores.days.last()) else {
        terminal.line(
            "no forecast has been scored yet; `spikecast serve` scores each day when its prices are in",
        )?;
        return Ok(Exit::Fine);
    };
    let count = scores.days.len();
    let title = format!("{count} scored days, {} to {}", first.day, last.day);
    terminal.line(terminal.paint(Style::Bold, &title))?;
    let (left, right) = (Side::Left, Side::Right);
    let header = [
        ("above", right),
        ("period", left),
        ("lead", left),
        ("hours", right),
        ("exceeded", right),
        ("Brier", right),
        ("log-loss", right),
        ("climatology", right),
        ("skill", right),
        ("90 % interval", left),
    ];
    for line in table(header, &rows(&scores, last.day)) {
        terminal.line(line)?;
    }
    terminal.line("")?;
    for threshold in scores.thresholds() {
        terminal.line(format!("above ${threshold}: {}", words(&scores.drift(threshold))))?;
    }
    Ok(Exit::Fine)
}

fn failed(error: crate::jobs::failure::JobError) -> CommandError {
    CommandError::new(exit_of_error(&error), error)
}

/// Walks everything that is shown: each threshold and period over all lead days, then each lead day.
fn each(scores: &RunningScores, last: Date) -> Vec<(f64, &'static str, Option<u8>, PooledScores)> {
    let mut found = Vec::new();
    let lead_days = std::iter::once(None).chain(scores.lead_days().into_iter().map(Some));
    let lead_days: Vec<Option<u8>> = lead_days.collect();
    for threshold in scores.thresholds() {
        for period in &PERIODS {
            let since = period.days.map(|days| OperatingDay::new(last).plus_days(1 - days).date());
            for &lead_day in &lead_days {
                let selection = Selection { threshold, lead_day, since };
                if let Some(pooled) = scores.pooled(selection) {
                    found.push((threshold, period.name, lead_day, pooled));
                }
            }
        }
    }
    found
}

fn rows(scores: &RunningScores, last: Date) -> Vec<[String; 10]> {
    let row = |(threshold, period, lead_day, pooled): (f64, &str, Option<u8>, PooledScores)| {
        [
            format!("${threshold}"),
            period.to_owned(),
            lead_day.map_or("all".to_owned(), |day| format!("day {day}")),
            pooled.hours.to_string(),
            pooled.exceedances.to_string(),
            format!("{:.4}", pooled.brier),
            format!("{:.4}", pooled.log_loss),
            format!("{:.4}", pooled.climatology_log_loss),
            percent(pooled.skill),
            interval(pooled.skill_interval),
        ]
    };
    each(scores, last).into_iter().map(row).collect()
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:+.1} %", 100.0 * share) } else { "–".to_owned() }
}

fn interval(interval: Option<Interval>) -> String {
    interval
        .map_or_else(String::new, |it| format!("{} to {}", percent(it.lower), percent(it.upper)))
}

fn words(drift: &Drift) -> String {
    let windows = |windows: &Windows| {
        format!(
            "skill {} in the last {RECENT_DAYS} days, {} before (p {:.4})",
            percent(windows.recent),
            percent(windows.earlier),
            windows.p_value
        )
    };
    match drift {
        Drift::Unknown => format!(
            "too few days or exceedances to see drift ({} days with some needed)",
            RECENT_DAYS + EARLIER_DAYS_MIN
        ),
        Drift::Steady(found) => format!("no drift: {}", windows(found)),
        Drift::Worse(found) => format!("WORSE than before: {}", windows(found)),
    }
}

fn document(source_id: &str, scores: &RunningScores) -> Value {
    let last = scores.days.last().map(|day| day.day);
    let row = |(threshold, period, lead_day, pooled): (f64, &str, Option<u8>, PooledScores)| {
        json!({
            "threshold": threshold,
            "period": period,
            "lead_day": lead_day.map_or(json!("pooled"), |lead_day| json!(lead_day)),
            "days": pooled.days,
            "hours": pooled.hours,
            "exceedances": pooled.exceedances,
            "brier": pooled.brier,
            "log_loss": pooled.log_loss,
            "climatology_log_loss": pooled.climatology_log_loss,
            "skill": pooled.skill,
            "skill_lower": pooled.skill_interval.map(|interval| interval.lower),
            "skill_upper": pooled.skill_interval.map(|interval| interval.upper),
        })
    };
    let drift = |threshold: f64| {
        let (verdict, windows) = match scores.drift(threshold) {
            Drift::Unknown => ("unknown", None),
            Drift::Steady(windows) => ("steady", Some(windows)),
            Drift::Worse(windows) => ("worse", Some(windows)),
        };
        json!({
            "threshold": threshold,
            "verdict": verdict,
            "recent_skill": windows.map(|it| it.recent),
            "earlier_skill": windows.map(|it| it.earlier),
            "p_value": windows.map(|it| it.p_value),
        })
    };
    let found = last.map_or_else(Vec::new, |last| each(scores, last));
    json!({
        "source": source_id,
        "days": scores.days.len(),
        "first_day": scores.days.first().map(|day| day.day.to_string()),
        "last_day": last.map(|day| day.to_string()),
        "unreadable_files": scores.unreadable,
        "scores": found.into_iter().map(row).collect::<Vec<_>>(),
        "drift": scores.thresholds().into_iter().map(drift).collect::<Vec<_>>(),
    })
}
