//! What is known about every series: its name, title, unit, interval and plausible values.

use std::sync::LazyLock;

use jiff::SignedDuration;

use super::series::{Adder, AncillaryService, LoadModel, ResourceKind, Series};
use crate::units::Unit;

/// What is known about a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SeriesFacts {
    /// The name used for files, on the command line and in messages.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// The length of the interval that one value is about.
    pub interval: SignedDuration,
    /// Values outside are suspected of being wrong.
    pub plausible: (f64, f64),
}

const SCED_RUN: SignedDuration = SignedDuration::from_mins(5);
const SETTLEMENT_INTERVAL: SignedDuration = SignedDuration::from_mins(15);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Congestion has made single nodes cost more than the caps; below −$251 nobody may offer, and
/// congestion again goes further.
const ENERGY_PRICE: (f64, f64) = (-5_000.0, 35_000.0);
/// The highest cap that ERCOT has had is $9,000.
const CAPACITY_PRICE: (f64, f64) = (0.0, 30_000.0);
const ADDED_PRICE: (f64, f64) = (-9_000.0, 9_000.0);
const POWER: (f64, f64) = (0.0, 200_000.0);
const BALANCE: (f64, f64) = (-200_000.0, 200_000.0);

/// Writes the names and titles that differ by ancillary service only.
macro_rules! by_service {
    ($service:expr, $name:literal, $title:literal) => {
        match $service {
            AncillaryService::RegUp => {
                (concat!($name, "_regup"), concat!("Regulation up, ", $title))
            }
            AncillaryService::RegDown => {
                (concat!($name, "_regdn"), concat!("Regulation down, ", $title))
            }
            AncillaryService::Responsive => {
                (concat!($name, "_rrs"), concat!("Responsive reserve, ", $title))
            }
            AncillaryService::Contingency => {
                (concat!($name, "_ecrs"), concat!("Contingency reserve, ", $title))
            }
            AncillaryService::NonSpin => {
                (concat!($name, "_nspin"), concat!("Non-spinning reserve, ", $title))
            }
        }
    };
}

/// Writes the names and titles that differ by adder only.
macro_rules! by_adder {
    ($adder:expr, $name:literal, $title:literal) => {
        match $adder {
            Adder::OnlineReserve => {
                (concat!($name, "_rtorpa"), concat!("Online reserve adder, ", $title))
            }
            Adder::OfflineReserve => {
                (concat!($name, "_rtoffpa"), concat!("Offline reserve adder, ", $title))
            }
            Adder::ReliabilityReserve => {
                (concat!($name, "_rtordpa"), concat!("Reliability reserve adder, ", $title))
            }
            Adder::ReliabilityDeployment => {
                (concat!($name, "_rtrdpa"), concat!("Reliability deployment adder, ", $title))
            }
        }
    };
}

impl Series {
    /// Returns what is known about the series.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: one entry for each series")]
    pub const fn facts(self) -> SeriesFacts {
        let price = Unit::DollarsPerMwh;
        match self {
            Series::RealTimeLmp => {
                facts("rt_lmp", "Real-time LMP, 5 minutes", price, SCED_RUN, ENERGY_PRICE)
            }
            Series::HourlyMaxLmp => facts(
                "rt_lmp_hourly_max",
                "Real-time LMP, hourly maximum",
                price,
                HOUR,
                ENERGY_PRICE,
            ),
            Series::HourlyMeanLmp => {
                facts("rt_lmp_hourly_mean", "Real-time LMP, hourly mean", price, HOUR, ENERGY_PRICE)
            }
            Series::HourlyCoverage => facts(
                "rt_lmp_hourly_coverage",
                "Real-time LMP, minutes covered",
                Unit::Minutes,
                HOUR,
                (0.0, 60.0),
            ),
            Series::RealTimeSpp => facts(
                "rt_spp",
                "Real-time settlement price, 15 minutes",
                price,
                SETTLEMENT_INTERVAL,
                ENERGY_PRICE,
            ),
            Series::SystemLambda => {
                facts("system_lambda", "System lambda", price, SCED_RUN, ENERGY_PRICE)
            }
            Series::ScedAdder(adder) => {
                named(by_adder!(adder, "sced", "5 minutes"), price, SCED_RUN, ADDED_PRICE)
            }
            Series::SettlementAdder(adder) => named(
                by_adder!(adder, "settlement", "15 minutes"),
                price,
                SETTLEMENT_INTERVAL,
                ADDED_PRICE,
            ),
            Series::ShadowPrice => {
                facts("shadow_price", "Shadow price", price, SCED_RUN, (0.0, 10_000.0))
            }
            Series::DayAheadSpp => facts("dam_spp", "Day-ahead price", price, HOUR, ENERGY_PRICE),
            Series::DayAheadMcpc(service) => {
                capacity_price(by_service!(service, "dam_mcpc", "day-ahead"), HOUR)
            }
            Series::ScedMcpc(service) => {
                capacity_price(by_service!(service, "sced_mcpc", "real-time, 5 minutes"), SCED_RUN)
            }
            Series::RealTimeMcpc(service) => capacity_price(
                by_service!(service, "rt_mcpc", "real-time, 15 minutes"),
                SETTLEMENT_INTERVAL,
            ),
            Series::AsPlan(service) => {
                named(by_service!(service, "as_plan", "planned"), Unit::Megawatts, HOUR, POWER)
            }
            Series::AsCapability(service) => named(
                by_service!(service, "as_capability", "capability"),
                Unit::Megawatts,
                SCED_RUN,
                POWER,
            ),
            Series::LoadActual => power("load_actual", "Load"),
            Series::LoadForecast => power("load_forecast", "Load forecast"),
            Series::LoadForecastBy(model) => match model {
                LoadModel::A3 => power("load_forecast_a3", "Load forecast, model A3"),
                LoadModel::A6 => power("load_forecast_a6", "Load forecast, model A6"),
                LoadModel::E => power("load_forecast_e", "Load forecast, model E"),
                LoadModel::E1 => power("load_forecast_e1", "Load forecast, model E1"),
                LoadModel::E2 => power("load_forecast_e2", "Load forecast, model E2"),
                LoadModel::E3 => power("load_forecast_e3", "Load forecast, model E3"),
                LoadModel::M => power("load_forecast_m", "Load forecast, model M"),
                LoadModel::X => power("load_forecast_x", "Load forecast, model X"),
            },
            Series::WindActual => power("wind_actual", "Wind generation"),
            Series::WindHsl => power("wind_hsl", "Wind high sustained limit"),
            Series::WindForecast => power("wind_forecast", "Wind forecast"),
            Series::WindPotential => power("wind_potential", "Wind production potential"),
            Series::WindPlan => power("wind_plan", "Wind planned by operators"),
            Series::SolarActual => power("solar_actual", "Solar generation"),
            Series::SolarHsl => power("solar_hsl", "Solar high sustained limit"),
            Series::SolarForecast => power("solar_forecast", "Solar forecast"),
            Series::SolarPotential => power("solar_potential", "Solar production potential"),
            Series::SolarPlan => power("solar_plan", "Solar planned by operators"),
            Series::OutageCapacity(kind) => match kind {
                ResourceKind::Dispatchable => power("outage_capacity", "Outages"),
                ResourceKind::Intermittent => {
                    power("outage_capacity_irr", "Outages of wind and solar")
                }
                ResourceKind::NewEquipment => {
                    power("outage_capacity_new", "Outages of new equipment")
                }
            },
            Series::GenerationCapacity => power("generation_capacity", "Generation planned online"),
            Series::LoadResourceCapacity => {
                power("load_resource_capacity", "Load that can be switched off")
            }
            Series::OfflineCapacity => power("offline_capacity", "Generation that can be started"),
            Series::AvailableGeneration => {
                balance("available_generation", "Generation left after load")
            }
            Series::AvailableReserves => {
                balance("available_reserves", "Generation and reserves left after load")
            }
            Series::Temperature => temperature("temperature", "Temperature"),
            Series::TemperatureForecast => {
                temperature("temperature_forecast", "Temperature forecast")
            }
            Series::WindSpeedForecast => facts(
                "wind_speed_forecast",
                "Wind speed forecast",
                Unit::MetresPerSecond,
                HOUR,
                (0.0, 80.0),
            ),
            Series::RadiationForecast => facts(
                "radiation_forecast",
                "Solar radiation forecast",
                Unit::WattsPerSquareMetre,
                HOUR,
                (0.0, 1_400.0),
            ),
        }
    }

    /// Returns the name used for files, on the command line and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns what a person calls it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.facts().title
    }

    /// Returns the length of the interval that one value is about.
    #[must_use]
    pub const fn interval(self) -> SignedDuration {
        self.facts().interval
    }

    /// What the forecast reads; the derived series come with the prices.
    pub const FORECAST_INPUTS: [Series; 13] = [
        Series::RealTimeLmp,
        Series::DayAheadSpp,
        Series::DayAheadMcpc(AncillaryService::RegUp),
        Series::DayAheadMcpc(AncillaryService::Responsive),
        Series::DayAheadMcpc(AncillaryService::NonSpin),
        Series::DayAheadMcpc(AncillaryService::Contingency),
        Series::LoadActual,
        Series::WindActual,
        Series::SolarActual,
        Series::LoadForecast,
        Series::WindForecast,
        Series::SolarForecast,
        Series::Temperature,
    ];

    /// What the forecast reads beside them where a source has it: it does without each of them.
    pub const FORECAST_EXTRAS: [Series; 17] = [
        Series::OutageCapacity(ResourceKind::Dispatchable),
        Series::OutageCapacity(ResourceKind::Intermittent),
        Series::AvailableGeneration,
        Series::AvailableReserves,
        Series::AsPlan(AncillaryService::RegUp),
        Series::AsPlan(AncillaryService::Responsive),
        Series::AsPlan(AncillaryService::NonSpin),
        Series::AsPlan(AncillaryService::Contingency),
        Series::LoadForecastBy(LoadModel::A3),
        Series::LoadForecastBy(LoadModel::A6),
        Series::LoadForecastBy(LoadModel::E),
        Series::LoadForecastBy(LoadModel::E1),
        Series::LoadForecastBy(LoadModel::E2),
        Series::LoadForecastBy(LoadModel::E3),
        Series::LoadForecastBy(LoadModel::M),
        Series::LoadForecastBy(LoadModel::X),
        Series::WindPotential,
    ];

    /// Returns every series, derived ones included, in the order of definition.
    #[must_use]
    pub fn all() -> &'static [Series] {
        static ALL: LazyLock<Vec<Series>> = LazyLock::new(|| {
            let mut all = vec![
                Series::RealTimeLmp,
                Series::HourlyMaxLmp,
                Series::HourlyMeanLmp,
                Series::HourlyCoverage,
                Series::RealTimeSpp,
                Series::SystemLambda,
                Series::ShadowPrice,
                Series::DayAheadSpp,
                Series::LoadActual,
                Series::LoadForecast,
                Series::WindActual,
                Series::WindHsl,
                Series::WindForecast,
                Series::WindPotential,
                Series::WindPlan,
                Series::SolarActual,
                Series::SolarHsl,
                Series::SolarForecast,
                Series::SolarPotential,
                Series::SolarPlan,
                Series::GenerationCapacity,
                Series::LoadResourceCapacity,
                Series::OfflineCapacity,
                Series::AvailableGeneration,
                Series::AvailableReserves,
                Series::Temperature,
                Series::TemperatureForecast,
                Series::WindSpeedForecast,
                Series::RadiationForecast,
            ];
            for adder in Adder::ALL {
                all.extend([Series::ScedAdder(adder), Series::SettlementAdder(adder)]);
            }
            for service in AncillaryService::ALL {
                all.extend([
                    Series::DayAheadMcpc(service),
                    Series::ScedMcpc(service),
                    Series::RealTimeMcpc(service),
                    Series::AsPlan(service),
                    Series::AsCapability(service),
                ]);
            }
            all.extend(LoadModel::ALL.map(Series::LoadForecastBy));
            all.extend(ResourceKind::ALL.map(Series::OutageCapacity));
            all.sort_unstable();
            all
        });
        &ALL
    }

    /// Returns the series with a name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|series| series.name() == name)
    }

    /// Tells whether the series is computed from others rather than published.
    #[must_use]
    pub const fn is_derived(self) -> bool {
        matches!(self, Series::HourlyMaxLmp | Series::HourlyMeanLmp | Series::HourlyCoverage)
    }
}

const fn facts(
    name: &'static str,
    title: &'static str,
    unit: Unit,
    interval: SignedDuration,
    plausible: (f64, f64),
) -> SeriesFacts {
    SeriesFacts { name, title, unit, interval, plausible }
}

const fn named(
    (name, title): (&'static str, &'static str),
    unit: Unit,
    interval: SignedDuration,
    plausible: (f64, f64),
) -> SeriesFacts {
    facts(name, title, unit, interval, plausible)
}

const fn capacity_price(
    names: (&'static str, &'static str),
    interval: SignedDuration,
) -> SeriesFacts {
    named(names, Unit::DollarsPerMw, interval, CAPACITY_PRICE)
}

const fn power(name: &'static str, title: &'static str) -> SeriesFacts {
    facts(name, title, Unit::Megawatts, HOUR, POWER)
}

const fn balance(name: &'static str, title: &'static str) -> SeriesFacts {
    facts(name, title, Unit::Megawatts, HOUR, BALANCE)
}

const fn temperature(name: &'static str, title: &'static str) -> SeriesFacts {
    facts(name, title, Unit::DegreesCelsius, HOUR, (-40.0, 55.0))
}

impl AncillaryService {
    /// Every service.
    pub const ALL: [Self; 5] =
        [Self::RegUp, Self::RegDown, Self::Responsive, Self::Contingency, Self::NonSpin];
}

impl Adder {
    /// Every adder.
    pub const ALL: [Self; 4] = [
        Self::OnlineReserve,
        Self::OfflineReserve,
        Self::ReliabilityReserve,
        Self::ReliabilityDeployment,
    ];
}

impl LoadModel {
    /// Every model.
    pub const ALL: [Self; 8] =
        [Self::A3, Self::A6, Self::E, Self::E1, Self::E2, Self::E3, Self::M, Self::X];
}

impl ResourceKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Dispatchable, Self::Intermittent, Self::NewEquipment];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_series_is_found_by_its_own_name_only() {
        let names: BTreeSet<_> = Series::all().iter().map(|series| series.name()).collect();
        assert_eq!(names.len(), Series::all().len());
        for series in Series::all() {
            assert_eq!(Series::named(series.name()), Some(*series));
        }
        assert_eq!(Series::named("rt_lmp "), None);
    }
}
