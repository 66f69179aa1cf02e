//! The series that have one value an hour: what was, and what the day-ahead market cleared.

use super::calendar::SimulatedHour;
use super::congestion::PointShifts;
use super::day_ahead::DayAheadHour;
use super::forecasts::HourForecast;
use super::regions::{solar_regions, sum_of, wind_regions};
use super::source::{Simulator, Window};
use super::system::{SystemHour, total};
use super::{ancillary, weather::Weather};
use crate::observation::{Observation, Series};
use crate::place::Place;
use crate::source::publication::PublicationRule;
use crate::time::OperatingDay;

impl Simulator {
    /// Returns a series of one value an hour; none at a place where there is none.
    pub(super) fn of_hours(
        &self,
        window: &Window<'_>,
        series: Series,
        place: &Place,
    ) -> Vec<Observation> {
        let noise = self.noise;
        let system = |hour: &SimulatedHour| SystemHour::at(noise, hour);
        match (series, place) {
            (Series::DayAheadSpp, Place::SettlementPoint(point)) => {
                let Some(point) = PointShifts::of(point.name()) else { return Vec::new() };
                hourly(window, series, |day, hour| {
                    let forecast = HourForecast::of(noise, *hour);
                    let cleared = DayAheadHour::cleared(noise, &forecast, day);
                    Some(cleared.at_point(noise, &forecast, &point))
                })
            }
            (Series::DayAheadMcpc(service), Place::System) => {
                hourly(window, series, |day, hour| {
                    let forecast = HourForecast::of(noise, *hour);
                    let cleared = DayAheadHour::cleared(noise, &forecast, day);
                    ancillary::day_ahead_price(service, hour, cleared.tightness, cleared.price)
                })
            }
            (Series::LoadActual, Place::System) => {
                hourly(window, series, |_, hour| Some(total(&system(hour).load)))
            }
            (Series::LoadActual, Place::WeatherZone(zone)) => {
                hourly(window, series, |_, hour| Some(system(hour).load[*zone as usize]))
            }
            (Series::Temperature, Place::WeatherZone(zone)) => {
                hourly(window, series, |_, hour| Some(Weather::at(noise, hour).temperature(*zone)))
            }
            (Series::WindActual | Series::WindHsl, place) => {
                let Some(regions) = wind_regions(place) else { return Vec::new() };
                hourly(window, series, |_, hour| {
                    let system = system(hour);
                    let is_actual = series == Series::WindActual;
                    let wind = if is_actual { &system.wind } else { &system.wind_limit };
                    Some(sum_of(wind, regions))
                })
            }
            (Series::SolarActual | Series::SolarHsl, place) => {
                let Some(regions) = solar_regions(place) else { return Vec::new() };
                hourly(window, series, |_, hour| {
                    let system = system(hour);
                    let is_actual = series == Series::SolarActual;
                    let solar = if is_actual { &system.solar } else { &system.solar_limit };
                    Some(sum_of(solar, regions))
                })
            }
            _ => Vec::new(),
        }
    }
}

fn hourly(
    window: &Window<'_>,
    series: Series,
    value: impl Fn(OperatingDay, &SimulatedHour) -> Option<f64>,
) -> Vec<Observation> {
    let mut rule = PublicationRule::of(series).expect("only forecasts have no rule");
    let mut observations = Vec::new();
    for day in window.days() {
        for hour in day.hours() {
            let published_at = rule.published_at(hour.start);
            if !window.wants(published_at) {
                continue;
            }
            if let Some(value) = value(day, &SimulatedHour::of(&hour)) {
                observations.push(Observation { interval_start: hour.start, published_at, value });
            }
        }
    }
    observations
}
