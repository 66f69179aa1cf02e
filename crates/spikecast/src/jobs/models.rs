//! Where the models of a source and its targets are registered.

use market::archive::Archive;

use super::failure::JobError;
use super::forecast::generation;
use super::source::SourceChoice;
use super::targets::Targets;
use crate::data_dir::DataDir;
use crate::registry::ModelRegistry;

/// Returns the registry of the models that were trained on a source for these targets.
pub fn model_registry(
    data_dir: &DataDir,
    source: &SourceChoice,
    targets: &Targets,
) -> Result<ModelRegistry, JobError> {
    let source_id = source.id()?;
    // Models that learnt from data that was corrected since are of an earlier generation.
    let generation = generation(&Archive::open(&data_dir.archive(&source_id))?);
    let scope = format!("{}-{generation}", targets.scope());
    Ok(ModelRegistry::in_folder(data_dir.models(&source_id, &scope)))
}
