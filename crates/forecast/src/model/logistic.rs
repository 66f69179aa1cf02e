//! Logistic regression with the climatology's log-odds as offset, one for each threshold.
//!
//! What it learns are deviations from climatology: with no evidence it *is* climatology. The
//! lowest threshold's coefficients are drawn to 0, every other's to those of the threshold below,
//! because what makes $100 likely makes $1,000 likely: rare thresholds borrow strength from
//! common ones. Fitted by Newton's method; the covariance of the coefficients is cluster-robust by
//! week, because the hours of a week (and the three lead days of an hour) are not independent.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::hyperparameters::Hyperparameters;
use super::linear_algebra::{Cholesky, Square, dot};
use super::sample::{Drawn, LabelledExample};
use crate::arithmetic::week_number;
use crate::features::{COLUMNS_PER_THRESHOLD, Example};
use crate::horizon::LEAD_DAYS;
use crate::probability::{probability, softplus};

const ITERATIONS_MAX: usize = 25;
const STEP_MIN: f64 = 1e-7;
/// Rows that one task sums up. Sums are taken task by task, so the result does not depend on the
/// number of threads.
const ROWS_PER_TASK: usize = 2_048;

/// Fitted logistic regressions of all thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FittedLogistic {
    columns: Columns,
    /// By lead day, then by threshold.
    by_lead_day: Vec<Vec<Coefficients>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Coefficients {
    /// The intercept, then one for each column.
    values: Vec<f64>,
    /// Their cluster-robust covariance.
    covariance: Square,
}

/// A logistic forecast in log-odds.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogisticForecast {
    pub(super) log_odds: f64,
    pub(super) variance: f64,
}

/// Fits all thresholds in turn; `None` when the problem is degenerate (no rows, no variation).
pub(super) fn fit_logistic(
    rows: &[LabelledExample<'_>],
    drawn: &[Vec<Drawn>],
    hyperparameters: &Hyperparameters,
) -> Option<FittedLogistic> {
    let columns = Columns::of(rows, drawn.first()?, 0);
    let width = columns.count() + 1;
    let pooled = Design::of(rows, &drawn[0], 0, &columns);
    let strengths = |strength: f64| {
        let mut strengths = vec![strength; width];
        strengths[0] = hyperparameters.intercept_ridge;
        strengths
    };
    let problem = Problem {
        design: &pooled,
        center: vec![0.0; width],
        strengths: strengths(hyperparameters.ridge),
    };
    let pooled = problem.minimise()?;
    let by_lead_day: Vec<Vec<Coefficients>> = (1..=LEAD_DAYS)
        .into_par_iter()
        .map(|lead_day| {
            let mut by_threshold: Vec<Coefficients> = Vec::with_capacity(drawn.len());
            for (threshold, drawn) in drawn.iter().enumerate() {
                let of_day = |row: &&Drawn| rows[row.row].example.target.lead_day == lead_day;
                let drawn: Vec<Drawn> = drawn.iter().filter(of_day).copied().collect();
                let design = Design::of(rows, &drawn, threshold, &columns);
                let below = by_threshold.last().map(|below| &below.values);
                let strength = if below.is_some() {
                    hyperparameters.kinship_ridge
                } else {
                    hyperparameters.lead_day_ridge
                };
                let problem = Problem {
                    design: &design,
                    center: below.unwrap_or(&pooled).clone(),
                    strengths: strengths(strength),
                };
                let values = problem.minimise()?;
                let covariance = problem.covariance(&values)?;
                by_threshold.push(Coefficients { values, covariance });
            }
            Some(by_threshold)
        })
        .collect::<Option<_>>()?;
    Some(FittedLogistic { columns, by_lead_day })
}

impl FittedLogistic {
    /// Forecasts an example for a threshold.
    pub(super) fn forecast(&self, example: &Example, threshold: usize) -> LogisticForecast {
        let coefficients = self.of(example, threshold);
        let mut x = Vec::with_capacity(coefficients.values.len());
        x.push(1.0);
        x.extend(self.columns.scores(example, threshold));
        LogisticForecast {
            log_odds: example.offset(threshold) + dot(&x, &coefficients.values),
            variance: coefficients.covariance.quadratic(&x).max(0.0),
        }
    }

    /// Returns the log-odds only, which needs no covariance.
    pub(super) fn log_odds(&self, example: &Example, threshold: usize) -> f64 {
        let coefficients = &self.of(example, threshold).values;
        let scores = self.columns.scores(example, threshold);
        let terms: f64 = scores.zip(&coefficients[1..]).map(|(score, c)| score * c).sum();
        example.offset(threshold) + coefficients[0] + terms
    }

    /// Returns the intercept, and what each column adds beyond the climatology, in the order of all
    /// features; 0 for those that it does not read.
    pub(super) fn terms(&self, example: &Example, threshold: usize) -> (f64, Vec<f64>) {
        let coefficients = &self.of(example, threshold).values;
        let mut terms = vec![0.0; example.common.len() + COLUMNS_PER_THRESHOLD];
        let scores = self.columns.scores(example, threshold);
        let places = self.columns.places(example.common.len());
        for ((place, score), coefficient) in places.zip(scores).zip(&coefficients[1..]) {
            terms[place] = score * coefficient;
        }
        (coefficients[0], terms)
    }

    fn of(&self, example: &Example, threshold: usize) -> &Coefficients {
        &self.by_lead_day[usize::from(example.target.lead_day) - 1][threshold]
    }
}

/// The rows of one threshold, ready for Newton's method.
struct Design {
    width: usize,
    /// Standardised features with a leading 1, row by row.
    values: Vec<f64>,
    rows: Vec<Row>,
}

#[derive(Clone, Copy)]
struct Row {
    offset: f64,
    exceeded: bool,
    weight: f64,
    week: i64,
}

impl Row {
    /// Returns the derivative of the loss by the log-odds.
    fn residual(&self, p: f64) -> f64 {
        self.weight * (p - f64::from(u8::from(self.exceeded)))
    }
}

impl Design {
    fn of(
        rows: &[LabelledExample<'_>],
        drawn: &[Drawn],
        threshold: usize,
        columns: &Columns,
    ) -> Self {
        let width = columns.count() + 1;
        let mut values = Vec::with_capacity(width * drawn.len());
        let mut design_rows = Vec::with_capacity(drawn.len());
        for row in drawn {
            let example = rows[row.row].example;
            values.push(1.0);
            values.extend(columns.scores(example, threshold));
            design_rows.push(Row {
                offset: example.offset(threshold),
                exceeded: row.exceeded,
                weight: row.weight,
                week: week_number(example.target.hour.start.as_second()),
            });
        }
        Self { width, values, rows: design_rows }
    }

    /// Returns the rows with their features, in tasks of equal size.
    fn tasks(&self) -> impl IndexedParallelIterator<Item = (&[f64], &[Row])> {
        let values = self.values.par_chunks(self.width * ROWS_PER_TASK);
        values.zip(self.rows.par_chunks(ROWS_PER_TASK))
    }

    fn each<'t>(
        &self,
        (values, rows): (&'t [f64], &'t [Row]),
    ) -> impl Iterator<Item = (&'t [f64], &'t Row)> {
        values.chunks_exact(self.width).zip(rows)
    }
}

/// Penalised log-loss as a function of the coefficients.
struct Problem<'d> {
    design: &'d Design,
    center: Vec<f64>,
    strengths: Vec<f64>,
}

impl Problem<'_> {
    fn minimise(&self) -> Option<Vec<f64>> {
        let mut coefficients = self.center.clone();
        let mut objective = self.objective(&coefficients);
        for _ in 0..ITERATIONS_MAX {
            let (gradient, hessian) = self.derivatives(&coefficients);
            let step = Cholesky::of(hessian)?.solve(&gradient);
            let mut scale = 1.0;
            loop {
                let moved: Vec<f64> =
                    coefficients.iter().zip(&step).map(|(c, s)| c - scale * s).collect();
                let candidate = self.objective(&moved);
                if candidate <= objective || scale < STEP_MIN {
                    (coefficients, objective) = (moved, candidate);
                    break;
                }
                scale /= 2.0;
            }
            if step.iter().all(|s| (s * scale).abs() < 1e-4) {
                break;
            }
        }
        Some(coefficients)
    }

    fn objective(&self, coefficients: &[f64]) -> f64 {
        let of_task = |task| -> f64 {
            let loss = |(x, row): (&[f64], &Row)| {
                let z = row.offset + dot(x, coefficients);
                let z = if row.exceeded { -z } else { z };
                row.weight * softplus(z)
            };
            self.design.each(task).map(loss).sum()
        };
        let losses: Vec<f64> = self.design.tasks().map(of_task).collect();
        let penalty = |((c, center), strength): ((&f64, &f64), &f64)| {
            0.5 * strength * (c - center) * (c - center)
        };
        let penalties = coefficients.iter().zip(&self.center).zip(&self.strengths);
        losses.iter().sum::<f64>() + penalties.map(penalty).sum::<f64>()
    }

    fn derivatives(&self, coefficients: &[f64]) -> (Vec<f64>, Square) {
        let width = self.design.width;
        let of_task = |task| {
            let mut gradient = vec![0.0; width];
            let mut hessian = Square::zero(width);
            for (x, row) in self.design.each(task) {
                let p = probability(row.offset + dot(x, coefficients));
                let residual = row.residual(p);
                for (g, xi) in gradient.iter_mut().zip(x) {
                    *g += residual * xi;
                }
                hessian.add_outer(x, row.weight * p * (1.0 - p));
            }
            (gradient, hessian)
        };
        let parts: Vec<(Vec<f64>, Square)> = self.design.tasks().map(of_task).collect();
        let mut gradient: Vec<f64> =
            (0..width).map(|i| self.strengths[i] * (coefficients[i] - self.center[i])).collect();
        let mut hessian = Square::zero(width);
        for (part_gradient, part_hessian) in parts {
            add(&mut gradient, &part_gradient);
            add(&mut hessian.values, &part_hessian.values);
        }
        for (i, strength) in self.strengths.iter().enumerate() {
            hessian.values[i * width + i] += strength;
        }
        (gradient, hessian)
    }

    /// Returns `H⁻¹ M H⁻¹` where M sums the outer products of each week's score.
    fn covariance(&self, coefficients: &[f64]) -> Option<Square> {
        let (_, hessian) = self.derivatives(coefficients);
        let width = self.design.width;
        let mut by_week: std::collections::BTreeMap<i64, Vec<f64>> =
            std::collections::BTreeMap::new();
        for (x, row) in self.design.each((&self.design.values, &self.design.rows)) {
            let residual = row.residual(probability(row.offset + dot(x, coefficients)));
            let score = by_week.entry(row.week).or_insert_with(|| vec![0.0; width]);
            for (s, xi) in score.iter_mut().zip(x) {
                *s += residual * xi;
            }
        }
        let mut middle = Square::zero(width);
        for score in by_week.values() {
            middle.add_outer(score, 1.0);
        }
        middle.mirror();
        Some(Cholesky::of(hessian)?.sandwich(&middle))
    }
}

fn add(sum: &mut [f64], part: &[f64]) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += part;
    }
}
