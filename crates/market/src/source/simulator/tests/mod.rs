//! What the simulated market must be like: deterministic, without foresight, complete, and
//! consistent with itself. How it compares with the real one is in `tests/simulated_market.rs`.

mod forecasts;
mod publication;
mod real_time;

use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::{Simulator, SimulatorSettings, Vintages};
use crate::observation::{Observation, ResourceKind, Series, SeriesKey};
use crate::place::{Place, Region, SettlementPoint, WeatherZone};
use crate::source::{FetchRequest, Source};
use crate::time::OperatingDay;

const SEED: u64 = 1;

fn world(first_day: Date, vintages: Vintages) -> Simulator {
    Simulator::new(SimulatorSettings { seed: SEED, first_day, vintages })
}

fn simulator() -> Simulator {
    world(date(2022, 1, 1), Vintages::BeforeTheMarket)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn key(series: Series, place: &str) -> SeriesKey {
    SeriesKey { series, place: Place::named(place).unwrap() }
}

fn fetch(
    simulator: &Simulator,
    key: &SeriesKey,
    after: Option<&str>,
    until: &str,
) -> Vec<Observation> {
    let request = FetchRequest {
        key: key.clone(),
        published_after: after.map(at),
        published_until: at(until),
    };
    simulator.fetch(&request).unwrap()
}

/// Fetches what was published on some days.
fn fetch_days(simulator: &Simulator, key: &SeriesKey, first: Date, days: i32) -> Vec<Observation> {
    let first = OperatingDay::new(first);
    let (after, until) = (first.start().to_string(), first.plus_days(days).start().to_string());
    fetch(simulator, key, Some(&after), &until)
}

/// Every series that ERCOT publishes, at the system or at one place of each kind.
fn every_key() -> Vec<SeriesKey> {
    let mut keys = Vec::new();
    for &series in Series::all() {
        let places: &[&str] = match series {
            Series::HourlyMaxLmp
            | Series::HourlyMeanLmp
            | Series::HourlyCoverage
            | Series::WindSpeedForecast
            | Series::RadiationForecast => &[],
            Series::RealTimeLmp | Series::RealTimeSpp | Series::DayAheadSpp => {
                &["HB_HUBAVG", "LZ_WEST"]
            }
            Series::ShadowPrice => &["BASE CASE/WESTEX"],
            Series::Temperature | Series::TemperatureForecast => &["WZ_COAST", "WZ_NCENT"],
            Series::LoadActual | Series::LoadForecast | Series::LoadForecastBy(_) => {
                &["ERCOT", "WZ_FWEST"]
            }
            Series::WindActual | Series::WindForecast => &["ERCOT", "WIND_COASTAL", "ZONE_WEST"],
            Series::SolarActual | Series::SolarForecast => &["ERCOT", "SOLAR_FAR_WEST"],
            Series::OutageCapacity(_) => &["ERCOT", "ZONE_HOUSTON"],
            _ => &["ERCOT"],
        };
        keys.extend(places.iter().map(|place| key(series, place)));
    }
    keys
}

fn regions(from: Region, to: Region) -> Vec<Place> {
    let regions = Region::ALL.iter().copied().filter(|region| (from..=to).contains(region));
    regions.map(Place::Region).collect()
}

/// Checks that at every interval and publication the parts add up to the whole.
fn check_sum(simulator: &Simulator, series: Series, whole: &Place, parts: &[Place]) {
    let values = |place: &Place| {
        fetch_days(simulator, &SeriesKey { series, place: place.clone() }, date(2024, 3, 9), 3)
    };
    let whole = values(whole);
    assert!(!whole.is_empty(), "{series:?}");
    let parts: Vec<Vec<Observation>> = parts.iter().map(values).collect();
    for (index, of_whole) in whole.iter().enumerate() {
        let sum: f64 = parts.iter().map(|part| part[index].value).sum();
        // Outages are published in whole megawatts.
        assert!((sum - of_whole.value).abs() < 3.0, "{series:?}: {sum} {of_whole:?}");
        let same = |o: &Observation| {
            (o.interval_start, o.published_at) == (of_whole.interval_start, of_whole.published_at)
        };
        assert!(parts.iter().all(|part| same(&part[index])), "{series:?}");
    }
}

#[test]
fn the_parts_of_texas_add_up_to_the_system() {
    let simulator = simulator();
    let zones: Vec<Place> = WeatherZone::ALL.iter().map(|zone| Place::WeatherZone(*zone)).collect();
    for series in [Series::LoadActual, Series::LoadForecast] {
        check_sum(&simulator, series, &Place::System, &zones);
    }
    let wind = regions(Region::WindPanhandle, Region::WindNorth);
    let wind_zones =
        [Region::ZoneSouthHouston, Region::ZoneWest, Region::ZoneNorth].map(Place::Region);
    for series in [Series::WindActual, Series::WindHsl, Series::WindForecast] {
        check_sum(&simulator, series, &Place::System, &wind);
        check_sum(&simulator, series, &Place::System, &wind_zones);
    }
    let solar = regions(Region::SolarCenterWest, Region::SolarCenterEast);
    for series in [Series::SolarActual, Series::SolarHsl, Series::SolarForecast] {
        check_sum(&simulator, series, &Place::System, &solar);
    }
    let zones = regions(Region::ZoneHouston, Region::ZoneWest);
    for kind in ResourceKind::ALL {
        check_sum(&simulator, Series::OutageCapacity(kind), &Place::System, &zones);
    }
}

#[test]
fn a_place_where_nothing_is_published_is_empty() {
    for (series, place) in [
        (Series::RealTimeLmp, "HB_NOWHERE"),
        (Series::RealTimeLmp, "WZ_COAST"),
        (Series::DayAheadSpp, "LZ_NOWHERE"),
        (Series::WindActual, "SOLAR_FAR_WEST"),
        (Series::SolarActual, "WIND_COASTAL"),
        (Series::LoadForecast, "ZONE_WEST"),
        (Series::ShadowPrice, "BASE CASE/NOTHING"),
        (Series::Temperature, "ERCOT"),
        (Series::WindSpeedForecast, "WZ_WEST"),
    ] {
        let nothing = fetch_days(&simulator(), &key(series, place), date(2024, 3, 9), 3);
        assert!(nothing.is_empty(), "{series:?} at {place}");
    }
}

#[test]
fn every_named_point_has_prices() {
    let points: Vec<SettlementPoint> = Simulator::settlement_points();
    assert!(9 <= points.len());
    for point in points {
        for series in [Series::RealTimeLmp, Series::RealTimeSpp, Series::DayAheadSpp] {
            let key = SeriesKey::at(series, &point);
            assert!(!fetch_days(&simulator(), &key, date(2024, 3, 9), 1).is_empty(), "{key}");
        }
    }
    let bound = |constraint| {
        let key = SeriesKey { series: Series::ShadowPrice, place: Place::Constraint(constraint) };
        !fetch_days(&simulator(), &key, date(2024, 1, 1), 200).is_empty()
    };
    assert!(Simulator::constraints().into_iter().all(bound));
}
