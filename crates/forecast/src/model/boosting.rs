//! Gradient-boosted trees on the log-odds, pooled over thresholds, with the climatology as offset.
//!
//! Every drawn row of every threshold is one row here; the threshold's number is a feature and
//! the offset its own climatology, so rare thresholds borrow strength from common ones.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use super::sample::{Drawn, LabelledExample};
use super::tree::{Binned, Derivatives, Growth, Tree, grow};
use crate::features::{COLUMNS_PER_THRESHOLD, Example};
use crate::probability::probability;

pub(super) const TREES: usize = 150;
pub(super) const GROWTH: Growth =
    Growth { leaves_max: 8, leaf_hessian_min: 4.0, ridge: 20.0, learning_rate: 0.08 };
/// Share of the columns that each tree may use.
pub(super) const COLUMN_SHARE: f64 = 0.4;

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

/// Fits the trees to the drawn rows of each threshold; `None` without rows.
pub(super) fn fit_trees(
    rows: &[LabelledExample<'_>],
    drawn: &[Vec<Drawn>],
    seed: u64,
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
    let binned = Binned::of(&columns);
    let mut log_odds: Vec<f64> =
        pooled.iter().map(|&(threshold, row)| rows[row.row].example.offset(threshold)).collect();
    let mut order: Vec<usize> = (0..binned.width()).collect();
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut trees = Vec::with_capacity(TREES);
    let mut derivatives = vec![Derivatives::default(); pooled.len()];
    for _ in 0..TREES {
        for ((derivative, z), (_, row)) in derivatives.iter_mut().zip(&log_odds).zip(&pooled) {
            let p = probability(*z);
            let residual = p - f64::from(u8::from(row.exceeded));
            derivative.gradient = row.weight * residual;
            derivative.hessian = row.weight * p * (1.0 - p);
        }
        order.shuffle(&mut random);
        let mut chosen = order[..columns_of_a_tree(binned.width())].to_vec();
        chosen.sort_unstable();
        trees.push(grow(&binned, &derivatives, &chosen, &GROWTH, &mut log_odds));
    }
    Some(FittedTrees { trees })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of about a hundred columns"
)]
fn columns_of_a_tree(width: usize) -> usize {
    ((width as f64 * COLUMN_SHARE).ceil() as usize).clamp(1, width)
}

impl FittedTrees {
    /// Forecasts an example for one threshold, in log-odds.
    pub(super) fn log_odds(&self, example: &Example, threshold: usize) -> f64 {
        let at = |column: usize| column_value(example, threshold, column);
        let terms: f64 = self.trees.iter().map(|tree| tree.value(at)).sum();
        example.offset(threshold) + terms
    }
}
