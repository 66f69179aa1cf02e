//! Simulated forecast vintages of load, wind and sun: the truth plus errors that grow with the
//! lead time and of which later vintages repeat the part that is not yet resolved.

use jiff::civil::{Time, time};
use jiff::{SignedDuration, Timestamp};

use super::calendar::SimulatedHour;
use super::noise::{Noise, Stream};
use super::system::{Fleet, SystemHour};
use crate::time::{OperatingDay, instant};

/// When forecasts are published, Central.
pub(super) const PUBLISHED_DAILY_AT: [Time; 2] = [time(9, 55, 0, 0), time(17, 55, 0, 0)];

/// A forecast covers the hours of so many operating days after the day of its publication.
pub(super) const DAYS_AHEAD: i32 = 3;

/// A forecast of one hour, MW.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForecastHour {
    pub(super) load: f64,
    pub(super) wind: f64,
    pub(super) solar: f64,
}

/// Lists when forecasts of an operating day were published, oldest first.
pub(super) fn publications(day: OperatingDay) -> Vec<Timestamp> {
    let mut publications = Vec::new();
    for days_before in (1..=DAYS_AHEAD).rev() {
        for at in PUBLISHED_DAILY_AT {
            let published_at = instant(day.plus_days(-days_before).date(), at);
            publications.push(published_at.expect("both times exist on every day"));
        }
    }
    publications
}

impl ForecastHour {
    pub(super) fn published(
        noise: Noise,
        hour: &SimulatedHour,
        truth: &SystemHour,
        published_at: Timestamp,
    ) -> Self {
        let fleet = Fleet::at(hour.years);
        let lead = hour.start.duration_since(published_at);
        let error = |stream| error(noise, stream, hour.start, lead);
        let daylight = (4.0 * truth.weather.solar).min(1.0);
        Self {
            load: truth.load * (1.0 + 0.012 * error(Stream::LoadForecastError)),
            wind: (truth.wind + 0.045 * fleet.wind * error(Stream::WindForecastError))
                .clamp(0.0, fleet.wind),
            solar: (truth.solar
                + 0.05 * fleet.solar * daylight * error(Stream::SolarForecastError))
            .clamp(0.0, fleet.solar),
        }
    }
}

/// The bands of a forecast's error: from which to which lead hour each grows to its full size.
/// The sizes add up (in squares) to 1.7 after one day and 2.7 after three.
const BANDS: [(f64, f64, f64); 4] =
    [(0.0, 12.0, 1.0), (12.0, 30.0, 1.4), (30.0, 54.0, 1.5), (54.0, 90.0, 1.5)];

fn error(noise: Noise, stream: Stream, target: Timestamp, lead: SignedDuration) -> f64 {
    let lead_hours = lead.as_secs_f64() / 3_600.0;
    let mut error = 0.0;
    for (band, (from, to, size)) in BANDS.into_iter().enumerate() {
        let grown = ((lead_hours - from) / (to - from)).clamp(0.0, 1.0);
        if 0.0 < grown {
            error += grown * size * noise.smooth(stream, band as u64, target, 9.0);
        }
    }
    error
}
