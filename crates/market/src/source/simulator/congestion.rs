//! Congestion: when lines are full, power costs less before them and more behind them.
//!
//! A few constraints stand for hundreds. Each has a loading that follows wind, sun and heat; beyond
//! its limit it has a shadow price, and every settlement point has a shift factor on it. Limits and
//! sizes are such that the hubs' distances from HB_NORTH are about those of 2024. The interface
//! names are ERCOT's, the contingencies invented.

use jiff::Timestamp;

use super::calendar::SimulatedHour;
use super::noise::{Noise, Stream};
use super::weather::Weather;
use crate::place::WeatherZone;

/// A transmission constraint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    PanhandleExport,
    WestExport,
    WestImport,
    HoustonImport,
    HoustonExport,
    SouthImport,
    SouthExport,
}

/// Beyond so many steps of its steepness a shadow price does not rise: then operators redispatch.
const REDISPATCHED: f64 = 6.0;

/// How many constraints there are.
pub(super) const LINES: usize = 7;

impl Line {
    pub(super) const ALL: [Line; LINES] = [
        Line::PanhandleExport,
        Line::WestExport,
        Line::WestImport,
        Line::HoustonImport,
        Line::HoustonExport,
        Line::SouthImport,
        Line::SouthExport,
    ];

    /// Returns the contingency and the element.
    pub(super) fn name(self) -> (&'static str, &'static str) {
        match self {
            Line::PanhandleExport => ("BASE CASE", "PNHNDL"),
            Line::WestExport => ("BASE CASE", "WESTEX"),
            Line::WestImport => ("DSIMWINK", "PERMIAN_IN"),
            Line::HoustonImport => ("DSIMSING", "N_TO_H"),
            Line::HoustonExport => ("DSIMZENI", "H_TO_N"),
            Line::SouthImport => ("DSIMLOBO", "NE_LOB"),
            Line::SouthExport => ("BASE CASE", "VALEXP"),
        }
    }

    /// Returns how far the weather loads the line; 0 is its limit on an ordinary day.
    fn loading(self, weather: &Weather) -> f64 {
        let [panhandle, coast, south, west, _] = weather.wind;
        let sun = weather.solar[2];
        let heat = |zone| ((weather.temperature(zone) - 22.0) / 10.0).clamp(-0.5, 1.5);
        match self {
            Line::PanhandleExport => 3.6 * (panhandle - 0.36),
            Line::WestExport => 3.6 * (west + 0.25 * sun - 0.56),
            Line::WestImport => {
                2.0 * (0.30 - west - 0.25 * sun) + 0.25 * heat(WeatherZone::FarWest) - 0.1
            }
            Line::HoustonImport => 0.9 * heat(WeatherZone::Coast) - 0.35 - 0.6 * coast,
            Line::HoustonExport => 1.6 * (coast - 0.55) - 0.3 * heat(WeatherZone::Coast) - 0.2,
            Line::SouthImport => 0.9 * heat(WeatherZone::Southern) - 0.45 - 0.9 * south,
            Line::SouthExport => 1.8 * (f64::midpoint(coast, south) - 0.48) - 0.1,
        }
    }

    /// Returns the shadow price per unit of loading beyond the limit, $/MWh.
    fn steepness(self) -> f64 {
        match self {
            Line::PanhandleExport => 11.0,
            Line::WestExport => 10.0,
            Line::WestImport => 20.0,
            Line::HoustonImport => 8.0,
            Line::HoustonExport => 10.0,
            Line::SouthImport => 10.0,
            Line::SouthExport => 16.0,
        }
    }
}

/// Returns the loading of every line in an hour: by the weather, by outages of lines, which last
/// for days, and by flows through the whole network.
pub(super) fn loadings(noise: Noise, hour: &SimulatedHour, weather: &Weather) -> [f64; LINES] {
    Line::ALL.map(|line| {
        let smooth = |hours| noise.smooth(Stream::LineLoading, line as u64, hour.start, hours);
        line.loading(weather) + 0.35 * smooth(120.0) + 0.35 * smooth(9.0)
    })
}

/// Returns the shadow prices at the loadings of the hour, $/MWh; 0 where a line is not full.
pub(super) fn shadow_prices(noise: Noise, at: Timestamp, loadings: &[f64; LINES]) -> [f64; LINES] {
    std::array::from_fn(|line| {
        let own = 0.22 * noise.smooth(Stream::LineLoading, line as u64, at, 1.3);
        let beyond = (loadings[line] + own).max(0.0);
        Line::ALL[line].steepness() * (beyond + 0.75 * beyond.powi(3)).min(REDISPATCHED)
    })
}

/// What full lines keep wind and solar parks from generating, as shares of what they could.
#[derive(Clone, Copy, Debug)]
pub(super) struct Curtailment {
    pub(super) wind: [f64; 5],
    pub(super) solar: f64,
}

/// Returns what is lost before full lines in a weather.
pub(super) fn curtailed(weather: &Weather) -> Curtailment {
    let beyond = |line: Line| line.loading(weather).max(0.0);
    let panhandle = (0.10 * beyond(Line::PanhandleExport)).min(0.4);
    let west = (0.06 * beyond(Line::WestExport)).min(0.3);
    Curtailment { wind: [panhandle, 0.0, 0.0, west, 0.0], solar: west }
}

/// The settlement points and by how much a line's shadow price moves their prices, in the order
/// of [`Line::ALL`]. HB_NORTH is where the system's price applies.
const POINTS: [(&str, [f64; LINES]); 14] = [
    ("HB_HOUSTON", HOUSTON),
    ("HB_NORTH", NORTH),
    ("HB_PAN", [-1.0, -0.5, 0.25, 0.0, 0.0, 0.0, 0.0]),
    ("HB_SOUTH", SOUTH),
    ("HB_WEST", WEST),
    ("HB_HUBAVG", mean_of_the_hubs()),
    ("HB_BUSAVG", [-0.02, -0.08, 0.10, 0.25, -0.22, 0.22, -0.20]),
    ("LZ_HOUSTON", [0.0, 0.0, 0.0, 1.08, -1.02, 0.0, 0.0]),
    ("LZ_NORTH", [0.01, 0.02, 0.0, 0.05, 0.0, 0.04, 0.0]),
    ("LZ_SOUTH", [0.0, 0.0, 0.0, 0.25, -0.1, 2.6, -1.1]),
    ("LZ_WEST", [-0.05, -0.8, 2.2, 0.0, 0.0, 0.0, 0.0]),
    ("LZ_AEN", [0.0, 0.02, 0.0, 0.2, -0.1, 1.2, -0.6]),
    ("LZ_CPS", [0.0, 0.02, 0.0, 0.2, -0.1, 1.4, -0.7]),
    ("LZ_LCRA", [0.0, 0.05, 0.0, 0.2, -0.1, 1.6, -0.6]),
];
const HOUSTON: [f64; LINES] = [0.0, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0];
const NORTH: [f64; LINES] = [0.0; LINES];
const SOUTH: [f64; LINES] = [0.0, 0.0, 0.0, 0.25, -0.15, 1.0, -1.0];
const WEST: [f64; LINES] = [0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0];

/// HB_HUBAVG is the mean of Houston, North, South and West.
const fn mean_of_the_hubs() -> [f64; LINES] {
    let mut mean = [0.0; LINES];
    let mut line = 0;
    while line < LINES {
        mean[line] = (HOUSTON[line] + NORTH[line] + SOUTH[line] + WEST[line]) / 4.0;
        line += 1;
    }
    mean
}

/// The hubs that are forecast when the user names no point.
pub(super) const HUBS: [&str; 5] = ["HB_HOUSTON", "HB_NORTH", "HB_PAN", "HB_SOUTH", "HB_WEST"];

/// Lists the settlement points that are simulated.
pub(super) fn point_names() -> impl Iterator<Item = &'static str> {
    POINTS.iter().map(|(name, _)| *name)
}

/// Where a settlement point stands in the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct PointShifts([f64; LINES]);

impl PointShifts {
    /// Returns the shifts of a settlement point; `None` for one that is not simulated.
    pub(super) fn of(name: &str) -> Option<Self> {
        POINTS.iter().find(|(known, _)| *known == name).map(|(_, shifts)| Self(*shifts))
    }

    /// Returns the distance from the system's price, $/MWh.
    pub(super) fn spread(&self, shadow_prices: &[f64; LINES]) -> f64 {
        self.0.iter().zip(shadow_prices).map(|(shift, price)| shift * price).sum()
    }
}
