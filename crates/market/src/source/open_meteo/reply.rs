//! Reads Open-Meteo's columns: one table for each place, in the order asked for. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::observation::{Observation, Series, SeriesKey};
use crate::place::{Place, WeatherZone};

/// Forecasts by series and place.
pub type Forecasts = BTreeMap<SeriesKey, Vec<Observation>>;

/// A variable of Open-Meteo that is one of our series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    series: Series,
    unit: &'static str,
    /// How long before its time stamp the interval starts that a value is about.
    before: SignedDuration,
}

pub(super) const VARIABLES: [Variable; 3] = [
    Variable {
        name: "temperature_2m",
        series: Series::TemperatureForecast,
        unit: "°C",
        before: SignedDuration::ZERO,
    },
    Variable {
        name: "wind_speed_100m",
        series: Series::WindSpeedForecast,
        unit: "m/s",
        before: SignedDuration::ZERO,
    },
    Variable {
        name: "shortwave_radiation",
        series: Series::RadiationForecast,
        unit: "W/m²",
        // Radiation is the mean of the hour before.
        before: SignedDuration::from_hours(1),
    },
];

/// Forecasts are of the years 1970 to 2100, so that no sum with their times overflows.
const SECONDS: std::ops::Range<i64> = 0..4_102_444_800;

/// One place, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Reply {
    Places(Vec<Table>),
    Place(Table),
}

#[derive(Deserialize)]
pub(super) struct Table {
    hourly_units: BTreeMap<String, String>,
    hourly: Columns,
}

#[derive(Deserialize)]
struct Columns {
    time: Vec<i64>,
    #[serde(flatten)]
    values: BTreeMap<String, Vec<Option<f64>>>,
}

/// Makes observations of a reply whose columns have this ending, e.g. `_previous_day2`.
/// `published_at` tells for each valid time when its forecast could be read. The error says what
/// is wrong with the reply.
pub(super) fn forecasts(
    reply: Reply,
    ending: &str,
    published_at: impl Fn(Timestamp) -> Timestamp,
) -> Result<Forecasts, String> {
    let tables = match reply {
        Reply::Places(tables) => tables,
        Reply::Place(table) => vec![table],
    };
    if tables.len() != WeatherZone::ALL.len() {
        return Err(format!("expected {} places, found {}", WeatherZone::ALL.len(), tables.len()));
    }
    let mut forecasts = Forecasts::new();
    for (zone, table) in WeatherZone::ALL.iter().zip(tables) {
        for variable in VARIABLES {
            let observations =
                column(&table, &variable, ending, &published_at).map_err(|problem| {
                    format!("{}, {}{ending}: {problem}", zone.name(), variable.name)
                })?;
            let place = Place::WeatherZone(*zone);
            forecasts.insert(SeriesKey { series: variable.series, place }, observations);
        }
    }
    Ok(forecasts)
}

fn column(
    table: &Table,
    variable: &Variable,
    ending: &str,
    published_at: &impl Fn(Timestamp) -> Timestamp,
) -> Result<Vec<Observation>, String> {
    let name = format!("{}{ending}", variable.name);
    let values = table.hourly.values.get(&name).ok_or("expected a column, found none")?;
    let unit = table.hourly_units.get(&name).map_or("", String::as_str);
    if unit != variable.unit {
        return Err(format!("expected {}, found {unit:?}", variable.unit));
    }
    let times = &table.hourly.time;
    if values.len() != times.len() {
        return Err(format!("expected {} values, found {}", times.len(), values.len()));
    }
    let mut observations = Vec::with_capacity(values.len());
    for (second, value) in times.iter().zip(values) {
        let valid_at = Some(*second).filter(|second| SECONDS.contains(second));
        let valid_at = valid_at.and_then(|second| Timestamp::from_second(second).ok());
        let valid_at =
            valid_at.ok_or_else(|| format!("expected seconds since 1970, found {second}"))?;
        // A model that does not reach so far says null.
        if let Some(value) = *value {
            observations.push(Observation {
                interval_start: valid_at - variable.before,
                published_at: published_at(valid_at),
                value,
            });
        }
    }
    Ok(observations)
}
