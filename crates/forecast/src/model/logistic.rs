//! Logistic regression with ridge penalty and the climatology's log-odds as offset.
//!
//! What it learns are deviations from climatology: with no evidence it *is* climatology. Fitted
//! by Newton's method; the covariance of the coefficients is cluster-robust by week, because the
//! hours of a week (and the three lead days of an hour) are not independent.

use serde::{Deserialize, Serialize};

use super::linear_algebra::{Cholesky, Square, dot};
use super::sample::{Drawn, LabelledExample};
use crate::features::{COLUMNS_PER_THRESHOLD, Example};
use crate::probability::probability;

/// Standardised features are cut off here: nothing was learnt about what lies further out.
const STANDARD_SCORE_MAX: f64 = 3.5;
const ITERATIONS_MAX: usize = 25;
const STEP_MIN: f64 = 1e-7;
const WEEK_SECONDS: i64 = 7 * 86_400;

/// A fitted logistic regression for one threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FittedLogistic {
    scales: Vec<Scale>,
    /// The intercept, then one for each feature.
    coefficients: Vec<f64>,
    /// Cluster-robust covariance of the coefficients.
    covariance: Square,
}

/// How one feature is standardised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Scale {
    mean: f64,
    /// 1 / standard deviation; 0 for a feature that does not vary.
    inverse_deviation: f64,
}

impl Scale {
    fn apply(self, value: f32) -> f64 {
        let value = f64::from(value);
        if value.is_nan() {
            return 0.0;
        }
        let score = (value - self.mean) * self.inverse_deviation;
        score.clamp(-STANDARD_SCORE_MAX, STANDARD_SCORE_MAX)
    }
}

/// A logistic forecast in log-odds.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogisticForecast {
    pub(super) log_odds: f64,
    pub(super) variance: f64,
}

fn features(example: &Example, threshold: usize) -> impl Iterator<Item = f32> + '_ {
    let own = &example.by_threshold[threshold * COLUMNS_PER_THRESHOLD..][..COLUMNS_PER_THRESHOLD];
    example.common.iter().chain(own).copied()
}

/// Rows ready for Newton's method.
struct Design {
    width: usize,
    /// Standardised features with a leading 1, row by row.
    values: Vec<f64>,
    offsets: Vec<f64>,
}

impl Design {
    fn row(&self, index: usize) -> &[f64] {
        &self.values[index * self.width..][..self.width]
    }
}

/// Fits one threshold; `None` when the problem is degenerate (no rows, no variation).
pub(super) fn fit_logistic(
    rows: &[LabelledExample<'_>],
    drawn: &[Drawn],
    threshold: usize,
    ridge: f64,
) -> Option<FittedLogistic> {
    let scales = scales(rows, drawn, threshold)?;
    let design = design(rows, drawn, threshold, &scales);
    let mut coefficients = vec![0.0; design.width];
    let mut objective = penalised_log_loss(&design, drawn, &coefficients, ridge);
    for _ in 0..ITERATIONS_MAX {
        let (gradient, hessian) = derivatives(&design, drawn, &coefficients, ridge);
        let step = Cholesky::of(hessian)?.solve(&gradient);
        let mut scale = 1.0;
        let mut moved;
        loop {
            moved = coefficients.iter().zip(&step).map(|(c, s)| c - scale * s).collect::<Vec<_>>();
            let candidate = penalised_log_loss(&design, drawn, &moved, ridge);
            if candidate <= objective || scale < STEP_MIN {
                objective = candidate;
                break;
            }
            scale /= 2.0;
        }
        coefficients = moved;
        if step.iter().all(|s| (s * scale).abs() < 1e-5) {
            break;
        }
    }
    let covariance = covariance(&design, rows, drawn, &coefficients, ridge)?;
    Some(FittedLogistic { scales, coefficients, covariance })
}

impl FittedLogistic {
    /// Forecasts an example for the threshold that this model was fitted for.
    pub(super) fn forecast(&self, example: &Example, threshold: usize) -> LogisticForecast {
        let mut x = Vec::with_capacity(self.coefficients.len());
        x.push(1.0);
        x.extend(features(example, threshold).zip(&self.scales).map(|(v, scale)| scale.apply(v)));
        LogisticForecast {
            log_odds: example.offset(threshold) + dot(&x, &self.coefficients),
            variance: self.covariance.quadratic(&x).max(0.0),
        }
    }

    /// Returns the log-odds only, which needs no covariance.
    pub(super) fn log_odds(&self, example: &Example, threshold: usize) -> f64 {
        let terms = features(example, threshold).zip(&self.scales).zip(&self.coefficients[1..]);
        let sum: f64 = terms.map(|((value, scale), c)| scale.apply(value) * c).sum();
        example.offset(threshold) + self.coefficients[0] + sum
    }
}

fn scales(rows: &[LabelledExample<'_>], drawn: &[Drawn], threshold: usize) -> Option<Vec<Scale>> {
    let width = features(rows[drawn.first()?.row].example, threshold).count();
    let mut sums = vec![(0.0, 0.0, 0.0); width];
    for row in drawn {
        let values = features(rows[row.row].example, threshold);
        for (sum, value) in sums.iter_mut().zip(values) {
            let value = f64::from(value);
            if value.is_finite() {
                sum.0 += row.weight;
                sum.1 += row.weight * value;
                sum.2 += row.weight * value * value;
            }
        }
    }
    let scale = |(weight, sum, squares): (f64, f64, f64)| {
        let mean = if 0.0 < weight { sum / weight } else { 0.0 };
        let variance = if 0.0 < weight { squares / weight - mean * mean } else { 0.0 };
        let inverse_deviation = if 1e-9 < variance { 1.0 / variance.sqrt() } else { 0.0 };
        Scale { mean, inverse_deviation }
    };
    Some(sums.into_iter().map(scale).collect())
}

fn design(
    rows: &[LabelledExample<'_>],
    drawn: &[Drawn],
    threshold: usize,
    scales: &[Scale],
) -> Design {
    let width = scales.len() + 1;
    let mut values = Vec::with_capacity(width * drawn.len());
    let mut offsets = Vec::with_capacity(drawn.len());
    for row in drawn {
        let example = rows[row.row].example;
        values.push(1.0);
        values.extend(features(example, threshold).zip(scales).map(|(v, scale)| scale.apply(v)));
        offsets.push(example.offset(threshold));
    }
    Design { width, values, offsets }
}

fn penalised_log_loss(design: &Design, drawn: &[Drawn], coefficients: &[f64], ridge: f64) -> f64 {
    let penalty = 0.5 * ridge * dot(&coefficients[1..], &coefficients[1..]);
    let loss = |(index, row): (usize, &Drawn)| {
        let z = design.offsets[index] + dot(design.row(index), coefficients);
        let z = if row.exceeded { -z } else { z };
        // ln(1 + eᶻ) without overflow.
        row.weight * (z.max(0.0) + (-z.abs()).exp().ln_1p())
    };
    drawn.iter().enumerate().map(loss).sum::<f64>() + penalty
}

fn derivatives(
    design: &Design,
    drawn: &[Drawn],
    coefficients: &[f64],
    ridge: f64,
) -> (Vec<f64>, Square) {
    let mut gradient: Vec<f64> = coefficients.iter().map(|c| ridge * c).collect();
    gradient[0] = 0.0;
    let mut hessian = Square::zero(design.width);
    for (index, row) in drawn.iter().enumerate() {
        let x = design.row(index);
        let p = probability(design.offsets[index] + dot(x, coefficients));
        let residual = row.weight * (p - f64::from(u8::from(row.exceeded)));
        for (g, xi) in gradient.iter_mut().zip(x) {
            *g += residual * xi;
        }
        hessian.add_outer(x, row.weight * p * (1.0 - p));
    }
    for i in 0..design.width {
        // The intercept is not penalised; the trace keeps it invertible.
        hessian.values[i * design.width + i] += if i == 0 { 1e-9 } else { ridge };
    }
    (gradient, hessian)
}

/// Returns `H⁻¹ M H⁻¹` where M sums the outer products of each week's score.
fn covariance(
    design: &Design,
    rows: &[LabelledExample<'_>],
    drawn: &[Drawn],
    coefficients: &[f64],
    ridge: f64,
) -> Option<Square> {
    let (_, hessian) = derivatives(design, drawn, coefficients, ridge);
    let mut by_week: std::collections::BTreeMap<i64, Vec<f64>> = std::collections::BTreeMap::new();
    for (index, row) in drawn.iter().enumerate() {
        let x = design.row(index);
        let p = probability(design.offsets[index] + dot(x, coefficients));
        let residual = row.weight * (p - f64::from(u8::from(row.exceeded)));
        let target = rows[row.row].example.target.hour.start.as_second();
        let score = by_week
            .entry(target.div_euclid(WEEK_SECONDS))
            .or_insert_with(|| vec![0.0; design.width]);
        for (s, xi) in score.iter_mut().zip(x) {
            *s += residual * xi;
        }
    }
    let mut middle = Square::zero(design.width);
    for score in by_week.values() {
        middle.add_outer(score, 1.0);
    }
    middle.mirror();
    Some(Cholesky::of(hessian)?.sandwich(&middle))
}
