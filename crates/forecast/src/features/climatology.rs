//! How often prices exceeded each threshold before: hour of day × month (± 1), shrunk.
//!
//! Two memories: `long` weighs all known years alike, `recent` the last 365 days. Both are built
//! only from what the view holds. They are the forecast to beat, the offset of the models, and
//! the quantity that everything else is shrunk to.

use jiff::SignedDuration;
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;

use super::hour_table::local_hour;
use super::hours::{Hours, first_hour};
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
pub(super) struct Climatology {
    long: Frequencies,
    recent: Frequencies,
}

impl Climatology {
    /// Counts every hour that the view knows.
    pub(super) fn of(view: &KnownAt<'_>, point: &SettlementPoint, thresholds: &Thresholds) -> Self {
        let mut long = Counts::new(thresholds.count());
        let mut recent = Counts::new(thresholds.count());
        let maxima = view.series(&SeriesKey::at(Series::HourlyMaxLmp, point));
        let coverage = view.series(&SeriesKey::at(Series::HourlyCoverage, point));
        let now = view.instant();
        let from = maxima.first_interval().unwrap_or(now);
        let [maxima, coverage] = [maxima, coverage].map(|s| Hours::between(&s, from, now));
        let recent_from = first_hour(now - RECENT);
        for (hour, max) in maxima.known() {
            let exceeded = thresholds.exceeded_by(max);
            if coverage.at(hour) < COVERED_MINUTES_MIN && exceeded < thresholds.count() {
                continue;
            }
            let cell = cell_of(hour);
            long.add(cell, exceeded);
            if recent_from <= hour {
                recent.add(cell, exceeded);
            }
        }
        Self { long: long.frequencies(), recent: recent.frequencies() }
    }

    /// Returns the long-memory probabilities of an exceedance of each threshold in an hour.
    pub(super) fn long(&self, hour: i64) -> &[f64] {
        self.long.of(hour)
    }

    /// Returns the same from the last 365 days only.
    pub(super) fn recent(&self, hour: i64) -> &[f64] {
        self.recent.of(hour)
    }
}

const CELLS: usize = 12 * 24;

fn cell_of(hour: i64) -> usize {
    let label = local_hour(hour);
    usize::from(label.month) * 24 + usize::from(label.hour)
}

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
    fn of(&self, hour: i64) -> &[f64] {
        &self.by_cell[cell_of(hour) * self.thresholds..][..self.thresholds]
    }
}
