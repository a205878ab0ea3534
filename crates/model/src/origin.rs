//! Regressors measured from their own means, where a constant stands beside them.
//!
//! A regressor that is far from zero beside its spread (a calendar year, 1e9 plus noise) is nearly the constant, and cross
//! products of the two lose the digits in which they differ. Moving the origin into the data changes no slope, and the
//! constant is moved back at the end: coefficients b of the moved columns give T b, and their covariance T V T'.

use parallax_linalg::Mat;

use crate::{RegressionInput, Term};

/// Columns without their part in the constant, and what gives the constant back.
pub(crate) struct Origin {
    /// k columns; the constant is as it was.
    pub columns: Vec<Vec<f64>>,
    /// Share of the constant in each of the k columns; zero for itself.
    shares: Vec<f64>,
}

/// Where the constant has to be.
const FIRST: usize = 0;

impl Origin {
    /// Of a regression whose first column is the constant, or what a transformation made of it; none of others.
    pub fn of(input: &RegressionInput<'_>) -> Option<Origin> {
        let constant = input.columns.first()?;
        if input.terms.first() != Some(&Term::Intercept) || input.constant.is_some() {
            return None;
        }
        let weight = |row: usize| input.weights.map_or(1.0, |it| it[row]);
        let product = |x: &[f64]| -> f64 {
            x.iter().zip(*constant).enumerate().map(|(row, (x, c))| weight(row) * x * c).sum()
        };
        let square = product(constant);
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        let mut origin = Origin { columns: Vec::new(), shares: Vec::new() };
        for (at, column) in input.columns.iter().enumerate() {
            let mut column = column.to_vec();
            let mut share = 0.0;
            // The second round takes out what rounding of the first mean left.
            for _ in 0..if at == FIRST { 0 } else { 2 } {
                let part = product(&column) / square;
                column.iter_mut().zip(*constant).for_each(|(x, c)| *x -= part * c);
                share += part;
            }
            origin.columns.push(column);
            origin.shares.push(share);
        }
        Some(origin)
    }

    /// T for the kept columns; none where the constant is not among them.
    pub fn back(&self, kept: &[usize]) -> Option<Mat<f64>> {
        if kept.first() != Some(&FIRST) {
            return None;
        }
        Some(back(FIRST, &kept.iter().map(|&it| self.shares[it]).collect::<Vec<f64>>()))
    }
}

/// T: the coefficient of the constant less that of each column times its share (zero for the constant itself).
pub(crate) fn back(constant: usize, shares: &[f64]) -> Mat<f64> {
    Mat::from_fn(shares.len(), shares.len(), |i, j| match (i == j, i == constant) {
        (true, _) => 1.0,
        (false, true) => -shares[j],
        (false, false) => 0.0,
    })
}
