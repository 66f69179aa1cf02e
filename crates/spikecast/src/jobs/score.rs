//! How the forecasts did of which the hours of a past day were the targets.
//!
//! Of each issue day the forecast counts that was issued last. What was found is kept in a file of
//! its own for each day; a day that is scored again, because prices were corrected, gets a further
//! file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use forecast::evaluation::{Drift, brier, log_loss};
use forecast::target::outcomes;
use jiff::Timestamp;
use jiff::civil::Date;
use market::observation::KnownAt;
use market::table::write_atomically;
use market::time::OperatingDay;
use serde::{Deserialize, Serialize};

use super::failure::JobError;
use super::forecast::Workspace;
use super::running_scores::{RunningScores, Selection};
use crate::ledger::{ForecastRow, Ledger, read_forecast, read_provenance};
use crate::notifications::{Notice, ThresholdScore};
use crate::operations::ScoreRequest;

/// The version of the files that this program writes and reads.
const VERSION: u32 = 1;
/// A day is the target of the forecasts of so many days before it.
const LEAD_DAYS: i32 = forecast::horizon::LEAD_DAYS as i32;
/// Skill is judged over so many scored days …
const JUDGED_DAYS: i32 = 30;
/// … of which so many must be there …
const JUDGED_DAYS_MIN: usize = 20;
/// … with so many exceedances, because fewer are luck.
const EXCEEDANCES_MIN: u64 = 5;
/// Forecasts that lose so much more than the climatology are worth a word.
const LOSS_RATIO_MAX: f64 = 1.1;

/// Whether hours of which the prices are not in are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// They are waited for.
    Awaited,
    /// They are left out and counted.
    LeftOut,
}

/// What the stage gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The file.
    pub path: PathBuf,
    /// Target hours with a known outcome, over settlement points, thresholds and lead days.
    pub hours: u64,
    /// What people should be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// The scores of one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayScores {
    /// The version of this shape.
    pub version: u32,
    /// The operating day that was forecast.
    pub day: Date,
    /// Where observations come from.
    pub source_id: String,
    /// Prices that were published later do not count.
    pub known_at: Timestamp,
    /// By settlement point, threshold and lead day.
    pub rows: Vec<ScoreRow>,
}

/// Sums over the hours of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScoreRow {
    /// Where.
    pub settlement_point: String,
    /// $/MWh.
    pub threshold: f64,
    /// How many operating days after its issue day.
    pub lead_day: u8,
    /// Hours with a known outcome.
    pub hours: u64,
    /// Hours without one.
    pub unknown: u64,
    /// Hours above the threshold.
    pub exceedances: u64,
    /// Sum of squared errors of the probability.
    pub brier: f64,
    /// Sum of log-losses, in nats.
    pub log_loss: f64,
    /// Sums of log-losses of the climatologies: of all years, and of the last 365 days.
    pub climatology_log_loss: [f64; 2],
}

/// Scores a day and keeps what was found.
pub fn score(
    workspace: &Workspace,
    request: &ScoreRequest,
    unknown: Unknown,
) -> Result<Scored, JobError> {
    let day = OperatingDay::new(request.day);
    let source_id = request.source.id()?;
    let history = workspace.history_of(&request.source, &request.targets)?;
    let ledger = Ledger::in_folder(workspace.data_dir.ledger());
    let rows = rows_about(&ledger, &source_id, day)?;
    let rows = scores_of(&rows, &history.known_at(request.known_at));
    let missing: u64 = rows.iter().map(|row| row.unknown).sum();
    if unknown == Unknown::Awaited && 0 < missing {
        return Err(JobError::Incomplete(format!("prices of {day} are not all in yet")));
    }
    let hours = rows.iter().map(|row| row.hours).sum();
    let (day, known_at) = (request.day, request.known_at);
    let scores = DayScores { version: VERSION, day, source_id: source_id.clone(), known_at, rows };
    let folder = workspace.data_dir.scores();
    let path = keep(&folder, &scores)?;
    let notice = skill_notice(&folder, &source_id, request.day)?;
    Ok(Scored { path, hours, notice })
}

/// Returns what was said about a day: by the last forecast of each issue day.
fn rows_about(
    ledger: &Ledger,
    source_id: &str,
    day: OperatingDay,
) -> Result<Vec<ForecastRow>, JobError> {
    let mut last: BTreeMap<OperatingDay, PathBuf> = BTreeMap::new();
    for lead_days in 1..=LEAD_DAYS {
        let issue_day = day.plus_days(-lead_days);
        for issue in ledger.issues_of(issue_day)? {
            if read_provenance(&issue.path)?.source_id == source_id {
                last.insert(issue_day, issue.path);
            }
        }
    }
    let mut rows = Vec::new();
    for path in last.values() {
        rows.extend(read_forecast(path)?);
    }
    rows.retain(|row| row.target.hour.operating_day == day);
    Ok(rows)
}

fn scores_of(rows: &[ForecastRow], view: &KnownAt<'_>) -> Vec<ScoreRow> {
    let mut by_subject: BTreeMap<(String, u64, u8), ScoreRow> = BTreeMap::new();
    for row in rows {
        let (point, threshold) = (row.settlement_point.name(), row.threshold.value());
        let subject = (point.to_owned(), threshold.to_bits(), row.target.lead_day);
        let sums = by_subject.entry(subject).or_insert_with(|| ScoreRow {
            settlement_point: point.to_owned(),
            threshold,
            lead_day: row.target.lead_day,
            hours: 0,
            unknown: 0,
            exceedances: 0,
            brier: 0.0,
            log_loss: 0.0,
            climatology_log_loss: [0.0; 2],
        });
        let outcome = outcomes(view, &row.settlement_point, [&row.target.hour])[0];
        match outcome.exceeds(row.threshold) {
            None => sums.unknown += 1,
            Some(exceeded) => sums.add(row, exceeded),
        }
    }
    by_subject.into_values().collect()
}

impl ScoreRow {
    fn add(&mut self, row: &ForecastRow, exceeded: bool) {
        let prediction = &row.prediction;
        self.hours += 1;
        self.exceedances += u64::from(exceeded);
        self.brier += brier(prediction.probability, exceeded);
        self.log_loss += log_loss(prediction.probability, exceeded);
        self.climatology_log_loss[0] += log_loss(prediction.climatology, exceeded);
        self.climatology_log_loss[1] += log_loss(prediction.climatology_recent, exceeded);
    }
}

/// Keeps the scores of a day; the same again changes nothing.
fn keep(folder: &Path, scores: &DayScores) -> Result<PathBuf, JobError> {
    let mut path = folder.join(format!("{}.json", scores.day));
    for copy in 2.. {
        match DayScores::read(&path) {
            None if !path.exists() => break,
            Some(kept) if kept.rows == scores.rows && kept.source_id == scores.source_id => {
                return Ok(path);
            }
            Some(_) | None => path = folder.join(format!("{}.{copy}.json", scores.day)),
        }
    }
    write_atomically(&path, |out| {
        serde_json::to_writer_pretty(&mut *out, scores)?;
        out.write_all(b"\n")
    })?;
    Ok(path)
}

impl DayScores {
    /// Reads a file; `None` if it cannot be read or is of another version.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let scores: Self = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
        (scores.version == VERSION).then_some(scores)
    }
}

/// Says so if the forecasts of the last scored days did worse than the climatology, or than
/// forecasts used to do. Files that cannot be read are left out: they must not keep a day from
/// being scored.
fn skill_notice(folder: &Path, source_id: &str, until: Date) -> Result<Option<Notice>, JobError> {
    let record = RunningScores::read(folder, source_id, Some(until))?;
    let since = OperatingDay::new(until).plus_days(1 - JUDGED_DAYS).date();
    let days = record.days.iter().filter(|day| since <= day.day).count();
    let mut scores = Vec::new();
    let mut is_worth_telling = false;
    for threshold in record.thresholds() {
        let judged = Selection { threshold, lead_day: None, since: Some(since) };
        let Some(pooled) = record.pooled(judged) else { continue };
        let is_bad = JUDGED_DAYS_MIN <= days
            && EXCEEDANCES_MIN <= pooled.exceedances
            && LOSS_RATIO_MAX * pooled.climatology_log_loss < pooled.log_loss;
        is_worth_telling |= is_bad || matches!(record.drift(threshold), Drift::Worse(_));
        scores.push(ThresholdScore {
            threshold,
            hours: pooled.hours,
            exceedances: pooled.exceedances,
            log_loss: pooled.log_loss,
            climatology_log_loss: pooled.climatology_log_loss,
        });
    }
    let days = u32::try_from(days).unwrap_or(u32::MAX);
    Ok(is_worth_telling.then_some(Notice::SkillDegraded { until, days, scores }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps days of which the log-loss is that of `loss`; the climatologies lose 2 and 3.
    fn keep_days(folder: &Path, loss: impl Fn(i32) -> f64) -> Date {
        let first = OperatingDay::new("2025-10-01".parse().unwrap());
        for number in 0..150 {
            let day = first.plus_days(number).date();
            let row = ScoreRow {
                settlement_point: "HB_WEST".to_owned(),
                threshold: 100.0,
                lead_day: 1,
                hours: 24,
                unknown: 0,
                exceedances: 1,
                brier: 0.5,
                // Days differ a little, as they do.
                log_loss: loss(number) * (1.0 + 0.1 * f64::from(number * 7 % 5 - 2)),
                climatology_log_loss: [3.0, 2.0],
            };
            let scores = DayScores {
                version: VERSION,
                day,
                source_id: "files-1".to_owned(),
                known_at: Timestamp::UNIX_EPOCH,
                rows: vec![row],
            };
            keep(folder, &scores).unwrap();
        }
        first.plus_days(149).date()
    }

    fn told(loss: impl Fn(i32) -> f64) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let until = keep_days(folder.path(), loss);
        skill_notice(folder.path(), "files-1", until).unwrap().is_some()
    }

    #[test]
    fn forecasts_that_lose_to_climatology_or_to_their_own_past_are_told_of() {
        assert!(!told(|_| 1.2), "as good as ever");
        assert!(told(|_| 2.5), "a quarter worse than climatology");
        assert!(told(|day| if day < 122 { 1.2 } else { 1.7 }), "still better than climatology");
    }
}
