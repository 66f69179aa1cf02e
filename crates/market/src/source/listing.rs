//! Lists of postings, as ERCOT's routes give them: when each was posted, and what could not be
//! read. Pure.
//!
//! ERCOT writes local time. In autumn an hour comes twice: a posting of its second run has `xhr`
//! in its name, and an offset, where there is one, may be that of the other run.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::reports::{Complaint, Posting, Report};
use crate::time::{MarketTimeError, instant, local};

/// A list that is longer is not read: the longest real one, NP6-788's 5 days, has some 3,000.
pub const DOCUMENTS_MAX: usize = 100_000;

/// ERCOT has posted since 2010. Anything outside these years is a mistake, and nobody has to add an
/// hour to the end of time.
const YEARS: std::ops::Range<i16> = 2000..2100;

/// What a list said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// What was posted, by time and then by id.
    pub postings: Vec<Posting>,
    /// Entries that could not be read.
    pub complaints: Vec<Complaint>,
}

impl Listing {
    /// Adds an entry, or a complaint about it; `index` counts from 0.
    pub(super) fn add(&mut self, list: &str, index: usize, entry: Result<Posting, String>) {
        match entry {
            Ok(posting) => self.postings.push(posting),
            Err(reason) => self.complaints.push(Complaint {
                file: list.to_owned(),
                line: index as u64 + 1,
                reason,
            }),
        }
    }

    pub(super) fn in_order(mut self) -> Self {
        self.postings.sort_by(|a, b| {
            // Ids are numbers, and the longer one is the later one.
            (a.posted_at, a.id.len(), &a.id).cmp(&(b.posted_at, b.id.len(), &b.id))
        });
        self
    }
}

/// Makes a posting of what a list says about it.
pub(super) fn posting(
    report: Report,
    id: &str,
    name: &str,
    posted_at: &str,
) -> Result<Posting, String> {
    let id = id.trim();
    if id.is_empty() || !id.trim_start_matches('-').chars().all(|c| c.is_ascii_digit()) {
        return Err(format!("document id: expected a number, found {id:?}"));
    }
    Ok(Posting {
        report,
        id: id.to_owned(),
        name: name.to_owned(),
        posted_at: posted(posted_at, is_of_repeated_hour(name))?,
    })
}

/// Tells whether a file's name says that it is of the second run of the repeated hour.
pub(super) fn is_of_repeated_hour(name: &str) -> bool {
    name.to_ascii_lowercase().contains("xhr")
}

/// Reads when something was posted: local time, with or without an offset. Of an hour that comes
/// twice, the second run if the name or the offset says so: late rather than early.
pub(super) fn posted(text: &str, repeated: bool) -> Result<Timestamp, String> {
    let unreadable = || format!("time of posting: expected 2026-01-02T04:27:02, found {text:?}");
    let with_offset: Option<Timestamp> = text.trim().parse().ok();
    let with_offset = with_offset.filter(|at| YEARS.contains(&local(*at).year()));
    let Ok(wall) = text.trim().parse::<DateTime>() else {
        // Zulu time has no wall clock.
        return with_offset.ok_or_else(unreadable);
    };
    if !YEARS.contains(&wall.year()) {
        return Err(unreadable());
    }
    let first = match instant(wall.date(), wall.time()) {
        Ok(first) => first,
        Err(MarketTimeError::Skipped(_)) => return with_offset.ok_or_else(unreadable),
        Err(MarketTimeError::Malformed(_)) => return Err(unreadable()),
    };
    let second = first + SignedDuration::from_hours(1);
    let comes_twice = local(second) == wall;
    let is_second = comes_twice && (repeated || with_offset == Some(second));
    Ok(if is_second { second } else { first })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, name: &str, expected: &str) {
        let posting = posting(Report::Lmp, "7", name, text).unwrap();
        assert_eq!(posting.posted_at.to_string(), expected, "{text} {name}");
    }

    #[test]
    fn local_time_becomes_utc_whatever_the_offset_says() {
        check("2026-07-19T08:05:20-05:00", "RTMLZHBSPP_2026", "2026-07-19T13:05:20Z");
        check("2026-01-02T04:27:02", "a", "2026-01-02T10:27:02Z");
        check("2026-01-02 04:27:02.5", "a", "2026-01-02T10:27:02.5Z");
        check("2026-01-02T10:27:02Z", "a", "2026-01-02T10:27:02Z");
        // The offset of the hour before the change, an hour after it.
        check("2024-11-03T02:05:20-05:00", "a", "2024-11-03T08:05:20Z");
    }

    #[test]
    fn the_repeated_hour_is_told_by_the_name_or_the_offset() {
        check("2024-11-03T01:05:20", "LMPS_20241103_010015_csv", "2024-11-03T06:05:20Z");
        check("2024-11-03T01:05:20", "LMPS_20241103_010015xhr_csv", "2024-11-03T07:05:20Z");
        check("2024-11-03T01:05:20-05:00", "LMPS_20241103_010015XHR_csv", "2024-11-03T07:05:20Z");
        check("2024-11-03T01:05:20-05:00", "LMPS_20241103_010015_csv", "2024-11-03T06:05:20Z");
        check("2024-11-03T01:05:20-06:00", "SCEDBTCNP686_csv", "2024-11-03T07:05:20Z");
        // The last file of the repeated hour is posted after it.
        check("2024-11-03T02:00:20", "LMPS_20241103_015515xhr_csv", "2024-11-03T08:00:20Z");
    }

    #[test]
    fn an_entry_that_cannot_be_read_says_why() {
        let reason = |id, at| posting(Report::Lmp, id, "a", at).unwrap_err();
        assert_eq!(reason("", "2026-01-02T04:27:02"), "document id: expected a number, found \"\"");
        assert!(reason("../etc", "2026-01-02T04:27:02").starts_with("document id"));
        assert!(reason("-7", "yesterday").starts_with("time of posting"));
        // The wall clock skipped 02:30 on that day.
        assert!(reason("7", "2024-03-10T02:30:00").starts_with("time of posting"));
        assert!(posting(Report::Lmp, "-7", "a", "2024-03-10T02:30:00-06:00").is_ok());
        for end in ["9999-12-31T23:59:59", "9999-12-30T22:00:00Z", "-009999-01-02T00:00:00"] {
            assert!(reason("7", end).starts_with("time of posting"), "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(
            text in "\\PC{0,30}|-?[0-9]{4,6}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?",
            repeated: bool,
        ) {
            if let Ok(at) = posted(&text, repeated) {
                prop_assert!(YEARS.contains(&local(at).year()));
            }
        }
    }
}
