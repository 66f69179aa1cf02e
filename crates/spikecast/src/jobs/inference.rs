//! Inference: examples and a model in, forecast rows out. The one call site for the daily job and
//! the backtest.

use std::sync::Arc;

use forecast::features::{Example, Examples};
use forecast::model::{FittedModel, Prediction};
use forecast::threshold::Thresholds;

use crate::ledger::ForecastRow;
use crate::quality::Quality;

/// Who speaks.
#[derive(Debug)]
pub enum Forecaster {
    /// A trained model.
    Model {
        /// Its version.
        version: String,
        /// The model.
        model: Box<FittedModel>,
    },
    /// The climatology, when there is no model at all.
    Climatology,
}

impl Forecaster {
    /// Returns the model version that forecasts are labelled with.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Forecaster::Model { version, .. } => version,
            Forecaster::Climatology => "climatology",
        }
    }

    fn predict(&self, example: &Example) -> Vec<Prediction> {
        match self {
            Forecaster::Model { model, .. } => model.predict(example),
            Forecaster::Climatology => climatology(example),
        }
    }
}

/// Forecasts every target hour and threshold of the examples.
#[must_use]
pub fn forecast_rows(
    forecaster: &Forecaster,
    examples: &[Examples],
    thresholds: &Thresholds,
    quality: &Quality,
) -> Vec<ForecastRow> {
    let model_version: Arc<str> = forecaster.version().into();
    let quality: Arc<str> = quality.to_string().into();
    let mut rows = Vec::new();
    for examples in examples {
        for example in &examples.rows {
            let predictions = forecaster.predict(example);
            rows.extend(thresholds.iter().zip(predictions).map(|(threshold, prediction)| {
                ForecastRow {
                    issue_time: examples.issue_time,
                    target: example.target,
                    settlement_point: examples.settlement_point.clone(),
                    threshold,
                    prediction,
                    model_version: model_version.clone(),
                    quality: quality.clone(),
                }
            }));
        }
    }
    rows
}

/// Forecasts what is usual. The interval spans the two memories of the climatology.
fn climatology(example: &Example) -> Vec<Prediction> {
    let each =
        example.climatology.iter().zip(&example.climatology_recent).zip(&example.persistence);
    each.map(|((&long, &recent), &persistence)| Prediction {
        probability: long,
        lower: long.min(recent),
        upper: long.max(recent),
        climatology: long,
        climatology_recent: recent,
        persistence,
        logistic: long,
        boosted_trees: long,
    })
    .collect()
}
