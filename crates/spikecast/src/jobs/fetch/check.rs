//! Stage *check*: what is missing though it should be there by now, and what cannot be right.

use jiff::{SignedDuration, Timestamp};
use market::archive::{Query, Vintages};
use market::observation::{Series, SeriesKey};
use market::quality::{Check, DayExamined, DayPostings, QualityLimits, Verdict};
use market::reports::Report;
use market::source::publication::PublicationRule;
use market::time::{OperatingDay, display};
use orchestration::StageContext;

use super::FetchWorkspace;
use super::list::intermediate;
use super::shapes::{Collected, FailingDay, FetchInput, FetchOutcome, Gap, KeyName, WantedSpan};
use super::windows::published;
use crate::jobs::failure::JobError;
use crate::jobs::source::SourceChoice;

/// What is late by less than this is not missing yet.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);

/// Looks for what is missing or cannot be right. Fails when there is any: the repair asks the
/// other routes for it before this is tried again.
pub(super) fn check(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    stage: &StageContext,
) -> Result<FetchOutcome, JobError> {
    let outcome = tell(workspace, input, stage)?;
    match outcome.is_sound() {
        true => Ok(outcome),
        false => Err(JobError::Incomplete(summary(&outcome))),
    }
}

/// Tells what is missing or cannot be right, when nothing more can be done about it.
pub(super) fn tell(
    workspace: &FetchWorkspace,
    input: &FetchInput,
    stage: &StageContext,
) -> Result<FetchOutcome, JobError> {
    let mut collected = Collected::default();
    let pieces: Vec<Collected> =
        stage.output_as("collect").map_err(|failure| intermediate(&failure))?;
    pieces.iter().for_each(|piece| collected.add(piece));
    let (gaps, failing) = (gaps(workspace, input)?, failing_days(workspace, input)?);
    for gap in &gaps {
        collected.quarantined.extend(put_aside(workspace, gap)?);
    }
    collected.quarantined.sort();
    collected.quarantined.dedup();
    Ok(FetchOutcome { collected, gaps, failing })
}

fn summary(outcome: &FetchOutcome) -> String {
    let gap = outcome.gaps.first().map(|gap| {
        let Gap { key, from, intervals, .. } = gap;
        let (from, count) = (display(*from), outcome.gaps.len());
        let KeyName { series, place } = key;
        format!(
            "{count} gaps, the first of {intervals} intervals of {series} at {place} from {from}"
        )
    });
    let day = outcome.failing.first().map(|day| {
        let FailingDay { key, day, found } = day;
        format!("{} of {} at {place}: {found}", day, key.series, place = key.place)
    });
    gap.into_iter().chain(day).collect::<Vec<_>>().join("; ")
}

/// Returns what is missing though it should be there by now.
pub(super) fn gaps(workspace: &FetchWorkspace, input: &FetchInput) -> Result<Vec<Gap>, JobError> {
    let mut gaps = Vec::new();
    for wanted in &input.wanted {
        let key = wanted.key.key()?;
        let due = match input.source {
            // Of the weather every hour that has passed has vintages.
            SourceChoice::OpenMeteo => Some(wanted.to.min(input.as_of)),
            _ => due(&key, wanted, input.as_of),
        };
        let Some(to) = due.filter(|to| wanted.from < *to) else { continue };
        let found = workspace.archive.gaps(std::slice::from_ref(&key), (wanted.from, to))?;
        let is_told = |gap: &market::archive::Gap| !is_skipped_run(key.series, gap.intervals());
        gaps.extend(found.into_iter().filter(is_told).map(|gap| Gap {
            key: wanted.key.clone(),
            from: gap.from,
            to: gap.to,
            intervals: gap.intervals(),
        }));
    }
    Ok(gaps)
}

/// Returns why postings were put aside that could have filled a gap, whoever fetched them.
fn put_aside(workspace: &FetchWorkspace, gap: &Gap) -> Result<Vec<String>, JobError> {
    let mut reasons = Vec::new();
    for (report, span) in published(&gap.key.key()?, (gap.from, gap.to)) {
        let postings = workspace.archive.postings(report, span)?;
        reasons.extend(postings.into_iter().filter_map(|posting| posting.quarantined));
    }
    Ok(reasons)
}

/// Returns the days with values that the series cannot have.
pub(super) fn failing_days(
    workspace: &FetchWorkspace,
    input: &FetchInput,
) -> Result<Vec<FailingDay>, JobError> {
    // Values are judged here, not the postings that they came from.
    let postings = DayPostings::default();
    let mut failing = Vec::new();
    for wanted in &input.wanted {
        let (key, to) = (wanted.key.key()?, wanted.to.min(input.now));
        if to <= wanted.from {
            continue;
        }
        let query = Query { key, from: wanted.from, to, vintages: Vintages::All };
        let columns = workspace.archive.read(&query)?;
        let (mut day, last) = (OperatingDay::of(wanted.from), OperatingDay::of(to));
        while day <= last {
            let examined = DayExamined {
                key: &query.key,
                day,
                now: input.now,
                columns: &columns,
                postings: &postings,
            };
            let verdict = Check::Range.judge(&examined, &QualityLimits::default());
            if let Verdict::Failed { found } = verdict {
                let (key, day) = (wanted.key.clone(), day.date());
                failing.push(FailingDay { key, day, found });
            }
            day = day.plus_days(1);
        }
    }
    Ok(failing)
}

/// Tells whether a gap is as short as SCED itself leaves it: a dozen slots a year have no run, and
/// the price of the run before stays in effect.
fn is_skipped_run(series: Series, intervals: i64) -> bool {
    intervals == 1 && series.interval() == Series::RealTimeLmp.interval()
}

/// Returns until when intervals of a series should be there; `None` for vintages, whose intervals
/// lie before and behind what is asked for, and for what comes when it comes.
fn due(key: &SeriesKey, wanted: &WantedSpan, as_of: Timestamp) -> Option<Timestamp> {
    if Report::publishing(key) == Some(Report::ShadowPrices) {
        return None;
    }
    let mut rule = PublicationRule::of(key.series)?;
    let mut to = wanted.to;
    // Publication only ever gets later with the interval.
    let step = SignedDuration::from_hours(1);
    while wanted.from < to && as_of < rule.published_at(to - step) + PATIENCE {
        to -= step;
    }
    (wanted.from < to).then_some(to)
}
