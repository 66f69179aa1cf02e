//! Where a job's observations come from: the choice as plain data, and the source it opens.

use std::path::PathBuf;

use super::ercot::ErcotArchive;
use super::weather::OpenMeteoArchive;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use market::observation::{Series, SeriesKey};
use market::place::{Place, SettlementPoint, WeatherZone};
use market::source::files::FileSource;
use market::source::simulator::{Simulator, SimulatorSettings, Vintages};
use market::source::{Source, SourceError};
use serde::{Deserialize, Serialize};

/// Which source a job reads; what crosses the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceChoice {
    /// The embedded simulator.
    Simulator {
        /// Which simulated world.
        seed: u64,
        /// How many days of history before the issue time are simulated.
        history_days: u32,
    },
    /// Parquet or CSV files in the documented layout.
    Files {
        /// The folder.
        path: PathBuf,
    },
    /// ERCOT itself, through the archive: how it is reached is no part of what a run depends on.
    Ercot,
    /// Open-Meteo's weather forecasts, through an archive of their own.
    OpenMeteo,
}

/// When the simulated world begins; what happens in an hour does not depend on it.
pub const SIMULATION_BEGINS: Date = Date::constant(2018, 1, 1);

impl SourceChoice {
    /// Opens the source.
    pub fn open(&self) -> Result<Box<dyn Source>, SourceError> {
        match self {
            SourceChoice::Simulator { seed, .. } => {
                let settings = SimulatorSettings {
                    seed: *seed,
                    first_day: SIMULATION_BEGINS,
                    vintages: Vintages::BeforeTheMarket,
                };
                Ok(Box::new(Simulator::new(settings)))
            }
            SourceChoice::Files { path } => Ok(Box::new(FileSource::open(path)?)),
            SourceChoice::Ercot => Ok(Box::new(ErcotArchive)),
            SourceChoice::OpenMeteo => Ok(Box::new(OpenMeteoArchive)),
        }
    }

    /// Returns the source's id, under which its observations are archived.
    pub fn id(&self) -> Result<String, SourceError> {
        Ok(self.open()?.id())
    }

    /// Returns since when history is wanted for an issue time; `None` for all there is.
    #[must_use]
    pub fn history_from(&self, issue_time: Timestamp) -> Option<Timestamp> {
        match self {
            SourceChoice::Simulator { history_days, .. } => {
                Some(issue_time - SignedDuration::from_hours(24 * i64::from(*history_days)))
            }
            SourceChoice::Files { .. } | SourceChoice::Ercot | SourceChoice::OpenMeteo => None,
        }
    }
}

/// Returns every series that a forecast for these settlement points reads, those included that it
/// does without where a source has none.
#[must_use]
pub fn series_keys(points: &[SettlementPoint]) -> Vec<SeriesKey> {
    let mut keys = Vec::new();
    for series in Series::FORECAST_INPUTS.into_iter().chain(Series::FORECAST_EXTRAS) {
        match series {
            Series::RealTimeLmp | Series::DayAheadSpp => {
                keys.extend(points.iter().map(|point| SeriesKey::at(series, point)));
            }
            Series::Temperature => {
                for zone in [WeatherZone::Coast, WeatherZone::NorthCentral] {
                    keys.push(SeriesKey { series, place: Place::WeatherZone(zone) });
                }
            }
            _ => keys.push(SeriesKey::system(series)),
        }
    }
    keys
}
