//! What is fetched for a run, and by what: piece by piece from ERCOT, at once from other sources.

use std::sync::Arc;

use jiff::Timestamp;
use orchestration::Clock;

use super::planner::Fetcher;
use crate::config::Config;
use crate::jobs::ercot::Ercot;
use crate::jobs::failure::JobError;
use crate::jobs::fetch::{FetchInput, FetchWorkspace, Purpose, Vintages, open_archive};
use crate::jobs::forecast::wanted;
use crate::jobs::source::{SourceChoice, series_keys};
use crate::jobs::targets::Targets;

/// Prepares the way to a source that is fetched piece by piece; `None` for others. Asks nothing.
pub fn patient_fetching(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<FetchWorkspace>>, JobError> {
    if !matches!(config.source, SourceChoice::Ercot) {
        return Ok(None);
    }
    let data_dir = config.data_dir.clone();
    let archive = open_archive(&data_dir, &config.source.id()?)?;
    let ercot = Some(Ercot::open(&config.ercot, clock)?);
    let clock = clock.clone();
    Ok(Some(Arc::new(FetchWorkspace { data_dir, clock, ercot, weather: None, archive })))
}

/// Returns what a run of `issue_time` must fetch, so that the archive has what was published by then.
pub fn fetch_input(
    workspace: &FetchWorkspace,
    (source, targets): (&SourceChoice, &Targets),
    issue_time: Timestamp,
) -> Result<FetchInput, JobError> {
    let keys = series_keys(&targets.points()?);
    Ok(FetchInput {
        source: source.clone(),
        wanted: wanted(&workspace.archive, &keys, issue_time),
        now: workspace.clock.now(),
        as_of: issue_time,
        vintages: Vintages::Morning,
        purpose: Purpose::Forecast,
    })
}

/// Returns what says what must be fetched.
#[must_use]
pub fn fetcher(source: &SourceChoice, workspace: Option<Arc<FetchWorkspace>>) -> Fetcher {
    let source = source.clone();
    Arc::new(move |targets, issue_time| {
        let input = |workspace| fetch_input(workspace, (&source, targets), issue_time);
        workspace.as_deref().map(input).transpose()
    })
}
