//! Hours by circumstance: a forecast that is good on the whole may be bad where it matters.
//!
//! Circumstances are known before the hour comes, so that nothing is selected by its outcome
//! (which would make the best forecast look bad; Lerch et al., 2017).

use super::hour::{DayKind, ScoredHour};

/// A way to divide hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Division {
    /// Three hours of the day together.
    HourOfDay,
    /// The month of the year.
    Month,
    /// Working days and weekends.
    DayKind,
    /// The market's design at the time.
    MarketRules,
    /// Whether the climatology is above the base rate of all hours.
    UsualRate,
}

/// A part of a division: its place in the order, and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Where it comes among the parts.
    pub order: u16,
    /// What people call it.
    pub name: &'static str,
}

/// ERCOT's contingency reserve service (ECRS) began on 10 June 2023, which raised prices.
const ECRS: i64 = 1_686_373_200;
/// Real-time co-optimization with batteries (RTC+B) began on 5 December 2025.
const RTC_B: i64 = 1_764_914_400;

const HOURS: [&str; 8] = [
    "00:00–03:00",
    "03:00–06:00",
    "06:00–09:00",
    "09:00–12:00",
    "12:00–15:00",
    "15:00–18:00",
    "18:00–21:00",
    "21:00–24:00",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Division {
    /// All of them.
    pub const ALL: [Division; 5] = [
        Division::HourOfDay,
        Division::Month,
        Division::DayKind,
        Division::MarketRules,
        Division::UsualRate,
    ];

    /// Returns the name used in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Division::HourOfDay => "hour_of_day",
            Division::Month => "month",
            Division::DayKind => "day_kind",
            Division::MarketRules => "market_rules",
            Division::UsualRate => "usual_rate",
        }
    }

    /// Returns the part to which an hour belongs. `usual` is its climatology, `base_rate` that of
    /// all hours.
    #[must_use]
    pub fn part(self, hour: &ScoredHour, usual: f64, base_rate: f64) -> Part {
        let numbered = |names: &[&'static str], place: u8| {
            let place = usize::from(place).min(names.len() - 1);
            Part { order: u16::try_from(place).unwrap_or(u16::MAX), name: names[place] }
        };
        match self {
            Division::HourOfDay => numbered(&HOURS, hour.hour_of_day / 3),
            Division::Month => numbered(&MONTHS, hour.month.saturating_sub(1)),
            Division::DayKind => match hour.day_kind {
                DayKind::Weekday => Part { order: 0, name: "Monday to Friday" },
                DayKind::Weekend => Part { order: 1, name: "weekend" },
            },
            Division::MarketRules => {
                if hour.target_start < ECRS {
                    Part { order: 0, name: "before ECRS" }
                } else if hour.target_start < RTC_B {
                    Part { order: 1, name: "since ECRS (10 June 2023)" }
                } else {
                    Part { order: 2, name: "since RTC+B (5 December 2025)" }
                }
            }
            Division::UsualRate => {
                if usual < base_rate {
                    Part { order: 0, name: "usually quiet" }
                } else {
                    Part { order: 1, name: "usually tight" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::time::parse_local;

    fn hour(start: &str) -> ScoredHour {
        ScoredHour {
            issue_time: 0,
            target_start: parse_local(start).unwrap().as_second(),
            lead_day: 1,
            hour_of_day: 17,
            month: 8,
            year: 2024,
            day_kind: DayKind::Weekend,
            point: 0,
            exceeded: false,
        }
    }

    #[test]
    fn an_hour_belongs_to_one_part_of_each_division() {
        let names = Division::ALL.map(|by| by.part(&hour("2024-08-17T17:00"), 0.2, 0.1).name);
        let expected =
            ["15:00–18:00", "August", "weekend", "since ECRS (10 June 2023)", "usually tight"];
        assert_eq!(names, expected);
    }

    #[test]
    fn rules_change_at_midnight_central() {
        let check = |start: &str, expected: u16| {
            assert_eq!(Division::MarketRules.part(&hour(start), 0.0, 0.0).order, expected);
        };
        check("2023-06-09T23:00", 0);
        check("2023-06-10T00:00", 1);
        check("2025-12-04T23:00", 1);
        check("2025-12-05T00:00", 2);
    }
}
