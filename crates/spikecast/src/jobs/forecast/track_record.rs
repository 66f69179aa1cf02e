//! How the forecasts of the ledger did, as far as their hours have passed by the issue time.

use std::collections::BTreeMap;

use forecast::evaluation::log_loss;
use forecast::target::outcomes;
use jiff::Timestamp;
use market::observation::KnownAt;
use market::time::OperatingDay;

use crate::jobs::failure::JobError;
use crate::ledger::{Issue, Ledger, read_forecast, read_provenance};
use crate::report::{TrackRecord, TrackRow};

/// At most this many issue days are scored, the newest first: a year and a bit.
const ISSUE_DAYS_MAX: usize = 400;

#[derive(Default)]
struct Sums {
    hours: u64,
    exceedances: u64,
    log_loss: f64,
    climatology: f64,
}

/// Scores the issued forecasts of one source: of every issue day the one that was issued last.
pub(super) fn track_record(
    ledger: &Ledger,
    view: &KnownAt<'_>,
    source_id: &str,
) -> Result<TrackRecord, JobError> {
    let mut by_day: BTreeMap<OperatingDay, Issue> = BTreeMap::new();
    for issue in ledger.issues()? {
        if issue.issue_time < view.instant() && read_provenance(&issue.path)?.source_id == source_id
        {
            by_day.insert(OperatingDay::of(issue.issue_time), issue);
        }
    }
    let mut by_threshold: BTreeMap<u64, (f64, Sums)> = BTreeMap::new();
    let mut scored: Vec<Timestamp> = Vec::new();
    for issue in by_day.into_values().rev().take(ISSUE_DAYS_MAX) {
        let mut any = false;
        for row in read_forecast(&issue.path)? {
            let outcome = outcomes(view, &row.settlement_point, [&row.target.hour])[0];
            let Some(exceeded) = outcome.exceeds(row.threshold) else { continue };
            any = true;
            let threshold = row.threshold.value();
            let (_, sums) =
                by_threshold.entry(threshold.to_bits()).or_insert((threshold, Sums::default()));
            sums.hours += 1;
            sums.exceedances += u64::from(exceeded);
            sums.log_loss += log_loss(row.prediction.probability, exceeded);
            sums.climatology += log_loss(row.prediction.climatology, exceeded);
        }
        if any {
            scored.push(issue.issue_time);
        }
    }
    let (Some(last), Some(first)) = (scored.first(), scored.last()) else {
        let sentence = "No issued forecast has met its prices yet: run it every morning, and from the day after tomorrow its record stands here.";
        return Ok(TrackRecord::NoneScored { sentence: sentence.to_owned() });
    };
    let day =
        |instant: &Timestamp| OperatingDay::of(*instant).date().strftime("%-d %b %Y").to_string();
    Ok(TrackRecord::Scored {
        period: format!("{} issue days, {} to {}", scored.len(), day(first), day(last)),
        rows: by_threshold.into_values().map(|(threshold, sums)| row(threshold, &sums)).collect(),
    })
}

fn row(threshold: f64, sums: &Sums) -> TrackRow {
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let mean = |sum: f64| sum / sums.hours as f64;
    TrackRow {
        threshold,
        hours: sums.hours,
        exceedances: sums.exceedances,
        log_loss: mean(sums.log_loss),
        climatology_log_loss: mean(sums.climatology),
    }
}
