//! What is compared between the simulated and the real market: base rates of spikes, how they
//! cluster, quantiles of prices, distances between hubs, and when SCED runs. Shared by the test
//! `simulated_market` and the example `simulated_statistics`.

pub(crate) mod comparison;

use std::collections::BTreeMap;

use jiff::Timestamp;
use market::observation::Observation;
use market::time::MarketHour;

/// The thresholds of which rates are compared, $/MWh.
pub(crate) const THRESHOLDS: [f64; 5] = [50.0, 100.0, 200.0, 500.0, 1_000.0];

/// The quantiles of prices that are compared, percent.
pub(crate) const PRICE_QUANTILES: [f64; 8] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9];

/// The quantiles of the distances between hubs, percent.
pub(crate) const SPREAD_QUANTILES: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];

/// The highest price of an hour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HourMaximum {
    /// The hour.
    pub(crate) hour: MarketHour,
    /// Its highest price, $/MWh.
    pub(crate) price: f64,
}

/// Keeps the last published value of every interval, oldest interval first.
pub(crate) fn latest(observations: &[Observation]) -> Vec<(Timestamp, f64)> {
    let mut latest: BTreeMap<Timestamp, (Timestamp, f64)> = BTreeMap::new();
    for o in observations {
        let known = latest.entry(o.interval_start).or_insert((o.published_at, o.value));
        if known.0 <= o.published_at {
            *known = (o.published_at, o.value);
        }
    }
    latest.into_iter().map(|(start, (_, value))| (start, value)).collect()
}

/// Returns the highest price of every hour that has any.
pub(crate) fn hour_maxima(prices: &[(Timestamp, f64)]) -> Vec<HourMaximum> {
    let hour_of = |start: Timestamp| start.as_second().div_euclid(3_600);
    prices
        .chunk_by(|a, b| hour_of(a.0) == hour_of(b.0))
        .map(|hour| {
            let start = Timestamp::from_second(hour_of(hour[0].0) * 3_600).expect("an instant");
            let price = hour.iter().map(|(_, price)| *price).fold(f64::MIN, f64::max);
            HourMaximum { hour: MarketHour::starting(start), price }
        })
        .collect()
}

/// Returns which share of the chosen hours has a maximum above the threshold, percent.
pub(crate) fn rate(
    hours: &[HourMaximum],
    threshold: f64,
    chosen: impl Fn(&MarketHour) -> bool,
) -> f64 {
    let chosen = hours.iter().filter(|maximum| chosen(&maximum.hour));
    let (mut all, mut above) = (0.0, 0.0);
    for maximum in chosen {
        all += 1.0;
        above += f64::from(u8::from(threshold < maximum.price));
    }
    100.0 * above / all
}

/// How spikes cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clusters {
    /// The probability that the hour after a spike hour is one, percent.
    pub(crate) follows: f64,
    /// Episodes of adjacent spike hours, per year.
    pub(crate) episodes_a_year: f64,
    /// The mean length of an episode, hours.
    pub(crate) hours_mean: f64,
    /// The share of episodes of one hour, percent.
    pub(crate) single: f64,
}

/// Describes how hours above a threshold cluster; the hours are in order.
pub(crate) fn clusters(hours: &[HourMaximum], threshold: f64) -> Clusters {
    let lengths: Vec<f64> = hours
        .chunk_by(|a, b| (threshold < a.price) == (threshold < b.price))
        .filter(|run| threshold < run[0].price)
        .map(|run| run.len() as f64)
        .collect();
    let episodes = lengths.len() as f64;
    let spikes: f64 = lengths.iter().sum();
    let single = lengths.iter().filter(|length| **length < 1.5).count() as f64;
    Clusters {
        follows: 100.0 * (spikes - episodes) / spikes,
        episodes_a_year: episodes / (hours.len() as f64 / 8_766.0),
        hours_mean: spikes / episodes,
        single: 100.0 * single / episodes,
    }
}

/// Returns a quantile, by percent, of values in any order.
pub(crate) fn quantiles<const N: usize>(mut values: Vec<f64>, percents: [f64; N]) -> [f64; N] {
    values.sort_by(f64::total_cmp);
    percents.map(|percent| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let index = (percent / 100.0 * (values.len() - 1) as f64).round() as usize;
        values[index]
    })
}

/// Returns the share of negative values, percent.
pub(crate) fn negative(values: &[f64]) -> f64 {
    100.0 * values.iter().filter(|value| **value < 0.0).count() as f64 / values.len() as f64
}

/// Returns the distances of two points' prices at the runs that both have.
pub(crate) fn spreads(a: &[(Timestamp, f64)], b: &[(Timestamp, f64)]) -> Vec<f64> {
    let b: BTreeMap<Timestamp, f64> = b.iter().copied().collect();
    a.iter().filter_map(|(at, price)| Some(price - b.get(at)?)).collect()
}

/// How irregular the SCED runs of a period are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Regularity {
    /// How many seconds into its slot of five minutes a run starts: 5, 50 and 95 %.
    pub(crate) offsets: [f64; 3],
    /// Slots with more than one run, percent.
    pub(crate) doubled: f64,
    /// Slots without any, per year of slots.
    pub(crate) missing_a_year: f64,
}

/// Describes when runs start; they are in order.
pub(crate) fn regularity(runs: &[(Timestamp, f64)]) -> Regularity {
    const SLOT: i64 = 300;
    let seconds: Vec<i64> = runs.iter().map(|(at, _)| at.as_second()).collect();
    let slots: Vec<&[i64]> =
        seconds.chunk_by(|a, b| a.div_euclid(SLOT) == b.div_euclid(SLOT)).collect();
    let span = (seconds[seconds.len() - 1].div_euclid(SLOT) - seconds[0].div_euclid(SLOT)) + 1;
    let doubled = slots.iter().filter(|runs| 1 < runs.len()).count();
    let offsets = seconds.iter().map(|at| at.rem_euclid(SLOT) as f64).collect();
    Regularity {
        offsets: quantiles(offsets, [5.0, 50.0, 95.0]),
        doubled: 100.0 * doubled as f64 / slots.len() as f64,
        missing_a_year: (span - slots.len() as i64) as f64 * 105_192.0 / span as f64,
    }
}
