//! References that rest on day-ahead prices alone: logistic regression on the price of the hour and
//! the highest of its day. What the market's own forecast says without any model of ours.
//!
//! On the prices of the issue day it is a reference to beat. On those of the target day, published
//! after the issue time, it shows what was known later and could not have been issued.

use crate::probability::probability;

/// Day-ahead prices in $/MWh; NaN where unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayAheadPrices {
    /// Of the hour.
    pub own: f64,
    /// The highest of its day.
    pub highest: f64,
}

/// A fitted logistic regression on day-ahead prices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FittedDayAhead {
    coefficients: [f64; 3],
}

/// Prices far below this count linearly, far above logarithmically.
const PRICE_SCALE: f64 = 30.0;
const RIDGE: f64 = 1.0;
const ITERATIONS_MAX: usize = 30;
const STEP_MIN: f64 = 1e-9;
/// Fewer exceedances would give a slope by accident.
const EXCEEDANCES_MIN: usize = 10;

/// Fits one threshold by Newton's method; `None` with too few exceedances.
#[must_use]
pub fn fit_day_ahead(rows: &[(DayAheadPrices, bool)]) -> Option<FittedDayAhead> {
    let known: Vec<([f64; 3], f64)> = rows
        .iter()
        .map(|(prices, exceeded)| (design(*prices), crate::arithmetic::outcome(*exceeded)))
        .filter(|(x, _)| x.iter().all(|value| value.is_finite()))
        .collect();
    if known.iter().filter(|(_, exceeded)| 0.5 < *exceeded).count() < EXCEEDANCES_MIN {
        return None;
    }
    let mut fitted = FittedDayAhead { coefficients: [0.0; 3] };
    for _ in 0..ITERATIONS_MAX {
        let (mut gradient, mut hessian) = ([0.0; 3], [[0.0; 3]; 3]);
        for slope in 1..3 {
            gradient[slope] = -RIDGE * fitted.coefficients[slope];
            hessian[slope][slope] = RIDGE;
        }
        for (x, exceeded) in &known {
            let p = fitted.of(x);
            for i in 0..3 {
                gradient[i] += (exceeded - p) * x[i];
                for j in 0..3 {
                    hessian[i][j] += p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        let step = solve(hessian, gradient)?;
        for (coefficient, step) in fitted.coefficients.iter_mut().zip(step) {
            *coefficient += step;
        }
        if step.iter().all(|step| step.abs() < STEP_MIN) {
            break;
        }
    }
    Some(fitted)
}

impl FittedDayAhead {
    /// Returns the probability; NaN where a price is unknown.
    #[must_use]
    pub fn probability(&self, prices: DayAheadPrices) -> f64 {
        self.of(&design(prices))
    }

    fn of(&self, x: &[f64; 3]) -> f64 {
        probability(self.coefficients.iter().zip(x).map(|(c, x)| c * x).sum())
    }
}

fn design(prices: DayAheadPrices) -> [f64; 3] {
    let scaled = |price: f64| (price / PRICE_SCALE).asinh();
    [1.0, scaled(prices.own), scaled(prices.highest)]
}

/// Solves a system of three equations by Cramer's rule; `None` when it is singular.
fn solve(matrix: [[f64; 3]; 3], right: [f64; 3]) -> Option<[f64; 3]> {
    let determinant = |m: [[f64; 3]; 3]| {
        m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
            - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
            + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    };
    let whole = determinant(matrix);
    let unknown = |column: usize| {
        let mut replaced = matrix;
        for (row, value) in replaced.iter_mut().zip(right) {
            row[column] = value;
        }
        determinant(replaced) / whole
    };
    let solution = [unknown(0), unknown(1), unknown(2)];
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    #[test]
    fn three_equations_by_hand() {
        let solution = solve([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0], [1.0, 0.0, 1.0]], [4.0, 6.0, 3.0]);
        assert_eq!(solution, Some([1.0, 2.0, 2.0]));
        assert_eq!(solve([[0.0; 3]; 3], [1.0; 3]), None);
    }

    #[test]
    fn probabilities_are_found_again_and_unknown_prices_say_nothing() {
        let mut random = Pcg64Mcg::seed_from_u64(9);
        let truth = FittedDayAhead { coefficients: [-6.0, 1.5, 0.5] };
        let mut row = || {
            let own = 20.0 + 200.0 * random.random::<f64>();
            let prices = DayAheadPrices { own, highest: own + 100.0 * random.random::<f64>() };
            (prices, random.random::<f64>() < truth.probability(prices))
        };
        let rows: Vec<_> = (0..20_000).map(|_| row()).collect();
        let fitted = fit_day_ahead(&rows).unwrap();
        for own in [30.0, 100.0, 200.0] {
            let prices = DayAheadPrices { own, highest: own + 50.0 };
            let (found, expected) = (fitted.probability(prices), truth.probability(prices));
            assert!((found / expected - 1.0).abs() < 0.15, "{found} {expected}");
        }
        let unknown = DayAheadPrices { own: f64::NAN, highest: 50.0 };
        assert!(fitted.probability(unknown).is_nan());
        assert_eq!(fit_day_ahead(&rows[..5]), None);
    }
}
