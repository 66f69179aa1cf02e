//! Which spans are looked at, and by which route. Pure.

use std::collections::BTreeSet;

use jiff::civil::time;
use jiff::{SignedDuration, Timestamp};
use market::observation::SeriesKey;
use market::place::Place;
use market::reports::Report;
use market::source::routing::{Route, RoutedSpan};
use market::time::{OperatingDay, local};

use super::shapes::{FetchInput, ReportName, Vintages, WantedSpan, Window, is_mis};
use crate::jobs::failure::JobError;
use crate::jobs::source::SourceChoice;

/// A page of rows holds this span of 5-minute prices several times over.
const ROWS_SPAN: SignedDuration = SignedDuration::from_hours(24 * 92);
/// A page of an archive's list holds a month of hourly postings.
const LIST_SPAN: SignedDuration = SignedDuration::from_hours(24 * 31);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// A forecast is for so many operating days after the issue day.
const LEAD_DAYS: i32 = 3;
/// A month of one series is committed at once.
const SERIES_SPAN: SignedDuration = SignedDuration::from_hours(24 * 31);

/// Returns the spans to look at.
pub(super) fn windows(input: &FetchInput) -> Result<Vec<Window>, JobError> {
    match input.source {
        SourceChoice::Ercot => {}
        SourceChoice::OpenMeteo => return Ok(weather_windows(input)),
        SourceChoice::Simulator { .. } | SourceChoice::Files { .. } => {
            return series_windows(input);
        }
    }
    let mut usual = Vec::new();
    for wanted in &input.wanted {
        usual.extend(spans(&wanted.key.key()?, (wanted.from, wanted.to), input.now));
    }
    Ok(ordered(usual))
}

/// Returns where else to look for what the usual routes did not give.
pub(super) fn other_windows(
    missing: &[WantedSpan],
    now: Timestamp,
) -> Result<Vec<Window>, JobError> {
    let mut other = Vec::new();
    for wanted in missing {
        for (wish, span) in spans(&wanted.key.key()?, (wanted.from, wanted.to), now) {
            if let Some(route) = wish.report.other_route(span.route) {
                other.push((wish, RoutedSpan { route, ..span }));
            }
        }
    }
    Ok(ordered(other))
}

/// Tells whether a vintage that was posted then is wanted.
pub(super) fn is_wanted(report: Report, posted_at: Timestamp, vintages: Vintages) -> bool {
    let clock = local(posted_at).time();
    let is_of_the_morning = (time(5, 0, 0, 0)..time(10, 0, 0, 0)).contains(&clock);
    vintages == Vintages::Every || !report.has_vintages() || is_of_the_morning
}

/// Returns the vintages that were safe to use in the morning of each lead day's issue day; and of
/// what is still to come the newest forecast.
fn weather_windows(input: &FetchInput) -> Vec<Window> {
    let from = input.wanted.iter().map(|wanted| wanted.from).min();
    let to = input.wanted.iter().map(|wanted| wanted.to).max();
    let (Some(from), Some(to)) = (from, to) else { return Vec::new() };
    let mut windows = Vec::new();
    let issue_day = OperatingDay::of(from);
    let safe = (1..=LEAD_DAYS).filter_map(|lead| {
        market::source::open_meteo::previous_day_for(issue_day, issue_day.plus_days(lead))
    });
    for previous_day in safe.map(Some) {
        let spans = pieces(from, to.min(input.now), LIST_SPAN);
        windows.extend(spans.map(|(from, to)| Window::Weather { previous_day, from, to }));
    }
    if input.now < to {
        windows.push(Window::Weather { previous_day: None, from: from.max(input.now), to });
    }
    windows
}

fn series_windows(input: &FetchInput) -> Result<Vec<Window>, JobError> {
    let mut windows = Vec::new();
    for wanted in &input.wanted {
        let key = wanted.key.key()?;
        let (lead, lag) = Report::publishing(&key).map_or((HOUR, HOUR), |report| {
            let wish = Wish::of(report, &key);
            (wish.lead, wish.lag + HOUR)
        });
        for (from, to) in pieces(wanted.from - lead, wanted.to + lag, SERIES_SPAN) {
            windows.push(Window::Series { key: wanted.key.clone(), from, to });
        }
    }
    Ok(windows)
}

/// A report, and the settlement point that is wanted of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    report: Report,
    point: Option<String>,
    /// How long before its intervals a value is published at the most …
    lead: SignedDuration,
    /// … and how long after them.
    lag: SignedDuration,
}

/// Returns by which routes the intervals of a series come, with the corrections to them.
fn spans(
    key: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> Vec<(Wish, RoutedSpan)> {
    let mut spans = Vec::new();
    for (report, (from, to)) in published(key, (from, to)) {
        let wish = Wish::of(report, key);
        let routed = report.routes(from, to, now);
        spans.extend(routed.into_iter().map(|span| (wish.clone(), span)));
    }
    spans
}

/// Returns which reports say something about the intervals of a series, and when.
pub(super) fn published(
    key: &SeriesKey,
    (from, to): (Timestamp, Timestamp),
) -> Vec<(Report, (Timestamp, Timestamp))> {
    let Some(report) = Report::publishing(key) else { return Vec::new() };
    let reports = [Some(report), report.corrections()].into_iter().flatten();
    let published = reports.map(|report| {
        let wish = Wish::of(report, key);
        (report, (from - wish.lead, to + wish.lag))
    });
    published.collect()
}

impl Wish {
    fn of(report: Report, key: &SeriesKey) -> Self {
        let point = match &key.place {
            Place::SettlementPoint(point) => Some(point.name().to_owned()),
            _ => None,
        };
        let hours = SignedDuration::from_hours;
        let (lead, lag) = match report {
            Report::DayAheadSpp | Report::DayAheadMcpc => (hours(36), SignedDuration::ZERO),
            Report::ActualLoad => (SignedDuration::ZERO, hours(36)),
            Report::RealTimeCorrections | Report::DayAheadCorrections => {
                (SignedDuration::ZERO, hours(24 * 30))
            }
            _ if report.has_vintages() => (SignedDuration::ZERO, SignedDuration::ZERO),
            _ => (SignedDuration::ZERO, hours(2)),
        };
        Self { report, point, lead, lag }
    }

    /// Returns the windows of a span of publications.
    fn windows(&self, span: RoutedSpan) -> Vec<Window> {
        let report = ReportName(self.report);
        match span.route {
            Route::Rows => pieces(span.from - self.lag, span.to + self.lead, ROWS_SPAN)
                .map(|(from, to)| Window::Rows { report, point: self.point.clone(), from, to })
                .collect(),
            Route::Mis => {
                let (from, to) = (span.from, span.to);
                vec![Window::Postings { report, from_mis: true, from, to }]
            }
            Route::Archive => pieces(span.from, span.to, LIST_SPAN)
                .map(|(from, to)| Window::Postings {
                    report,
                    from_mis: is_mis(span.route),
                    from,
                    to,
                })
                .collect(),
        }
    }
}

/// Returns every window once; postings hold all settlement points.
fn ordered(spans: impl IntoIterator<Item = (Wish, RoutedSpan)>) -> Vec<Window> {
    let mut seen = BTreeSet::new();
    let mut windows = Vec::new();
    for (wish, span) in spans {
        for window in wish.windows(span) {
            let text = serde_json::to_string(&window).unwrap_or_default();
            if seen.insert(text) {
                windows.push(window);
            }
        }
    }
    windows
}

/// Cuts a span into pieces of at most `length`.
fn pieces(
    from: Timestamp,
    to: Timestamp,
    length: SignedDuration,
) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let mut next = from;
    std::iter::from_fn(move || {
        let start = next;
        next = start.checked_add(length).unwrap_or(to).min(to);
        (start < to).then_some((start, next))
    })
}
