//! Round local times along an axis: hours, days, months or years of America/Chicago.
//!
//! Which times are round is said here; where they fall on paper is in `scale`.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use market::time::{OperatingDay, local};

/// A labelled instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) at: Timestamp,
    pub(super) label: String,
}

/// How far ticks lie from each other.
#[derive(Clone, Copy, Debug)]
enum Step {
    Hours(u8),
    Days(i32),
    Months(i8),
}

/// From fine to coarse.
const STEPS: [Step; 12] = [
    Step::Hours(1),
    Step::Hours(3),
    Step::Hours(6),
    Step::Hours(12),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(3),
    Step::Months(6),
    COARSEST,
];

const COARSEST: Step = Step::Months(12);

/// No axis is longer: a century.
const DAYS_MAX: i64 = 36_600;

/// Returns the finest ticks in `[from, to)` of which there are at most `count_max`; none for a
/// span that is empty or longer than a century.
pub(super) fn time_ticks(from: Timestamp, to: Timestamp, count_max: usize) -> Vec<Tick> {
    let days = (to - from).as_hours() / 24;
    if to <= from || DAYS_MAX < days {
        return Vec::new();
    }
    // Steps that are far too fine are not even counted.
    for step in STEPS.into_iter().filter(|step| step.about(to - from) <= 2 * count_max) {
        let ticks = ticks(from, to, step);
        if ticks.len() <= count_max {
            return ticks;
        }
    }
    let coarsest = ticks(from, to, COARSEST);
    let stride = coarsest.len().div_ceil(count_max.max(1)).max(1);
    coarsest.into_iter().step_by(stride).collect()
}

impl Step {
    /// Returns about how many steps a span has.
    fn about(self, span: SignedDuration) -> usize {
        let hours = match self {
            Step::Hours(hours) => i64::from(hours),
            Step::Days(days) => 24 * i64::from(days),
            Step::Months(months) => 730 * i64::from(months),
        };
        usize::try_from(span.as_hours() / hours).unwrap_or(usize::MAX)
    }
}

fn ticks(from: Timestamp, to: Timestamp, step: Step) -> Vec<Tick> {
    let (first, last) = (OperatingDay::of(from), OperatingDay::of(to));
    let mut ticks = Vec::new();
    match step {
        Step::Hours(hours) => {
            let mut day = first;
            while day <= last {
                let on_step = day
                    .hours()
                    .into_iter()
                    .filter(|hour| !hour.repeated && (hour.hour_ending - 1).is_multiple_of(hours));
                ticks.extend(on_step.map(|hour| {
                    let label = match hour.hour_ending {
                        1 => day_label(day.date()),
                        ending => format!("{:02}:00", ending - 1),
                    };
                    Tick { at: hour.start, label }
                }));
                day = day.plus_days(1);
            }
        }
        Step::Days(days) => {
            let mut day = first;
            while day <= last {
                ticks.push(Tick { at: day.start(), label: day_label(day.date()) });
                day = day.plus_days(days);
            }
        }
        Step::Months(months) => {
            let mut date = first.date().first_of_year();
            while date <= last.date() {
                let label = match (months, date.month()) {
                    (12, _) | (_, 1) => date.year().to_string(),
                    (_, _) => date.strftime("%b").to_string(),
                };
                ticks.push(Tick { at: OperatingDay::new(date).start(), label });
                date = date.saturating_add(months.months());
            }
        }
    }
    ticks.retain(|tick| from <= tick.at && tick.at < to);
    ticks
}

fn day_label(date: Date) -> String {
    date.strftime("%-d %b").to_string()
}

/// Writes a span of market-local time, e.g. `19 Aug 2024 00:00 to 20 Aug 2024 00:00`.
pub(super) fn span(from: Timestamp, to: Timestamp) -> String {
    let text = |instant| local(instant).strftime("%-d %b %Y %H:%M").to_string();
    format!("{} to {}", text(from), text(to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::time::parse_local;

    fn labels(from: &str, to: &str, count_max: usize) -> Vec<String> {
        let at = |text| parse_local(text).unwrap();
        time_ticks(at(from), at(to), count_max).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_get_coarser_with_the_span() {
        assert_eq!(
            labels("2024-08-19T00:00", "2024-08-20T00:00", 8),
            ["19 Aug", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]
        );
        assert_eq!(
            labels("2024-08-19T00:00", "2024-08-22T00:00", 3),
            ["19 Aug", "20 Aug", "21 Aug"]
        );
        assert_eq!(
            labels("2024-01-01T00:00", "2024-12-31T00:00", 4),
            ["2024", "Apr", "Jul", "Oct"]
        );
        assert_eq!(labels("2020-01-01T00:00", "2025-01-01T00:00", 5).len(), 5);
        assert_eq!(
            labels("1990-01-01T00:00", "2025-01-01T00:00", 5),
            ["1990", "1997", "2004", "2011", "2018"]
        );
    }

    #[test]
    fn the_days_of_both_clock_changes_have_their_hours_once() {
        let spring = labels("2026-03-08T00:00", "2026-03-08T06:00", 12);
        assert_eq!(spring, ["8 Mar", "01:00", "03:00", "04:00", "05:00"]);
        let autumn = labels("2026-11-01T00:00", "2026-11-01T04:00", 12);
        assert_eq!(autumn, ["1 Nov", "01:00", "02:00", "03:00"]);
    }

    #[test]
    fn an_empty_or_endless_span_has_no_ticks() {
        assert!(labels("2024-01-01T00:00", "2024-01-01T00:00", 5).is_empty());
        assert!(time_ticks(Timestamp::MIN, Timestamp::MAX, 5).is_empty());
    }
}
