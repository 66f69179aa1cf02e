//! How often prices exceeded each threshold before: hour of day × month (± 1), shrunk.
//!
//! Two memories: `long` weighs all known years alike, `recent` the last 365 days. Both are built
//! only from what the view holds. They are the forecast to beat, the offset of the models, and
//! the quantity that everything else is shrunk to.

use jiff::{SignedDuration, Timestamp};
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;

use super::hour_table::local_hour;
use crate::target::COVERED_MINUTES_MIN;
use crate::threshold::Thresholds;

/// Hours of experience that the hour-of-day rate counts for in a month's rate.
const MONTH_SHRINKAGE_HOURS: f64 = 60.0;
/// Hours of experience that the overall rate counts for in an hour of day's rate.
const HOUR_SHRINKAGE_HOURS: f64 = 60.0;
/// Exceedances that are assumed before any was seen: half of one.
const EXCEEDANCES_PRIOR: f64 = 0.5;
const RECENT: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Frequencies of exceedance by hour of day and month.
#[derive(Clone, Debug)]
pub struct Climatology {
    long: Frequencies,
    recent: Frequencies,
}

impl Climatology {
    /// Counts every hour that the view knows.
    #[must_use]
    pub fn of(view: &KnownAt<'_>, point: &SettlementPoint, thresholds: &Thresholds) -> Self {
        let mut long = Counts::new(thresholds.count());
        let mut recent = Counts::new(thresholds.count());
        let recent_from = view.instant() - RECENT;
        let all = |series: Series| {
            let known = view.series(&SeriesKey::at(series, point));
            known.between(Timestamp::MIN, view.instant())
        };
        for (max, coverage) in all(Series::HourlyMaxLmp).zip(all(Series::HourlyCoverage)) {
            debug_assert_eq!(max.interval_start, coverage.interval_start, "derived together");
            let exceeded = thresholds.exceeded_by(max.value);
            if coverage.value < COVERED_MINUTES_MIN && exceeded < thresholds.count() {
                continue;
            }
            let label = local_hour(max.interval_start);
            let cell = usize::from(label.month) * 24 + usize::from(label.hour);
            long.add(cell, exceeded);
            if recent_from <= max.interval_start {
                recent.add(cell, exceeded);
            }
        }
        Self { long: long.frequencies(), recent: recent.frequencies() }
    }

    /// Returns the long-memory probability of an exceedance of threshold number `threshold` in
    /// the hour that starts at `start`.
    #[must_use]
    pub fn long(&self, start: Timestamp, threshold: usize) -> f64 {
        self.long.at(start, threshold)
    }

    /// Returns the same from the last 365 days only.
    #[must_use]
    pub fn recent(&self, start: Timestamp, threshold: usize) -> f64 {
        self.recent.at(start, threshold)
    }
}

const CELLS: usize = 12 * 24;

/// Hours counted by cell (month × hour of day) and by how many thresholds they exceeded.
struct Counts {
    thresholds: usize,
    by_cell: Vec<u32>,
}

impl Counts {
    fn new(thresholds: usize) -> Self {
        Self { thresholds, by_cell: vec![0; CELLS * (thresholds + 1)] }
    }

    fn add(&mut self, cell: usize, exceeded: usize) {
        self.by_cell[cell * (self.thresholds + 1) + exceeded] += 1;
    }

    /// Returns (hours, exceedances of the threshold) summed over the cells.
    fn sum(&self, cells: impl Iterator<Item = usize>, threshold: usize) -> (f64, f64) {
        let (mut hours, mut exceedances) = (0, 0);
        for cell in cells {
            let row = &self.by_cell[cell * (self.thresholds + 1)..][..=self.thresholds];
            hours += row.iter().sum::<u32>();
            exceedances += row[threshold + 1..].iter().sum::<u32>();
        }
        (f64::from(hours), f64::from(exceedances))
    }

    fn frequencies(&self) -> Frequencies {
        let mut frequencies = Frequencies {
            thresholds: self.thresholds,
            by_cell: vec![0.0; CELLS * self.thresholds],
        };
        for threshold in 0..self.thresholds {
            let (hours, exceedances) = self.sum(0..CELLS, threshold);
            let overall = (exceedances + EXCEEDANCES_PRIOR) / (hours + 1.0);
            for hour in 0..24 {
                let of_hour = (0..12).map(|month| month * 24 + hour);
                let (hours, exceedances) = self.sum(of_hour, threshold);
                let hour_rate =
                    (exceedances + HOUR_SHRINKAGE_HOURS * overall) / (hours + HOUR_SHRINKAGE_HOURS);
                for month in 0..12 {
                    let near = [(month + 11) % 12, month, (month + 1) % 12];
                    let cells = near.into_iter().map(|month| month * 24 + hour);
                    let (hours, exceedances) = self.sum(cells, threshold);
                    let rate = (exceedances + MONTH_SHRINKAGE_HOURS * hour_rate)
                        / (hours + MONTH_SHRINKAGE_HOURS);
                    frequencies.by_cell[(month * 24 + hour) * self.thresholds + threshold] = rate;
                }
            }
        }
        frequencies
    }
}

#[derive(Clone, Debug)]
struct Frequencies {
    thresholds: usize,
    by_cell: Vec<f64>,
}

impl Frequencies {
    fn at(&self, start: Timestamp, threshold: usize) -> f64 {
        let label = local_hour(start);
        let cell = usize::from(label.month) * 24 + usize::from(label.hour);
        self.by_cell[cell * self.thresholds + threshold]
    }
}
