//! Influence functions of coefficients: what bootstraps, differences between estimators and coarser clusters are
//! made of.

use parallax_linalg::{
    Mat,
    rounding::{is_rounding, or_zero},
};

use crate::{Design, FitError, Regression};

/// Estimate less truth as a sum over units, up to terms of smaller order.
///
/// Where the covariance has no factor for small samples it is the sum over clusters of psi psi', psi a cluster's
/// sum of rows.
#[derive(Clone, Debug, PartialEq)]
pub struct InfluenceFunctions {
    /// One row a unit of the sample, one column a term of the estimate.
    pub values: Mat<f64>,
    /// Code of each row's unit in the *panel*, ascending, so that estimates on different samples meet.
    pub units: Vec<u32>,
}

impl InfluenceFunctions {
    /// Values whose rows are the units of a design.
    pub fn new(design: &Design<'_>, values: Mat<f64>) -> InfluenceFunctions {
        let mut units = vec![0; design.units.n_groups()];
        for (row, &unit) in design.sample.rows().iter().zip(design.units.code.iter()) {
            units[unit as usize] = design.panel.units().code[row];
        }
        InfluenceFunctions { values, units }
    }

    /// Those of the kept coefficients of a regression on `columns` (n values each, transformed): bread times the sum
    /// of w x e within a unit.
    ///
    /// # Errors
    /// When a kept column is not among `columns`.
    pub fn of_regression(
        design: &Design<'_>,
        columns: &[&[f64]],
        fit: &Regression,
    ) -> Result<InfluenceFunctions, FitError> {
        let mut scores = Mat::<f64>::zeros(design.units.n_groups(), fit.kept.len());
        for (at, &kept) in fit.kept.iter().enumerate() {
            let column = columns.get(kept).ok_or_else(|| {
                FitError::Model(format!("the regression kept column {kept} of {}", columns.len()))
            })?;
            for (row, &unit) in design.units.code.iter().enumerate() {
                let weight = design.weight_values().map_or(1.0, |it| it[row]);
                scores[(unit as usize, at)] += weight * column[row] * fit.residuals[row];
            }
        }
        let mut values = scores * fit.bread.transpose();
        fit.clear_unknown(&mut values);
        Ok(InfluenceFunctions::new(design, values))
    }

    /// The values of one term on the units of a panel with that many; zero where it uses none.
    pub fn on_panel(&self, term: usize, n_units: usize) -> Vec<f64> {
        let mut all = vec![0.0; n_units];
        for (row, &unit) in self.units.iter().enumerate() {
            all[unit as usize] = self.values[(row, term)];
        }
        all
    }
}

/// Estimates that are rounding become zero, and so do influences that are rounding altogether: units x k values add up to
/// the k estimates less truth, and `sizes` says for each what it was computed from (an outcome times the sum of its
/// absolute weights).
pub fn settle(coef: &mut [f64], values: &mut Mat<f64>, sizes: &[f64]) {
    for (at, (coef, size)) in coef.iter_mut().zip(sizes).enumerate() {
        *coef = or_zero(*coef, *size);
        let norm = (0..values.nrows()).map(|unit| values[(unit, at)].powi(2)).sum::<f64>().sqrt();
        if is_rounding(norm, *size) {
            (0..values.nrows()).for_each(|unit| values[(unit, at)] = 0.0);
        }
    }
}

impl Design<'_> {
    /// The largest absolute outcome: what means of outcomes are computed from.
    pub fn outcome_size(&self) -> f64 {
        self.outcome.values.iter().fold(0.0, |size, it| it.abs().max(size))
    }
}

impl Regression {
    /// Sets influences (rows x kept coefficients) of coefficients without a variance to zero.
    pub fn clear_unknown(&self, values: &mut Mat<f64>) {
        for at in (0..values.ncols()).filter(|&it| self.vcov.matrix[(it, it)] == 0.0) {
            (0..values.nrows()).for_each(|row| values[(row, at)] = 0.0);
        }
    }
}
