//! Stage *features*: describes the target hours by what was known at the issue time.

use orchestration::RunId;

use super::shapes::{FeaturesOutput, ForecastInput};
use super::workspace::Workspace;
use crate::jobs::examples_file::write_examples;
use crate::jobs::failure::JobError;
use crate::jobs::training::examples_at;

pub(super) fn features(
    workspace: &Workspace,
    input: &ForecastInput,
    run: RunId,
) -> Result<FeaturesOutput, JobError> {
    let history = workspace.history(input)?;
    let view = history.known_at(input.issue_time);
    let thresholds = input.targets.thresholds()?;
    let examples = examples_at(&view, input.issue_time, &input.targets.points()?, &thresholds);
    let path = workspace.data_dir.work_of(run).join("features.parquet");
    write_examples(&path, &examples, &thresholds)?;
    Ok(FeaturesOutput { path })
}
