//! Open-Meteo's client against canned replies in its documented shape.

use jiff::SignedDuration;

use super::{Forecasts, OpenMeteo, OpenMeteoEndpoints, OpenMeteoSettings, WeatherModel};
use crate::observation::{Series, SeriesKey};
use crate::place::{Place, WeatherZone};
use crate::source::SourceError;
use crate::source::credentials::Secret;
use crate::source::http::stub::{Canned, Stub, TestClock, access, json, say};

const KEY: &str = "meteo-key-1";

struct Scene {
    clock: TestClock,
    stub: Stub,
    weather: OpenMeteo,
}

fn scene(answers: Vec<Canned>) -> Scene {
    let clock = TestClock::at("2026-11-24T12:00:00Z");
    let stub = Stub::saying(answers);
    let base = stub.address();
    let at = |name: &str| format!("{base}/{name}");
    let settings = OpenMeteoSettings {
        endpoints: OpenMeteoEndpoints::new(&at("now"), &at("previous"), &at("single")).unwrap(),
        api_key: Some(Secret::new(KEY)),
        model: WeatherModel::Gfs,
    };
    let weather = OpenMeteo::new(settings, &access(&clock));
    Scene { clock, stub, weather }
}

/// Writes a table with two hours from 2026-11-26T17:00Z on; `number` is the temperature.
fn table(ending: &str, number: i32) -> String {
    format!(
        r#"{{"latitude":29.7,"utc_offset_seconds":0,
        "hourly_units":{{"time":"unixtime","temperature_2m{ending}":"°C",
            "wind_speed_100m{ending}":"m/s","shortwave_radiation{ending}":"W/m²"}},
        "hourly":{{"time":[1795712400,1795716000],"temperature_2m{ending}":[{number}.5,null],
            "wind_speed_100m{ending}":[7.25,8.0],"shortwave_radiation{ending}":[300,250]}}}}"#
    )
}

fn tables(ending: &str) -> String {
    let tables: Vec<String> = (0..8).map(|number| table(ending, number)).collect();
    format!("[{}]", tables.join(","))
}

/// Returns interval, publication and value of the first observation at a zone.
fn first(forecasts: &Forecasts, series: Series, zone: WeatherZone) -> (String, String, f64) {
    let key = SeriesKey { series, place: Place::WeatherZone(zone) };
    let first = forecasts[&key][0];
    (first.interval_start.to_string(), first.published_at.to_string(), first.value)
}

fn text(interval: &str, published: &str, value: f64) -> (String, String, f64) {
    (interval.to_owned(), published.to_owned(), value)
}

#[test]
fn the_newest_forecast_is_of_all_zones_and_published_now() {
    let scene = scene(vec![json(&tables(""))]);
    let forecasts = scene.weather.forecast().unwrap();
    assert_eq!(forecasts.len(), 8 * 3);
    let now = "2026-11-24T12:00:00Z";
    assert_eq!(
        first(&forecasts, Series::TemperatureForecast, WeatherZone::Coast),
        text("2026-11-26T17:00:00Z", now, 0.5)
    );
    assert_eq!(
        first(&forecasts, Series::TemperatureForecast, WeatherZone::West),
        text("2026-11-26T17:00:00Z", now, 7.5)
    );
    assert_eq!(
        first(&forecasts, Series::WindSpeedForecast, WeatherZone::East),
        text("2026-11-26T17:00:00Z", now, 7.25)
    );
    // Radiation at 17:00 is the mean of the hour that starts at 16:00.
    assert_eq!(
        first(&forecasts, Series::RadiationForecast, WeatherZone::East),
        text("2026-11-26T16:00:00Z", now, 300.0)
    );
    // What is null is not there.
    let lengths: Vec<usize> = forecasts.values().map(Vec::len).collect();
    assert_eq!(lengths.iter().sum::<usize>(), 8 * 5);
    let line = &scene.stub.lines()[0];
    let query = "GET /now/v1/forecast?latitude=29.76%2C32.35%2C32.00%2C33.91%2C32.78%2C29.42%2C26.20%2C32.45&longitude=-95.37%2C-95.30%2C-102.08%2C-98.49%2C-96.80%2C-98.49%2C-98.23%2C-99.73&hourly=temperature_2m%2Cwind_speed_100m%2Cshortwave_radiation&models=gfs_global&wind_speed_unit=ms&timeformat=unixtime&timezone=GMT&forecast_days=5&apikey=meteo-key-1";
    assert_eq!(line, query);
}

#[test]
fn a_past_vintage_counts_as_published_when_its_run_could_be_read() {
    let scene = scene(vec![json(&tables("_previous_day2"))]);
    let day = "2026-11-26T05:00:00Z".parse().unwrap();
    let forecasts = scene.weather.previous_day((day, day), 2).unwrap();
    assert_eq!(
        first(&forecasts, Series::TemperatureForecast, WeatherZone::Coast),
        text("2026-11-26T17:00:00Z", "2026-11-24T18:00:00Z", 0.5)
    );
    let line = &scene.stub.lines()[0];
    assert!(line.starts_with("GET /previous/v1/forecast?"), "{line}");
    assert!(line.contains("hourly=temperature_2m_previous_day2%2Cwind"), "{line}");
    assert!(line.contains("&start_date=2026-11-26&end_date=2026-11-26&"), "{line}");
}

#[test]
fn a_run_counts_as_published_after_its_latency_and_not_before() {
    let scene = scene(vec![json(&tables(""))]);
    let run = "2026-11-24T06:00:00Z".parse().unwrap();
    scene.clock.set("2026-11-24T11:59:59Z");
    let error = scene.weather.single_run(run).unwrap_err();
    assert_eq!(
        error.to_string(),
        "source Open-Meteo lacks the run of 2026-11-24T06:00:00Z of gfs_global; the newest that can be read is that of 2026-11-24T00:00:00Z"
    );
    assert!(scene.weather.single_run("2026-11-24T05:00:00Z".parse().unwrap()).is_err());
    assert!(scene.stub.asked().is_empty());
    scene.clock.set("2026-11-25T00:00:00Z");
    let forecasts = scene.weather.single_run(run).unwrap();
    assert_eq!(
        first(&forecasts, Series::TemperatureForecast, WeatherZone::Coast),
        text("2026-11-26T17:00:00Z", "2026-11-24T12:00:00Z", 0.5)
    );
    let line = &scene.stub.lines()[0];
    assert!(line.contains("GET /single/v1/forecast?") && line.contains("&run=2026-11-24T06%3A00&"));
}

#[test]
fn a_reply_that_is_not_as_asked_is_refused() {
    let check = |body: &str, expected: &str| {
        let error = scene(vec![json(body)]).weather.forecast().unwrap_err();
        assert!(matches!(error, SourceError::Unusable { .. }), "{error:?}");
        assert!(error.to_string().ends_with(expected), "{error}");
    };
    let good = tables("");
    check(&table("", 1), "forecast: expected 8 places, found 1");
    check(&good.replacen("°C", "°F", 1), "WZ_COAST, temperature_2m: expected °C, found \"°F\"");
    check(
        &good.replacen(r#""wind_speed_100m":["#, r#""wind_speed_10m":["#, 1),
        "WZ_COAST, wind_speed_100m: expected a column, found none",
    );
    check(
        &good.replacen("[300,250]", "[300]", 1),
        "WZ_COAST, shortwave_radiation: expected 2 values, found 1",
    );
    check(
        &good.replacen("1795716000", "253402207200", 1),
        "WZ_COAST, temperature_2m: expected seconds since 1970, found 253402207200",
    );
    check("<html><title>Oops</title></html>", "found a page that says \"Oops\"");
}

#[test]
fn refusals_have_their_class_and_never_the_key() {
    let refused = |status: &str, reason: &str| {
        let body = format!(r#"{{"error":true,"reason":"{reason}"}}"#);
        let scene = scene(vec![say(status, "application/json", body.as_bytes())]);
        let error = scene.weather.forecast().unwrap_err();
        let printed = format!("{error} {error:?} {:?}", scene.weather);
        assert!(!printed.contains(KEY), "{printed}");
        error
    };
    let missing = refused("400 Bad Request", "No data is available for this run");
    assert!(matches!(missing, SourceError::Missing { .. }), "{missing:?}");
    let key = refused("400 Bad Request", "The supplied API key meteo-key-1 is invalid");
    assert!(matches!(key, SourceError::Authentication { .. }), "{key:?}");
    assert!(key.to_string().contains("The supplied API key *** is invalid"), "{key}");
    let wait = |reason: &str| match refused("429 Too Many Requests", reason) {
        SourceError::RateLimited { wait, .. } => wait.unwrap(),
        other => panic!("{other:?}"),
    };
    // It is 12:00 UTC.
    assert_eq!(wait("Minutely API request limit exceeded."), SignedDuration::from_mins(1));
    assert_eq!(wait("Hourly API request limit exceeded."), SignedDuration::from_hours(1));
    assert_eq!(wait("Daily API request limit exceeded."), SignedDuration::from_hours(12));
}
