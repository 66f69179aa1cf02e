//! Judges archived days: reads what `market::quality` wants to see of the archive.

use std::collections::BTreeMap;

use jiff::Timestamp;
use market::archive::{Archive, ArchiveError, CommittedPosting, Query, Vintages};
use market::observation::SeriesKey;
use market::quality::{DayExamined, DayPostings, DayQuality, QualityLimits};
use market::reports::Report;
use market::time::OperatingDay;

/// What is usual is learnt from so many days before the one that is judged.
const HISTORY_DAYS: i32 = 56;

/// Which days are judged.
#[derive(Clone, Copy, Debug)]
pub struct Days {
    /// The first one.
    pub first: OperatingDay,
    /// The last one, included.
    pub last: OperatingDay,
    /// What is not due by then is not missed.
    pub as_of: Timestamp,
}

/// What became of a series.
#[derive(Clone, Debug)]
pub struct SeriesQuality {
    /// Which, where.
    pub key: SeriesKey,
    /// Every day; empty if nothing of the series was ever archived.
    pub days: Vec<DayQuality>,
}

/// Judges the days of some series.
pub fn examine(
    archive: &Archive,
    keys: &[SeriesKey],
    days: Days,
) -> Result<Vec<SeriesQuality>, ArchiveError> {
    let mut postings: BTreeMap<Report, Vec<CommittedPosting>> = BTreeMap::new();
    let mut examined = Vec::new();
    for key in keys {
        let report = Report::publishing(key);
        if let Some(report) = report
            && !postings.contains_key(&report)
        {
            let span = (days.first.start(), days.last.end());
            postings.insert(report, archive.postings(report, span)?);
        }
        let of_report = report.and_then(|report| postings.get(&report));
        let of_report = of_report.map(Vec::as_slice).unwrap_or_default();
        examined.push(examine_series(archive, key, of_report, days)?);
    }
    Ok(examined)
}

fn examine_series(
    archive: &Archive,
    key: &SeriesKey,
    postings: &[CommittedPosting],
    days: Days,
) -> Result<SeriesQuality, ArchiveError> {
    let mut quality = SeriesQuality { key: key.clone(), days: Vec::new() };
    if archive.newest_publication(key)?.is_none() {
        return Ok(quality);
    }
    let (from, to) = (days.first.plus_days(-HISTORY_DAYS).start(), days.last.end());
    let query = Query { key: key.clone(), from, to, vintages: Vintages::All };
    let columns = archive.read(&query)?;
    let limits = QualityLimits::default();
    let mut day = days.first;
    while day <= days.last {
        let columns = &columns.between(day.plus_days(-HISTORY_DAYS).start(), day.end());
        let postings = &of_the_day(postings, day);
        let examined = DayExamined { key, day, now: days.as_of, columns, postings };
        quality.days.push(DayQuality::of(&examined, &limits));
        day = day.plus_days(1);
    }
    Ok(quality)
}

/// Sums up the postings of a day.
fn of_the_day(postings: &[CommittedPosting], day: OperatingDay) -> DayPostings {
    let mut sum = DayPostings::default();
    let is_of_day = |it: &&CommittedPosting| {
        day.start() <= it.posting.posted_at && it.posting.posted_at < day.end()
    };
    for it in postings.iter().filter(is_of_day) {
        sum.quarantined += u64::from(it.quarantined.is_some());
        sum.complaints += it.complaints_total;
        sum.drift.extend(it.drift.iter().cloned());
    }
    sum
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;
    use market::archive::{ArchiveLocation, Batch, FetchedPosting, Reading};
    use market::observation::{Observation, Series};
    use market::place::SettlementPoint;
    use market::quality::{Check, Verdict};
    use market::reports::Posting;

    use super::*;

    fn key(series: Series) -> SeriesKey {
        SeriesKey::at(series, &SettlementPoint::new("HB_HUBAVG").unwrap())
    }

    /// Posts the hours of a day at 12:32 CDT on the day before.
    fn post(archive: &Archive, of: OperatingDay, reading: Reading) {
        let posted_at = of.plus_days(-1).start() + jiff::SignedDuration::from_mins(12 * 60 + 32);
        let mut batch = Batch::new("mis", posted_at);
        if matches!(reading, Reading::Read { .. }) {
            let hours = of.hours().into_iter().map(|hour| hour.start);
            let observations = hours.map(|start| Observation {
                interval_start: start,
                published_at: posted_at,
                value: 20.0,
            });
            batch.add(&key(Series::DayAheadSpp), observations);
        }
        let (report, name) = (Report::DayAheadSpp, format!("{of}.zip"));
        let posting = Posting { report, id: of.to_string(), name, posted_at };
        batch.add_posting(FetchedPosting { posting, raw: None, reading });
        archive.commit(&batch).unwrap();
    }

    #[test]
    fn every_day_is_judged_by_its_values_and_its_own_postings() {
        let folder = tempfile::tempdir().unwrap();
        let location = ArchiveLocation::Folder(folder.path().to_path_buf());
        let archive = Archive::open(&location).unwrap();
        let day = |number| OperatingDay::new(date(2024, 8, number));
        let read = |drift: &[&str]| {
            let drift: BTreeSet<String> = drift.iter().map(|it| (*it).to_owned()).collect();
            Reading::Read { complaints: Vec::new(), drift }
        };
        post(&archive, day(19), read(&[]));
        post(&archive, day(20), read(&["unknown column Mood"]));
        post(&archive, day(21), Reading::Quarantined { reason: "torn".to_owned() });
        let days = Days { first: day(18), last: day(21), as_of: day(22).start() };
        let keys = [key(Series::DayAheadSpp), key(Series::RealTimeLmp)];
        let judged = examine(&archive, &keys, days).unwrap();
        let verdicts: Vec<String> = judged[0]
            .days
            .iter()
            .map(|day| {
                let of = |wanted: Check| {
                    let found = day.verdicts.iter().find(|(check, _)| *check == wanted);
                    match &found.unwrap().1 {
                        Verdict::Passed => "+",
                        Verdict::Suspect { .. } => "?",
                        Verdict::Failed { .. } => "-",
                        Verdict::Unknown { .. } => "0",
                    }
                };
                format!("{} {}{}", day.day, of(Check::Coverage), of(Check::Drift))
            })
            .collect();
        // What is about the 20th was posted on the 19th.
        assert_eq!(verdicts, ["2024-08-18 -+", "2024-08-19 +?", "2024-08-20 +-", "2024-08-21 -+"]);
        assert!(judged[1].days.is_empty(), "prices in real time were never archived");
    }
}
