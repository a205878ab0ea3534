//! Cross-products that fill up batch by batch, apart from their solution.
//!
//! For data that never are in memory at once: `add` each batch, `merge` the parts of several workers in a fixed order,
//! then `solve`. What working precision loses is not recoverable afterwards, so the rank decision is coarser than that of
//! [`least_squares`](crate::least_squares).

use crate::gram::{gram_unchecked, sum_by};
use crate::least_squares::OrderedCholesky;
use crate::{LinalgError, check};
use faer::Mat;

/// X'WX, X'Wy and y'Wy of the rows seen so far.
#[derive(Clone, Debug)]
pub struct CrossProducts {
    /// X'WX (k x k).
    pub xtx: Mat<f64>,
    /// X'Wy (length k).
    pub xty: Vec<f64>,
    /// y'Wy.
    pub yty: f64,
    /// Rows seen.
    pub n: usize,
    /// Sum of weights; `n` without weights.
    pub sum_weights: f64,
}

/// The solution of the normal equations held by [`CrossProducts`].
#[derive(Clone, Debug)]
pub struct CrossProductSolution {
    /// One coefficient per kept column.
    pub coef: Vec<f64>,
    /// Indices of the kept columns, ascending.
    pub kept: Vec<usize>,
    /// Indices of the collinear columns, ascending.
    pub dropped: Vec<usize>,
    /// (X'WX)^{-1} of the kept columns.
    pub bread: Mat<f64>,
    /// y'Wy - b'X'Wy, at least zero. It loses digits when the fit is nearly perfect.
    pub rss: f64,
    /// Condition number of the scaled columns; relative errors are about its square times 1e-16.
    pub condition: f64,
}

impl CrossProducts {
    /// Empty sums for `k` columns.
    pub fn new(k: usize) -> Self {
        Self { xtx: Mat::zeros(k, k), xty: vec![0.0; k], yty: 0.0, n: 0, sum_weights: 0.0 }
    }

    /// Adds a batch of rows: k columns and an outcome of the same length.
    ///
    /// # Errors
    /// `DimensionMismatch`, `InvalidWeight`, `NonFinite`; the sums are unchanged then.
    pub fn add(&mut self, columns: &[&[f64]], y: &[f64], weights: Option<&[f64]>) -> Result<(), LinalgError> {
        let k = self.xty.len();
        check::length("columns", k, columns.len())?;
        for (index, column) in columns.iter().enumerate() {
            check::length("column", y.len(), column.len())?;
            check::finite(index, column)?;
        }
        check::finite(k, y)?;
        check::weights(weights, y.len())?;
        let mut all = columns.to_vec();
        all.push(y);
        let gram = gram_unchecked(&all, weights, y.len());
        for j in 0..k {
            for i in 0..k {
                self.xtx[(i, j)] += gram[(i, j)];
            }
            self.xty[j] += gram[(k, j)];
        }
        self.yty += gram[(k, k)];
        self.n += y.len();
        self.sum_weights += weights.map_or(y.len() as f64, |w| sum_by(w.len(), |i| w[i]));
        Ok(())
    }

    /// Adds the sums of other rows. The order of merging decides the last bits.
    ///
    /// # Errors
    /// `DimensionMismatch` when the numbers of columns differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), LinalgError> {
        check::length("columns", self.xty.len(), other.xty.len())?;
        self.xtx += &other.xtx;
        for (a, b) in self.xty.iter_mut().zip(&other.xty) {
            *a += b;
        }
        self.yty += other.yty;
        self.n += other.n;
        self.sum_weights += other.sum_weights;
        Ok(())
    }

    /// Solves the normal equations; earlier columns win.
    ///
    /// A column is dropped when earlier ones leave less than `max(collinearity_tolerance, 1e-6)` of its norm: sums in
    /// working precision cannot tell smaller shares from rounding.
    pub fn solve(&self, collinearity_tolerance: f64) -> CrossProductSolution {
        let k = self.xty.len();
        let norms: Vec<f64> = (0..k).map(|j| self.xtx[(j, j)].max(0.0).sqrt()).collect();
        let floor = collinearity_tolerance.max(1e-6).powi(2);
        let mut factor = OrderedCholesky::default();
        for j in (0..k).filter(|&j| norms[j] > 0.0) {
            let cross: Vec<f64> =
                factor.kept.iter().map(|&i| self.xtx[(j, i)] / (norms[i] * norms[j])).collect();
            factor.push(j, &cross, 1.0, floor);
        }
        let kept = factor.kept.clone();
        let unit = factor.inverse();
        let r = kept.len();
        let rhs: Vec<f64> = kept.iter().map(|&j| self.xty[j] / norms[j]).collect();
        let coef: Vec<f64> = factor.solve(&rhs).iter().zip(&kept).map(|(c, &j)| c / norms[j]).collect();
        let fit: f64 = coef.iter().zip(&kept).map(|(c, &j)| c * self.xty[j]).sum();
        let bread = Mat::from_fn(r, r, |a, b| unit[(a.max(b), a.min(b))] / (norms[kept[a]] * norms[kept[b]]));
        let condition =
            crate::least_squares::condition_of(&kept, &unit, |i, j| self.xtx[(i, j)] / (norms[i] * norms[j]));
        let dropped = (0..k).filter(|j| kept.binary_search(j).is_err()).collect();
        CrossProductSolution { coef, kept, dropped, bread, rss: (self.yty - fit).max(0.0), condition }
    }
}
