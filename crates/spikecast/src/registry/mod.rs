//! The model registry: numbered models in files, and the history of which one speaks since when.
//!
//! `version` says what a number means, `files` how models are kept, `history` who took over from
//! whom (pure), `promotion` whether a new model may take over (pure). `model_registry` puts them
//! together and is what jobs call. Models of days that are forecast afterwards are kept apart, in
//! `past_models`: they compete with nobody. See `docs/models.md`.

mod error;
mod files;
mod history;
mod history_file;
mod model_registry;
mod past_models;
mod promotion;
mod version;

pub use error::RegistryError;
pub use files::{ModelEntry, load, load_card};
pub use history::{Event, History, ModelState, Standing, What, Who};
pub use model_registry::{Judgement, ModelRegistry};
pub use past_models::{PastModel, PastModels};
pub use promotion::{Current, Decision, Grounds, decide};
pub use version::{Difference, Version};
