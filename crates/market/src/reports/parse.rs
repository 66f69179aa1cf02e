//! The way in: what ERCOT posted, or a page of its API, to [`Contents`].
//!
//! A posting's observations could be read when it was posted; in a bundle, when the name of the
//! file inside says. Rows that state it themselves are believed. Rows of the API that do not
//! state it follow the rule of their series (`source::publication`).

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::csv::CsvRows;
use super::json::JsonRows;
use super::reading::Reading;
use super::sink::{Publication, Sink};
use super::subject::Row;
use super::unpack::{Member, is_zip, unpack};
use super::{Contents, Posting, Report, ReportError, Wanted};
use crate::time::{Instants, instants};

/// Of the files in a bundle, as many may be unusable; else the bundle is.
const BAD_FILES_SHARE_MAX: f64 = 0.05;

/// One page of rows of the Public API.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// What the API says about the page.
    pub meta: PageMeta,
    /// What its rows say.
    pub contents: Contents,
}

/// What the API says about a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageMeta {
    /// How many rows all pages have.
    pub total_records: u64,
    /// How many rows a page has at most.
    pub page_size: u64,
    /// How many pages there are.
    pub total_pages: u64,
    /// Which page this is, counted from 1.
    pub current_page: u64,
}

/// Reads what was posted: a zip, a zip of zips, a CSV file, or rows in JSON.
pub fn parse(posting: &Posting, bytes: &[u8], wanted: &Wanted) -> Result<Contents, ReportError> {
    let refused = |file: &str, reason: String| ReportError {
        report: posting.report,
        file: file.to_owned(),
        reason,
    };
    let posted_at = Publication::PostedAt(posting.posted_at);
    let mut sink = Sink::new(posted_at);
    let mut files = 0_usize;
    let mut bad_files: Vec<(String, String)> = Vec::new();
    unpack(&posting.name, bytes, |member| {
        files += 1;
        sink.publish(member_posted_at(&member).map_or(posted_at, Publication::PostedAt));
        let table = member.bytes.map(|bytes| (posting.report, member.name, bytes));
        if let Err(reason) = table.and_then(|table| read_file(table, wanted, &mut sink)) {
            if bad_files.len() < BAD_FILES_MAX {
                sink.complain_of_file(member.name, reason.clone());
            }
            bad_files.push((member.name.to_owned(), reason));
        }
    })
    .map_err(|reason| refused(&posting.name, reason))?;
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 files")]
    let (bad, all) = (bad_files.len() as f64, files as f64);
    match bad_files.into_iter().next() {
        None if files == 0 => Err(refused(&posting.name, "is an empty zip".to_owned())),
        None => Ok(sink.finish()),
        Some((file, reason)) if files == 1 => Err(refused(&file, reason)),
        Some((file, reason)) if all * BAD_FILES_SHARE_MAX < bad => {
            let reason = format!("{bad} of {all} files cannot be used; e.g. {file}: {reason}");
            Err(refused(&posting.name, reason))
        }
        Some(_) => Ok(sink.finish()),
    }
}

/// Of unusable files, no more are named than a person reads.
const BAD_FILES_MAX: usize = 100;

/// Reads a page of rows of the Public API.
pub fn parse_page(
    report: Report,
    endpoint: Option<&str>,
    body: &[u8],
    wanted: &Wanted,
) -> Result<Page, ReportError> {
    let file = endpoint.unwrap_or(report.emil_id());
    let refused = |reason| ReportError { report, file: file.to_owned(), reason };
    let (columns, rows) = JsonRows::new(body).map_err(refused)?;
    let meta =
        rows.meta.ok_or_else(|| refused("has no _meta, so may be one of many".to_owned()))?;
    let meta = PageMeta {
        total_records: meta.total_records,
        page_size: meta.page_size,
        total_pages: meta.total_pages,
        current_page: meta.current_page,
    };
    let mut sink = Sink::new(Publication::ByRule);
    sink.begin(file);
    let mut reading = Reading::new(report, &columns, &mut sink).map_err(refused)?;
    let read = if reading.is_of_use() {
        rows.for_each(|line, cells| read_row(&mut reading, (line, cells), wanted, &mut sink))
    } else {
        Ok(())
    };
    reading.end(file, &mut sink);
    sink.end(read).map_err(refused)?;
    Ok(Page { meta, contents: sink.finish() })
}

fn read_file(
    (report, name, bytes): (Report, &str, &[u8]),
    wanted: &Wanted,
    sink: &mut Sink,
) -> Result<(), String> {
    sink.begin(name);
    match Format::of(bytes)? {
        Format::Json => {
            let (columns, rows) = JsonRows::new(bytes)?;
            let mut reading = Reading::new(report, &columns, sink)?;
            let read = if reading.is_of_use() {
                rows.for_each(|line, cells| read_row(&mut reading, (line, cells), wanted, sink))
            } else {
                Ok(())
            };
            reading.end(name, sink);
            sink.end(read)
        }
        Format::Csv => {
            let (columns, rows) = CsvRows::new(bytes)?;
            let mut reading = Reading::new(report, &columns, sink)?;
            if reading.is_of_use() {
                rows.for_each(|line, cells| read_row(&mut reading, (line, cells), wanted, sink));
            }
            reading.end(name, sink);
            sink.end(Ok(()))
        }
    }
}

/// Reads a row into the sink; tells whether there is hope for the next.
fn read_row(
    reading: &mut Reading<'_>,
    (line, cells): (u64, Result<&[super::cell::Cell<'_>], String>),
    wanted: &Wanted,
    sink: &mut Sink,
) -> bool {
    sink.count_row();
    let read = cells.and_then(|cells| reading.row(Row { cells, line }, wanted, sink));
    if let Err(reason) = read {
        sink.complain(line, reason);
    }
    !sink.is_hopeless()
}

/// How a file is written.
enum Format {
    Csv,
    Json,
}

impl Format {
    fn of(bytes: &[u8]) -> Result<Self, String> {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
        let start = &text[..text.len().min(SNIFFED_BYTES)];
        if is_zip(bytes) {
            return Err("is a zip where a file was expected".to_owned());
        }
        if start.contains(&0) {
            return Err("is no text".to_owned());
        }
        match start.first() {
            None => Err("is empty".to_owned()),
            Some(b'{' | b'[') => Ok(Format::Json),
            Some(b'<') if start.to_ascii_lowercase().windows(5).any(|it| it == b"<html") => {
                Err("is a web page, not a report: ask again later".to_owned())
            }
            Some(b'<') => Err("is XML, which is not read: get the CSV of this posting".to_owned()),
            Some(_) => Ok(Format::Csv),
        }
    }
}

/// Enough to tell one format from another.
const SNIFFED_BYTES: usize = 512;

/// Returns when a file of a bundle was posted on its own.
fn member_posted_at(member: &Member<'_>) -> Option<Timestamp> {
    if !member.has_siblings {
        return None;
    }
    posted_at_of(member.name).or_else(|| posted_at_of(member.zip_name?))
}

/// Returns when a file was posted by the stamp in its name, e.g.
/// `cdr.00012331.0000000000000000.20241102.130034.DAMSPNP4190.csv`. Files posted in the repeated
/// hour have `xhr` in their names.
#[must_use]
pub fn posted_at_of(name: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = name.split('.').take(NAME_PARTS_MAX).collect();
    let local = parts.windows(2).find_map(|pair| {
        let [day, time] = [pair[0], pair[1]];
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_stamp = day.len() == 8 && (6..=9).contains(&time.len());
        if !is_stamp || !are_digits(day) || !are_digits(time) {
            return None;
        }
        let date =
            Date::new(day[..4].parse().ok()?, day[4..6].parse().ok()?, day[6..].parse().ok()?);
        let [hour, minute, second] =
            [0, 2, 4].map(|from| time[from..from + 2].parse().unwrap_or(-1));
        Some(date.ok()?.to_datetime(Time::new(hour, minute, second, 0).ok()?))
    })?;
    match instants(local).ok()? {
        Instants::One(instant) => Some(instant),
        Instants::Two { repeated, .. } if name.to_ascii_lowercase().contains("xhr") => {
            Some(repeated)
        }
        Instants::Two { first, .. } => Some(first),
    }
}

/// ERCOT's names have 6 or 7 parts.
const NAME_PARTS_MAX: usize = 16;
