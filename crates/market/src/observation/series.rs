//! What is observed. A series has a unit and an interval length (`catalogue`); with a place it is
//! a key.

use std::fmt;

use crate::place::{Place, SettlementPoint};

/// What is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// 5-minute real-time LMP without adders (NP6-788); one observation per SCED run.
    RealTimeLmp,
    /// Highest real-time LMP among the SCED runs that start in the hour. Derived.
    HourlyMaxLmp,
    /// Mean real-time LMP of the SCED runs that start in the hour. Derived.
    HourlyMeanLmp,
    /// Minutes of the hour during which a known price was in effect. Derived.
    HourlyCoverage,
    /// 15-minute real-time settlement point price, adders included (NP6-905).
    RealTimeSpp,
    /// The price of energy before congestion, by SCED run (NP6-323).
    SystemLambda,
    /// A price adder, by SCED run (NP6-323).
    ScedAdder(Adder),
    /// A price adder of a 15-minute settlement interval (NP6-324).
    SettlementAdder(Adder),
    /// The shadow price of a binding transmission constraint, by SCED run (NP6-86).
    ShadowPrice,
    /// Day-ahead settlement point price (NP4-190).
    DayAheadSpp,
    /// Day-ahead clearing price of an ancillary service (NP4-188).
    DayAheadMcpc(AncillaryService),
    /// Real-time clearing price of an ancillary service, by SCED run (NP6-332).
    ScedMcpc(AncillaryService),
    /// Real-time clearing price of an ancillary service, by 15-minute interval (NP6-331).
    RealTimeMcpc(AncillaryService),
    /// How much of an ancillary service ERCOT plans to buy (NP4-33).
    AsPlan(AncillaryService),
    /// How much of an ancillary service all resources could give, by SCED run (NP6-328).
    AsCapability(AncillaryService),
    /// Hourly mean load (NP6-345).
    LoadActual,
    /// Vintages of the load forecast that ERCOT uses (NP3-565).
    LoadForecast,
    /// Vintages of one of ERCOT's load forecasts, used or not (NP3-565).
    LoadForecastBy(LoadModel),
    /// Hourly mean wind generation (NP4-732).
    WindActual,
    /// What wind could have generated: its high sustained limit (NP4-732).
    WindHsl,
    /// Vintages of the wind forecast (STWPF, NP4-732).
    WindForecast,
    /// Vintages of what wind generates with high probability (WGRPP, NP4-732).
    WindPotential,
    /// Vintages of what wind operators plan (COP HSL, NP4-732).
    WindPlan,
    /// Hourly mean solar generation (NP4-737).
    SolarActual,
    /// What solar could have generated: its high sustained limit (NP4-737).
    SolarHsl,
    /// Vintages of the solar forecast (STPPF, NP4-737).
    SolarForecast,
    /// Vintages of what solar generates with high probability (PVGRPP, NP4-737).
    SolarPotential,
    /// Vintages of what solar operators plan (COP HSL, NP4-737).
    SolarPlan,
    /// Vintages of the capacity that will be out of service (NP3-233).
    OutageCapacity(ResourceKind),
    /// Vintages of the generation capacity that is planned to be online (NP3-763).
    GenerationCapacity,
    /// Vintages of the load that can be switched off (NP3-763).
    LoadResourceCapacity,
    /// Vintages of the generation that is offline and could be started (NP3-763).
    OfflineCapacity,
    /// Vintages of the generation left after load (NP3-763).
    AvailableGeneration,
    /// Vintages of generation and reserves left after load (NP3-763).
    AvailableReserves,
    /// Observed air temperature.
    Temperature,
    /// Vintages of the air temperature forecast (NP4-722, Open-Meteo).
    TemperatureForecast,
    /// Vintages of the wind speed forecast at 100 m (Open-Meteo).
    WindSpeedForecast,
    /// Vintages of the solar radiation forecast (Open-Meteo).
    RadiationForecast,
}

/// What the market buys to keep the frequency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AncillaryService {
    /// Regulation up, `REGUP`.
    RegUp,
    /// Regulation down, `REGDN`.
    RegDown,
    /// Responsive reserve, `RRS`.
    Responsive,
    /// ERCOT contingency reserve, `ECRS`, bought since 2023-06-10.
    Contingency,
    /// Non-spinning reserve, `NSPIN`.
    NonSpin,
}

/// What is added to a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Adder {
    /// Online reserves, `RTORPA`, until 2025-12-04.
    OnlineReserve,
    /// Offline reserves, `RTOFFPA`, until 2025-12-04.
    OfflineReserve,
    /// Reliability deployments by their price on reserves, `RTORDPA`, until 2025-12-04.
    ReliabilityReserve,
    /// Reliability deployments, `RTRDPA`, since 2025-12-05.
    ReliabilityDeployment,
}

/// ERCOT's load forecasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "ERCOT's own names, which it does not explain")]
pub enum LoadModel {
    A3,
    A6,
    E,
    E1,
    E2,
    E3,
    M,
    X,
}

/// What kind of resource is out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Plants that can be dispatched.
    Dispatchable,
    /// Wind and solar.
    Intermittent,
    /// Plants that are being taken into service.
    NewEquipment,
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
