//! Prints what `tests/simulated_market.rs` compares, simulated beside real, and how long five years
//! of five hubs take: `cargo run --release -p market --example simulated_statistics`.

#[path = "../tests/statistics/mod.rs"]
#[expect(dead_code, reason = "shared with the test, which uses the rest")]
mod statistics;

use std::io::{self, Write};
use std::time::Instant;

use statistics::comparison::{
    OTHER_HUBS, Prices, hours, hub_spreads, prices, real, real_data, simulated, values,
    without_the_storm,
};
use statistics::*;

const HUBS: [&str; 5] = ["HB_HOUSTON", "HB_NORTH", "HB_SOUTH", "HB_WEST", "HB_PAN"];

/// The simulated and, where it is present, the real number.
struct Pair(f64, Option<f64>);

fn line(out: &mut dyn Write, what: &str, pairs: &[Pair]) -> io::Result<()> {
    write!(out, "{what:<34}")?;
    for Pair(simulated, real) in pairs {
        let real = real.map_or_else(|| "–".to_owned(), |real| format!("{real:.2}"));
        write!(out, "{:>22}", format!("{simulated:.2} | {real}"))?;
    }
    writeln!(out)
}

fn rates(
    out: &mut dyn Write,
    what: &str,
    [a, b]: [&[HourMaximum]; 2],
    chosen: impl Fn(&market::time::MarketHour) -> bool + Copy,
) -> io::Result<()> {
    let of = |hours: &[HourMaximum], threshold| rate(hours, threshold, chosen);
    let pair = |threshold| Pair(of(a, threshold), (!b.is_empty()).then(|| of(b, threshold)));
    line(out, what, &THRESHOLDS.map(pair))
}

fn base_rates(out: &mut dyn Write, a: &[HourMaximum], b: &[HourMaximum]) -> io::Result<()> {
    writeln!(out, "\n% of hours above {THRESHOLDS:?} $/MWh, simulated | real 2020-2024")?;
    rates(out, "all hours", [a, b], |_| true)?;
    let b = &without_the_storm(b)[..];
    writeln!(out, "without 12-19 February 2021")?;
    rates(out, "all hours", [a, b], |_| true)?;
    for ending in 1..=24 {
        rates(out, &format!("hour ending {ending}"), [a, b], |h| h.hour_ending == ending)?;
    }
    for month in 1..=12 {
        let of_month = |h: &market::time::MarketHour| h.operating_day.date().month() == month;
        rates(out, &format!("month {month}"), [a, b], of_month)?;
    }
    writeln!(out, "clusters without 12-19 February 2021")?;
    for (what, of) in [
        ("a spike hour follows one, %", (|c| c.follows) as fn(Clusters) -> f64),
        ("episodes a year", |c| c.episodes_a_year),
        ("hours of an episode", |c| c.hours_mean),
        ("episodes of one hour, %", |c| c.single),
    ] {
        let pair = |threshold| {
            let real = (!b.is_empty()).then(|| of(clusters(b, threshold)));
            Pair(of(clusters(a, threshold)), real)
        };
        line(out, what, &THRESHOLDS.map(pair))?;
    }
    Ok(())
}

fn quantile_line<const N: usize>(
    out: &mut dyn Write,
    what: &str,
    (a, b): (Vec<f64>, Option<Vec<f64>>),
    percents: [f64; N],
) -> io::Result<()> {
    let (a, b) = (quantiles(a, percents), b.map(|b| quantiles(b, percents)));
    let pairs: Vec<Pair> =
        (0..N).map(|index| Pair(a[index], b.as_ref().map(|b| b[index]))).collect();
    line(out, what, &pairs)
}

fn timing(out: &mut dyn Write) -> io::Result<()> {
    let worlds = &simulated()[..1];
    #[expect(clippy::disallowed_methods, reason = "an example that measures has no injected clock")]
    let start = Instant::now();
    let fetched: Vec<Prices> =
        HUBS.iter().flat_map(|hub| prices(worlds, hub, 2020, 2024)).collect();
    let elapsed = start.elapsed();
    let rows: usize = fetched.iter().map(Vec::len).sum();
    let hours = fetched[0].len() / 12;
    writeln!(
        out,
        "5 years of 5 hubs: {rows} prices in {:.2} s, {:.1} µs an hour and hub",
        elapsed.as_secs_f64(),
        elapsed.as_secs_f64() * 1e6 / (5 * hours) as f64
    )
}

fn main() -> io::Result<()> {
    let out = &mut io::stdout().lock();
    timing(out)?;
    let simulated = simulated();
    let real = real_data().map(|folder| real(&folder)).unwrap_or_default();
    if real.is_empty() {
        writeln!(out, "no real ERCOT data in ../shared/data: simulated numbers only")?;
    }
    let average = |sources| prices(sources, "HB_HUBAVG", 2020, 2024);
    let (a, b) = (average(&simulated), average(&real));
    base_rates(out, &hours(&a), &hours(&b))?;
    let both = |a: Vec<f64>, b: Vec<f64>| (a, (!real.is_empty()).then_some(b));
    writeln!(out, "\nquantiles of {PRICE_QUANTILES:?} %, $/MWh")?;
    quantile_line(out, "HB_HUBAVG", both(values(&a), values(&b)), PRICE_QUANTILES)?;
    writeln!(out, "\ndistance from HB_NORTH in 2024, quantiles of {SPREAD_QUANTILES:?} %, $/MWh")?;
    for hub in OTHER_HUBS {
        let of = |sources| hub_spreads(sources, hub);
        quantile_line(out, hub, both(of(&simulated), of(&real)), SPREAD_QUANTILES)?;
    }
    writeln!(out, "\nnegative prices in 2024, %")?;
    for hub in HUBS {
        let of = |sources| values(&prices(sources, hub, 2024, 2024));
        let share = |values: Vec<f64>| (!values.is_empty()).then(|| negative(&values));
        let simulated = share(of(&simulated)).unwrap_or(f64::NAN);
        line(out, hub, &[Pair(simulated, share(of(&real)))])?;
    }
    writeln!(out, "\nSCED runs in 2024 (the first world, then the real one)")?;
    for sources in [&simulated[..1], &real[..]] {
        for prices in prices(sources, "HB_NORTH", 2024, 2024) {
            writeln!(out, "{:?}", regularity(&prices))?;
        }
    }
    Ok(())
}
