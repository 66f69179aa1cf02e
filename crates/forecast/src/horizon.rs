//! Which hours a forecast speaks about: the three operating days after the issue day.

use jiff::Timestamp;
use market::time::{MarketHour, OperatingDay};

/// How many operating days a forecast covers.
pub const LEAD_DAYS: u8 = 3;

/// An hour that is forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetHour {
    /// The hour and its labels.
    pub hour: MarketHour,
    /// How many operating days after the issue day it lies, 1 to 3.
    pub lead_day: u8,
}

/// Returns the target hours of a forecast in order: 72, or 71 or 73 where the clock changes.
#[must_use]
pub fn horizon(issue_time: Timestamp) -> Vec<TargetHour> {
    let issue_day = OperatingDay::of(issue_time);
    (1..=LEAD_DAYS)
        .flat_map(|lead_day| {
            let hours = issue_day.plus_days(i32::from(lead_day)).hours();
            hours.into_iter().map(move |hour| TargetHour { hour, lead_day })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::time::parse_local;

    #[test]
    fn three_operating_days_hold_72_hours_or_71_or_73() {
        let check = |issue: &str, hours: usize, first: &str| {
            let targets = horizon(parse_local(issue).unwrap());
            assert_eq!(targets.len(), hours, "{issue}");
            assert_eq!(targets[0].hour.start, parse_local(first).unwrap(), "{issue}");
        };
        check("2024-08-19T09:57", 72, "2024-08-20T00:00");
        check("2024-03-09T09:57", 71, "2024-03-10T00:00");
        check("2024-03-08T09:57", 71, "2024-03-09T00:00");
        check("2024-11-02T09:57", 73, "2024-11-03T00:00");
        check("2024-08-19T23:59", 72, "2024-08-20T00:00");
    }
}
