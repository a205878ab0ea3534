//! Which sizes are rounding, and why: the one place that decides it.
//!
//! A double has 53 bits. A sum of terms t_i is known to about `EPSILON` times the sum of |t_i|, whatever is left of it.
//! So a number is judged by the size of what it was computed from, never by its neighbours or by its own scale:
//!
//! | number | computed from | size |
//! |---|---|---|
//! | residual y - X b, effects taken out | outcome and parts of the fit as they were before | |y_i| + sum_k |x_ik b_k|, plus the root mean square of it over rows, since means and coefficients carry the rounding of other rows |
//! | coefficient z'y | outcome of every row | sum of w |z_i| times the row's size |
//! | sum of scores of a cluster | its residuals | sum of w |z_i| times the row's size, and of w |e_i| times the parts of z_i |
//! | variance a'Va | entries of V | sum of |a_i V_ij a_j| |
//! | effect by comparison of means | outcomes that entered | the largest of them times the sum of absolute weights |
//!
//! A number at or below [`floor`] of its size is rounding. An estimate that is rounding is 0; a variance that is rounding
//! is 0 in a covariance matrix, which means that there is no error and nothing to test.
//!
//! All sizes are homogeneous: the outcome in other units, rows in another order, other names change no decision. A
//! constant added to the outcome raises its sizes as it raises its rounding: at a mean of 1e13 two doubles differ by
//! 0.002, so that an error of 0.9 is one, and an error of 0.001 is not.

use crate::{Mat, MatRef, gram::sum_by};

/// Roundings that a number may carry in units of `EPSILON` times its size. Group means, absorption in two rounds, one
/// correction of the coefficients and the residual itself are about six operations on numbers of that size, each off by
/// half a unit at most, and their errors do not all have one sign: on noiseless panels of 12 to 100,000 rows the largest
/// seen is 1.5 units. The rest is margin.
pub const ROUNDINGS: f64 = 8.0;

/// What rounding can leave of a number that was computed from terms of this total size.
pub fn floor(size: f64) -> f64 {
    ROUNDINGS * f64::EPSILON * size
}

/// Whether a number is no more than rounding of terms of this total size.
pub fn is_rounding(value: f64, size: f64) -> bool {
    value.abs() <= floor(size)
}

/// The number, or exactly 0 where it is rounding.
pub fn or_zero(value: f64, size: f64) -> f64 {
    if is_rounding(value, size) { 0.0 } else { value }
}

/// The size of what each row's residual was computed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowSizes {
    /// n sizes in units of the outcome.
    pub rows: Vec<f64>,
    /// Sum of w size^2.
    pub square: f64,
}

impl RowSizes {
    /// Of y - X b: columns with their coefficients, as they were before anything was taken out.
    pub fn of_fit<'a>(
        outcome: &[f64],
        fit: impl IntoIterator<Item = (&'a [f64], f64)>,
        weights: Option<&[f64]>,
    ) -> RowSizes {
        let mut rows: Vec<f64> = outcome.iter().map(|it| it.abs()).collect();
        for (column, coef) in fit {
            rows.iter_mut().zip(column).for_each(|(size, x)| *size += (x * coef).abs());
        }
        RowSizes::new(rows, weights)
    }

    /// Adds the root mean square of the sizes to each, since every row carries rounding of the others.
    pub fn new(mut rows: Vec<f64>, weights: Option<&[f64]>) -> RowSizes {
        // Sizes are scaled before they are squared, so that outcomes of 1e200 or 1e-200 are judged like others.
        let largest = rows.iter().copied().fold(0.0, f64::max);
        if 0.0 < largest {
            let mean = sum_by(rows.len(), |i| (rows[i] / largest).powi(2)) / rows.len() as f64;
            let shared = largest * mean.sqrt();
            rows.iter_mut().for_each(|it| *it += shared);
        }
        let square = match weights {
            None => sum_by(rows.len(), |i| rows[i] * rows[i]),
            Some(w) => sum_by(rows.len(), |i| w[i] * rows[i] * rows[i]),
        };
        RowSizes { rows, square }
    }

    /// Whether residuals with this weighted sum of squares are rounding altogether.
    pub fn explain(&self, rss: f64) -> bool {
        rss.sqrt() <= floor(self.square.sqrt())
    }
}

/// a'Va for a covariance V; 0 where it is rounding of its parts.
pub fn quadratic(a: &[f64], v: MatRef<'_, f64>) -> f64 {
    let (mut value, mut size) = (0.0, 0.0);
    for (i, left) in a.iter().enumerate().filter(|it| *it.1 != 0.0) {
        for (j, right) in a.iter().enumerate().filter(|it| *it.1 != 0.0) {
            let part = left * v[(i, j)] * right;
            value += part;
            size += part.abs();
        }
    }
    or_zero(value, size)
}

/// The covariance L V L' of combinations, one a row of L, exactly symmetric. A combination whose variance is rounding
/// has zeros.
pub fn congruence(lines: MatRef<'_, f64>, v: MatRef<'_, f64>) -> Mat<f64> {
    let product = lines * v * lines.transpose();
    let k = product.nrows();
    let absolute = |of: MatRef<'_, f64>| Mat::from_fn(of.nrows(), of.ncols(), |i, j| of[(i, j)].abs());
    let (size, weights) = (absolute(v), absolute(lines));
    let parts = &weights * &size;
    let size = |i: usize| (0..v.nrows()).map(|j| parts[(i, j)] * weights[(i, j)]).sum::<f64>();
    let mut matrix = Mat::from_fn(k, k, |i, j| 0.5 * (product[(i, j)] + product[(j, i)]));
    for i in (0..k).filter(|&it| is_rounding(product[(it, it)], size(it))) {
        clear(&mut matrix, i);
    }
    matrix
}

/// Sets a row and its column to zero: that coefficient has no variance.
pub fn clear(matrix: &mut Mat<f64>, at: usize) {
    for i in 0..matrix.nrows() {
        matrix[(i, at)] = 0.0;
        matrix[(at, i)] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sums whose exact value is zero leave less than the floor, in any unit.
    #[test]
    fn what_is_left_of_exact_zeros_is_rounding() {
        for unit in [1.0, 3.0, 1e6, 1e-6, 1e150] {
            let values: Vec<f64> = (1..200).map(|it| unit * 0.1 * f64::from(it * 7 % 31)).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let (left, size) =
                values.iter().fold((0.0, 0.0), |(sum, size), it| (sum + it - mean, size + it + mean));
            assert!(is_rounding(left, size), "{left}");
            assert_eq!(or_zero(left, size), 0.0);
        }
    }

    #[test]
    fn an_error_beside_a_large_mean_is_no_rounding() {
        assert!(!is_rounding(0.93, 1e13));
        assert!(is_rounding(0.001, 1e13));
    }

    #[test]
    fn a_difference_of_equal_coefficients_has_no_variance() {
        let v = Mat::from_fn(3, 3, |i, j| {
            if i < 2 && j < 2 { 0.1 } else { [0.0, 0.0, 2.0][i.min(j)] * f64::from(u8::from(i == j)) }
        });
        assert_eq!(quadratic(&[0.3, -0.3, 0.0], v.as_ref()), 0.0);
        let lines = Mat::from_fn(2, 3, |i, j| [[1.0, -1.0, 0.0], [1.0, 0.0, 1.0]][i][j]);
        let found = congruence(lines.as_ref(), v.as_ref());
        assert_eq!((found[(0, 0)], found[(0, 1)]), (0.0, 0.0));
        assert!((found[(1, 1)] - 2.1).abs() < 1e-15);
    }

    #[test]
    fn sizes_of_a_fit() {
        let sizes = RowSizes::of_fit(&[1.0, -1.0], [(&[2.0, 0.0][..], -3.0)], None);
        let shared = (0.5 * (49.0_f64 + 1.0)).sqrt();
        assert!((sizes.rows[0] - 7.0 - shared).abs() < 1e-14 && (sizes.rows[1] - 1.0 - shared).abs() < 1e-14);
        assert!(sizes.explain(1e-30) && !sizes.explain(1e-20));
    }
}
