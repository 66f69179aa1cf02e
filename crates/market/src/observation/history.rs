//! Every vintage of every series, in memory. It cannot be read: [`History::known_at`] can.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::hourly::derive_hourly;
use super::known_at::KnownAt;
use super::series::{Series, SeriesKey};

/// One published value. The unit is the series' own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// When the interval that the value is about starts.
    pub interval_start: Timestamp,
    /// When the value could be read.
    pub published_at: Timestamp,
    /// The value; finite.
    pub value: f64,
}

/// One series' vintages, ordered by interval and then by publication.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) interval_starts: Vec<i64>,
    pub(super) published_at: Vec<i64>,
    pub(super) values: Vec<f64>,
}

impl Column {
    fn from_rows(mut rows: Vec<Row>) -> Self {
        // Stable, so of equal vintages the one that was added last stays last, and wins below.
        rows.sort_by_key(|row| (row.interval_start, row.published_at));
        let mut column = Self::default();
        for row in rows {
            let same = column.interval_starts.last() == Some(&row.interval_start)
                && column.published_at.last() == Some(&row.published_at);
            if same {
                column.pop();
            }
            column.push(row);
        }
        column
    }

    fn pop(&mut self) {
        self.interval_starts.pop();
        self.published_at.pop();
        self.values.pop();
    }

    pub(super) fn push(&mut self, row: Row) {
        self.interval_starts.push(row.interval_start);
        self.published_at.push(row.published_at);
        self.values.push(row.value);
    }
}

/// One vintage; instants are seconds since 1970 UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) interval_start: i64,
    pub(super) published_at: i64,
    pub(super) value: f64,
}

/// Collects observations in any order.
#[derive(Clone, Debug, Default)]
pub struct HistoryBuilder {
    rows: BTreeMap<SeriesKey, Vec<Row>>,
}

impl HistoryBuilder {
    /// Adds observations of one series. Of two with the same interval and publication the one
    /// added later replaces the earlier; values that are not finite are no observations.
    pub fn add(&mut self, key: &SeriesKey, observations: impl IntoIterator<Item = Observation>) {
        let rows = self.rows.entry(key.clone()).or_default();
        rows.extend(observations.into_iter().filter(|o| o.value.is_finite()).map(|o| Row {
            interval_start: o.interval_start.as_second(),
            published_at: o.published_at.as_second(),
            value: o.value,
        }));
    }

    /// Orders everything and derives the hourly price statistics.
    #[must_use]
    pub fn build(self) -> History {
        let mut columns: BTreeMap<SeriesKey, Column> =
            self.rows.into_iter().map(|(key, rows)| (key, Column::from_rows(rows))).collect();
        let prices: Vec<SeriesKey> =
            columns.keys().filter(|key| key.series == Series::RealTimeLmp).cloned().collect();
        for key in prices {
            let hourly = derive_hourly(&columns[&key]);
            for (series, column) in [
                (Series::HourlyMaxLmp, hourly.max),
                (Series::HourlyMeanLmp, hourly.mean),
                (Series::HourlyCoverage, hourly.coverage),
            ] {
                columns.insert(SeriesKey { series, place: key.place.clone() }, column);
            }
        }
        History { columns }
    }
}

/// Every vintage of every series.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(super) columns: BTreeMap<SeriesKey, Column>,
}

impl History {
    /// Returns the view of what could be read at an instant: everything published later is hidden.
    #[must_use]
    pub fn known_at(&self, instant: Timestamp) -> KnownAt<'_> {
        KnownAt::new(self, instant)
    }
}
