//! The ledger: what we predicted. Append-only Parquet, one file per issued forecast.
//!
//! `row` is one forecast, `file` its Parquet form (also of a backtest), and [`Ledger`] the folder
//! with one file per issue. A forecast that is issued again gets a further file; none is changed.

mod file;
mod row;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use market::table::{TableError, WriteError};
use orchestration::RunId;
use thiserror::Error;

pub use file::{
    COLUMNS, Provenance, design_columns, read_forecast, read_provenance, write_forecast,
    write_forecast_beside,
};
pub use row::ForecastRow;

/// Why the ledger could not be used.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// A file cannot be read.
    #[error("ledger {}: cannot be used; restore it from a backup", path.display())]
    NotReadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: Box<TableError>,
    },
    /// The folder cannot be listed.
    #[error("ledger {}: cannot be listed; check its permissions", path.display())]
    NotListed {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        cause: std::io::Error,
    },
    /// A file holds what no forecast can be.
    #[error("ledger {}, row {row}: {found}; restore it from a backup", path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1.
        row: usize,
        /// What it holds.
        found: String,
    },
    /// A forecast could not be added.
    #[error(transparent)]
    NotWritten(#[from] WriteError),
}

/// The folder of issued forecasts.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: PathBuf,
}

/// One issued forecast: where it is and what it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issue {
    /// The run that issued it; later runs sort later.
    pub run: String,
    /// When the forecast speaks.
    pub issue_time: Timestamp,
    /// Its file.
    pub path: PathBuf,
}

impl Ledger {
    /// Names the ledger in a folder, which need not exist yet.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Adds a forecast. The same run adding the same again changes nothing; a file that holds
    /// another forecast is never replaced, the new one gets a further name.
    pub fn add(
        &self,
        run: RunId,
        rows: &[ForecastRow],
        provenance: &Provenance,
    ) -> Result<PathBuf, LedgerError> {
        let issue = provenance.issue_time.strftime("%Y%m%dT%H%M%SZ");
        let day = market::time::OperatingDay::of(provenance.issue_time);
        let folder = self.folder.join(day.to_string());
        let mut path = folder.join(format!("{issue}-{run}.parquet"));
        for copy in 2.. {
            if !path.exists() {
                write_forecast(&path, rows, provenance)?;
                break;
            }
            if read_forecast(&path).is_ok_and(|kept| kept == rows) {
                break;
            }
            path = folder.join(format!("{issue}-{run}.{copy}.parquet"));
        }
        Ok(path)
    }

    /// Lists the issued forecasts, the one issued last at the end.
    pub fn issues(&self) -> Result<Vec<Issue>, LedgerError> {
        let mut issues = Vec::new();
        for day in entries(&self.folder)? {
            for path in entries(&day)? {
                issues.extend(issue_of(&path));
            }
        }
        issues.sort();
        Ok(issues)
    }

    /// Lists the forecasts that were issued on a day, the one issued last at the end.
    pub fn issues_of(&self, day: market::time::OperatingDay) -> Result<Vec<Issue>, LedgerError> {
        let mut issues = Vec::new();
        for path in entries(&self.folder.join(day.to_string()))? {
            issues.extend(issue_of(&path));
        }
        issues.sort();
        Ok(issues)
    }
}

fn issue_of(path: &Path) -> Option<Issue> {
    let name = path.file_name()?.to_str()?.strip_suffix(".parquet")?;
    let (time, run) = name.split_once('-')?;
    let issue_time = Timestamp::strptime("%Y%m%dT%H%M%S%z", time.replace('Z', "+0000")).ok()?;
    Some(Issue { run: run.to_owned(), issue_time, path: path.to_owned() })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, LedgerError> {
    let failed = |cause| LedgerError::NotListed { path: folder.to_owned(), cause };
    let listed = match fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(cause) if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(cause) => return Err(failed(cause)),
    };
    listed.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use forecast::horizon::horizon;
    use forecast::model::Prediction;
    use market::place::SettlementPoint;
    use market::units::DollarsPerMwh;

    fn rows(issue_time: Timestamp, probability: f64) -> Vec<ForecastRow> {
        let row = |target| ForecastRow {
            issue_time,
            target,
            settlement_point: SettlementPoint::new("HB_WEST").unwrap(),
            threshold: DollarsPerMwh::new(100.0).unwrap(),
            prediction: Prediction {
                probability,
                lower: 0.01,
                upper: 0.9,
                climatology: 0.1,
                climatology_recent: 0.2,
                persistence: 0.3,
                logistic: 0.4,
                boosted_trees: 0.5,
            },
            model_version: "m".into(),
            quality: "fresh".into(),
        };
        horizon(issue_time).into_iter().map(row).collect()
    }

    #[test]
    fn the_same_again_changes_nothing_and_another_forecast_gets_a_further_file() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_folder(folder.path().to_owned());
        let issue_time = market::time::parse_local("2024-11-02T09:57").unwrap();
        let provenance =
            Provenance { issue_time, source_id: "files-1".into(), source: "files in X".into() };
        let run = "r000001".parse().unwrap();
        let first = ledger.add(run, &rows(issue_time, 0.25), &provenance).unwrap();
        assert_eq!(ledger.add(run, &rows(issue_time, 0.25), &provenance).unwrap(), first);
        let second = ledger.add(run, &rows(issue_time, 0.75), &provenance).unwrap();
        assert_ne!(second, first);
        assert_eq!(read_forecast(&first).unwrap(), rows(issue_time, 0.25));
        let issues = ledger.issues().unwrap();
        let paths: Vec<_> = issues.iter().map(|issue| issue.path.clone()).collect();
        assert_eq!(paths, [first, second]);
        assert!(issues.iter().all(|issue| issue.issue_time == issue_time));
    }
}
