//! Hourly maximum, mean and coverage of the 5-minute prices, keeping what was known when.
//!
//! An hour gets its first vintage a minute after its end, and a further one whenever a price of it
//! is corrected or arrives late. A vintage never holds a price that was published after it, and
//! whether there is one never depends on what is published later.

use jiff::SignedDuration;

use super::history::{Column, Row};

/// How long a price is taken to be in effect, unless the next SCED run comes earlier.
pub const COVERAGE_OF_A_PRICE: SignedDuration = SignedDuration::from_mins(5);

/// The first vintage of an hour waits this long after its end: the last price of an hour is
/// published about when it ends.
const SETTLING: i64 = 60;
const HOUR: i64 = 3_600;

/// The three derived columns of one settlement point.
pub(super) struct HourlyColumns {
    pub(super) max: Column,
    pub(super) mean: Column,
    pub(super) coverage: Column,
}

pub(super) fn derive_hourly(prices: &Column) -> HourlyColumns {
    let mut hourly = HourlyColumns {
        max: Column::default(),
        mean: Column::default(),
        coverage: Column::default(),
    };
    let mut first = 0;
    while first < prices.interval_starts.len() {
        let hour = prices.interval_starts[first].div_euclid(HOUR) * HOUR;
        let end =
            first + prices.interval_starts[first..].partition_point(|&start| start < hour + HOUR);
        add_hour(&mut hourly, prices, first..end, hour);
        first = end;
    }
    hourly
}

fn add_hour(hourly: &mut HourlyColumns, prices: &Column, rows: std::ops::Range<usize>, hour: i64) {
    let settled = hour + HOUR + SETTLING;
    let published = &prices.published_at[rows.clone()];
    let mut vintages: Vec<i64> = published.iter().copied().filter(|&p| settled < p).collect();
    vintages.push(settled);
    vintages.sort_unstable();
    vintages.dedup();
    for published_at in vintages {
        let Some(statistics) = statistics(prices, rows.clone(), hour, published_at) else {
            continue;
        };
        let row = |value: f64| Row { interval_start: hour, published_at, value };
        hourly.max.push(row(statistics.max));
        hourly.mean.push(row(statistics.mean));
        hourly.coverage.push(row(statistics.covered_minutes));
    }
}

struct Statistics {
    max: f64,
    mean: f64,
    covered_minutes: f64,
}

/// Summarises the hour as it was known at `published_at`; `None` when nothing was.
fn statistics(
    prices: &Column,
    rows: std::ops::Range<usize>,
    hour: i64,
    published_at: i64,
) -> Option<Statistics> {
    let mut newest: Vec<(i64, f64)> = Vec::with_capacity(rows.len());
    for row in rows {
        if published_at < prices.published_at[row] {
            continue;
        }
        let start = prices.interval_starts[row];
        match newest.last_mut() {
            Some(last) if last.0 == start => last.1 = prices.values[row],
            _ => newest.push((start, prices.values[row])),
        }
    }
    let max = newest.iter().map(|&(_, price)| price).reduce(f64::max)?;
    let sum: f64 = newest.iter().map(|&(_, price)| price).sum();
    let mut covered = 0;
    for (index, &(start, _)) in newest.iter().enumerate() {
        let next = newest.get(index + 1).map_or(hour + HOUR, |&(next, _)| next);
        covered += (next - start).min(COVERAGE_OF_A_PRICE.as_secs());
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 3,600 seconds and a few dozen runs")]
    Some(Statistics {
        max,
        mean: sum / newest.len() as f64,
        covered_minutes: covered as f64 / 60.0,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{HistoryBuilder, Observation, Series, SeriesKey};
    use crate::place::SettlementPoint;
    use jiff::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Returns (published_at, max, covered minutes) of the first hour as seen at `instant`.
    fn hour(rows: &[(i64, i64, f64)], instant: i64) -> Option<(i64, f64, f64)> {
        let point = SettlementPoint::new("HB_HUBAVG").unwrap();
        let mut builder = HistoryBuilder::default();
        let observations = rows.iter().map(|&(start, published, value)| Observation {
            interval_start: at(start),
            published_at: at(published),
            value,
        });
        builder.add(&SeriesKey::at(Series::RealTimeLmp, &point), observations);
        let history = builder.build();
        let view = history.known_at(at(instant));
        let max = view.series(&SeriesKey::at(Series::HourlyMaxLmp, &point)).known(at(0))?;
        let coverage =
            view.series(&SeriesKey::at(Series::HourlyCoverage, &point)).value_at(at(0))?;
        Some((max.published_at.as_second(), max.value, coverage))
    }

    #[test]
    fn an_hour_is_known_a_minute_after_its_end() {
        let rows: Vec<_> = (0..12).map(|i| (i * 300, i * 300 + 300, i as f64)).collect();
        assert_eq!(hour(&rows, 3_659), None);
        assert_eq!(hour(&rows, 3_660), Some((3_660, 11.0, 60.0)));
    }

    #[test]
    fn an_hour_in_progress_is_not_known_whether_or_not_the_rest_is_there() {
        let rows: Vec<_> = (0..12).map(|i| (i * 300, i * 300 + 300, i as f64)).collect();
        assert_eq!(hour(&rows[..6], 1_800), None);
        assert_eq!(hour(&rows, 1_800), None);
    }

    #[test]
    fn a_price_that_arrives_late_is_a_later_vintage() {
        let mut rows: Vec<_> = (0..12).map(|i| (i * 300, i * 300 + 300, 20.0)).collect();
        rows[3] = (900, 5_000, 99.0);
        assert_eq!(hour(&rows, 4_999), Some((3_660, 20.0, 55.0)));
        assert_eq!(hour(&rows, 5_000), Some((5_000, 99.0, 60.0)));
    }

    #[test]
    fn a_correction_is_a_later_vintage() {
        let mut rows: Vec<_> = (0..12).map(|i| (i * 300, i * 300 + 60, 20.0)).collect();
        rows.push((0, 900_000, 5_000.0));
        assert_eq!(hour(&rows, 899_999), Some((3_660, 20.0, 60.0)));
        assert_eq!(hour(&rows, 900_000), Some((900_000, 5_000.0, 60.0)));
    }

    #[test]
    fn irregular_runs_count_each_and_a_hole_is_not_covered() {
        let rows = [(15, 20, 30.0), (310, 320, 35.0), (420, 430, 90.0), (1_800, 1_810, 40.0)];
        let covered = (295.0 + 110.0 + 300.0 + 300.0) / 60.0;
        assert_eq!(hour(&rows, 10_000), Some((3_660, 90.0, covered)));
    }
}
