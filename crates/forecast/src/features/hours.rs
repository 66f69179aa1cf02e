//! Consecutive hours of a series as it was known. Features walk hundreds of thousands of them: an
//! array by the number of the hour is as quick as that gets.

use jiff::Timestamp;
use market::observation::KnownSeries;

use super::hour_table::{hour_number, hour_start};

/// Values of consecutive hours, by [`hour_number`]; NaN where nothing was known.
pub(super) struct Hours {
    first: i64,
    values: Vec<f64>,
}

impl Hours {
    /// Reads the hours that start in `[from, to)`.
    pub(super) fn between(series: &KnownSeries<'_>, from: Timestamp, to: Timestamp) -> Self {
        Self::numbered(series, first_hour(from), first_hour(to))
    }

    /// Reads the hours with the numbers `[first, end)`.
    pub(super) fn numbered(series: &KnownSeries<'_>, first: i64, end: i64) -> Self {
        let count = usize::try_from(end - first).unwrap_or(0);
        Self { first, values: series.hourly(hour_start(first), count) }
    }

    /// Returns the value of an hour; NaN where it is unknown or outside.
    pub(super) fn at(&self, hour: i64) -> f64 {
        let index = usize::try_from(hour - self.first).ok();
        index.and_then(|index| self.values.get(index)).copied().unwrap_or(f64::NAN)
    }

    /// Walks the hours that are known, oldest first.
    pub(super) fn known(&self) -> impl Iterator<Item = (i64, f64)> {
        let hours = (self.first..).zip(self.values.iter().copied());
        hours.filter(|(_, value)| !value.is_nan())
    }
}

/// Returns the number of the first hour that starts at an instant or after it.
pub(super) fn first_hour(instant: Timestamp) -> i64 {
    let number = hour_number(instant);
    if hour_start(number) < instant { number + 1 } else { number }
}

#[cfg(test)]
mod tests {
    use market::observation::{HistoryBuilder, Observation, Series, SeriesKey};

    use super::*;

    #[test]
    fn hours_go_by_their_number_and_end_before_the_last() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let key = SeriesKey::system(Series::LoadActual);
        let observation = |hour: i64| Observation {
            interval_start: at(3_600 * hour),
            published_at: at(0),
            value: f64::from(i32::try_from(hour).unwrap()),
        };
        let mut builder = HistoryBuilder::default();
        builder.add(&key, [1, 2, 4, 5].map(observation));
        let history = builder.build();
        let series = history.known_at(at(0)).series(&key);
        // From a minute past hour 1 until a minute past hour 4: hours 2, 3 and 4.
        let hours = Hours::between(&series, at(3_660), at(4 * 3_600 + 60));
        assert_eq!(hours.known().collect::<Vec<_>>(), [(2, 2.0), (4, 4.0)]);
        assert!([1, 3, 5, -7].map(|hour| hours.at(hour)).iter().all(|value| value.is_nan()));
    }
}
