//! What happened, from a file: the highest price of each hour, or for each threshold whether it was
//! exceeded. Parquet or CSV.
//!
//! Columns: `target_start`; `settlement_point` where there is more than one; `highest_price` in $/MWh
//! (with `covered` = false where higher prices may be missing), or `exceeded` (0 or 1) with
//! `threshold` where there is more than one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use forecast::target::HourOutcome;
use jiff::Timestamp;
use market::table::{ColumnKind, ColumnSpec, Table, TableError};
use market::units::DollarsPerMwh;
use thiserror::Error;

/// Why a file does not say what happened.
#[derive(Debug, Error)]
pub enum TruthError {
    /// It cannot be read.
    #[error(
        "the truth has the columns target_start and either highest_price or exceeded (see docs/verification.md)"
    )]
    Table(#[from] TableError),
    /// Neither prices nor outcomes.
    #[error(
        "{}: holds neither a column highest_price ($/MWh) nor a column exceeded (0 or 1)",
        path.display()
    )]
    NoOutcome {
        /// The file.
        path: PathBuf,
    },
    /// A row that cannot be.
    #[error("{}, row {row}: {found}", path.display())]
    Impossible {
        /// The file.
        path: PathBuf,
        /// The row, counted from 1.
        row: usize,
        /// What is wrong, and what is expected.
        found: String,
    },
}

/// Where and when.
type Hour = (Arc<str>, Timestamp);

/// What happened.
#[derive(Clone, Debug)]
pub struct Truth {
    prices: BTreeMap<Hour, HourOutcome>,
    /// By hour and, where the file names thresholds, their bits.
    outcomes: BTreeMap<(Hour, Option<u64>), bool>,
}

impl Truth {
    /// Takes hourly outcomes that a source gave.
    #[must_use]
    pub fn of_prices(prices: BTreeMap<(Arc<str>, Timestamp), HourOutcome>) -> Self {
        Self { prices, outcomes: BTreeMap::new() }
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, TruthError> {
        let table = Table::read(path, &SPECIFICATION)?;
        let has = |column: &str| table.numbers(column).iter().any(Option::is_some);
        if !has("highest_price") && !has("exceeded") {
            return Err(TruthError::NoOutcome { path: path.to_owned() });
        }
        let mut truth = Self { prices: BTreeMap::new(), outcomes: BTreeMap::new() };
        for row in 0..table.rows() {
            truth.add(&table, row).map_err(|found| TruthError::Impossible {
                path: path.to_owned(),
                row: row + 1,
                found,
            })?;
        }
        Ok(truth)
    }

    /// Tells whether there are outcomes that do not say of which threshold.
    #[must_use]
    pub fn leaves_threshold_open(&self) -> bool {
        self.outcomes.keys().any(|(_, threshold)| threshold.is_none())
    }

    fn add(&mut self, table: &Table, row: usize) -> Result<(), String> {
        let start = table.instants("target_start")[row].ok_or("target_start is empty")?;
        let point: Arc<str> = table.texts("settlement_point").get(row).unwrap_or_default().into();
        let hour = (point, start);
        let twice = || format!("the hour from {start} is given twice; give each once");
        if let Some(price) = table.numbers("highest_price")[row].and_then(DollarsPerMwh::new) {
            let is_covered = table.flags("covered")[row] != Some(false);
            let outcome =
                if is_covered { HourOutcome::Known(price) } else { HourOutcome::AtLeast(price) };
            if self.prices.insert(hour, outcome).is_some() {
                return Err(twice());
            }
        } else if let Some(exceeded) = table.numbers("exceeded")[row] {
            let exceeded = match exceeded {
                0.0 => false,
                1.0 => true,
                other => return Err(format!("exceeded is {other}; expected 0 or 1")),
            };
            let threshold = table.numbers("threshold")[row].map(f64::to_bits);
            if self.outcomes.insert((hour, threshold), exceeded).is_some() {
                return Err(twice());
            }
        }
        Ok(())
    }

    /// Says whether a threshold was exceeded; `None` when that is not known.
    #[must_use]
    pub fn exceeded(&self, point: &Arc<str>, start: Timestamp, threshold: f64) -> Option<bool> {
        let hour = (point.clone(), start);
        if let Some(outcome) = self.prices.get(&hour) {
            return outcome.exceeds(DollarsPerMwh::new(threshold)?);
        }
        let of_threshold = self.outcomes.get(&(hour.clone(), Some(threshold.to_bits())));
        of_threshold.or_else(|| self.outcomes.get(&(hour, None))).copied()
    }
}

const SPECIFICATION: [ColumnSpec; 6] = [
    ColumnSpec::required("target_start", ColumnKind::Instant),
    ColumnSpec::optional("settlement_point", ColumnKind::Text),
    ColumnSpec::optional("threshold", ColumnKind::ANY_NUMBER),
    ColumnSpec::optional("highest_price", ColumnKind::ANY_NUMBER),
    ColumnSpec::optional("covered", ColumnKind::Flag),
    ColumnSpec::optional("exceeded", ColumnKind::ANY_NUMBER),
];
