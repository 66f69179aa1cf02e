//! A feature sees only what was published before the issue time: replace everything that was
//! published later by noise, and every example stays bit-identical. A leaky feature is caught.

use std::sync::LazyLock;

use forecast::features::{Examples, examples};
use forecast::threshold::Thresholds;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use market::observation::{History, HistoryBuilder, KnownAt, Observation, Series, SeriesKey};
use market::place::{Place, SettlementPoint, WeatherZone};
use market::source::simulator::{Simulator, SimulatorSettings, Vintages};
use market::source::{FetchRequest, Source};
use market::time::parse_local;
use proptest::prelude::*;

type Published = Vec<(SeriesKey, Vec<Observation>)>;

fn point() -> SettlementPoint {
    SettlementPoint::new("HB_WEST").expect("a settlement point")
}

fn thresholds() -> Thresholds {
    Thresholds::new(&[50.0, 100.0, 500.0]).expect("ascending prices")
}

/// What the simulator published over some months of 2024, both sides of the tested issue times.
fn published() -> &'static Published {
    static PUBLISHED: LazyLock<Published> = LazyLock::new(publish);
    &PUBLISHED
}

fn publish() -> Published {
    let simulator = Simulator::new(SimulatorSettings {
        seed: 7,
        first_day: date(2024, 1, 1),
        vintages: Vintages::BeforeTheMarket,
    });
    let series = Series::FORECAST_INPUTS.into_iter().chain(Series::FORECAST_EXTRAS);
    let keys = series.map(|series| SeriesKey {
        series,
        place: match series {
            Series::RealTimeLmp | Series::DayAheadSpp => Place::SettlementPoint(point()),
            Series::Temperature => Place::WeatherZone(WeatherZone::Coast),
            _ => Place::System,
        },
    });
    let fetch = |key: SeriesKey| {
        let request = FetchRequest {
            key: key.clone(),
            published_after: None,
            published_until: parse_local("2024-05-20T00:00").expect("a local time"),
        };
        (key, simulator.fetch(&request).expect("the simulator answers"))
    };
    keys.map(fetch).collect()
}

fn history(published: &Published) -> History {
    let mut builder = HistoryBuilder::default();
    for (key, observations) in published {
        builder.add(key, observations.iter().copied());
    }
    builder.build()
}

/// Replaces what was published after an instant: noise, other intervals, or nothing at all.
fn scrambled(published: &Published, after: Timestamp, seed: u64) -> Published {
    let change = |index: usize, observation: &Observation| -> Option<Observation> {
        if observation.published_at <= after {
            return Some(*observation);
        }
        let noise = (seed.wrapping_add(index as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let shift = SignedDuration::from_hours(i64::try_from(noise % 48).expect("small") - 24);
        (!noise.is_multiple_of(5)).then(|| Observation {
            interval_start: observation.interval_start + shift,
            published_at: observation.published_at,
            value: noise as f64 / 100.0,
        })
    };
    published
        .iter()
        .map(|(key, observations)| {
            let changed = observations.iter().enumerate().filter_map(|(i, o)| change(i, o));
            (key.clone(), changed.collect())
        })
        .collect()
}

/// Every bit of the examples, NaN included.
fn bits(examples: &Examples) -> Vec<u64> {
    let bits = |row: &forecast::features::Example| -> Vec<u64> {
        let single = row.common.iter().chain(&row.by_threshold).map(|v| u64::from(v.to_bits()));
        let double = row.climatology.iter().chain(&row.climatology_recent).chain(&row.persistence);
        single.chain(double.map(|v| v.to_bits())).collect()
    };
    examples.rows.iter().flat_map(bits).collect()
}

fn describe(history: &History, issue_time: Timestamp) -> Vec<u64> {
    bits(&examples(&history.known_at(issue_time), &point(), &thresholds()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_published_after_the_issue_time_changes_no_feature(
        minutes in 0i64..60 * 24 * 60,
        seed in any::<u64>(),
    ) {
        let published = published();
        let first = parse_local("2024-03-05T00:00").expect("a local time");
        let issue_time = first + SignedDuration::from_mins(minutes);
        let before = describe(&history(published), issue_time);
        let after = describe(&history(&scrambled(published, issue_time, seed)), issue_time);
        prop_assert_eq!(before, after);
    }
}

#[test]
fn a_feature_that_looks_ahead_is_caught() {
    let published = published();
    let issue_time = parse_local("2024-04-10T09:57").expect("a local time");
    // The day-ahead price of the target day is published after the market closed.
    let leaky = |view: KnownAt<'_>| -> Option<f64> {
        let target = issue_time + SignedDuration::from_hours(24);
        let hour = Timestamp::from_second(target.as_second().div_euclid(3_600) * 3_600).ok()?;
        view.series(&SeriesKey::at(Series::DayAheadSpp, &point())).value_at(hour)
    };
    let original = history(published);
    let changed = history(&scrambled(published, issue_time, 3));
    let end = Timestamp::MAX;
    assert_ne!(leaky(original.known_at(end)), leaky(changed.known_at(end)));
    assert_eq!(leaky(original.known_at(issue_time)), leaky(changed.known_at(issue_time)));
}

#[test]
fn most_features_are_there_on_the_first_lead_day() {
    let published = published();
    let issue_time = parse_local("2024-04-10T09:57").expect("a local time");
    let view_of = history(published);
    let described = examples(&view_of.known_at(issue_time), &point(), &thresholds());
    let names = forecast::features::column_names();
    let missing: Vec<&str> = described.rows[18]
        .common
        .iter()
        .zip(&names)
        .filter(|(value, _)| value.is_nan())
        .map(|(_, name)| *name)
        .collect();
    // Only one weather zone is published here.
    assert!(missing.iter().all(|name| name.contains("ncent")), "{missing:?}");
}
