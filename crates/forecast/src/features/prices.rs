//! What prices did lately: decaying frequencies of exceedance, day-ahead and ancillary-service
//! prices of the issue day, the real-time premium, spreads between settlement points.
//!
//! Levels of real-time prices are left out on purpose: a model that reads them learns single
//! weeks by heart and loses to the climatology in the year after (see `docs/forecast-model.md`).

use jiff::{SignedDuration, Timestamp};
use market::observation::{AncillaryService, KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;
use market::time::OperatingDay;

use super::hour_table::{hour_number, local_hour};
use super::hours::Hours;
use super::registry::ReadBy::Logistic;
use super::registry::{Family, Feature, FeatureGroup, Input};
use crate::arithmetic::mean;
use crate::horizon::TargetHour;
use crate::threshold::Thresholds;

const REAL_TIME: Family = Family { group: FeatureGroup::Prices, inputs: &[Input::RealTimePrices] };
const PREMIUM: Family =
    Family { group: FeatureGroup::Prices, inputs: &[Input::RealTimePrices, Input::DayAheadPrices] };
const DAY_AHEAD: Family = Family { group: FeatureGroup::Prices, inputs: &[Input::DayAheadPrices] };
const RESERVES: Family = Family { group: FeatureGroup::Prices, inputs: &[Input::AncillaryPrices] };

/// Common to all thresholds.
#[rustfmt::skip]
pub(super) const COMMON_FEATURES: [Feature; 15] = [
    PREMIUM.feature(Logistic, "rt_premium_same_hour_7d", "scaled price difference", "real-time less day-ahead price at the target's hour of day, mean of 7 days"),
    PREMIUM.feature(Logistic, "rt_premium_evening_7d", "scaled price difference", "real-time less day-ahead price in the evening hours (16:00 to 21:59), mean of 7 days"),
    DAY_AHEAD.feature(Logistic, "dam_same_hour", "scaled price", "the issue day's day-ahead price at the target's hour of day"),
    DAY_AHEAD.feature(Logistic, "dam_max", "scaled price", "highest day-ahead price of the issue day"),
    DAY_AHEAD.feature(Logistic, "dam_mean", "scaled price", "mean day-ahead price of the issue day"),
    DAY_AHEAD.feature(Logistic, "dam_evening_max", "scaled price", "highest day-ahead price of the issue day's evening hours"),
    DAY_AHEAD.feature(Logistic, "dam_same_hour_to_mean", "scaled price difference", "the issue day's day-ahead price at the target's hour of day less the day's mean"),
    DAY_AHEAD.feature(Logistic, "dam_same_hour_mean_7d", "scaled price", "mean day-ahead price at the target's hour of day, last 7 days"),
    RESERVES.feature(Logistic, "mcpc_regup_max", "scaled price", "highest day-ahead price of regulation up on the issue day"),
    RESERVES.feature(Logistic, "mcpc_rrs_max", "scaled price", "highest day-ahead price of responsive reserve on the issue day"),
    RESERVES.feature(Logistic, "mcpc_nspin_same_hour", "scaled price", "day-ahead price of non-spinning reserve on the issue day at the target's hour of day"),
    RESERVES.feature(Logistic, "mcpc_nspin_max", "scaled price", "highest day-ahead price of non-spinning reserve on the issue day"),
    RESERVES.feature(Logistic, "mcpc_ecrs_max", "scaled price", "highest day-ahead price of contingency reserve on the issue day; missing before June 2023"),
    DAY_AHEAD.feature(Logistic, "dam_spread_same_hour", "scaled price difference", "the issue day's day-ahead price at the target's hour of day less the mean of all settlement points that are forecast"),
    REAL_TIME.feature(Logistic, "rt_spread_same_hour_7d", "scaled price difference", "mean price at the target's hour of day less that of all settlement points that are forecast, last 7 days"),
];

/// Each threshold has its own.
#[rustfmt::skip]
pub(super) const THRESHOLD_FEATURES: [Feature; 4] = [
    REAL_TIME.feature(Logistic, "recent_climatology", "log-odds", "climatology of the last 365 days beyond the mean of both climatologies"),
    REAL_TIME.feature(Logistic, "persistence", "log-odds", "frequency of exceedance at the hour of day ± 1 in the last weeks, beyond the climatologies"),
    REAL_TIME.feature(Logistic, "spike_intensity_2d", "log count", "ln of 1 + exceedances, half-life 2 days"),
    REAL_TIME.feature(Logistic, "spike_intensity_14d", "log count", "ln of 1 + exceedances, half-life 14 days"),
];

const WINDOW_DAYS: i64 = 28;
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Half-life of the same-hour exceedance frequency.
const FREQUENCY_HALF_LIFE_DAYS: f64 = 7.0;
/// Half-lives of the decaying numbers of exceedances.
const INTENSITY_HALF_LIVES_DAYS: [f64; 2] = [2.0, 14.0];
/// Hours of experience that the climatology counts for in the persistence forecast.
const PERSISTENCE_SHRINKAGE_HOURS: f64 = 12.0;

/// A price on a scale where both $20 against $40 and $200 against $400 matter: asinh(p / 20).
pub(super) fn scaled(price: f64) -> f64 {
    (price / 20.0).asinh()
}

/// Undoes [`scaled`].
pub(super) fn unscaled(value: f64) -> f64 {
    value.sinh() * 20.0
}

fn is_evening(hour: usize) -> bool {
    (16..=21).contains(&hour)
}

/// Prices of the last weeks and of the issue day's day-ahead market.
pub(super) struct PriceState {
    hours_of_day: Vec<HourOfDay>,
    premium_evening: f64,
    dam: DayAhead,
    reserves: Reserves,
    /// Weighted exceedances and weighted hours: by threshold, then by hour of day.
    frequencies: Vec<[Weighted; 24]>,
    /// Decaying number of exceedances by threshold.
    intensities: Vec<[f64; 2]>,
}

/// What happened at one hour of day.
#[derive(Clone, Copy, Debug)]
struct HourOfDay {
    premium: f64,
    dam_today: f64,
    dam_week: f64,
    nonspin_today: f64,
    dam_spread: f64,
    real_time_spread: f64,
}

/// The issue day's day-ahead prices, scaled.
struct DayAhead {
    max: f64,
    mean: f64,
    evening_max: f64,
}

/// The issue day's highest prices of ancillary services, scaled.
struct Reserves {
    regulation_up: f64,
    responsive: f64,
    non_spinning: f64,
    contingency: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weighted {
    exceedances: f64,
    hours: f64,
}

impl PriceState {
    pub(super) fn of(view: &KnownAt<'_>, point: &SettlementPoint, thresholds: &Thresholds) -> Self {
        let (frequencies, intensities) = exceedances(view, point, thresholds);
        let now = view.instant();
        let today = OperatingDay::of(now);
        let (today, week) = ((today.start(), today.end()), (now - WEEK, now));
        let read = |key: SeriesKey, (from, to)| Hours::between(&view.series(&key), from, to);
        let here = |series: Series, span| read(SeriesKey::at(series, point), span);
        let (dam_today, dam_week) =
            (here(Series::DayAheadSpp, today), here(Series::DayAheadSpp, week));
        let real_time_week = here(Series::HourlyMeanLmp, week);
        let dam = day_ahead(&dam_today);
        let (premium, premium_evening) = premiums(&real_time_week, &dam_week);
        let nonspin = SeriesKey::system(Series::DayAheadMcpc(AncillaryService::NonSpin));
        let nonspin_today = by_hour(&read(nonspin, today));
        let [dam_today, dam_week, real_time] =
            [dam_today, dam_week, real_time_week].map(|hours| by_hour(&hours));
        let everywhere_today = all_points(view, Series::DayAheadSpp, today);
        let everywhere = all_points(view, Series::HourlyMeanLmp, week);
        let hours_of_day = (0..24).map(|hour| HourOfDay {
            premium: premium[hour],
            dam_today: scaled(dam_today[hour]),
            dam_week: scaled(dam_week[hour]),
            nonspin_today: scaled(nonspin_today[hour]),
            dam_spread: scaled(dam_today[hour]) - scaled(everywhere_today[hour]),
            real_time_spread: scaled(real_time[hour]) - scaled(everywhere[hour]),
        });
        Self {
            hours_of_day: hours_of_day.collect(),
            premium_evening,
            dam,
            reserves: reserves(view, today),
            frequencies,
            intensities,
        }
    }

    pub(super) fn write(&self, target: &TargetHour, row: &mut Vec<f64>) {
        let of_day = &self.hours_of_day[hour_of_day(hour_number(target.hour.start))];
        row.extend([
            of_day.premium,
            self.premium_evening,
            of_day.dam_today,
            self.dam.max,
            self.dam.mean,
            self.dam.evening_max,
            of_day.dam_today - self.dam.mean,
            of_day.dam_week,
            self.reserves.regulation_up,
            self.reserves.responsive,
            of_day.nonspin_today,
            self.reserves.non_spinning,
            self.reserves.contingency,
            of_day.dam_spread,
            of_day.real_time_spread,
        ]);
    }

    /// Returns the frequency of exceedance at the hour of day and its neighbours over the last
    /// weeks, shrunk to the climatology: the persistence forecast.
    pub(super) fn persistence(&self, number: i64, threshold: usize, climatology: f64) -> f64 {
        let hour = hour_of_day(number);
        let (mut exceedances, mut hours) = (0.0, 0.0);
        for (hour, weight) in [((hour + 23) % 24, 0.5), (hour, 1.0), ((hour + 1) % 24, 0.5)] {
            let cell = self.frequencies[threshold][hour];
            exceedances += weight * cell.exceedances;
            hours += weight * cell.hours;
        }
        (exceedances + PERSISTENCE_SHRINKAGE_HOURS * climatology)
            / (hours + PERSISTENCE_SHRINKAGE_HOURS)
    }

    /// Returns the decaying numbers of exceedances: half-lives of 2 and of 14 days.
    pub(super) fn intensities(&self, threshold: usize) -> [f64; 2] {
        self.intensities[threshold]
    }
}

/// Counts exceedances by threshold: by hour of day, and decaying.
fn exceedances(
    view: &KnownAt<'_>,
    point: &SettlementPoint,
    thresholds: &Thresholds,
) -> (Vec<[Weighted; 24]>, Vec<[f64; 2]>) {
    let now = view.instant();
    let mut frequencies = vec![[Weighted::default(); 24]; thresholds.count()];
    let mut intensities = vec![[0.0; 2]; thresholds.count()];
    let from = now - SignedDuration::from_hours(24 * WINDOW_DAYS);
    let maxima = view.series(&SeriesKey::at(Series::HourlyMaxLmp, point));
    for (number, max) in Hours::between(&maxima, from, now).known() {
        let hour = hour_of_day(number);
        #[expect(clippy::cast_precision_loss, reason = "at most 672 hours")]
        let age_days = (hour_number(now) - number) as f64 / 24.0;
        let decay = |half_life: f64| (-age_days / half_life).exp2();
        let weight = decay(FREQUENCY_HALF_LIFE_DAYS);
        let exceeded = thresholds.exceeded_by(max);
        for by_hour in &mut frequencies {
            by_hour[hour].hours += weight;
        }
        for by_hour in &mut frequencies[..exceeded] {
            by_hour[hour].exceedances += weight;
        }
        for intensity in &mut intensities[..exceeded] {
            for (sum, half_life) in intensity.iter_mut().zip(INTENSITY_HALF_LIVES_DAYS) {
                *sum += decay(half_life);
            }
        }
    }
    (frequencies, intensities)
}

/// Sums and counts by hour of day.
#[derive(Clone, Copy, Default)]
struct ByHour([(f64, f64); 24]);

impl ByHour {
    fn add(&mut self, hours: impl Iterator<Item = (i64, f64)>) {
        for (number, value) in hours {
            let cell = &mut self.0[hour_of_day(number)];
            *cell = (cell.0 + value, cell.1 + 1.0);
        }
    }

    /// Returns the means; NaN where nothing is known.
    fn means(&self) -> [f64; 24] {
        self.0.map(|(sum, count)| sum / count)
    }
}

/// Returns the mean by hour of day; NaN where nothing is known.
fn by_hour(hours: &Hours) -> [f64; 24] {
    let mut sums = ByHour::default();
    sums.add(hours.known());
    sums.means()
}

/// Returns the mean over every settlement point by hour of day.
fn all_points(view: &KnownAt<'_>, series: Series, (from, to): (Timestamp, Timestamp)) -> [f64; 24] {
    let mut sums = ByHour::default();
    for key in view.keys().filter(|key| key.series == series) {
        sums.add(Hours::between(&view.series(key), from, to).known());
    }
    sums.means()
}

/// Returns the mean real-time premium of a week by hour of day, and that of the evening.
fn premiums(real_time: &Hours, day_ahead: &Hours) -> ([f64; 24], f64) {
    let premium = |(hour, price)| (hour, scaled(price) - scaled(day_ahead.at(hour)));
    let known = real_time.known().map(premium).filter(|(_, premium)| !premium.is_nan());
    let mut sums = ByHour::default();
    sums.add(known);
    let evening = (0..24).filter(|&hour| is_evening(hour)).map(|hour| sums.0[hour]);
    let (sum, count) = evening.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    (sums.means(), sum / count)
}

/// Sums up the issue day's day-ahead prices, which were published the day before.
fn day_ahead(today: &Hours) -> DayAhead {
    let (mut all, mut max, mut evening_max) = (Vec::new(), f64::NAN, f64::NAN);
    for (number, price) in today.known() {
        all.push(price);
        max = max.max(price);
        if is_evening(hour_of_day(number)) {
            evening_max = evening_max.max(price);
        }
    }
    DayAhead { max: scaled(max), mean: scaled(mean_of(&all)), evening_max: scaled(evening_max) }
}

fn reserves(view: &KnownAt<'_>, (from, to): (Timestamp, Timestamp)) -> Reserves {
    let max = |service: AncillaryService| {
        let series = view.series(&SeriesKey::system(Series::DayAheadMcpc(service)));
        let prices = Hours::between(&series, from, to);
        scaled(prices.known().map(|(_, price)| price).fold(f64::NAN, f64::max))
    };
    Reserves {
        regulation_up: max(AncillaryService::RegUp),
        responsive: max(AncillaryService::Responsive),
        non_spinning: max(AncillaryService::NonSpin),
        contingency: max(AncillaryService::Contingency),
    }
}

fn hour_of_day(number: i64) -> usize {
    usize::from(local_hour(number).hour)
}

/// Returns the mean; NaN of nothing.
pub(super) fn mean_of(values: &[f64]) -> f64 {
    mean(values.iter().copied())
}
