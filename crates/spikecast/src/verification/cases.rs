//! Forecasts put beside what happened: one set of hours for each threshold, with the
//! probabilities of every forecaster side by side. Hours with an unknown outcome are left out and
//! counted.

use std::collections::BTreeMap;

use forecast::evaluation::{
    CurvePoint, Forecaster, ScoredHour, ScoredHours, threshold_weighted_crps,
};
use forecast::horizon::TargetHour;
use jiff::Timestamp;

/// One forecast hour at one threshold.
#[derive(Clone, Copy, Debug)]
pub struct Case<'c> {
    /// When the forecast spoke.
    pub issue_time: Timestamp,
    /// The hour.
    pub target: TargetHour,
    /// The settlement point's name.
    pub settlement_point: &'c str,
    /// $/MWh.
    pub threshold: f64,
    /// Whether it was exceeded, if that is known.
    pub exceeded: Option<bool>,
}

/// All cases, by threshold.
#[derive(Clone, Debug)]
pub struct Cases {
    /// The settlement points, in order of appearance.
    pub settlement_points: Vec<String>,
    /// $/MWh, ascending.
    pub thresholds: Vec<f64>,
    /// One set of hours for each threshold.
    pub hours: Vec<ScoredHours>,
    /// Cases without a known outcome.
    pub unknown: usize,
}

/// The hours of one threshold, with a column for each forecaster.
type Columns = (Vec<ScoredHour>, Vec<Vec<f64>>);

/// Collects cases.
#[derive(Clone, Debug)]
pub struct CasesBuilder {
    forecasters: Vec<Forecaster>,
    settlement_points: Vec<String>,
    by_threshold: BTreeMap<u64, Columns>,
    unknown: usize,
}

impl CasesBuilder {
    /// Begins with the forecasters that take part.
    #[must_use]
    pub fn new(forecasters: Vec<Forecaster>) -> Self {
        Self {
            forecasters,
            settlement_points: Vec::new(),
            by_threshold: BTreeMap::new(),
            unknown: 0,
        }
    }

    /// Adds a case with what each forecaster said; NaN for nothing.
    pub fn add(&mut self, case: &Case<'_>, probability: impl Fn(Forecaster) -> f64) {
        let Some(exceeded) = case.exceeded else {
            self.unknown += 1;
            return;
        };
        let point = self.point(case.settlement_point);
        let columns = self.forecasters.len();
        let (hours, probabilities) = self
            .by_threshold
            .entry(case.threshold.to_bits())
            .or_insert_with(|| (Vec::new(), vec![Vec::new(); columns]));
        hours.push(ScoredHour::new(case.issue_time, &case.target, point, exceeded));
        for (&forecaster, column) in self.forecasters.iter().zip(probabilities) {
            column.push(probability(forecaster));
        }
    }

    /// Returns all cases.
    #[must_use]
    pub fn build(self) -> Cases {
        let mut by_threshold: Vec<(f64, Columns)> = self
            .by_threshold
            .into_iter()
            .map(|(bits, columns)| (f64::from_bits(bits), columns))
            .collect();
        by_threshold.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (thresholds, sets): (Vec<f64>, Vec<_>) = by_threshold.into_iter().unzip();
        let set = |(hours, columns): Columns| {
            ScoredHours::new(hours, self.forecasters.iter().copied().zip(columns).collect())
        };
        Cases {
            settlement_points: self.settlement_points,
            thresholds,
            hours: sets.into_iter().map(set).collect(),
            unknown: self.unknown,
        }
    }

    fn point(&mut self, name: &str) -> u16 {
        // Cases of a settlement point come together, so the last ones are looked at first.
        let known = self.settlement_points.iter().rposition(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.settlement_points.push(name.to_owned());
            self.settlement_points.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

/// A curve's hour: issue, settlement point, target.
type Subject = (i64, u16, i64);

impl Cases {
    /// Tells whether nothing can be scored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hours.iter().all(|hours| hours.hours().is_empty())
    }

    /// Returns the mean threshold-weighted CRPS of a forecaster and of a reference on the hours
    /// whose whole curve is known, with their count; `None` with fewer than two thresholds.
    #[must_use]
    pub fn curve_scores(
        &self,
        wanted: impl Fn(&ScoredHour) -> bool,
        forecasters: &[Forecaster],
    ) -> Option<(usize, Vec<f64>)> {
        let mut curves: BTreeMap<Subject, Vec<(f64, usize, usize)>> = BTreeMap::new();
        for (place, (threshold, hours)) in self.thresholds.iter().zip(&self.hours).enumerate() {
            for (row, hour) in hours.hours().iter().enumerate().filter(|(_, hour)| wanted(hour)) {
                let subject = (hour.issue_time, hour.point, hour.target_start);
                curves.entry(subject).or_default().push((*threshold, place, row));
            }
        }
        let (mut count, mut sums) = (0, vec![0.0; forecasters.len()]);
        for points in curves.values().filter(|points| points.len() == self.thresholds.len()) {
            let score = |&forecaster: &Forecaster| {
                let point = |&(threshold, place, row): &(f64, usize, usize)| CurvePoint {
                    threshold,
                    probability: self.hours[place].probability(forecaster, row),
                    exceeded: self.hours[place].hours()[row].exceeded,
                };
                threshold_weighted_crps(&points.iter().map(point).collect::<Vec<_>>())
            };
            let scores: Option<Vec<f64>> = forecasters.iter().map(score).collect();
            let scores = scores?;
            if scores.iter().all(|score| !score.is_nan()) {
                count += 1;
                sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "row counts")]
        let mean = |sum: f64| sum / count as f64;
        Some((count, sums.into_iter().map(mean).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forecast::horizon::horizon;
    use market::time::parse_local;

    fn cases(exceeded: impl Fn(f64) -> Option<bool>) -> Cases {
        let issue_time = parse_local("2024-11-02T09:57").unwrap();
        let mut builder = CasesBuilder::new(vec![Forecaster::Combined]);
        for target in horizon(issue_time) {
            for threshold in [50.0, 100.0] {
                let case = Case {
                    issue_time,
                    target,
                    settlement_point: "HB_WEST",
                    threshold,
                    exceeded: exceeded(threshold),
                };
                builder.add(&case, |_| 0.5);
            }
        }
        builder.build()
    }

    #[test]
    fn unknown_hours_are_counted_and_left_out() {
        let cases = cases(|threshold| (threshold < 60.0).then_some(false));
        assert_eq!(
            (cases.thresholds.len(), cases.hours[0].hours().len(), cases.unknown),
            (1, 73, 73)
        );
    }

    #[test]
    fn both_hours_of_an_autumn_night_are_the_same_hour_of_day() {
        let cases = cases(|_| Some(false));
        let ones = cases.hours[0].hours().iter().filter(|hour| hour.hour_of_day == 1);
        assert_eq!(ones.count(), 4);
    }

    #[test]
    fn curves_are_scored_where_every_threshold_is_known() {
        let (hours, scores) =
            cases(|_| Some(false)).curve_scores(|_| true, &[Forecaster::Combined]).unwrap();
        assert_eq!(hours, 73);
        assert!((scores[0] - 2f64.ln() * 0.25).abs() < 1e-12);
    }
}
