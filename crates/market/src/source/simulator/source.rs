//! The simulator as a source: which series there are, and which hours a request is about.

use jiff::Timestamp;
use jiff::civil::Date;

use super::congestion::HUBS;
use super::corrections::CORRECTION_DAYS_MAX;
use super::noise::Noise;
use super::vintages::{DAYS_AHEAD_MAX, Vintages};
use crate::observation::{Observation, Series};
use crate::place::SettlementPoint;
use crate::source::{FetchRequest, Source, SourceError};
use crate::time::OperatingDay;

/// The version of the simulated world: raised whenever a value of it changes.
const WORLD: u32 = 3;

/// But for corrections, nothing is published later after its operating day than load.
const PUBLICATION_LAG_DAYS: i32 = 2;

/// Requests that reach further are refused rather than computed.
const LAST_YEAR: i16 = 2100;

/// Which world is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatorSettings {
    /// Worlds with different seeds have different weather.
    pub seed: u64,
    /// The first operating day that is published; it changes no value.
    pub first_day: Date,
    /// Which vintages of forecasts are published; it changes no value either.
    pub vintages: Vintages,
}

/// A simulated ERCOT.
#[derive(Clone, Debug)]
pub struct Simulator {
    settings: SimulatorSettings,
    pub(super) noise: Noise,
}

/// What of a series is asked for: the operating days whose values may have been published then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    pub(super) first_day: OperatingDay,
    pub(super) last_day: OperatingDay,
    pub(super) vintages: Vintages,
    request: &'a FetchRequest,
}

impl Window<'_> {
    /// Walks the operating days.
    pub(super) fn days(&self) -> impl Iterator<Item = OperatingDay> + use<> {
        let last = self.last_day;
        std::iter::successors(Some(self.first_day), |day| Some(day.plus_days(1)))
            .take_while(move |day| *day <= last)
    }

    /// Tells whether what was published then is asked for.
    pub(super) fn wants(&self, published_at: Timestamp) -> bool {
        self.request.published_after.is_none_or(|after| after < published_at)
            && published_at <= self.request.published_until
    }
}

impl Simulator {
    /// Makes a world; nothing is computed before it is asked for.
    #[must_use]
    pub fn new(settings: SimulatorSettings) -> Self {
        Self { settings, noise: Noise::new(settings.seed) }
    }

    /// Returns the hubs and load zones that are simulated.
    #[must_use]
    pub fn settlement_points() -> Vec<SettlementPoint> {
        let names = super::congestion::point_names();
        names.map(|name| SettlementPoint::new(name).expect("it is ERCOT's spelling")).collect()
    }

    fn window<'a>(&self, request: &'a FetchRequest) -> Result<Window<'a>, SourceError> {
        let until = OperatingDay::of(request.published_until);
        if LAST_YEAR < until.date().year() {
            return Err(SourceError::Unavailable {
                source_name: self.id(),
                reason: format!("it ends with the year {LAST_YEAR}; ask for less"),
            });
        }
        let (days_ahead, lag_days) = match request.key.series {
            Series::RealTimeLmp | Series::RealTimeSpp => (0, CORRECTION_DAYS_MAX + 1),
            Series::DayAheadSpp => (DAYS_AHEAD_MAX, CORRECTION_DAYS_MAX + 1),
            Series::SystemLambda
            | Series::ScedAdder(_)
            | Series::SettlementAdder(_)
            | Series::ShadowPrice
            | Series::ScedMcpc(_)
            | Series::RealTimeMcpc(_)
            | Series::AsCapability(_) => (0, PUBLICATION_LAG_DAYS),
            _ => (DAYS_AHEAD_MAX, PUBLICATION_LAG_DAYS),
        };
        let mut first_day = OperatingDay::new(self.settings.first_day);
        if let Some(after) = request.published_after {
            first_day = first_day.max(OperatingDay::of(after).plus_days(-lag_days));
        }
        let last_day = until.plus_days(days_ahead);
        Ok(Window { first_day, last_day, vintages: self.settings.vintages, request })
    }

    fn observations(&self, window: &Window<'_>) -> Vec<Observation> {
        let (series, place) = (window.request.key.series, &window.request.key.place);
        match series {
            Series::RealTimeLmp
            | Series::RealTimeSpp
            | Series::SystemLambda
            | Series::ScedAdder(_)
            | Series::SettlementAdder(_)
            | Series::ShadowPrice
            | Series::ScedMcpc(_)
            | Series::RealTimeMcpc(_)
            | Series::AsCapability(_) => self.of_runs(window, series, place),
            Series::DayAheadSpp
            | Series::DayAheadMcpc(_)
            | Series::LoadActual
            | Series::WindActual
            | Series::WindHsl
            | Series::SolarActual
            | Series::SolarHsl
            | Series::Temperature => self.of_hours(window, series, place),
            Series::LoadForecast
            | Series::LoadForecastBy(_)
            | Series::WindForecast
            | Series::WindPotential
            | Series::WindPlan
            | Series::SolarForecast
            | Series::SolarPotential
            | Series::SolarPlan
            | Series::OutageCapacity(_)
            | Series::GenerationCapacity
            | Series::LoadResourceCapacity
            | Series::OfflineCapacity
            | Series::AvailableGeneration
            | Series::AvailableReserves
            | Series::AsPlan(_)
            | Series::TemperatureForecast => self.of_vintages(window, series, place),
            // The first are derived, the others not ERCOT's.
            Series::HourlyMaxLmp
            | Series::HourlyMeanLmp
            | Series::HourlyCoverage
            | Series::WindSpeedForecast
            | Series::RadiationForecast => Vec::new(),
        }
    }
}

impl Source for Simulator {
    fn id(&self) -> String {
        format!("simulator-{}", self.settings.seed)
    }

    fn describe(&self) -> String {
        format!("simulated ERCOT, seed {}, from {}", self.settings.seed, self.settings.first_day)
    }

    fn fingerprint(&self) -> Result<String, SourceError> {
        let SimulatorSettings { seed, first_day, vintages } = self.settings;
        let vintages = match vintages {
            Vintages::EveryHour => "every-hour",
            Vintages::BeforeTheMarket => "before-the-market",
        };
        Ok(format!("simulator-world-{WORLD}-seed-{seed}-from-{first_day}-{vintages}"))
    }

    fn default_settlement_points(&self) -> Result<Vec<SettlementPoint>, SourceError> {
        let point = |name| SettlementPoint::new(name).expect("it is ERCOT's spelling");
        Ok(HUBS.map(point).to_vec())
    }

    fn fetch(&self, request: &FetchRequest) -> Result<Vec<Observation>, SourceError> {
        let window = self.window(request)?;
        let mut observations = self.observations(&window);
        observations.retain(|observation| window.wants(observation.published_at));
        Ok(observations)
    }
}
