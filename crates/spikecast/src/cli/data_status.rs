//! `spikecast data status`: can the archived days be believed? A line for each series, what failed
//! in words, and every verdict as JSON.

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use market::archive::Archive;
use market::observation::{Series, SeriesKey};
use market::quality::{Check, DayQuality, Verdict};
use market::time::{OperatingDay, display};
use orchestration::{Clock, SystemClock};
use serde_json::{Map, Value, json};

use super::archive::{Opened, answer};
use super::args::{GlobalArgs, SourceArgs};
use super::data::{archived, keys_of};
use super::table::{Side, table};
use super::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};
use crate::jobs::data_quality::{Days, SeriesQuality, examine};

/// So many failing days are told in words; all of them are in the JSON.
const FAILING_SHOWN: usize = 20;

/// What was found is cut here in a terminal: a day may have many gaps.
const FOUND_LENGTH_MAX: usize = 160;

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Series, e.g. rt_lmp,load_forecast; what a forecast reads by default
    #[arg(long, value_name = "SERIES", value_delimiter = ',')]
    series: Vec<String>,
    /// Places, e.g. HB_WEST,WZ_COAST; ERCOT or the configured settlement points by default
    #[arg(long, value_name = "PLACES", value_delimiter = ',', requires = "series")]
    place: Vec<String>,
    /// How many whole days before the newest price, judged as of when that was published
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(i32).range(1..=3_700))]
    days: i32,
    /// First day, instead; days in a range are judged as of now
    #[arg(long, value_name = "DAY", requires = "to", conflicts_with = "days")]
    from: Option<Date>,
    /// Last day (included)
    #[arg(long, value_name = "DAY", requires = "from")]
    to: Option<Date>,
    /// Only the days with a failed check
    #[arg(long)]
    failing: bool,
}

pub(super) fn status(
    global: &GlobalArgs,
    arguments: &StatusArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.source.settings(global)?;
    let keys = archived(&keys_of(&config, &arguments.series, &arguments.place)?);
    let opened = Opened::of(&config)?;
    let Some(days) = days(arguments, &opened.archive, &keys)? else {
        return Err(opened.nothing(" of what is asked for"));
    };
    let judged = answer(examine(&opened.archive, &keys, days))?;
    let exit = exit(&judged, !arguments.series.is_empty());
    if global.json {
        let shown = judged.iter().flat_map(|series| &series.days);
        let shown = shown.filter(|day| !arguments.failing || is_failing(day));
        let absent = judged.iter().filter(|series| series.days.is_empty());
        terminal.json(&json!({
            "source": opened.source.id(),
            "archive": opened.archive.location().to_string(),
            "as_of": days.as_of.to_string(),
            "from": days.first.to_string(),
            "to": days.last.to_string(),
            "days": shown.map(document).collect::<Vec<_>>(),
            "never_archived": absent.map(|series| series.key.to_string()).collect::<Vec<_>>(),
            "exit_code": exit.code(),
        }))?;
        return Ok(exit);
    }
    terminal.line(terminal.paint(Style::Bold, &opened.describe()))?;
    let Days { first, last, as_of } = days;
    terminal.line(format!("days {first} to {last}, as of {}", display(as_of)))?;
    if !arguments.failing {
        summary(&judged, terminal)?;
    }
    tell_failing(&judged, arguments.failing, terminal)?;
    Ok(exit)
}

/// Returns the days to judge; `None` if nothing of the series is archived.
fn days(
    arguments: &StatusArgs,
    archive: &Archive,
    keys: &[SeriesKey],
) -> Result<Option<Days>, CommandError> {
    let now = SystemClock::new().now();
    // Load is posted a day late and day-ahead prices a day early; prices tell how far it goes.
    let (prices, others): (Vec<&SeriesKey>, Vec<&SeriesKey>) =
        keys.iter().partition(|key| key.series == Series::RealTimeLmp);
    let newest = match newest(archive, &prices)? {
        Some(newest) => Some(newest),
        None => newest(archive, &others)?,
    };
    let Some(newest) = newest else { return Ok(None) };
    if let (Some(from), Some(to)) = (arguments.from, arguments.to) {
        if to < from {
            return Err(CommandError::usage(format!("--from {from} lies after --to {to}")));
        }
        let (first, last) = (OperatingDay::new(from), OperatingDay::new(to));
        return Ok(Some(Days { first, last, as_of: now }));
    }
    let as_of = newest.min(now);
    let last = OperatingDay::of(as_of).plus_days(-1);
    Ok(Some(Days { first: last.plus_days(1 - arguments.days), last, as_of }))
}

/// Returns when the newest value of some series was published.
fn newest(archive: &Archive, keys: &[&SeriesKey]) -> Result<Option<Timestamp>, CommandError> {
    let mut newest = None;
    for key in keys {
        newest = newest.max(answer(archive.newest_publication(key))?);
    }
    Ok(newest)
}

/// Missing values end as an incomplete fetch does, wrong ones as input that cannot be used. What
/// was never archived is missing if it was asked for by name; a forecast can do without.
fn exit(judged: &[SeriesQuality], by_name: bool) -> Exit {
    let is_about_missing = |check: Check| matches!(check, Check::Coverage | Check::Gaps);
    let failures: Vec<Check> = judged
        .iter()
        .flat_map(|series| &series.days)
        .flat_map(|day| day.failures().map(|(check, _)| check))
        .collect();
    let is_absent = by_name && judged.iter().any(|series| series.days.is_empty());
    match (failures.iter().all(|check| is_about_missing(*check)), failures.is_empty()) {
        (false, _) => Exit::BadInput,
        (true, true) if !is_absent => Exit::Fine,
        (true, _) => Exit::SourceUnavailable,
    }
}

fn is_failing(day: &DayQuality) -> bool {
    day.failures().next().is_some()
}

fn summary(judged: &[SeriesQuality], terminal: &mut Terminal) -> Result<(), CommandError> {
    let header = [
        ("series", Side::Left),
        ("place", Side::Left),
        ("coverage", Side::Right),
        ("worst day", Side::Left),
        ("checks, on how many days", Side::Left),
    ];
    let (archived, absent): (Vec<&SeriesQuality>, Vec<&SeriesQuality>) =
        judged.iter().partition(|series| !series.days.is_empty());
    let rows: Vec<_> = archived.iter().filter_map(|series| row(series)).collect();
    let lines = table(header, &rows);
    terminal.line(terminal.paint(Style::Dim, &lines[0]))?;
    for (series, line) in archived.iter().zip(&lines[1..]) {
        let style = match series.days.iter().any(is_failing) {
            true => Style::Red,
            false if series.days.iter().any(is_suspect) => Style::Yellow,
            false => Style::Green,
        };
        terminal.line(terminal.paint(style, line))?;
    }
    for same in absent.chunk_by(|a, b| a.key.series == b.key.series) {
        let places: Vec<String> = same.iter().map(|series| series.key.place.to_string()).collect();
        let line =
            format!("nothing archived of {} at {}", same[0].key.series.name(), places.join(", "));
        terminal.line(terminal.paint(Style::Dim, &line))?;
    }
    Ok(())
}

/// Returns the line of a series; nothing for one without days.
fn row(series: &SeriesQuality) -> Option<[String; 5]> {
    let name = series.key.series.name().to_owned();
    let place = series.key.place.to_string();
    // The most failures, then the most suspicions, then the least coverage.
    let badness = |day: &&DayQuality| {
        let suspicions = day.verdicts.iter().filter(|it| is_suspicion(&it.1)).count();
        (day.failures().count(), suspicions, ordered(1.0 - day.coverage))
    };
    let worst = series.days.iter().max_by_key(badness)?;
    let lowest = series.days.iter().map(|day| day.coverage).fold(1.0, f64::min);
    let (failures, suspicions) = (checks(series, is_failure), checks(series, is_suspicion));
    let words: Vec<String> = [("failed", failures), ("suspect", suspicions)]
        .into_iter()
        .filter(|(_, checks)| !checks.is_empty())
        .map(|(word, checks)| format!("{word}: {}", checks.join(", ")))
        .collect();
    let (worst, words) = match words.as_slice() {
        [] => (String::new(), "fine".to_owned()),
        words => (worst.day.to_string(), words.join("; ")),
    };
    Some([name, place, format!("{:.1} %", 100.0 * lowest), worst, words])
}

/// Makes a share comparable.
#[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
fn ordered(share: f64) -> i64 {
    (1e9 * share) as i64
}

fn is_failure(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Failed { .. })
}

fn is_suspicion(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Suspect { .. })
}

fn is_suspect(day: &DayQuality) -> bool {
    day.verdicts.iter().any(|(_, verdict)| is_suspicion(verdict))
}

/// Returns each check with such a verdict and on how many days.
fn checks(series: &SeriesQuality, is_such: fn(&Verdict) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for check in Check::ALL {
        let is_so =
            |day: &&DayQuality| day.verdicts.iter().any(|it| it.0 == check && is_such(&it.1));
        match series.days.iter().filter(is_so).count() {
            0 => {}
            days => found.push(format!("{} {days}", check.name())),
        }
    }
    found
}

fn tell_failing(
    judged: &[SeriesQuality],
    all: bool,
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    let mut failing: Vec<&DayQuality> =
        judged.iter().flat_map(|series| &series.days).filter(|day| is_failing(day)).collect();
    failing.sort_by_key(|day| (day.day, day.key.clone()));
    let shown = if all { failing.len() } else { FAILING_SHOWN };
    for day in failing.iter().take(shown) {
        terminal.line(format!(
            "{}  {}",
            day.day,
            terminal.paint(Style::Bold, &day.key.to_string())
        ))?;
        for (check, found) in day.failures() {
            terminal.line(format!("            {:10} {}", check.name(), cut(found)))?;
        }
    }
    if shown < failing.len() {
        let more = failing.len() - shown;
        terminal.line(format!("… and {more} more failing days; --failing shows them all"))?;
    }
    if failing.is_empty() {
        terminal.line(terminal.paint(Style::Green, "no check failed"))?;
    }
    Ok(())
}

fn cut(found: &str) -> String {
    match found.char_indices().nth(FOUND_LENGTH_MAX) {
        Some((at, _)) => format!("{} …", &found[..at]),
        None => found.to_owned(),
    }
}

fn document(day: &DayQuality) -> Value {
    let verdict = |verdict: &Verdict| match verdict {
        Verdict::Passed => json!({ "verdict": "passed" }),
        Verdict::Suspect { found } => json!({ "verdict": "suspect", "found": found }),
        Verdict::Failed { found } => json!({ "verdict": "failed", "found": found }),
        Verdict::Unknown { reason } => json!({ "verdict": "unknown", "reason": reason }),
    };
    let checks = day.verdicts.iter().map(|(check, it)| (check.name().to_owned(), verdict(it)));
    json!({
        "series": day.key.series.name(),
        "place": day.key.place.name(),
        "day": day.day.to_string(),
        "coverage": day.coverage,
        "checks": checks.collect::<Map<_, _>>(),
    })
}
