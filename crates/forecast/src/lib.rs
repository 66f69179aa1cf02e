//! Targets → features → models → calibrated probabilities → scores. Pure functions: no input or
//! output, no clock, no randomness without a seed.
//!
//! The path of a forecast: [`horizon`](horizon::horizon) names the target hours of an issue time,
//! [`features::examples`] describes them by what was known then, [`model::fit`] learns from past
//! examples and their [`target::outcomes`], [`model::FittedModel::predict`] speaks, and
//! [`evaluation`] says how well it spoke.

mod arithmetic;
pub mod curve;
pub mod evaluation;
pub mod features;
pub mod horizon;
pub mod model;
pub mod probability;
pub mod target;
pub mod threshold;
