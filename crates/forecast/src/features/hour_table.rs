//! Local labels of every hour from 2010 to 2059, computed once: features look up millions.

use std::sync::OnceLock;

use jiff::Timestamp;
use market::time::local;

/// 2010-01-01T00:00Z, the first hour of the table, in hours since 1970.
const FIRST_HOUR: i64 = 350_640;
const HOURS: i64 = 50 * 8_766;

/// The local labels of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LocalHour {
    /// 0 (the hour that starts at local midnight) to 23.
    pub(super) hour: u8,
    /// 0 (January) to 11.
    pub(super) month: u8,
}

/// Returns the local labels of an hour by its number.
pub(super) fn local_hour(number: i64) -> LocalHour {
    static TABLE: OnceLock<Vec<LocalHour>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        (FIRST_HOUR..FIRST_HOUR + HOURS).map(|number| label(hour_start(number))).collect()
    });
    let found = usize::try_from(number - FIRST_HOUR).ok().and_then(|index| table.get(index));
    found.copied().unwrap_or_else(|| label(hour_start(number)))
}

/// Returns the number of the hour that contains an instant, counted from 1970 UTC.
pub(super) fn hour_number(instant: Timestamp) -> i64 {
    instant.as_second().div_euclid(3_600)
}

/// Returns when an hour starts.
pub(super) fn hour_start(number: i64) -> Timestamp {
    Timestamp::from_second(number * 3_600).expect("the hour of a timestamp")
}

fn label(instant: Timestamp) -> LocalHour {
    let wall = local(instant);
    LocalHour { hour: wall.hour().unsigned_abs(), month: wall.month().unsigned_abs() - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::time::parse_local;

    #[test]
    fn labels_are_local_inside_and_outside_the_table() {
        let check = |text: &str, hour: u8, month: u8| {
            let found = local_hour(hour_number(parse_local(text).unwrap()));
            assert_eq!(found, LocalHour { hour, month }, "{text}");
        };
        check("2024-08-19T09:57", 9, 7);
        check("2024-03-10T03:00", 3, 2);
        check("2010-01-02T00:00", 0, 0);
        check("2005-06-30T23:59", 23, 5);
        check("2065-12-31T23:59", 23, 11);
    }
}
