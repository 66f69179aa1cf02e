//! Stages *list* and *plan*: which postings there are, and who fetches which.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use market::reports::{Cadence, Posting, Report};
use market::source::SourceError;
use market::table::write_atomically;
use orchestration::{RunId, StageContext, StageFailure};

use super::FetchWorkspace;
use super::attempt::Attempt;
use super::shapes::{FetchInput, Piece, PostingName, Purpose, ReportName, Window};
use super::windows::is_wanted;
use crate::jobs::failure::JobError;

/// So many postings are fetched and committed together.
const POSTINGS_TOGETHER: usize = 24;

/// Lists a window's postings; a window that needs no list is one piece.
pub(super) fn list(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    window: &Window,
    attempt: &Attempt<'_>,
) -> Result<Vec<Piece>, JobError> {
    let Window::Postings { report, from_mis, from, to } = window else {
        return Ok(vec![Piece::Whole { window: window.clone() }]);
    };
    let ercot = workspace.ercot()?;
    let listed = if *from_mis {
        ercot.mis().postings(report.0).map(|list| list.postings).map_err(JobError::from)
    } else {
        ercot.archived(report.0, (*from, *to), || attempt.check_cancelled())
    };
    let listed = or_nothing(report.0, listed);
    let mut postings = or_without((input, report.0), attempt, listed)?;
    postings.retain(|posting| *from <= posting.posted_at && posting.posted_at < *to);
    // The newest is always wanted: it has the latest actual values.
    let newest = postings.iter().map(|posting| posting.posted_at).max();
    postings.retain(|posting| {
        Some(posting.posted_at) == newest || is_wanted(report.0, posting.posted_at, input.vintages)
    });
    Ok(pieces(*report, *from_mis, &postings))
}

/// Of a report that is posted when there is a reason there may be nothing, not even a list.
pub(super) fn or_nothing<T: Default>(
    report: Report,
    listed: Result<T, JobError>,
) -> Result<T, JobError> {
    let is_as_needed = report.facts().cadence == Cadence::AsNeeded;
    match listed {
        Err(JobError::Source(SourceError::Missing { .. })) if is_as_needed => Ok(T::default()),
        other => other,
    }
}

/// A forecast that can do without a report is not degraded by a server that keeps it back.
pub(super) fn or_without<T: Default>(
    (input, report): (&FetchInput, Report),
    attempt: &Attempt<'_>,
    fetched: Result<T, JobError>,
) -> Result<T, JobError> {
    let can_do_without = input.purpose == Purpose::Forecast && report.is_extra();
    match fetched {
        Err(JobError::Source(
            SourceError::Unavailable { .. }
            | SourceError::Missing { .. }
            | SourceError::Unusable { .. },
        )) if can_do_without && attempt.is_last() => Ok(T::default()),
        other => other,
    }
}

fn pieces(report: ReportName, from_mis: bool, postings: &[Posting]) -> Vec<Piece> {
    let chunks = postings.chunks(POSTINGS_TOGETHER);
    let names = |chunk: &[Posting]| chunk.iter().map(PostingName::of).collect();
    chunks.map(|chunk| Piece::Postings { report, from_mis, postings: names(chunk) }).collect()
}

/// Gathers what the lists say and leaves out the postings that are archived already. The pieces of
/// years are more than the journal takes, so they go to a file; it gets their number.
pub(super) fn plan(workspace: &FetchWorkspace, stage: &StageContext) -> Result<usize, JobError> {
    let lists: Vec<Vec<Piece>> =
        stage.output_as("list").map_err(|failure: StageFailure| intermediate(&failure))?;
    let mut wanted = Vec::new();
    for piece in lists.into_iter().flatten() {
        let Piece::Postings { report, from_mis, postings } = piece else {
            wanted.push(piece);
            continue;
        };
        let given: Vec<Posting> = postings.iter().map(|name| name.posting(report.0)).collect();
        let missing = workspace.archive.uncommitted(&given)?;
        wanted.extend(pieces(report, from_mis, &missing));
    }
    write_atomically(&pieces_file(workspace, stage.run_id()), |out| {
        for piece in &wanted {
            serde_json::to_writer(&mut *out, piece)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    Ok(wanted.len())
}

/// Reads back one of the pieces that were planned.
pub(super) fn planned(
    workspace: &FetchWorkspace,
    run: RunId,
    number: usize,
) -> Result<Piece, JobError> {
    let path = pieces_file(workspace, run);
    let damaged = || JobError::Intermediate(path.display().to_string());
    let file = File::open(&path).map_err(|_| damaged())?;
    let line = BufReader::new(file).lines().nth(number).ok_or_else(damaged)?;
    serde_json::from_str(&line.map_err(|_| damaged())?).map_err(|_| damaged())
}

fn pieces_file(workspace: &FetchWorkspace, run: RunId) -> PathBuf {
    workspace.data_dir.work_of(run).join("pieces.jsonl")
}

pub(super) fn intermediate(failure: &StageFailure) -> JobError {
    JobError::Intermediate(failure.message.clone())
}
