//! Stage *fetch*: brings the archive up to the issue time.
//!
//! Files are imported as a whole and again only when they changed; a source that keeps publishing
//! is asked for what lies before and after what is archived already.

use jiff::Timestamp;
use market::archive::{Archive, Fetch};
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
    let fetching = Fetching { workspace, source: source.as_ref(), archive: &archive };
    let total = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    let mut observations = 0;
    for (done, key) in (0..).zip(&keys) {
        stage.progress(done, total, &key.to_string());
        observations += match input.source.history_from(input.issue_time) {
            None => fetching.import(key)?,
            Some(from) => fetching.extend(key, from, input.issue_time)?,
        };
    }
    Ok(FetchOutput { source_id: source.id(), source: source.describe(), observations })
}

struct Fetching<'a> {
    workspace: &'a Workspace,
    source: &'a dyn Source,
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
pub(super) fn generation(archive: &Archive) -> Result<u64, JobError> {
    let recorded = archive.imported(GENERATION)?;
    Ok(recorded.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The part that files are imported to; importing them again replaces it.
const IMPORTED: &str = "imported";

impl Fetching<'_> {
    /// Imports a whole series unless the source is in the state that was imported last.
    fn import(&self, key: &SeriesKey) -> Result<usize, JobError> {
        let fingerprint = self.source.fingerprint()?;
        let name = key.to_string();
        if self.archive.imported(&name)?.as_ref() == Some(&fingerprint) {
            return Ok(0);
        }
        let request = FetchRequest {
            key: key.clone(),
            published_after: None,
            published_until: Timestamp::MAX,
        };
        let observations = self.source.fetch(&request)?;
        let part = self.part(key, IMPORTED);
        if self.archive.would_correct(&part, &observations)? {
            // First, so that a crash in between counts once too often rather than not at all.
            let next = generation(self.archive)? + 1;
            self.archive.record_import(GENERATION, &next.to_string())?;
        }
        self.archive.replace(&part, &observations)?;
        self.archive.record_import(&name, &fingerprint)?;
        Ok(observations.len())
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
            self.archive.imported(&name)?.and_then(|text| serde_json::from_str(&text).ok());
        let known = archived.unwrap_or(Archived { after: until, until });
        let spans = [(from, known.after), (known.until, until)];
        let mut added = 0;
        for (after, until) in spans.into_iter().filter(|(after, until)| after < until) {
            let request = FetchRequest {
                key: key.clone(),
                published_after: Some(after),
                published_until: until,
            };
            let observations = self.source.fetch(&request)?;
            let part = format!("{}", until.strftime("%Y%m%dT%H%M%SZ"));
            added += self.archive.append(&self.part(key, &part), &observations)?;
        }
        let now = Archived { after: known.after.min(from), until: known.until.max(until) };
        if archived != Some(now) {
            let text = serde_json::to_string(&now).expect("two instants");
            self.archive.record_import(&name, &text)?;
        }
        Ok(added)
    }

    fn part<'p>(&'p self, key: &'p SeriesKey, part: &'p str) -> Fetch<'p> {
        let source_id = self.source_id();
        Fetch { key, part, fetched_at: self.workspace.clock.now(), source_id }
    }

    fn source_id(&self) -> &str {
        self.archive.folder().file_name().and_then(|name| name.to_str()).unwrap_or("unknown")
    }
}
