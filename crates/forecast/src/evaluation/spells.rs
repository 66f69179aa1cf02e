//! Spells: exceedances come in runs of hours, and an alert an hour early or late is still of use.
//!
//! A *spell* is a run of successive hours above the threshold in one series (a settlement point at
//! a lead day). It is caught if an hour from one before it to one after it is alerted. A run of
//! alerts is false if no hour above the threshold lies so near.

use super::alerts::places;
use crate::arithmetic::number;

/// An hour of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesHour {
    /// Which series.
    pub series: u32,
    /// When the hour starts, in seconds since 1970 UTC.
    pub start: i64,
    /// Its probability.
    pub probability: f64,
    /// Whether the threshold was exceeded.
    pub exceeded: bool,
}

/// How spells were caught at an alert budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spells {
    /// Runs of hours above the threshold.
    pub spells: usize,
    /// Those with an alert at most an hour away.
    pub caught: usize,
    /// Runs of alerted hours.
    pub alert_runs: usize,
    /// Those without an exceedance at most an hour away.
    pub false_runs: usize,
}

const HOUR_SECONDS: i64 = 3_600;

/// Returns how spells were caught if the hours with the highest probabilities are alerted. Equal
/// probabilities enter together as long as they fit; then none of them does.
#[must_use]
pub fn spells(hours: &[SeriesHour], budget: f64) -> Spells {
    let cut = cut(hours, budget);
    let mut sorted = hours.to_vec();
    sorted.sort_by_key(|hour| (hour.series, hour.start));
    let exceeded = runs(&sorted, |hour| hour.exceeded);
    let alerted = runs(&sorted, |hour| cut <= hour.probability);
    let near = |run: &&Run, others: &[Run]| {
        let first = others.partition_point(|other| {
            (other.series, other.last + HOUR_SECONDS) < (run.series, run.first)
        });
        others.get(first).is_some_and(|other| {
            other.series == run.series && other.first <= run.last + HOUR_SECONDS
        })
    };
    Spells {
        spells: exceeded.len(),
        caught: exceeded.iter().filter(|run| near(run, &alerted)).count(),
        alert_runs: alerted.len(),
        false_runs: alerted.iter().filter(|run| !near(run, &exceeded)).count(),
    }
}

/// Returns the lowest alerted probability; infinite where nothing fits into the budget.
fn cut(hours: &[SeriesHour], budget: f64) -> f64 {
    let mut probabilities: Vec<f64> = hours.iter().map(|hour| hour.probability).collect();
    probabilities.sort_by(|a, b| b.total_cmp(a));
    let (mut taken, mut cut) = (0, f64::INFINITY);
    for tie in probabilities.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
        taken += tie.len();
        if places(hours.len(), budget) < number(taken) {
            break;
        }
        cut = tie[0];
    }
    cut
}

/// A run of successive hours.
struct Run {
    series: u32,
    first: i64,
    last: i64,
}

fn runs(sorted: &[SeriesHour], belongs: impl Fn(&SeriesHour) -> bool) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for hour in sorted.iter().filter(|hour| belongs(hour)) {
        match runs.last_mut() {
            Some(run) if run.series == hour.series && hour.start <= run.last + HOUR_SECONDS => {
                run.last = hour.start;
            }
            Some(_) | None => {
                runs.push(Run { series: hour.series, first: hour.start, last: hour.start });
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten hours of a series; a capital is alerted, `x` exceeded.
    fn series(series: u32, picture: &str) -> Vec<SeriesHour> {
        let hour = |(hour, mark): (i64, char)| SeriesHour {
            series,
            start: hour * HOUR_SECONDS,
            probability: if mark.is_uppercase() { 0.9 } else { 0.1 },
            exceeded: mark.eq_ignore_ascii_case(&'x'),
        };
        (0..).zip(picture.chars()).map(hour).collect()
    }

    fn check(pictures: &[&str], expected: Spells) {
        let hours: Vec<SeriesHour> =
            (0..).zip(pictures).flat_map(|(number_, picture)| series(number_, picture)).collect();
        let alerts = pictures.concat().chars().filter(|mark| mark.is_uppercase()).count();
        assert_eq!(spells(&hours, number(alerts) / number(hours.len())), expected, "{pictures:?}");
    }

    #[test]
    fn an_alert_an_hour_away_catches_and_two_hours_away_does_not() {
        let expected = Spells { spells: 2, caught: 1, alert_runs: 2, false_runs: 1 };
        check(&["..Oxx.....O..x.."], expected);
    }

    #[test]
    fn a_run_counts_once_and_series_do_not_mix() {
        let expected = Spells { spells: 2, caught: 1, alert_runs: 1, false_runs: 0 };
        check(&["...XXX", "xx...."], expected);
    }

    #[test]
    fn a_constant_forecast_alerts_nothing() {
        let hours = series(0, "..xx....");
        assert_eq!(spells(&hours, 0.05).alert_runs, 0);
    }
}
