//! The checks themselves: each looks at one day and says what it found.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::{SignedDuration, Timestamp};

use super::statistics::{Usual, usual};
use super::{DayExamined, DayPostings, QualityLimits, Verdict, is_forecast};
use crate::archive::missing;
use crate::reports::Report;
use crate::source::publication;
use crate::time::MarketHour;

/// A run of missing intervals this long is a gap rather than a few that SCED left out.
const GAP_MIN: SignedDuration = SignedDuration::from_hours(1);

/// The smallest deviation that values are compared by, in the series' unit and as a share of the
/// median: a constant history would make every change an outlier.
const DEVIATION_MIN: f64 = 1.0;
const DEVIATION_SHARE_MIN: f64 = 0.02;

/// Returns the rows whose intervals start in the day.
pub(super) fn rows_of_the_day(examined: &DayExamined<'_>) -> Range<usize> {
    let starts = &examined.columns.interval_start;
    let (start, end) = (examined.day.start().as_second(), examined.day.end().as_second());
    starts.partition_point(|&s| s < start)..starts.partition_point(|&s| s < end)
}

/// Returns the end of what is due of the day.
fn due_until(examined: &DayExamined<'_>) -> Timestamp {
    let of_the_day = (examined.day.start(), examined.day.end());
    publication::due_until(examined.key.series, of_the_day, examined.now)
}

fn missing_ranges(examined: &DayExamined<'_>) -> Vec<(Timestamp, Timestamp)> {
    let rows = rows_of_the_day(examined);
    let starts = &examined.columns.interval_start[rows];
    missing(examined.key.series, starts, (examined.day.start(), due_until(examined)))
}

/// Returns the share of the due intervals that are known.
pub(super) fn known_share(examined: &DayExamined<'_>) -> f64 {
    let due = due_until(examined).duration_since(examined.day.start());
    if due.is_zero() {
        return 1.0;
    }
    let missing: f64 = missing_ranges(examined)
        .iter()
        .map(|(from, to)| to.duration_since(*from).as_secs_f64())
        .sum();
    1.0 - missing / due.as_secs_f64()
}

pub(super) fn coverage(examined: &DayExamined<'_>, limits: &QualityLimits) -> Verdict {
    if due_until(examined) == examined.day.start() {
        return Verdict::Unknown { reason: "nothing is due yet" };
    }
    let share = known_share(examined);
    if limits.coverage_min <= share {
        return Verdict::Passed;
    }
    let (known, least) = (100.0 * share, 100.0 * limits.coverage_min);
    Verdict::Failed {
        found: format!("{known:.1} % of the due intervals are known, not {least:.0} %"),
    }
}

pub(super) fn gaps(examined: &DayExamined<'_>) -> Verdict {
    let long = missing_ranges(examined)
        .into_iter()
        .filter(|(from, to)| GAP_MIN <= to.duration_since(*from))
        .map(|(from, to)| format!("{from} to {to}"));
    let found: Vec<String> = long.collect();
    match found.as_slice() {
        [] => Verdict::Passed,
        gaps => Verdict::Failed { found: format!("missing: {}", gaps.join(", ")) },
    }
}

pub(super) fn duplicates(examined: &DayExamined<'_>, rows: Range<usize>) -> Verdict {
    if is_forecast(examined.key.series) || says_everything_anew(examined) {
        return Verdict::Unknown { reason: "every posting repeats what others said" };
    }
    let columns = examined.columns;
    let repeats = |row: usize| {
        columns.interval_start[row] == columns.interval_start[row - 1]
            && columns.value[row].to_bits() == columns.value[row - 1].to_bits()
    };
    let count = (rows.start + 1..rows.end).filter(|row| repeats(*row)).count();
    match count {
        0 => Verdict::Passed,
        _ => Verdict::Suspect { found: format!("{count} values were published again unchanged") },
    }
}

/// Tells whether the report posts its last days again every hour, as wind and solar do.
fn says_everything_anew(examined: &DayExamined<'_>) -> bool {
    Report::publishing(examined.key).is_some_and(Report::has_vintages)
}

pub(super) fn range(examined: &DayExamined<'_>, rows: Range<usize>) -> Verdict {
    let (low, high) = examined.key.series.facts().plausible;
    let unit = examined.key.series.facts().unit;
    // What was corrected since is right now.
    let starts = &examined.columns.interval_start;
    let is_newest = |row: &usize| starts.get(row + 1) != Some(&starts[*row]);
    let outside = |row: &usize| {
        let value = examined.columns.value[*row];
        !(low <= value && value <= high)
    };
    let mut outside = rows.filter(is_newest).filter(outside);
    let Some(first) = outside.next() else { return Verdict::Passed };
    let (count, value) = (1 + outside.count(), examined.columns.value[first]);
    let at = examined.columns.instant(first);
    Verdict::Failed {
        found: format!("{count} values outside {low} to {high} {unit}, the first {value} at {at}"),
    }
}

pub(super) fn staleness(
    examined: &DayExamined<'_>,
    rows: Range<usize>,
    limits: &QualityLimits,
) -> Verdict {
    if is_forecast(examined.key.series) {
        return Verdict::Unknown { reason: "forecasts are published before their interval" };
    }
    let length = examined.key.series.interval().as_secs();
    // Of the first vintage of an interval: a correction is late by nature.
    let columns = examined.columns;
    let is_first =
        |row: &usize| *row == 0 || columns.interval_start[*row] != columns.interval_start[*row - 1];
    let delay = |row: usize| columns.published_at[row] - columns.interval_start[row] - length;
    let Some(longest) = rows.filter(is_first).map(delay).max() else {
        return Verdict::Unknown { reason: "no value is known" };
    };
    if longest <= limits.staleness_max.as_secs() {
        return Verdict::Passed;
    }
    let found = format!("a value came {} hours after its interval", longest / 3_600);
    Verdict::Suspect { found }
}

pub(super) fn outliers(
    examined: &DayExamined<'_>,
    rows: Range<usize>,
    limits: &QualityLimits,
) -> Verdict {
    let usual = usual_by_hour(examined, rows.start, limits);
    if usual.is_empty() {
        return Verdict::Unknown { reason: "too little history" };
    }
    let mut count = 0;
    let mut first = None;
    for row in rows {
        let (at, value) = (examined.columns.instant(row), examined.columns.value[row]);
        let Some(usual) = usual.get(&MarketHour::starting(at).hour_ending) else { continue };
        let floor = DEVIATION_MIN.max(DEVIATION_SHARE_MIN * usual.median.abs());
        let deviations = (value - usual.median).abs() / usual.deviation.max(floor);
        if limits.outlier_deviations < deviations {
            count += 1;
            first.get_or_insert((at, value, usual.median));
        }
    }
    let Some((at, value, median)) = first else { return Verdict::Passed };
    Verdict::Suspect {
        found: format!("{count} values, the first {value} at {at}, where {median:.2} is usual"),
    }
}

/// Returns what is usual by the hour ending, for hours with enough days of history.
fn usual_by_hour(
    examined: &DayExamined<'_>,
    history_end: usize,
    limits: &QualityLimits,
) -> BTreeMap<u8, Usual> {
    let mut by_hour: BTreeMap<u8, (Vec<f64>, usize)> = BTreeMap::new();
    let mut labelled: Option<(i64, u8)> = None;
    for row in 0..history_end {
        let start = examined.columns.interval_start[row];
        let hour = start.div_euclid(3_600);
        let ending = match labelled {
            Some((known, ending)) if known == hour => ending,
            Some(_) | None => MarketHour::starting(examined.columns.instant(row)).hour_ending,
        };
        let (values, hours) = by_hour.entry(ending).or_default();
        *hours += usize::from(labelled.is_none_or(|(known, _)| known != hour));
        values.push(examined.columns.value[row]);
        labelled = Some((hour, ending));
    }
    let enough = by_hour.into_iter().filter(|(_, (_, hours))| limits.history_days_min <= *hours);
    enough.filter_map(|(ending, (values, _))| Some((ending, usual(&values)?))).collect()
}

pub(super) fn drift(examined: &DayExamined<'_>) -> Verdict {
    let DayPostings { quarantined, complaints, drift } = examined.postings;
    let unused = match (quarantined, complaints) {
        (0, 0) if drift.is_empty() => return Verdict::Passed,
        (0, 0) => {
            let notes: Vec<&str> = drift.iter().map(String::as_str).collect();
            let found = format!("the report is not as it is known: {}", notes.join("; "));
            return Verdict::Suspect { found };
        }
        (0, lines) => format!("{lines} lines"),
        (postings, 0) => format!("{postings} postings"),
        (postings, lines) => format!("{postings} postings and {lines} lines"),
    };
    Verdict::Failed { found: format!("{unused} could not be used; the report may have changed") }
}
