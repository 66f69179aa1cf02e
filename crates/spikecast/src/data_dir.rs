//! Where everything lives: below the data directory, save the archive, which may be elsewhere.
//! Names only: nothing is read or written here.

use std::path::{Path, PathBuf};

use market::archive::ArchiveLocation;
use orchestration::RunId;

/// The folder that holds journal, archive, models and ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
    work: PathBuf,
    archive: ArchiveLocation,
}

impl DataDir {
    /// Names the data directory; it is made when something is written.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let root = path.into();
        let work = root.join("work");
        let archive = ArchiveLocation::Folder(root.join("archive"));
        Self { root, work, archive }
    }

    /// Has the archive elsewhere.
    #[must_use]
    pub fn with_archive(self, archive: ArchiveLocation) -> Self {
        Self { archive, ..self }
    }

    /// Names another folder for the intermediate files: those of runs that have a journal of their
    /// own, where numbers begin anew.
    #[must_use]
    pub fn working_in(self, work: PathBuf) -> Self {
        Self { work, ..self }
    }

    /// Returns the folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Returns the journal's file: what the orchestrator did.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.sqlite")
    }

    /// Returns the file of the journal of fetching: a backfill takes hours, and the morning's run
    /// does not wait for it.
    #[must_use]
    pub fn fetch_journal(&self) -> PathBuf {
        self.root.join("fetch.sqlite")
    }

    /// Returns where the archives of all sources are.
    #[must_use]
    pub fn archives(&self) -> &ArchiveLocation {
        &self.archive
    }

    /// Returns the folder of all backfills: past days that are forecast by one command.
    #[must_use]
    pub fn backfills(&self) -> PathBuf {
        self.root.join("backfill")
    }

    /// Returns the file of schedules: what runs when.
    #[must_use]
    pub fn schedules(&self) -> PathBuf {
        self.root.join("schedules.json")
    }

    /// Returns where the archive of one source is: what the market said.
    #[must_use]
    pub fn archive(&self, source_id: &str) -> ArchiveLocation {
        self.archive.below(source_id)
    }

    /// Returns the folder of the models that were trained on one source for one scope: the same
    /// settlement points and thresholds.
    #[must_use]
    pub fn models(&self, source_id: &str, scope: &str) -> PathBuf {
        self.root.join("models").join(source_id).join(scope)
    }

    /// Returns the ledger's folder: what we predicted.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger")
    }

    /// Returns the folder of scores: how what we predicted did, one file for each day.
    #[must_use]
    pub fn scores(&self) -> PathBuf {
        self.root.join("scores")
    }

    /// Returns the folder of scheduled backtests.
    #[must_use]
    pub fn backtests(&self) -> PathBuf {
        self.root.join("backtests")
    }

    /// Returns the file that a process locks while it runs the schedules.
    #[must_use]
    pub fn serve_lock(&self) -> PathBuf {
        self.root.join("serve.lock")
    }

    /// Returns the page of the forecast that was issued last.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// Returns the folder of the intermediate files of all runs.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.work.clone()
    }

    /// Returns the folder of one run's intermediate files.
    #[must_use]
    pub fn work_of(&self, run: RunId) -> PathBuf {
        self.work().join(run.to_string())
    }
}
