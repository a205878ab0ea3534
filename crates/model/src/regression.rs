//! Least squares joined with covariance: what most linear estimators are made of.

use parallax_base::{Name, Note};
use parallax_linalg::{
    LeastSquares, LeastSquaresOptions, LinalgError, Mat, MatRef, column_norms, least_squares,
    quadratic_form_inverse,
};
use parallax_vcov::{AbsorbedEffect, LinearParts, Vcov, VcovPlan};

use crate::{Design, FitError, Term, distribution::chi2_upper};

/// A transformed regression problem with n rows and k columns.
pub struct RegressionInput<'a> {
    /// What each column stands for; k terms.
    pub terms: &'a [Term],
    /// k columns of n values, transformed (demeaned, quasi-demeaned, differenced).
    pub columns: &'a [&'a [f64]],
    /// n values.
    pub outcome: &'a [f64],
    /// n positive weights, or none.
    pub weights: Option<&'a [f64]>,
    /// The weights count repeated rows.
    pub frequency: bool,
    /// Norm of each column before absorption, so that what absorption leaves of a collinear
    /// column is seen as nothing.
    pub reference_norms: Option<&'a [f64]>,
    /// Effects taken out before.
    pub absorbed: &'a [AbsorbedEffect],
    /// Exact leverages of those effects, for HC2 and HC3.
    pub leverages: Option<&'a dyn Fn() -> Result<Vec<f64>, LinalgError>>,
    /// How to report a constant that the effects span.
    pub constant: Option<Constant<'a>>,
}

/// Means before absorption, which give back the constant as Stata's xtreg and reghdfe print it.
#[derive(Clone, Copy)]
pub struct Constant<'a> {
    /// Weighted mean of the outcome.
    pub outcome_mean: f64,
    /// Weighted mean of each of the k columns.
    pub column_means: &'a [f64],
}

/// A solved regression. Terms, coefficients and covariance agree in order and length.
pub struct Regression {
    /// Kept terms; the spanned constant last, if asked for.
    pub terms: Vec<Term>,
    /// One coefficient a term.
    pub coef: Vec<f64>,
    /// Their covariance.
    pub vcov: Vcov,
    /// n residuals.
    pub residuals: Vec<f64>,
    /// Weighted residual sum of squares.
    pub rss: f64,
    /// Indices of kept columns.
    pub kept: Vec<usize>,
    /// (X'WX)^{-1} of the kept columns.
    pub bread: Mat<f64>,
    /// Dropped columns and a repaired covariance.
    pub notes: Vec<Note>,
}

/// Solves and makes the covariance.
///
/// # Errors
/// No column left, too few rows, or what the covariance says.
pub fn regress(input: &RegressionInput<'_>, plan: &VcovPlan) -> Result<Regression, FitError> {
    let options = LeastSquaresOptions::default();
    let fit = least_squares(input.columns, input.outcome, input.weights, input.reference_norms, &options)?;
    let mut notes: Vec<Note> = fit.dropped.iter().map(|&it| dropped(&input.terms[it])).collect();
    if fit.kept.is_empty() && input.constant.is_none() {
        let dropped: Vec<String> = input.terms.iter().map(ToString::to_string).collect();
        let reason = match dropped.is_empty() {
            true => "the formula names none".to_owned(),
            false => format!("{} collinear with the effects or constant on the sample", dropped.join(", ")),
        };
        return Err(FitError::NoRegressor { reason });
    }
    let terms: Vec<Term> = fit.kept.iter().map(|&it| input.terms[it].clone()).collect();
    let columns: Vec<&[f64]> = fit.kept.iter().map(|&it| input.columns[it]).collect();
    let (terms, coef, vcov) = match input.constant {
        None => {
            let vcov = plan.matrix(&parts(input, &columns, &fit, fit.bread.as_ref(), false))?;
            (terms, fit.coef.clone(), vcov)
        }
        Some(constant) => with_constant(input, plan, &fit, terms, &columns, constant)?,
    };
    if 0 < vcov.clamped {
        notes.push(Note::VcovNotPsd { clamped: vcov.clamped });
    }
    if exact(input, &fit) {
        notes.push(Note::remark(
            "the regressors fit the outcome exactly: errors and tests are those of rounding",
        ));
    }
    let LeastSquares { kept, residuals, rss, bread, .. } = fit;
    Ok(Regression { terms, coef, vcov, residuals, rss, kept, bread, notes })
}

/// Share of the outcome's norm below which residuals are rounding.
const EXACT: f64 = 1e-12;

fn exact(input: &RegressionInput<'_>, fit: &LeastSquares) -> bool {
    let norm = column_norms(&[input.outcome], input.weights).into_iter().sum::<f64>();
    fit.rss.sqrt() <= EXACT * norm
}

fn dropped(term: &Term) -> Note {
    Note::DroppedCollinear { column: Name::from(term.to_string()) }
}

fn parts<'a>(
    input: &'a RegressionInput<'_>,
    columns: &'a [&'a [f64]],
    fit: &'a LeastSquares,
    bread: MatRef<'a, f64>,
    constant: bool,
) -> LinearParts<'a> {
    LinearParts {
        columns,
        residuals: &fit.residuals,
        weights: input.weights,
        frequency: input.frequency,
        partialled: 0,
        bread,
        absorbed: input.absorbed,
        constant,
        leverages: input.leverages,
    }
}

/// The regression of y~ + ybar on x~ + xbar and one, without solving again: absorbed columns have
/// mean zero, so the bread is partitioned (Stata manual XT xtreg, Methods and formulas).
fn with_constant(
    input: &RegressionInput<'_>,
    plan: &VcovPlan,
    fit: &LeastSquares,
    mut terms: Vec<Term>,
    columns: &[&[f64]],
    constant: Constant<'_>,
) -> Result<(Vec<Term>, Vec<f64>, Vcov), FitError> {
    let n = input.outcome.len();
    let k = columns.len();
    let means: Vec<f64> = fit.kept.iter().map(|&it| constant.column_means[it]).collect();
    let shifted: Vec<Vec<f64>> = columns
        .iter()
        .zip(&means)
        .map(|(column, mean)| column.iter().map(|it| it + mean).collect())
        .collect();
    let ones = vec![1.0; n];
    let mut all: Vec<&[f64]> = shifted.iter().map(Vec::as_slice).collect();
    all.push(&ones);
    let total = input.weights.map_or(n as f64, |it| it.iter().sum());
    let bread_means: Vec<f64> = (0..k).map(|i| (0..k).map(|j| fit.bread[(i, j)] * means[j]).sum()).collect();
    let corner = 1.0 / total + means.iter().zip(&bread_means).map(|(a, b)| a * b).sum::<f64>();
    let bread = Mat::from_fn(k + 1, k + 1, |i, j| match (i < k, j < k) {
        (true, true) => fit.bread[(i, j)],
        (true, false) => -bread_means[i],
        (false, true) => -bread_means[j],
        (false, false) => corner,
    });
    let vcov = plan.matrix(&parts(input, &all, fit, bread.as_ref(), true))?;
    let explained: f64 = fit.coef.iter().zip(&means).map(|(b, mean)| b * mean).sum();
    let mut coef = fit.coef.clone();
    coef.push(constant.outcome_mean - explained);
    terms.push(Term::Intercept);
    Ok((terms, coef, vcov))
}

/// 1 - RSS/TSS with the total about the weighted mean (or about zero). NaN for a constant outcome.
pub fn r_squared(rss: f64, outcome: &[f64], weights: Option<&[f64]>, centred: bool) -> f64 {
    let weight = |row: usize| weights.map_or(1.0, |it| it[row]);
    let mean = if centred { weighted_mean(outcome, weights) } else { 0.0 };
    let tss: f64 = outcome.iter().enumerate().map(|(row, y)| weight(row) * (y - mean).powi(2)).sum();
    if 0.0 < tss { 1.0 - rss / tss } else { f64::NAN }
}

/// The residuals' root mean square over observations and over degrees of freedom: fixest's `rmse` and Stata's
/// `Root MSE`. Stata rescales analytic weights to a mean of one; frequency weights are what they are.
pub fn root_mean_squares(fit: &Regression, design: &Design<'_>) -> (f64, f64) {
    let arithmetic = &fit.vcov.arithmetic;
    let n = arithmetic.n as f64;
    let mean_square = match design.weight_values() {
        Some(it) => fit.rss / it.iter().sum::<f64>(),
        None => fit.rss / n,
    };
    (mean_square.sqrt(), (mean_square * n / arithmetic.residual_df as f64).sqrt())
}

/// Squared correlation of two columns; NaN when one is constant.
pub fn squared_correlation(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (weighted_mean(a, None), weighted_mean(b, None));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    if 0.0 < aa && 0.0 < bb { ab * ab / (aa * bb) } else { f64::NAN }
}

/// Mean, with weights where there are some.
pub fn weighted_mean(values: &[f64], weights: Option<&[f64]>) -> f64 {
    match weights {
        None => values.iter().sum::<f64>() / values.len() as f64,
        Some(w) => values.iter().zip(w).map(|(v, w)| v * w).sum::<f64>() / w.iter().sum::<f64>(),
    }
}

/// A Wald statistic b' V^+ b over some coefficients: chi-squared, its rank and p-value.
///
/// # Errors
/// When the covariance block is not positive definite even in a generalised sense.
pub fn wald(coef: &[f64], vcov: MatRef<'_, f64>, which: &[usize]) -> Result<(f64, usize, f64), FitError> {
    let values: Vec<f64> = which.iter().map(|&it| coef[it]).collect();
    let block = Mat::from_fn(which.len(), which.len(), |i, j| vcov[(which[i], which[j])]);
    let (statistic, rank) = quadratic_form_inverse(&values, block.as_ref())?;
    Ok((statistic, rank, chi2_upper(statistic, rank as f64)))
}
