//! `spikecast archive status`: size, span and newest value of every archived series, and the
//! postings that were put aside.

use jiff::Timestamp;
use market::archive::{Archive, CommittedPosting, SeriesStatus, Status};
use market::reports::Report;
use market::time::{OperatingDay, display, local};
use serde_json::{Map, Value, json};

use super::{Opened, answer, size};
use crate::cli::args::{GlobalArgs, SourceArgs};
use crate::cli::table::{Side, table};
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};

/// So many of the postings that were put aside are shown; all of them are in the JSON.
const QUARANTINED_SHOWN: usize = 5;

pub(super) fn status(
    global: &GlobalArgs,
    source: &SourceArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let opened = Opened::of(&source.settings(global)?)?;
    let status = answer(opened.archive.status())?;
    let quarantined = match status.quarantined {
        0 => Vec::new(),
        _ => quarantined(&opened.archive)?,
    };
    if global.json {
        terminal.json(&document(&opened, &status, &quarantined))?;
    } else {
        print(&opened, &status, &quarantined, terminal)?;
    }
    Ok(Exit::Fine)
}

/// Returns the postings that could not be used, the newest first.
fn quarantined(archive: &Archive) -> Result<Vec<CommittedPosting>, CommandError> {
    let mut found = Vec::new();
    for report in Report::ALL {
        let postings = answer(archive.postings(report, (Timestamp::MIN, Timestamp::MAX)))?;
        found.extend(postings.into_iter().filter(|posting| posting.quarantined.is_some()));
    }
    found.sort_by_key(|it| (std::cmp::Reverse(it.posting.posted_at), it.posting.id.clone()));
    Ok(found)
}

fn print(
    opened: &Opened,
    status: &Status,
    quarantined: &[CommittedPosting],
    terminal: &mut Terminal,
) -> Result<(), CommandError> {
    terminal.line(terminal.paint(Style::Bold, &opened.describe()))?;
    if status.series.is_empty() {
        return terminal.line("nothing is archived yet; bring it up with `spikecast fetch`");
    }
    let header = [
        ("series", Side::Left),
        ("places", Side::Right),
        ("files", Side::Right),
        ("values", Side::Right),
        ("size", Side::Right),
        ("intervals", Side::Left),
        ("newest (Central)", Side::Left),
    ];
    let rows: Vec<_> = status.series.iter().map(|(name, series)| row(name, series)).collect();
    let lines = table(header, &rows);
    terminal.line(terminal.paint(Style::Dim, &lines[0]))?;
    for line in &lines[1..] {
        terminal.line(line)?;
    }
    let (files, values, bytes) = totals(status);
    terminal.line(format!(
        "{files} files, {values} values, {}; {} commits, {} postings",
        size(bytes),
        status.commits,
        status.postings
    ))?;
    for it in quarantined.iter().take(QUARANTINED_SHOWN) {
        let reason = it.quarantined.as_deref().unwrap_or_default();
        let label = terminal.paint(Style::Yellow, "put aside ");
        terminal.line(format!("{label} {}: {reason}", display(it.posting.posted_at)))?;
    }
    if QUARANTINED_SHOWN < quarantined.len() {
        let more = quarantined.len() - QUARANTINED_SHOWN;
        terminal.line(format!("… and {more} more; --json lists them all"))?;
    }
    Ok(())
}

/// Returns the files, values and bytes of all series.
pub(super) fn totals(status: &Status) -> (usize, u64, u64) {
    status.series.values().fold((0, 0, 0), |(files, values, bytes), series| {
        (files + series.parts, values + series.rows, bytes + series.bytes)
    })
}

fn row(name: &str, series: &SeriesStatus) -> [String; 7] {
    let day = |instant: Timestamp| OperatingDay::of(instant).to_string();
    let minute = |instant: Timestamp| local(instant).strftime("%Y-%m-%d %H:%M").to_string();
    [
        name.to_owned(),
        series.places.to_string(),
        series.parts.to_string(),
        series.rows.to_string(),
        size(series.bytes),
        series.intervals.map_or_else(String::new, |it| format!("{} to {}", day(it.0), day(it.1))),
        series.newest_publication.map_or_else(String::new, minute),
    ]
}

fn document(opened: &Opened, status: &Status, quarantined: &[CommittedPosting]) -> Value {
    let series = status.series.iter().map(|(name, series)| {
        let value = json!({
            "places": series.places,
            "files": series.parts,
            "values": series.rows,
            "bytes": series.bytes,
            "first_interval": series.intervals.map(|(first, _)| first.to_string()),
            "last_interval": series.intervals.map(|(_, last)| last.to_string()),
            "newest_publication": series.newest_publication.map(|it| it.to_string()),
            "newest_fetch": series.newest_fetch.map(|it| it.to_string()),
        });
        (name.clone(), value)
    });
    let quarantined = quarantined.iter().map(|it| {
        json!({
            "report": it.posting.report.emil_id(),
            "file": it.posting.name,
            "posted_at": it.posting.posted_at.to_string(),
            "raw": it.raw,
            "reason": it.quarantined,
        })
    });
    json!({
        "source": opened.source.id(),
        "archive": opened.archive.location().to_string(),
        "commits": status.commits,
        "postings": status.postings,
        "quarantined": quarantined.collect::<Vec<_>>(),
        "series": series.collect::<Map<_, _>>(),
        "exit_code": Exit::Fine.code(),
    })
}
