//! The series that are published again and again before their hour: forecasts and plans.

use jiff::Timestamp;

use super::adequacy::Adequacy;
use super::ancillary;
use super::calendar::SimulatedHour;
use super::forecasts::{HourForecast, model_in_use, temperature_forecast};
use super::noise::Noise;
use super::outages::Outages;
use super::regions::{outage_zones, solar_regions, sum_of, wind_regions};
use super::source::{Simulator, Window};
use super::vintages::{ADEQUACY, DAILY, GENERATION, LOAD, OUTAGES, Rhythm};
use crate::observation::{LoadModel, Observation, Series};
use crate::place::{Place, WeatherZone};

impl Simulator {
    /// Returns the vintages of a forecast; none at a place where there is none.
    pub(super) fn of_vintages(
        &self,
        window: &Window<'_>,
        series: Series,
        place: &Place,
    ) -> Vec<Observation> {
        let noise = self.noise;
        match (series, place) {
            (Series::LoadForecast | Series::LoadForecastBy(_), _) => {
                self.load_forecasts(window, series, place)
            }
            (Series::WindForecast | Series::WindPotential | Series::WindPlan, _) => {
                let Some(regions) = wind_regions(place) else { return Vec::new() };
                forecasts(noise, window, GENERATION, |forecast, at| {
                    sum_of(&wind(series, forecast, at), regions)
                })
            }
            (Series::SolarForecast | Series::SolarPotential | Series::SolarPlan, _) => {
                let Some(regions) = solar_regions(place) else { return Vec::new() };
                forecasts(noise, window, GENERATION, |forecast, at| {
                    sum_of(&solar(series, forecast, at), regions)
                })
            }
            (Series::OutageCapacity(kind), _) => {
                let Some(zones) = outage_zones(place) else { return Vec::new() };
                vintages(window, OUTAGES, |hour| {
                    move |at| {
                        let outages = Outages::reported(noise, &hour, at);
                        Some(sum_of(outages.of(kind), zones).round())
                    }
                })
            }
            (Series::AsPlan(service), Place::System) => {
                vintages(window, DAILY, |hour| move |_| ancillary::planned(service, &hour))
            }
            (Series::TemperatureForecast, Place::WeatherZone(zone)) => {
                let zone = *zone as usize;
                vintages(window, DAILY, |hour| {
                    move |at| Some(temperature_forecast(noise, &hour, zone, at))
                })
            }
            (
                Series::GenerationCapacity
                | Series::LoadResourceCapacity
                | Series::OfflineCapacity
                | Series::AvailableGeneration
                | Series::AvailableReserves,
                Place::System,
            ) => forecasts(noise, window, ADEQUACY, |forecast, at| {
                adequacy(series, &Adequacy::published(noise, forecast, at))
            }),
            _ => Vec::new(),
        }
    }

    fn load_forecasts(
        &self,
        window: &Window<'_>,
        series: Series,
        place: &Place,
    ) -> Vec<Observation> {
        let zones = match place {
            Place::System => 0..WeatherZone::ALL.len(),
            Place::WeatherZone(zone) => *zone as usize..*zone as usize + 1,
            _ => return Vec::new(),
        };
        let model = |at: Timestamp| -> LoadModel {
            match series {
                Series::LoadForecastBy(model) => model,
                _ => model_in_use(self.noise, at),
            }
        };
        forecasts(self.noise, window, LOAD, |forecast, at| {
            forecast.load(model(at), at)[zones.clone()].iter().sum()
        })
    }
}

fn wind(series: Series, forecast: &HourForecast, at: Timestamp) -> [f64; 5] {
    match series {
        Series::WindPotential => forecast.wind_potential(at),
        Series::WindPlan => forecast.wind(HourForecast::planned_at(at)),
        _ => forecast.wind(at),
    }
}

fn solar(series: Series, forecast: &HourForecast, at: Timestamp) -> [f64; 6] {
    match series {
        Series::SolarPotential => forecast.solar_potential(at),
        Series::SolarPlan => forecast.solar(HourForecast::planned_at(at)),
        _ => forecast.solar(at),
    }
}

fn adequacy(series: Series, adequacy: &Adequacy) -> f64 {
    match series {
        Series::GenerationCapacity => adequacy.generation,
        Series::LoadResourceCapacity => adequacy.load_resources,
        Series::OfflineCapacity => adequacy.offline,
        Series::AvailableGeneration => adequacy.available_generation(),
        _ => adequacy.available_reserves(),
    }
}

/// Lists the vintages of what needs the truth and its errors, which are the same for every vintage
/// of an hour.
fn forecasts(
    noise: Noise,
    window: &Window<'_>,
    rhythm: Rhythm,
    value: impl Fn(&HourForecast, Timestamp) -> f64,
) -> Vec<Observation> {
    vintages(window, rhythm, |hour| {
        let forecast = HourForecast::of(noise, hour);
        let value = &value;
        move |at| Some(value(&forecast, at))
    })
}

/// Lists the vintages of every hour; of an hour without any nothing is computed.
fn vintages<V: Fn(Timestamp) -> Option<f64>>(
    window: &Window<'_>,
    rhythm: Rhythm,
    value_of_hour: impl Fn(SimulatedHour) -> V,
) -> Vec<Observation> {
    let mut observations = Vec::new();
    for day in window.days() {
        let mut publications = rhythm.publications(window.vintages, day);
        publications.retain(|published_at| window.wants(*published_at));
        for hour in day.hours() {
            let covers = |published_at: &&Timestamp| rhythm.covers(**published_at, hour.start);
            let mut covering = publications.iter().filter(covers).peekable();
            if covering.peek().is_none() {
                continue;
            }
            let value = value_of_hour(SimulatedHour::of(&hour));
            observations.extend(covering.filter_map(|&published_at| {
                let value = value(published_at)?;
                Some(Observation { interval_start: hour.start, published_at, value })
            }));
        }
    }
    observations
}
