//! Calendar and sun: hour of day, working days, daylight over Texas, lead time. The season is in the
//! climatology.

use std::f64::consts::PI;

use jiff::civil::{Date, Weekday};
use jiff::{Timestamp, ToSpan};
use market::time::local;

use super::registry::ReadBy::{Both, Trees};
use super::registry::{Family, Feature, FeatureGroup};
use crate::horizon::TargetHour;

const CALENDAR: Family = Family { group: FeatureGroup::Calendar, inputs: &[] };

#[rustfmt::skip]
pub(super) const FEATURES: [Feature; 12] = [
    CALENDAR.feature(Trees, "hour_sin", "-1 to 1", "sine of the local hour of day, one period a day"),
    CALENDAR.feature(Trees, "hour_cos", "-1 to 1", "cosine of the local hour of day, one period a day"),
    CALENDAR.feature(Trees, "hour_sin_twice", "-1 to 1", "sine of the local hour of day, two periods a day"),
    CALENDAR.feature(Trees, "hour_cos_twice", "-1 to 1", "cosine of the local hour of day, two periods a day"),
    CALENDAR.feature(Both, "weekend", "0 or 1", "whether the target day is a Saturday or Sunday"),
    CALENDAR.feature(Both, "holiday", "0 or 1", "whether the target day is a NERC holiday or the day after Thanksgiving"),
    CALENDAR.feature(Both, "lead_day_2", "0 or 1", "whether the target day is the second after the issue day"),
    CALENDAR.feature(Both, "lead_day_3", "0 or 1", "whether the target day is the third after the issue day"),
    CALENDAR.feature(Both, "sun_elevation_degrees", "°", "elevation of the sun over the middle of Texas at half past the hour"),
    CALENDAR.feature(Both, "sun_setting", "°/h", "how far the sun sinks in the next hour while it stands below 30°, else 0"),
    CALENDAR.feature(Both, "evening", "0 or 1", "whether the hour starts at 17:00 to 21:00 local"),
    CALENDAR.feature(Both, "working_day_change", "-1 to 1", "1 where the target day is a working day and the day after the issue day is not, -1 the other way round"),
];

/// The middle of ERCOT's load and solar fleet, degrees north and east.
const LATITUDE: f64 = 31.0;
const LONGITUDE: f64 = -99.0;

pub(super) fn write(issue_time: Timestamp, target: &TargetHour, row: &mut Vec<f64>) {
    let wall = local(target.hour.start);
    let hour_angle = 2.0 * PI * f64::from(wall.hour()) / 24.0;
    let weekend = matches!(wall.weekday(), Weekday::Saturday | Weekday::Sunday);
    let middle = target.hour.start.as_second() + 1_800;
    let now = sun_elevation(middle);
    let sinking = now - sun_elevation(middle + 3_600);
    let next_day = local(issue_time).date().tomorrow().unwrap_or(wall.date());
    let flag = |is: bool| f64::from(u8::from(is));
    row.extend([
        hour_angle.sin(),
        hour_angle.cos(),
        (2.0 * hour_angle).sin(),
        (2.0 * hour_angle).cos(),
        flag(weekend),
        flag(is_holiday(wall.date())),
        flag(target.lead_day == 2),
        flag(target.lead_day == 3),
        now,
        if now < 30.0 { sinking } else { 0.0 },
        flag((17..=21).contains(&wall.hour())),
        flag(is_working_day(wall.date())) - flag(is_working_day(next_day)),
    ]);
}

/// Returns the sun's elevation over the middle of Texas in degrees (Cooper's declination and the
/// hour angle of mean solar time: within 2° of an almanac, which is ample for a ramp).
fn sun_elevation(second: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds of a few decades")]
    let days = second as f64 / 86_400.0;
    let day_of_year = days.rem_euclid(365.25);
    let declination = 23.45_f64.to_radians() * (2.0 * PI * (284.0 + day_of_year) / 365.0).sin();
    let solar_hour = (days.fract() * 24.0 + LONGITUDE / 15.0).rem_euclid(24.0);
    let hour_angle = (solar_hour - 12.0) * 15.0_f64.to_radians();
    let latitude = LATITUDE.to_radians();
    let sine =
        latitude.sin() * declination.sin() + latitude.cos() * declination.cos() * hour_angle.cos();
    sine.asin().to_degrees()
}

fn is_working_day(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !is_holiday(date)
}

/// Says whether ERCOT's load is that of a holiday: the six NERC holidays and the day after
/// Thanksgiving.
fn is_holiday(date: Date) -> bool {
    let nth = |nth: i8, weekday: Weekday| {
        date.nth_weekday_of_month(nth, weekday).is_ok_and(|holiday| holiday == date)
    };
    let thanksgiving = date.yesterday().is_ok_and(|yesterday| {
        yesterday.nth_weekday_of_month(4, Weekday::Thursday).is_ok_and(|day| day == yesterday)
    });
    let observed = |month: i8, day: i8| {
        let on = |date: Date| date.month() == month && date.day() == day;
        on(date) || (date.weekday() == Weekday::Monday && on(date.saturating_sub(1.days())))
    };
    observed(1, 1)
        || observed(7, 4)
        || observed(12, 25)
        || (date.month() == 5 && nth(-1, Weekday::Monday))
        || (date.month() == 9 && nth(1, Weekday::Monday))
        || (date.month() == 11 && (nth(4, Weekday::Thursday) || thanksgiving))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use market::time::parse_local;

    #[test]
    fn holidays_of_2024() {
        let holidays: Vec<Date> =
            date(2024, 1, 1).series(1.days()).take(366).filter(|&day| is_holiday(day)).collect();
        let expected = [(1, 1), (5, 27), (7, 4), (9, 2), (11, 28), (11, 29), (12, 25)];
        assert_eq!(holidays, expected.map(|(month, day)| date(2024, month, day)));
    }

    #[test]
    fn the_sun_stands_where_an_almanac_says() {
        // Brady, Texas, 2024-06-21: solar noon 13:38 CDT at 82.4°; sunset 20:47 CDT.
        let at = |text: &str| sun_elevation(parse_local(text).unwrap().as_second());
        assert!((at("2024-06-21T13:38") - 82.4).abs() < 2.0);
        assert!(at("2024-06-21T20:47").abs() < 2.0);
        assert!(at("2024-12-21T00:00") < -60.0);
    }
}
