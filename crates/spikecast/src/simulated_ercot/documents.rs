//! The files that ERCOT posts: which there are by now, what they are called, what is in them.
//!
//! An id says which report was published when, so that it is the same in every process and after
//! every restart.

use std::io::{Cursor, Write};

use jiff::{SignedDuration, Timestamp};
use market::reports::Report;
use market::source::SourceError;
use market::time::{OperatingDay, local, market_zone};
use serde_json::{Value, json};
use twox_hash::XxHash64;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::faults::{FaultPlan, PostingFault};
use super::layouts::{Attachment, LAYOUTS, Layout, Page, Stamp, is_repeated};
use super::table::{Cell, Column, Row};
use super::world::World;

/// One of so many postings is posted a second time, as ERCOT does when a posting failed.
const POSTINGS_PER_RETRY: u64 = 61;

/// Postings of so many days are looked through at once; a year and a month.
pub(super) const DAYS_MAX: i32 = 400;

/// One file that ERCOT posted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document {
    pub(super) layout: &'static Layout,
    /// When the simulated market published what is in it.
    pub(super) published_at: Timestamp,
    /// When it appeared.
    pub(super) posted_at: Timestamp,
    /// The start of the first interval that it is about.
    interval_start: Timestamp,
    is_retry: bool,
}

const ID_KINDS: i64 = 100;
const RETRY: i64 = 50;

impl Document {
    /// Returns the id by which it is downloaded.
    pub(super) fn id(&self) -> i64 {
        let report = Report::ALL.iter().position(|it| *it == self.layout.report);
        let report = report.and_then(|it| i64::try_from(it).ok()).unwrap_or_default();
        let retry = if self.is_retry { RETRY } else { 0 };
        self.published_at.as_second() * ID_KINDS + report + retry
    }

    /// Returns its name without what kind of file it is.
    fn stem(&self) -> String {
        let Layout { stem, stamp, .. } = self.layout;
        let retry = if self.is_retry { "_retry" } else { "" };
        let end = self.interval_start + SignedDuration::from_mins(15);
        let (instant, format) = match stamp {
            Stamp::Posted => (self.posted_at, ""),
            Stamp::ScedRun => (self.interval_start, "_%Y%m%d_%H%M%S"),
            Stamp::IntervalEnd => (end, "_%Y%m%d_%H%M"),
        };
        let separator = if *stamp == Stamp::Posted { "_" } else { "" };
        let extra_hour =
            if is_repeated(instant) { format!("{separator}xhr") } else { String::new() };
        format!("{stem}{retry}{}{extra_hour}", local(instant).strftime(format))
    }

    /// Returns what people read in a list.
    pub(super) fn friendly_name(&self) -> String {
        format!("{}_csv", self.stem())
    }

    /// Returns the zip file's name.
    pub(super) fn zip_name(&self) -> String {
        // ERCOT's names have milliseconds that nothing else knows.
        let milliseconds = self.id().rem_euclid(1_000);
        format!("{}{milliseconds:03}.{}_csv.zip", self.beginning(), self.stem())
    }

    fn beginning(&self) -> String {
        let report_type = self.layout.report.facts().report_type_id;
        let posted = local(self.posted_at).strftime("%Y%m%d.%H%M%S").to_string();
        format!("cdr.{report_type:08}.0000000000000000.{posted}")
    }

    /// Returns its entry in a list of the MIS.
    pub(super) fn mis_entry(&self) -> Value {
        let name = self.stem();
        // ERCOT writes the summer's offset in the repeated hour too; the name tells them apart.
        let is_wrong = is_repeated(self.posted_at) && name.contains("xhr");
        let published = if is_wrong {
            local(self.posted_at).strftime("%Y-%m-%dT%H:%M:%S-05:00").to_string()
        } else {
            let zoned = self.posted_at.to_zoned_datetime(market_zone().clone());
            zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        };
        json!({ "Document": {
            "DocID": self.id().to_string(),
            "ConstructedName": self.zip_name(),
            "FriendlyName": self.friendly_name(),
            "PublishDate": published,
        } })
    }
}

/// What is posted by now: the world, as far as the faults let it appear.
#[derive(Clone, Copy, Debug)]
pub(super) struct Postings<'a> {
    pub(super) world: &'a World,
    pub(super) faults: &'a FaultPlan,
    pub(super) now: Timestamp,
}

impl Postings<'_> {
    /// Returns the postings of what was published on some days, oldest first.
    pub(super) fn of_days(
        &self,
        layout: &'static Layout,
        first: OperatingDay,
        last: OperatingDay,
    ) -> Result<Vec<Document>, SourceError> {
        let mut documents = Vec::new();
        let mut day = first.max(self.world.first_day());
        let last = last.min(OperatingDay::of(self.now));
        while day <= last {
            let publications = layout.publications(self.world, day)?;
            for (published_at, interval_start) in publications {
                documents.extend(self.posted(layout, published_at, interval_start));
            }
            day = day.plus_days(1);
        }
        documents.sort_by_key(|document| document.posted_at);
        Ok(documents)
    }

    /// Returns the postings that appeared between two instants, both included, oldest first, and
    /// those that were posted twice also for the second time.
    pub(super) fn between(
        &self,
        layout: &'static Layout,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Document>, SourceError> {
        let delayed = self.faults.longest_delay();
        let first = OperatingDay::of(from - delayed);
        let documents = self.of_days(layout, first, OperatingDay::of(to))?;
        let mut found = Vec::with_capacity(documents.len());
        for document in documents {
            let again = Document { is_retry: true, ..document };
            found.push(document);
            found.extend(is_posted_again(&document).then_some(again));
        }
        found.retain(|document| from <= document.posted_at && document.posted_at <= to);
        Ok(found)
    }

    /// Returns the document with an id, if it is posted.
    pub(super) fn with_id(&self, id: i64) -> Result<Option<Document>, SourceError> {
        let Some(layout) = layout_of(id) else { return Ok(None) };
        let second = id.div_euclid(ID_KINDS);
        let Ok(published_at) = Timestamp::from_second(second) else { return Ok(None) };
        if self.now < published_at {
            return Ok(None);
        }
        let day = OperatingDay::of(published_at);
        let documents = self.of_days(layout, day, day)?;
        let again = documents.iter().filter(|it| is_posted_again(it));
        let again = again.map(|document| Document { is_retry: true, ..*document });
        Ok(documents.iter().copied().chain(again).find(|document| document.id() == id))
    }

    fn posted(
        &self,
        layout: &'static Layout,
        published_at: Timestamp,
        interval_start: Timestamp,
    ) -> Option<Document> {
        let posted_at = match self.faults.of_posting(layout.report, published_at) {
            PostingFault::None => published_at,
            PostingFault::Late(delay) => published_at + delay,
            PostingFault::Missing => return None,
        };
        let is_retry = false;
        let document = Document { layout, published_at, posted_at, interval_start, is_retry };
        (posted_at <= self.now).then_some(document)
    }

    /// Returns a posting's rows, changed as a fault wants it.
    pub(super) fn rows(
        &self,
        document: &Document,
        change: Change<'_>,
    ) -> Result<Vec<Row>, SourceError> {
        let snapshot = self.world.at(document.published_at);
        let mut rows = document.layout.rows(&Page { snapshot, posted_at: document.posted_at })?;
        change.rows(&mut rows);
        Ok(rows)
    }

    /// Returns the zip file with the CSV file, or several.
    pub(super) fn zip(
        &self,
        document: &Document,
        change: Change<'_>,
    ) -> Result<Vec<u8>, SourceError> {
        let columns = document.layout.columns_at(document.published_at);
        let text = csv(columns, &self.rows(document, change)?, change);
        let name = format!("{}.{}.csv", document.beginning(), document.stem());
        let mut files = vec![(name, text.into_bytes())];
        for Attachment { stem, columns, rows } in document.layout.attachments() {
            let posted = local(document.posted_at).strftime("%m%d%Y_%H%M%S").to_string();
            let mut rows = rows();
            change.rows(&mut rows);
            files.push((format!("{stem}_{posted}.csv"), csv(columns, &rows, change).into_bytes()));
        }
        Ok(zip_of(files))
    }
}

/// Returns how the report is written that an id is of, if there is one.
pub(super) fn layout_of(id: i64) -> Option<&'static Layout> {
    let report = usize::try_from(id.rem_euclid(ID_KINDS) % RETRY).ok()?;
    let report = Report::ALL.get(report)?;
    LAYOUTS.into_iter().find(|layout| layout.report == *report)
}

fn is_posted_again(document: &Document) -> bool {
    let seed = 0x5e7c;
    XxHash64::oneshot(seed, &document.id().to_le_bytes()).is_multiple_of(POSTINGS_PER_RETRY)
}

/// What a fault does to a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Change<'a> {
    #[default]
    None,
    /// The first name becomes the second one.
    Renamed(&'a str, &'a str),
    /// Every other row stands there twice.
    Duplicated,
    /// No row is there.
    Emptied,
}

impl<'a> Change<'a> {
    pub(super) fn rows(self, rows: &mut Vec<Row>) {
        match self {
            Change::None | Change::Renamed(..) => {}
            Change::Emptied => rows.clear(),
            Change::Duplicated => {
                let all = std::mem::take(rows).into_iter().enumerate();
                *rows =
                    all.flat_map(|(n, row)| vec![row; if n % 2 == 0 { 2 } else { 1 }]).collect();
            }
        }
    }

    /// Returns what a column is called now.
    pub(super) fn name(self, name: &'a str) -> &'a str {
        match self {
            Change::Renamed(from, to) if from.eq_ignore_ascii_case(name) => to,
            _ => name,
        }
    }
}

fn csv(columns: &[Column], rows: &[Row], change: Change<'_>) -> String {
    let in_file = |column: &&Column| column.csv.is_some();
    let names: Vec<&str> = columns.iter().filter_map(|column| column.csv).collect();
    let names: Vec<&str> = names.into_iter().map(|name| change.name(name)).collect();
    let mut text = names.join(",") + "\n";
    for row in rows {
        let cells = columns.iter().zip(row).filter(|(column, _)| in_file(column));
        let cells: Vec<String> = cells.map(|(column, cell)| column.write_csv(cell)).collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// Returns the naive local time in a list of the API.
pub(super) fn naive(instant: Timestamp) -> String {
    local(instant).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Packs files into a zip file.
pub(super) fn zip_of(files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name, options).expect("names are short and memory is no disk");
        writer.write_all(&bytes).expect("memory is no disk");
    }
    writer.finish().expect("memory is no disk").into_inner()
}

/// Tells whether a cell lies in a range of cells of its kind.
pub(super) fn is_within(cell: &Cell, from: Option<&Cell>, to: Option<&Cell>) -> bool {
    let order = |other: &Cell| match (cell, other) {
        (Cell::Day(a), Cell::Day(b)) => Some(a.cmp(b)),
        (Cell::Instant(a), Cell::Instant(b)) => Some(a.cmp(b)),
        (Cell::Hour(a), Cell::Hour(b)) => Some(a.cmp(b)),
        (Cell::Whole(a), Cell::Whole(b)) => Some(a.cmp(b)),
        (Cell::Number(a), Cell::Number(b)) => a.partial_cmp(b),
        (Cell::Text(a), Cell::Text(b)) => Some(a.cmp(b)),
        // Of a column that has only minutes and seconds.
        (Cell::Instant(a), Cell::Text(b)) => Some(a.strftime("%M:%S").to_string().cmp(b)),
        (Cell::Flag(a), Cell::Flag(b)) => Some(a.cmp(b)),
        _ => None,
    };
    from.is_none_or(|from| order(from).is_some_and(std::cmp::Ordering::is_ge))
        && to.is_none_or(|to| order(to).is_some_and(std::cmp::Ordering::is_le))
}
