//! The simulated real-time market: every SCED run with the price of energy, what is scarce and
//! what is congested; and the 15-minute means that are settled.

use jiff::{SignedDuration, Timestamp};

use super::calendar::SimulatedHour;
use super::congestion::{LINES, PointShifts, loadings, shadow_prices};
use super::eras::price_cap;
use super::merit_order::{energy_price, gas_factor};
use super::noise::{Noise, Stream};
use super::scarcity::Scarcity;
use super::sced::run_starts;
use super::shortage::{SHORTAGE_HOURS_MAX, Shortage, Strain};
use super::system::SystemHour;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The length of a settlement interval.
pub(super) const SETTLED: SignedDuration = SignedDuration::from_mins(15);

/// How much tighter an hour is per unit that the tightness rises over its two neighbours: plants
/// that must follow a rising net load are dearer than those that merely run.
const RAMP_PREMIUM: f64 = 0.25;

/// Below it nobody may offer, $/MWh; congestion hardly goes further at a hub.
const LMP_FLOOR: f64 = -251.0;

/// Congestion lifts the price of a hub or zone over the cap by at most so much, $/MWh.
const ABOVE_THE_CAP: f64 = 1_000.0;

/// What one SCED run says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dispatch {
    pub(super) at: Timestamp,
    pub(super) scarcity: Scarcity,
    pub(super) shadow_prices: [f64; LINES],
}

impl Dispatch {
    /// Returns the LMP of a settlement point.
    pub(super) fn price(&self, point: &PointShifts) -> f64 {
        let price = self.scarcity.lambda + point.spread(&self.shadow_prices);
        in_cents(price.clamp(LMP_FLOOR, price_cap(self.at) + ABOVE_THE_CAP))
    }
}

/// Prices are published in cents.
pub(super) fn in_cents(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}

/// Returns the SCED runs that start in `[from, to)`.
pub(super) fn dispatches(noise: Noise, from: Timestamp, to: Timestamp) -> Vec<Dispatch> {
    // Shortages may have started before, and an hour leans on its neighbours.
    let before = SHORTAGE_HOURS_MAX + 1;
    let first = Timestamp::from_second(from.as_second().div_euclid(3_600) * 3_600)
        .expect("it is within an hour of another instant")
        - SignedDuration::from_hours(before);
    let mut hours = Vec::new();
    let mut start = first;
    while start < to + HOUR {
        hours.push(PricedHour::at(noise, start));
        start += HOUR;
    }
    let shortages: Vec<Option<Shortage>> =
        hours.windows(3).map(|around| around[1].shortage(noise, around)).collect();
    let runs = run_starts(noise, from, to).into_iter();
    let dispatch = |at: Timestamp| {
        let index = usize::try_from((at - first).as_hours()).expect("the first hour is before");
        // The shortage of hour `i` is the element `i - 1`.
        let started = shortages[..index].iter();
        let shortage = started.flatten().filter_map(|shortage| shortage.price(noise, at));
        let [earlier, hour, later] =
            hours[index - 1..].first_chunk().expect("there is an hour after each run's");
        hour.dispatched(noise, at, [earlier, later], shortage.fold(f64::MIN, f64::max))
    };
    runs.map(dispatch).collect()
}

/// What the prices of an hour are made of.
#[derive(Clone, Copy, Debug)]
struct PricedHour {
    start: Timestamp,
    dispatchable: f64,
    tightness: f64,
    gas_factor: f64,
    loadings: [f64; LINES],
}

impl PricedHour {
    fn at(noise: Noise, start: Timestamp) -> Self {
        let calendar = SimulatedHour::starting(start);
        let system = SystemHour::at(noise, &calendar);
        Self {
            start,
            dispatchable: system.dispatchable,
            tightness: system.tightness(&calendar),
            loadings: loadings(noise, &calendar, &system.weather),
            gas_factor: gas_factor(noise, start),
        }
    }

    fn shortage(&self, noise: Noise, around: &[PricedHour]) -> Option<Shortage> {
        let rise = around[2].tightness - around[0].tightness;
        Shortage::starting_in(noise, self.start, Strain { tightness: self.tightness, rise })
    }

    fn dispatched(
        &self,
        noise: Noise,
        at: Timestamp,
        [earlier, later]: [&PricedHour; 2],
        shortage: f64,
    ) -> Dispatch {
        // An hour's value is that of its middle; between the middles it changes steadily.
        let share = (at - self.start).as_secs_f64() / 3_600.0 - 0.5;
        let neighbour = if share < 0.0 { earlier } else { later };
        let between = |own: f64, other: f64| own + share.abs() * (other - own);
        let steady = between(self.tightness, neighbour.tightness);
        let rise = (later.tightness - earlier.tightness).max(0.0) * RAMP_PREMIUM;
        let restless = 0.010 * noise.smooth(Stream::MinuteByMinute, 0, at, 0.4)
            + 0.006 * noise.smooth(Stream::MinuteByMinute, 1, at, 0.085);
        let tightness = steady + rise + restless;
        let energy = energy_price(tightness, self.gas_factor).max(shortage);
        let loadings =
            std::array::from_fn(|line| between(self.loadings[line], neighbour.loadings[line]));
        Dispatch {
            at,
            scarcity: Scarcity::at(at, tightness, self.dispatchable, energy),
            shadow_prices: shadow_prices(noise, at, &loadings),
        }
    }
}

/// Returns the mean of a value over every settlement interval in `[from, to)`, weighted by how
/// long each run was in effect. The runs start a while before `from`.
pub(super) fn settled(
    runs: &[Dispatch],
    from: Timestamp,
    to: Timestamp,
    value: impl Fn(&Dispatch) -> f64,
) -> Vec<(Timestamp, f64)> {
    let mut settled = Vec::new();
    let mut start = from;
    while start < to {
        let end = start + SETTLED;
        let first = runs.partition_point(|run| run.at <= start).saturating_sub(1);
        let last = runs.partition_point(|run| run.at < end);
        let (mut sum, mut seconds) = (0.0, 0.0);
        for index in first..last {
            let until = runs.get(index + 1).map_or(end, |next| next.at.min(end));
            let in_effect = (until - runs[index].at.max(start)).as_secs_f64();
            sum += in_effect * value(&runs[index]);
            seconds += in_effect;
        }
        if 0.0 < seconds {
            settled.push((start, sum / seconds));
        }
        start = end;
    }
    settled
}
