//! The track record as it grows: what the files of scored days say together, over all of them and over
//! the last weeks, and whether the forecast has become worse.

use std::collections::BTreeMap;
use std::path::Path;

use forecast::evaluation::{DayLoss, Drift, Interval, drift, skill_interval};
use jiff::civil::Date;
use market::time::OperatingDay;

use super::failure::JobError;
use super::score::{DayScores, ScoreRow};

/// The scored days of one source, oldest first; of a day that was scored again, the last word.
#[derive(Clone, Debug, Default)]
pub struct RunningScores {
    /// The days.
    pub days: Vec<DayScores>,
    /// How many files could not be read.
    pub unreadable: usize,
}

/// Which scores are pooled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selection {
    /// $/MWh.
    pub threshold: f64,
    /// A lead day, or all of them.
    pub lead_day: Option<u8>,
    /// Days before this one are left out.
    pub since: Option<Date>,
}

/// Scores over many days.
#[derive(Clone, Debug, PartialEq)]
pub struct PooledScores {
    /// Days with a scored hour.
    pub days: usize,
    /// Hours with a known outcome.
    pub hours: u64,
    /// How many of them exceeded.
    pub exceedances: u64,
    /// Mean Brier score.
    pub brier: f64,
    /// Mean log-loss.
    pub log_loss: f64,
    /// Mean log-loss of the tougher climatology.
    pub climatology_log_loss: f64,
    /// 1 − log-loss / that of the climatology.
    pub skill: f64,
    /// Its 90 % interval; nothing before there are enough weeks.
    pub skill_interval: Option<Interval>,
}

const SEED: u64 = 20_240_101;

impl RunningScores {
    /// Reads the scored days of a source up to a day, or all.
    pub fn read(folder: &Path, source_id: &str, until: Option<Date>) -> Result<Self, JobError> {
        let listed = match std::fs::read_dir(folder) {
            Ok(listed) => listed,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => {
                let message = format!(
                    "{}: cannot be listed ({error}); check its permissions",
                    folder.display()
                );
                return Err(JobError::Configuration(message));
            }
        };
        let mut scores = Self::default();
        let mut last: BTreeMap<Date, (u32, DayScores)> = BTreeMap::new();
        for path in listed.filter_map(Result::ok).map(|entry| entry.path()) {
            let Some((day, copy)) = named(&path) else { continue };
            if until.is_some_and(|until| until < day) {
                continue;
            }
            match DayScores::read(&path) {
                None => scores.unreadable += 1,
                Some(read) if read.source_id != source_id => {}
                Some(read) => {
                    let is_newer = last.get(&day).is_none_or(|(kept, _)| *kept < copy);
                    if is_newer {
                        last.insert(day, (copy, read));
                    }
                }
            }
        }
        scores.days = last.into_values().map(|(_, scores)| scores).collect();
        Ok(scores)
    }

    /// Returns every threshold, ascending.
    #[must_use]
    pub fn thresholds(&self) -> Vec<f64> {
        let rows = self.days.iter().flat_map(|day| &day.rows);
        let mut thresholds: Vec<f64> = rows.map(|row| row.threshold).collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup_by(|a, b| a.total_cmp(b).is_eq());
        thresholds
    }

    /// Returns every lead day, ascending.
    #[must_use]
    pub fn lead_days(&self) -> Vec<u8> {
        let rows = self.days.iter().flat_map(|day| &day.rows);
        let mut lead_days: Vec<u8> = rows.map(|row| row.lead_day).collect();
        lead_days.sort_unstable();
        lead_days.dedup();
        lead_days
    }

    /// Pools scores; `None` without a scored hour.
    #[must_use]
    pub fn pooled(&self, selection: Selection) -> Option<PooledScores> {
        let days: Vec<(Date, ScoreRow)> = self
            .days
            .iter()
            .filter(|day| selection.since.is_none_or(|since| since <= day.day))
            .filter_map(|day| Some((day.day, sum(day, selection)?)))
            .collect();
        let mut total = days.first()?.1.clone();
        days[1..].iter().for_each(|(_, row)| add(&mut total, row));
        let tougher = usize::from(total.climatology_log_loss[1] < total.climatology_log_loss[0]);
        #[expect(clippy::cast_precision_loss, reason = "hours of years")]
        let mean = |sum: f64| sum / total.hours as f64;
        let weeks: Vec<(i64, f64, f64)> = days
            .iter()
            .map(|(day, row)| {
                let start = OperatingDay::new(*day).start().as_second();
                (start, row.log_loss, row.climatology_log_loss[tougher])
            })
            .collect();
        let climatology_log_loss = mean(total.climatology_log_loss[tougher]);
        Some(PooledScores {
            days: days.len(),
            hours: total.hours,
            exceedances: total.exceedances,
            brier: mean(total.brier),
            log_loss: mean(total.log_loss),
            climatology_log_loss,
            skill: 1.0 - mean(total.log_loss) / climatology_log_loss,
            skill_interval: skill_interval(&weeks, SEED),
        })
    }

    /// Says whether the forecast has become worse at a threshold.
    #[must_use]
    pub fn drift(&self, threshold: f64) -> Drift {
        let all = Selection { threshold, lead_day: None, since: None };
        let rows: Vec<ScoreRow> = self.days.iter().filter_map(|day| sum(day, all)).collect();
        let total =
            |which: usize| -> f64 { rows.iter().map(|row| row.climatology_log_loss[which]).sum() };
        let tougher = usize::from(total(1) < total(0));
        let loss = |row: &ScoreRow| DayLoss {
            loss: row.log_loss,
            reference: row.climatology_log_loss[tougher],
            exceedances: row.exceedances,
        };
        drift(&rows.iter().map(loss).collect::<Vec<_>>())
    }
}

/// Returns the day and the copy of a file's name: `2026-03-06.json`, `2026-03-06.2.json`.
fn named(path: &Path) -> Option<(Date, u32)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    match name.split_once('.') {
        None => Some((name.parse().ok()?, 1)),
        Some((day, copy)) => Some((day.parse().ok()?, copy.parse().ok()?)),
    }
}

/// Sums the rows of a day that are wanted; `None` without a scored hour.
fn sum(day: &DayScores, selection: Selection) -> Option<ScoreRow> {
    let mut rows = day.rows.iter().filter(|row| {
        row.threshold.total_cmp(&selection.threshold).is_eq()
            && selection.lead_day.is_none_or(|lead_day| row.lead_day == lead_day)
            && 0 < row.hours
    });
    let mut total = rows.next()?.clone();
    rows.for_each(|row| add(&mut total, row));
    Some(total)
}

fn add(total: &mut ScoreRow, row: &ScoreRow) {
    total.hours += row.hours;
    total.unknown += row.unknown;
    total.exceedances += row.exceedances;
    total.brier += row.brier;
    total.log_loss += row.log_loss;
    total.climatology_log_loss[0] += row.climatology_log_loss[0];
    total.climatology_log_loss[1] += row.climatology_log_loss[1];
}

#[cfg(test)]
mod tests {
    use super::*;
    use market::table::write_atomically;

    fn write(folder: &Path, name: &str, day: Date, log_loss: f64) {
        let row = |lead_day, factor: f64| ScoreRow {
            settlement_point: "HB_WEST".to_owned(),
            threshold: 100.0,
            lead_day,
            hours: 24,
            unknown: 0,
            exceedances: 1,
            brier: 0.5,
            log_loss: factor * log_loss,
            climatology_log_loss: [3.0, 2.0],
        };
        let scores = DayScores {
            version: 1,
            day,
            source_id: "files-1".to_owned(),
            known_at: jiff::Timestamp::UNIX_EPOCH,
            rows: vec![row(1, 1.0), row(2, 2.0)],
        };
        let text = serde_json::to_string(&scores).unwrap();
        write_atomically(&folder.join(name), |out| out.write_all(text.as_bytes())).unwrap();
    }

    fn days(folder: &Path, count: i32, log_loss: impl Fn(i32) -> f64) {
        let first = OperatingDay::new("2025-10-01".parse().unwrap());
        for number in 0..count {
            let day = first.plus_days(number).date();
            // Weeks differ a little, as they do.
            let loss = log_loss(number) * (1.0 + 0.1 * f64::from(number * 7 % 5 - 2));
            write(folder, &format!("{day}.json"), day, loss);
        }
    }

    const ALL: Selection = Selection { threshold: 100.0, lead_day: None, since: None };

    #[test]
    fn days_are_pooled_against_the_tougher_climatology() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "2026-03-05.json", "2026-03-05".parse().unwrap(), 9.0);
        write(folder.path(), "2026-03-05.2.json", "2026-03-05".parse().unwrap(), 1.0);
        write(folder.path(), "2026-03-06.json", "2026-03-06".parse().unwrap(), 1.0);
        std::fs::write(folder.path().join("2026-03-07.json"), "{").unwrap();
        let scores = RunningScores::read(folder.path(), "files-1", None).unwrap();
        assert_eq!((scores.days.len(), scores.unreadable), (2, 1), "the last copy counts");
        let pooled = scores.pooled(ALL).unwrap();
        assert_eq!((pooled.days, pooled.hours, pooled.exceedances), (2, 96, 4));
        // Log-loss 1 + 2 on each day against 2 + 2.
        assert!((pooled.skill - 0.25).abs() < 1e-12);
        let day_one = scores.pooled(Selection { lead_day: Some(1), ..ALL }).unwrap();
        assert!((day_one.skill - 0.5).abs() < 1e-12);
        assert!(RunningScores::read(folder.path(), "else", None).unwrap().pooled(ALL).is_none());
    }

    #[test]
    fn a_forecast_that_becomes_worse_drifts_and_a_short_record_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        days(folder.path(), 150, |number| if number < 122 { 0.8 } else { 1.2 });
        let read = |until: &str| {
            let until = Some(until.parse().unwrap());
            RunningScores::read(folder.path(), "files-1", until).unwrap().drift(100.0)
        };
        assert!(matches!(read("2026-02-27"), Drift::Worse(_)));
        assert!(matches!(read("2026-01-29"), Drift::Steady(_)));
        assert_eq!(read("2025-11-30"), Drift::Unknown);
    }
}
