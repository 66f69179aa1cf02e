//! Stage *collect*: fetches one piece and commits it.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use market::archive::{Batch, FetchedPosting, Reading};
use market::place::Place;
use market::reports::{Contents, Posting, Report, Wanted, parse, parse_page};
use market::source::ercot_api::Downloads;
use market::source::{FetchRequest, SourceError};

use super::FetchWorkspace;
use super::attempt::Attempt;
use super::list::{or_nothing, or_without};
use super::shapes::{Collected, FetchInput, KeyName, Piece, Window};
use crate::jobs::ercot::Ercot;
use crate::jobs::failure::JobError;

/// So many rows come on a page.
const PAGE_ROWS: u32 = 50_000;

/// No window of rows has more pages: some settlement points over a quarter of a year.
const PAGES_MAX: u32 = 100;

/// What is older than this is complete, and need not be asked for again.
const SETTLED: SignedDuration = SignedDuration::from_hours(48);

pub(super) fn collect(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    piece: &Piece,
    attempt: &Attempt<'_>,
) -> Result<Collected, JobError> {
    match piece {
        Piece::Whole { window: Window::Series { key, from, to } } => {
            series(workspace, input, key, (*from, *to))
        }
        Piece::Whole { window: Window::Rows { report, point, from, to } } => {
            let rows = Rows { report: report.0, point: point.as_deref(), from: *from, to: *to };
            or_nothing(report.0, rows.collect(workspace, input, attempt))
        }
        Piece::Whole { window: Window::Weather { previous_day, from, to } } => {
            weather(workspace, input, *previous_day, (*from, *to))
        }
        Piece::Whole { window: Window::Postings { .. } } => Ok(Collected::default()),
        Piece::Postings { report, from_mis, postings } => {
            let postings: Vec<Posting> =
                postings.iter().map(|name| name.posting(report.0)).collect();
            let missing = workspace.archive.uncommitted(&postings)?;
            let collected = collect_postings(workspace, input, (&missing, *from_mis), attempt);
            or_without((input, report.0), attempt, collected)
        }
    }
}

/// Fetches a span of a whole series.
fn series(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    key: &KeyName,
    (from, to): (Timestamp, Timestamp),
) -> Result<Collected, JobError> {
    let source = input.source.open()?;
    let key = key.key()?;
    let request = FetchRequest {
        key: key.clone(),
        published_after: Some(from),
        published_until: to.min(input.now),
    };
    let observations = source.fetch(&request)?;
    let mut batch = Batch::new(&source.id(), workspace.clock.now());
    batch.add(&key, observations);
    let committed = workspace.archive.commit(&batch)?;
    Ok(Collected { observations: committed.observations, ..Collected::default() })
}

/// Fetches a vintage of the weather of a span. One that is archived is not asked for again.
fn weather(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    previous_day: Option<u8>,
    (from, to): (Timestamp, Timestamp),
) -> Result<Collected, JobError> {
    let client = workspace.weather()?;
    let name = format!("{} previous day {previous_day:?} of {from} {to}", client.model().name());
    let is_settled = previous_day.is_some() && to + SETTLED < input.now;
    if is_settled && workspace.archive.imported(&name).is_some() {
        return Ok(Collected::default());
    }
    let forecasts = match previous_day {
        Some(days) => client.previous_day((from, to), days)?,
        None => client.forecast()?,
    };
    let mut batch = Batch::new(&input.source.id()?, workspace.clock.now());
    // All of it is one request, so all of it is kept, whatever was wanted.
    for (key, mut observations) in forecasts {
        observations.retain(|it| from <= it.interval_start && it.interval_start < to);
        batch.add(&key, observations);
    }
    if is_settled {
        batch.record_import(&name, LAST_PAGE);
    }
    let committed = workspace.archive.commit(&batch)?;
    Ok(Collected { observations: committed.observations, ..Collected::default() })
}

/// Fetches postings and commits what was fetched, also when one of them fails: the next attempt
/// goes on behind them.
fn collect_postings(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    (postings, from_mis): (&[Posting], bool),
    attempt: &Attempt<'_>,
) -> Result<Collected, JobError> {
    let ercot = workspace.ercot()?;
    let mut batch = Batch::new(ercot.id(), workspace.clock.now());
    let mut collected = Collected::default();
    let wanted = wanted(input)?;
    let mut outcome = Ok(());
    let mut left = postings.to_vec();
    if !from_mis && 1 < postings.len() {
        let Downloads { files, absent } = together(ercot, postings)?;
        for (posting, bytes) in &files {
            let added = add_posting(&mut batch, &mut collected, posting, (bytes, &wanted), attempt);
            outcome = outcome.and(added);
        }
        left = absent;
    }
    let total = u64::try_from(left.len()).unwrap_or(u64::MAX);
    let mut fetch = |done: u64, posting: &Posting| -> Result<(), JobError> {
        attempt.check_cancelled()?;
        attempt.progress(done, total, &posting.name);
        let bytes = ercot.download(posting, from_mis)?;
        add_posting(&mut batch, &mut collected, posting, (&bytes, &wanted), attempt)
    };
    outcome = outcome.and((0..).zip(&left).try_for_each(|(done, posting)| fetch(done, posting)));
    let committed = workspace.archive.commit(&batch)?;
    outcome?;
    collected.observations = committed.observations;
    collected.postings = committed.postings;
    Ok(collected)
}

/// Downloads postings with one request. ERCOT has refused that for days while single downloads
/// worked, so most failures only mean that each is downloaded alone.
fn together(ercot: &Ercot, postings: &[Posting]) -> Result<Downloads, JobError> {
    match ercot.download_together(postings) {
        Err(JobError::Source(
            error @ (SourceError::RateLimited { .. } | SourceError::Authentication { .. }),
        )) => Err(error.into()),
        Err(_) => Ok(Downloads { files: Vec::new(), absent: postings.to_vec() }),
        downloads => downloads,
    }
}

/// Reads a posting into the batch. One that cannot be read may have come broken: it is fetched
/// again before it is put aside.
fn add_posting(
    batch: &mut Batch,
    collected: &mut Collected,
    posting: &Posting,
    (bytes, wanted): (&Bytes, &Wanted),
    attempt: &Attempt<'_>,
) -> Result<(), JobError> {
    let reading = match parse(posting, bytes, wanted) {
        Ok(contents) => {
            let Contents { observations, complaints, drift, .. } = contents;
            for (key, observations) in observations {
                batch.add(&key, observations);
            }
            collected.complaints += complaints.len();
            Reading::Read { complaints, drift }
        }
        Err(error) if !attempt.is_last() => {
            let (source_name, reason) = ("ERCOT".to_owned(), error.to_string());
            return Err(SourceError::Unusable { source_name, reason }.into());
        }
        Err(error) => {
            collected.quarantined.push(error.to_string());
            Reading::Quarantined { reason: error.to_string() }
        }
    };
    let raw = Some(bytes.clone());
    batch.add_posting(FetchedPosting { posting: posting.clone(), raw, reading });
    Ok(())
}

/// Returns what of a report is wanted: the settlement points among the places.
fn wanted(input: &FetchInput) -> Result<Wanted, JobError> {
    let mut points = std::collections::BTreeSet::new();
    for wanted in &input.wanted {
        if let Place::SettlementPoint(point) = wanted.key.key()?.place {
            points.insert(point);
        }
    }
    Ok(Wanted { settlement_points: Some(points) })
}

/// A window of rows.
#[derive(Clone, Copy, Debug)]
struct Rows<'a> {
    report: Report,
    point: Option<&'a str>,
    from: Timestamp,
    to: Timestamp,
}

impl Rows<'_> {
    /// Fetches page after page and commits each; a page that is archived is not asked for again.
    fn collect(
        &self,
        workspace: &FetchWorkspace,
        input: &FetchInput,
        attempt: &Attempt<'_>,
    ) -> Result<Collected, JobError> {
        let ercot = workspace.ercot()?;
        let wanted = wanted(input)?;
        let is_settled = self.to + SETTLED < input.now;
        let mut collected = Collected::default();
        for page in 1..=PAGES_MAX {
            attempt.check_cancelled()?;
            let name = self.page_name(page);
            let mark = workspace.archive.imported(&name);
            if is_settled && let Some(last) = mark {
                if last == LAST_PAGE {
                    break;
                }
                continue;
            }
            attempt.progress(u64::from(page), u64::from(page), &name);
            let rows =
                ercot.rows(self.report, self.point, (self.from, self.to), (page, PAGE_ROWS))?;
            let page_of = parse_page(self.report, None, &rows, &wanted).map_err(|error| {
                let (source_name, reason) = ("ERCOT".to_owned(), error.to_string());
                SourceError::Unusable { source_name, reason }
            })?;
            let is_last = page_of.meta.total_pages <= u64::from(page);
            let mut batch = Batch::new(ercot.id(), workspace.clock.now());
            for (key, observations) in page_of.contents.observations {
                batch.add(&key, observations);
            }
            collected.complaints += page_of.contents.complaints.len();
            // An empty answer is no proof that there is nothing.
            if is_settled && 0 < page_of.contents.rows {
                batch.record_import(&name, if is_last { LAST_PAGE } else { INNER_PAGE });
            }
            collected.observations += workspace.archive.commit(&batch)?.observations;
            if is_last {
                break;
            }
        }
        Ok(collected)
    }

    fn page_name(&self, page: u32) -> String {
        let Self { report, point, from, to } = self;
        let point = point.unwrap_or("all");
        format!("{} {point} {from} {to} page {page} of {PAGE_ROWS}", report.emil_id())
    }
}

const LAST_PAGE: &str = "last";
const INNER_PAGE: &str = "inner";
