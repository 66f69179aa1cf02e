//! The Parquet form of a forecast: the design's columns, then those of its components.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use forecast::horizon::TargetHour;
use forecast::model::Prediction;
use forecast::target::PRICE_BASIS;
use jiff::Timestamp;
use market::place::SettlementPoint;
use market::table::{
    ColumnData, ColumnKind, ColumnSpec, Table, WriteError, read_metadata, write_parquet,
};
use market::time::MarketHour;
use market::units::DollarsPerMwh;

use super::{ForecastRow, LedgerError};

/// The version of the file's shape; readers of newer programs read older ones.
const FORMAT: &str = "1";

/// The columns that every forecast file has, in order; those of the components follow.
pub const COLUMNS: [&str; 14] = [
    "issue_time",
    "target_start",
    "operating_day",
    "hour_ending",
    "repeated_hour",
    "lead_day",
    "settlement_point",
    "threshold",
    "probability",
    "lower",
    "upper",
    "price_basis",
    "model_version",
    "quality",
];

/// A component's column and how it is read from a prediction.
type Component = (&'static str, fn(&Prediction) -> f64);

const COMPONENTS: [Component; 5] = [
    ("climatology", |p| p.climatology),
    ("climatology_recent", |p| p.climatology_recent),
    ("persistence", |p| p.persistence),
    ("logistic", |p| p.logistic),
    ("boosted_trees", |p| p.boosted_trees),
];

/// What a forecast file says about itself beside its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// When the forecast speaks.
    pub issue_time: Timestamp,
    /// The id of the source it rests on.
    pub source_id: String,
    /// The source in words.
    pub source: String,
}

/// Returns the design's columns of these rows.
#[must_use]
pub fn design_columns(rows: &[ForecastRow]) -> Vec<(&'static str, ColumnData)> {
    let texts =
        |of: &dyn Fn(&ForecastRow) -> Arc<str>| ColumnData::Texts(rows.iter().map(of).collect());
    let numbers =
        |of: &dyn Fn(&ForecastRow) -> f64| ColumnData::Numbers(rows.iter().map(of).collect());
    let integers = |of: &dyn Fn(&ForecastRow) -> u8| {
        ColumnData::Integers(rows.iter().map(|row| i64::from(of(row))).collect())
    };
    let points: BTreeMap<&SettlementPoint, Arc<str>> = rows
        .iter()
        .map(|row| (&row.settlement_point, row.settlement_point.name().into()))
        .collect();
    let basis: Arc<str> = PRICE_BASIS.into();
    let columns = [
        ColumnData::Instants(rows.iter().map(|row| row.issue_time).collect()),
        ColumnData::Instants(rows.iter().map(|row| row.target.hour.start).collect()),
        ColumnData::Days(rows.iter().map(|row| row.target.hour.operating_day.date()).collect()),
        integers(&|row| row.target.hour.hour_ending),
        ColumnData::Flags(rows.iter().map(|row| row.target.hour.repeated).collect()),
        integers(&|row| row.target.lead_day),
        texts(&|row| points[&row.settlement_point].clone()),
        numbers(&|row| row.threshold.value()),
        numbers(&|row| row.prediction.probability),
        numbers(&|row| row.prediction.lower),
        numbers(&|row| row.prediction.upper),
        texts(&|_| basis.clone()),
        texts(&|row| row.model_version.clone()),
        texts(&|row| row.quality.clone()),
    ];
    COLUMNS.into_iter().zip(columns).collect()
}

/// Writes a forecast as a whole or not at all; equal rows give equal bytes.
pub fn write_forecast(
    path: &Path,
    rows: &[ForecastRow],
    provenance: &Provenance,
) -> Result<(), WriteError> {
    write_forecast_beside(path, rows, &[], provenance)
}

/// Writes a forecast with further columns of probabilities beside it, in the order of the rows; an
/// empty cell for NaN.
pub fn write_forecast_beside(
    path: &Path,
    rows: &[ForecastRow],
    beside: &[(&'static str, &[f64])],
    provenance: &Provenance,
) -> Result<(), WriteError> {
    let mut columns = design_columns(rows);
    for (name, component) in COMPONENTS {
        let cells = rows.iter().map(|row| component(&row.prediction)).collect();
        columns.push((name, ColumnData::Numbers(cells)));
    }
    for (name, cells) in beside {
        columns.push((name, ColumnData::Numbers(cells.to_vec())));
    }
    let metadata = [
        ("spikecast_forecast_format", FORMAT.to_owned()),
        ("issue_time", provenance.issue_time.to_string()),
        ("source_id", provenance.source_id.clone()),
        ("source", provenance.source.clone()),
    ];
    write_parquet(path, &columns, &metadata.map(|(key, value)| (key.to_owned(), value)))
}

/// Reads what a forecast file says about itself.
pub fn read_provenance(path: &Path) -> Result<Provenance, LedgerError> {
    let failed = |cause| LedgerError::NotReadable { path: path.to_owned(), cause: Box::new(cause) };
    let mut metadata = read_metadata(path).map_err(failed)?;
    let mut text = |key: &str| metadata.remove(key).unwrap_or_default();
    let issue_time = text("issue_time");
    let impossible =
        |found: String| LedgerError::Impossible { path: path.to_owned(), row: 0, found };
    let issue_time =
        issue_time.parse().map_err(|_| impossible(format!("its issue time is {issue_time:?}")))?;
    Ok(Provenance { issue_time, source_id: text("source_id"), source: text("source") })
}

fn specification() -> Vec<ColumnSpec> {
    let probability = ColumnKind::Number { min: 0.0, max: 1.0 };
    let kinds = [
        ("issue_time", ColumnKind::Instant),
        ("target_start", ColumnKind::Instant),
        ("lead_day", ColumnKind::Integer),
        ("settlement_point", ColumnKind::Text),
        ("threshold", ColumnKind::ANY_NUMBER),
        ("probability", probability),
        ("lower", probability),
        ("upper", probability),
        ("model_version", ColumnKind::Text),
        ("quality", ColumnKind::Text),
    ];
    let components = COMPONENTS.map(|(name, _)| (name, probability));
    kinds
        .into_iter()
        .chain(components)
        .map(|(name, kind)| ColumnSpec::required(name, kind))
        .collect()
}

/// Reads a forecast.
pub fn read_forecast(path: &Path) -> Result<Vec<ForecastRow>, LedgerError> {
    let failed = |cause| LedgerError::NotReadable { path: path.to_owned(), cause: Box::new(cause) };
    let table = Table::read(path, &specification()).map_err(failed)?;
    let mut texts: BTreeMap<String, Arc<str>> = BTreeMap::new();
    (0..table.rows())
        .map(|row| {
            let read = read_row(&table, row, &mut texts);
            read.map_err(|found| LedgerError::Impossible {
                path: path.to_owned(),
                row: row + 1,
                found,
            })
        })
        .collect()
}

fn read_row(
    table: &Table,
    row: usize,
    texts: &mut BTreeMap<String, Arc<str>>,
) -> Result<ForecastRow, String> {
    let empty = |column: &str| format!("column {column} is empty");
    let instant = |column: &str| table.instants(column)[row].ok_or_else(|| empty(column));
    let number = |column: &str| table.numbers(column)[row].ok_or_else(|| empty(column));
    let mut text = |column: &str| {
        let text = table.texts(column).get(row).ok_or_else(|| empty(column))?;
        let shared = texts.entry(text.to_owned()).or_insert_with(|| text.into());
        Ok::<Arc<str>, String>(shared.clone())
    };
    let lead_day = table.integers("lead_day")[row]
        .and_then(|lead_day| u8::try_from(lead_day).ok())
        .ok_or_else(|| empty("lead_day"))?;
    let threshold = number("threshold")?;
    Ok(ForecastRow {
        issue_time: instant("issue_time")?,
        target: TargetHour { hour: MarketHour::starting(instant("target_start")?), lead_day },
        settlement_point: SettlementPoint::new(&text("settlement_point")?)
            .map_err(|error| error.to_string())?,
        threshold: DollarsPerMwh::new(threshold)
            .ok_or_else(|| format!("{threshold} is no threshold"))?,
        prediction: Prediction {
            probability: number("probability")?,
            lower: number("lower")?,
            upper: number("upper")?,
            climatology: number("climatology")?,
            climatology_recent: number("climatology_recent")?,
            persistence: number("persistence")?,
            logistic: number("logistic")?,
            boosted_trees: number("boosted_trees")?,
        },
        model_version: text("model_version")?,
        quality: text("quality")?,
    })
}
