//! The only reader of a history: what could be known at an instant.
//!
//! A view can be narrowed to an earlier instant and never widened, so a function that is handed
//! a view cannot see the future, whatever it does.

use jiff::{SignedDuration, Timestamp};

use super::history::{Column, History};
use super::series::SeriesKey;

const HOUR_SECONDS: i64 = 3_600;

/// What could be read at an instant.
#[derive(Clone, Copy, Debug)]
pub struct KnownAt<'a> {
    history: &'a History,
    instant: Timestamp,
}

/// A value as it was known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// When the interval starts.
    pub interval_start: Timestamp,
    /// When this value, the newest visible one, was published.
    pub published_at: Timestamp,
    /// The value, in the series' unit.
    pub value: f64,
}

impl<'a> KnownAt<'a> {
    pub(super) fn new(history: &'a History, instant: Timestamp) -> Self {
        Self { history, instant }
    }

    /// Returns the instant of the view.
    #[must_use]
    pub fn instant(&self) -> Timestamp {
        self.instant
    }

    /// Returns the view of an earlier instant; a later one changes nothing.
    #[must_use]
    pub fn narrowed_to(&self, earlier: Timestamp) -> KnownAt<'a> {
        KnownAt { history: self.history, instant: self.instant.min(earlier) }
    }

    /// Returns one series as it was known; an unknown series is empty.
    #[must_use]
    pub fn series(&self, key: &SeriesKey) -> KnownSeries<'a> {
        KnownSeries { column: self.history.columns.get(key), instant: self.instant.as_second() }
    }

    /// Returns the keys of the history, also of series of which nothing is visible yet.
    pub fn keys(&self) -> impl Iterator<Item = &'a SeriesKey> {
        self.history.columns.keys()
    }
}

/// One series as it was known: for every interval the newest visible vintage.
#[derive(Clone, Copy, Debug)]
pub struct KnownSeries<'a> {
    column: Option<&'a Column>,
    instant: i64,
}

impl<'a> KnownSeries<'a> {
    /// Returns the newest visible value about the interval that starts at `interval_start`.
    #[must_use]
    pub fn value_at(&self, interval_start: Timestamp) -> Option<f64> {
        self.known(interval_start).map(|known| known.value)
    }

    /// Returns the newest visible vintage of the interval that starts at `interval_start`.
    #[must_use]
    pub fn known(&self, interval_start: Timestamp) -> Option<Known> {
        let column = self.column?;
        let start = interval_start.as_second();
        let first = column.interval_starts.partition_point(|&s| s < start);
        let mut newest = None;
        let mut index = first;
        while column.interval_starts.get(index) == Some(&start)
            && column.published_at[index] <= self.instant
        {
            newest = Some(known_row(column, index));
            index += 1;
        }
        newest
    }

    /// Walks the intervals that start in `[from, to)`, oldest first, each with its newest visible
    /// vintage.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Known> + use<'a> {
        let (from, to, instant) = (from.as_second(), to.as_second(), self.instant);
        let column = self.column;
        let mut index = column.map_or(0, |c| c.interval_starts.partition_point(|&s| s < from));
        std::iter::from_fn(move || {
            let column = column?;
            loop {
                let start = *column.interval_starts.get(index)?;
                if to <= start {
                    return None;
                }
                let mut newest = None;
                while column.interval_starts.get(index) == Some(&start) {
                    if column.published_at[index] <= instant {
                        newest = Some(index);
                    }
                    index += 1;
                }
                if let Some(row) = newest {
                    return Some(known_row(column, row));
                }
            }
        })
    }

    /// Returns the newest visible values of consecutive hours, the first of which starts at `from`;
    /// NaN where nothing is visible. The quick way to much of an hourly series.
    #[must_use]
    pub fn hourly(&self, from: Timestamp, hours: usize) -> Vec<f64> {
        let mut values = vec![f64::NAN; hours];
        let Some(column) = self.column else { return values };
        let from = from.as_second();
        let first = column.interval_starts.partition_point(|&start| start < from);
        let rows = column.interval_starts.iter().zip(&column.published_at).zip(&column.values);
        for ((start, published_at), value) in rows.skip(first) {
            let hour = usize::try_from((start - from) / HOUR_SECONDS).unwrap_or(usize::MAX);
            let Some(newest) = values.get_mut(hour) else { break };
            // Vintages of an hour are in the order of publication: the last visible one stays.
            if *published_at <= self.instant {
                *newest = *value;
            }
        }
        values
    }

    /// Returns the visible value about the latest interval, looking back from the view's instant
    /// plus `ahead` over at most `reach`.
    #[must_use]
    pub fn latest(&self, ahead: SignedDuration, reach: SignedDuration) -> Option<Known> {
        let to = Timestamp::from_second(self.instant).ok()? + ahead;
        self.between(to - reach, to).last()
    }

    /// Returns when the first interval starts of which anything is visible.
    #[must_use]
    pub fn first_interval(&self) -> Option<Timestamp> {
        self.between(Timestamp::MIN, Timestamp::MAX).next().map(|known| known.interval_start)
    }
}

fn known_row(column: &Column, index: usize) -> Known {
    let at = |seconds: i64| Timestamp::from_second(seconds).expect("it came from a Timestamp");
    Known {
        interval_start: at(column.interval_starts[index]),
        published_at: at(column.published_at[index]),
        value: column.values[index],
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HistoryBuilder, Observation, Series};
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn load(rows: &[(i64, i64, f64)]) -> History {
        let mut builder = HistoryBuilder::default();
        let observations = rows.iter().map(|&(start, published, value)| Observation {
            interval_start: at(start),
            published_at: at(published),
            value,
        });
        builder.add(&SeriesKey::system(Series::LoadForecast), observations);
        builder.build()
    }

    #[test]
    fn the_newest_vintage_before_the_instant_is_seen() {
        let history = load(&[(3600, 30, 3.0), (3600, 10, 1.0), (3600, 20, 2.0)]);
        let seen = |instant: i64| {
            let view = history.known_at(at(instant));
            view.series(&SeriesKey::system(Series::LoadForecast)).value_at(at(3600))
        };
        assert_eq!(
            [seen(9), seen(10), seen(25), seen(30)],
            [None, Some(1.0), Some(2.0), Some(3.0)]
        );
    }

    #[test]
    fn a_view_is_narrowed_and_never_widened() {
        let history = load(&[(0, 10, 1.0)]);
        let view = history.known_at(at(5));
        assert_eq!(view.narrowed_to(at(100)).instant(), at(5));
        assert_eq!(view.narrowed_to(at(3)).instant(), at(3));
    }

    proptest! {
        #[test]
        fn what_is_published_later_changes_nothing(
            rows in prop::collection::vec((0i64..20, 0i64..40, -50.0f64..50.0), 0..60),
            instant in 0i64..40,
            noise in -1000.0f64..1000.0,
        ) {
            let rows: Vec<_> = rows.into_iter().map(|(s, p, v)| (s * 3600, p, v)).collect();
            let mut changed: Vec<_> = rows.clone();
            for row in changed.iter_mut().filter(|row| instant < row.1) {
                row.2 += noise;
            }
            let (before, after) = (load(&rows), load(&changed));
            let key = SeriesKey::system(Series::LoadForecast);
            let (a, b) = (before.known_at(at(instant)), after.known_at(at(instant)));
            let all = |view: KnownAt<'_>| -> Vec<Known> {
                view.series(&key).between(Timestamp::MIN, Timestamp::MAX).collect()
            };
            prop_assert_eq!(all(a), all(b));
            for hour in 0..20 {
                let start = at(hour * 3600);
                prop_assert_eq!(a.series(&key).known(start), b.series(&key).known(start));
            }
            let hourly = a.series(&key).hourly(at(3600), 21);
            for (hour, value) in (1i64..).zip(hourly) {
                let known = a.series(&key).value_at(at(hour * 3600)).unwrap_or(f64::NAN);
                prop_assert_eq!(value.to_bits(), known.to_bits(), "hour {}", hour);
            }
        }
    }
}
