//! The comparison of two periods with units seen in both.
//!
//! Sant'Anna and Zhao (2020, J. Econometrics 219), equations 2.4 to 2.6 and 3.1. Influence functions are written as
//! summands of estimate less truth, so that a cell's number of rows does not appear in them.

use parallax_model::Mat;

use super::{
    Method,
    nuisance::{Reason, Rows, Score, less, times},
};

/// An effect and its influence function, one summand a row.
pub type Effect = (f64, Vec<f64>);

/// What an effect is computed from: outcomes of this size in two periods, in two groups, and in the regression of each
/// covariate.
pub fn size(largest_outcome: f64, k: usize) -> f64 {
    4.0 * k as f64 * largest_outcome
}

/// First steps that do not depend on the outcome, so that periods with the same base share them.
pub struct Prepared {
    /// The rows.
    pub rows: Rows,
    /// Where the method has one.
    pub score: Option<Score>,
    /// Inverse normal equations of the regression among controls, and of it the weights.
    regression: Option<(Mat<f64>, Vec<f64>)>,
}

impl Prepared {
    /// Fits scores and normal equations.
    ///
    /// # Errors
    /// When they have no solution.
    pub fn new(rows: Rows, method: Method) -> Result<Prepared, Reason> {
        let method = method.with(rows.k);
        let score = match method {
            Method::Reg => None,
            Method::DrImproved => Some(rows.tilting()?),
            Method::Dr | Method::Ipw => Some(rows.logit()?),
        };
        let regression = match method {
            Method::Ipw => None,
            Method::DrImproved => {
                let p = score.as_ref().map_or(&[][..], |it| &it.probability);
                let weight = |row: usize| rows.weight[row] * p[row] / (1.0 - p[row]);
                Some(rows.of_controls().map(weight).collect::<Vec<f64>>())
            }
            Method::Dr | Method::Reg => Some(rows.weight[rows.of_controls()].to_vec()),
        };
        let inverse = |weight: Vec<f64>| {
            let inverse = rows.inverse(rows.of_controls(), "controls", |row| weight[row])?;
            Ok((inverse, weight))
        };
        let regression = regression.map(inverse).transpose()?;
        Ok(Prepared { rows, score, regression })
    }

    /// The effect on a change of the outcome, one a row.
    pub fn effect(&self, change: &[f64], method: Method) -> Effect {
        let rows = &self.rows;
        let residual = self.residuals(change);
        let (treated, of_treated) = rows.sums(rows.of_treated(), |row| rows.weight[row]);
        let mean = rows.of_treated().map(|row| rows.weight[row] * residual[row]).sum::<f64>() / treated;
        let of_treated: Vec<f64> = of_treated.iter().map(|it| it / treated).collect();
        let leading = |row: usize| rows.weight[row] * (residual[row] - mean) / treated;
        let score = match (&self.score, method.with(rows.k)) {
            (Some(score), Method::DrImproved) => return self.improved(score, &residual),
            (Some(score), _) => score,
            (None, _) => {
                let toward = self.toward(&less(&vec![0.0; rows.k], &of_treated));
                let of_control = |row: usize| rows.weight[row] * residual[row] * rows.fitted(row, &toward);
                let psi = rows.of_controls().map(of_control).chain(rows.of_treated().map(leading)).collect();
                return (mean, psi);
            }
        };
        let (controls, of_controls) = rows.sums(rows.of_controls(), |row| score.odds[row]);
        let control_mean =
            rows.of_controls().map(|row| score.odds[row] * residual[row]).sum::<f64>() / controls;
        let of_controls: Vec<f64> = of_controls.iter().map(|it| it / controls).collect();
        let by_score =
            rows.sums(rows.of_controls(), |row| score.odds[row] * (residual[row] - control_mean)).1;
        let by_score: Vec<f64> = times(&score.inverse, &by_score).iter().map(|it| it / controls).collect();
        let toward = self.toward(&less(&of_controls, &of_treated));
        let of_control = |row: usize| {
            rows.weight[row]
                * (residual[row] * rows.fitted(row, &toward)
                    + score.probability[row] * rows.fitted(row, &by_score))
                - score.odds[row] * (residual[row] - control_mean) / controls
        };
        let of_cohort = |row: usize| {
            leading(row) - rows.weight[row] * (1.0 - score.probability[row]) * rows.fitted(row, &by_score)
        };
        let psi = rows.of_controls().map(of_control).chain(rows.of_treated().map(of_cohort)).collect();
        (mean - control_mean, psi)
    }

    /// First steps that balance leave no trace in the influence function (Sant'Anna and Zhao 2020, theorem 2).
    fn improved(&self, score: &Score, residual: &[f64]) -> Effect {
        let rows = &self.rows;
        let treated: f64 = rows.weight[rows.of_treated()].iter().sum();
        let of_cohort: f64 = rows.of_treated().map(|row| rows.weight[row] * residual[row]).sum();
        let of_controls: f64 = rows.of_controls().map(|row| score.odds[row] * residual[row]).sum();
        let effect = (of_cohort - of_controls) / treated;
        let controls = rows.of_controls().map(|row| -score.odds[row] * residual[row] / treated);
        let cohort = rows.of_treated().map(|row| rows.weight[row] * (residual[row] - effect) / treated);
        (effect, controls.chain(cohort).collect())
    }

    /// The change less what the regression among controls says; the change itself without one.
    fn residuals(&self, change: &[f64]) -> Vec<f64> {
        let Some((inverse, weight)) = &self.regression else { return change.to_vec() };
        let rows = &self.rows;
        let coef = rows.least_squares(inverse, rows.of_controls(), |row| weight[row], change);
        change.iter().enumerate().map(|(row, y)| y - rows.fitted(row, &coef)).collect()
    }

    /// The regression's share of the influence function: a vector whose product with w e x is added.
    fn toward(&self, moments: &[f64]) -> Vec<f64> {
        match &self.regression {
            Some((inverse, _)) => times(inverse, moments),
            None => vec![0.0; moments.len()],
        }
    }
}
