//! What the windows of a backtest share within one process: the history and the described days.
//! Both are computed again after a restart; what must survive is in files of the output folder.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use forecast::features::Examples;
use jiff::Timestamp;
use market::archive::Archive;
use market::observation::{History, HistoryBuilder};
use market::source::FetchRequest;
use orchestration::StageContext;

use super::shapes::BacktestInput;
use crate::data_dir::DataDir;
use crate::jobs::failure::JobError;
use crate::jobs::source::{SourceChoice, series_keys};
use crate::jobs::training::{describe_past, require_prices, training_issue_times};

/// The output folder and what is in memory.
#[derive(Debug)]
pub struct BacktestWorkspace {
    out: PathBuf,
    data_dir: DataDir,
    shared: Mutex<Option<Arc<Shared>>>,
}

/// The history, and every issue day described by what was known then.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) history: History,
    /// By issue time: the examples of every settlement point.
    pub(super) examples: BTreeMap<Timestamp, Vec<Examples>>,
}

impl BacktestWorkspace {
    /// Opens a workspace in an output folder. What a source has only in its archive is read from
    /// the one of `data_dir`.
    #[must_use]
    pub fn new(out: PathBuf, data_dir: DataDir) -> Self {
        Self { out, data_dir, shared: Mutex::new(None) }
    }

    pub(super) fn window_file(&self, stage: &str) -> PathBuf {
        self.windows_folder().join(format!("{stage}.parquet"))
    }

    /// Returns the file of what the simple references said in a window, counted from 0.
    pub(super) fn references_file(&self, window: usize) -> PathBuf {
        self.window_file(&format!("window-{:04}-references", window + 1))
    }

    /// Returns the file of what the model of the window before said in a window, counted from 0.
    pub(super) fn previous_file(&self, window: usize) -> PathBuf {
        self.window_file(&format!("window-{:04}-previous", window + 1))
    }

    /// Returns the folder of the windows' files, which is of no use once all are evaluated.
    #[must_use]
    pub fn windows_folder(&self) -> PathBuf {
        self.out.join("windows")
    }

    /// Returns the file of all forecasts.
    #[must_use]
    pub fn forecasts(&self) -> PathBuf {
        self.out.join("forecasts.parquet")
    }

    /// Returns the file of all scores.
    #[must_use]
    pub fn scores(&self) -> PathBuf {
        self.out.join("scores.json")
    }

    /// Returns the file of what happened in every hour that was forecast.
    #[must_use]
    pub fn outcomes(&self) -> PathBuf {
        self.out.join("outcomes.parquet")
    }

    /// Returns the folder of the page's pictures.
    #[must_use]
    pub fn figures(&self) -> PathBuf {
        self.out.join("figures")
    }

    /// Returns the page.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.out.join("report.html")
    }

    /// Returns what windows share, computing it at the first call while the others wait.
    pub(super) fn shared(
        &self,
        input: &BacktestInput,
        stage: &StageContext,
    ) -> Result<Arc<Shared>, JobError> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = &*shared {
            return Ok(shared.clone());
        }
        let history = self.load(input)?;
        let first = history.known_at(input.first_issue_time());
        require_prices(&first, &input.targets.points()?)?;
        let examples = describe(input, &history, stage)?;
        let computed = Arc::new(Shared { history, examples });
        *shared = Some(computed.clone());
        Ok(computed)
    }

    /// Returns the history, and forgets the days that were described: once every window is forecast,
    /// nobody needs them.
    pub(super) fn history(&self, input: &BacktestInput) -> Result<History, JobError> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner).take();
        match shared.and_then(Arc::into_inner) {
            Some(shared) => Ok(shared.history),
            None => self.load(input),
        }
    }

    /// Loads everything that the source has about the settlement points.
    fn load(&self, input: &BacktestInput) -> Result<History, JobError> {
        let source = input.source.open()?;
        let keys = series_keys(&input.targets.points()?);
        if matches!(input.source, SourceChoice::Ercot) {
            let archive = Archive::open(&self.data_dir.archive(&source.id()))?;
            return Ok(archive.load(&keys)?);
        }
        let mut builder = HistoryBuilder::default();
        // The last target hours must have become known, else the last days could not be scored.
        let until = input.last_issue_time() + jiff::SignedDuration::from_hours(5 * 24);
        for key in keys {
            let request = FetchRequest {
                key: key.clone(),
                published_after: input.source.history_from(input.first_issue_time()),
                published_until: until,
            };
            builder.add(&key, source.fetch(&request)?);
        }
        Ok(builder.build())
    }
}

/// Describes every issue day of the training and of the backtest itself.
fn describe(
    input: &BacktestInput,
    history: &History,
    stage: &StageContext,
) -> Result<BTreeMap<Timestamp, Vec<Examples>>, JobError> {
    let (points, thresholds) = (input.targets.points()?, input.targets.thresholds()?);
    let view = history.known_at(Timestamp::MAX);
    let last = input.last_issue_time();
    let trainings = (input.first_issue_time(), last);
    let mut times = training_issue_times(&view, &points, trainings, input.issue_time_of_day);
    // A backtest may begin before the first day that is learnt from.
    times.extend(input.windows().iter().flat_map(|window| input.issue_times(window)));
    times.sort_unstable();
    times.dedup();
    let described = describe_past(&view, &times, &points, &thresholds, stage)?;
    Ok(times.into_iter().zip(described).collect())
}
