//! The simulated real-time market agrees with itself: hubs with their average, settled prices with
//! runs and adders, corrections with what they correct, prices with their caps.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::*;
use crate::observation::Adder;

fn values(series: Series, place: &str, first: Date, days: i32) -> BTreeMap<Timestamp, f64> {
    let mut observations = fetch_days(&simulator(), &key(series, place), first, days);
    observations.sort_by_key(|o| o.published_at);
    observations.iter().map(|o| (o.interval_start, o.value)).collect()
}

#[test]
fn the_hub_average_is_the_mean_of_four_hubs() {
    let hub = |name| values(Series::RealTimeLmp, name, date(2024, 8, 1), 20);
    let hubs = ["HB_HOUSTON", "HB_NORTH", "HB_SOUTH", "HB_WEST"].map(hub);
    for (at, average) in hub("HB_HUBAVG") {
        let mean = hubs.iter().map(|hub| hub[&at]).sum::<f64>() / 4.0;
        assert!((mean - average).abs() < 0.0101, "{at}: {mean} {average}");
    }
}

#[test]
fn a_full_line_lowers_prices_before_it_and_raises_them_behind_it() {
    let prices = |name| values(Series::RealTimeLmp, name, date(2024, 4, 1), 60);
    let (west, north) = (prices("HB_WEST"), prices("HB_NORTH"));
    let shadow = |name| values(Series::ShadowPrice, name, date(2024, 4, 1), 60);
    let (export, import) = (shadow("BASE CASE/WESTEX"), shadow("DSIMWINK/PERMIAN_IN"));
    let mut checked = 0;
    for (at, price) in &export {
        // Shadow prices are published later, so that the first are about runs before.
        let (Some(west), Some(north)) = (west.get(at), north.get(at)) else { continue };
        let import = import.get(at).unwrap_or(&0.0);
        // A shadow price below a cent is not published, and every price is rounded.
        let spread = west - north;
        assert!((spread - (import - price)).abs() < 0.03, "{at}: {spread} {price} {import}");
        checked += 1;
    }
    assert!(1_000 < checked, "{checked}");
}

#[test]
fn a_settled_price_is_the_mean_of_its_runs_and_the_adders() {
    // A tight August, so that the adders are not nothing.
    let (first, days) = (date(2024, 8, 1), 31);
    let lmp: Vec<(Timestamp, f64)> =
        values(Series::RealTimeLmp, "HB_NORTH", first, days).into_iter().collect();
    let adder = |adder| values(Series::SettlementAdder(adder), "ERCOT", first, days);
    let (online, reliability) = (adder(Adder::OnlineReserve), adder(Adder::ReliabilityReserve));
    assert!(online.values().any(|value| 1.0 < *value), "no scarcity in August");
    let quarter = SignedDuration::from_mins(15);
    let mut checked = 0;
    for (start, spp) in values(Series::RealTimeSpp, "HB_NORTH", first, days) {
        let first = lmp.partition_point(|(at, _)| *at <= start);
        let last = lmp.partition_point(|(at, _)| *at < start + quarter);
        let (Some(first), Some(_)) = (first.checked_sub(1), online.get(&start)) else { continue };
        let in_effect = &lmp[first..last];
        let within = |edge: Timestamp| edge.clamp(start, start + quarter);
        let sum: f64 = in_effect
            .iter()
            .enumerate()
            .map(|(index, (at, price))| {
                let until = in_effect.get(index + 1).map_or(start + quarter, |next| next.0);
                price * (within(until) - within(*at)).as_secs_f64()
            })
            .sum();
        let expected = sum / quarter.as_secs_f64() + online[&start] + reliability[&start];
        assert!((spp - expected).abs() < 0.03, "{start}: {spp} {expected}");
        checked += 1;
    }
    assert!(2_900 < checked, "{checked}");
}

#[test]
fn the_price_of_energy_keeps_to_the_cap_of_its_time() {
    for (first, cap) in
        [(date(2020, 1, 1), 9_000.0), (date(2023, 1, 1), 5_000.0), (date(2026, 1, 1), 5_000.0)]
    {
        let simulator = world(date(2018, 1, 1), Vintages::BeforeTheMarket);
        let lambda = fetch_days(&simulator, &key(Series::SystemLambda, "ERCOT"), first, 700);
        let highest = lambda.iter().map(|o| o.value).fold(f64::MIN, f64::max);
        assert!(0.7 * cap < highest && highest <= cap, "{first}: {highest}");
        let lowest = lambda.iter().map(|o| o.value).fold(f64::MAX, f64::min);
        assert!((-35.0..0.0).contains(&lowest), "{first}: {lowest}");
    }
}

#[test]
fn runs_start_within_their_slots_and_never_twice_at_once() {
    let lambda = values(Series::SystemLambda, "ERCOT", date(2024, 1, 1), 366);
    let starts: Vec<i64> = lambda.keys().map(|at| at.as_second()).collect();
    assert!(starts.windows(2).all(|pair| 5 < pair[1] - pair[0]));
    for (day, hours) in [(date(2024, 3, 10), 23), (date(2024, 11, 3), 25)] {
        let day = OperatingDay::new(day);
        let of_day = lambda.range(day.start()..day.end()).count();
        assert!((hours * 12 - 4..hours * 12 + 20).contains(&of_day), "{of_day} on {day}");
    }
}

#[test]
fn a_correction_is_a_later_observation_of_the_same_interval() {
    let observations =
        fetch_days(&simulator(), &key(Series::RealTimeLmp, "HB_SOUTH"), date(2023, 1, 1), 730);
    let mut vintages: BTreeMap<Timestamp, Vec<Observation>> = BTreeMap::new();
    for observation in &observations {
        vintages.entry(observation.interval_start).or_default().push(*observation);
    }
    let corrected: Vec<_> = vintages.values().filter(|vintages| 1 < vintages.len()).collect();
    let days: std::collections::BTreeSet<_> =
        corrected.iter().map(|vintages| OperatingDay::of(vintages[0].interval_start)).collect();
    assert!((5..=30).contains(&days.len()), "{} days in two years", days.len());
    for vintages in corrected {
        let [first, corrected] = vintages[..] else { panic!("{vintages:?}") };
        let waited = corrected.published_at - first.published_at;
        assert!(SignedDuration::from_hours(24) < waited, "{vintages:?}");
        assert!(waited < SignedDuration::from_hours(6 * 24), "{vintages:?}");
    }
}

#[test]
fn batteries_and_scarcity_make_evenings_dear() {
    let prices = values(Series::RealTimeLmp, "HB_NORTH", date(2024, 7, 1), 60);
    let mean = |hour_endings: std::ops::RangeInclusive<u8>| {
        let chosen: Vec<f64> = prices
            .iter()
            .filter(|(at, _)| {
                hour_endings.contains(&crate::time::MarketHour::starting(**at).hour_ending)
            })
            .map(|(_, price)| *price)
            .collect();
        chosen.iter().sum::<f64>() / chosen.len() as f64
    };
    assert!(1.5 * mean(2..=6) < mean(17..=21));
}
