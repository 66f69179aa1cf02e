//! What every feature is: name, group, unit, inputs with their reports and publication lags,
//! definition, and which models read it. The order is that of the columns.

use super::{
    adequacy, analogs, calendar, forecast_error, prices, regime, tightness, uncertainty, weather,
};

/// What a feature is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeatureGroup {
    /// Hour of day, working days, sun, lead time.
    Calendar,
    /// What prices did lately.
    Prices,
    /// Load, wind and solar against the last weeks.
    Tightness,
    /// How wrong the load, wind and solar forecasts were lately, and how they were revised.
    ForecastErrors,
    /// Capacity out of service, and what is left after load and planned reserves.
    Adequacy,
    /// How far forecasts of the hour lie apart.
    Uncertainty,
    /// Temperatures.
    Weather,
    /// Whether exceedances come more often than usual for the season and hour.
    Regime,
    /// What happened in past hours like the target hour.
    Analogs,
}

impl FeatureGroup {
    /// Returns the name used on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FeatureGroup::Calendar => "calendar",
            FeatureGroup::Prices => "prices",
            FeatureGroup::Tightness => "tightness",
            FeatureGroup::ForecastErrors => "forecast_errors",
            FeatureGroup::Adequacy => "adequacy",
            FeatureGroup::Uncertainty => "uncertainty",
            FeatureGroup::Weather => "weather",
            FeatureGroup::Regime => "regime",
            FeatureGroup::Analogs => "analogs",
        }
    }
}

/// A series that features are computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// 5-minute real-time prices, as hourly maxima and means.
    RealTimePrices,
    /// Day-ahead prices.
    DayAheadPrices,
    /// Day-ahead prices of ancillary services.
    AncillaryPrices,
    /// Load forecast.
    LoadForecast,
    /// Wind forecast.
    WindForecast,
    /// Solar forecast.
    SolarForecast,
    /// Actual load.
    LoadActual,
    /// Actual wind and solar generation.
    RenewablesActual,
    /// Capacity that will be out of service.
    Outages,
    /// What is planned online, can be started, and is left after load.
    Adequacy,
    /// How much of each ancillary service ERCOT plans to buy.
    AncillaryPlan,
    /// All of ERCOT's load models, used or not.
    LoadModels,
    /// The wind that can be relied on.
    WindPotential,
    /// Observed temperatures.
    Temperature,
}

impl Input {
    /// Returns the report it is read from.
    #[must_use]
    pub fn report(self) -> &'static str {
        match self {
            Input::RealTimePrices => "NP6-788-CD",
            Input::DayAheadPrices => "NP4-190-CD",
            Input::AncillaryPrices => "NP4-188-CD",
            Input::LoadForecast | Input::LoadModels => "NP3-565-CD",
            Input::WindForecast | Input::WindPotential => "NP4-732-CD",
            Input::SolarForecast => "NP4-737-CD",
            Input::LoadActual => "NP6-345-CD",
            Input::RenewablesActual => "NP4-732-CD, NP4-737-CD",
            Input::Outages => "NP3-233-CD",
            Input::Adequacy => "NP3-763-CD",
            Input::AncillaryPlan => "NP4-33-CD",
            Input::Temperature => "weather observations",
        }
    }

    /// Returns how long after the interval, or before it, a value can be read.
    #[must_use]
    pub fn publication_lag(self) -> &'static str {
        match self {
            Input::RealTimePrices => "5 minutes after the SCED run",
            Input::DayAheadPrices | Input::AncillaryPrices => {
                "13:30 Central on the day before, after the day-ahead market closed: known for the issue day, not for the target day"
            }
            Input::LoadForecast
            | Input::WindForecast
            | Input::SolarForecast
            | Input::Outages
            | Input::Adequacy
            | Input::LoadModels
            | Input::WindPotential => {
                "hourly, up to 7 days ahead; the newest vintage published by the issue time"
            }
            Input::AncillaryPlan => "05:00 Central every day, up to 6 days ahead",
            Input::LoadActual => "05:50 Central on the next day",
            Input::RenewablesActual => "55 minutes after the hour",
            Input::Temperature => "1 hour after the hour",
        }
    }
}

/// What the forecast net load is computed of.
pub(super) const FORECAST_NET_LOAD: &[Input] =
    &[Input::LoadForecast, Input::WindForecast, Input::SolarForecast];
/// … and the best known one.
pub(super) const NET_LOAD: &[Input] = &[
    Input::LoadForecast,
    Input::WindForecast,
    Input::SolarForecast,
    Input::LoadActual,
    Input::RenewablesActual,
];

/// Which models read a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBy {
    /// Logistic regression and trees.
    Both,
    /// Trees only: its effect is no line, or its level means another thing in another year.
    Trees,
    /// Logistic regression only: slow, or known of the last months only, so that a tree could tell
    /// single weeks by it.
    Logistic,
}

/// One feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The name in files and explanations.
    pub name: &'static str,
    /// What it is about.
    pub group: FeatureGroup,
    /// The unit of its values; a scaled price is asinh($/MWh ÷ 20),
    /// a scaled price difference that of two such.
    pub unit: &'static str,
    /// What it is computed from; nothing for what the calendar says.
    pub inputs: &'static [Input],
    /// How it is computed.
    pub definition: &'static str,
    /// Which models read it.
    pub read_by: ReadBy,
}

impl Feature {
    /// Returns the price in $/MWh that a value stands for; nothing for features of other units.
    #[must_use]
    pub fn price_of(&self, value: f64) -> Option<f64> {
        (self.unit == "scaled price").then(|| prices::unscaled(value))
    }
}

/// Features of one group and inputs, before each gets its own name.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub(super) group: FeatureGroup,
    pub(super) inputs: &'static [Input],
}

impl Family {
    pub(super) const fn feature(
        self,
        read_by: ReadBy,
        name: &'static str,
        unit: &'static str,
        definition: &'static str,
    ) -> Feature {
        Feature { name, group: self.group, unit, inputs: self.inputs, definition, read_by }
    }
}

/// Returns every feature in the order of the columns: those common to all thresholds, then those
/// that each threshold has of its own.
#[must_use]
pub fn features() -> Vec<Feature> {
    let mut all = common_features();
    all.extend(threshold_features());
    all
}

pub(super) fn common_features() -> Vec<Feature> {
    [
        &calendar::FEATURES[..],
        &prices::COMMON_FEATURES,
        &tightness::FEATURES,
        &forecast_error::FEATURES,
        &adequacy::FEATURES,
        &uncertainty::FEATURES,
        &weather::FEATURES,
        &analogs::COMMON_FEATURES,
    ]
    .concat()
}

pub(super) fn threshold_features() -> Vec<Feature> {
    [&prices::THRESHOLD_FEATURES[..], &regime::FEATURES, &analogs::THRESHOLD_FEATURES].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_says_what_it_is_and_has_a_name_of_its_own() {
        let features = features();
        for (index, feature) in features.iter().enumerate() {
            assert!(!feature.unit.is_empty(), "{}", feature.name);
            assert!(feature.definition.len() > 12, "{}", feature.name);
            assert!(features[..index].iter().all(|f| f.name != feature.name), "{}", feature.name);
            let from_the_calendar = feature.group == FeatureGroup::Calendar;
            assert_eq!(feature.inputs.is_empty(), from_the_calendar, "{}", feature.name);
        }
    }
}
