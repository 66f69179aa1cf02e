//! What is scored: hours with a known outcome, and what each forecaster said about them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Weekday;
use market::time::local;

use super::forecaster::Forecaster;
use crate::horizon::TargetHour;
use crate::model::Prediction;

/// An hour that was forecast, with what happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredHour {
    /// When the forecast spoke, in seconds since 1970 UTC; days of it are the units of comparisons.
    pub issue_time: i64,
    /// When the hour starts, in seconds since 1970 UTC; weeks of it are the bootstrap's blocks.
    pub target_start: i64,
    /// Operating days after the issue day.
    pub lead_day: u8,
    /// The hour of the day as the clock shows its start, 0 to 23.
    pub hour_of_day: u8,
    /// The month of the operating day, 1 to 12.
    pub month: u8,
    /// The year of the operating day.
    pub year: i16,
    /// The day of the week.
    pub day_kind: DayKind,
    /// The place of the settlement point in the list of points.
    pub point: u16,
    /// Whether the threshold was exceeded.
    pub exceeded: bool,
}

impl ScoredHour {
    /// Describes a forecast hour by what scores are grouped by.
    #[must_use]
    pub fn new(issue_time: Timestamp, target: &TargetHour, point: u16, exceeded: bool) -> Self {
        let day = target.hour.operating_day.date();
        Self {
            issue_time: issue_time.as_second(),
            target_start: target.hour.start.as_second(),
            lead_day: target.lead_day,
            hour_of_day: local(target.hour.start).hour().unsigned_abs(),
            month: day.month().unsigned_abs(),
            year: day.year(),
            day_kind: match day.weekday() {
                Weekday::Saturday | Weekday::Sunday => DayKind::Weekend,
                Weekday::Monday
                | Weekday::Tuesday
                | Weekday::Wednesday
                | Weekday::Thursday
                | Weekday::Friday => DayKind::Weekday,
            },
            point,
            exceeded,
        }
    }
}

/// Working days and the others have different loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DayKind {
    /// Monday to Friday.
    Weekday,
    /// Saturday and Sunday.
    Weekend,
}

/// Hours at one threshold with the probabilities of every forecaster, side by side. A forecaster
/// that said nothing about an hour has NaN there.
#[derive(Clone, Debug, Default)]
pub struct ScoredHours {
    hours: Vec<ScoredHour>,
    columns: BTreeMap<Forecaster, Vec<f64>>,
}

impl ScoredHours {
    /// Puts hours and probabilities together.
    ///
    /// # Panics
    /// If a column is not as long as there are hours.
    #[must_use]
    pub fn new(hours: Vec<ScoredHour>, columns: BTreeMap<Forecaster, Vec<f64>>) -> Self {
        assert!(
            columns.values().all(|column| column.len() == hours.len()),
            "a column has a cell for every hour"
        );
        Self { hours, columns }
    }

    /// Takes everything that predictions hold.
    #[must_use]
    pub fn of_predictions(rows: &[(ScoredHour, Prediction)]) -> Self {
        let column = |forecaster: Forecaster| {
            let said = |row: &(ScoredHour, Prediction)| forecaster.of_prediction(&row.1);
            Some((forecaster, rows.iter().map(said).collect::<Option<Vec<f64>>>()?))
        };
        Self {
            hours: rows.iter().map(|row| row.0).collect(),
            columns: Forecaster::ALL.into_iter().filter_map(column).collect(),
        }
    }

    /// Returns the hours.
    #[must_use]
    pub fn hours(&self) -> &[ScoredHour] {
        &self.hours
    }

    /// Returns the forecasters.
    pub fn forecasters(&self) -> impl Iterator<Item = Forecaster> + '_ {
        self.columns.keys().copied()
    }

    /// Tells whether a forecaster takes part.
    #[must_use]
    pub fn has(&self, forecaster: Forecaster) -> bool {
        self.columns.contains_key(&forecaster)
    }

    /// Returns those hours that are wanted.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(usize, &ScoredHour) -> bool) -> Self {
        let kept: Vec<usize> =
            (0..self.hours.len()).filter(|&row| wanted(row, &self.hours[row])).collect();
        let columns = self.columns.iter().map(|(&forecaster, column)| {
            (forecaster, kept.iter().map(|&row| column[row]).collect())
        });
        Self {
            hours: kept.iter().map(|&row| self.hours[row]).collect(),
            columns: columns.collect(),
        }
    }

    /// Returns the hours about which all of these forecasters said something.
    #[must_use]
    pub fn said_by(&self, forecasters: &[Forecaster]) -> Self {
        self.only(|row, _| {
            forecasters.iter().all(|&forecaster| !self.probability(forecaster, row).is_nan())
        })
    }

    /// Returns a probability; NaN where the forecaster said nothing.
    #[must_use]
    pub fn probability(&self, forecaster: Forecaster, row: usize) -> f64 {
        self.columns.get(&forecaster).map_or(f64::NAN, |column| column[row])
    }

    /// Returns a forecaster's probabilities with the outcomes, where it said something.
    #[must_use]
    pub fn pairs(&self, forecaster: Forecaster) -> Vec<(f64, bool)> {
        let pair =
            |(row, hour): (usize, &ScoredHour)| (self.probability(forecaster, row), hour.exceeded);
        let pairs = self.hours.iter().enumerate().map(pair);
        pairs.filter(|(probability, _)| !probability.is_nan()).collect()
    }
}
