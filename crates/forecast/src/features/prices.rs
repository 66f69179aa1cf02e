//! What prices did lately: real-time maxima at the same hour of day and overall, decaying spike
//! intensity, day-ahead and ancillary-service prices of the issue day, the real-time premium.

use jiff::{SignedDuration, Timestamp};
use market::observation::{AncillaryService, KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;
use market::time::OperatingDay;

use super::hour_table::{hour_number, local_hour};
use crate::horizon::TargetHour;
use crate::threshold::Thresholds;

pub(super) const NAMES: [&str; 25] = [
    "rt_max_same_hour_1d",
    "rt_max_same_hour_3d",
    "rt_max_same_hour_7d",
    "rt_max_same_hour_28d",
    "rt_mean_same_hour_7d",
    "rt_max_1d",
    "rt_max_7d",
    "rt_evening_max_1d",
    "rt_evening_max_3d",
    "rt_evening_max_mean_7d",
    "rt_median_7d",
    "rt_mean_1d",
    "rt_premium_same_hour_7d",
    "rt_premium_evening_7d",
    "dam_same_hour",
    "dam_max",
    "dam_mean",
    "dam_evening_max",
    "dam_same_hour_to_mean",
    "dam_same_hour_mean_7d",
    "mcpc_regup_max",
    "mcpc_rrs_max",
    "mcpc_nspin_same_hour",
    "mcpc_nspin_max",
    "mcpc_ecrs_max",
];

const WINDOW_DAYS: i64 = 28;
const WINDOW_HOURS: i64 = WINDOW_DAYS * 24;

/// A price on a scale where both $20 against $40 and $200 against $400 matter: asinh(p / 20).
fn scaled(price: f64) -> f64 {
    (price / 20.0).asinh()
}

fn is_evening(hour: usize) -> bool {
    (16..=21).contains(&hour)
}

/// Prices of the last 28 days and of the issue day's day-ahead market, by age and hour of day.
pub(super) struct PriceState {
    hours_of_day: Vec<HourOfDay>,
    overall: [f64; 8],
    dam_overall: [f64; 3],
    reserves_overall: [f64; 4],
    /// Weighted exceedances and weighted hours: by threshold, then by hour of day.
    frequencies: Vec<[Weighted; 24]>,
    /// Decaying number of exceedances by threshold: half-lives of 2 and of 14 days.
    intensities: Vec<[f64; 2]>,
}

/// What happened at one hour of day.
#[derive(Clone, Debug, Default)]
struct HourOfDay {
    /// Real-time maximum, mean and day-ahead price, each with its age in days.
    max: Vec<(i64, f64)>,
    premium: Vec<f64>,
    mean: Vec<f64>,
    dam_today: Option<f64>,
    dam_week: Vec<f64>,
    nonspin_today: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weighted {
    exceedances: f64,
    hours: f64,
}

/// Half-life of the same-hour exceedance frequency.
const FREQUENCY_HALF_LIFE_DAYS: f64 = 7.0;

impl PriceState {
    pub(super) fn of(view: &KnownAt<'_>, point: &SettlementPoint, thresholds: &Thresholds) -> Self {
        let now = view.instant();
        let mut hours_of_day = vec![HourOfDay::default(); 24];
        let mut frequencies = vec![[Weighted::default(); 24]; thresholds.count()];
        let mut intensities = vec![[0.0; 2]; thresholds.count()];
        let from = now - SignedDuration::from_hours(WINDOW_HOURS);
        let at = |series: Series| view.series(&SeriesKey::at(series, point));
        let (mean, dam) = (at(Series::HourlyMeanLmp), at(Series::DayAheadSpp));
        let mut all = Vec::new();
        for known in at(Series::HourlyMaxLmp).between(from, now) {
            let start = known.interval_start;
            let hour = usize::from(local_hour(start).hour);
            let age_hours = hour_number(now) - hour_number(start);
            let age_days = age_hours.div_euclid(24);
            let of_day = &mut hours_of_day[hour];
            of_day.max.push((age_days, known.value));
            if age_days < 7 {
                let mean = mean.value_at(start);
                of_day.mean.extend(mean);
                if let (Some(mean), Some(dam)) = (mean, dam.value_at(start)) {
                    of_day.premium.push(scaled(mean) - scaled(dam));
                }
                of_day.dam_week.extend(dam.value_at(start));
            }
            all.push((age_hours, hour, known.value, mean.value_at(start)));
            #[expect(clippy::cast_precision_loss, reason = "at most 672 hours")]
            let age = age_hours as f64 / 24.0;
            let decay = |half_life: f64| (-age / half_life).exp2();
            let weight = decay(FREQUENCY_HALF_LIFE_DAYS);
            let exceeded = thresholds.exceeded_by(known.value);
            for (threshold, by_hour) in frequencies.iter_mut().enumerate() {
                by_hour[hour].hours += weight;
                if threshold < exceeded {
                    by_hour[hour].exceedances += weight;
                    intensities[threshold][0] += decay(2.0);
                    intensities[threshold][1] += decay(14.0);
                }
            }
        }
        let dam_overall = add_day_ahead(view, point, &mut hours_of_day);
        let reserves_overall = add_reserves(view, &mut hours_of_day);
        let overall = summarise(&all, &hours_of_day);
        Self { hours_of_day, overall, dam_overall, reserves_overall, frequencies, intensities }
    }

    pub(super) fn write(&self, target: &TargetHour, row: &mut Vec<f64>) {
        let of_day = &self.hours_of_day[usize::from(local_hour(target.hour.start).hour)];
        let max_within = |days: i64| {
            let values = of_day.max.iter().filter(|&&(age, _)| age < days).map(|&(_, max)| max);
            scaled(values.reduce(f64::max).unwrap_or(f64::NAN))
        };
        let [
            max_1d,
            max_7d,
            evening_1d,
            evening_3d,
            evening_mean,
            median,
            mean_1d,
            premium_evening,
        ] = self.overall;
        let [dam_max, dam_mean, dam_evening] = self.dam_overall;
        let [regup, rrs, nspin, ecrs] = self.reserves_overall;
        let dam_same_hour = scaled(of_day.dam_today.unwrap_or(f64::NAN));
        row.extend([
            max_within(1),
            max_within(3),
            max_within(7),
            max_within(WINDOW_DAYS),
            scaled(mean_of(&of_day.mean)),
            max_1d,
            max_7d,
            evening_1d,
            evening_3d,
            evening_mean,
            median,
            mean_1d,
            mean_of(&of_day.premium),
            premium_evening,
            dam_same_hour,
            dam_max,
            dam_mean,
            dam_evening,
            dam_same_hour - dam_mean,
            scaled(mean_of(&of_day.dam_week)),
            regup,
            rrs,
            scaled(of_day.nonspin_today.unwrap_or(f64::NAN)),
            nspin,
            ecrs,
        ]);
    }

    /// Returns the frequency of exceedance at the hour of day and its neighbours over the last
    /// weeks, shrunk to the climatology: the persistence forecast.
    pub(super) fn persistence(&self, start: Timestamp, threshold: usize, climatology: f64) -> f64 {
        let hour = usize::from(local_hour(start).hour);
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

/// Hours of experience that the climatology counts for in the persistence forecast.
const PERSISTENCE_SHRINKAGE_HOURS: f64 = 12.0;

/// Reads the issue day's day-ahead prices, which were published the day before; returns their
/// maximum, mean and evening maximum.
fn add_day_ahead(
    view: &KnownAt<'_>,
    point: &SettlementPoint,
    hours_of_day: &mut [HourOfDay],
) -> [f64; 3] {
    let day = OperatingDay::of(view.instant());
    let prices = view.series(&SeriesKey::at(Series::DayAheadSpp, point));
    let (mut all, mut evening) = (Vec::new(), f64::NAN);
    for known in prices.between(day.start(), day.end()) {
        let hour = usize::from(local_hour(known.interval_start).hour);
        hours_of_day[hour].dam_today = Some(known.value);
        all.push(known.value);
        if is_evening(hour) {
            evening = evening.max(known.value);
        }
    }
    [scaled(max_of(&all)), scaled(mean_of(&all)), scaled(evening)]
}

/// Reads the issue day's ancillary-service prices; returns the day's maxima of regulation up,
/// responsive, non-spinning and contingency reserve.
fn add_reserves(view: &KnownAt<'_>, hours_of_day: &mut [HourOfDay]) -> [f64; 4] {
    let day = OperatingDay::of(view.instant());
    let of_day = |series: Series| -> Vec<(usize, f64)> {
        let known = view.series(&SeriesKey::system(series)).between(day.start(), day.end());
        known.map(|k| (usize::from(local_hour(k.interval_start).hour), k.value)).collect()
    };
    let max = |series: Series| {
        scaled(of_day(series).into_iter().map(|(_, price)| price).fold(f64::NAN, f64::max))
    };
    for (hour, price) in of_day(Series::DayAheadMcpc(AncillaryService::NonSpin)) {
        hours_of_day[hour].nonspin_today = Some(price);
    }
    [
        max(Series::DayAheadMcpc(AncillaryService::RegUp)),
        max(Series::DayAheadMcpc(AncillaryService::Responsive)),
        max(Series::DayAheadMcpc(AncillaryService::NonSpin)),
        max(Series::DayAheadMcpc(AncillaryService::Contingency)),
    ]
}

/// Summarises all hours: maxima of 1 and 7 days, evening maxima of 1 and 3 days, mean of the
/// evening hours' maxima and median over 7 days, mean of a day, evening premium.
fn summarise(all: &[(i64, usize, f64, Option<f64>)], hours_of_day: &[HourOfDay]) -> [f64; 8] {
    let max = |hours: i64, evening_only: bool| {
        let within = all
            .iter()
            .filter(|&&(age, hour, ..)| age <= hours && (!evening_only || is_evening(hour)));
        scaled(within.map(|&(.., max, _)| max).fold(f64::NAN, f64::max))
    };
    let week = 7 * 24;
    let evenings: Vec<f64> = all
        .iter()
        .filter(|&&(age, hour, ..)| age <= week && is_evening(hour))
        .map(|&(.., max, _)| scaled(max))
        .collect();
    let mut prices: Vec<f64> =
        all.iter().filter(|&&(age, ..)| age <= week).filter_map(|&(.., mean)| mean).collect();
    prices.sort_by(f64::total_cmp);
    let last_day: Vec<f64> =
        all.iter().filter(|&&(age, ..)| age <= 24).filter_map(|&(.., mean)| mean).collect();
    let premium: Vec<f64> = (0..24)
        .filter(|&hour| is_evening(hour))
        .flat_map(|hour| hours_of_day[hour].premium.iter().copied())
        .collect();
    [
        max(24, false),
        max(week, false),
        max(24, true),
        max(72, true),
        mean_of(&evenings),
        scaled(prices.get(prices.len() / 2).copied().unwrap_or(f64::NAN)),
        scaled(mean_of(&last_day)),
        mean_of(&premium),
    ]
}

/// Returns the mean; NaN of nothing.
pub(super) fn mean_of(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand values")]
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

fn max_of(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}
