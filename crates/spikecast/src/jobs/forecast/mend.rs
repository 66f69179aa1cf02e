//! What is done about a damaged archive before a stage that reads it is tried again.

use std::sync::Arc;

use market::archive::Archive;
use orchestration::recovery::RecoveryError;
use orchestration::{
    ErrorRecoveryManager, FailureClass, RecoveryAction, RecoveryContext, RecoveryStrategy,
    RecoveryTrigger, RetryPolicy,
};

use super::shapes::ForecastInput;
use super::workspace::Workspace;
use crate::jobs::archive_repair::repair_if_damaged;
use crate::jobs::failure::JobError;

/// The stages that read the archive and nothing else.
const READERS: [&str; 2] = ["validate", "features"];

/// Once repaired is enough: what is still wrong then is not the archive.
const REPAIRED_ONCE: RetryPolicy = RetryPolicy { attempts_max: 2, ..RetryPolicy::NEVER };

/// Registers that an archive with broken files is repaired: these are taken out, what ERCOT's own
/// files can rebuild is rebuilt, and what is lost is marked, so that the next fetch gets it again.
pub fn recover_archive(
    recovery: &mut ErrorRecoveryManager,
    workspace: &Arc<Workspace>,
) -> Result<(), RecoveryError> {
    let workspace = workspace.clone();
    let repair = RecoveryAction::new(move |context: &RecoveryContext| {
        let input = serde_json::from_value((*context.run_input).clone())
            .map_err(|_| JobError::Intermediate("the input of the run".to_owned()))?;
        let input: ForecastInput = input;
        let archive = archive_of(&workspace, &input)?;
        Ok(repair_if_damaged(&archive, workspace.clock.now())?)
    });
    for stage in READERS {
        recovery.register_recovery_strategy(
            RecoveryTrigger::class(FailureClass::BadData).at_stage(stage),
            RecoveryStrategy::Repair { action: repair.clone(), policy: REPAIRED_ONCE },
        )?;
    }
    Ok(())
}

fn archive_of(workspace: &Workspace, input: &ForecastInput) -> Result<Archive, JobError> {
    Ok(Archive::open(&workspace.data_dir.archive(&input.source.id()?))?)
}
