//! Which rows of a report are wanted. Times are written as ERCOT's clocks show them. Pure.

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::reports::Report;
use crate::time::{MarketHour, OperatingDay, local};

/// Rows of a page when nobody says otherwise: some 10 MB of most reports.
pub const PAGE_ROWS: u32 = 100_000;

/// The largest page that was seen to work; larger ones are asked for as this.
pub const PAGE_ROWS_MAX: u32 = 1_000_000;

/// What a row must hold to be wanted. Fields are ERCOT's, e.g. `settlementPoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The field has this text.
    Is {
        /// Which field.
        field: &'static str,
        /// Its text.
        text: String,
    },
    /// The field is a local time in this range, both ends included. In the hour that comes twice
    /// the rows of both runs pass, because the filter cannot tell them apart.
    Between {
        /// Which field.
        field: &'static str,
        /// The first instant.
        from: Timestamp,
        /// The last instant.
        to: Timestamp,
    },
    /// The field is a day in this range, both ends included.
    OnDays {
        /// Which field.
        field: &'static str,
        /// The first day.
        from: OperatingDay,
        /// The last day.
        to: OperatingDay,
    },
}

/// A page of a report's rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowRequest {
    /// Which report.
    pub report: Report,
    /// All of these must hold.
    pub filters: Vec<Filter>,
    /// Which page, from 1.
    pub page: u32,
    /// How many rows a page has.
    pub size: u32,
}

impl RowRequest {
    /// Wants the first page of all rows.
    #[must_use]
    pub fn new(report: Report) -> Self {
        Self { report, filters: Vec::new(), page: 1, size: PAGE_ROWS }
    }

    /// Wants only rows that also pass this filter.
    #[must_use]
    pub fn with(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Writes the query.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        let mut query = Vec::new();
        let mut range = |field: &str, from: String, to: String| {
            query.push((format!("{field}From"), from));
            query.push((format!("{field}To"), to));
        };
        let mut texts = Vec::new();
        for filter in &self.filters {
            match filter {
                Filter::Is { field, text } => texts.push(((*field).to_owned(), text.clone())),
                Filter::Between { field, from, to } => {
                    range(field, not_after(*from), not_before(*to));
                }
                Filter::OnDays { field, from, to } => {
                    range(field, from.to_string(), to.to_string());
                }
            }
        }
        query.extend(texts);
        query.push(("page".to_owned(), self.page.max(1).to_string()));
        query.push(("size".to_owned(), self.size.clamp(1, PAGE_ROWS_MAX).to_string()));
        query
    }
}

/// Writes the first wall-clock time that includes the instant.
pub(super) fn not_after(instant: Timestamp) -> String {
    let wall = local(instant);
    if comes_twice(instant) {
        let hour = wall.with().minute(0).second(0).subsec_nanosecond(0).build();
        return written(hour.unwrap_or(wall));
    }
    written(wall)
}

/// Writes the last wall-clock time, in whole seconds, that includes the instant.
pub(super) fn not_before(instant: Timestamp) -> String {
    let wall = local(instant);
    if comes_twice(instant) {
        let hour = wall.with().minute(59).second(59).subsec_nanosecond(0).build();
        return written(hour.unwrap_or(wall));
    }
    if wall.subsec_nanosecond() == 0 {
        return written(wall);
    }
    let later = jiff::Timestamp::from_second(instant.as_second() + 1).unwrap_or(instant);
    if comes_twice(later) { not_before(later) } else { written(local(later)) }
}

/// Tells whether the instant's wall-clock time comes twice that day.
fn comes_twice(instant: Timestamp) -> bool {
    let hour = jiff::SignedDuration::from_hours(1);
    MarketHour::starting(instant).repeated || MarketHour::starting(instant + hour).repeated
}

fn written(wall: DateTime) -> String {
    wall.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn range(from: &str, to: &str) -> (String, String) {
        (not_after(from.parse().unwrap()), not_before(to.parse().unwrap()))
    }

    fn check(from: &str, to: &str, expected: (&str, &str)) {
        let (from, to) = range(from, to);
        assert_eq!((from.as_str(), to.as_str()), expected);
    }

    #[test]
    fn instants_are_written_as_the_clocks_in_texas_show_them() {
        let day = ("2024-08-19T00:00:00", "2024-08-19T23:59:59");
        check("2024-08-19T05:00:00Z", "2024-08-20T04:59:59Z", day);
        // Parts of a second widen the range.
        let range = ("2024-01-19T00:00:00", "2024-01-19T00:00:02");
        check("2024-01-19T06:00:00.9Z", "2024-01-19T06:00:01.1Z", range);
    }

    #[test]
    fn a_range_that_ends_in_the_repeated_hour_holds_all_of_it() {
        // 01:50 CDT to 01:10 CST: twenty minutes, though the clock goes back.
        let all = ("2024-11-03T01:00:00", "2024-11-03T01:59:59");
        check("2024-11-03T06:50:00Z", "2024-11-03T07:10:00Z", all);
        let until = ("2024-11-03T00:59:59", "2024-11-03T01:59:59");
        check("2024-11-03T05:59:59Z", "2024-11-03T06:00:00Z", until);
        check("2024-11-03T05:59:59Z", "2024-11-03T05:59:59.5Z", until);
        let after = ("2024-11-03T01:00:00", "2024-11-03T02:00:00");
        check("2024-11-03T07:59:59Z", "2024-11-03T08:00:00Z", after);
    }

    #[test]
    fn a_range_over_the_skipped_hour_is_in_order() {
        let range = ("2024-03-10T01:59:59", "2024-03-10T03:00:00");
        check("2024-03-10T07:59:59Z", "2024-03-10T08:00:00Z", range);
    }

    #[test]
    fn a_request_is_written_as_ercot_names_things() {
        let day = OperatingDay::new(date(2024, 1, 16));
        let request = RowRequest::new(Report::DayAheadSpp)
            .with(Filter::Is { field: "settlementPoint", text: "HB_HUBAVG".to_owned() })
            .with(Filter::OnDays { field: "deliveryDate", from: day, to: day.plus_days(1) });
        let query = |request: &RowRequest| {
            let pairs = request.query().into_iter().map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join("&")
        };
        assert_eq!(
            query(&request),
            "deliveryDateFrom=2024-01-16&deliveryDateTo=2024-01-17&settlementPoint=HB_HUBAVG&page=1&size=100000"
        );
        let wide = RowRequest { page: 0, size: u32::MAX, ..RowRequest::new(Report::Spp) };
        assert_eq!(query(&wide), "page=1&size=1000000");
    }
}
