//! Adequacy: what will be out of service in the target hour, and what is left after load and
//! planned reserves, as ERCOT's reports had it when the forecast speaks.
//!
//! Past hours, for comparison, are taken as they were last reported before they came.

use jiff::{SignedDuration, Timestamp};
use market::observation::{
    AncillaryService, KnownAt, KnownSeries, ResourceKind, Series, SeriesKey,
};
use market::time::OperatingDay;

use super::net_load::GIGAWATT;
use super::prices::mean_of;
use super::registry::ReadBy::Logistic;
use super::registry::{Family, Feature, FeatureGroup, Input};
use crate::arithmetic::share_below;
use crate::horizon::{LEAD_DAYS, TargetHour};

const OUTAGES: Family = Family { group: FeatureGroup::Adequacy, inputs: &[Input::Outages] };
const LEFT: Family = Family { group: FeatureGroup::Adequacy, inputs: &[Input::Adequacy] };
const MARGIN: Family =
    Family { group: FeatureGroup::Adequacy, inputs: &[Input::Adequacy, Input::AncillaryPlan] };

#[rustfmt::skip]
pub(super) const FEATURES: [Feature; 8] = [
    OUTAGES.feature(Logistic, "thermal_outages", "GW", "dispatchable capacity reported out of service in the hour, all zones"),
    OUTAGES.feature(Logistic, "thermal_outages_change_7d", "GW", "dispatchable capacity reported out of service in the hour less the mean of the last 7 days' hours, as last reported"),
    OUTAGES.feature(Logistic, "renewable_outages_change_7d", "GW", "wind and solar capacity reported out of service in the hour less the mean of the last 7 days' hours, as last reported"),
    LEFT.feature(Logistic, "available_generation", "GW", "generation planned online less forecast load, as reported for the hour"),
    LEFT.feature(Logistic, "available_reserves_rank", "0 to 1", "share of the last 60 days' hours that were last reported to have less generation and reserves left after load"),
    LEFT.feature(Logistic, "available_reserves_low_tail", "0 to 0.9", "10 · (0.3 − available_reserves_rank)² below 0.3, else 0"),
    LEFT.feature(Logistic, "available_reserves_day_min_rank", "0 to 1", "rank of the least generation and reserves left in the target day among the last 60 days' hours"),
    MARGIN.feature(Logistic, "reserve_margin", "GW", "generation and reserves left after load less what ERCOT plans to buy of all upward ancillary services"),
];

const CHANGE_DAYS: i64 = 7;
const RANK_DAYS: i64 = 60;
/// Scarcity begins somewhere below the lowest third.
const LOW_RANK: f64 = 0.3;

/// What is held back for when something fails.
const UPWARD_SERVICES: [AncillaryService; 3] =
    [AncillaryService::RegUp, AncillaryService::Responsive, AncillaryService::NonSpin];

/// The reports of outages, adequacy and planned reserves.
pub(super) struct Adequacy<'a> {
    thermal: Outages<'a>,
    renewable: Outages<'a>,
    generation: KnownSeries<'a>,
    reserves: Reserves<'a>,
    planned: [KnownSeries<'a>; UPWARD_SERVICES.len()],
    planned_contingency: KnownSeries<'a>,
}

/// One kind of capacity out of service, MW.
struct Outages<'a> {
    reported: KnownSeries<'a>,
    mean_before: f64,
}

/// Generation and reserves left after load, MW.
struct Reserves<'a> {
    reported: KnownSeries<'a>,
    /// Of the last 60 days' hours, ascending.
    before: Vec<f64>,
    day_min: [f64; LEAD_DAYS as usize],
}

impl<'a> Adequacy<'a> {
    pub(super) fn of(view: &KnownAt<'a>) -> Self {
        let system = |series: Series| view.series(&SeriesKey::system(series));
        let outages = |kind: ResourceKind| {
            let reported = system(Series::OutageCapacity(kind));
            let before = last_days(&reported, view.instant(), CHANGE_DAYS);
            Outages { reported, mean_before: mean_of(&before) }
        };
        Self {
            thermal: outages(ResourceKind::Dispatchable),
            renewable: outages(ResourceKind::Intermittent),
            generation: system(Series::AvailableGeneration),
            reserves: Reserves::of(view.instant(), system(Series::AvailableReserves)),
            planned: UPWARD_SERVICES.map(|service| system(Series::AsPlan(service))),
            planned_contingency: system(Series::AsPlan(AncillaryService::Contingency)),
        }
    }

    pub(super) fn write(&self, target: &TargetHour, row: &mut Vec<f64>) {
        let start = target.hour.start;
        let thermal = at(&self.thermal.reported, start);
        let renewable = at(&self.renewable.reported, start);
        let reserves = at(&self.reserves.reported, start);
        let rank = self.reserves.rank(reserves);
        let day_min = self.reserves.day_min[usize::from(target.lead_day) - 1];
        row.extend([
            thermal / GIGAWATT,
            (thermal - self.thermal.mean_before) / GIGAWATT,
            (renewable - self.renewable.mean_before) / GIGAWATT,
            at(&self.generation, start) / GIGAWATT,
            rank,
            // `max` alone would turn what is unknown to 0.
            if rank.is_nan() { rank } else { (LOW_RANK - rank).max(0.0).powi(2) * 10.0 },
            self.reserves.rank(day_min),
            (reserves - self.planned(start)) / GIGAWATT,
        ]);
    }

    /// Returns what ERCOT plans to buy for an hour, MW. There was no contingency reserve before
    /// June 2023.
    fn planned(&self, start: Timestamp) -> f64 {
        let others: f64 = self.planned.iter().map(|service| at(service, start)).sum();
        others + self.planned_contingency.value_at(start).unwrap_or(0.0)
    }
}

impl<'a> Reserves<'a> {
    fn of(now: Timestamp, reported: KnownSeries<'a>) -> Self {
        let mut before = last_days(&reported, now, RANK_DAYS);
        before.sort_unstable_by(f64::total_cmp);
        let mut day_min = [f64::NAN; LEAD_DAYS as usize];
        for (min, lead_day) in day_min.iter_mut().zip(1..) {
            let day = OperatingDay::of(now).plus_days(lead_day);
            let hours = reported.between(day.start(), day.end()).map(|known| known.value);
            *min = hours.fold(f64::NAN, f64::min);
        }
        Self { reported, before, day_min }
    }

    /// Returns the share of the hours before that had less left.
    fn rank(&self, value: f64) -> f64 {
        share_below(&self.before, value)
    }
}

fn at(series: &KnownSeries<'_>, start: Timestamp) -> f64 {
    series.value_at(start).unwrap_or(f64::NAN)
}

fn last_days(series: &KnownSeries<'_>, now: Timestamp, days: i64) -> Vec<f64> {
    let from = now - SignedDuration::from_hours(24 * days);
    series.between(from, now).map(|known| known.value).collect()
}

#[cfg(test)]
mod tests {
    use market::observation::{History, HistoryBuilder, Observation};
    use market::time::parse_local;

    use super::*;
    use crate::horizon::horizon;

    fn at(text: &str) -> Timestamp {
        parse_local(text).unwrap()
    }

    const ISSUED: &str = "2024-08-19T09:57";

    /// What was reported of hours: the first one, how many, published when, MW.
    type Report<'r> = (&'r str, i64, &'r str, f64);

    fn history(reports: &[(Series, &[Report<'_>])]) -> History {
        let mut builder = HistoryBuilder::default();
        for (series, vintages) in reports {
            let key = SeriesKey::system(*series);
            for &(first, hours, published_at, value) in *vintages {
                let observations = (0..hours).map(|hour| Observation {
                    interval_start: at(first) + SignedDuration::from_hours(hour),
                    published_at: at(published_at),
                    value,
                });
                builder.add(&key, observations);
            }
        }
        builder.build()
    }

    /// Returns the features of an hour of the first target day.
    fn described(history: &History, hour: usize) -> Vec<f64> {
        let view = history.known_at(at(ISSUED));
        let mut row = Vec::new();
        Adequacy::of(&view).write(&horizon(at(ISSUED))[hour], &mut row);
        row
    }

    fn value(history: &History, hour: usize, name: &str) -> f64 {
        let place = FEATURES.iter().position(|feature| feature.name == name).unwrap();
        described(history, hour)[place]
    }

    fn check(history: &History, hour: usize, name: &str, expected: f64) {
        let value = value(history, hour, name);
        assert!((value - expected).abs() < 1e-12, "{name}: {value}");
    }

    const THERMAL: Series = Series::OutageCapacity(ResourceKind::Dispatchable);
    const RENEWABLE: Series = Series::OutageCapacity(ResourceKind::Intermittent);

    #[test]
    fn without_reports_everything_is_missing() {
        let described = described(&history(&[]), 5);
        assert_eq!(described.len(), FEATURES.len());
        assert!(described.iter().all(|value| value.is_nan()), "{described:?}");
    }

    #[test]
    fn outages_are_compared_with_what_was_last_reported_of_the_last_week() {
        // Of the days before, 9 GW were reported first and 10 GW last.
        let history = history(&[
            (
                THERMAL,
                &[
                    ("2024-08-10T00:00", 24 * 10, "2024-08-09T09:00", 9_000.0),
                    ("2024-08-10T00:00", 24 * 10, "2024-08-09T17:00", 10_000.0),
                    ("2024-08-20T00:00", 24, "2024-08-19T09:00", 12_500.0),
                ],
            ),
            (RENEWABLE, &[("2024-08-20T00:00", 24, "2024-08-19T09:00", 3_000.0)]),
        ]);
        check(&history, 7, "thermal_outages", 12.5);
        check(&history, 7, "thermal_outages_change_7d", 2.5);
        // There is nothing to compare with.
        assert!(value(&history, 7, "renewable_outages_change_7d").is_nan());
        // Nothing was reported for the second target day.
        assert!(value(&history, 24, "thermal_outages").is_nan());
    }

    #[test]
    fn a_report_after_the_issue_time_is_not_seen() {
        let early = ("2024-08-20T00:00", 24, "2024-08-19T09:00", 12_500.0);
        let late = ("2024-08-20T00:00", 24, "2024-08-19T10:00", 40_000.0);
        let [known, changed] =
            [&[early][..], &[early, late]].map(|vintages| history(&[(THERMAL, vintages)]));
        check(&changed, 7, "thermal_outages", 12.5);
        check(&known, 7, "thermal_outages", 12.5);
        assert!(value(&history(&[(THERMAL, &[late])]), 7, "thermal_outages").is_nan());
    }

    #[test]
    fn what_is_left_is_ranked_among_the_last_sixty_days() {
        let reserves = Series::AvailableReserves;
        // Of 80 hours, 20 had 5 GW left and 60 had 15 GW.
        let before = [
            ("2024-08-15T00:00", 20, "2024-08-14T09:00", 5_000.0),
            ("2024-08-15T20:00", 60, "2024-08-14T09:00", 15_000.0),
        ];
        let tomorrow = [
            ("2024-08-20T00:00", 23, "2024-08-19T09:00", 10_000.0),
            ("2024-08-20T23:00", 1, "2024-08-19T09:00", 4_000.0),
        ];
        let reports = [before, tomorrow].concat();
        let history = history(&[(reserves, &reports)]);
        check(&history, 7, "available_reserves_rank", 0.25);
        check(&history, 7, "available_reserves_low_tail", 0.025);
        check(&history, 23, "available_reserves_low_tail", 0.9);
        check(&history, 7, "available_reserves_day_min_rank", 0.0);
        assert!(value(&history, 30, "available_reserves_low_tail").is_nan());
    }

    #[test]
    fn the_reserve_margin_counts_every_upward_service_once_it_is_bought() {
        let tomorrow = |value| [("2024-08-20T00:00", 24, "2024-08-19T05:00", value)];
        let (left, regulation, responsive) =
            (tomorrow(20_000.0), tomorrow(500.0), tomorrow(2_500.0));
        let (non_spinning, contingency) = (tomorrow(3_000.0), tomorrow(2_000.0));
        let mut reports: Vec<(Series, &[Report<'_>])> = vec![
            (Series::AvailableReserves, &left),
            (Series::AsPlan(AncillaryService::RegUp), &regulation),
            (Series::AsPlan(AncillaryService::Responsive), &responsive),
        ];
        assert!(value(&history(&reports), 7, "reserve_margin").is_nan());
        reports.push((Series::AsPlan(AncillaryService::NonSpin), &non_spinning));
        check(&history(&reports), 7, "reserve_margin", 14.0);
        reports.push((Series::AsPlan(AncillaryService::Contingency), &contingency));
        check(&history(&reports), 7, "reserve_margin", 12.0);
    }
}
