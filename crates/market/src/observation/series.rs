//! What is observed. A series has a unit and an interval length; with a place it is a key.

use std::fmt;

use jiff::SignedDuration;

use crate::place::{Place, SettlementPoint};

/// What is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// 5-minute real-time LMP without adders, $/MWh (NP6-788); one observation per SCED run.
    RealTimeLmp,
    /// Highest real-time LMP among the SCED runs that start in the hour, $/MWh. Derived.
    HourlyMaxLmp,
    /// Mean real-time LMP of the SCED runs that start in the hour, $/MWh. Derived.
    HourlyMeanLmp,
    /// Minutes of the hour during which a known price was in effect. Derived.
    HourlyCoverage,
    /// Day-ahead settlement point price, $/MWh (NP4-190).
    DayAheadSpp,
    /// Day-ahead price of regulation up, $/MW (NP4-188).
    RegUpMcpc,
    /// Day-ahead price of responsive reserve, $/MW (NP4-188).
    ResponsiveMcpc,
    /// Day-ahead price of non-spinning reserve, $/MW (NP4-188).
    NonSpinMcpc,
    /// Day-ahead price of ERCOT contingency reserve, $/MW (NP4-188).
    ContingencyMcpc,
    /// Hourly mean load, MW (NP6-345).
    LoadActual,
    /// Hourly mean wind generation, MW (NP4-732).
    WindActual,
    /// Hourly mean solar generation, MW (NP4-737).
    SolarActual,
    /// Load forecast vintages, MW (NP3-565).
    LoadForecast,
    /// Wind forecast vintages, MW (NP4-732, STWPF).
    WindForecast,
    /// Solar forecast vintages, MW (NP4-737, STPPF).
    SolarForecast,
    /// Observed air temperature, °C.
    Temperature,
}

impl Series {
    /// Every series that a source publishes; the derived ones are not among them.
    pub const PUBLISHED: [Series; 13] = [
        Series::RealTimeLmp,
        Series::DayAheadSpp,
        Series::RegUpMcpc,
        Series::ResponsiveMcpc,
        Series::NonSpinMcpc,
        Series::ContingencyMcpc,
        Series::LoadActual,
        Series::WindActual,
        Series::SolarActual,
        Series::LoadForecast,
        Series::WindForecast,
        Series::SolarForecast,
        Series::Temperature,
    ];

    /// Returns the name used for folders and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Series::RealTimeLmp => "rt_lmp",
            Series::HourlyMaxLmp => "rt_lmp_hourly_max",
            Series::HourlyMeanLmp => "rt_lmp_hourly_mean",
            Series::HourlyCoverage => "rt_lmp_hourly_coverage",
            Series::DayAheadSpp => "dam_spp",
            Series::RegUpMcpc => "dam_mcpc_regup",
            Series::ResponsiveMcpc => "dam_mcpc_rrs",
            Series::NonSpinMcpc => "dam_mcpc_nspin",
            Series::ContingencyMcpc => "dam_mcpc_ecrs",
            Series::LoadActual => "load_actual",
            Series::WindActual => "wind_actual",
            Series::SolarActual => "solar_actual",
            Series::LoadForecast => "load_forecast",
            Series::WindForecast => "wind_forecast",
            Series::SolarForecast => "solar_forecast",
            Series::Temperature => "temperature",
        }
    }

    /// Returns what a person calls it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Series::RealTimeLmp => "Real-time LMP, 5 minutes",
            Series::HourlyMaxLmp => "Real-time LMP, hourly maximum",
            Series::HourlyMeanLmp => "Real-time LMP, hourly mean",
            Series::HourlyCoverage => "Real-time LMP, minutes covered",
            Series::DayAheadSpp => "Day-ahead price",
            Series::RegUpMcpc => "Regulation up, day-ahead",
            Series::ResponsiveMcpc => "Responsive reserve, day-ahead",
            Series::NonSpinMcpc => "Non-spinning reserve, day-ahead",
            Series::ContingencyMcpc => "Contingency reserve, day-ahead",
            Series::LoadActual => "Load",
            Series::WindActual => "Wind generation",
            Series::SolarActual => "Solar generation",
            Series::LoadForecast => "Load forecast",
            Series::WindForecast => "Wind forecast",
            Series::SolarForecast => "Solar forecast",
            Series::Temperature => "Temperature",
        }
    }

    /// Returns the length of the interval that one value is about.
    #[must_use]
    pub fn interval(self) -> SignedDuration {
        match self {
            Series::RealTimeLmp => SignedDuration::from_mins(5),
            Series::HourlyMaxLmp
            | Series::HourlyMeanLmp
            | Series::HourlyCoverage
            | Series::DayAheadSpp
            | Series::RegUpMcpc
            | Series::ResponsiveMcpc
            | Series::NonSpinMcpc
            | Series::ContingencyMcpc
            | Series::LoadActual
            | Series::WindActual
            | Series::SolarActual
            | Series::LoadForecast
            | Series::WindForecast
            | Series::SolarForecast
            | Series::Temperature => SignedDuration::from_hours(1),
        }
    }
}

/// A series at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesKey {
    /// What is observed.
    pub series: Series,
    /// Where.
    pub place: Place,
}

impl SeriesKey {
    /// Returns the key of a system-wide series.
    #[must_use]
    pub fn system(series: Series) -> Self {
        Self { series, place: Place::System }
    }

    /// Returns the key of a series at a settlement point.
    #[must_use]
    pub fn at(series: Series, point: &SettlementPoint) -> Self {
        Self { series, place: Place::SettlementPoint(point.clone()) }
    }
}

impl fmt::Display for SeriesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.series.name(), self.place)
    }
}
