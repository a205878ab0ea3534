//! Weighted least squares with a rank decision in column order.
//!
//! | quantity | default | why |
//! |---|---|---|
//! | `collinearity_tolerance` | 1e-9 | The share of a column's norm that earlier columns leave. Exact combinations of absorbed columns leave the absorption error, below 1e-11; the hardest certified set (NIST Filip, powers up to x^10) leaves 5.2e-8, which R's default of 1e-7 drops and this keeps. |
//! | `SPANNED` | 1e-11 | The share of a column's reference norm (before effects or a mean were taken out) that these leave. Rounding leaves 1e-15, iteration less than this; 1e9 plus noise of one leaves 1e-9, and is a regressor. |
//! | `ROUNDED` | 1e-13 | What is left of a column given others is rounding below this share of the reference norms that it was computed from, its own and those of the others times their coefficients: the columns had that many digits before something was taken out of them. |
//! | `gram_condition_limit` | 1e3 | Inverting the Gram matrix loses the square of the condition of the scaled columns: at the limit 1e6 x 1.1e-16 = 1e-10, so standard errors keep ten digits. Above it the Gram matrix is formed again in twice the precision. |
//!
//! Coefficients of the Gram path are corrected once with the residuals of the data (Bjorck 1987, corrected seminormal
//! equations), so they are more accurate than the bound for the inverse.

use crate::gram::{self, column_norms, gram_unchecked, sum_by, sum_squares};
use crate::twice::{Twice, gram_twice, power_of_two, subtract_twice};
use crate::{LinalgError, check};
use faer::Mat;
use rayon::prelude::*;

/// Options of [`least_squares`]; the defaults are explained at the top of the module.
#[derive(Clone, Debug, PartialEq)]
pub struct LeastSquaresOptions {
    /// A column is collinear when what earlier columns leave of it is at most this share of its norm, or rounding of its
    /// reference norm. In (0, 1).
    pub collinearity_tolerance: f64,
    /// Largest condition number of the scaled columns for which the Gram matrix in working precision is trusted.
    /// Zero forces twice the precision.
    pub gram_condition_limit: f64,
}

impl Default for LeastSquaresOptions {
    fn default() -> Self {
        Self { collinearity_tolerance: 1e-9, gram_condition_limit: 1e3 }
    }
}

/// The path taken, with the condition number of the kept columns scaled to unit norm (1-norm estimate).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// Gram matrix and Cholesky in working precision, one correction from the residuals.
    Gram {
        /// sqrt(|G|_1 |G^-1|_1) of the scaled Gram matrix G.
        condition: f64,
    },
    /// Gram matrix and Cholesky in twice the working precision; at least as accurate as Householder QR.
    TwicePrecision {
        /// As for `Gram`.
        condition: f64,
    },
}

impl Method {
    /// Condition number of the kept columns scaled to unit norm.
    pub fn condition(&self) -> f64 {
        match *self {
            Self::Gram { condition } | Self::TwicePrecision { condition } => condition,
        }
    }
}

/// The solution of a least squares problem with n rows and k columns, r of them kept.
#[derive(Clone, Debug)]
pub struct LeastSquares {
    /// One coefficient per kept column, in the order of `kept` (length r).
    pub coef: Vec<f64>,
    /// Indices of the kept columns, ascending (length r).
    pub kept: Vec<usize>,
    /// Indices of the collinear columns, ascending (length k - r).
    pub dropped: Vec<usize>,
    /// (X'WX)^{-1} of the kept columns (r x r), exactly symmetric.
    pub bread: Mat<f64>,
    /// y - X b, not multiplied by weights (length n).
    pub residuals: Vec<f64>,
    /// sum w e^2.
    pub rss: f64,
    /// Path taken and condition number.
    pub method: Method,
}

/// Minimises sum w (y - X b)^2.
///
/// `columns` are k slices of length n, `y` has length n, `weights` are positive. `reference_norms` gives, per column, the
/// weighted norm before absorption (see [`column_norms`]): a column whose remaining norm is at most
/// `SPANNED` times it is collinear with the effects.
///
/// Earlier columns win: a column that is a combination of earlier kept columns is dropped, as in R and fixest. No column,
/// or none kept, gives empty coefficients and residuals equal to `y`.
///
/// # Errors
/// `DimensionMismatch`, `InvalidWeight`, `InvalidOption`; `NonFinite` with the column (k for `y`) and the row.
pub fn least_squares(
    columns: &[&[f64]],
    y: &[f64],
    weights: Option<&[f64]>,
    reference_norms: Option<&[f64]>,
    options: &LeastSquaresOptions,
) -> Result<LeastSquares, LinalgError> {
    let problem = Problem::new(columns, y, weights, reference_norms, options)?;
    match problem.solve_gram(options.gram_condition_limit) {
        Some(solution) => Ok(solution),
        None => problem.solve_twice(),
    }
}

/// Share of the reference norm that is nothing; see the top of the module.
const SPANNED: f64 = 1e-11;
/// Share of reference norms that is rounding; see the top of the module.
const ROUNDED: f64 = 1e-13;

struct Problem<'a> {
    columns: &'a [&'a [f64]],
    y: &'a [f64],
    weights: Option<&'a [f64]>,
    /// Norm at or below which a column is nothing, whatever the others are.
    nothing: Vec<f64>,
    /// Share of a column's norm that is collinear.
    tolerance: f64,
    norms: Vec<f64>,
    /// Norms before something was taken out.
    reference: Vec<f64>,
}

impl<'a> Problem<'a> {
    fn new(
        columns: &'a [&'a [f64]],
        y: &'a [f64],
        weights: Option<&'a [f64]>,
        reference_norms: Option<&[f64]>,
        options: &LeastSquaresOptions,
    ) -> Result<Self, LinalgError> {
        let tolerance = options.collinearity_tolerance;
        if !(tolerance > 0.0 && tolerance < 1.0) {
            let advice = "between 0 and 1, such as 1e-9";
            return Err(LinalgError::InvalidOption {
                option: "collinearity_tolerance",
                value: tolerance,
                advice,
            });
        }
        for (index, column) in columns.iter().enumerate() {
            check::length("column", y.len(), column.len())?;
            check::finite(index, column)?;
        }
        check::finite(columns.len(), y)?;
        check::weights(weights, y.len())?;
        let norms = column_norms(columns, weights);
        let reference = reference_norms.unwrap_or(&norms);
        check::length("reference_norms", columns.len(), reference.len())?;
        let reference: Vec<f64> = norms.iter().zip(reference).map(|(n, r)| n.max(*r)).collect();
        let nothing = reference.iter().map(|it| SPANNED * it).collect();
        Ok(Self { columns, y, weights, nothing, tolerance, norms, reference })
    }

    /// What may be left of column `j` where it is the combination `coef` of the columns `kept`.
    fn floor(&self, j: usize, kept: &[usize], coef: &[f64]) -> f64 {
        let others: f64 = kept.iter().zip(coef).map(|(&i, c)| c.abs() * self.reference[i]).sum();
        (self.tolerance * self.norms[j]).max(ROUNDED * (self.reference[j] + others))
    }

    /// The Gram path, or `None` when twice the precision is needed.
    fn solve_gram(&self, condition_limit: f64) -> Option<LeastSquares> {
        let mut all = self.columns.to_vec();
        all.push(self.y);
        let gram = gram_unchecked(&all, self.weights, self.y.len());
        let k = self.columns.len();
        let scaled = |i: usize, j: usize| gram[(i, j)] / (self.norms[i] * self.norms[j]);
        let mut factor = OrderedCholesky::default();
        // A pivot below this says that the column may be collinear, but the Gram matrix cannot tell by how much.
        let doubtful = 1.0 / (condition_limit * condition_limit).max(1.0);
        for j in 0..k {
            if self.norms[j] <= self.nothing[j] {
                continue;
            }
            let column: Vec<f64> = factor.kept.iter().map(|&i| scaled(j, i)).collect();
            let accepted = factor.push(j, &column, 1.0, doubtful);
            if !accepted {
                let (remaining, coef) = self.remaining(j, &factor, &column);
                if remaining > self.floor(j, &factor.kept, &coef) {
                    return None;
                }
            }
        }
        let kept = factor.kept.clone();
        let inverse = factor.inverse();
        let condition = condition_of(&kept, &inverse, scaled);
        if condition > condition_limit {
            return None;
        }
        let bread = Mat::from_fn(kept.len(), kept.len(), |a, b| {
            inverse[(a.max(b), a.min(b))] / (self.norms[kept[a]] * self.norms[kept[b]])
        });
        let rhs: Vec<f64> = kept.iter().map(|&j| gram[(k, j)]).collect();
        let mut coef = multiply(&bread, &rhs);
        let gap = self.cross(&kept, &self.residuals(&kept, &coef));
        for (c, d) in coef.iter_mut().zip(multiply(&bread, &gap)) {
            *c += d;
        }
        let residuals = self.residuals(&kept, &coef);
        Some(self.finish(kept, coef, bread, residuals, Method::Gram { condition }))
    }

    /// Norm of what the kept columns leave of column `j`, and its coefficients on them, from the data: one solution and
    /// one correction.
    fn remaining(&self, j: usize, factor: &OrderedCholesky, scaled_cross: &[f64]) -> (f64, Vec<f64>) {
        let kept = &factor.kept;
        let unscale = |c: Vec<f64>| -> Vec<f64> {
            c.iter().zip(kept).map(|(c, &i)| c * self.norms[j] / self.norms[i]).collect()
        };
        let mut coef = unscale(factor.solve(scaled_cross));
        let rest = self.minus_fit(self.columns[j], kept, &coef);
        let gap: Vec<f64> = self
            .cross(kept, &rest)
            .iter()
            .zip(kept)
            .map(|(g, &i)| g / (self.norms[i] * self.norms[j]))
            .collect();
        for (c, d) in coef.iter_mut().zip(unscale(factor.solve(&gap))) {
            *c += d;
        }
        (sum_squares(&self.minus_fit(self.columns[j], kept, &coef), self.weights).sqrt(), coef)
    }

    /// The path in twice the precision.
    fn solve_twice(&self) -> Result<LeastSquares, LinalgError> {
        let k = self.columns.len();
        let mut all = self.columns.to_vec();
        all.push(self.y);
        let scale: Vec<f64> = all.par_iter().map(|c| power_of_two(c)).collect();
        let gram = gram_twice(&all, &scale, self.weights, self.y.len());
        let at = |i: usize, j: usize| gram[i + j * (k + 1)];
        let mut factor = OrderedCholeskyTwice::default();
        let scales = &scale;
        for (j, &scale) in scales.iter().take(k).enumerate() {
            if self.norms[j] > self.nothing[j] {
                let column: Vec<Twice> = factor.kept.iter().map(|&i| at(j, i)).collect();
                // In the columns' own units, from those of the powers of two.
                let solved = factor.solve(&column);
                let own = solved.iter().zip(&factor.kept);
                let coef: Vec<f64> = own.map(|(c, &i)| c.value() * scales[i] / scale).collect();
                let floor = self.floor(j, &factor.kept, &coef) * scale;
                factor.push(j, &column, at(j, j), floor * floor);
            }
        }
        let kept = factor.kept.clone();
        let rhs: Vec<Twice> = kept.iter().map(|&j| at(j, k)).collect();
        let coef: Vec<Twice> = factor.solve(&rhs);
        // Undoing powers of two is exact, in both halves.
        let unscaled: Vec<Twice> =
            coef.iter().zip(&kept).map(|(c, &j)| c.mul(Twice::new(scale[j] / scale[k]))).collect();
        let residuals = self.residuals_twice(&kept, &unscaled);
        let inverse = factor.inverse();
        let bread = Mat::from_fn(kept.len(), kept.len(), |a, b| {
            inverse[a.max(b)][a.min(b)].value() * scale[kept[a]] * scale[kept[b]]
        });
        let unit = Mat::from_fn(kept.len(), kept.len(), |a, b| {
            bread[(a, b)] * self.norms[kept[a]] * self.norms[kept[b]]
        });
        let cross =
            |i: usize, j: usize| at(i, j).value() / (scale[i] * scale[j]) / (self.norms[i] * self.norms[j]);
        let condition = condition_of(&kept, &unit, cross);
        let coef = unscaled.iter().map(|c| c.value()).collect();
        Ok(self.finish(kept, coef, bread, residuals, Method::TwicePrecision { condition }))
    }

    fn finish(
        &self,
        kept: Vec<usize>,
        coef: Vec<f64>,
        bread: Mat<f64>,
        residuals: Vec<f64>,
        method: Method,
    ) -> LeastSquares {
        let dropped = (0..self.columns.len()).filter(|j| kept.binary_search(j).is_err()).collect();
        let rss = sum_squares(&residuals, self.weights);
        LeastSquares { coef, kept, dropped, bread, residuals, rss, method }
    }

    fn residuals(&self, kept: &[usize], coef: &[f64]) -> Vec<f64> {
        self.minus_fit(self.y, kept, coef)
    }

    /// target - X b over fixed row blocks.
    fn minus_fit(&self, target: &[f64], kept: &[usize], coef: &[f64]) -> Vec<f64> {
        let mut out = target.to_vec();
        out.par_chunks_mut(gram::BLOCK).enumerate().for_each(|(block, out)| {
            let from = block * gram::BLOCK;
            // Short runs of rows keep the output in the first-level cache while the columns pass by.
            for (run, out) in out.chunks_mut(1024).enumerate() {
                let from = from + run * 1024;
                for (&j, &b) in kept.iter().zip(coef) {
                    for (o, x) in out.iter_mut().zip(&self.columns[j][from..]) {
                        *o -= b * x;
                    }
                }
            }
        });
        out
    }

    fn residuals_twice(&self, kept: &[usize], coef: &[Twice]) -> Vec<f64> {
        let mut out = self.y.to_vec();
        out.par_chunks_mut(gram::BLOCK).enumerate().for_each(|(block, out)| {
            for (run, out) in out.chunks_mut(1024).enumerate() {
                let from = block * gram::BLOCK + run * 1024;
                let columns: Vec<&[f64]> =
                    kept.iter().map(|&j| &self.columns[j][from..from + out.len()]).collect();
                subtract_twice(out, &columns, coef);
            }
        });
        out
    }

    /// X'W v for the kept columns.
    fn cross(&self, kept: &[usize], v: &[f64]) -> Vec<f64> {
        kept.par_iter()
            .map(|&j| {
                let x = self.columns[j];
                match self.weights {
                    None => sum_by(v.len(), |i| x[i] * v[i]),
                    Some(w) => sum_by(v.len(), |i| w[i] * x[i] * v[i]),
                }
            })
            .collect()
    }
}

/// sqrt(|G|_1 |G^-1|_1) for the scaled Gram matrix over `kept`.
pub(crate) fn condition_of(kept: &[usize], inverse: &Mat<f64>, gram: impl Fn(usize, usize) -> f64) -> f64 {
    let r = kept.len();
    let norm = |entry: &dyn Fn(usize, usize) -> f64| -> f64 {
        (0..r).map(|b| (0..r).map(|a| entry(a, b).abs()).sum::<f64>()).fold(0.0, f64::max)
    };
    if r == 0 {
        return 1.0;
    }
    (norm(&|a, b| gram(kept[a.max(b)], kept[a.min(b)])) * norm(&|a, b| inverse[(a.max(b), a.min(b))])).sqrt()
}

fn multiply(a: &Mat<f64>, v: &[f64]) -> Vec<f64> {
    (0..a.nrows()).map(|i| v.iter().enumerate().map(|(j, x)| a[(i, j)] * x).sum()).collect()
}

/// Cholesky factor that grows by one column at a time and refuses columns with a small pivot.
#[derive(Default)]
pub(crate) struct OrderedCholesky {
    /// Indices of the accepted columns.
    pub(crate) kept: Vec<usize>,
    /// Row i of L, entries 0..=i.
    rows: Vec<Vec<f64>>,
}

impl OrderedCholesky {
    /// Accepts column `index` with cross-products `cross` against the kept columns and `diagonal` with itself, unless the
    /// pivot is at most `floor`.
    pub(crate) fn push(&mut self, index: usize, cross: &[f64], diagonal: f64, floor: f64) -> bool {
        let mut row = self.forward(cross);
        let pivot = diagonal - row.iter().map(|l| l * l).sum::<f64>();
        if pivot <= floor || !pivot.is_finite() {
            return false;
        }
        row.push(pivot.sqrt());
        self.rows.push(row);
        self.kept.push(index);
        true
    }

    /// Solves L L' x = b over the kept columns.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.forward(b);
        for i in (0..x.len()).rev() {
            let row = &self.rows[i];
            x[i] /= row[i];
            let xi = x[i];
            for (x, l) in x[..i].iter_mut().zip(row) {
                *x -= l * xi;
            }
        }
        x
    }

    /// (L L')^{-1}.
    pub(crate) fn inverse(&self) -> Mat<f64> {
        let r = self.kept.len();
        let mut inverse = Mat::zeros(r, r);
        for j in 0..r {
            let mut unit = vec![0.0; r];
            unit[j] = 1.0;
            for (i, x) in self.solve(&unit).into_iter().enumerate() {
                inverse[(i, j)] = x;
            }
        }
        inverse
    }

    fn forward(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = Vec::with_capacity(b.len() + 1);
        for (row, &b) in self.rows.iter().zip(b) {
            let i = x.len();
            let known: f64 = row.iter().zip(&x).map(|(l, x)| l * x).sum();
            x.push((b - known) / row[i]);
        }
        x
    }
}

/// [`OrderedCholesky`] in twice the precision.
#[derive(Default)]
struct OrderedCholeskyTwice {
    kept: Vec<usize>,
    rows: Vec<Vec<Twice>>,
}

impl OrderedCholeskyTwice {
    fn push(&mut self, index: usize, cross: &[Twice], diagonal: Twice, floor: f64) {
        let mut row = self.forward(cross);
        let pivot = row.iter().fold(diagonal, |rest, l| rest.sub(l.mul(*l)));
        if pivot.value() > floor {
            row.push(pivot.sqrt());
            self.rows.push(row);
            self.kept.push(index);
        }
    }

    fn solve(&self, b: &[Twice]) -> Vec<Twice> {
        let mut x = self.forward(b);
        for i in (0..x.len()).rev() {
            let row = &self.rows[i];
            x[i] = x[i].div(row[i]);
            let xi = x[i];
            for (x, l) in x[..i].iter_mut().zip(row) {
                *x = x.sub(l.mul(xi));
            }
        }
        x
    }

    /// Columns of (L L')^{-1}.
    fn inverse(&self) -> Vec<Vec<Twice>> {
        let r = self.kept.len();
        (0..r)
            .map(|j| {
                let mut unit = vec![Twice::ZERO; r];
                unit[j] = Twice::new(1.0);
                self.solve(&unit)
            })
            .collect()
    }

    fn forward(&self, b: &[Twice]) -> Vec<Twice> {
        let mut x: Vec<Twice> = Vec::with_capacity(b.len() + 1);
        for (row, &b) in self.rows.iter().zip(b) {
            let i = x.len();
            let rest = row.iter().zip(&x).fold(b, |rest, (l, x)| rest.sub(l.mul(*x)));
            x.push(rest.div(row[i]));
        }
        x
    }
}
