//! Stage *fetch*: brings the archive up to the issue time.
//!
//! Files are imported as a whole and again only when they changed; a source that keeps publishing
//! is asked for what lies before and after what is archived already.

use jiff::Timestamp;
use market::archive::{Archive, Batch};
use market::observation::SeriesKey;
use market::source::{FetchRequest, Source};
use orchestration::StageContext;
use serde::{Deserialize, Serialize};

use super::shapes::{FetchOutput, ForecastInput};
use super::workspace::Workspace;
use crate::jobs::failure::JobError;
use crate::jobs::source::series_keys;

pub(super) fn fetch(
    workspace: &Workspace,
    input: &ForecastInput,
    stage: &StageContext,
) -> Result<FetchOutput, JobError> {
    let source = input.source.open()?;
    let archive = Archive::open(&workspace.data_dir.archive(&source.id()))?;
    let keys = series_keys(&input.targets.points()?);
    let source_id = source.id();
    let (source_id, source) = (source_id.as_str(), source.as_ref());
    let fetching = Fetching { workspace, source, source_id, archive: &archive };
    let total = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    let mut observations = 0;
    for (done, key) in (0..).zip(&keys) {
        stage.progress(done, total, &key.to_string());
        observations += match input.source.history_from(input.issue_time) {
            None => fetching.import(key)?,
            Some(from) => fetching.extend(key, from, input.issue_time)?,
        };
    }
    let source_id = source_id.to_owned();
    Ok(FetchOutput { source_id, source: source.describe(), observations })
}

/// Goes on with what is archived, where nothing could be fetched.
pub(super) fn archived(
    workspace: &Workspace,
    input: &ForecastInput,
) -> Result<FetchOutput, JobError> {
    let source = input.source.open()?;
    let archive = Archive::open(&workspace.data_dir.archive(&source.id()))?;
    for key in series_keys(&input.targets.points()?) {
        if archive.newest_publication(&key)?.is_some() {
            let (source_id, source) = (source.id(), source.describe());
            return Ok(FetchOutput { source_id, source, observations: 0 });
        }
    }
    let message =
        format!("nothing of {} is archived that could be used instead", source.describe());
    Err(JobError::NotEnoughData(message))
}

struct Fetching<'a> {
    workspace: &'a Workspace,
    source: &'a dyn Source,
    source_id: &'a str,
    archive: &'a Archive,
}

/// Which publications of a series are archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Archived {
    after: Timestamp,
    until: Timestamp,
}

/// Under this name the archive remembers how often imported observations were corrected.
const GENERATION: &str = "generation";

/// Returns how often observations that were imported before were changed or removed since.
pub(in crate::jobs) fn generation(archive: &Archive) -> u64 {
    archive.imported(GENERATION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Under this name files are imported; importing them again replaces what was.
const IMPORTED: &str = "imported";

impl Fetching<'_> {
    /// Imports a whole series unless the source is in the state that was imported last.
    fn import(&self, key: &SeriesKey) -> Result<usize, JobError> {
        let fingerprint = self.source.fingerprint()?;
        let name = key.to_string();
        if self.archive.imported(&name).as_ref() == Some(&fingerprint) {
            return Ok(0);
        }
        let request = FetchRequest {
            key: key.clone(),
            published_after: None,
            published_until: Timestamp::MAX,
        };
        let observations = self.source.fetch(&request)?;
        let mut batch = self.batch();
        batch.replace_import(IMPORTED);
        if self.archive.would_correct(key, IMPORTED, &observations)? {
            batch.record_import(GENERATION, &(generation(self.archive) + 1).to_string());
        }
        batch.record_import(&name, &fingerprint);
        let count = observations.len();
        batch.add(key, observations);
        self.archive.commit(&batch)?;
        Ok(count)
    }

    /// Fetches what was published in `(from, until]` and is not archived.
    fn extend(
        &self,
        key: &SeriesKey,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<usize, JobError> {
        let name = key.to_string();
        let archived: Option<Archived> =
            self.archive.imported(&name).and_then(|text| serde_json::from_str(&text).ok());
        let known = archived.unwrap_or(Archived { after: until, until });
        let spans = [(from, known.after), (known.until, until)];
        let mut batch = self.batch();
        for (after, until) in spans.into_iter().filter(|(after, until)| after < until) {
            let request = FetchRequest {
                key: key.clone(),
                published_after: Some(after),
                published_until: until,
            };
            batch.add(key, self.source.fetch(&request)?);
        }
        let now = Archived { after: known.after.min(from), until: known.until.max(until) };
        batch.record_import(&name, &serde_json::to_string(&now).expect("two instants"));
        Ok(self.archive.commit(&batch)?.observations)
    }

    fn batch(&self) -> Batch {
        Batch::new(self.source_id, self.workspace.clock.now())
    }
}
