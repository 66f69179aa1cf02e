//! Any forecast in a file: of the ledger, of a backtest, or somebody else's, as Parquet or CSV.
//!
//! Columns: `issue_time`, `target_start`, `threshold`, `probability`; `settlement_point` where there
//! is more than one. Probabilities of references may stand beside them under the names that a
//! backtest gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forecast::evaluation::Forecaster;
use forecast::horizon::TargetHour;
use jiff::Timestamp;
use market::table::{ColumnKind, ColumnSpec, Table, TableError};
use market::time::{MarketHour, OperatingDay, display};
use thiserror::Error;

/// Why a forecast file cannot be scored.
#[derive(Debug, Error)]
pub enum ForecastFileError {
    /// It cannot be read.
    #[error(
        "a forecast has the columns issue_time, target_start, threshold and probability (see docs/verification.md)"
    )]
    Table(#[from] TableError),
    /// It has no rows.
    #[error("{}: holds no forecast", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A row that no forecast can have.
    #[error("{}, row {row}: {found}", path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1.
        row: usize,
        /// What is wrong, and what is expected.
        found: String,
    },
    /// Probabilities that cannot all be true.
    #[error(
        "{}, row {row}: probability {higher} above ${above} is larger than {lower} above ${below} for the same hour; probabilities never increase with the threshold",
        path.display()
    )]
    Increasing {
        /// The file.
        path: PathBuf,
        /// The row of the larger probability, counted from 1.
        row: usize,
        /// The lower threshold …
        below: f64,
        /// … and its probability.
        lower: f64,
        /// The higher threshold …
        above: f64,
        /// … and its probability.
        higher: f64,
    },
}

/// A row of somebody's forecast.
#[derive(Clone, Debug)]
pub struct ForeignRow {
    /// When the forecast spoke.
    pub issue_time: Timestamp,
    /// The hour it speaks about.
    pub target: TargetHour,
    /// Where; empty in a file without settlement points.
    pub settlement_point: Arc<str>,
    /// $/MWh.
    pub threshold: f64,
}

/// A forecast that was read and checked.
#[derive(Clone, Debug)]
pub struct ForecastFile {
    /// Its rows.
    pub rows: Vec<ForeignRow>,
    columns: BTreeMap<Forecaster, Vec<f64>>,
}

/// A probability that is larger by less is a rounding error.
const INCREASE_MAX: f64 = 1e-9;

impl ForecastFile {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, ForecastFileError> {
        let table = Table::read(path, &specification())?;
        if table.rows() == 0 {
            return Err(ForecastFileError::Empty { path: path.to_owned() });
        }
        let file = Self { rows: rows(&table, path)?, columns: columns(&table) };
        file.check_monotone(path)?;
        Ok(file)
    }

    /// Returns the forecasters of whom the file holds anything, the file's own forecast included.
    #[must_use]
    pub fn forecasters(&self) -> Vec<Forecaster> {
        self.columns.keys().copied().collect()
    }

    /// Returns a probability; NaN where the file holds none.
    #[must_use]
    pub fn probability(&self, forecaster: Forecaster, row: usize) -> f64 {
        self.columns.get(&forecaster).map_or(f64::NAN, |column| column[row])
    }

    /// Returns the settlement points' names.
    #[must_use]
    pub fn settlement_points(&self) -> BTreeSet<Arc<str>> {
        self.rows.iter().map(|row| row.settlement_point.clone()).collect()
    }

    fn check_monotone(&self, path: &Path) -> Result<(), ForecastFileError> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let subject = |row: &usize| {
            let row = &self.rows[*row];
            (row.issue_time, row.settlement_point.clone(), row.target.hour.start)
        };
        order.sort_by(|a, b| {
            let by_threshold = self.rows[*a].threshold.total_cmp(&self.rows[*b].threshold);
            subject(a).cmp(&subject(b)).then(by_threshold)
        });
        for pair in order.windows(2).filter(|pair| subject(&pair[0]) == subject(&pair[1])) {
            let [below, above] = [pair[0], pair[1]];
            let of = |row| self.probability(Forecaster::Combined, row);
            let (low, high) = (self.rows[below].threshold, self.rows[above].threshold);
            if low.total_cmp(&high).is_eq() {
                let found = format!(
                    "a second forecast above ${high} issued {} for the hour from {}; give each once",
                    display(self.rows[above].issue_time),
                    display(self.rows[above].target.hour.start)
                );
                let row = above.max(below) + 1;
                return Err(ForecastFileError::Impossible { path: path.to_owned(), row, found });
            }
            if of(below) + INCREASE_MAX < of(above) {
                return Err(ForecastFileError::Increasing {
                    path: path.to_owned(),
                    row: above + 1,
                    below: low,
                    lower: of(below),
                    above: high,
                    higher: of(above),
                });
            }
        }
        Ok(())
    }
}

fn column_of(forecaster: Forecaster) -> &'static str {
    match forecaster {
        Forecaster::Combined => "probability",
        other @ (Forecaster::Climatology
        | Forecaster::ClimatologyRecent
        | Forecaster::Persistence
        | Forecaster::PersistenceRaw
        | Forecaster::DayAheadKnown
        | Forecaster::Logistic
        | Forecaster::BoostedTrees
        | Forecaster::PreviousModel
        | Forecaster::DayAheadOfTarget) => other.name(),
    }
}

fn specification() -> Vec<ColumnSpec> {
    let probability = ColumnKind::Number { min: 0.0, max: 1.0 };
    let mut columns = vec![
        ColumnSpec::required("issue_time", ColumnKind::Instant),
        ColumnSpec::required("target_start", ColumnKind::Instant),
        ColumnSpec::required("threshold", ColumnKind::ANY_NUMBER),
        ColumnSpec::required("probability", probability),
        ColumnSpec::optional("settlement_point", ColumnKind::Text),
    ];
    let others = Forecaster::ALL.into_iter().filter(|who| *who != Forecaster::Combined);
    columns.extend(others.map(|who| ColumnSpec::optional(column_of(who), probability)));
    columns
}

fn rows(table: &Table, path: &Path) -> Result<Vec<ForeignRow>, ForecastFileError> {
    let points = table.texts("settlement_point");
    let mut names: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let (issues, starts) = (table.instants("issue_time"), table.instants("target_start"));
    let thresholds = table.numbers("threshold");
    let mut rows = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let impossible = |found: String| ForecastFileError::Impossible {
            path: path.to_owned(),
            row: row + 1,
            found,
        };
        let (Some(issue_time), Some(start), Some(threshold)) =
            (issues[row], starts[row], thresholds[row])
        else {
            return Err(impossible("a required cell is empty".to_owned()));
        };
        let name = points.get(row).unwrap_or_default();
        let settlement_point = names.entry(name.to_owned()).or_insert_with(|| name.into()).clone();
        let hour = MarketHour::starting(start);
        if hour.start != start {
            let found = format!("target_start {start} is not the start of an hour");
            return Err(impossible(found));
        }
        let lead = hour.operating_day.date() - OperatingDay::of(issue_time).date();
        let lead_day = u8::try_from(lead.get_days()).ok().filter(|_| issue_time < start);
        let lead_day = lead_day.ok_or_else(|| {
            let (hour, issue) = (display(start), display(issue_time));
            impossible(format!("the hour from {hour} does not come after the issue time {issue}"))
        })?;
        let target = TargetHour { hour, lead_day };
        rows.push(ForeignRow { issue_time, target, settlement_point, threshold });
    }
    Ok(rows)
}

fn columns(table: &Table) -> BTreeMap<Forecaster, Vec<f64>> {
    let mut columns = BTreeMap::new();
    for forecaster in Forecaster::ALL {
        let cells = table.numbers(column_of(forecaster));
        if cells.iter().any(Option::is_some) {
            columns.insert(forecaster, cells.iter().map(|cell| cell.unwrap_or(f64::NAN)).collect());
        }
    }
    columns
}
