//! `spikecast evaluate`: any forecast file against any truth.

use std::path::{Path, PathBuf};

use clap::Args;
use forecast::evaluation::{Comparison, Forecaster, Interval, Loss, Scores};
use market::table::write_atomically;
use serde_json::{Value, json};

use super::args::{GlobalArgs, SourceArgs};
use super::table::{Side, table};
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::jobs::failure::exit_of_error;
use crate::report::BacktestPage;
use crate::verification::{
    Assessment, Cases, Findings, ForecastFile, Truth, document, headlines, notes, pair,
    scores_json, section_views, truth_of_source, write_figures,
};

#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// The forecasts: Parquet or CSV with issue_time, target_start, threshold, probability
    forecasts: PathBuf,
    /// What happened: Parquet or CSV with target_start and highest_price or exceeded; without it the
    /// prices of the source
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "path"])]
    truth: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
    /// Folder for scores.json, report.html and figures
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn evaluate(
    global: &GlobalArgs,
    arguments: &EvaluateArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let bad = |error: anyhow::Error| CommandError::new(Exit::BadInput, error);
    let file = ForecastFile::read(&arguments.forecasts).map_err(|error| bad(error.into()))?;
    let (truth, origin) = truth(global, arguments, &file)?;
    let cases = pair(&file, &truth).map_err(|error| bad(error.into()))?;
    let assessment = Assessment::of(&cases);
    let about = json!({
        "program": env!("CARGO_PKG_VERSION"),
        "forecasts": arguments.forecasts,
        "truth": origin,
    });
    let mut written = Vec::new();
    if let Some(out) = &arguments.out {
        written = write(out, (&about, &cases, &assessment))
            .map_err(|error| CommandError::new(Exit::NotWritable, error))?;
    }
    if global.json {
        let mut document = document(&about, &cases, &assessment);
        document["written"] = json!(written);
        terminal.json(&document)?;
        return Ok(Exit::Fine);
    }
    show(&cases, &assessment, terminal)?;
    for path in written.iter().take(2) {
        terminal.line(format!("written {}", path.display()))?;
    }
    Ok(Exit::Fine)
}

fn truth(
    global: &GlobalArgs,
    arguments: &EvaluateArgs,
    file: &ForecastFile,
) -> Result<(Truth, String), CommandError> {
    if let Some(path) = &arguments.truth {
        let truth = Truth::read(path)
            .map_err(|error| CommandError::new(Exit::BadInput, anyhow::Error::from(error)))?;
        return Ok((truth, path.display().to_string()));
    }
    let config = arguments.source.settings(global)?;
    let failed = |error| CommandError::new(exit_of_error(&error), error);
    let truth = truth_of_source(&config.source, &config.data_dir, file).map_err(failed)?;
    let source = config.source.open().map_err(|error| failed(error.into()))?;
    Ok((truth, source.describe()))
}

/// Writes everything into a folder; returns what was written.
fn write(
    out: &Path,
    (about, cases, assessment): (&Value, &Cases, &Assessment),
) -> Result<Vec<PathBuf>, anyhow::Error> {
    let page = BacktestPage {
        title: "How a forecast did".to_owned(),
        period: format!(
            "{} against {}",
            about["forecasts"].as_str().unwrap_or_default(),
            about["truth"].as_str().unwrap_or_default()
        ),
        settlement_points: cases.settlement_points.clone(),
        headlines: headlines(cases, assessment),
        settings: Vec::new(),
        skill_interval: 0.9,
        sections: section_views(cases, assessment),
        highest: Vec::new(),
        misses: Vec::new(),
        notes: notes(),
    };
    let (scores, report) = (out.join("scores.json"), out.join("report.html"));
    let json = scores_json(about, cases, assessment);
    write_atomically(&scores, |file| file.write_all(json.as_bytes()))?;
    let html = page.to_html();
    write_atomically(&report, |file| file.write_all(html.as_bytes()))?;
    let mut written = vec![scores, report];
    written.extend(write_figures(&out.join("figures"), &page)?);
    Ok(written)
}

fn show(
    cases: &Cases,
    assessment: &Assessment,
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let pooled = || assessment.findings.iter().filter(|found| found.group.point.is_none());
    let hours: usize = cases.hours.iter().map(|hours| hours.hours().len()).sum();
    terminal.line(terminal.paint(
        Style::Bold,
        &format!("{hours} forecasts of {} thresholds", cases.thresholds.len()),
    ))?;
    if 0 < cases.unknown {
        terminal.warning(&format!(
            "{} forecasts have no known outcome and are left out",
            cases.unknown
        ));
    }
    let (left, right) = (Side::Left, Side::Right);
    let header = [
        ("above", right),
        ("lead", left),
        ("hours", right),
        ("exceeded", right),
        ("Brier", right),
        ("skill", right),
        ("log-loss", right),
        ("skill", right),
        ("90 % interval", left),
        ("AUC", right),
        ("within hour", right),
        ("AP", right),
        ("ECE", right),
    ];
    let rows: Vec<_> = pooled().filter_map(|found| scores_row(cases, found)).collect();
    for line in table(header, &rows) {
        terminal.line(line)?;
    }
    let header = [
        ("above", right),
        ("against", left),
        ("its log-loss skill", right),
        ("p (Diebold–Mariano)", right),
        ("", left),
    ];
    let rows: Vec<_> = pooled()
        .filter(|found| found.group.lead_day.is_none())
        .flat_map(|found| comparison_rows(cases, found))
        .collect();
    if !rows.is_empty() {
        terminal.line("")?;
        for line in table(header, &rows) {
            terminal.line(line)?;
        }
    }
    let header = [
        ("above", right),
        ("alerted", right),
        ("detected", right),
        ("precision", right),
        ("spells caught", right),
        ("false runs", right),
    ];
    let rows: Vec<_> = pooled().flat_map(|found| alert_rows(cases, found)).collect();
    terminal.line("")?;
    for line in table(header, &rows) {
        terminal.line(line)?;
    }
    Ok(())
}

fn price(cases: &Cases, found: &Findings) -> String {
    format!("${}", cases.thresholds[found.group.threshold])
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:+.1} %", 100.0 * share) } else { "–".to_owned() }
}

fn share(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", 100.0 * share) } else { "–".to_owned() }
}

fn score(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "–".to_owned() }
}

fn p_value(value: f64) -> String {
    if value < 0.0001 { "<0.0001".to_owned() } else { score(value, 4) }
}

fn interval(interval: Option<Interval>) -> String {
    interval
        .map_or_else(String::new, |it| format!("{} to {}", percent(it.lower), percent(it.upper)))
}

fn scores_row(cases: &Cases, found: &Findings) -> Option<[String; 13]> {
    let scores: &Scores = found.scores.get(&Forecaster::Combined)?;
    Some([
        price(cases, found),
        found.group.lead_day.map_or("all days".to_owned(), |day| format!("day {day}")),
        scores.hours.to_string(),
        scores.exceedances.to_string(),
        score(scores.brier, 4),
        percent(scores.brier_skill),
        score(scores.log_loss, 4),
        percent(scores.log_loss_skill),
        interval(scores.log_loss_skill_interval),
        score(scores.roc_auc, 3),
        score(scores.within_hour_auc, 3),
        score(scores.average_precision, 3),
        score(scores.calibration_error, 4),
    ])
}

fn comparison_rows(cases: &Cases, found: &Findings) -> Vec<[String; 5]> {
    let of_log_loss = found.comparisons.iter().filter(|it| it.1 == Loss::Logarithmic);
    let row = |(other, _, comparison): &(Forecaster, Loss, Comparison)| {
        let skill = found.scores.get(other).map_or(f64::NAN, |scores| scores.log_loss_skill);
        let verdict =
            if comparison.difference < 0.0 { "forecast better" } else { "forecast worse" };
        [
            price(cases, found),
            other.words().to_owned(),
            percent(skill),
            p_value(comparison.p_value),
            verdict.to_owned(),
        ]
    };
    of_log_loss.map(row).collect()
}

fn alert_rows(cases: &Cases, found: &Findings) -> Vec<[String; 6]> {
    let verification =
        found.detail.as_ref().and_then(|it| it.verifications.get(&Forecaster::Combined));
    let tables = verification.map_or(&[][..], |verification| &verification.alerts);
    let row = |(alerts, spells): &(forecast::evaluation::Alerts, forecast::evaluation::Spells)| {
        [
            price(cases, found),
            share(alerts.budget),
            share(alerts.detected()),
            share(alerts.precision()),
            format!("{} of {}", spells.caught, spells.spells),
            format!("{} of {}", spells.false_runs, spells.alert_runs),
        ]
    };
    tables.iter().map(row).collect()
}
