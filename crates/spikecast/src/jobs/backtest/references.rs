//! Forecasters that stand beside the issued forecast: what happened at the same hour of the last day, logistic
//! regressions on day-ahead prices, and the model of the training before. They are scored, never issued.

use std::collections::BTreeMap;
use std::path::Path;

use forecast::evaluation::{
    DayAheadPrices, FittedDayAhead, Forecaster, LastKnownHours, fit_day_ahead,
};
use forecast::features::Examples;
use forecast::target::outcomes;
use jiff::{SignedDuration, Timestamp};
use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;
use market::table::{ColumnData, ColumnKind, ColumnSpec, Table, WriteError, write_parquet};
use market::time::{MarketHour, OperatingDay};
use market::units::DollarsPerMwh;

use super::workspace::Shared;
use crate::jobs::failure::JobError;
use crate::ledger::ForecastRow;

/// How far back the regressions on day-ahead prices learn.
const LEARNT: SignedDuration = SignedDuration::from_hours(730 * 24);

/// The model of the training before.
pub(super) const PREVIOUS_MODEL: Forecaster = Forecaster::PreviousModel;

/// The references, in the order of their columns.
pub(super) const REFERENCES: [Forecaster; 4] = [
    Forecaster::PersistenceRaw,
    Forecaster::DayAheadKnown,
    Forecaster::DayAheadOfTarget,
    PREVIOUS_MODEL,
];

/// What references said about the rows of a window, row by row; NaN for nothing.
pub(super) type Columns = BTreeMap<Forecaster, Vec<f64>>;

/// Which day's prices a regression sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Day {
    /// The issue day's, known at the issue time.
    Issue,
    /// The target's own, known later.
    Target,
}

/// Forecasts the rows of a window by the last known day, and by day-ahead prices alone, learning
/// from what was known at its training.
pub(super) fn simple_columns(
    shared: &Shared,
    trained_at: Timestamp,
    rows: &[ForecastRow],
) -> Columns {
    let column = |day: Day| -> Vec<f64> {
        let fitted = fit(shared, trained_at, day, rows);
        // The target day's prices are published after the issue time: this reference may see them.
        let view = shared.history.known_at(Timestamp::MAX);
        let mut prices = PriceReader::new(&view, day);
        let probability = |row: &ForecastRow| {
            let fitted = fitted.get(&row.threshold.value().to_bits())?;
            let prices = prices.at(&row.settlement_point, row.issue_time, &row.target.hour);
            Some(fitted.probability(prices))
        };
        let probabilities = rows.iter().map(probability);
        probabilities.map(|probability| probability.unwrap_or(f64::NAN)).collect()
    };
    BTreeMap::from([
        (Forecaster::PersistenceRaw, persistence_raw(shared, rows)),
        (Forecaster::DayAheadKnown, column(Day::Issue)),
        (Forecaster::DayAheadOfTarget, column(Day::Target)),
    ])
}

/// Repeats for each row what happened at the same hour of the newest day that was known at its issue
/// time.
fn persistence_raw(shared: &Shared, rows: &[ForecastRow]) -> Vec<f64> {
    let same_issue = |a: &ForecastRow, b: &ForecastRow| {
        a.issue_time == b.issue_time && a.settlement_point == b.settlement_point
    };
    let said = |rows: &[ForecastRow]| -> Vec<f64> {
        let view = shared.history.known_at(rows[0].issue_time);
        let last = LastKnownHours::of(&view, &rows[0].settlement_point);
        let probability = |row: &ForecastRow| last.probability(&row.target.hour, row.threshold);
        rows.iter().map(|row| probability(row).unwrap_or(f64::NAN)).collect()
    };
    rows.chunk_by(same_issue).flat_map(said).collect()
}

/// Fits each threshold of the rows to the past issue days.
fn fit(
    shared: &Shared,
    trained_at: Timestamp,
    day: Day,
    rows: &[ForecastRow],
) -> BTreeMap<u64, FittedDayAhead> {
    let view = shared.history.known_at(trained_at);
    let mut reader = PriceReader::new(&view, day);
    let mut past = Vec::new();
    for examples in shared.examples.range(trained_at - LEARNT..trained_at).flat_map(|it| it.1) {
        past.extend(labelled(&view, &mut reader, examples));
    }
    let mut thresholds: Vec<DollarsPerMwh> = Vec::new();
    for row in rows {
        if !thresholds.contains(&row.threshold) {
            thresholds.push(row.threshold);
        }
    }
    let fit = |threshold: DollarsPerMwh| {
        let known = past
            .iter()
            .filter_map(|(prices, outcome)| Some((*prices, outcome.exceeds(threshold)?)));
        let fitted = fit_day_ahead(&known.collect::<Vec<_>>())?;
        Some((threshold.value().to_bits(), fitted))
    };
    thresholds.into_iter().filter_map(fit).collect()
}

fn labelled(
    view: &KnownAt<'_>,
    reader: &mut PriceReader<'_>,
    examples: &Examples,
) -> Vec<(DayAheadPrices, forecast::target::HourOutcome)> {
    let hours = examples.rows.iter().map(|row| &row.target.hour);
    let outcomes = outcomes(view, &examples.settlement_point, hours);
    let prices = examples
        .rows
        .iter()
        .map(|row| reader.at(&examples.settlement_point, examples.issue_time, &row.target.hour));
    prices.collect::<Vec<_>>().into_iter().zip(outcomes).collect()
}

/// Reads day-ahead prices by hour of the day, each day once.
struct PriceReader<'v> {
    view: &'v KnownAt<'v>,
    day: Day,
    days: BTreeMap<(String, OperatingDay), (BTreeMap<u8, f64>, f64)>,
}

impl<'v> PriceReader<'v> {
    fn new(view: &'v KnownAt<'v>, day: Day) -> Self {
        Self { view, day, days: BTreeMap::new() }
    }

    fn at(
        &mut self,
        point: &SettlementPoint,
        issue_time: Timestamp,
        target: &MarketHour,
    ) -> DayAheadPrices {
        let (day, instant) = match self.day {
            Day::Issue => (OperatingDay::of(issue_time), issue_time.min(self.view.instant())),
            Day::Target => (target.operating_day, self.view.instant()),
        };
        let view = self.view;
        let (hours, highest) = self
            .days
            .entry((point.name().to_owned(), day))
            .or_insert_with(|| prices_of(&view.narrowed_to(instant), point, day));
        let own = hours.get(&target.hour_ending).copied().unwrap_or(f64::NAN);
        DayAheadPrices { own, highest: *highest }
    }
}

fn prices_of(
    view: &KnownAt<'_>,
    point: &SettlementPoint,
    day: OperatingDay,
) -> (BTreeMap<u8, f64>, f64) {
    let series = view.series(&SeriesKey::at(Series::DayAheadSpp, point));
    let priced = day
        .hours()
        .into_iter()
        .filter_map(|hour| Some((hour.hour_ending, series.value_at(hour.start)?)));
    let prices: BTreeMap<u8, f64> = priced.collect();
    let highest = prices.values().copied().fold(f64::NAN, f64::max);
    (prices, highest)
}

/// Writes what references said, row by row.
pub(super) fn write_columns(path: &Path, columns: &Columns) -> Result<(), WriteError> {
    let cells: Vec<(&str, ColumnData)> = columns
        .iter()
        .map(|(who, cells)| (who.name(), ColumnData::Numbers(cells.clone())))
        .collect();
    write_parquet(path, &cells, &[])
}

/// Reads what references said; nothing where the file does not exist, as for the first window's
/// previous model.
pub(super) fn read_columns(path: &Path, rows: usize) -> Result<Columns, JobError> {
    if !path.exists() {
        return Ok(Columns::new());
    }
    let probability = ColumnKind::Number { min: 0.0, max: 1.0 };
    let specification = REFERENCES.map(|who| ColumnSpec::optional(who.name(), probability));
    let table = Table::read(path, &specification).map_err(JobError::from)?;
    let mut columns = Columns::new();
    for who in REFERENCES {
        let cells = table.numbers(who.name());
        if cells.len() == rows && cells.iter().any(Option::is_some) {
            columns.insert(who, cells.iter().map(|cell| cell.unwrap_or(f64::NAN)).collect());
        }
    }
    Ok(columns)
}
