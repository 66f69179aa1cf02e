//! Which features the logistic regression reads, and how they are standardised. Of a feature that
//! hardly any row knows nothing is learnt, and its column is left out: whatever it says later moves
//! no forecast.

use serde::{Deserialize, Serialize};

use super::sample::{Drawn, LabelledExample};
use crate::features::{COLUMNS_PER_THRESHOLD, Example, Feature, ReadBy, features};

/// Standardised features are cut off here: nothing was learnt about what lies further out.
const STANDARD_SCORE_MAX: f64 = 3.5;

/// The share of the rows, by weight, that must know a feature: about a fortnight of two years. Mean
/// and deviation of fewer days would be those of a single spell of weather.
pub(super) const KNOWN_SHARE_MIN: f64 = 0.02;

/// Standardised columns: common features, then those of a threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Columns {
    common: Vec<Column>,
    own: Vec<Column>,
}

/// One feature and how it is standardised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Column {
    /// Its place among the common features, or among those of a threshold.
    place: usize,
    mean: f64,
    /// 1 / standard deviation; 0 for a feature that does not vary.
    inverse_deviation: f64,
}

impl Column {
    fn score(self, value: f32) -> f64 {
        let value = f64::from(value);
        if value.is_nan() {
            return 0.0;
        }
        let score = (value - self.mean) * self.inverse_deviation;
        score.clamp(-STANDARD_SCORE_MAX, STANDARD_SCORE_MAX)
    }
}

impl Columns {
    /// Standardises by the rows that one threshold learns from; all thresholds share the result,
    /// so that their coefficients can be compared.
    pub(super) fn of(rows: &[LabelledExample<'_>], drawn: &[Drawn], threshold: usize) -> Self {
        let all = features();
        let (common, own) = all.split_at(all.len() - COLUMNS_PER_THRESHOLD);
        let read = |features: &[Feature]| -> Vec<usize> {
            let read = |place: &usize| features[*place].read_by != ReadBy::Trees;
            (0..features.len()).filter(read).collect()
        };
        let total: f64 = drawn.iter().map(|row| row.weight).sum();
        let column = |place: usize, at: &dyn Fn(&Example) -> f32| {
            let (mut weight, mut sum, mut squares) = (0.0, 0.0, 0.0);
            for row in drawn {
                let value = f64::from(at(rows[row.row].example));
                if value.is_finite() {
                    weight += row.weight;
                    sum += row.weight * value;
                    squares += row.weight * value * value;
                }
            }
            if weight <= KNOWN_SHARE_MIN * total {
                return None;
            }
            let mean = sum / weight;
            let variance = squares / weight - mean * mean;
            let inverse_deviation = if 1e-9 < variance { 1.0 / variance.sqrt() } else { 0.0 };
            Some(Column { place, mean, inverse_deviation })
        };
        let common =
            read(common).into_iter().filter_map(|place| column(place, &|e| e.common[place]));
        let own = read(own)
            .into_iter()
            .filter_map(|place| column(place, &|e| own_features(e, threshold)[place]));
        Self { common: common.collect(), own: own.collect() }
    }

    /// Returns how many there are.
    pub(super) fn count(&self) -> usize {
        self.common.len() + self.own.len()
    }

    /// Returns the places of the columns among all features, of which the first `common` are common
    /// to all thresholds.
    pub(super) fn places(&self, common: usize) -> impl Iterator<Item = usize> + '_ {
        let own = self.own.iter().map(move |column| common + column.place);
        self.common.iter().map(|column| column.place).chain(own)
    }

    /// Returns the standardised features of an example; a missing one is average.
    pub(super) fn scores<'e>(
        &'e self,
        example: &'e Example,
        threshold: usize,
    ) -> impl Iterator<Item = f64> + 'e {
        let own = own_features(example, threshold);
        let common = self.common.iter().map(|column| column.score(example.common[column.place]));
        common.chain(self.own.iter().map(|column| column.score(own[column.place])))
    }
}

fn own_features(example: &Example, threshold: usize) -> &[f32] {
    &example.by_threshold[threshold * COLUMNS_PER_THRESHOLD..][..COLUMNS_PER_THRESHOLD]
}
