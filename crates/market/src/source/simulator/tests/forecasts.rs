//! Simulated forecasts: errors grow with the lead time, later vintages repeat what is not resolved,
//! zones err together but not alike, and what is published fits together.

use std::collections::BTreeMap;

use super::*;
use crate::observation::LoadModel;

/// The errors of the forecasts of some months, by interval and lead in hours.
fn errors(forecast: &SeriesKey, truth: &SeriesKey) -> BTreeMap<(Timestamp, i64), f64> {
    let simulator = world(date(2023, 1, 1), Vintages::EveryHour);
    let actual: BTreeMap<Timestamp, f64> = fetch_days(&simulator, truth, date(2024, 5, 1), 60)
        .iter()
        .map(|o| (o.interval_start, o.value))
        .collect();
    let forecasts = fetch_days(&simulator, forecast, date(2024, 5, 1), 60);
    let error = |o: &Observation| {
        let lead = (o.interval_start - o.published_at).as_hours();
        Some(((o.interval_start, lead), o.value - actual.get(&o.interval_start)?))
    };
    forecasts.iter().filter_map(error).collect()
}

fn system_errors(forecast: Series, truth: Series) -> BTreeMap<(Timestamp, i64), f64> {
    errors(&SeriesKey::system(forecast), &SeriesKey::system(truth))
}

fn rms(errors: &BTreeMap<(Timestamp, i64), f64>, leads: std::ops::Range<i64>) -> f64 {
    let chosen: Vec<f64> =
        errors.iter().filter(|((_, lead), _)| leads.contains(lead)).map(|(_, e)| e * e).collect();
    (chosen.iter().sum::<f64>() / chosen.len() as f64).sqrt()
}

/// Returns the correlation of pairs.
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let mean =
        |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    let (a, b) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
    let covariance = mean(&|pair| (pair.0 - a) * (pair.1 - b));
    let (var_a, var_b) = (mean(&|p| (p.0 - a).powi(2)), mean(&|p| (p.1 - b).powi(2)));
    covariance / (var_a * var_b).sqrt()
}

#[test]
fn errors_grow_with_the_lead_time_and_stay_useful() {
    for (forecast, truth, shortest, longest) in [
        (Series::LoadForecast, Series::LoadActual, (100.0, 900.0), (2_500.0, 6_000.0)),
        (Series::WindForecast, Series::WindHsl, (200.0, 1_500.0), (3_000.0, 7_000.0)),
        (Series::SolarForecast, Series::SolarHsl, (80.0, 900.0), (1_700.0, 5_000.0)),
    ] {
        let errors = system_errors(forecast, truth);
        let by_lead = [0..6, 12..24, 36..48, 60..72, 120..168].map(|leads| rms(&errors, leads));
        assert!(by_lead.is_sorted(), "{forecast:?}: {by_lead:?}");
        assert!(shortest.0 < by_lead[0] && by_lead[0] < shortest.1, "{forecast:?}: {by_lead:?}");
        assert!(longest.0 < by_lead[4] && by_lead[4] < longest.1, "{forecast:?}: {by_lead:?}");
    }
}

#[test]
fn errors_of_the_day_before_are_about_those_of_ercot() {
    // Root mean squares of ERCOT's vintages of 09:55 on the day before, 2024.
    for (forecast, truth, real) in [
        (Series::LoadForecast, Series::LoadActual, 1_648.0),
        (Series::WindForecast, Series::WindHsl, 2_231.0),
        (Series::SolarForecast, Series::SolarHsl, 1_413.0),
    ] {
        let simulated = rms(&system_errors(forecast, truth), 14..39);
        assert!((0.65..1.5).contains(&(simulated / real)), "{forecast:?}: {simulated} of {real}");
    }
}

#[test]
fn vintages_and_hours_that_are_near_err_alike() {
    let errors = system_errors(Series::WindForecast, Series::WindHsl);
    let pairs = |hours: i64, leads: i64| -> Vec<(f64, f64)> {
        let later = |at: Timestamp| at + jiff::SignedDuration::from_hours(hours);
        errors
            .iter()
            .filter(|((_, lead), _)| *lead == 40)
            .filter_map(|((at, lead), e)| Some((*e, *errors.get(&(later(*at), lead + leads))?)))
            .collect()
    };
    assert!(0.95 < correlation(&pairs(0, 1)), "the next vintage about the same hour");
    assert!(0.85 < correlation(&pairs(1, 1)), "the next hour of the same vintage");
    assert!(correlation(&pairs(0, 60)) < 0.85, "a vintage of days before knew less");
    assert!(correlation(&pairs(30, 30)).abs() < 0.35, "hours of another day");
}

#[test]
fn zones_err_together_but_not_alike() {
    let of = |zone| errors(&key(Series::LoadForecast, zone), &key(Series::LoadActual, zone));
    let (coast, north) = (of("WZ_COAST"), of("WZ_NCENT"));
    let pairs: Vec<(f64, f64)> =
        coast.iter().filter(|((_, lead), _)| *lead == 30).map(|(at, e)| (*e, north[at])).collect();
    let correlation = correlation(&pairs);
    assert!((0.25..0.9).contains(&correlation), "{correlation}");
}

#[test]
fn the_load_forecast_in_use_is_that_of_one_model() {
    let first = date(2024, 5, 1);
    let forecasts = |series| -> Vec<Observation> {
        fetch_days(&simulator(), &SeriesKey::system(series), first, 40)
    };
    let models = LoadModel::ALL.map(|model| forecasts(Series::LoadForecastBy(model)));
    let mut used = [0; LoadModel::ALL.len()];
    for (index, forecast) in forecasts(Series::LoadForecast).iter().enumerate() {
        let model = models.iter().position(|forecasts| forecasts[index] == *forecast);
        used[model.unwrap()] += 1;
    }
    assert!(2 <= used.iter().filter(|count| 0 < **count).count(), "{used:?}");
    assert!(models[0].iter().zip(&models[1]).any(|(a, b)| a != b));
}

#[test]
fn what_is_likely_is_below_what_is_expected_and_limits_above_what_is() {
    let first = date(2024, 5, 1);
    let values = |series| fetch_days(&simulator(), &SeriesKey::system(series), first, 30);
    for (low, high) in [
        (Series::WindPotential, Series::WindForecast),
        (Series::SolarPotential, Series::SolarForecast),
        (Series::WindActual, Series::WindHsl),
        (Series::SolarActual, Series::SolarHsl),
    ] {
        let (low, high) = (values(low), values(high));
        assert!(low.iter().zip(&high).all(|(low, high)| low.value <= high.value + 1e-9));
        assert!(low.iter().zip(&high).any(|(low, high)| low.value < high.value));
    }
    let truth: BTreeMap<Timestamp, f64> =
        values(Series::WindHsl).iter().map(|o| (o.interval_start, o.value)).collect();
    let potential = values(Series::WindPotential);
    let reached: Vec<bool> =
        potential.iter().filter_map(|o| Some(o.value <= *truth.get(&o.interval_start)?)).collect();
    let share = reached.iter().filter(|reached| **reached).count() as f64 / reached.len() as f64;
    assert!((0.70..0.92).contains(&share), "{share} instead of 0.8");
}

#[test]
fn adequacy_adds_up() {
    let values = |series| fetch_days(&simulator(), &SeriesKey::system(series), date(2024, 5, 1), 5);
    let [generation, loads, offline, left, reserves] = [
        Series::GenerationCapacity,
        Series::LoadResourceCapacity,
        Series::OfflineCapacity,
        Series::AvailableGeneration,
        Series::AvailableReserves,
    ]
    .map(values);
    for index in 0..generation.len() {
        let sum = left[index].value + offline[index].value + loads[index].value;
        assert!((reserves[index].value - sum).abs() < 1e-6);
        assert!(left[index].value < generation[index].value && 0.0 <= offline[index].value);
    }
}

#[test]
fn the_net_load_forecast_of_two_days_ago_tells_much_about_spikes() {
    let simulator = simulator();
    let years =
        |series, place| fetch_days(&simulator, &key(series, place), date(2022, 1, 1), 1_095);
    let mut net_load: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for (series, sign) in
        [(Series::LoadForecast, 1.0), (Series::WindForecast, -1.0), (Series::SolarForecast, -1.0)]
    {
        for forecast in years(series, "ERCOT") {
            let day = OperatingDay::of(forecast.interval_start);
            let two_days_ago = OperatingDay::of(forecast.published_at) == day.plus_days(-2);
            let in_the_morning = forecast.published_at.as_second() % 86_400 < 64_800;
            if two_days_ago && in_the_morning {
                *net_load.entry(forecast.interval_start).or_default() += sign * forecast.value;
            }
        }
    }
    let mut maxima: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for price in years(Series::RealTimeLmp, "HB_HUBAVG") {
        let hour = price.interval_start.as_second().div_euclid(3_600) * 3_600;
        let maximum = maxima.entry(Timestamp::from_second(hour).unwrap()).or_insert(f64::MIN);
        *maximum = maximum.max(price.value);
    }
    let mut ranked: Vec<(f64, bool)> = maxima
        .iter()
        .filter_map(|(hour, max)| Some((*net_load.get(hour)?, 100.0 < *max)))
        .collect();
    assert!(25_000 < ranked.len(), "{}", ranked.len());
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let spikes = |rows: &[(f64, bool)]| rows.iter().filter(|(_, is_spike)| *is_spike).count();
    let top_fifth = spikes(&ranked[ranked.len() * 4 / 5..]);
    let all = spikes(&ranked);
    // About half of the spikes, but many come out of the blue.
    assert!(100 * all < 220 * top_fifth && top_fifth < all * 9 / 10, "{top_fifth} of {all}");
}
