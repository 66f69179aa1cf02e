//! The simulator as a source: which hours a request is about, and when they were published.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::calendar::SimulatedHour;
use super::day_ahead::DayAheadHour;
use super::forecasts::{DAYS_AHEAD, ForecastHour, publications};
use super::noise::{Noise, Stream};
use super::price::{Hub, SPIKE_HOURS_MAX, ShortSpike, energy_price, gas_factor, within_limits};
use super::system::SystemHour;
use crate::observation::{Observation, Series, SeriesKey};
use crate::place::{Place, SettlementPoint, WeatherZone};
use crate::source::publication::PublicationRule;
use crate::source::{FetchRequest, Source, SourceError};
use crate::time::OperatingDay;

/// The version of the simulated world: raised whenever a value of it changes.
const WORLD: u32 = 1;

/// Nothing is published later after its interval than load, a good day.
const PUBLICATION_LAG_DAYS: i32 = 3;

/// Requests that reach further are refused rather than computed.
const LAST_YEAR: i16 = 2100;

/// How much tighter an hour is per unit that the tightness rises over its two neighbours.
const RAMP_PREMIUM: f64 = 0.25;

const HUB_AVERAGE: &str = "HB_HUBAVG";

/// Which world is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulatorSettings {
    /// Worlds with different seeds have different weather.
    pub seed: u64,
    /// The first operating day that is published; it changes no value.
    pub first_day: Date,
}

/// A simulated ERCOT.
#[derive(Clone, Debug)]
pub struct Simulator {
    settings: SimulatorSettings,
    noise: Noise,
}

impl Simulator {
    /// Makes a world; nothing is computed before it is asked for.
    #[must_use]
    pub fn new(settings: SimulatorSettings) -> Self {
        Self { settings, noise: Noise::new(settings.seed) }
    }

    /// Returns the operating days whose values may have been published in the request's window.
    fn days(&self, request: &FetchRequest) -> Result<Vec<OperatingDay>, SourceError> {
        let last = OperatingDay::of(request.published_until).plus_days(DAYS_AHEAD);
        if LAST_YEAR < last.date().year() {
            return Err(SourceError::Unavailable {
                source_name: self.id(),
                reason: format!("it ends with the year {LAST_YEAR}; ask for less"),
            });
        }
        let mut day = OperatingDay::new(self.settings.first_day);
        if let Some(after) = request.published_after {
            day = day.max(OperatingDay::of(after).plus_days(-PUBLICATION_LAG_DAYS));
        }
        let mut days = Vec::new();
        while day <= last {
            days.push(day);
            day = day.plus_days(1);
        }
        Ok(days)
    }

    /// Walks a day's hours with the system in each.
    fn hours(&self, day: OperatingDay) -> impl Iterator<Item = (SimulatedHour, SystemHour)> + '_ {
        day.hours().into_iter().map(|hour| {
            let hour = SimulatedHour::of(&hour);
            (hour, SystemHour::at(self.noise, &hour))
        })
    }

    fn system_at(&self, start: Timestamp) -> (SimulatedHour, SystemHour) {
        let hour = SimulatedHour::starting(start);
        (hour, SystemHour::at(self.noise, &hour))
    }

    fn hourly(
        &self,
        days: &[OperatingDay],
        series: Series,
        value: impl Fn(&SimulatedHour, &SystemHour) -> Option<f64>,
    ) -> Vec<Observation> {
        let mut rule = PublicationRule::of(series).expect("only forecasts have no rule");
        let mut observations = Vec::new();
        for day in days {
            for (hour, system) in self.hours(*day) {
                if let Some(value) = value(&hour, &system) {
                    observations.push(Observation {
                        interval_start: hour.start,
                        published_at: rule.published_at(hour.start),
                        value,
                    });
                }
            }
        }
        observations
    }

    fn forecasts(
        &self,
        days: &[OperatingDay],
        value: fn(&ForecastHour) -> f64,
    ) -> Vec<Observation> {
        let mut observations = Vec::new();
        for day in days {
            let publications = publications(*day);
            for (hour, system) in self.hours(*day) {
                for &published_at in &publications {
                    let forecast =
                        ForecastHour::published(self.noise, &hour, &system, published_at);
                    observations.push(Observation {
                        interval_start: hour.start,
                        published_at,
                        value: value(&forecast),
                    });
                }
            }
        }
        observations
    }

    fn day_ahead(&self, days: &[OperatingDay], hubs: &[Hub]) -> Vec<Observation> {
        self.hourly(days, Series::DayAheadSpp, |hour, system| {
            let cleared = DayAheadHour::cleared(self.noise, hour, system);
            // Traders know where it is congested, roughly.
            let spread = |hub: &Hub| 0.7 * hub.spread(self.noise, &system.weather, hour.start);
            Some(mean(hubs, |hub| within_limits(cleared.price + spread(hub))))
        })
    }

    fn real_time(&self, days: &[OperatingDay], hubs: &[Hub]) -> Vec<Observation> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
        // Spikes may have started before the first hour, and an hour leans on its neighbours.
        let start = first.start() - SignedDuration::from_hours(SPIKE_HOURS_MAX);
        let end = last.end() + SignedDuration::from_hours(1);
        let mut hours = Vec::new();
        let mut hour = start;
        while hour < end {
            let (calendar, system) = self.system_at(hour);
            let tightness = system.tightness(&calendar);
            let spike = ShortSpike::starting_in(self.noise, hour, tightness);
            hours.push(PricedHour { start: hour, system, tightness, spike });
            hour += SignedDuration::from_hours(1);
        }
        let mut rule = PublicationRule::of(Series::RealTimeLmp).expect("it has one");
        let mut observations = Vec::with_capacity(hours.len() * 12);
        for index in usize::try_from(SPIKE_HOURS_MAX).unwrap_or(0)..hours.len() - 1 {
            for slot in 0..12 {
                let at = hours[index].start + SignedDuration::from_mins(5 * slot);
                let price = self.system_price(&hours[..index + 2], at);
                let weather = &hours[index].system.weather;
                observations.push(Observation {
                    interval_start: at,
                    published_at: rule.published_at(at),
                    value: mean(hubs, |hub| {
                        within_limits(price + hub.spread(self.noise, weather, at))
                    }),
                });
            }
        }
        observations
    }

    /// Prices a 5-minute slot of the last hour but one.
    fn system_price(&self, hours: &[PricedHour], at: Timestamp) -> f64 {
        let [before, hour, after] = hours.last_chunk().expect("there are hours around each");
        // An hour's value is that of its middle; between the middles it changes steadily.
        let share = (at - hour.start).as_secs_f64() / 3_600.0 + 1.0 / 24.0 - 0.5;
        let neighbour = if share < 0.0 { before } else { after };
        let steady = hour.tightness + share.abs() * (neighbour.tightness - hour.tightness);
        // Plants that must follow a rising net load are dearer than those that merely run.
        let rise = (after.tightness - before.tightness).max(0.0) * RAMP_PREMIUM;
        let restless = 0.008 * self.noise.smooth(Stream::MinuteByMinute, 0, at, 0.4)
            + 0.005 * self.noise.smooth(Stream::MinuteByMinute, 1, at, 0.085);
        let spikes = hours.iter().rev().take(4).filter_map(|hour| hour.spike);
        let spike: f64 = spikes.filter(|spike| spike.covers(at)).map(|spike| spike.size).sum();
        energy_price(steady + rise + restless, gas_factor(self.noise, at)) + spike
    }
}

/// What the prices of an hour are made of.
#[derive(Clone, Copy, Debug)]
struct PricedHour {
    start: Timestamp,
    system: SystemHour,
    tightness: f64,
    spike: Option<ShortSpike>,
}

fn mean(hubs: &[Hub], price: impl Fn(&Hub) -> f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of hubs")]
    let mean = hubs.iter().map(price).sum::<f64>() / hubs.len() as f64;
    within_limits(mean)
}

/// Returns the hubs whose mean is a settlement point's price; none for an unknown point.
fn hubs_of(place: &Place) -> Vec<Hub> {
    match place {
        Place::SettlementPoint(point) if point.name() == HUB_AVERAGE => Hub::AVERAGED.to_vec(),
        Place::SettlementPoint(point) => {
            Hub::ALL.into_iter().filter(|hub| hub.name() == point.name()).collect()
        }
        _ => Vec::new(),
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
        let SimulatorSettings { seed, first_day } = self.settings;
        Ok(format!("simulator-world-{WORLD}-seed-{seed}-from-{first_day}"))
    }

    fn default_settlement_points(&self) -> Result<Vec<SettlementPoint>, SourceError> {
        let point = |hub: Hub| SettlementPoint::new(hub.name()).expect("it is ERCOT's spelling");
        Ok(Hub::ALL.map(point).to_vec())
    }

    fn fetch(&self, request: &FetchRequest) -> Result<Vec<Observation>, SourceError> {
        let days = self.days(request)?;
        let SeriesKey { series, place } = &request.key;
        let is_system = *place == Place::System;
        let hubs = hubs_of(place);
        let mut observations = match series {
            Series::RealTimeLmp if !hubs.is_empty() => self.real_time(&days, &hubs),
            Series::DayAheadSpp if !hubs.is_empty() => self.day_ahead(&days, &hubs),
            Series::DayAheadMcpc(_) if is_system => self.hourly(&days, *series, |hour, system| {
                let cleared = DayAheadHour::cleared(self.noise, hour, system);
                cleared.ancillary(*series, hour.start)
            }),
            Series::LoadActual if is_system => self.hourly(&days, *series, |_, s| Some(s.load)),
            Series::WindActual if is_system => self.hourly(&days, *series, |_, s| Some(s.wind)),
            Series::SolarActual if is_system => self.hourly(&days, *series, |_, s| Some(s.solar)),
            Series::LoadForecast if is_system => self.forecasts(&days, |forecast| forecast.load),
            Series::WindForecast if is_system => self.forecasts(&days, |forecast| forecast.wind),
            Series::SolarForecast if is_system => self.forecasts(&days, |forecast| forecast.solar),
            Series::Temperature => self.temperature(&days, place),
            _ => Vec::new(),
        };
        observations.retain(|observation| {
            request.published_after.is_none_or(|after| after < observation.published_at)
                && observation.published_at <= request.published_until
        });
        Ok(observations)
    }
}

impl Simulator {
    fn temperature(&self, days: &[OperatingDay], place: &Place) -> Vec<Observation> {
        let Place::WeatherZone(zone) = place else { return Vec::new() };
        let is_coastal = matches!(zone, WeatherZone::Coast | WeatherZone::Southern);
        self.hourly(days, Series::Temperature, |_, system| {
            Some(if is_coastal {
                system.weather.coast_temperature
            } else {
                system.weather.inland_temperature
            })
        })
    }
}
