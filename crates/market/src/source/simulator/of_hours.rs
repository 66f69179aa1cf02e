//! The series that have one value an hour: what was, and what the day-ahead market cleared.

use super::calendar::SimulatedHour;
use super::congestion::PointShifts;
use super::corrections::Correction;
use super::day_ahead::DayAheadHour;
use super::forecasts::HourForecast;
use super::real_time::in_cents;
use super::regions::{solar_regions, sum_of, wind_regions};
use super::source::{Simulator, Window};
use super::system::{SystemHour, total};
use super::{ancillary, weather::Weather};
use crate::observation::{Observation, Series};
use crate::place::Place;
use crate::source::publication::PublicationRule;
use crate::time::{MarketHour, OperatingDay};

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
                self.day_ahead_prices(window, &point)
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

    /// Returns the prices of the day-ahead market and the corrections of them.
    fn day_ahead_prices(&self, window: &Window<'_>, point: &PointShifts) -> Vec<Observation> {
        let noise = self.noise;
        let price = |day: OperatingDay, hour: &MarketHour| {
            let forecast = HourForecast::of(noise, SimulatedHour::of(hour));
            let cleared = DayAheadHour::cleared(noise, &forecast, day);
            cleared.at_point(noise, &forecast, point)
        };
        let mut rule = PublicationRule::of(Series::DayAheadSpp).expect("only forecasts have none");
        let mut observations = Vec::new();
        for day in window.days() {
            let correction = Correction::of_day_ahead(noise, day);
            let corrected_at = correction.map(|it| it.published_at);
            for hour in day.hours() {
                let (interval_start, published_at) = (hour.start, rule.published_at(hour.start));
                // Prices are dear to compute, and most are not asked for.
                if !window.wants(published_at) && !corrected_at.is_some_and(|at| window.wants(at)) {
                    continue;
                }
                let price = price(day, &hour);
                let first = correction.and_then(|it| it.first_price(interval_start, price));
                let first_price = first.map_or(price, in_cents);
                observations.push(Observation { interval_start, published_at, value: first_price });
                if let (Some(published_at), Some(_)) = (corrected_at, first) {
                    observations.push(Observation { interval_start, published_at, value: price });
                }
            }
        }
        observations
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
