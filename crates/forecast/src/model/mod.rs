//! Models: climatology and persistence come with the examples; logistic regression and boosted
//! trees are fitted here, combined and calibrated on held-out days, and saved with a checksum.
//!
//! `fit` returns a different type than what it is called on, so an unfitted model cannot predict.

mod boosting;
mod calibration;
mod columns;
mod combination;
mod comparison;
mod explanation;
mod fit;
mod held_out;
mod hyperparameters;
mod lineage;
mod linear_algebra;
mod logistic;
mod recipe;
mod sample;
mod saved;
mod search;
mod shrunken;
mod tree;

pub use comparison::{Comparison, PairedDifference, Verdict, compare};
pub use explanation::{Driver, Explanation};
pub use fit::{FitError, FitSettings, FittedModel, Prediction, fit};
pub use held_out::{HeldOut, HeldOutWeek};
pub use hyperparameters::Hyperparameters;
pub use lineage::Lineage;
pub use recipe::Recipe;
pub use sample::LabelledExample;
pub use saved::{MODEL_FORMAT, ModelCard, SavedModelError};
pub use search::{SearchSettings, Trial, search};
