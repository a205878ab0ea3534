//! Variance components by Swamy and Arora (1972), for balanced and unbalanced panels.

use parallax_model::{
    Design, FitError, Mat,
    linalg::{LeastSquares, LeastSquaresOptions, column_norms, least_squares},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units;

/// How the variance of the unit effects is estimated from the between regression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Stata's `xtreg, re`: unweighted between regression, harmonic mean of the periods.
    #[default]
    SwamyArora,
    /// Stata's `xtreg, re sa` and plm's `swar`: Baltagi and Chang (1994) for unbalanced panels.
    BaltagiChang,
}

/// The two variances with what they were made from.
pub struct Components {
    /// Variance of the idiosyncratic error.
    pub sigma2_e: f64,
    /// Variance of the unit effect, not below zero.
    pub sigma2_u: f64,
    /// The within regression; columns are the design's regressors.
    pub within: LeastSquares,
    /// Residual degrees of freedom of the within regression.
    pub within_df: f64,
    /// Rank of the between regression.
    pub between_rank: usize,
}

/// Estimates both variances.
///
/// # Errors
/// When there are not more rows than units and slopes, or not more units than columns of the
/// between regression.
pub fn components(design: &Design<'_>, counts: &[f64], method: Method) -> Result<Components, FitError> {
    let options = LeastSquaresOptions::default();
    let whole = vec![1.0; counts.len()];
    let demean =
        |values: &[f64]| units::quasi_demeaned(design, &units::means(design, counts, values), &whole, values);
    let columns: Vec<Vec<f64>> = design.regressors.iter().map(|it| demean(&it.values)).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let before: Vec<&[f64]> = design.regressors.iter().map(|it| it.values.as_slice()).collect();
    let norms = column_norms(&before, None);
    let within = least_squares(&columns, &demean(&design.outcome.values), None, Some(&norms), &options)?;
    let within_df = design.n() as f64 - counts.len() as f64 - within.kept.len() as f64;
    if within_df <= 0.0 {
        return Err(FitError::Model(format!(
            "{} rows of {} units leave no degrees of freedom within units; random effects need repeated rows",
            design.n(),
            counts.len()
        )));
    }
    let sigma2_e = within.rss / within_df;
    let between = BetweenRegression::solve(design, counts, method)?;
    let sigma2_u = match method {
        Method::SwamyArora => between.swamy_arora(counts, sigma2_e),
        Method::BaltagiChang => between.baltagi_chang(design.n() as f64, counts, sigma2_e),
    };
    Ok(Components {
        sigma2_e,
        sigma2_u: sigma2_u.max(0.0),
        within,
        within_df,
        between_rank: between.fit.kept.len(),
    })
}

struct BetweenRegression {
    columns: Vec<Vec<f64>>,
    fit: LeastSquares,
}

impl BetweenRegression {
    /// Unit means on a constant and unit means; rows weigh by their periods for Baltagi and Chang.
    fn solve(design: &Design<'_>, counts: &[f64], method: Method) -> Result<BetweenRegression, FitError> {
        let mut columns: Vec<Vec<f64>> = Vec::new();
        if design.intercept {
            columns.push(vec![1.0; counts.len()]);
        }
        columns.extend(design.regressors.iter().map(|it| units::means(design, counts, &it.values)));
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let outcome = units::means(design, counts, &design.outcome.values);
        let weights = (method == Method::BaltagiChang).then_some(counts);
        let fit = least_squares(&slices, &outcome, weights, None, &LeastSquaresOptions::default())?;
        if counts.len() <= fit.kept.len() {
            return Err(FitError::Model(format!(
                "{} units cannot carry a between regression of rank {}; random effects need more units than regressors",
                counts.len(),
                fit.kept.len()
            )));
        }
        Ok(BetweenRegression { columns, fit })
    }

    /// SSR/(n - rank) - sigma2_e / harmonic mean of T. The rank, not the number of columns, counts:
    /// means of year dummies are constants in balanced panels.
    fn swamy_arora(&self, counts: &[f64], sigma2_e: f64) -> f64 {
        let n = counts.len() as f64;
        let harmonic = n / counts.iter().map(|it| 1.0 / it).sum::<f64>();
        self.fit.rss / (n - self.fit.kept.len() as f64) - sigma2_e / harmonic
    }

    /// Baltagi and Chang (1994), J. Econometrics 62, eq. 12: (SSR - (n - r) sigma2_e) / (N - trace).
    fn baltagi_chang(&self, rows: f64, counts: &[f64], sigma2_e: f64) -> f64 {
        let kept: Vec<&Vec<f64>> = self.fit.kept.iter().map(|&it| &self.columns[it]).collect();
        let squares: Mat<f64> = Mat::from_fn(kept.len(), kept.len(), |i, j| {
            let products = kept[i].iter().zip(kept[j]).zip(counts);
            products.map(|((a, b), t)| t * t * a * b).sum()
        });
        let trace: f64 = (0..kept.len())
            .map(|i| (0..kept.len()).map(|j| self.fit.bread[(i, j)] * squares[(j, i)]).sum::<f64>())
            .sum();
        let df = counts.len() as f64 - kept.len() as f64;
        (self.fit.rss - df * sigma2_e) / (rows - trace)
    }
}
