//! Least squares with and without absorbed effects.
//!
//! | estimator | file |
//! |---|---|
//! | `pooled-ols` | [`pooled_ols`] |
//! | `fixed-effects` | [`fixed_effects`] |

pub mod fixed_effects;
pub mod pooled_ols;

use parallax_model::Regression;

/// Root mean squares of the residuals: fixest's RMSE, a weighted mean, and Stata's root MSE, for which
/// weights are scaled to sum to the number of rows. Neither depends on the scale of the weights.
pub(crate) fn root_mean_squares(fit: &Regression, weights: Option<&[f64]>, df: f64) -> (f64, f64) {
    let n = fit.residuals.len() as f64;
    let mean_square = fit.rss / weights.map_or(n, |it| it.iter().sum());
    (mean_square.sqrt(), (mean_square * n / df).sqrt())
}
