//! Models: climatology and persistence come with the examples; logistic regression and boosted
//! trees are fitted here, combined and calibrated on held-out days, and saved with a checksum.
//!
//! `fit` returns a different type than what it is called on, so an unfitted model cannot predict.

mod boosting;
mod combination;
mod fit;
mod lineage;
mod linear_algebra;
mod logistic;
mod sample;
mod saved;
mod tree;

pub use fit::{FitError, FitSettings, FittedModel, Prediction, fit};
pub use lineage::{HeldOut, Lineage};
pub use sample::LabelledExample;
pub use saved::{MODEL_FORMAT, SavedModelError};
