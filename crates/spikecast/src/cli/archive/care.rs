//! `spikecast archive verify`, `repair` and `compact`: is every file as it was written, what
//! becomes of those that are not, and how the archive stays small.

use jiff::SignedDuration;
use market::archive::{Lost, Problem, Repaired, Upkeep};
use market::observation::Series;
use market::reports::{Wanted, parse};
use market::source::publication::PublicationRule;
use orchestration::{Clock, SystemClock};
use serde_json::{Value, json};

use super::args::CompactArgs;
use super::refetch::{Lacking, commands};
use super::status::totals;
use super::{Opened, answer, size};
use crate::cli::args::{GlobalArgs, SourceArgs, usage};
use crate::cli::terminal::{Style, Terminal};
use crate::config::Config;
use crate::exit::{CommandError, Exit};

pub(super) fn verify(
    global: &GlobalArgs,
    source: &SourceArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let opened = Opened::of(&source.settings(global)?)?;
    let verified = answer(opened.archive.verify())?;
    let exit = if verified.problems.is_empty() { Exit::Fine } else { Exit::BadInput };
    if global.json {
        terminal.json(&json!({
            "archive": opened.archive.location().to_string(),
            "files": verified.parts,
            "values": verified.rows,
            "raw_files": verified.raw_files,
            "bytes": verified.bytes,
            "problems": documents(&verified.problems),
            "exit_code": exit.code(),
        }))?;
        return Ok(exit);
    }
    terminal.line(terminal.paint(Style::Bold, &opened.describe()))?;
    terminal.line(format!(
        "{} files with {} values and {} of ERCOT's own files are as they were written ({})",
        verified.parts,
        verified.rows,
        verified.raw_files,
        size(verified.bytes)
    ))?;
    print_problems(&verified.problems, "damaged", terminal)?;
    if exit != Exit::Fine {
        let count = verified.problems.len();
        terminal.error(&format!(
            "{count} files are damaged; `spikecast archive repair` takes them out, rebuilds what \
             it can and names what is lost"
        ));
    }
    Ok(exit)
}

pub(super) fn repair(
    global: &GlobalArgs,
    source: &SourceArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = source.settings(global)?;
    let opened = Opened::of(&config)?;
    // What retention would remove is still of use here.
    let upkeep = upkeep(None);
    let everything = Wanted::default();
    let repaired = answer(
        opened.archive.repair(&upkeep, &|posting, bytes| parse(posting, bytes, &everything)),
    )?;
    let exit = match (repaired.problems.is_empty(), repaired.lost.is_empty()) {
        (false, _) => Exit::BadInput,
        (true, false) => Exit::SourceUnavailable,
        (true, true) => Exit::Fine,
    };
    let commands = commands(global, &config, repaired.lost.iter().map(Lacking::lost));
    if global.json {
        terminal.json(&json!({
            "archive": opened.archive.location().to_string(),
            "values_rebuilt": repaired.rows_rebuilt,
            "postings_forgotten": repaired.postings_forgotten,
            "files_removed": repaired.files_removed,
            "lost": repaired.lost.iter().map(lost_document).collect::<Vec<_>>(),
            "fetch": commands,
            "problems": documents(&repaired.problems),
            "exit_code": exit.code(),
        }))?;
        return Ok(exit);
    }
    terminal.line(terminal.paint(Style::Bold, &opened.describe()))?;
    print_repaired(&repaired, &commands, terminal)?;
    Ok(exit)
}

fn print_repaired(
    repaired: &Repaired,
    commands: &[String],
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let Repaired { rows_rebuilt, lost, postings_forgotten, files_removed, problems } = repaired;
    terminal.line(format!(
        "{rows_rebuilt} values rebuilt from ERCOT's own files, {postings_forgotten} postings to be \
         fetched again, {files_removed} unneeded files removed"
    ))?;
    for lost in lost {
        let label = terminal.paint(Style::Yellow, "lost ");
        terminal.line(format!("{label} {lost}"))?;
    }
    if !commands.is_empty() {
        terminal.line("fetch what is lost with")?;
    }
    for command in commands {
        terminal.line(format!("  {command}"))?;
    }
    print_problems(problems, "not repaired", terminal)?;
    if !problems.is_empty() {
        let count = problems.len();
        terminal.error(&format!("{count} files cannot be repaired; restore them from a backup"));
    } else if lost.is_empty() {
        terminal.line(terminal.paint(Style::Green, "the archive is whole"))?;
    }
    Ok(())
}

pub(super) fn compact(
    global: &GlobalArgs,
    arguments: &CompactArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let mut layers = arguments.source.layers(global)?;
    layers.add_flag("raw_retention", arguments.raw_retention.clone());
    let config = Config::from_layers(&layers).map_err(usage)?;
    let opened = Opened::of(&config)?;
    let (files_before, _, bytes_before) = totals(&answer(opened.archive.status())?);
    let days =
        config.raw_retention_days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
    let kept = answer(opened.archive.compact(&upkeep(days)))?;
    let (files, _, bytes) = totals(&answer(opened.archive.status())?);
    if global.json {
        terminal.json(&json!({
            "archive": opened.archive.location().to_string(),
            "files_before": files_before,
            "bytes_before": bytes_before,
            "files": files,
            "bytes": bytes,
            "files_merged": kept.parts_merged,
            "files_removed": kept.files_removed,
            "raw_retention_days": config.raw_retention_days,
            "exit_code": Exit::Fine.code(),
        }))?;
        return Ok(Exit::Fine);
    }
    terminal.line(terminal.paint(Style::Bold, &opened.describe()))?;
    terminal.line(format!(
        "{} files merged: {files_before} files of {} before, {files} of {} now",
        kept.parts_merged,
        size(bytes_before),
        size(bytes)
    ))?;
    terminal.line(format!(
        "{} files removed; what was merged stays for {} hours, for those who read it now",
        kept.files_removed,
        Upkeep::GRACE.as_hours()
    ))?;
    Ok(Exit::Fine)
}

fn upkeep(raw_kept: Option<SignedDuration>) -> Upkeep {
    Upkeep { now: SystemClock::new().now(), grace: Upkeep::GRACE, raw_kept }
}

fn print_problems(
    problems: &[Problem],
    label: &str,
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    for Problem { file, found } in problems {
        terminal.line(format!("{}  {file}: {found}", terminal.paint(Style::Red, label)))?;
    }
    Ok(())
}

fn documents(problems: &[Problem]) -> Vec<Value> {
    let document = |problem: &Problem| json!({ "file": problem.file, "found": problem.found });
    problems.iter().map(document).collect()
}

impl Lacking {
    /// Of forecasts, what was published in a span is fetched; of the rest, what is about it.
    fn lost(lost: &Lost) -> Self {
        let series = Series::named(&lost.series);
        let is_forecast = series.is_some_and(|series| PublicationRule::of(series).is_none());
        Self {
            series: lost.series.clone(),
            places: lost.places.clone(),
            span: if is_forecast { lost.published } else { lost.intervals },
            every_vintage: is_forecast,
        }
    }
}

fn lost_document(lost: &Lost) -> Value {
    json!({
        "series": lost.series,
        "places": lost.places,
        "values": lost.rows,
        "first_interval": lost.intervals.0.to_string(),
        "last_interval": lost.intervals.1.to_string(),
    })
}
