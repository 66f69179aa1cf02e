//! Symmetric positive definite systems, as ridge regression needs them: small and dense.

use serde::{Deserialize, Serialize};

/// A square matrix, row by row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Square {
    pub(super) size: usize,
    pub(super) values: Vec<f64>,
}

impl Square {
    pub(super) fn zero(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size] }
    }

    /// Adds `weight · x xᵀ` to the lower triangle.
    pub(super) fn add_outer(&mut self, x: &[f64], weight: f64) {
        for (i, &xi) in x.iter().enumerate() {
            let scale = weight * xi;
            let row = &mut self.values[i * self.size..][..=i];
            for (value, &xj) in row.iter_mut().zip(x) {
                *value += scale * xj;
            }
        }
    }

    /// Copies the lower triangle to the upper one.
    pub(super) fn mirror(&mut self) {
        for i in 0..self.size {
            for j in 0..i {
                self.values[j * self.size + i] = self.values[i * self.size + j];
            }
        }
    }

    /// Returns `xᵀ A x`.
    pub(super) fn quadratic(&self, x: &[f64]) -> f64 {
        self.values.chunks_exact(self.size).zip(x).map(|(row, xi)| xi * dot(row, x)).sum()
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The Cholesky factor of a symmetric positive definite matrix.
pub(super) struct Cholesky {
    lower: Square,
}

impl Cholesky {
    /// Factors the lower triangle; `None` when it is not positive definite.
    pub(super) fn of(mut matrix: Square) -> Option<Self> {
        let size = matrix.size;
        for i in 0..size {
            for j in 0..=i {
                let (row_i, row_j) = (i * size, j * size);
                let sum = matrix.values[row_i + j]
                    - dot(&matrix.values[row_i..row_i + j], &matrix.values[row_j..row_j + j]);
                if i == j {
                    if sum <= 0.0 || !sum.is_finite() {
                        return None;
                    }
                    matrix.values[row_i + i] = sum.sqrt();
                } else {
                    matrix.values[row_i + j] = sum / matrix.values[row_j + j];
                }
            }
        }
        Some(Self { lower: matrix })
    }

    /// Solves `A x = b`.
    pub(super) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let (size, lower) = (self.lower.size, &self.lower.values);
        let mut x = b.to_vec();
        for i in 0..size {
            let sum = x[i] - dot(&lower[i * size..][..i], &x[..i]);
            x[i] = sum / lower[i * size + i];
        }
        for i in (0..size).rev() {
            let sum: f64 = (i + 1..size).map(|j| lower[j * size + i] * x[j]).sum();
            x[i] = (x[i] - sum) / lower[i * size + i];
        }
        x
    }

    /// Returns `A⁻¹ M A⁻¹` for a symmetric `M`.
    pub(super) fn sandwich(&self, middle: &Square) -> Square {
        let size = middle.size;
        let solve_rows = |matrix: &[f64]| -> Vec<Vec<f64>> {
            matrix.chunks_exact(size).map(|row| self.solve(row)).collect()
        };
        // M is symmetric: solving its rows gives (A⁻¹ M)ᵀ, and solving the columns of that, A⁻¹ M A⁻¹.
        let half = solve_rows(&middle.values);
        let transposed: Vec<f64> =
            (0..size).flat_map(|j| half.iter().map(move |row| row[j])).collect();
        Square { size, values: solve_rows(&transposed).concat() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Square {
        let mut a = Square::zero(2);
        a.values = vec![4.0, 0.0, 2.0, 3.0];
        a
    }

    #[test]
    fn solves_by_hand() {
        // 4x + 2y = 8, 2x + 3y = 8 → x = 1, y = 2.
        let x = Cholesky::of(matrix()).unwrap().solve(&[8.0, 8.0]);
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_sandwich_around_the_matrix_itself_is_its_inverse() {
        let mut a = matrix();
        let cholesky = Cholesky::of(a.clone()).unwrap();
        a.mirror();
        let inverse = cholesky.sandwich(&a);
        let expected = [0.375, -0.25, -0.25, 0.5];
        assert!(inverse.values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((inverse.quadratic(&[1.0, 1.0]) - 0.375).abs() < 1e-12);
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_is_refused() {
        let mut a = matrix();
        a.values[3] = -3.0;
        assert!(Cholesky::of(a).is_none());
    }
}
