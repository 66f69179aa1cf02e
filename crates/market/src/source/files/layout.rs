//! The layout: which files there are, with which columns, holding which series.
//!
//! `docs/data-layout.md` tells the same to the user.
//!
//! `system_hourly` may also have columns `*_last_mw`, the last forecasts before each hour. They are
//! deliberately not listed: they were published minutes before the hour, and a forecast for three
//! days that is trained on them is leaking.

use std::path::{Path, PathBuf};

use crate::observation::{AncillaryService, Series, SeriesKey};
use crate::place::{Place, SettlementPoint, WeatherZone};
use crate::table::{ColumnKind, ColumnSpec, Presence, TableError};

/// A price nobody has ever paid: the system-wide cap was never above 9,000, and the most extreme
/// node stood at some 30,000 $/MWh.
pub(super) const PRICE: ColumnKind = ColumnKind::Number { min: -100_000.0, max: 100_000.0 };
/// ERCOT's record is some 86,000 MW; a little station load may make generation negative.
pub(super) const POWER: ColumnKind = ColumnKind::Number { min: -5_000.0, max: 300_000.0 };
/// Degrees Celsius; Texas has seen −31 and 49.
pub(super) const TEMPERATURE: ColumnKind = ColumnKind::Number { min: -60.0, max: 60.0 };

/// One file of the layout, without its extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum File {
    HubAverage,
    Hubs,
    DayAhead,
    AncillaryServices,
    System,
    LoadForecasts,
    WindSolarForecasts,
    Weather,
}

impl File {
    pub(super) const ALL: [File; 8] = [
        File::HubAverage,
        File::Hubs,
        File::DayAhead,
        File::AncillaryServices,
        File::System,
        File::LoadForecasts,
        File::WindSolarForecasts,
        File::Weather,
    ];

    /// Returns the name without extension.
    pub(super) fn name(self) -> &'static str {
        match self {
            File::HubAverage => "rt_lmp_5min_hubavg",
            File::Hubs => "rt_lmp_5min_hubs",
            File::DayAhead => "dam_spp_hourly",
            File::AncillaryServices => "as_dam_mcpc_hourly",
            File::System => "system_hourly",
            File::LoadForecasts => "load_forecast_vintages",
            File::WindSolarForecasts => "wind_solar_forecast_vintages",
            File::Weather => "weather_cities_hourly",
        }
    }

    /// Finds the file in a folder; `None` when it is absent.
    pub(super) fn find(self, folder: &Path) -> Result<Option<PathBuf>, TableError> {
        let parquet = folder.join(format!("{}.parquet", self.name()));
        let csv = folder.join(format!("{}.csv", self.name()));
        match (parquet.exists(), csv.exists()) {
            (true, true) => Err(TableError::Ambiguous { first: parquet, second: csv }),
            (true, false) => Ok(Some(parquet)),
            (false, true) => Ok(Some(csv)),
            (false, false) => Ok(None),
        }
    }

    /// Returns how the file's rows become observations.
    pub(super) fn layout(self) -> Layout {
        match self {
            File::HubAverage => HUB_AVERAGE,
            File::Hubs => HUBS,
            File::DayAhead => DAY_AHEAD,
            File::AncillaryServices => ANCILLARY_SERVICES,
            File::System => SYSTEM,
            File::LoadForecasts => LOAD_FORECASTS,
            File::WindSolarForecasts => WIND_SOLAR_FORECASTS,
            File::Weather => WEATHER,
        }
    }
}

/// How a file's rows become observations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Where the interval starts.
    pub(super) interval_start: &'static str,
    /// A more exact start, where there is one: SCED runs do not keep to 5-minute slots.
    pub(super) exact_start: Option<&'static str>,
    /// When the value was published, for forecasts; else the series' rule tells.
    pub(super) published_at: Option<&'static str>,
    /// The values' columns; rows that are not selected are skipped.
    pub(super) values: &'static [ValueColumn],
}

/// A column of values, or those of its rows that other columns select.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueColumn {
    pub(super) spec: ColumnSpec,
    pub(super) series: Series,
    pub(super) place: PlaceOf,
    /// Only rows where all of these columns hold these texts.
    pub(super) only: &'static [(&'static str, &'static str)],
}

/// Where a row's value applies.
#[derive(Clone, Copy, Debug)]
pub(super) enum PlaceOf {
    System,
    HubAverage,
    Zone(WeatherZone),
    /// The row's own settlement point.
    Column(&'static str),
}

impl PlaceOf {
    /// Returns the place when every row has the same one.
    pub(super) fn fixed(self) -> Option<Place> {
        match self {
            PlaceOf::System => Some(Place::System),
            PlaceOf::HubAverage => Some(Place::SettlementPoint(hub_average())),
            PlaceOf::Zone(zone) => Some(Place::WeatherZone(zone)),
            PlaceOf::Column(_) => None,
        }
    }
}

pub(super) fn hub_average() -> SettlementPoint {
    SettlementPoint::new("HB_HUBAVG").expect("it is spelled as ERCOT does")
}

const SETTLEMENT_POINT: &str = "settlement_point";

const fn value(
    name: &'static str,
    kind: ColumnKind,
    series: Series,
    place: PlaceOf,
) -> ValueColumn {
    ValueColumn { spec: ColumnSpec::nullable(name, kind), series, place, only: &[] }
}

/// A column that a user's history may lack.
const fn optional_value(
    name: &'static str,
    kind: ColumnKind,
    series: Series,
    place: PlaceOf,
) -> ValueColumn {
    ValueColumn { spec: ColumnSpec::optional(name, kind), series, place, only: &[] }
}

const fn forecast(series: Series, only: &'static [(&'static str, &'static str)]) -> ValueColumn {
    let spec = ColumnSpec::nullable("forecast_mw", POWER);
    ValueColumn { spec, series, place: PlaceOf::System, only }
}

const fn hourly(values: &'static [ValueColumn]) -> Layout {
    Layout { interval_start: "hour_start_utc", exact_start: None, published_at: None, values }
}

const fn vintages(values: &'static [ValueColumn]) -> Layout {
    Layout { published_at: Some("publish_time_utc"), ..hourly(values) }
}

const HUB_AVERAGE: Layout = Layout {
    interval_start: "interval_start_utc",
    ..hourly(&[value("lmp_usd_mwh", PRICE, Series::RealTimeLmp, PlaceOf::HubAverage)])
};

const HUBS: Layout = Layout {
    interval_start: "interval_start_utc",
    exact_start: Some("sced_timestamp_utc"),
    ..hourly(&[value("lmp_usd_mwh", PRICE, Series::RealTimeLmp, PlaceOf::Column(SETTLEMENT_POINT))])
};

const DAY_AHEAD: Layout = hourly(&[value(
    "dam_spp_usd_mwh",
    PRICE,
    Series::DayAheadSpp,
    PlaceOf::Column(SETTLEMENT_POINT),
)]);

const ANCILLARY_SERVICES: Layout = hourly(&[
    optional_value(
        "dam_mcpc_regup_usd_mw",
        PRICE,
        Series::DayAheadMcpc(AncillaryService::RegUp),
        PlaceOf::System,
    ),
    optional_value(
        "dam_mcpc_rrs_usd_mw",
        PRICE,
        Series::DayAheadMcpc(AncillaryService::Responsive),
        PlaceOf::System,
    ),
    optional_value(
        "dam_mcpc_nspin_usd_mw",
        PRICE,
        Series::DayAheadMcpc(AncillaryService::NonSpin),
        PlaceOf::System,
    ),
    optional_value(
        "dam_mcpc_ecrs_usd_mw",
        PRICE,
        Series::DayAheadMcpc(AncillaryService::Contingency),
        PlaceOf::System,
    ),
]);

const SYSTEM: Layout = hourly(&[
    optional_value("load_actual_mw", POWER, Series::LoadActual, PlaceOf::System),
    optional_value("wind_actual_mw", POWER, Series::WindActual, PlaceOf::System),
    optional_value("solar_actual_mw", POWER, Series::SolarActual, PlaceOf::System),
]);

const LOAD_FORECASTS: Layout =
    vintages(&[forecast(Series::LoadForecast, &[("region", "system_total")])]);

const WIND_SOLAR_FORECASTS: Layout = vintages(&[
    forecast(
        Series::WindForecast,
        &[("region", "SystemWide"), ("kind", "wind"), ("series", "STWPF")],
    ),
    forecast(
        Series::SolarForecast,
        &[("region", "SystemWide"), ("kind", "solar"), ("series", "STPPF")],
    ),
]);

const WEATHER: Layout = hourly(&[
    optional_value(
        "coast_load_zone_temp_c",
        TEMPERATURE,
        Series::Temperature,
        PlaceOf::Zone(WeatherZone::Coast),
    ),
    optional_value(
        "dfw_temp_c",
        TEMPERATURE,
        Series::Temperature,
        PlaceOf::Zone(WeatherZone::NorthCentral),
    ),
]);

impl Layout {
    /// Lists the columns to read.
    pub(super) fn columns(&self) -> Vec<ColumnSpec> {
        let mut columns = vec![ColumnSpec::required(self.interval_start, ColumnKind::Instant)];
        let exact = self.exact_start.map(|name| ColumnSpec::optional(name, ColumnKind::Instant));
        let published = self.published_at.map(|name| ColumnSpec {
            name,
            kind: ColumnKind::Instant,
            presence: Presence::Required,
        });
        columns.extend(exact.into_iter().chain(published));
        for value in self.values {
            columns.push(value.spec);
            if let PlaceOf::Column(name) = value.place {
                columns.push(ColumnSpec::required(name, ColumnKind::Text));
            }
            let selecting = value.only.iter();
            columns.extend(selecting.map(|(name, _)| ColumnSpec::required(name, ColumnKind::Text)));
        }
        let mut distinct: Vec<ColumnSpec> = Vec::new();
        for column in columns {
            if distinct.iter().all(|known| known.name != column.name) {
                distinct.push(column);
            }
        }
        distinct
    }

    /// Tells whether the file may hold a series.
    pub(super) fn holds(&self, key: &SeriesKey) -> bool {
        self.values.iter().any(|value| {
            let at_place = match value.place.fixed() {
                Some(place) => place == key.place,
                None => matches!(key.place, Place::SettlementPoint(_)),
            };
            value.series == key.series && at_place
        })
    }
}
