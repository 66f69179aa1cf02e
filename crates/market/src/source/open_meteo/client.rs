//! Asks Open-Meteo for all weather zones at once, one request at a time.

use jiff::Timestamp;

use super::reply::{Forecasts, Reply, VARIABLES, forecasts};
use super::run::{PREVIOUS_DAYS_MAX, WeatherModel};
use super::zones::coordinates;
use crate::place::WeatherZone;
use crate::source::SourceError;
use crate::source::credentials::Secret;
use crate::source::http::{
    BaseUrl, BaseUrlError, HttpAccess, Kind, Refusal, Request, Service, Size,
};

/// A year of eight places and three variables is some 3 MB.
const TABLES: Size = Size { expected: 500_000, max: 64_000_000 };

/// The issue day and the three operating days, and a day for the difference to UTC.
const FORECAST_DAYS: &str = "5";

const ADVICE: &str = "check the key, and that the addresses are those for customers with a key (customer-api.open-meteo.com)";

/// The addresses of Open-Meteo's services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenMeteoEndpoints {
    /// The newest forecast.
    pub forecast: BaseUrl,
    /// Vintages by their age.
    pub previous_runs: BaseUrl,
    /// Single runs by their initialisation.
    pub single_runs: BaseUrl,
}

impl OpenMeteoEndpoints {
    /// Reads the three addresses, up to and without `v1`.
    pub fn new(
        forecast: &str,
        previous_runs: &str,
        single_runs: &str,
    ) -> Result<Self, BaseUrlError> {
        Ok(Self {
            forecast: BaseUrl::new("Open-Meteo's forecast", forecast)?,
            previous_runs: BaseUrl::new("Open-Meteo's previous runs", previous_runs)?,
            single_runs: BaseUrl::new("Open-Meteo's single runs", single_runs)?,
        })
    }

    /// Returns those for non-commercial use, without a key.
    #[must_use]
    pub fn free() -> Self {
        Self::new(
            "https://api.open-meteo.com",
            "https://previous-runs-api.open-meteo.com",
            "https://single-runs-api.open-meteo.com",
        )
        .expect("they are URLs")
    }

    /// Returns those for customers, who have a key.
    #[must_use]
    pub fn customer() -> Self {
        Self::new(
            "https://customer-api.open-meteo.com",
            "https://customer-previous-runs-api.open-meteo.com",
            "https://customer-single-runs-api.open-meteo.com",
        )
        .expect("they are URLs")
    }
}

/// What to ask Open-Meteo for.
#[derive(Clone, Debug)]
pub struct OpenMeteoSettings {
    /// Where it is.
    pub endpoints: OpenMeteoEndpoints,
    /// A customer's key.
    pub api_key: Option<Secret>,
    /// Whose forecasts.
    pub model: WeatherModel,
}

/// A client of Open-Meteo.
#[derive(Debug)]
pub struct OpenMeteo {
    settings: OpenMeteoSettings,
    service: Service,
}

impl OpenMeteo {
    /// Prepares to ask; asks nothing. Its budget is not ERCOT's.
    #[must_use]
    pub fn new(settings: OpenMeteoSettings, access: &HttpAccess) -> Self {
        let secrets = settings.api_key.iter().cloned().collect();
        Self { settings, service: Service::new("Open-Meteo", access, ADVICE, secrets) }
    }

    /// Returns whose forecasts are asked for.
    #[must_use]
    pub fn model(&self) -> WeatherModel {
        self.settings.model
    }

    /// Fetches the newest forecast. It does not say which run it is of, so it counts as published
    /// when it was asked for.
    pub fn forecast(&self) -> Result<Forecasts, SourceError> {
        let asked_at = self.service.access().now();
        let base = &self.settings.endpoints.forecast;
        self.fetch(base, "", &[("forecast_days", FORECAST_DAYS)], |_| asked_at)
    }

    /// Fetches the vintage `previous_dayN` of the UTC days from one instant's to another's:
    /// which one is safe for a target day tells [`super::previous_day_for`].
    ///
    /// # Panics
    /// If `days` is 0 or more than 7: there are no such vintages.
    pub fn previous_day(
        &self,
        (from, to): (Timestamp, Timestamp),
        days: u8,
    ) -> Result<Forecasts, SourceError> {
        assert!((1..=PREVIOUS_DAYS_MAX).contains(&days), "there is no previous day {days}");
        let model = self.settings.model;
        let ending = format!("_previous_day{days}");
        let date = |instant: Timestamp| instant.strftime("%Y-%m-%d").to_string();
        let query = [("start_date", &*date(from)), ("end_date", &*date(to))];
        let base = &self.settings.endpoints.previous_runs;
        self.fetch(base, &ending, &query, |valid_at| {
            model.previous_day_published_at(valid_at, days)
        })
    }

    /// Fetches all hours of the run with an initialisation time. A run that cannot be readable
    /// yet is not asked for.
    pub fn single_run(&self, run: Timestamp) -> Result<Forecasts, SourceError> {
        let model = self.settings.model;
        let published_at = model.published_at(run);
        if model.run_by(run) != run || self.service.access().now() < published_at {
            return Err(self.service.missing(format!(
                "the run of {run} of {}; the newest that can be read is that of {}",
                model.name(),
                model.newest_run_at(self.service.access().now())
            )));
        }
        let query = [("run", &*run.strftime("%Y-%m-%dT%H:%M").to_string())];
        self.fetch(&self.settings.endpoints.single_runs, "", &query, |_| published_at)
    }

    fn fetch(
        &self,
        base: &BaseUrl,
        ending: &str,
        query: &[(&str, &str)],
        published_at: impl Fn(Timestamp) -> Timestamp,
    ) -> Result<Forecasts, SourceError> {
        let zones = WeatherZone::ALL.iter().map(|zone| coordinates(*zone));
        let joined = |number: fn(&super::Coordinates) -> f64| {
            let numbers = zones.clone().map(|at| format!("{:.2}", number(&at)));
            numbers.collect::<Vec<_>>().join(",")
        };
        let (latitudes, longitudes) = (joined(|at| at.latitude), joined(|at| at.longitude));
        let names = VARIABLES.map(|variable| format!("{}{ending}", variable.name)).join(",");
        let mut pairs = vec![
            ("latitude", latitudes.as_str()),
            ("longitude", &longitudes),
            ("hourly", &names),
            ("models", self.settings.model.name()),
            ("wind_speed_unit", "ms"),
            ("timeformat", "unixtime"),
            ("timezone", "GMT"),
        ];
        pairs.extend_from_slice(query);
        if let Some(key) = &self.settings.api_key {
            pairs.push(("apikey", key.expose()));
        }
        let reply =
            self.service.reply_to(&Request::get(base.at(&["v1", "forecast"], &pairs), TABLES))?;
        if let Some(refusal) = Refusal::of(&reply, self.service.access().now()) {
            return Err(self.refused(refusal));
        }
        let body: Reply = self.service.json("forecast", &reply.body)?;
        forecasts(body, ending, published_at)
            .map_err(|problem| self.service.unusable(format!("forecast: {problem}")))
    }

    /// Open-Meteo says 400 for good, unlike ERCOT: to a wrong key, and to what it has not got.
    fn refused(&self, mut refusal: Refusal) -> SourceError {
        if refusal.kind == Kind::BadRequest {
            let word = refusal.said.to_lowercase();
            let is_about_the_key = word.contains("api key") || word.contains("apikey");
            refusal.kind = if is_about_the_key { Kind::Account } else { Kind::Absent };
        }
        self.service.refused(&refusal)
    }
}
