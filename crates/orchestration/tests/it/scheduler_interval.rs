//! What intervals and one-off times mean, by hand, by their laws and by walking every minute.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use orchestration::{DstPolicy, Schedule, ScheduleFrequency, ScheduleRule};
use proptest::prelude::*;

/// Where clocks change by an hour, at midnight, by half an hour, and never.
const ZONES: [&str; 6] = [
    "America/Chicago",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Santiago",
    "UTC",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// Checks the next firings in Chicago, as its clocks show them.
fn check(text: &str, after: &str, expected: &[&str]) {
    let zone = zone("America/Chicago");
    let after = after.parse::<DateTime>().unwrap().to_zoned_datetime(zone.clone()).unwrap();
    let schedule = Schedule::parse(text, zone.clone()).unwrap();
    let found: Vec<String> = schedule
        .firings_after(after.timestamp())
        .take(expected.len())
        .map(|firing| firing.at.to_zoned_datetime(zone.clone()).strftime("%m-%d %H:%M %Z"))
        .map(|shown| shown.to_string())
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_second_day_is_every_second_day_across_month_ends() {
    check(
        "every 2 days at 01:00 from 2026-01-27",
        "2026-01-01T00:00",
        &["01-27 01:00 CST", "01-29 01:00 CST", "01-31 01:00 CST", "02-02 01:00 CST"],
    );
    check(
        "every 2 days at 01:00 from 2026-01-27",
        "2028-02-28T00:00",
        &["02-28 01:00 CST", "03-01 01:00 CST", "03-03 01:00 CST"],
    );
}

#[test]
fn days_weeks_and_months_keep_the_time_on_the_wall_clock() {
    check(
        "every 2 days at 06:00 from 2026-03-05",
        "2026-03-06T00:00",
        &["03-07 06:00 CST", "03-09 06:00 CDT", "03-11 06:00 CDT"],
    );
    check(
        "every week at 06:00 from 2026-03-01",
        "2026-03-01T05:00",
        &["03-01 06:00 CST", "03-08 06:00 CDT", "03-15 06:00 CDT"],
    );
    check(
        "every 3 months at 06:00 from 2026-01-15",
        "2026-01-16T05:00",
        &["04-15 06:00 CDT", "07-15 06:00 CDT", "10-15 06:00 CDT", "01-15 06:00 CST"],
    );
}

#[test]
fn minutes_and_hours_are_elapsed_time() {
    check(
        "every 6 hours from 2026-03-07T20:00",
        "2026-03-07T19:00",
        &["03-07 20:00 CST", "03-08 03:00 CDT", "03-08 09:00 CDT"],
    );
    check(
        "every 30 minutes from 2026-11-01T00:30",
        "2026-11-01T00:30",
        &["11-01 01:00 CDT", "11-01 01:30 CDT", "11-01 01:00 CST", "11-01 01:30 CST"],
    );
}

#[test]
fn a_time_in_the_gap_or_the_overlap_fires_once() {
    check(
        "every day at 02:30 from 2026-03-07",
        "2026-03-07T00:00",
        &["03-07 02:30 CST", "03-08 03:00 CDT", "03-09 02:30 CDT"],
    );
    check(
        "every day at 01:30 from 2026-10-31",
        "2026-10-31T00:00",
        &["10-31 01:30 CDT", "11-01 01:30 CDT", "11-02 01:30 CST"],
    );
}

#[test]
fn a_month_that_is_too_short_fires_on_its_last_day_and_the_next_on_the_counted_day_again() {
    check(
        "every month at 06:00 from 2026-01-31",
        "2026-01-01T00:00",
        &["01-31 06:00 CST", "02-28 06:00 CST", "03-31 06:00 CDT", "04-30 06:00 CDT"],
    );
}

#[test]
fn a_one_off_time_fires_once() {
    check("once at 2026-01-27T06:00", "2026-01-01T00:00", &["01-27 06:00 CST"]);
    let zone = zone("America/Chicago");
    for (text, at) in [
        ("once at 2026-01-27T06:00", "2026-01-27T12:00:00Z"),
        ("once at 2026-01-27T06:00:00-03:00", "2026-01-27T09:00:00Z"),
        ("once at 2026-03-08T02:30", "2026-03-08T08:00:00Z"),
        ("once at 2026-11-01T01:30", "2026-11-01T06:30:00Z"),
    ] {
        let at: Timestamp = at.parse().unwrap();
        for policy in DstPolicy::ALL {
            let schedule = Schedule::parse(text, zone.clone()).unwrap().dst(policy);
            let found: Vec<_> = schedule.firings_after(Timestamp::MIN).map(|f| f.at).collect();
            assert_eq!(found, [at], "{text}");
            assert_eq!(schedule.next_after(at), None);
        }
    }
}

#[test]
fn words_for_frequencies_stand_for_rules() {
    let first = |frequency: ScheduleFrequency| {
        let schedule = Schedule::new(frequency.rule(), TimeZone::UTC);
        schedule.next_after("2026-01-27T11:30:30Z".parse().unwrap()).unwrap().at.to_string()
    };
    let time = Time::constant(6, 5, 0, 0);
    assert_eq!(first(ScheduleFrequency::Daily(time)), "2026-01-28T06:05:00Z");
    let odd = Time::constant(6, 5, 7, 0);
    assert_eq!(first(ScheduleFrequency::Daily(odd)), "2026-01-28T06:05:07Z");
    assert_eq!(first(ScheduleFrequency::Hourly), "2026-01-27T12:00:00Z");
    assert_eq!(first(ScheduleFrequency::Minutely), "2026-01-27T11:31:00Z");
    let rule = ScheduleRule::parse("0 0 L * *").unwrap();
    assert_eq!(first(ScheduleFrequency::Custom(rule)), "2026-01-31T00:00:00Z");
}

#[test]
fn errors_point_at_the_word() {
    let check = |text: &str, expected: &str| {
        let error = ScheduleRule::parse(text).unwrap_err();
        assert_eq!(error.to_string(), format!("schedule {text:?}, {expected}"));
    };
    let count = "expected a number from 1 to 10000 or minute, hour, day, week or month";
    let first = "expected from and the first time, such as from 2026-01-27T00:00";
    let time = "expected a time of day such as 01:00";
    let date = "expected a date such as 2026-01-27";
    let moment = "expected a date and time such as 2026-01-27T00:00";
    check("every", &format!("character 6: {count}, found nothing"));
    check("every 0 days", &format!("character 7: {count}, found 0"));
    check("every +2 days", &format!("character 7: {count}, found +2"));
    check("every 10001 days", &format!("character 7: {count}, found 10001"));
    check(
        "every 2 dais at 01:00",
        "character 9: expected minutes, hours, days, weeks or months, found dais",
    );
    check(
        "every 2 days from 2026-01-27",
        "character 14: expected at and a time of day, such as at 01:00, found from",
    );
    check("every 2 days at 24:00 from 2026-01-27", &format!("character 17: {time}, found 24:00"));
    check(
        "every 2 days at 01:00",
        "character 22: expected from and the first date, such as from 2026-01-27, found nothing",
    );
    check("every day at 01:00 from 2026-02-30", &format!("character 25: {date}, found 2026-02-30"));
    check("every day at 01:00 from 26-02-20", &format!("character 25: {date}, found 26-02-20"));
    check("every 15 minutes at 01:00", &format!("character 18: {first}, found at"));
    check("every hour from 2026-01-27", &format!("character 17: {moment}, found 2026-01-27"));
    check(
        "once 2026-01-27T06:00",
        "character 6: \
        expected at and a date and time, such as at 2026-01-27T06:00, found 2026-01-27T06:00",
    );
    check("once at noon", &format!("character 9: {moment}, found noon"));
    check(
        "every day at 01:00 from 2026-01-27 please",
        "character 36: expected nothing more, found please",
    );
}

#[test]
fn a_pointer_stands_under_the_offending_word_of_either_kind() {
    let pointer = |text: &str| ScheduleRule::parse(text).unwrap_err().pointer();
    assert_eq!(pointer("every 2 dais"), "every 2 dais\n        ^");
    assert_eq!(pointer("0 25 * * *"), "0 25 * * *\n  ^");
}

/// Returns a random sentence of any unit.
fn sentence() -> impl Strategy<Value = String> {
    let date = (0..2_500_i32).prop_map(|days| Date::constant(2023, 12, 1) + days.days());
    (1..60_u16, 0..5_usize, 0..24_i8, 0..60_i8, date).prop_map(
        |(every, unit, hour, minute, date)| {
            // Hours of the night, when clocks are changed, come more often.
            let hour = if minute % 2 == 0 { hour % 4 } else { hour };
            match unit {
                0 => format!("every {every} minutes from {date}T{hour:02}:{minute:02}"),
                1 => format!("every {every} hours from {date}T{hour:02}:{minute:02}"),
                2 => format!("every {every} days at {hour:02}:{minute:02} from {date}"),
                3 => format!("every {} weeks at {hour:02}:{minute:02} from {date}", every % 5 + 1),
                _ => {
                    format!("every {} months at {hour:02}:{minute:02} from {date}", every % 14 + 1)
                }
            }
        },
    )
}

fn cron() -> impl Strategy<Value = String> {
    let minute = prop::sample::select(vec!["0", "30", "*/7", "*", "15,45", "10-50/20"]);
    let hour = prop::sample::select(vec!["*", "2", "0", "1-3", "*/2", "*/5", "23"]);
    let day = prop::sample::select(vec!["*", "*/2", "L", "15W", "29", "1,15", "LW"]);
    let month = prop::sample::select(vec!["*", "3", "10-11", "2", "*/3"]);
    let weekday = prop::sample::select(vec!["*", "SUN", "1-5", "MON#2", "5L", "*/3"]);
    (minute, hour, day, month, weekday).prop_map(|(minute, hour, day, month, weekday)| {
        format!("{minute} {hour} {day} {month} {weekday}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn firings_rise_and_every_point_between_two_has_the_same_next_one(
        text in prop_oneof![sentence(), cron()],
        place in 0..ZONES.len(),
        policy in 0..DstPolicy::ALL.len(),
        start in 1_704_067_200..1_893_456_000_i64,
        fractions in prop::collection::vec(0.0..1.0_f64, 8),
    ) {
        let parsed = Schedule::parse(&text, zone(ZONES[place]));
        prop_assume!(parsed.is_ok());
        let schedule = parsed.unwrap().dst(DstPolicy::ALL[policy]);
        let mut before = Timestamp::from_second(start).unwrap();
        for firing in schedule.firings_after(before).take(20) {
            prop_assert!(before < firing.at, "{} then {}", before, firing.at);
            prop_assert_eq!(firing.at.subsec_nanosecond(), 0);
            let nanosecond = SignedDuration::from_nanos(1);
            prop_assert_eq!(schedule.next_after(firing.at - nanosecond), Some(firing));
            for fraction in &fractions {
                let between = before + (firing.at - before).mul_f64(*fraction);
                if between < firing.at {
                    prop_assert_eq!(schedule.next_after(between), Some(firing), "from {}", between);
                }
            }
            before = firing.at;
        }
    }

    #[test]
    fn a_sentence_reads_back_what_it_shows(text in sentence()) {
        let rule = ScheduleRule::parse(&text).unwrap();
        prop_assert_eq!(ScheduleRule::parse(&rule.to_string()), Ok(rule));
    }
}

#[test]
fn sentences_show_themselves_in_one_way() {
    for (text, shown) in [
        ("every 1 days at 6:00 from 2026-01-27", "every day at 06:00 from 2026-01-27"),
        ("every 2 day at 01:00:30 from 2026-01-27", "every 2 days at 01:00:30 from 2026-01-27"),
        ("every  hour from 2026-01-27T00:15", "every hour from 2026-01-27T00:15"),
        ("once at 2026-01-27T06:00", "once at 2026-01-27T06:00"),
        ("once at 2026-01-27T06:00:00-06:00", "once at 2026-01-27T12:00:00Z"),
    ] {
        assert_eq!(ScheduleRule::parse(text).unwrap().to_string(), shown);
    }
}

/// An interval as the oracle understands it.
struct Meant {
    unit: usize,
    every: i64,
    first: DateTime,
}

impl Meant {
    fn new(unit: usize, every: i64, first: DateTime) -> Self {
        Self { unit, every, first }
    }

    fn text(&self) -> String {
        let unit = ["minutes", "hours", "days", "weeks", "months"][self.unit];
        let (date, time) = (self.first.date(), self.first.strftime("%H:%M"));
        match self.unit {
            0 | 1 => format!("every {} {unit} from {date}T{time}", self.every),
            _ => format!("every {} {unit} at {time} from {date}", self.every),
        }
    }

    fn means(&self, civil: DateTime) -> bool {
        if civil.time() != self.first.time() || civil < self.first {
            return false;
        }
        let (date, first) = (civil.date(), self.first.date());
        let days = date.duration_since(first).as_hours() / 24;
        match self.unit {
            2 => days % self.every == 0,
            3 => days % (7 * self.every) == 0,
            _ => {
                let months = (i64::from(date.year()) - i64::from(first.year())) * 12
                    + i64::from(date.month())
                    - i64::from(first.month());
                let day = first.day().min(date.days_in_month());
                months % self.every == 0 && date.day() == day
            }
        }
    }

    /// Walks from minute to minute and looks at the clock on the wall.
    fn walk(&self, zone: &TimeZone, begin: Timestamp, end: Timestamp) -> BTreeSet<Timestamp> {
        let minute = SignedDuration::from_mins(1);
        let mut firings = BTreeSet::new();
        let mut shown_last = zone.to_datetime(begin - minute);
        let mut shown_latest = shown_last;
        let mut anchor = None;
        let mut at = begin;
        while at < end {
            let shown = zone.to_datetime(at);
            // What the clock shows now, and what it has skipped since the minute before.
            let mut civil = (shown_last + minute).min(shown);
            while civil <= shown {
                let is_new = shown_latest < civil;
                shown_latest = shown_latest.max(civil);
                if is_new && civil == self.first {
                    anchor = Some(at);
                }
                if 2 <= self.unit && is_new && self.means(civil) {
                    firings.insert(at);
                }
                civil += minute;
            }
            let step = self.every * [1, 60][self.unit.min(1)];
            if let Some(anchor) = anchor
                && self.unit < 2
                && (at - anchor).as_mins() % step == 0
            {
                firings.insert(at);
            }
            shown_last = shown;
            at += minute;
        }
        firings
    }
}

#[test]
fn a_hundred_thousand_answers_agree_with_a_walk_from_minute_to_minute() {
    // (unit, every, first time): the walks begin with the first time's day and cross a change.
    let intervals = [
        (0, 7, "2026-03-07T01:10"),
        (0, 45, "2026-10-31T23:15"),
        (1, 5, "2026-03-07T02:30"),
        (1, 1, "2026-10-31T01:30"),
        (2, 1, "2026-03-06T02:30"),
        (2, 2, "2026-10-30T01:15"),
        (2, 3, "2026-04-03T01:45"),
        (2, 1, "2026-09-01T00:30"),
        (3, 1, "2026-03-01T02:00"),
        (3, 2, "2026-09-20T02:15"),
        (4, 1, "2026-01-31T02:59"),
        (4, 1, "2026-08-30T01:00"),
    ];
    let mut checks = 0;
    let mut chance = 1_u64;
    for (unit, every, first) in intervals {
        let meant = Meant::new(unit, every, first.parse().unwrap());
        for name in ZONES {
            let zone = zone(name);
            let schedule = Schedule::parse(&meant.text(), zone.clone()).unwrap();
            let begin = zone.to_timestamp(meant.first.date().to_datetime(Time::MIN)).unwrap();
            let end = begin + SignedDuration::from_hours(24 * 40);
            let firings = meant.walk(&zone, begin, end);
            assert!(!firings.is_empty());
            for _ in 0..1_400 {
                // A linear congruential generator (Knuth, MMIX) is random enough for places.
                chance = chance
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let seconds = i64::try_from((chance >> 33) % (39 * 86_400)).unwrap();
                let from = begin + SignedDuration::from_secs(seconds);
                let expected = firings.range(from + SignedDuration::from_nanos(1)..).next();
                let found = schedule.next_after(from).map(|firing| firing.at);
                if let Some(expected) = expected {
                    assert_eq!(found, Some(*expected), "{} in {name} from {from}", meant.text());
                } else {
                    assert!(found.is_none_or(|at| end <= at));
                }
                checks += 1;
            }
        }
    }
    assert!(100_000 <= checks);
}
