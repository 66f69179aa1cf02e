//! How the forecasts of the ledger did, as far as their hours have passed by the issue time.

use std::collections::{BTreeMap, BTreeSet};

use forecast::evaluation::log_loss;
use forecast::model::Prediction;
use forecast::target::outcomes;
use market::observation::KnownAt;
use market::place::SettlementPoint;
use market::time::OperatingDay;

use crate::jobs::failure::JobError;
use crate::ledger::{Ledger, read_forecast, read_provenance};
use crate::report::{TrackRecord, TrackRow};

/// At most this many issue days are scored, the newest first: a year and a bit.
const ISSUE_DAYS_MAX: usize = 400;

#[derive(Default)]
struct Sums {
    hours: u64,
    exceedances: u64,
    log_loss: f64,
    climatologies: [f64; 2],
}

/// Of one issue day, point and threshold (its bits), the forecast that was issued last counts.
type Subject = (OperatingDay, SettlementPoint, u64);

/// Scores the issued forecasts of one source. Files that cannot be read are counted, not fatal:
/// they must not keep today's forecast from being published.
pub(super) fn track_record(
    ledger: &Ledger,
    view: &KnownAt<'_>,
    source_id: &str,
) -> Result<TrackRecord, JobError> {
    let mut by_threshold: BTreeMap<u64, (f64, Sums)> = BTreeMap::new();
    let mut spoken: BTreeSet<Subject> = BTreeSet::new();
    let mut days: BTreeSet<OperatingDay> = BTreeSet::new();
    let mut unreadable = 0;
    for issue in ledger.issues()?.into_iter().rev() {
        let day = OperatingDay::of(issue.issue_time);
        if view.instant() <= issue.issue_time || days.len() == ISSUE_DAYS_MAX {
            continue;
        }
        let rows = match read_provenance(&issue.path) {
            Ok(provenance) if provenance.source_id != source_id => continue,
            Ok(_) => read_forecast(&issue.path),
            Err(error) => Err(error),
        };
        let Ok(rows) = rows else {
            unreadable += 1;
            continue;
        };
        let mut speaks: BTreeSet<Subject> = BTreeSet::new();
        for row in rows {
            let bits = row.threshold.value().to_bits();
            let subject = (day, row.settlement_point.clone(), bits);
            let outcome = outcomes(view, &row.settlement_point, [&row.target.hour])[0];
            let Some(exceeded) = outcome.exceeds(row.threshold) else { continue };
            if spoken.contains(&subject) {
                continue;
            }
            let sums =
                &mut by_threshold.entry(bits).or_insert((row.threshold.value(), Sums::default())).1;
            sums.add(&row.prediction, exceeded);
            speaks.insert(subject);
            days.insert(day);
        }
        spoken.extend(speaks);
    }
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        let sentence = "No issued forecast has met its prices yet: run it every morning, and from the day after tomorrow its record stands here.";
        return Ok(TrackRecord::NoneScored { sentence: sentence.to_owned() });
    };
    let words = |day: &OperatingDay| day.date().strftime("%-d %b %Y").to_string();
    let noun = if days.len() == 1 { "issue day" } else { "issue days" };
    let lost = match unreadable {
        0 => String::new(),
        count => format!("; {count} damaged files of the ledger left out"),
    };
    Ok(TrackRecord::Scored {
        period: format!("{} {noun}, {} to {}{lost}", days.len(), words(first), words(last)),
        rows: by_threshold.into_values().map(|(threshold, sums)| row(threshold, &sums)).collect(),
    })
}

impl Sums {
    fn add(&mut self, prediction: &Prediction, exceeded: bool) {
        self.hours += 1;
        self.exceedances += u64::from(exceeded);
        self.log_loss += log_loss(prediction.probability, exceeded);
        self.climatologies[0] += log_loss(prediction.climatology, exceeded);
        self.climatologies[1] += log_loss(prediction.climatology_recent, exceeded);
    }
}

fn row(threshold: f64, sums: &Sums) -> TrackRow {
    #[expect(clippy::cast_precision_loss, reason = "row counts")]
    let mean = |sum: f64| sum / sums.hours as f64;
    TrackRow {
        threshold,
        hours: sums.hours,
        exceedances: sums.exceedances,
        log_loss: mean(sums.log_loss),
        climatology_log_loss: mean(sums.climatologies[0].min(sums.climatologies[1])),
    }
}
