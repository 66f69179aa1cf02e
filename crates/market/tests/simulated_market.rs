//! The simulated market beside the real one of 2020 to 2024, with the differences that are
//! tolerated. `examples/simulated_statistics.rs` prints the numbers.
//!
//! Six simulated worlds of five years are taken together; the real market is one draw of five
//! years, whose own years differ by a factor of four (2020: 2.1 % of the hours above $100, 2022:
//! 8.8 %). A closer fit would fit chance.

mod statistics;

use statistics::comparison::{
    OTHER_HUBS, hours, hub_spreads, prices, real, real_data, simulated, values, without_the_storm,
};
use statistics::*;

/// Compares one number: they may differ by a share of the real one, or by an amount.
fn check(what: &str, simulated: f64, real: f64, share: f64, amount: f64) {
    let tolerated = (share * real.abs()).max(amount);
    let difference = (simulated - real).abs();
    assert!(difference <= tolerated, "{what}: simulated {simulated:.2}, real {real:.2}");
}

/// Compares one rate: between the real one divided and multiplied by a factor, or near to it.
fn check_factor(what: &str, simulated: f64, real: f64, factor: f64, amount: f64) {
    let near = (simulated - real).abs() <= amount;
    let within = real / factor <= simulated && simulated <= real * factor;
    assert!(near || within, "{what}: simulated {simulated:.2} %, real {real:.2} %");
}

#[expect(clippy::print_stderr, reason = "who runs the tests shall know what was not compared")]
fn skipped() {
    eprintln!("skipped: no real ERCOT data in ../shared/data");
}

/// Needs no data: the real rates are those that another program counted.
#[test]
fn spikes_are_as_frequent_as_in_texas() {
    let hours = hours(&prices(&simulated(), "HB_HUBAVG", 2020, 2024));
    for (threshold, real) in THRESHOLDS.into_iter().zip([21.81, 5.53, 3.18, 1.85, 0.83]) {
        let simulated = rate(&hours, threshold, |_| true);
        check(&format!("hours above {threshold}, %"), simulated, real, 0.25, 0.0);
    }
}

#[test]
fn spikes_are_as_frequent_as_in_texas_by_hour_and_month() {
    let Some(folder) = real_data() else { return skipped() };
    let simulated = hours(&prices(&simulated(), "HB_HUBAVG", 2020, 2024));
    let real = hours(&prices(&real(&folder), "HB_HUBAVG", 2020, 2024));
    let real = without_the_storm(&real);
    for (threshold, amount) in [(50.0, 5.0), (100.0, 1.5), (500.0, 1.5)] {
        for hour_ending in 1..=24 {
            let of = |hours: &[HourMaximum]| {
                rate(hours, threshold, |hour| hour.hour_ending == hour_ending)
            };
            let what = format!("above {threshold} in hour ending {hour_ending}");
            check_factor(&what, of(&simulated), of(&real), 2.2, amount);
        }
        for month in 1..=12 {
            let of = |hours: &[HourMaximum]| {
                rate(hours, threshold, |hour| hour.operating_day.date().month() == month)
            };
            let what = format!("above {threshold} in month {month}");
            check_factor(&what, of(&simulated), of(&real), 2.2, amount);
        }
    }
}

#[test]
fn spikes_cluster_as_in_texas() {
    let Some(folder) = real_data() else { return skipped() };
    let simulated = hours(&prices(&simulated(), "HB_HUBAVG", 2020, 2024));
    let real = without_the_storm(&hours(&prices(&real(&folder), "HB_HUBAVG", 2020, 2024)));
    // Of the real hours above $1,000 there are too few episodes, twenty a year, to compare.
    for threshold in &THRESHOLDS[..4] {
        let threshold = *threshold;
        let (a, b) = (clusters(&simulated, threshold), clusters(&real, threshold));
        let what = |of: &str| format!("above {threshold}: {of}");
        check(&what("a spike hour follows a spike hour, %"), a.follows, b.follows, 0.0, 13.0);
        check(&what("episodes a year"), a.episodes_a_year, b.episodes_a_year, 0.45, 0.0);
        check(&what("hours of an episode"), a.hours_mean, b.hours_mean, 0.45, 0.0);
        check(&what("episodes of one hour, %"), a.single, b.single, 0.0, 15.0);
    }
}

#[test]
fn prices_are_spread_as_in_texas() {
    let Some(folder) = real_data() else { return skipped() };
    let (simulated, real) = (simulated(), real(&folder));
    let of = |sources| values(&prices(sources, "HB_HUBAVG", 2020, 2024));
    let (a, b) = (of(&simulated), of(&real));
    check("negative prices, %", negative(&a), negative(&b), 0.0, 1.0);
    let (a, b) = (quantiles(a, PRICE_QUANTILES), quantiles(b, PRICE_QUANTILES));
    for (index, percent) in PRICE_QUANTILES.iter().enumerate() {
        check(&format!("quantile of {percent} %"), a[index], b[index], 0.30, 3.0);
    }
    for hub in OTHER_HUBS {
        let of = |sources| values(&prices(sources, hub, 2024, 2024));
        let (a, b) = (negative(&of(&simulated)), negative(&of(&real)));
        check_factor(&format!("negative prices at {hub}"), a, b, 2.5, 2.5);
    }
}

#[test]
fn hubs_are_as_far_apart_as_in_texas() {
    let Some(folder) = real_data() else { return skipped() };
    let (simulated, real) = (simulated(), real(&folder));
    for hub in OTHER_HUBS {
        let a = quantiles(hub_spreads(&simulated, hub), SPREAD_QUANTILES);
        let b = quantiles(hub_spreads(&real, hub), SPREAD_QUANTILES);
        for (index, percent) in SPREAD_QUANTILES.iter().enumerate() {
            check(&format!("{hub}, quantile of {percent} %"), a[index], b[index], 0.45, 5.0);
        }
    }
}

#[test]
fn sced_runs_as_irregularly_as_in_texas() {
    let Some(folder) = real_data() else { return skipped() };
    let of =
        |sources| prices(sources, "HB_NORTH", 2024, 2024).iter().map(|p| regularity(p)).collect();
    let (simulated, real): (Vec<Regularity>, Vec<Regularity>) =
        (of(&simulated()), of(&real(&folder)));
    let real = real[0];
    let mean =
        |of: fn(&Regularity) -> f64| simulated.iter().map(of).sum::<f64>() / simulated.len() as f64;
    check("slots with two runs, %", mean(|r| r.doubled), real.doubled, 0.2, 0.0);
    check("slots without a run", mean(|r| r.missing_a_year), real.missing_a_year, 0.8, 0.0);
    check("early runs, seconds", mean(|r| r.offsets[0]), real.offsets[0], 0.0, 2.0);
    check("late runs, seconds", mean(|r| r.offsets[2]), real.offsets[2], 0.0, 3.0);
    let middle = mean(|r| r.offsets[1]);
    assert!((9.0..=19.0).contains(&middle) && (9.0..=19.0).contains(&real.offsets[1]));
}
