//! The hyper-parameters of a fit. The defaults were chosen on 2022 to 2024, see
//! `docs/forecast-model.md`.

use serde::{Deserialize, Serialize};

/// Hyper-parameters. Ridges are in units of information: a ridge of 1,000 outweighs what 1,000
/// hours with an even chance and one standard deviation of a feature would teach, times ¼.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hyperparameters {
    /// Rows that a threshold learns from at the most.
    pub rows_max: usize,
    /// Age in days at which a row weighs half.
    pub half_life_days: f64,
    /// How strongly the lowest threshold's coefficients are drawn to 0.
    pub ridge: f64,
    /// How strongly its coefficients on each lead day are drawn to those of all lead days.
    pub lead_day_ridge: f64,
    /// How strongly every other threshold's are drawn to those of the threshold below.
    pub kinship_ridge: f64,
    /// How strongly intercepts are drawn in the same way.
    pub intercept_ridge: f64,
    /// How many trees at the most.
    pub trees: usize,
    /// Leaves of a tree.
    pub leaves_max: usize,
    /// Information that a leaf must hold.
    pub leaf_information_min: f64,
    /// How strongly the value of a leaf is drawn to 0.
    pub leaf_ridge: f64,
    /// Share of a leaf's value that is added.
    pub learning_rate: f64,
    /// Share of the columns that each tree may use.
    pub column_share: f64,
}

impl Default for Hyperparameters {
    fn default() -> Self {
        Self {
            rows_max: 24_000,
            half_life_days: 450.0,
            ridge: 1_000.0,
            lead_day_ridge: 2_000.0,
            kinship_ridge: 5_000.0,
            intercept_ridge: 20.0,
            trees: 60,
            leaves_max: 4,
            leaf_information_min: 20.0,
            leaf_ridge: 100.0,
            learning_rate: 0.05,
            column_share: 0.4,
        }
    }
}
