//! Gradient-boosted trees: what they add to the logistic regression's log-odds.
//!
//! Pooled over thresholds and settlement points: every drawn row of every threshold is one row
//! here and the threshold's number a feature, so rare thresholds borrow strength from common ones.
//! The trees read features of the target hour only, not those that stay the same for weeks: from
//! these they learn single weeks by heart. How many trees are grown is what did best on the newest
//! 90 days of trees that had not seen them; where the logistic regression has said it all, none.

use jiff::{SignedDuration, Timestamp};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::fit::EMBARGO;
use super::hyperparameters::Hyperparameters;
use super::logistic::FittedLogistic;
use super::sample::{Drawn, LabelledExample};
use super::tree::{Binned, Derivatives, Growth, Tree, grow};
use crate::arithmetic::outcome;
use crate::evaluation::log_loss;
use crate::features::{COLUMNS_PER_THRESHOLD, Example, ReadBy, features};
use crate::probability::probability;

/// Fitted trees for all thresholds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FittedTrees {
    trees: Vec<Tree>,
}

/// Returns the value of a column: the common features, those of the threshold, its number.
fn column_value(example: &Example, threshold: usize, column: usize) -> f32 {
    let common = example.common.len();
    if column < common {
        return example.common[column];
    }
    match column - common {
        own if own < COLUMNS_PER_THRESHOLD => {
            example.by_threshold[threshold * COLUMNS_PER_THRESHOLD + own]
        }
        _ => threshold_number(threshold),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of thresholds")]
fn threshold_number(threshold: usize) -> f32 {
    threshold as f32
}

/// The newest hours show when to stop, by models that did not learn from them.
pub(super) const VALIDATED: SignedDuration = SignedDuration::from_hours(90 * 24);
/// After so many trees that did not help, growing stops.
pub(super) const PATIENCE: usize = 20;

/// Fits the trees to the drawn rows of each threshold; `None` without rows.
pub(super) fn fit_trees(
    rows: &[LabelledExample<'_>],
    drawn: &[Vec<Drawn>],
    logistic: &FittedLogistic,
    (hyperparameters, seed): (&Hyperparameters, u64),
) -> Option<FittedTrees> {
    let pooled: Vec<(usize, Drawn)> = drawn
        .iter()
        .enumerate()
        .flat_map(|(threshold, drawn)| drawn.iter().map(move |&row| (threshold, row)))
        .collect();
    let width = rows[pooled.first()?.1.row].example.common.len() + COLUMNS_PER_THRESHOLD + 1;
    let columns: Vec<Vec<f32>> = (0..width)
        .map(|column| {
            let value = |&(threshold, row): &(usize, Drawn)| {
                column_value(rows[row.row].example, threshold, column)
            };
            pooled.iter().map(value).collect()
        })
        .collect();
    let log_odds = pooled
        .par_iter()
        .map(|&(threshold, row)| logistic.log_odds(rows[row.row].example, threshold))
        .collect();
    let boosting = Boosting {
        binned: Binned::of(&columns),
        columns: readable(width),
        log_odds,
        exceeded: pooled.iter().map(|(_, row)| row.exceeded).collect(),
        hyperparameters,
        seed,
    };
    let starts = || pooled.iter().map(|(_, row)| rows[row.row].example.target.hour.start);
    let validated = starts().max()? - VALIDATED;
    let weights_where = |holds: &dyn Fn(Timestamp) -> bool| -> Vec<f64> {
        let weight = |((_, row), start): (&(usize, Drawn), Timestamp)| {
            if holds(start) { row.weight } else { 0.0 }
        };
        pooled.iter().zip(starts()).map(weight).collect()
    };
    let before = weights_where(&|start| start < validated - EMBARGO);
    let after = weights_where(&|start| validated <= start);
    let count = boosting.enough(&before, &after);
    let trees = boosting.grow(&weights_where(&|_| true), count, |_| true);
    Some(FittedTrees { trees })
}

/// Everything that trees are grown from but the weights of the rows.
struct Boosting<'h> {
    binned: Binned,
    /// The columns that trees read.
    columns: Vec<usize>,
    /// What the logistic regression says of each row.
    log_odds: Vec<f64>,
    exceeded: Vec<bool>,
    hyperparameters: &'h Hyperparameters,
    seed: u64,
}

impl Boosting<'_> {
    /// Grows trees on weighted rows; after each, `go_on` is told the log-odds of all rows.
    fn grow(
        &self,
        weights: &[f64],
        trees_max: usize,
        mut go_on: impl FnMut(&[f64]) -> bool,
    ) -> Vec<Tree> {
        let growth = Growth {
            leaves_max: self.hyperparameters.leaves_max,
            leaf_hessian_min: self.hyperparameters.leaf_information_min,
            ridge: self.hyperparameters.leaf_ridge,
            learning_rate: self.hyperparameters.learning_rate,
        };
        let mut log_odds = self.log_odds.clone();
        let mut order = self.columns.clone();
        let used = columns_of_a_tree(order.len(), self.hyperparameters.column_share);
        let mut random = Pcg64Mcg::seed_from_u64(self.seed);
        let mut derivatives = vec![Derivatives::default(); weights.len()];
        let mut trees = Vec::with_capacity(trees_max);
        while trees.len() < trees_max {
            let rows = log_odds.iter().zip(weights).zip(&self.exceeded);
            for (derivative, ((z, weight), exceeded)) in derivatives.iter_mut().zip(rows) {
                let p = probability(*z);
                derivative.gradient = weight * (p - outcome(*exceeded));
                derivative.hessian = weight * p * (1.0 - p);
            }
            order.shuffle(&mut random);
            let mut chosen = order[..used].to_vec();
            chosen.sort_unstable();
            trees.push(grow(&self.binned, &derivatives, &chosen, &growth, &mut log_odds));
            if !go_on(&log_odds) {
                break;
            }
        }
        trees
    }

    /// Returns how many trees that are grown on the rows before did best on those after.
    fn enough(&self, before: &[f64], after: &[f64]) -> usize {
        let loss = |log_odds: &[f64]| -> f64 {
            let rows = log_odds.iter().zip(after).zip(&self.exceeded).filter(|it| *it.0.1 > 0.0);
            rows.map(|((z, weight), exceeded)| weight * log_loss(probability(*z), *exceeded)).sum()
        };
        let mut best = (0, loss(&self.log_odds));
        let mut count = 0;
        self.grow(before, self.hyperparameters.trees, |log_odds| {
            count += 1;
            let loss = loss(log_odds);
            if loss < best.1 {
                best = (count, loss);
            }
            count < best.0 + PATIENCE
        });
        best.0
    }
}

/// Returns the columns that trees read, the threshold's number among them.
fn readable(width: usize) -> Vec<usize> {
    let mut columns: Vec<usize> = features()
        .iter()
        .enumerate()
        .filter(|(_, feature)| feature.read_by != ReadBy::Logistic)
        .map(|(column, _)| column)
        .collect();
    columns.push(width - 1);
    columns
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of about a hundred columns"
)]
fn columns_of_a_tree(width: usize, share: f64) -> usize {
    ((width as f64 * share).ceil() as usize).clamp(1, width)
}

impl FittedTrees {
    pub(super) fn count(&self) -> usize {
        self.trees.len()
    }

    /// Returns what the trees add to the logistic regression's log-odds.
    pub(super) fn correction(&self, example: &Example, threshold: usize) -> f64 {
        let at = |column: usize| column_value(example, threshold, column);
        self.trees.iter().map(|tree| tree.value(at)).sum()
    }

    /// Returns the trees' mean correction, and what each feature adds to it: Shapley values.
    pub(super) fn shares(&self, example: &Example, threshold: usize) -> (f64, Vec<f64>) {
        let at = |column: usize| column_value(example, threshold, column);
        let width = example.common.len() + COLUMNS_PER_THRESHOLD + 1;
        let mut shares = vec![0.0; width];
        let mut mean = 0.0;
        for tree in &self.trees {
            mean += add_shapley_values(tree, &at, &mut shares);
        }
        (mean, shares)
    }
}

/// Adds the Shapley values of one tree's columns (Lundberg & Lee, 2017; what is not known of a row
/// is averaged over the training rows, as in TreeSHAP). Trees are small, so every subset of the
/// columns is tried. Returns the value without any column.
fn add_shapley_values(tree: &Tree, at: &impl Fn(usize) -> f32, shares: &mut [f64]) -> f64 {
    let columns = tree.columns();
    let value = |subset: usize| {
        let known = |column: usize| {
            columns.iter().position(|&c| c == column).is_some_and(|bit| subset >> bit & 1 == 1)
        };
        tree.expected(at, &known)
    };
    let values: Vec<f64> = (0..1_usize << columns.len()).map(value).collect();
    for (bit, &column) in columns.iter().enumerate() {
        for subset in (0..values.len()).filter(|subset| subset >> bit & 1 == 0) {
            let weight = ordering_share(subset.count_ones() as usize, columns.len());
            shares[column] += weight * (values[subset | 1 << bit] - values[subset]);
        }
    }
    values[0]
}

/// Returns the share of all orders of `count` columns in which `before` given ones come first and
/// then a given one.
fn ordering_share(before: usize, count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of columns")]
    let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
    factorial(before) * factorial(count - before - 1) / factorial(count)
}
