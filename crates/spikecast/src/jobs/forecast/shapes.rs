//! What crosses the journal between the stages of the main job: small JSON, paths of files.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use crate::jobs::fetch::FetchInput;
use crate::jobs::source::SourceChoice;
use crate::jobs::targets::Targets;

/// Everything that a run depends on, fixed when it is submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastInput {
    /// When the forecast speaks.
    pub issue_time: Timestamp,
    /// Where observations come from.
    pub source: SourceChoice,
    /// What is forecast.
    #[serde(flatten)]
    pub targets: Targets,
    /// A model older than this is replaced.
    pub retrain_every_days: u32,
    /// The market-local time of day at which forecasts speak for which a model is trained; that of
    /// the issue time, if nothing else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaks_at: Option<Time>,
    /// By when the forecast must be published; nothing when the clock was turned back.
    pub deadline: Option<Timestamp>,
    /// What is fetched piece by piece, of a source that is fetched so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<FetchInput>,
}

/// What was fetched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FetchOutput {
    /// The id of the source, under which its archive, models and forecasts are kept.
    pub source_id: String,
    /// The source in words.
    pub source: String,
    /// Observations that were not archived before.
    pub observations: usize,
}

/// One input as it stood at the issue time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputStatus {
    /// What a person calls it.
    pub name: String,
    /// When the newest interval starts; nothing when there is none.
    pub newest_interval: Option<Timestamp>,
    /// When that was published.
    pub published_at: Option<Timestamp>,
    /// Which share of the intervals of the last week is known, 0 to 1.
    pub coverage: f64,
    /// How far the newest interval should reach at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Timestamp>,
    /// Whether the newest interval is as new as it should be.
    pub fresh: bool,
}

/// What the inputs looked like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidateOutput {
    /// Every input.
    pub inputs: Vec<InputStatus>,
}

/// Which model speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainOutput {
    /// Its version and file; nothing when the climatology has to speak.
    pub model: Option<ModelReference>,
    /// Whether it was trained in this run.
    pub trained: bool,
    /// The version of the model that spoke before, if another one takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The model that was trained in this run and does not speak, if it was found wanting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedModel>,
}

/// A trained model that does not speak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusedModel {
    /// Its version.
    pub version: String,
    /// Why, in words.
    pub reason: String,
}

/// A kept model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelReference {
    /// Its version.
    pub version: String,
    /// Its file.
    pub path: PathBuf,
}

impl TrainOutput {
    /// Returns that there is no model.
    #[must_use]
    pub fn none() -> Self {
        Self { model: None, trained: false, replaces: None, refused: None }
    }
}

/// The file of features for the issue time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FeaturesOutput {
    /// The intermediate file.
    pub path: PathBuf,
}

/// The forecast before it is published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InferOutput {
    /// The intermediate file.
    pub path: PathBuf,
    /// How many rows it holds.
    pub rows: usize,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The forecast's file in the ledger.
    pub forecast: PathBuf,
    /// The page.
    pub report: PathBuf,
    /// The page's first sentence.
    pub headline: String,
    /// How many rows the forecast has.
    pub rows: usize,
    /// How many target hours.
    pub hours: usize,
    /// The first target hour, in local words.
    pub first_target: String,
    /// Which model spoke.
    pub model_version: String,
}
