//! The repair before *check* is tried again: what is missing is asked for on the other routes.
//!
//! It goes by the archive alone, so that it can be done again after a crash.

use market::source::SourceError;
use market::time::OperatingDay;
use orchestration::CancellationToken;

use super::FetchWorkspace;
use super::attempt::Attempt;
use super::check::{failing_days, gaps};
use super::collect::collect;
use super::list::list;
use super::shapes::{Collected, FetchInput, Piece, WantedSpan};
use super::windows::other_windows;
use crate::jobs::failure::JobError;
use crate::jobs::source::SourceChoice;

/// Fetches what is missing or failing by the other routes. What these lack too stays missing.
pub(super) fn mend(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    cancellation: &CancellationToken,
) -> Result<(), JobError> {
    if !matches!(input.source, SourceChoice::Ercot) {
        // There is no other route.
        return Ok(());
    }
    for window in other_windows(&missing(workspace, input)?, input.now)? {
        let listed = list(workspace, input, &window, &Attempt::of_repair(1, cancellation));
        for piece in or_none(listed)? {
            or_none(collect_patiently(workspace, input, &piece, cancellation))?;
        }
    }
    Ok(())
}

/// What comes broken is fetched again before it is put aside.
fn collect_patiently(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    piece: &Piece,
    cancellation: &CancellationToken,
) -> Result<Collected, JobError> {
    let mut number = 1;
    loop {
        let attempt = Attempt::of_repair(number, cancellation);
        match collect(workspace, input, piece, &attempt) {
            Err(JobError::Source(SourceError::Unusable { .. })) if !attempt.is_last() => {
                number += 1;
            }
            other => return other,
        }
    }
}

fn or_none<T: Default>(result: Result<T, JobError>) -> Result<T, JobError> {
    match result {
        Err(JobError::Source(SourceError::Missing { .. })) => Ok(T::default()),
        other => other,
    }
}

fn missing(workspace: &FetchWorkspace, input: &FetchInput) -> Result<Vec<WantedSpan>, JobError> {
    let gaps = gaps(workspace, input)?.into_iter();
    let mut missing: Vec<WantedSpan> =
        gaps.map(|gap| WantedSpan { key: gap.key, from: gap.from, to: gap.to }).collect();
    for failing in failing_days(workspace, input)? {
        let day = OperatingDay::new(failing.day);
        let (from, to) = (day.start(), day.end());
        missing.push(WantedSpan { key: failing.key, from, to });
    }
    Ok(missing)
}
