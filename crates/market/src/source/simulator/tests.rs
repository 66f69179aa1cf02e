//! What the simulated market must be like: deterministic, without foresight, and spiky about as
//! often as the real one.

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::{Simulator, SimulatorSettings};
use crate::observation::{HistoryBuilder, Observation, Series, SeriesKey};
use crate::place::{Place, SettlementPoint, WeatherZone};
use crate::source::{FetchRequest, Source, SourceError};
use crate::time::{MarketHour, OperatingDay};

const SEED: u64 = 1;

fn simulator() -> Simulator {
    Simulator::new(SimulatorSettings { seed: SEED, first_day: date(2022, 1, 1) })
}

fn point(name: &str) -> SettlementPoint {
    SettlementPoint::new(name).unwrap()
}

fn price_key(name: &str) -> SeriesKey {
    SeriesKey::at(Series::RealTimeLmp, &point(name))
}

fn every_key() -> Vec<SeriesKey> {
    let mut keys = Vec::new();
    for series in Series::FORECAST_INPUTS {
        match series {
            Series::RealTimeLmp | Series::DayAheadSpp => {
                keys.extend(["HB_HUBAVG", "HB_PAN"].map(|p| SeriesKey::at(series, &point(p))));
            }
            Series::Temperature => {
                for zone in [WeatherZone::Coast, WeatherZone::NorthCentral] {
                    keys.push(SeriesKey { series, place: Place::WeatherZone(zone) });
                }
            }
            _ => keys.push(SeriesKey::system(series)),
        }
    }
    keys
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn fetch(
    simulator: &Simulator,
    key: &SeriesKey,
    after: Option<&str>,
    until: &str,
) -> Vec<Observation> {
    let request = FetchRequest {
        key: key.clone(),
        published_after: after.map(at),
        published_until: at(until),
    };
    simulator.fetch(&request).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_world_in_any_order_of_requests() {
    let until = "2022-02-01T00:00:00Z";
    let forwards: Vec<_> =
        every_key().iter().map(|key| fetch(&simulator(), key, None, until)).collect();
    let other = simulator();
    let mut backwards: Vec<_> =
        every_key().iter().rev().map(|key| fetch(&other, key, None, until)).collect();
    backwards.reverse();
    let empty: Vec<_> = every_key().into_iter().zip(&forwards).filter(|f| f.1.is_empty()).collect();
    assert_eq!(empty.len(), 1, "only contingency reserve did not exist yet: {empty:?}");
    assert_eq!(forwards, backwards);
    let different =
        Simulator::new(SimulatorSettings { seed: SEED + 1, first_day: date(2022, 1, 1) });
    assert_ne!(fetch(&different, &price_key("HB_WEST"), None, until), forwards[0]);
}

#[test]
fn fetching_day_by_day_gives_what_fetching_at_once_gives() {
    let instants = [
        "2024-03-08T12:00:00Z",
        "2024-03-09T15:57:00Z",
        "2024-03-10T14:57:00Z",
        "2024-03-11T03:00:00Z",
    ];
    for key in every_key() {
        let mut piecewise: Vec<Observation> = instants
            .windows(2)
            .flat_map(|window| fetch(&simulator(), &key, Some(window[0]), window[1]))
            .collect();
        let mut whole = fetch(&simulator(), &key, Some(instants[0]), instants[3]);
        for observations in [&mut piecewise, &mut whole] {
            observations.sort_by_key(|o| (o.interval_start, o.published_at));
        }
        assert!(!whole.is_empty(), "{key}");
        assert_eq!(piecewise, whole, "{key}");
    }
}

#[test]
fn the_first_day_and_the_horizon_change_no_value() {
    let late = Simulator::new(SimulatorSettings { seed: SEED, first_day: date(2024, 6, 1) });
    for key in every_key() {
        let (after, until) = (Some("2024-07-01T00:00:00Z"), "2024-07-08T00:00:00Z");
        assert_eq!(
            fetch(&late, &key, after, until),
            fetch(&simulator(), &key, after, until),
            "{key}"
        );
    }
}

#[test]
fn nothing_is_published_before_it_could_be_known() {
    for key in every_key() {
        for observation in fetch(&simulator(), &key, None, "2022-03-20T00:00:00Z") {
            let Observation { interval_start, published_at, .. } = observation;
            let day = OperatingDay::of(interval_start);
            let earliest = match key.series {
                Series::RealTimeLmp => interval_start,
                Series::LoadForecast | Series::WindForecast | Series::SolarForecast => {
                    day.plus_days(-3).start() + SignedDuration::from_mins(8 * 60 + 55)
                }
                Series::LoadActual => day.end(),
                Series::DayAheadSpp | Series::DayAheadMcpc(_) => {
                    day.plus_days(-1).start() + SignedDuration::from_hours(12)
                }
                _ => interval_start + SignedDuration::from_hours(1),
            };
            assert!(earliest <= published_at, "{key}: {observation:?}");
        }
    }
}

#[test]
fn the_days_of_both_clock_changes_are_complete() {
    for (day, hours) in [(date(2026, 11, 1), 25), (date(2027, 3, 14), 23), (date(2024, 3, 10), 23)]
    {
        let day = OperatingDay::new(day);
        for key in every_key() {
            let after = day.plus_days(-5).start().to_string();
            let until = day.plus_days(2).start().to_string();
            let of_the_day: BTreeMap<Timestamp, usize> =
                fetch(&simulator(), &key, Some(&after), &until)
                    .iter()
                    .filter(|o| day.start() <= o.interval_start && o.interval_start < day.end())
                    .fold(BTreeMap::new(), |mut counts, o| {
                        *counts.entry(o.interval_start).or_default() += 1;
                        counts
                    });
            let per_hour = if key.series == Series::RealTimeLmp { 12 } else { 1 };
            assert_eq!(of_the_day.len(), hours * per_hour, "{key} on {day}");
            let is_forecast = key.series.name().ends_with("forecast");
            let vintages = if is_forecast { 6 } else { 1 };
            assert!(of_the_day.values().all(|&count| count == vintages), "{key} on {day}");
        }
    }
}

#[test]
fn a_request_beyond_the_simulated_century_is_refused() {
    let request = FetchRequest {
        key: price_key("HB_WEST"),
        published_after: None,
        published_until: Timestamp::MAX,
    };
    let error = simulator().fetch(&request).unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { .. }), "{error}");
}

#[test]
fn an_unknown_point_has_no_prices() {
    assert!(fetch(&simulator(), &price_key("LZ_WEST"), None, "2022-02-01T00:00:00Z").is_empty());
}

/// Ten simulated years, so that one hot summer decides nothing.
fn ten_years(key: &SeriesKey) -> Vec<Observation> {
    let settings = SimulatorSettings { seed: SEED, first_day: date(2019, 1, 1) };
    fetch(&Simulator::new(settings), key, None, "2029-01-01T06:30:00Z")
}

/// Returns every hour's label and highest price.
fn hourly_maxima(name: &str) -> Vec<(MarketHour, f64)> {
    let key = price_key(name);
    let mut builder = HistoryBuilder::default();
    builder.add(&key, ten_years(&key));
    let history = builder.build();
    let view = history.known_at(Timestamp::MAX);
    let series = view.series(&SeriesKey::at(Series::HourlyMaxLmp, &point(name)));
    let maxima = series.between(Timestamp::MIN, Timestamp::MAX);
    maxima.map(|known| (MarketHour::starting(known.interval_start), known.value)).collect()
}

/// Returns which share of the hours has a property, in percent.
#[expect(clippy::cast_precision_loss, reason = "counts of hours")]
fn share(hours: &[(MarketHour, f64)], has_it: impl Fn(&MarketHour, f64) -> bool) -> f64 {
    let counted = hours.iter().filter(|(hour, max)| has_it(hour, *max)).count();
    100.0 * counted as f64 / hours.len() as f64
}

#[test]
fn spikes_are_about_as_frequent_as_in_texas() {
    let hours = hourly_maxima("HB_HUBAVG");
    // In percent of all hours. The real HB_HUBAVG had 2 to 9 above 100, 1.4 to 4.3 above 200 and
    // 0.1 to 1.8 above 1,000 in the years 2020 to 2024.
    for (threshold, least, most) in [
        (50.0, 10.0, 14.0),
        (100.0, 4.0, 7.0),
        (200.0, 2.0, 4.0),
        (500.0, 0.8, 2.0),
        (1_000.0, 0.3, 0.8),
    ] {
        let rate = share(&hours, |_, max| threshold < max);
        assert!(least <= rate && rate <= most, "above {threshold}: {rate:.2} % of the hours");
    }
}

#[test]
fn spikes_come_in_summer_evenings_and_cold_mornings() {
    let hours = hourly_maxima("HB_HUBAVG");
    let rate = |hour_endings: std::ops::RangeInclusive<u8>, months: &[i8]| {
        let chosen: Vec<_> = hours
            .iter()
            .filter(|(hour, _)| {
                hour_endings.contains(&hour.hour_ending)
                    && months.contains(&hour.operating_day.date().month())
            })
            .copied()
            .collect();
        share(&chosen, |_, max| 100.0 < max)
    };
    let (summer, winter) = ([7, 8, 9], [12, 1, 2]);
    assert!(4.0 * rate(1..=6, &summer) < rate(18..=21, &summer));
    assert!(2.0 * rate(18..=21, &winter) < rate(18..=21, &summer));
    assert!(rate(10..=13, &winter) < rate(6..=9, &winter));
}

#[test]
fn prices_are_ordinary_most_of_the_time_and_negative_in_windy_nights() {
    for (name, negative_least, negative_most) in
        [("HB_HUBAVG", 1, 6), ("HB_WEST", 5, 15), ("HB_PAN", 8, 20)]
    {
        let mut prices: Vec<f64> =
            ten_years(&price_key(name)).iter().map(|observation| observation.value).collect();
        prices.sort_by(f64::total_cmp);
        let median = prices[prices.len() / 2];
        assert!(20.0 < median && median < 30.0, "{name}: median {median}");
        assert!(-35.0 <= prices[0] && prices[prices.len() - 1] <= 5_000.0, "{name}");
        let negative = prices.partition_point(|price| *price < 0.0);
        let range = prices.len() * negative_least / 100..prices.len() * negative_most / 100;
        assert!(range.contains(&negative), "{name}: {negative} of {}", prices.len());
    }
}

#[test]
fn forecasts_get_worse_with_the_lead_time_and_stay_useful() {
    for (series, truth, smallest, largest) in [
        (Series::LoadForecast, Series::LoadActual, 500.0, 2_500.0),
        (Series::WindForecast, Series::WindActual, 1_500.0, 6_500.0),
        (Series::SolarForecast, Series::SolarActual, 300.0, 2_500.0),
    ] {
        let actual: BTreeMap<Timestamp, f64> = ten_years(&SeriesKey::system(truth))
            .iter()
            .map(|observation| (observation.interval_start, observation.value))
            .collect();
        let mut squares: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for forecast in ten_years(&SeriesKey::system(series)) {
            let Some(actual) = actual.get(&forecast.interval_start) else { continue };
            let lead = forecast.interval_start.duration_since(forecast.published_at);
            let sum = squares.entry(lead.as_hours() / 24).or_default();
            *sum = (sum.0 + (forecast.value - actual).powi(2), sum.1 + 1.0);
        }
        let errors: Vec<f64> = squares.values().map(|(sum, count)| (sum / count).sqrt()).collect();
        assert!(errors.is_sorted() && smallest < errors[0], "{series:?}: {errors:?}");
        assert!(errors[errors.len() - 1] < largest, "{series:?}: {errors:?}");
    }
}

#[test]
fn the_net_load_forecast_of_two_days_ago_tells_much_about_spikes() {
    let mut net_load: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for (series, sign) in
        [(Series::LoadForecast, 1.0), (Series::WindForecast, -1.0), (Series::SolarForecast, -1.0)]
    {
        for forecast in ten_years(&SeriesKey::system(series)) {
            let lead = forecast.interval_start.duration_since(forecast.published_at).as_hours();
            if (38..62).contains(&lead) && forecast.published_at.as_second() % 86_400 < 64_800 {
                *net_load.entry(forecast.interval_start).or_default() += sign * forecast.value;
            }
        }
    }
    let mut ranked: Vec<(f64, bool)> = hourly_maxima("HB_HUBAVG")
        .iter()
        .filter_map(|(hour, max)| Some((*net_load.get(&hour.start)?, 100.0 < *max)))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let spikes = |rows: &[(f64, bool)]| rows.iter().filter(|(_, is_spike)| *is_spike).count();
    let top_fifth = spikes(&ranked[ranked.len() * 4 / 5..]);
    let all = spikes(&ranked);
    // More than half of the spikes, but some come out of the blue.
    assert!(all < 2 * top_fifth && top_fifth < all * 95 / 100, "{top_fifth} of {all}");
}
