//! What reports become: layouts of every age, both clock changes, broken lines, real files.

mod arbitrary;
mod broken;
mod layouts;
mod pages;
mod recorded;
mod zips;

use jiff::Timestamp;

use super::*;
use crate::observation::SeriesKey;
use crate::place::Place;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A posting of the autumn; reports that say nothing else were published then.
const POSTED: &str = "2026-10-01T12:00:00Z";

fn posting(report: Report, name: &str) -> Posting {
    Posting { report, id: "1".to_owned(), name: name.to_owned(), posted_at: at(POSTED) }
}

fn read(report: Report, file: &str) -> Contents {
    parse(&posting(report, "file.csv"), file.as_bytes(), &Wanted::default()).unwrap()
}

fn refusal(report: Report, file: &str) -> String {
    let posting = posting(report, "file.csv");
    parse(&posting, file.as_bytes(), &Wanted::default()).unwrap_err().to_string()
}

/// Writes contents as one line for each observation: series, place, interval, value, and the time
/// of publication unless it is that of the posting.
fn lines(contents: &Contents) -> Vec<String> {
    let mut lines = Vec::new();
    for (SeriesKey { series, place }, observations) in &contents.observations {
        for o in observations {
            let published = match o.published_at == at(POSTED) {
                true => String::new(),
                false => format!(" ({})", o.published_at),
            };
            let (name, start, value) = (series.name(), o.interval_start, o.value);
            lines.push(format!("{name} {place} {start} {value}{published}"));
        }
    }
    lines
}

fn check(report: Report, file: &str, expected: &[&str]) {
    let contents = read(report, file);
    assert_eq!(lines(&contents), expected);
    assert_eq!(contents.complaints, [], "{report:?}");
    assert_eq!(contents.drift, BTreeSet::new(), "{report:?}");
}
