//! Gathers the two markets that are compared: several simulated worlds, and the real one where its
//! data is present.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::date;
use market::observation::{Observation, Series, SeriesKey};
use market::place::SettlementPoint;
use market::source::files::FileSource;
use market::source::simulator::{Simulator, SimulatorSettings, Vintages};
use market::source::{FetchRequest, Source};
use market::time::OperatingDay;

use super::{HourMaximum, hour_maxima, latest, spreads};

/// So many worlds are taken together, that one hot summer decides nothing.
pub(crate) const SEEDS: std::ops::RangeInclusive<u64> = 1..=6;

/// The hubs that are compared with HB_NORTH.
pub(crate) const OTHER_HUBS: [&str; 4] = ["HB_HOUSTON", "HB_SOUTH", "HB_WEST", "HB_PAN"];

/// Prices of a settlement point by the start of their run or slot.
pub(crate) type Prices = Vec<(Timestamp, f64)>;

/// Returns the folder of real data, which is not part of the repository.
pub(crate) fn real_data() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    folder.join("rt_lmp_5min_hubavg.parquet").exists().then_some(folder)
}

/// Opens the real market.
pub(crate) fn real(folder: &Path) -> Vec<Box<dyn Source>> {
    vec![Box::new(FileSource::open(folder).expect("the folder is in the documented layout"))]
}

/// Opens the simulated worlds.
pub(crate) fn simulated() -> Vec<Box<dyn Source>> {
    let world = |seed| -> Box<dyn Source> {
        Box::new(Simulator::new(SimulatorSettings {
            seed,
            first_day: date(2020, 1, 1),
            vintages: Vintages::BeforeTheMarket,
        }))
    };
    SEEDS.map(world).collect()
}

/// Fetches the real-time prices of some years, world by world.
pub(crate) fn prices(
    sources: &[Box<dyn Source>],
    point: &str,
    first: i16,
    last: i16,
) -> Vec<Prices> {
    let from = OperatingDay::new(date(first, 1, 1)).start();
    let to = OperatingDay::new(date(last + 1, 1, 1)).start();
    let point = SettlementPoint::new(point).expect("it is ERCOT's spelling");
    let key = SeriesKey::at(Series::RealTimeLmp, &point);
    let fetch = |source: &dyn Source| -> Prices {
        let request = FetchRequest {
            key: key.clone(),
            published_after: Some(from),
            published_until: to + jiff::SignedDuration::from_hours(24 * 8),
        };
        let all: Vec<Observation> = source.fetch(&request).expect("the source answers");
        let within = |(start, _): &(Timestamp, f64)| from <= *start && *start < to;
        latest(&all).into_iter().filter(within).collect()
    };
    sources.iter().map(|source| fetch(source.as_ref())).collect()
}

/// Returns the hours of all worlds after each other.
pub(crate) fn hours(prices: &[Prices]) -> Vec<HourMaximum> {
    prices.iter().flat_map(|prices| hour_maxima(prices)).collect()
}

/// Leaves out the winter storm of February 2021: one such week in five years decides every
/// February, and most of what is known about prices above $1,000.
pub(crate) fn without_the_storm(hours: &[HourMaximum]) -> Vec<HourMaximum> {
    let storm = date(2021, 2, 12)..=date(2021, 2, 19);
    hours.iter().filter(|m| !storm.contains(&m.hour.operating_day.date())).copied().collect()
}

/// Returns the prices of all worlds without their times.
pub(crate) fn values(prices: &[Prices]) -> Vec<f64> {
    prices.iter().flatten().map(|(_, price)| *price).collect()
}

/// Returns the distances of a hub from HB_NORTH in 2024.
pub(crate) fn hub_spreads(sources: &[Box<dyn Source>], hub: &str) -> Vec<f64> {
    let (hub, north) = (prices(sources, hub, 2024, 2024), prices(sources, "HB_NORTH", 2024, 2024));
    hub.iter().zip(&north).flat_map(|(hub, north)| spreads(hub, north)).collect()
}
