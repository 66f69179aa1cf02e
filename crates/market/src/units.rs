//! Units as types. What has a unit and crosses a module border is one of these.

use std::fmt;

/// A price in dollars per megawatt-hour. Finite; may be negative.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct DollarsPerMwh(f64);

impl DollarsPerMwh {
    /// Rejects NaN and infinities.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// Returns the number of dollars per megawatt-hour.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for DollarsPerMwh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.0)
    }
}

/// What a series' values are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Energy's price.
    DollarsPerMwh,
    /// Capacity's price, for an hour.
    DollarsPerMw,
    /// Power.
    Megawatts,
    /// Time.
    Minutes,
    /// Temperature.
    DegreesCelsius,
    /// Wind.
    MetresPerSecond,
    /// Sunshine.
    WattsPerSquareMetre,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::DollarsPerMwh => "$/MWh",
            Unit::DollarsPerMw => "$/MW",
            Unit::Megawatts => "MW",
            Unit::Minutes => "min",
            Unit::DegreesCelsius => "°C",
            Unit::MetresPerSecond => "m/s",
            Unit::WattsPerSquareMetre => "W/m²",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_may_be_negative_but_is_always_a_number() {
        assert_eq!(DollarsPerMwh::new(-31.5).map(DollarsPerMwh::value), Some(-31.5));
        assert_eq!(DollarsPerMwh::new(f64::NAN), None);
        assert_eq!(DollarsPerMwh::new(f64::INFINITY), None);
    }
}
