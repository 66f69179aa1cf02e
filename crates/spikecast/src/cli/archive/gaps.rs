//! `spikecast archive gaps`: the intervals that should be there by now and are not.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use market::archive::Gap;
use market::observation::SeriesKey;
use market::source::publication::due_until;
use market::time::display;
use orchestration::{Clock, SystemClock};
use serde_json::{Value, json};

use super::refetch::{Lacking, commands};
use super::{Opened, answer};
use crate::cli::args::{GlobalArgs, ObservationArgs};
use crate::cli::data::{archived, keys, span};
use crate::cli::terminal::{Style, Terminal};
use crate::exit::{CommandError, Exit};

/// What is late by less than this is not missing yet.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);

/// So many gaps are shown; all of them are in the JSON.
const GAPS_SHOWN: usize = 40;

pub(super) fn gaps(
    global: &GlobalArgs,
    arguments: &ObservationArgs,
    terminal: &mut Terminal,
) -> Result<Exit, CommandError> {
    let config = arguments.source.settings(global)?;
    let (from, to) = span(&arguments.from, &arguments.to)?;
    let keys: BTreeSet<SeriesKey> = archived(&keys(&config, arguments)?).into_iter().collect();
    let opened = Opened::of(&config)?;
    let now = SystemClock::new().now() - PATIENCE;
    let mut found = Vec::new();
    for key in &keys {
        let due = due_until(key.series, (from, to), now);
        found.extend(answer(opened.archive.gaps(std::slice::from_ref(key), (from, due)))?);
    }
    let (skipped, gaps): (Vec<Gap>, Vec<Gap>) = found.into_iter().partition(Gap::is_skipped_run);
    let exit = if gaps.is_empty() { Exit::Fine } else { Exit::SourceUnavailable };
    let commands = commands(global, &config, gaps.iter().map(Lacking::of));
    if global.json {
        let gaps: Vec<Value> = gaps.iter().map(document).collect();
        terminal.json(&json!({
            "archive": opened.archive.location().to_string(),
            "gaps": gaps,
            "runs_skipped": skipped.len(),
            "fetch": commands,
            "exit_code": exit.code(),
        }))?;
        return Ok(exit);
    }
    for gap in gaps.iter().take(GAPS_SHOWN) {
        terminal.line(terminal.paint(Style::Yellow, &line(gap)))?;
    }
    if GAPS_SHOWN < gaps.len() {
        let more = gaps.len() - GAPS_SHOWN;
        terminal.line(format!("… and {more} more gaps; --json lists them all"))?;
    }
    if !skipped.is_empty() {
        let count = skipped.len();
        terminal.note(&format!("{count} single slots without a SCED run, which is usual"));
    }
    if gaps.is_empty() {
        terminal.line(terminal.paint(Style::Green, "complete"))?;
    } else {
        terminal.line("fetch what is missing with")?;
    }
    for command in commands {
        terminal.line(format!("  {command}"))?;
    }
    Ok(exit)
}

impl Lacking {
    fn of(gap: &Gap) -> Self {
        Self {
            series: gap.key.series.name().to_owned(),
            places: vec![gap.key.place.name().to_owned()],
            span: (gap.from, gap.to - SignedDuration::from_secs(1)),
            every_vintage: false,
        }
    }
}

fn line(gap: &Gap) -> String {
    let (from, to, count) = (display(gap.from), display(gap.to), gap.intervals());
    format!("missing  {}: {count} intervals, {from} to {to}", gap.key)
}

fn document(gap: &Gap) -> Value {
    json!({
        "series": gap.key.series.name(),
        "place": gap.key.place.name(),
        "from": gap.from.to_string(),
        "to": gap.to.to_string(),
        "intervals": gap.intervals(),
    })
}
