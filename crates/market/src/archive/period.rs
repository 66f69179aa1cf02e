//! Which part an observation belongs to: a year of its series, or a month where that is much.
//!
//! Periods are of UTC, so that an interval's period never depends on a time zone's rules.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::observation::Series;
use crate::source::publication::PublicationRule;

/// Seconds since 1970 UTC.
pub(super) type Seconds = i64;

/// Returns the name of the period of an interval's start, e.g. `2024-08` or `2024`: a month for
/// series of less than an hour, and for forecasts, of which an hour has hundreds of vintages.
pub(super) fn period(series: Series, interval: Seconds) -> String {
    let start = Timestamp::from_second(interval).unwrap_or(Timestamp::MAX);
    let date = TimeZone::UTC.to_datetime(start).date();
    let is_dense =
        series.interval() < SignedDuration::from_hours(1) || PublicationRule::of(series).is_none();
    if is_dense { date.strftime("%Y-%m").to_string() } else { date.strftime("%Y").to_string() }
}

/// Returns the month of an instant, by which postings are indexed.
pub(super) fn month(instant: Timestamp) -> String {
    TimeZone::UTC.to_datetime(instant).date().strftime("%Y-%m").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_series_are_kept_by_month_and_others_by_year_of_utc() {
        let period = |series, at: &str| {
            let at: Timestamp = at.parse().unwrap();
            super::period(series, at.as_second())
        };
        assert_eq!(period(Series::RealTimeLmp, "2024-12-31T23:59:59Z"), "2024-12");
        assert_eq!(period(Series::LoadForecast, "2025-01-01T00:00:00Z"), "2025-01");
        assert_eq!(period(Series::DayAheadSpp, "2024-12-31T23:00:00Z"), "2024");
        assert_eq!(month("2024-11-03T06:00:00Z".parse().unwrap()), "2024-11");
    }
}
