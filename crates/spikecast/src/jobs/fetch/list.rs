//! Stages *list* and *plan*: which postings there are, and who fetches which.

use market::reports::Posting;
use orchestration::{StageContext, StageFailure};

use super::FetchWorkspace;
use super::shapes::{FetchInput, Piece, PostingName, ReportName, Window};
use super::windows::is_wanted;
use crate::jobs::failure::JobError;

/// So many postings are fetched and committed together.
const POSTINGS_TOGETHER: usize = 24;

/// Lists a window's postings; a window that needs no list is one piece.
pub(super) fn list(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    window: &Window,
    stage: &StageContext,
) -> Result<Vec<Piece>, JobError> {
    let Window::Postings { report, from_mis, from, to } = window else {
        return Ok(vec![Piece::Whole { window: window.clone() }]);
    };
    let ercot = workspace.ercot()?;
    let mut postings = if *from_mis {
        ercot.mis().postings(report.0)?.postings
    } else {
        ercot.archived(report.0, *from, *to, stage)?
    };
    postings.retain(|posting| {
        *from <= posting.posted_at
            && posting.posted_at < *to
            && is_wanted(report.0, posting.posted_at, input.vintages)
    });
    Ok(pieces(*report, *from_mis, &postings))
}

fn pieces(report: ReportName, from_mis: bool, postings: &[Posting]) -> Vec<Piece> {
    let chunks = postings.chunks(POSTINGS_TOGETHER);
    let names = |chunk: &[Posting]| chunk.iter().map(PostingName::of).collect();
    chunks.map(|chunk| Piece::Postings { report, from_mis, postings: names(chunk) }).collect()
}

/// Gathers what the lists say and leaves out the postings that are archived already.
pub(super) fn plan(
    workspace: &FetchWorkspace,
    stage: &StageContext,
) -> Result<Vec<Piece>, JobError> {
    // Of lists that failed there is nothing; *check* finds what is missing for it.
    let lists: Vec<Option<Vec<Piece>>> =
        stage.output_as("list").map_err(|failure: StageFailure| intermediate(&failure))?;
    let mut wanted = Vec::new();
    for piece in lists.into_iter().flatten().flatten() {
        let Piece::Postings { report, from_mis, postings } = piece else {
            wanted.push(piece);
            continue;
        };
        let given: Vec<Posting> = postings.iter().map(|name| name.posting(report.0)).collect();
        let missing = workspace.archive.uncommitted(&given)?;
        wanted.extend(pieces(report, from_mis, &missing));
    }
    Ok(wanted)
}

fn intermediate(failure: &StageFailure) -> JobError {
    JobError::Intermediate(failure.message.clone())
}
