//! Stage *check*: what is missing though it should be there by now.

use jiff::{SignedDuration, Timestamp};
use market::observation::{Series, SeriesKey};
use market::reports::Report;
use market::source::publication::PublicationRule;
use orchestration::StageContext;

use super::FetchWorkspace;
use super::list::intermediate;
use super::shapes::{Collected, FetchInput, FetchOutcome, Gap};
use crate::jobs::failure::JobError;

/// What is late by less than this is not missing yet.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);

pub(super) fn check(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    stage: &StageContext,
) -> Result<FetchOutcome, JobError> {
    let mut collected = Collected::default();
    let pieces: Vec<Collected> =
        stage.output_as("collect").map_err(|failure| intermediate(&failure))?;
    pieces.iter().for_each(|piece| collected.add(piece));
    let mut gaps = Vec::new();
    for name in &input.keys {
        let key = name.key()?;
        let Some(to) = due(&key, input) else { continue };
        let found = workspace.archive.gaps(std::slice::from_ref(&key), (input.from, to))?;
        let is_told = |gap: &market::archive::Gap| !is_skipped_run(key.series, gap.intervals());
        gaps.extend(found.into_iter().filter(is_told).map(|gap| Gap {
            key: name.clone(),
            from: gap.from,
            to: gap.to,
            intervals: gap.intervals(),
        }));
    }
    Ok(FetchOutcome { collected, gaps })
}

/// Tells whether a gap is as short as SCED itself leaves it: a dozen slots a year have no run, and
/// the price of the run before stays in effect.
fn is_skipped_run(series: Series, intervals: i64) -> bool {
    intervals == 1 && series.interval() == Series::RealTimeLmp.interval()
}

/// Returns until when intervals of a series should be there; `None` for vintages, whose intervals
/// lie before and behind what is asked for, and for what comes when it comes.
fn due(key: &SeriesKey, input: &FetchInput) -> Option<Timestamp> {
    if Report::publishing(key) == Some(Report::ShadowPrices) {
        return None;
    }
    let mut rule = PublicationRule::of(key.series)?;
    let mut to = input.to;
    // Publication only ever gets later with the interval.
    let step = SignedDuration::from_hours(1);
    while input.from < to && input.now < rule.published_at(to - step) + PATIENCE {
        to -= step;
    }
    (input.from < to).then_some(to)
}
