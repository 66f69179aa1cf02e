//! Which instant a row's local date and hour stand for: the repeated hour, the skipped hour, and
//! reports that do not say which of the two equal hours they mean.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::cell::EXTRA_HOUR;
use crate::time::{Instants, OperatingDay, instants};

/// What a row says about its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label {
    /// On the market's wall clock.
    pub(super) local: DateTime,
    /// Whether it is the second of two equal hours; `None` where the report does not say.
    pub(super) repeated: Option<bool>,
    /// When the row was posted: rows of one posting follow each other in time.
    pub(super) posted_at: Option<Timestamp>,
}

/// Resolves the labels of one table, row by row.
#[derive(Debug)]
pub(super) struct Hours {
    /// Whether every hour has one row, so that the order of equal hours tells them apart.
    one_row_an_hour: bool,
    last: Option<(Option<Timestamp>, DateTime)>,
    last_posted_at: Option<Option<Timestamp>>,
    /// Hours that could be either of two, taken for the first, and seen once so far.
    alone: BTreeMap<(Option<Timestamp>, DateTime), ()>,
    remarks: Remarks,
}

/// What was seen of repeated hours; told once for each table, not for each row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Remarks {
    /// A row of the first of two equal hours was there.
    pub(super) first: bool,
    /// A row of the second was there.
    pub(super) second: bool,
    /// A row says that its hour is repeated, and it is not.
    pub(super) flag_without_reason: bool,
    /// Two rows of equal hours had the same flag.
    pub(super) flag_without_effect: bool,
    /// The extra hour was numbered 25.
    pub(super) extra_hour: bool,
}

impl Hours {
    pub(super) fn new(one_row_an_hour: bool) -> Self {
        Self {
            one_row_an_hour,
            last: None,
            last_posted_at: None,
            alone: BTreeMap::new(),
            remarks: Remarks::default(),
        }
    }

    /// Returns when the row's time is, or what is wrong with it.
    pub(super) fn resolve(&mut self, label: Label) -> Result<Timestamp, String> {
        let is_first_row = self.last_posted_at != Some(label.posted_at);
        self.last_posted_at = Some(label.posted_at);
        let (first, repeated) = match instants(label.local).map_err(|error| error.to_string())? {
            Instants::One(instant) => {
                self.remarks.flag_without_reason |= label.repeated == Some(true);
                return Ok(instant);
            }
            Instants::Two { first, repeated } => (first, repeated),
        };
        let key = (label.posted_at, label.local);
        let follows_its_equal = self.one_row_an_hour && self.last == Some(key);
        self.last = Some(key);
        let is_second = match label.repeated {
            Some(true) => true,
            Some(false) => {
                self.remarks.flag_without_effect |= follows_its_equal;
                follows_its_equal
            }
            None if !self.one_row_an_hour => {
                return Err(format!("does not say which of the two {} it means", label.local));
            }
            None => {
                // A report begins with the hour that ended last. When that is the repeated hour,
                // the report begins an hour after its start.
                let ended = label.posted_at.is_some_and(|posted_at| {
                    is_first_row && repeated + SignedDuration::from_hours(1) <= posted_at
                });
                if follows_its_equal {
                    self.alone.remove(&key);
                } else if !ended && self.alone.len() < ALONE_MAX {
                    self.alone.insert(key, ());
                }
                follows_its_equal || ended
            }
        };
        self.remarks.first |= !is_second;
        self.remarks.second |= is_second;
        Ok(if is_second { repeated } else { first })
    }

    /// Returns the local start of an hour, and whether the number itself says that it is the
    /// repeated one.
    pub(super) fn start(&mut self, day: Date, hour_ending: u8) -> Result<(DateTime, bool), String> {
        if hour_ending == EXTRA_HOUR {
            let hours = OperatingDay::new(day).hours();
            let Some(hour) = hours.iter().find(|hour| hour.repeated) else {
                return Err(format!("{day} has no hour {EXTRA_HOUR}"));
            };
            self.remarks.extra_hour = true;
            return Ok((start_of(day, hour.hour_ending), true));
        }
        Ok((start_of(day, hour_ending), false))
    }

    pub(super) fn remarks(&self) -> Remarks {
        self.remarks
    }

    /// Returns the hours that were there once, without saying which of the two they were.
    pub(super) fn alone(&self) -> impl Iterator<Item = DateTime> {
        self.alone.keys().map(|(_, local)| *local)
    }
}

/// One page of the API may hold several postings that cover the day of the change.
const ALONE_MAX: usize = 100;

fn start_of(day: Date, hour_ending: u8) -> DateTime {
    day.at(0, 0, 0, 0).saturating_add((i64::from(hour_ending) - 1).hours())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const FALL: Date = date(2024, 11, 3);

    /// Resolves hours ending of the day with 25 hours.
    fn check(hours: &mut Hours, rows: &[(u8, Option<bool>)], expected: &[&str]) {
        let seen: Vec<String> = rows
            .iter()
            .map(|(hour_ending, repeated)| {
                let (local, is_extra) = hours.start(FALL, *hour_ending)?;
                let repeated = if is_extra { Some(true) } else { *repeated };
                let posted_at = None;
                Ok(hours.resolve(Label { local, repeated, posted_at })?.strftime("%H").to_string())
            })
            .map(|seen: Result<String, String>| seen.unwrap_or_else(|error| error))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_flag_tells_equal_hours_apart_in_any_order() {
        let rows = [
            (1, Some(false)),
            (2, Some(true)),
            (2, Some(false)),
            (3, Some(false)),
            (24, Some(false)),
        ];
        check(&mut Hours::new(false), &rows, &["05", "07", "06", "08", "05"]);
    }

    #[test]
    fn without_a_flag_the_order_of_rows_tells_them_apart() {
        let mut hours = Hours::new(true);
        check(&mut hours, &[(1, None), (2, None), (2, None), (3, None)], &["05", "06", "07", "08"]);
        assert_eq!(hours.alone().count(), 0);
    }

    #[test]
    fn a_flag_that_is_always_no_is_none() {
        let mut hours = Hours::new(true);
        check(&mut hours, &[(2, Some(false)), (2, Some(false))], &["06", "07"]);
        assert!(hours.remarks().flag_without_effect);
    }

    #[test]
    fn an_hour_that_is_alone_is_the_first_and_said_to_be_so() {
        let mut hours = Hours::new(true);
        check(&mut hours, &[(1, None), (2, None), (3, None)], &["05", "06", "08"]);
        assert_eq!(hours.alone().collect::<Vec<_>>(), [FALL.at(1, 0, 0, 0)]);
    }

    #[test]
    fn a_report_that_begins_with_the_hour_that_ended_last_means_that_one() {
        for (posted_at, expected) in
            [("2024-11-03T08:00:49Z", "07"), ("2024-11-03T07:00:49Z", "06")]
        {
            let mut hours = Hours::new(true);
            let posted_at = Some(posted_at.parse().unwrap());
            let label = Label { local: FALL.at(1, 0, 0, 0), repeated: None, posted_at };
            let seen = hours.resolve(label).unwrap().strftime("%H").to_string();
            assert_eq!(seen, expected, "posted at {posted_at:?}");
        }
    }

    #[test]
    fn with_many_rows_an_hour_nothing_is_guessed() {
        check(
            &mut Hours::new(false),
            &[(1, None), (2, None), (2, Some(false))],
            &["05", "does not say which of the two 2024-11-03T01:00:00 it means", "06"],
        );
    }

    #[test]
    fn hour_25_is_the_repeated_hour_of_the_one_day_that_has_it() {
        let mut hours = Hours::new(false);
        check(&mut hours, &[(24, None), (25, None)], &["05", "07"]);
        assert!(hours.remarks().extra_hour);
        assert!(hours.start(date(2024, 11, 4), 25).is_err());
        assert!(hours.start(date(2024, 3, 10), 25).is_err());
    }

    #[test]
    fn the_hour_that_spring_skips_does_not_exist() {
        let mut hours = Hours::new(false);
        let mut at = |hour_ending| {
            let (local, _) = hours.start(date(2024, 3, 10), hour_ending).unwrap();
            hours.resolve(Label { local, repeated: Some(false), posted_at: None })
        };
        assert_eq!(at(2).unwrap().to_string(), "2024-03-10T07:00:00Z");
        assert!(at(3).unwrap_err().contains("does not exist"));
        assert_eq!(at(4).unwrap().to_string(), "2024-03-10T08:00:00Z");
    }

    #[test]
    fn a_flag_on_an_hour_that_is_not_repeated_is_remarked() {
        let mut hours = Hours::new(false);
        check(&mut hours, &[(5, Some(true))], &["10"]);
        assert!(hours.remarks().flag_without_reason);
    }
}
