//! What cron expressions mean: fields, days, clock changes, and what is said about wrong ones.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use orchestration::{Cron, DstPolicy, MisfirePolicy, OverlapPolicy, Priority, Schedule};

fn chicago() -> TimeZone {
    TimeZone::get("America/Chicago").unwrap()
}

/// Returns so many firings after a time in Chicago, as its clocks show them.
fn firings(expression: &str, after: &str, count: usize) -> Vec<String> {
    policy_firings(expression, DstPolicy::default(), after, count)
}

fn policy_firings(expression: &str, dst: DstPolicy, after: &str, count: usize) -> Vec<String> {
    let after = after.parse::<DateTime>().unwrap().to_zoned_datetime(chicago()).unwrap();
    let schedule = Schedule::parse(expression, chicago()).unwrap().dst(dst);
    let firings = schedule.firings_after(after.timestamp()).take(count);
    let local = firings.map(|firing| firing.at.to_zoned_datetime(chicago()));
    local.map(|at| at.strftime("%m-%d %H:%M %Z").to_string()).collect()
}

/// Checks the dates of the next firings after the beginning of 2026, in UTC.
fn check_dates(expression: &str, expected: &[&str]) {
    let schedule = Schedule::parse(expression, TimeZone::UTC).unwrap();
    let begin = "2025-12-31T23:59:59Z".parse().unwrap();
    let found: Vec<String> = schedule
        .firings_after(begin)
        .take(expected.len())
        .map(|firing| firing.at.strftime("%y-%m-%d").to_string())
        .collect();
    assert_eq!(found, expected, "{expression}");
}

/// Checks the times of one day, 1 January 2026, in UTC.
fn check_times(expression: &str, expected: &[&str]) {
    let schedule = Schedule::parse(expression, TimeZone::UTC).unwrap();
    let begin = "2025-12-31T23:59:59Z".parse().unwrap();
    let found: Vec<String> = schedule
        .firings_after(begin)
        .map(|firing| firing.at.strftime("%F %T").to_string())
        .take_while(|shown| shown.starts_with("2026-01-01"))
        .map(|shown| shown["2026-01-01 ".len()..].to_owned())
        .collect();
    assert_eq!(found, expected, "{expression}");
}

#[test]
fn fields_take_numbers_lists_ranges_and_steps() {
    check_times("30 6 * * *", &["06:30:00"]);
    check_times("0,30 6,18 * * *", &["06:00:00", "06:30:00", "18:00:00", "18:30:00"]);
    check_times("0 9-11 * * *", &["09:00:00", "10:00:00", "11:00:00"]);
    check_times("5-59/15 9 * * *", &["09:05:00", "09:20:00", "09:35:00", "09:50:00"]);
    check_times("0 */9 * * *", &["00:00:00", "09:00:00", "18:00:00"]);
    check_times(
        "0 20-23,0-2/2 * * *",
        &["00:00:00", "02:00:00", "20:00:00", "21:00:00", "22:00:00", "23:00:00"],
    );
    check_times("  0\t6  * * * ", &["06:00:00"]);
    check_times("*/90 6 * * *", &["06:00:00"]);
}

#[test]
fn a_sixth_field_in_front_counts_seconds_and_without_it_they_are_zero() {
    check_times("15,45 30 6 * * *", &["06:30:15", "06:30:45"]);
    check_times("*/20 59 23 * * *", &["23:59:00", "23:59:20", "23:59:40"]);
}

#[test]
fn months_and_weekdays_have_names_in_any_case_and_sunday_two_numbers() {
    check_dates("0 0 1 feb,Nov *", &["26-02-01", "26-11-01", "27-02-01"]);
    check_dates("0 0 * * sun", &["26-01-04", "26-01-11"]);
    check_dates("0 0 * * 7", &["26-01-04", "26-01-11"]);
    check_dates("0 0 * * 0", &["26-01-04", "26-01-11"]);
    check_dates("0 0 * * 5-7", &["26-01-02", "26-01-03", "26-01-04", "26-01-09"]);
    check_dates("0 0 * * FRI-SUN", &["26-01-02", "26-01-03", "26-01-04", "26-01-09"]);
    check_dates("0 0 * * SUN-MON", &["26-01-04", "26-01-05", "26-01-11"]);
    check_dates("0 0 1 JAN-MAR *", &["26-01-01", "26-02-01", "26-03-01", "27-01-01"]);
}

#[test]
fn nicknames_stand_for_expressions() {
    check_dates("@yearly", &["26-01-01", "27-01-01"]);
    check_dates("@annually", &["26-01-01", "27-01-01"]);
    check_dates("@monthly", &["26-01-01", "26-02-01"]);
    check_dates("@weekly", &["26-01-04", "26-01-11"]);
    check_dates("@daily", &["26-01-01", "26-01-02"]);
    check_dates(" @midnight", &["26-01-01", "26-01-02"]);
    check_dates("@DAILY", &["26-01-01", "26-01-02"]);
    assert_eq!(firings("@hourly", "2026-07-01T10:30", 2), ["07-01 11:00 CDT", "07-01 12:00 CDT"]);
}

#[test]
fn l_is_the_last_day_of_the_month_and_the_last_such_weekday() {
    check_dates("0 0 L * *", &["26-01-31", "26-02-28", "26-03-31", "26-04-30"]);
    check_dates("0 0 1,L * *", &["26-01-01", "26-01-31", "26-02-01"]);
    check_dates("0 0 * * 5L", &["26-01-30", "26-02-27"]);
    check_dates("0 0 * * FRI#L", &["26-01-30", "26-02-27"]);
    check_dates("0 0 * * friL,7#l", &["26-01-25", "26-01-30", "26-02-22"]);
}

#[test]
fn w_is_the_nearest_day_from_monday_to_friday_in_the_same_month() {
    // The 15th is a Sunday in February and March and a Saturday in August 2026.
    check_dates("0 0 15W 1,2,3,8 *", &["26-01-15", "26-02-16", "26-03-16", "26-08-14"]);
    // Saturday 1 August 2026 goes to Monday, Sunday 31 May 2026 back to Friday.
    check_dates("0 0 1W 8 *", &["26-08-03"]);
    check_dates("0 0 31W 5 *", &["26-05-29"]);
    check_dates("0 0 31w * *", &["26-01-30", "26-03-31", "26-05-29", "26-07-31"]);
    check_dates("0 0 LW * *", &["26-01-30", "26-02-27", "26-03-31", "26-04-30", "26-05-29"]);
}

#[test]
fn a_hash_is_the_nth_such_weekday_of_the_month() {
    check_dates("0 0 * * 2#3", &["26-01-20", "26-02-17"]);
    check_dates("0 0 * * MON#1,TUE#1", &["26-01-05", "26-01-06", "26-02-02"]);
    check_dates("0 0 * * 4#5", &["26-01-29", "26-04-30", "26-07-30"]);
}

#[test]
fn one_of_two_day_fields_is_enough_unless_one_begins_with_a_star() {
    check_dates("0 9 1,15 * 5", &["26-01-01", "26-01-02", "26-01-09", "26-01-15", "26-01-16"]);
    check_dates("0 9 1-31 * 5", &["26-01-01", "26-01-02", "26-01-03"]);
    check_dates("0 9 * * 5", &["26-01-02", "26-01-09"]);
    check_dates("0 9 13 * ?", &["26-01-13", "26-02-13"]);
    // Odd days that are Mondays.
    check_dates("0 9 */2 * 1", &["26-01-05", "26-01-19", "26-02-09"]);
    check_dates("0 9 13 * */5", &["26-02-13", "26-03-13", "26-09-13"]);
}

#[test]
fn rare_dates_are_found_and_impossible_ones_never_come() {
    check_dates("0 0 29 2 *", &["28-02-29", "32-02-29"]);
    // 29 February is a Sunday every 28 years, but for 40 from 2088, because 2100 has none.
    check_dates("0 0 29 2 */8", &["32-02-29", "60-02-29", "88-02-29", "28-02-29"]);
    for impossible in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31 4 */2", "0 0 LW * */6"] {
        let schedule = Schedule::parse(impossible, chicago()).unwrap();
        let begin = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(schedule.next_after(begin), None, "{impossible}");
        let warnings = schedule.warnings(begin);
        let shown: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["never fires: no date matches, or its time has passed"]);
    }
    // Mondays of February, besides.
    check_dates("0 0 30 2 1", &["26-02-02", "26-02-09"]);
}

fn check_error(expression: &str, expected: &str) {
    let error = expression.parse::<Cron>().unwrap_err();
    assert_eq!(error.to_string(), format!("cron {expression:?}, {expected}"));
}

#[test]
fn errors_point_at_the_field_and_the_character() {
    check_error("0 25 * * *", "field hour, character 3: expected 0-23, found 25");
    check_error("60 0 * * *", "field minute, character 1: expected 0-59, found 60");
    check_error(
        "0 0 1,32 * *",
        "field day-of-month, character 7: \
        expected 1-31, L, LW or a day with W, such as 15W, found 32",
    );
    check_error("0 0 * Foo *", "field month, character 7: expected 1-12 or JAN-DEC, found Foo");
    check_error("0 0 * * 1,8", "field day-of-week, character 11: expected 0-7 or SUN-SAT, found 8");
    check_error("61 0 0 * * *", "field second, character 1: expected 0-59, found 61");
    check_error("1,,2 0 * * *", "field minute, character 3: expected 0-59, found nothing");
    check_error("+5 0 * * *", "field minute, character 1: expected 0-59, found +5");
    check_error(
        "*/0 0 * * *",
        "field minute, character 3: \
        expected a step of at least 1 (and at most 255), found 0",
    );
    check_error(
        "0/15 0 * * *",
        "field minute, character 1: \
        expected * or a range before a step, such as 0-59, found 0",
    );
    check_error(
        "0 22-5 * * *",
        "field hour, character 3: \
        expected a range that rises (to go over the end, list two: 22-23,0-5), found 22-5",
    );
    check_error("? 0 * * *", "field minute, character 1: expected 0-59, found ?");
    check_error(
        "0 0 1-15W * *",
        "field day-of-month, character 5: \
        expected 1-31, L, LW or a day with W, such as 15W, found 1-15",
    );
    check_error(
        "0 0 1,15W * *",
        "field day-of-month, character 7: \
        expected a day with W only by itself, found 15W",
    );
    check_error(
        "0 0 * * MON#6",
        "field day-of-week, character 13: \
        expected 1-5 or L after #, found 6",
    );
    check_error(
        "0 0 * * L",
        "field day-of-week, character 9: \
        expected 0-7 or SUN-SAT, found nothing",
    );
    check_error("0 ٣ * * *", "field hour, character 3: expected 0-23, found ٣");
}

#[test]
fn errors_of_the_whole_point_at_its_first_superfluous_or_unknown_word() {
    let fields = "expected 5 fields (minute, hour, day-of-month, month, day-of-week) or 6 \
        (seconds first)";
    check_error("* * *", &format!("character 1: {fields}, found 3 fields"));
    check_error("", &format!("character 1: {fields}, found 0 fields"));
    check_error("0 0 0 * * * 2026", &format!("character 13: {fields}, found 7 fields"));
    check_error(
        "@dally",
        "character 1: \
        expected @yearly, @monthly, @weekly, @daily, @midnight or @hourly, found @dally",
    );
    check_error("@daily 0 0 * * *", "character 8: expected nothing after a nickname, found 0");
    check_error(
        "@reboot",
        "character 1: \
        expected a time (a start of the program is none; run it there), found @reboot",
    );
}

#[test]
fn the_pointer_stands_under_the_offending_character() {
    let error = "0\t25 * * *".parse::<Cron>().unwrap_err();
    assert_eq!(error.pointer(), "0\t25 * * *\n \t^");
}

#[test]
fn an_expression_shows_itself_as_it_was_written() {
    for text in ["0 6 * * MON-FRI", "@daily", "*/15  * * * *"] {
        assert_eq!(text.parse::<Cron>().unwrap().to_string(), text);
    }
}

// The rows of "Ten implementations over America/Chicago 2026", column cronsim.

#[test]
fn a_daily_time_in_the_spring_gap_runs_once_at_the_first_valid_instant() {
    assert_eq!(
        firings("30 2 * * *", "2026-03-07T12:00", 2),
        ["03-08 03:00 CDT", "03-09 02:30 CDT"]
    );
    assert_eq!(
        firings("15,45 2 * * *", "2026-03-07T12:00", 2),
        ["03-08 03:00 CDT", "03-09 02:15 CDT"]
    );
    assert_eq!(
        firings("30 1,2,3 * * *", "2026-03-07T12:00", 4),
        ["03-08 01:30 CST", "03-08 03:00 CDT", "03-08 03:30 CDT", "03-09 01:30 CDT"]
    );
    // What falls onto the same instant is the same firing.
    assert_eq!(
        firings("0 2,3 * * *", "2026-03-07T12:00", 2),
        ["03-08 03:00 CDT", "03-09 02:00 CDT"]
    );
}

#[test]
fn a_wildcard_runs_whatever_the_clock_shows_in_spring() {
    assert_eq!(
        firings("0 */2 * * *", "2026-03-08T00:30", 2),
        ["03-08 04:00 CDT", "03-08 06:00 CDT"]
    );
    assert_eq!(
        firings("0 * * * *", "2026-03-08T00:30", 3),
        ["03-08 01:00 CST", "03-08 03:00 CDT", "03-08 04:00 CDT"]
    );
}

#[test]
fn a_daily_time_in_the_autumn_overlap_runs_once_the_first_time() {
    assert_eq!(
        firings("30 1 * * *", "2026-10-31T12:00", 2),
        ["11-01 01:30 CDT", "11-02 01:30 CST"]
    );
    assert_eq!(
        firings("15,45 1 * * *", "2026-10-31T12:00", 3),
        ["11-01 01:15 CDT", "11-01 01:45 CDT", "11-02 01:15 CST"]
    );
}

#[test]
fn a_wildcard_runs_every_elapsed_hour_in_autumn() {
    assert_eq!(
        firings("0 * * * *", "2026-11-01T00:30", 3),
        ["11-01 01:00 CDT", "11-01 01:00 CST", "11-01 02:00 CST"]
    );
}

#[test]
fn a_day_of_month_step_with_a_weekday_needs_both() {
    assert_eq!(
        firings("0 9 */2 * 1", "2026-01-01T00:00", 3),
        ["01-05 09:00 CST", "01-19 09:00 CST", "02-09 09:00 CST"]
    );
    assert_eq!(
        firings("0 9 1,15 * 5", "2026-01-01T00:00", 3),
        ["01-01 09:00 CST", "01-02 09:00 CST", "01-09 09:00 CST"]
    );
}

#[test]
fn other_policies_skip_the_gap_or_follow_the_clock_face() {
    let firings = |dst, after| policy_firings("30 1,2 * * *", dst, after, 4);
    let spring = "2026-03-07T12:00";
    assert_eq!(
        firings(DstPolicy::Skip, spring),
        ["03-08 01:30 CST", "03-09 01:30 CDT", "03-09 02:30 CDT", "03-10 01:30 CDT"]
    );
    assert_eq!(firings(DstPolicy::AsShown, spring), firings(DstPolicy::Skip, spring));
    let autumn = "2026-10-31T12:00";
    assert_eq!(
        firings(DstPolicy::Skip, autumn),
        ["11-01 01:30 CDT", "11-01 02:30 CST", "11-02 01:30 CST", "11-02 02:30 CST"]
    );
    assert_eq!(
        firings(DstPolicy::AsShown, autumn),
        ["11-01 01:30 CDT", "11-01 01:30 CST", "11-01 02:30 CST", "11-02 01:30 CST"]
    );
}

#[test]
fn seconds_do_not_change_what_a_fixed_time_is() {
    assert_eq!(
        firings("0 30 2 * * *", "2026-03-07T12:00", 2),
        ["03-08 03:00 CDT", "03-09 02:30 CDT"]
    );
    assert_eq!(
        firings("0 30 1 * * *", "2026-10-31T12:00", 2),
        ["11-01 01:30 CDT", "11-02 01:30 CST"]
    );
}

#[test]
fn who_asks_during_the_second_pass_is_not_answered_with_the_first() {
    let schedule = Schedule::parse("30 1 * * *", chicago()).unwrap();
    // 01:15 CST on 1 November, 45 minutes after the first 01:30.
    let firing = schedule.next_after("2026-11-01T07:15:00Z".parse().unwrap()).unwrap();
    assert_eq!(firing.at, "2026-11-02T07:30:00Z".parse().unwrap());
}

#[test]
fn who_asks_right_before_a_gap_is_answered_with_its_end() {
    let schedule = Schedule::parse("30 2 * * *", chicago()).unwrap();
    let end: Timestamp = "2026-03-08T08:00:00Z".parse().unwrap();
    let before = end - SignedDuration::from_nanos(1);
    assert_eq!(schedule.next_after(before).unwrap().at, end);
}

#[test]
fn firings_on_the_days_of_change_say_so() {
    let notes = |expression: &str, after: &str, count: usize| -> Vec<String> {
        let schedule = Schedule::parse(expression, chicago()).unwrap();
        let firings = schedule.firings_after(after.parse().unwrap()).take(count);
        firings.map(|firing| firing.note.map_or("-".to_owned(), |note| note.to_string())).collect()
    };
    assert_eq!(
        notes("30 2 * * *", "2026-03-07T00:00:00Z", 3),
        ["-", "02:30 does not exist: fires when the gap is over", "-"]
    );
    assert_eq!(
        notes("0 6 * * *", "2026-03-07T00:00:00Z", 3),
        ["-", "clocks change: the day has 23 hours", "-"]
    );
    assert_eq!(
        notes("0 * * * *", "2026-11-01T05:30:00Z", 3),
        [
            "first of two such times",
            "second of two such times",
            "clocks change: the day has 25 hours"
        ]
    );
}

#[test]
fn a_policy_reads_back_what_it_shows() {
    for policy in DstPolicy::ALL {
        assert_eq!(policy.to_string().parse(), Ok(policy));
    }
    assert_eq!(
        "twice".parse::<DstPolicy>().unwrap_err().to_string(),
        "daylight saving policy: expected run_once, skip or as_shown, found \"twice\""
    );
}

#[test]
fn policies_for_late_and_overlapping_firings_read_back_what_they_show() {
    for text in ["run_once", "skip", "run_all:1", "run_all:65535"] {
        assert_eq!(text.parse::<MisfirePolicy>().unwrap().to_string(), text);
    }
    for policy in OverlapPolicy::ALL {
        assert_eq!(policy.to_string().parse(), Ok(policy));
    }
    for priority in Priority::ALL {
        assert_eq!(priority.to_string().to_lowercase().parse(), Ok(priority));
    }
    assert_eq!(
        "urgent".parse::<Priority>().unwrap_err().to_string(),
        "priority: expected low, medium, high or critical, found \"urgent\""
    );
    for wrong in ["run_all", "run_all:0", "run_all:65536", "once"] {
        assert_eq!(
            wrong.parse::<MisfirePolicy>().unwrap_err().to_string(),
            format!(
                "misfire policy: expected run_once, skip or run_all:N with N from 1 to 65535, \
                 found {wrong:?}"
            )
        );
    }
    assert_eq!(
        "wait".parse::<OverlapPolicy>().unwrap_err().to_string(),
        "overlap policy: expected queue, skip or cancel_previous, found \"wait\""
    );
}

#[test]
fn a_step_in_the_day_of_month_draws_a_warning_that_names_the_interval() {
    let warnings = |expression: &str| -> Vec<String> {
        let schedule = Schedule::parse(expression, chicago()).unwrap();
        let from = "2026-01-26T12:00:00Z".parse().unwrap();
        schedule.warnings(from).iter().map(ToString::to_string).collect()
    };
    assert_eq!(
        warnings("0 4 */2 * *"),
        ["day-of-month step 2 will run on consecutive days at month ends: Jan 31 → Feb 1; \
          use `every 2 days at 04:00 from 2026-01-27`"]
    );
    assert_eq!(
        warnings("0 4 1-31/4 * *"),
        ["day-of-month step 4 begins anew every month: Jan 29 → Feb 1 is 3 days; \
          use `every 4 days at 04:00 from 2026-01-29`"]
    );
    assert_eq!(
        warnings("0 4,16 */3 * *"),
        ["day-of-month step 3 will run on consecutive days at month ends: Jan 31 → Feb 1; \
          use `every 3 days at HH:MM from 2026-01-28`"]
    );
    assert_eq!(
        warnings("30 2 * * *"),
        ["02:30 does not exist in America/Chicago on 2026-03-08: fires at 03:00 instead"]
    );
    assert_eq!(
        warnings("0 1 * * *"),
        ["01:00 comes twice in America/Chicago on 2026-11-01: fires the first time only"]
    );
    for quiet in ["0 * * * *", "0 */2 * * *", "0 6 * * *", "0 3 1,15 * *", "30 2 1 1 *"] {
        assert_eq!(warnings(quiet), [""; 0], "{quiet}");
    }
}

#[test]
fn every_second_day_by_cron_runs_twice_in_a_row_at_month_ends_as_everywhere() {
    assert_eq!(
        firings("0 1 */2 * *", "2026-01-28T00:00", 4),
        ["01-29 01:00 CST", "01-31 01:00 CST", "02-01 01:00 CST", "02-03 01:00 CST"]
    );
    assert_eq!(
        firings("0 1 */2 * *", "2028-02-28T00:00", 2),
        ["02-29 01:00 CST", "03-01 01:00 CST"]
    );
}

#[test]
fn every_second_day_by_interval_is_every_second_day() {
    let interval = "every 2 days at 01:00 from 2026-01-27";
    assert_eq!(
        firings(interval, "2026-01-28T00:00", 4),
        ["01-29 01:00 CST", "01-31 01:00 CST", "02-02 01:00 CST", "02-04 01:00 CST"]
    );
    // 2028 is a leap year: 1 March is 764 days after the first firing.
    assert_eq!(firings(interval, "2028-02-28T02:00", 2), ["03-01 01:00 CST", "03-03 01:00 CST"]);
}

#[test]
fn years_end_without_a_gap_and_leap_days_come_when_they_exist() {
    assert_eq!(
        firings("0 */12 * * *", "2026-12-31T06:00", 3),
        ["12-31 12:00 CST", "01-01 00:00 CST", "01-01 12:00 CST"]
    );
    assert_eq!(
        firings("59 23 31 12 *", "2026-12-31T12:00", 2),
        ["12-31 23:59 CST", "12-31 23:59 CST"]
    );
    check_dates("0 0 31 12 THU#5", &["26-12-31", "27-12-30", "27-12-31"]);
    check_dates("0 0 L 2 *", &["26-02-28", "27-02-28", "28-02-29", "29-02-28"]);
    check_dates("0 0 28-31 2 *", &["26-02-28", "27-02-28", "28-02-28", "28-02-29"]);
    check_dates("0 0 LW 2 *", &["26-02-27", "27-02-26", "28-02-29", "29-02-28"]);
}
