//! What is installed, by year. Real growth until 2024 (wind and solar so that the highest hours of
//! 2020 to 2024 are those of ERCOT), plausible growth after it.

/// What is installed, MW.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fleet {
    /// Power plants that burn or split something.
    pub(super) dispatchable: f64,
    pub(super) wind: f64,
    pub(super) solar: f64,
    pub(super) storage: f64,
}

/// The years since 2022 of the first entry of every table; one entry a year follows.
const FIRST_YEAR: f64 = -4.0;

/// GW at the start of 2018, 2019, ….
const DISPATCHABLE: [f64; 12] =
    [66.0, 66.6, 67.2, 69.4, 71.8, 73.4, 74.2, 75.0, 76.5, 78.5, 80.5, 82.5];
const WIND: [f64; 12] = [22.0, 24.0, 27.0, 31.0, 35.0, 37.2, 38.5, 39.6, 40.6, 41.6, 42.6, 43.6];
const SOLAR: [f64; 12] = [1.2, 1.9, 2.9, 5.8, 9.6, 13.2, 19.0, 27.5, 33.5, 39.0, 44.0, 48.0];
const STORAGE: [f64; 12] = [0.1, 0.1, 0.2, 0.3, 1.0, 2.4, 4.0, 8.0, 12.5, 16.0, 19.0, 21.5];

/// The share of wind that stands in a region: panhandle, coast, south, west, north.
pub(super) const WIND_SHARES: [f64; 5] = [0.12, 0.13, 0.17, 0.46, 0.12];
/// The share of solar that stands in a region: centre-west, north-west, far west, far east,
/// south-east, centre-east.
pub(super) const SOLAR_SHARES: [f64; 6] = [0.22, 0.10, 0.34, 0.08, 0.12, 0.14];

impl Fleet {
    /// Returns the fleet so many years after the start of 2022.
    pub(super) fn at(years: f64) -> Self {
        Self {
            dispatchable: interpolated(&DISPATCHABLE, years),
            wind: interpolated(&WIND, years),
            solar: interpolated(&SOLAR, years),
            storage: interpolated(&STORAGE, years),
        }
    }
}

/// Returns MW; before and after the table the first and last entries stay.
fn interpolated(table: &[f64], years: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a dozen entries")]
    let place = (years - FIRST_YEAR).clamp(0.0, (table.len() - 1) as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small index")]
    let index = (place as usize).min(table.len() - 2);
    #[expect(clippy::cast_precision_loss, reason = "a dozen entries")]
    let share = place - index as f64;
    1_000.0 * (table[index] + share * (table[index + 1] - table[index]))
}
