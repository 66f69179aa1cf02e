//! What each check says about days made up by hand, both clock-change days among them.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::place::SettlementPoint;

fn price() -> SeriesKey {
    SeriesKey::at(Series::DayAheadSpp, &SettlementPoint::new("HB_HUBAVG").unwrap())
}

fn day(month: i8, day: i8) -> OperatingDay {
    OperatingDay::new(date(2024, month, day))
}

/// Values of every hour of some days, the first days' first, published half a day before.
fn hours(first: OperatingDay, days: i32, value: impl Fn(usize) -> f64) -> Columns {
    let mut columns = Columns::default();
    for offset in 0..days {
        for (index, hour) in first.plus_days(offset).hours().into_iter().enumerate() {
            columns.interval_start.push(hour.start.as_second());
            columns.published_at.push(hour.start.as_second() - 43_200);
            columns.value.push(value(index));
        }
    }
    columns
}

fn verdict(key: &SeriesKey, of: OperatingDay, columns: &Columns, check: Check) -> String {
    let now = of.end() + SignedDuration::from_hours(48);
    let postings = &DayPostings::default();
    let examined = DayExamined { key, day: of, now, columns, postings };
    let quality = DayQuality::of(&examined, &QualityLimits::default());
    let found = quality.verdicts.into_iter().find(|(of, _)| *of == check);
    found.unwrap().1.to_string()
}

#[test]
fn a_complete_day_passes_on_both_clock_changes_too() {
    for of in [day(3, 10), day(8, 19), day(11, 3)] {
        let columns = hours(of.plus_days(-30), 31, |hour| 20.0 + hour as f64);
        for check in Check::ALL {
            assert_eq!(verdict(&price(), of, &columns, check), "passed", "{of} {}", check.name());
        }
    }
}

#[test]
fn a_missing_evening_fails_coverage_and_is_named_as_a_gap() {
    let of = day(11, 3);
    let mut columns = hours(of, 1, |_| 20.0);
    for column in [&mut columns.interval_start, &mut columns.published_at] {
        column.truncate(20);
    }
    columns.value.truncate(20);
    let coverage = verdict(&price(), of, &columns, Check::Coverage);
    assert_eq!(coverage, "failed: 80.0 % of the due intervals are known, not 95 %");
    let gaps = verdict(&price(), of, &columns, Check::Gaps);
    assert_eq!(gaps, "failed: missing: 2024-11-04T01:00:00Z to 2024-11-04T06:00:00Z");
}

#[test]
fn what_is_not_due_yet_is_not_missed() {
    let key = SeriesKey::system(Series::WindActual);
    let of = day(8, 19);
    let mut columns = hours(of, 1, |_| 9_000.0);
    for column in [&mut columns.interval_start, &mut columns.published_at] {
        column.truncate(3);
    }
    columns.value.truncate(3);
    // The fourth hour ends at 04:00 and is posted 55 minutes later.
    let at = |minutes: i64| of.start() + SignedDuration::from_mins(minutes);
    let coverage = |now: Timestamp| {
        let postings = &DayPostings::default();
        let examined = DayExamined { key: &key, day: of, now, columns: &columns, postings };
        DayQuality::of(&examined, &QualityLimits::default()).coverage
    };
    assert!((coverage(at(294)) - 1.0).abs() < 1e-12);
    assert!((coverage(at(295)) - 0.75).abs() < 1e-12);
    assert!((coverage(of.start()) - 1.0).abs() < 1e-12);
}

#[test]
fn values_beyond_the_plausible_fail() {
    let of = day(8, 19);
    let columns = hours(of, 1, |hour| if hour == 3 { 40_000.0 } else { 20.0 });
    assert_eq!(
        verdict(&price(), of, &columns, Check::Range),
        "failed: 1 values outside -5000 to 35000 $/MWh, the first 40000 at 2024-08-19T08:00:00Z"
    );
}

#[test]
fn an_unusual_value_is_suspect_whatever_outliers_the_history_has() {
    let of = day(8, 19);
    let mut columns = hours(of.plus_days(-30), 31, |hour| 20.0 + hour as f64);
    let today = columns.value.len() - 24;
    columns.value[today - 24 * 7 + 5] = 9_000.0;
    columns.value[today - 24 * 3 + 5] = 5_000.0;
    columns.value[today + 5] = 25.0 + 12.0;
    assert_eq!(verdict(&price(), of, &columns, Check::Outliers), "passed");
    columns.value[today + 5] = 25.0 + 12.1;
    let found = verdict(&price(), of, &columns, Check::Outliers);
    assert_eq!(
        found,
        "suspect: 1 values, the first 37.1 at 2024-08-19T10:00:00Z, where 25.00 is usual"
    );
    let short = hours(of.plus_days(-13), 14, |_| 20.0);
    assert_eq!(verdict(&price(), of, &short, Check::Outliers), "unknown: too little history");
}

#[test]
fn a_value_published_again_unchanged_is_a_duplicate_and_a_correction_is_not() {
    let of = day(8, 19);
    let again = |value: f64| {
        let mut columns = hours(of, 1, |_| 20.0);
        columns.interval_start.insert(1, columns.interval_start[0]);
        columns.published_at.insert(1, columns.published_at[0] + 60);
        columns.value.insert(1, value);
        verdict(&price(), of, &columns, Check::Duplicates)
    };
    assert_eq!(again(20.0), "suspect: 1 values were published again unchanged");
    assert_eq!(again(21.0), "passed");
    // Wind is posted again every hour for two days.
    let wind = SeriesKey::system(Series::WindActual);
    let found = verdict(&wind, of, &hours(of, 1, |_| 20.0), Check::Duplicates);
    assert_eq!(found, "unknown: every posting repeats what others said");
}

#[test]
fn a_late_first_value_is_stale_and_a_late_correction_is_not() {
    let of = day(8, 19);
    let late_by = 37 * 3_600;
    let mut columns = hours(of, 1, |_| 20.0);
    columns.interval_start.insert(1, columns.interval_start[0]);
    columns.published_at.insert(1, columns.interval_start[0] + 3_600 + late_by);
    columns.value.insert(1, 21.0);
    assert_eq!(verdict(&price(), of, &columns, Check::Staleness), "passed");
    columns.published_at[0] = columns.interval_start[0] + 3_600 + late_by;
    let found = verdict(&price(), of, &columns, Check::Staleness);
    assert_eq!(found, "suspect: a value came 37 hours after its interval");
}

#[test]
fn what_could_not_be_used_and_what_is_new_in_a_report_are_drift() {
    let key = price();
    let columns = hours(day(8, 19), 1, |_| 20.0);
    let now = day(8, 21).start();
    let drift = |quarantined, complaints, notes: &[&str]| {
        let drift = notes.iter().map(|note| (*note).to_owned()).collect();
        let postings = &DayPostings { quarantined, complaints, drift };
        let examined = DayExamined { key: &key, day: day(8, 19), now, columns: &columns, postings };
        let quality = DayQuality::of(&examined, &QualityLimits::default());
        quality.verdicts.last().unwrap().1.to_string()
    };
    let changed = "could not be used; the report may have changed";
    assert_eq!(drift(0, 3, &["x"]), format!("failed: 3 lines {changed}"));
    assert_eq!(drift(1, 0, &[]), format!("failed: 1 postings {changed}"));
    assert_eq!(drift(2, 3, &[]), format!("failed: 2 postings and 3 lines {changed}"));
    assert_eq!(
        drift(0, 0, &["unknown column Mood", "unknown service DRRS"]),
        "suspect: the report is not as it is known: unknown column Mood; unknown service DRRS"
    );
}
