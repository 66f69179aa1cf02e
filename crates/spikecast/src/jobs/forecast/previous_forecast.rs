//! What stands in for *infer*: the forecast before this one, read for the hours of today's horizon.
//!
//! Hours that it spoke about keep its word. Beyond its end, the usual speaks: the climatology that
//! it gives for the same hour of its last day. Nothing is read but the ledger, so that it can stand
//! in whatever else is broken.

use std::collections::BTreeMap;
use std::sync::Arc;

use forecast::horizon::{TargetHour, horizon};
use forecast::model::Prediction;
use jiff::Timestamp;
use market::place::SettlementPoint;
use market::time::{OperatingDay, display};
use market::units::DollarsPerMwh;
use orchestration::{StageContext, StageOutput, StageResult};

use super::infer::provenance;
use super::shapes::{ForecastInput, InferOutput};
use super::workspace::Workspace;
use crate::jobs::deadline::speaks_about;
use crate::jobs::failure::JobError;
use crate::ledger::{ForecastRow, Ledger, read_forecast, read_provenance, write_forecast};
use crate::quality::Quality;

/// A forecast that is older has nothing to say about the first of today's hours.
const AGE_DAYS_MAX: i32 = 2;

pub(super) fn repeat(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> StageResult {
    let quality = Quality::because(&["the previous forecast speaks again".to_owned()]);
    let ledger = Ledger::in_folder(workspace.data_dir.ledger());
    let earlier = newest(&ledger, input)?;
    let rows = for_horizon(&earlier, input.issue_time, &quality);
    let path = workspace.data_dir.work_of(stage.run_id()).join("forecast.parquet");
    write_forecast(&path, &rows, &provenance(input)?).map_err(JobError::from)?;
    StageOutput::of(&InferOutput { path, rows: rows.len() })
}

/// Reads the newest forecast from the same source of the same settlement points and thresholds.
fn newest(ledger: &Ledger, input: &ForecastInput) -> Result<Vec<ForecastRow>, JobError> {
    let source_id = input.source.id()?;
    let today = OperatingDay::of(input.issue_time);
    let mut issues = Vec::new();
    for back in 0..=AGE_DAYS_MAX {
        // The newest comes first.
        issues.extend(ledger.issues_of(today.plus_days(-back))?.into_iter().rev());
    }
    for issue in issues.into_iter().filter(|issue| issue.issue_time <= input.issue_time) {
        // A damaged file must not keep an older one from speaking.
        let (Ok(provenance), Ok(rows)) = (read_provenance(&issue.path), read_forecast(&issue.path))
        else {
            continue;
        };
        if provenance.source_id == source_id && speaks_about(&rows, &input.targets)? {
            return Ok(rows);
        }
    }
    let message = format!(
        "no forecast of the last days before {} could stand in for a new one",
        display(input.issue_time)
    );
    Err(JobError::NotEnoughData(message))
}

type Subject = (SettlementPoint, u64);

fn subject_of(row: &ForecastRow) -> Subject {
    (row.settlement_point.clone(), row.threshold.value().to_bits())
}

/// Reads an earlier forecast for the hours after `issue_time`'s day.
fn for_horizon(
    earlier: &[ForecastRow],
    issue_time: Timestamp,
    quality: &Quality,
) -> Vec<ForecastRow> {
    let quality: Arc<str> = quality.to_string().into();
    let mut said: BTreeMap<Subject, Vec<&ForecastRow>> = BTreeMap::new();
    let mut order: Vec<(SettlementPoint, Vec<DollarsPerMwh>)> = Vec::new();
    for row in earlier {
        said.entry(subject_of(row)).or_default().push(row);
        let known = order.iter().position(|(point, _)| *point == row.settlement_point);
        let at = known.unwrap_or_else(|| {
            order.push((row.settlement_point.clone(), Vec::new()));
            order.len() - 1
        });
        if !order[at].1.contains(&row.threshold) {
            order[at].1.push(row.threshold);
        }
    }
    let mut rows = Vec::new();
    for (point, thresholds) in &order {
        for target in horizon(issue_time) {
            for threshold in thresholds {
                let subject = (point.clone(), threshold.value().to_bits());
                let word = said.get(&subject).and_then(|rows| word_about(rows, &target));
                rows.extend(word.map(|(prediction, source)| ForecastRow {
                    issue_time,
                    target,
                    settlement_point: point.clone(),
                    threshold: *threshold,
                    prediction,
                    model_version: Arc::clone(&source.model_version),
                    quality: Arc::clone(&quality),
                }));
            }
        }
    }
    rows
}

/// Returns what was said about an hour, or what is usual in the same hour of the last day.
fn word_about<'r>(
    rows: &[&'r ForecastRow],
    target: &TargetHour,
) -> Option<(Prediction, &'r ForecastRow)> {
    if let Some(row) = rows.iter().find(|row| row.target.hour.start == target.hour.start) {
        return Some((row.prediction, row));
    }
    let ending = target.hour.hour_ending;
    let same_hour = rows.iter().rev().find(|row| row.target.hour.hour_ending == ending);
    // An hour that the last day did not have is taken for the one before it.
    let row = same_hour.or_else(|| rows.last())?;
    let Prediction { climatology, climatology_recent, .. } = row.prediction;
    let usual = Prediction {
        probability: climatology,
        lower: climatology.min(climatology_recent),
        upper: climatology.max(climatology_recent),
        ..row.prediction
    };
    Some((usual, row))
}

#[cfg(test)]
mod tests {
    use market::time::parse_local;

    use super::*;

    /// Says the lead day's number in tenths, and that one in a hundred is usual.
    fn forecast(issue: &str) -> Vec<ForecastRow> {
        let issue_time = parse_local(issue).unwrap();
        let prediction = |lead_day: u8| Prediction {
            probability: f64::from(lead_day) / 10.0,
            lower: 0.05,
            upper: 0.5,
            climatology: 0.01,
            climatology_recent: 0.02,
            persistence: 0.3,
            logistic: 0.4,
            boosted_trees: 0.5,
        };
        let row = |target: TargetHour| ForecastRow {
            issue_time,
            target,
            settlement_point: SettlementPoint::new("HB_WEST").unwrap(),
            threshold: DollarsPerMwh::new(100.0).unwrap(),
            prediction: prediction(target.lead_day),
            model_version: "m".into(),
            quality: "fresh".into(),
        };
        horizon(issue_time).into_iter().map(row).collect()
    }

    fn check(earlier: &str, now: &str, expected: &[(usize, f64)]) {
        let quality = Quality::Degraded(vec!["old".to_owned()]);
        let rows = for_horizon(&forecast(earlier), parse_local(now).unwrap(), &quality);
        let mut runs: Vec<(usize, f64)> = Vec::new();
        for row in &rows {
            let probability = row.prediction.probability;
            match runs.last_mut() {
                Some((count, same)) if same.total_cmp(&probability).is_eq() => *count += 1,
                _ => runs.push((1, probability)),
            }
        }
        assert_eq!(runs, expected, "{earlier} for {now}");
        assert!(rows.iter().all(|row| row.quality.as_ref() == "degraded: old"));
    }

    #[test]
    fn hours_that_were_forecast_keep_their_probability_and_the_usual_follows() {
        check("2026-01-27T06:00", "2026-01-28T06:00", &[(24, 0.2), (24, 0.3), (24, 0.01)]);
        check("2026-01-27T06:00", "2026-01-27T09:30", &[(24, 0.1), (24, 0.2), (24, 0.3)]);
        check("2026-01-27T06:00", "2026-01-29T06:00", &[(24, 0.3), (48, 0.01)]);
    }

    #[test]
    fn days_of_23_and_25_hours_are_filled() {
        check("2026-03-05T06:00", "2026-03-06T06:00", &[(24, 0.2), (23, 0.3), (24, 0.01)]);
        check("2026-10-29T06:00", "2026-10-30T06:00", &[(24, 0.2), (25, 0.3), (24, 0.01)]);
        check("2026-10-30T06:00", "2026-10-31T06:00", &[(25, 0.2), (24, 0.3), (24, 0.01)]);
    }
}
