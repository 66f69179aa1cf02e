//! Where a model comes from: when and from what it was trained, and how.
//!
//! It travels inside the saved model, so that a model can be judged without its training data.

use std::hash::Hasher;

use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use super::fit::FitSettings;
use super::recipe::Recipe;
use super::sample::LabelledExample;
use crate::features::column_names;
use crate::target::HourOutcome;

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// When it was trained, RFC 3339.
    pub trained_at: String,
    /// The first and the last target hour it learnt from, RFC 3339.
    pub first_target: String,
    /// The last one.
    pub last_target: String,
    /// How many target hours with a known outcome it was offered.
    pub rows: usize,
    /// A hash of all features and outcomes that it was offered: equal only for equal data.
    pub data: String,
    /// The names of the features, in order.
    pub features: Vec<String>,
    /// The constants and settings it was fitted with.
    pub recipe: Recipe,
    /// What seeded it.
    pub seed: u64,
    /// The program's version.
    pub program: String,
}

impl Lineage {
    /// Describes a fit to these rows, of which `known` have a known outcome.
    pub(super) fn of(
        rows: &[LabelledExample<'_>],
        known: usize,
        settings: &FitSettings,
        recipe: Recipe,
    ) -> Self {
        let is_known = |row: &&LabelledExample<'_>| row.outcome != HourOutcome::Unknown;
        let targets = rows.iter().filter(is_known).map(|row| row.example.target.hour.start);
        let text = |instant: Option<Timestamp>| instant.map(|t| t.to_string()).unwrap_or_default();
        Self {
            trained_at: settings.as_of.to_string(),
            first_target: text(targets.clone().min()),
            last_target: text(targets.max()),
            rows: known,
            data: hash_of_data(rows),
            features: column_names().into_iter().map(str::to_owned).collect(),
            recipe,
            seed: settings.seed,
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// Returns a hash of the features' names and their order.
    #[must_use]
    pub fn features_hash(&self) -> String {
        format!("{:016x}", XxHash64::oneshot(0, self.features.join("\n").as_bytes()))
    }

    /// Says whether this program describes hours by the very features that the model learnt from;
    /// without them it cannot speak.
    #[must_use]
    pub fn has_features_of_this_program(&self) -> bool {
        self.features.iter().map(String::as_str).eq(column_names())
    }
}

/// Hashes times, features and outcomes, row by row on all cores, then the rows' hashes in order.
fn hash_of_data(rows: &[LabelledExample<'_>]) -> String {
    let hashes: Vec<u64> = rows.par_iter().map(hash_of_row).collect();
    let mut all = XxHash64::with_seed(0);
    for hash in hashes {
        all.write(&hash.to_le_bytes());
    }
    format!("{:016x}", all.finish())
}

fn hash_of_row(row: &LabelledExample<'_>) -> u64 {
    let example = row.example;
    let (kind, price) = match row.outcome {
        HourOutcome::Unknown => (0_u8, 0.0),
        HourOutcome::AtLeast(price) => (1, price.value()),
        HourOutcome::Known(price) => (2, price.value()),
    };
    let mut bytes = vec![kind, example.target.lead_day];
    bytes.extend(price.to_le_bytes());
    for instant in [row.issue_time, example.target.hour.start] {
        bytes.extend(instant.as_second().to_le_bytes());
    }
    bytes.extend(example.common.iter().chain(&example.by_threshold).flat_map(|v| v.to_le_bytes()));
    let usual = [&example.climatology, &example.climatology_recent, &example.persistence];
    bytes.extend(usual.into_iter().flatten().flat_map(|v| v.to_le_bytes()));
    XxHash64::oneshot(0, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Example;
    use crate::horizon::TargetHour;
    use market::time::MarketHour;
    use market::units::DollarsPerMwh;

    #[test]
    fn the_hash_of_data_sees_a_feature_an_outcome_and_the_order() {
        let start: Timestamp = "2024-08-19T20:00:00Z".parse().unwrap();
        let example = |feature: f32| Example {
            target: TargetHour { hour: MarketHour::starting(start), lead_day: 1 },
            common: vec![feature, f32::NAN],
            by_threshold: vec![0.5],
            climatology: vec![0.1],
            climatology_recent: vec![0.2],
            persistence: vec![0.3],
        };
        let (one, other) = (example(1.0), example(1.5));
        let known = HourOutcome::Known(DollarsPerMwh::new(80.0).unwrap());
        let row = |example, outcome| LabelledExample { issue_time: start, example, outcome };
        let hash = |rows: &[LabelledExample<'_>]| hash_of_data(rows);
        let (a, b) = (row(&one, known), row(&other, known));
        assert_eq!(hash(&[a, b]), hash(&[a, b]));
        assert_ne!(hash(&[a, b]), hash(&[b, a]));
        assert_ne!(hash(&[a]), hash(&[b]));
        assert_ne!(hash(&[a]), hash(&[row(&one, HourOutcome::Unknown)]));
    }
}
