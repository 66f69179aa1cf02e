//! Forecasts of one hour at any lead time: load by zone and model, wind and sun by region,
//! temperature. The truth plus errors, part of which all zones share.
//!
//! Sizes are such that the errors of the day before are those of ERCOT's vintages of 2022 and 2024
//! at 09:55: 1,650 MW for load, 2,230 MW for wind, 1,410 MW for sun (root mean squares).

use jiff::{SignedDuration, Timestamp};

use super::calendar::SimulatedHour;
use super::errors::Errors;
use super::fleet::{Fleet, SOLAR_SHARES, WIND_SHARES};
use super::noise::{Noise, Stream};
use super::system::SystemHour;
use super::vintages::{GENERATION, LOAD};
use super::weather::{SOLAR_REGIONS, WEATHER_ZONES, WIND_REGIONS};
use crate::observation::LoadModel;
use crate::time::OperatingDay;

/// What an error of 1 is, as a share of the load, the wind and the solar capacity.
const LOAD_ERROR: f64 = 0.0225;
const WIND_ERROR: f64 = 0.046;
const SOLAR_ERROR: f64 = 0.073;
/// … and in °C.
const TEMPERATURE_ERROR: f64 = 0.9;

/// How much of an error a part shares with the others, and how much is its own.
const SHARED: f64 = 0.75;
const OWN: f64 = 0.75;

/// By how much a load model errs on its own, relative to what all models get wrong.
const MODEL_ERROR: f64 = 0.35;

/// How long ERCOT stays with a load model, hours.
const MODEL_KEPT_HOURS: i64 = 5 * 24;

/// Wind or sun delivers its potential with a chance of 80 %: it lies so many standard deviations of
/// the error below the forecast.
const POTENTIAL_BELOW: f64 = 0.84;

/// A forecast hour: the truth, and all that can be wrong about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct HourForecast {
    pub(super) hour: SimulatedHour,
    pub(super) truth: SystemHour,
    fleet: Fleet,
    load: PartErrors<WEATHER_ZONES>,
    models: [Errors; LoadModel::ALL.len()],
    wind: PartErrors<WIND_REGIONS>,
    solar: PartErrors<SOLAR_REGIONS>,
}

/// The errors of the parts of a whole.
#[derive(Clone, Copy, Debug)]
struct PartErrors<const PARTS: usize> {
    shared: Errors,
    own: [Errors; PARTS],
}

impl<const PARTS: usize> PartErrors<PARTS> {
    fn of(noise: Noise, [shared, own]: [Stream; 2], target: Timestamp) -> Self {
        Self {
            shared: Errors::of(noise, shared, 0, target),
            own: std::array::from_fn(|part| Errors::of(noise, own, part, target)),
        }
    }

    fn at(&self, lead: SignedDuration) -> [f64; PARTS] {
        let shared = SHARED * self.shared.at(lead);
        std::array::from_fn(|part| shared + OWN * self.own[part].at(lead))
    }
}

impl HourForecast {
    pub(super) fn of(noise: Noise, hour: SimulatedHour) -> Self {
        let load = [Stream::LoadForecastError, Stream::LoadZoneForecastError];
        let wind = [Stream::WindForecastError, Stream::WindRegionForecastError];
        let solar = [Stream::SolarForecastError, Stream::SolarRegionForecastError];
        Self {
            hour,
            truth: SystemHour::at(noise, &hour),
            fleet: Fleet::at(hour.years),
            load: PartErrors::of(noise, load, hour.start),
            models: std::array::from_fn(|model| {
                Errors::of(noise, Stream::LoadModelError, model, hour.start)
            }),
            wind: PartErrors::of(noise, wind, hour.start),
            solar: PartErrors::of(noise, solar, hour.start),
        }
    }

    fn lead(&self, published_at: Timestamp) -> SignedDuration {
        self.hour.start.duration_since(published_at)
    }

    /// Returns a model's forecast of the load by weather zone, MW.
    pub(super) fn load(&self, model: LoadModel, published_at: Timestamp) -> [f64; WEATHER_ZONES] {
        let lead = self.lead(published_at);
        let of_model = MODEL_ERROR * self.models[model as usize].at(lead);
        let errors = self.load.at(lead);
        std::array::from_fn(|zone| {
            self.truth.load[zone] * (1.0 + LOAD_ERROR * (errors[zone] + of_model))
        })
    }

    /// Returns the wind forecast by region, MW.
    pub(super) fn wind(&self, published_at: Timestamp) -> [f64; WIND_REGIONS] {
        let errors = self.wind.at(self.lead(published_at));
        std::array::from_fn(|region| {
            let capacity = self.fleet.wind * WIND_SHARES[region];
            (self.truth.wind_limit[region] + capacity * WIND_ERROR * errors[region])
                .clamp(0.0, capacity)
        })
    }

    /// Returns the solar forecast by region, MW.
    pub(super) fn solar(&self, published_at: Timestamp) -> [f64; SOLAR_REGIONS] {
        let errors = self.solar.at(self.lead(published_at));
        std::array::from_fn(|region| {
            let capacity = self.fleet.solar * SOLAR_SHARES[region];
            let daylight = (4.0 * self.truth.weather.solar[region]).min(1.0);
            (self.truth.solar_limit[region] + capacity * SOLAR_ERROR * daylight * errors[region])
                .clamp(0.0, capacity)
        })
    }

    /// Returns what wind generates with a probability of 80 %, by region, MW.
    pub(super) fn wind_potential(&self, published_at: Timestamp) -> [f64; WIND_REGIONS] {
        let below = POTENTIAL_BELOW * WIND_ERROR * usual_error(self.lead(published_at));
        let forecast = self.wind(published_at);
        std::array::from_fn(|region| {
            (forecast[region] - below * self.fleet.wind * WIND_SHARES[region]).max(0.0)
        })
    }

    /// Returns what solar generates with a probability of 80 %, by region, MW.
    pub(super) fn solar_potential(&self, published_at: Timestamp) -> [f64; SOLAR_REGIONS] {
        let below = POTENTIAL_BELOW * SOLAR_ERROR * usual_error(self.lead(published_at));
        let forecast = self.solar(published_at);
        std::array::from_fn(|region| {
            let daylight = (4.0 * self.truth.weather.solar[region]).min(1.0);
            let capacity = self.fleet.solar * SOLAR_SHARES[region];
            (forecast[region] - below * daylight * capacity).max(0.0)
        })
    }

    /// Returns what operators plan: the forecast that they had at the last change of shift, which
    /// comes every six hours.
    pub(super) fn planned_at(published_at: Timestamp) -> Timestamp {
        const SHIFT: i64 = 6 * 3_600;
        let shift = published_at.as_second().div_euclid(SHIFT) * SHIFT;
        Timestamp::from_second(shift).expect("it is within hours of another instant")
    }

    /// Returns the net load that the day-ahead market is cleared on, MW.
    pub(super) fn net_load_before_the_market(&self, noise: Noise, day: OperatingDay) -> f64 {
        let at = LOAD.before_the_market_of(day);
        let load: f64 = self.load(model_in_use(noise, at), at).iter().sum();
        let at = GENERATION.before_the_market_of(day);
        load - self.wind(at).iter().sum::<f64>() - self.solar(at).iter().sum::<f64>()
    }
}

/// Returns the root mean square of [`Errors`] at a lead time, roughly.
fn usual_error(lead: SignedDuration) -> f64 {
    let lead_hours = (lead.as_secs_f64() / 3_600.0).clamp(0.0, 168.0);
    0.3 + 0.22 * lead_hours.sqrt()
}

/// Returns the model that ERCOT uses at an instant.
pub(super) fn model_in_use(noise: Noise, at: Timestamp) -> LoadModel {
    let [draw] =
        noise.uniforms(Stream::LoadModelInUse, at.as_second().div_euclid(MODEL_KEPT_HOURS * 3_600));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
    let model = (draw * LoadModel::ALL.len() as f64) as usize;
    LoadModel::ALL[model.min(LoadModel::ALL.len() - 1)]
}

/// Returns the temperature forecast of a weather zone, °C.
pub(super) fn temperature_forecast(
    noise: Noise,
    hour: &SimulatedHour,
    zone: usize,
    published_at: Timestamp,
) -> f64 {
    let weather = super::weather::Weather::at(noise, hour);
    let lead = hour.start.duration_since(published_at);
    let error =
        |part| Errors::of(noise, Stream::TemperatureForecastError, part, hour.start).at(lead);
    let error = SHARED * error(WEATHER_ZONES) + OWN * error(zone);
    ((weather.temperatures[zone] + TEMPERATURE_ERROR * error) * 10.0).round() / 10.0
}
