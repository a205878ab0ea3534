//! Influence functions of coefficients: what bootstraps, differences between estimators and coarser clusters are
//! made of.

use parallax_linalg::Mat;

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
        Ok(InfluenceFunctions::new(design, scores * fit.bread.transpose()))
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
