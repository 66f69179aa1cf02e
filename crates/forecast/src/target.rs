//! What happened: the highest 5-minute price of an hour, and whether we may be sure of it.
//!
//! An exceedance that was seen is certain. "None" needs coverage; without it the hour is unknown
//! and takes no part in training or scoring. Price basis: LMP without adders.

use market::observation::{KnownAt, Series, SeriesKey};
use market::place::SettlementPoint;
use market::time::MarketHour;
use market::units::DollarsPerMwh;

/// What the labels are made of; written beside every forecast.
pub const PRICE_BASIS: &str = "lmp";

/// Minutes of an hour that must be covered by known prices before "no exceedance" is certain.
pub const COVERED_MINUTES_MIN: f64 = 55.0;

/// The prices of one hour as far as they are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HourOutcome {
    /// Nothing, or too little without a high price, is known.
    Unknown,
    /// The highest 5-minute price, from part of the hour: higher ones may be missing.
    AtLeast(DollarsPerMwh),
    /// The highest 5-minute price of a covered hour.
    Known(DollarsPerMwh),
}

impl HourOutcome {
    /// Says whether a price above the threshold occurred; `None` when that is not known.
    #[must_use]
    pub fn exceeds(self, threshold: DollarsPerMwh) -> Option<bool> {
        match self {
            HourOutcome::Unknown => None,
            HourOutcome::AtLeast(max) => (threshold < max).then_some(true),
            HourOutcome::Known(max) => Some(threshold < max),
        }
    }
}

/// Returns what is known about the hours' prices, in the order of `hours`.
#[must_use]
pub fn outcomes<'h>(
    view: &KnownAt<'_>,
    point: &SettlementPoint,
    hours: impl IntoIterator<Item = &'h MarketHour>,
) -> Vec<HourOutcome> {
    let max = view.series(&SeriesKey::at(Series::HourlyMaxLmp, point));
    let coverage = view.series(&SeriesKey::at(Series::HourlyCoverage, point));
    let outcome = |hour: &MarketHour| {
        let price = max.value_at(hour.start).and_then(DollarsPerMwh::new);
        let covered = coverage.value_at(hour.start).unwrap_or(0.0);
        match price {
            Some(max) if COVERED_MINUTES_MIN <= covered => HourOutcome::Known(max),
            Some(max) => HourOutcome::AtLeast(max),
            None => HourOutcome::Unknown,
        }
    };
    hours.into_iter().map(outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exceedance_is_certain_and_none_needs_coverage() {
        let price = |value: f64| DollarsPerMwh::new(value).unwrap();
        let partly = HourOutcome::AtLeast(price(150.0));
        assert_eq!(partly.exceeds(price(100.0)), Some(true));
        assert_eq!(partly.exceeds(price(200.0)), None);
        assert_eq!(HourOutcome::Known(price(150.0)).exceeds(price(150.0)), Some(false));
        assert_eq!(HourOutcome::Unknown.exceeds(price(50.0)), None);
    }
}
