//! When the simulated market publishes: always the same, never early, complete on both clock
//! changes, the few vintages among the many.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::observation::{Adder, AncillaryService};
use crate::source::SourceError;
use crate::source::publication::PublicationRule;

#[test]
fn the_same_seed_gives_the_same_world_in_any_order_of_requests() {
    let (after, until) = (Some("2025-12-01T00:00:00Z"), "2025-12-09T00:00:00Z");
    let all = |keys: &mut dyn Iterator<Item = &SeriesKey>, simulator: &Simulator| -> Vec<_> {
        keys.map(|key| (key.clone(), fetch(simulator, key, after, until))).collect()
    };
    let keys = every_key();
    let forwards = all(&mut keys.iter(), &simulator());
    let mut backwards = all(&mut keys.iter().rev(), &simulator());
    backwards.reverse();
    assert_eq!(forwards, backwards);
    // Both eras are in these days, so that every series has values.
    let empty: Vec<_> = forwards.iter().filter(|(_, values)| values.is_empty()).collect();
    assert!(empty.is_empty(), "{empty:?}");
    let other = SimulatorSettings {
        seed: SEED + 1,
        first_day: date(2022, 1, 1),
        vintages: Vintages::BeforeTheMarket,
    };
    let price = key(Series::RealTimeLmp, "HB_HUBAVG");
    let of = |simulator: &Simulator| fetch(simulator, &price, after, until);
    assert_ne!(of(&Simulator::new(other)), of(&simulator()));
}

#[test]
fn fetching_piece_by_piece_gives_what_fetching_at_once_gives() {
    let instants = [
        "2024-03-08T12:00:00Z",
        "2024-03-09T15:57:00Z",
        "2024-03-10T14:57:00Z",
        "2024-03-11T03:00:00Z",
    ];
    for vintages in [Vintages::BeforeTheMarket, Vintages::EveryHour] {
        let simulator = world(date(2022, 1, 1), vintages);
        for key in every_key() {
            let mut piecewise: Vec<Observation> = instants
                .windows(2)
                .flat_map(|window| fetch(&simulator, &key, Some(window[0]), window[1]))
                .collect();
            let mut whole = fetch(&simulator, &key, Some(instants[0]), instants[3]);
            for observations in [&mut piecewise, &mut whole] {
                observations.sort_by_key(|o| (o.interval_start, o.published_at));
            }
            assert_eq!(piecewise, whole, "{key}");
        }
    }
}

#[test]
fn corrections_are_fetched_however_late_they_come() {
    for (series, slots) in [(Series::RealTimeLmp, 366 * 288), (Series::DayAheadSpp, 366 * 24)] {
        let prices = key(series, "HB_NORTH");
        let whole = fetch_days(&simulator(), &prices, date(2024, 1, 1), 366);
        let days = (0..366).flat_map(|day| {
            let day = OperatingDay::new(date(2024, 1, 1)).plus_days(day);
            fetch_days(&simulator(), &prices, day.date(), 1)
        });
        let order = |o: &Observation| (o.interval_start, o.published_at);
        let by_day: BTreeSet<_> = days.map(|o| order(&o)).collect();
        assert_eq!(by_day, whole.iter().map(order).collect());
        let mut rule = PublicationRule::of(series).unwrap();
        let late = whole.iter().filter(|o| rule.published_at(o.interval_start) < o.published_at);
        let late = late.count();
        assert!(0 < late && late < slots / 20, "{late} corrections of {series:?}");
    }
}

#[test]
fn the_first_day_and_the_vintages_change_no_value() {
    let late = world(date(2024, 6, 1), Vintages::BeforeTheMarket);
    let many = world(date(2022, 1, 1), Vintages::EveryHour);
    for key in every_key() {
        let (after, until) = (Some("2024-07-01T00:00:00Z"), "2024-07-04T00:00:00Z");
        let few = fetch(&simulator(), &key, after, until);
        assert_eq!(fetch(&late, &key, after, until), few, "{key}");
        let bits = |o: &Observation| (o.interval_start, o.published_at, o.value.to_bits());
        let many: BTreeSet<_> = fetch(&many, &key, after, until).iter().map(bits).collect();
        assert!(few.iter().all(|o| many.contains(&bits(o))), "{key}");
    }
}

#[test]
fn nothing_is_published_before_it_could_be_known() {
    for key in every_key() {
        let mut rule = PublicationRule::of(key.series);
        for observation in fetch_days(&simulator(), &key, date(2024, 3, 1), 30) {
            let Observation { interval_start, published_at, .. } = observation;
            match &mut rule {
                Some(rule) => {
                    assert!(rule.published_at(interval_start) <= published_at, "{key}");
                }
                None => {
                    let day = OperatingDay::of(interval_start);
                    assert!(day.plus_days(-7).start() <= published_at, "{key}: {observation:?}");
                    assert!(published_at < interval_start, "{key}: {observation:?}");
                }
            }
        }
    }
}

/// Counts the publications about every hour of a day.
fn vintages_of_day(simulator: &Simulator, key: &SeriesKey, day: OperatingDay) -> Vec<usize> {
    let mut counts: BTreeMap<Timestamp, usize> = BTreeMap::new();
    for o in fetch_days(simulator, key, day.plus_days(-8).date(), 11) {
        if day.start() <= o.interval_start && o.interval_start < day.end() {
            *counts.entry(o.interval_start).or_default() += 1;
        }
    }
    counts.into_values().collect()
}

#[test]
fn the_days_of_both_clock_changes_are_complete() {
    for (day, hours) in [(date(2026, 11, 1), 25), (date(2027, 3, 14), 23), (date(2024, 3, 10), 23)]
    {
        let day = OperatingDay::new(day);
        for (series, place, vintages) in [
            (Series::DayAheadSpp, "HB_PAN", 1),
            (Series::LoadActual, "WZ_EAST", 1),
            (Series::SolarActual, "ERCOT", 1),
            (Series::LoadForecast, "ERCOT", 6),
            (Series::WindForecast, "ERCOT", 6),
            (Series::OutageCapacity(ResourceKind::Dispatchable), "ERCOT", 6),
            (Series::AsPlan(AncillaryService::RegUp), "ERCOT", 3),
            (Series::TemperatureForecast, "WZ_WEST", 3),
        ] {
            let counts = vintages_of_day(&simulator(), &key(series, place), day);
            assert_eq!(counts, vec![vintages; hours], "{series:?} on {day}");
        }
        let settled = vintages_of_day(&simulator(), &key(Series::RealTimeSpp, "LZ_AEN"), day);
        assert_eq!(settled.len(), 4 * hours, "{day}");
    }
}

#[test]
fn every_hourly_vintage_is_there_when_all_are_wanted() {
    let simulator = world(date(2024, 1, 1), Vintages::EveryHour);
    let day = OperatingDay::new(date(2024, 5, 20));
    let counts = |series| vintages_of_day(&simulator, &key(series, "ERCOT"), day);
    // This day and the seven before it; the last 168 hours; this day and the six before it.
    assert_eq!(counts(Series::LoadForecast), [8 * 24; 24]);
    assert_eq!(counts(Series::WindForecast), [168; 24]);
    assert_eq!(counts(Series::AvailableReserves), [7 * 24; 24]);
    assert_eq!(counts(Series::AsPlan(AncillaryService::NonSpin)), [7; 24]);
}

#[test]
fn each_era_has_its_own_adders_and_prices_of_services() {
    let last_day_before = (date(2025, 12, 4), date(2025, 12, 6));
    let has = |series, day| {
        let observations = fetch_days(&simulator(), &key(series, "ERCOT"), day, 1);
        !observations.is_empty()
    };
    for (series, before, after) in [
        (Series::ScedAdder(Adder::OnlineReserve), true, false),
        (Series::SettlementAdder(Adder::OfflineReserve), true, false),
        (Series::ScedAdder(Adder::ReliabilityReserve), true, false),
        (Series::ScedAdder(Adder::ReliabilityDeployment), false, true),
        (Series::ScedMcpc(AncillaryService::RegUp), false, true),
        (Series::RealTimeMcpc(AncillaryService::Contingency), false, true),
        (Series::AsCapability(AncillaryService::Responsive), false, true),
        (Series::SystemLambda, true, true),
    ] {
        let found = (has(series, last_day_before.0), has(series, last_day_before.1));
        assert_eq!(found, (before, after), "{series:?}");
    }
    let contingency = Series::DayAheadMcpc(AncillaryService::Contingency);
    assert!(!has(contingency, date(2023, 6, 1)) && has(contingency, date(2023, 6, 20)));
}

#[test]
fn a_request_beyond_the_simulated_century_is_refused() {
    let request = FetchRequest {
        key: key(Series::RealTimeLmp, "HB_WEST"),
        published_after: None,
        published_until: Timestamp::MAX,
    };
    let error = simulator().fetch(&request).unwrap_err();
    assert!(matches!(error, SourceError::Unavailable { .. }), "{error}");
}

#[test]
fn the_fingerprint_tells_worlds_and_vintages_apart() {
    let few = simulator().fingerprint().unwrap();
    let many = world(date(2022, 1, 1), Vintages::EveryHour).fingerprint().unwrap();
    let late = world(date(2022, 1, 2), Vintages::BeforeTheMarket).fingerprint().unwrap();
    assert_eq!(BTreeSet::from([few, many, late]).len(), 3);
}

#[test]
fn a_load_forecast_of_the_running_day_is_published_with_its_past_hours() {
    let simulator = world(date(2024, 1, 1), Vintages::EveryHour);
    let noon = "2024-05-20T17:30:00Z";
    let after = (at(noon) - SignedDuration::from_secs(1)).to_string();
    let posted = fetch(&simulator, &key(Series::LoadForecast, "ERCOT"), Some(&after), noon);
    assert_eq!(posted.len(), 8 * 24);
    assert_eq!(posted[0].interval_start, at("2024-05-20T05:00:00Z"));
}
