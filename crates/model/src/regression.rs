//! Least squares joined with covariance: what most linear estimators are made of.

use parallax_base::{Name, Note};
use parallax_linalg::{
    LeastSquares, LeastSquaresOptions, LinalgError, Mat, MatRef, column_norms, least_squares,
    quadratic_form_inverse,
    rounding::{RowSizes, congruence, is_rounding, or_zero},
};
use parallax_vcov::{AbsorbedEffect, LinearParts, Repair, Vcov, VcovPlan};

use crate::{
    Design, FitError, Term,
    distribution::chi2_upper,
    origin::{Origin, back},
};

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
    /// Outcome and columns before they were transformed; none where they are as they came. What is left of a
    /// collinear column, of residuals and of their variance is judged by these.
    pub before: Option<Before<'a>>,
    /// Effects taken out before.
    pub absorbed: &'a [AbsorbedEffect],
    /// Exact leverages of those effects, for HC2 and HC3.
    pub leverages: Option<&'a dyn Fn() -> Result<Vec<f64>, LinalgError>>,
    /// How to report a constant that the effects span.
    pub constant: Option<Constant<'a>>,
}

/// What outcome and columns were made from, row by row: the values before effects were taken out, or the largest of
/// those that a difference or a mean was taken of.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// n values.
    pub outcome: &'a [f64],
    /// k columns of n values.
    pub columns: &'a [&'a [f64]],
}

/// Means before absorption, which give back the constant as Stata's xtreg and reghdfe print it.
#[derive(Clone, Copy)]
pub struct Constant<'a> {
    /// Weighted mean of the outcome.
    pub outcome_mean: f64,
    /// Weighted mean of the outcome's absolute values.
    pub outcome_size: f64,
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
    /// n residuals; exactly zero where all of them are rounding.
    pub residuals: Vec<f64>,
    /// What each residual was computed from.
    pub sizes: RowSizes,
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
    let before = input.before.unwrap_or(Before { outcome: input.outcome, columns: input.columns });
    let norms = column_norms(before.columns, input.weights);
    let origin = Origin::of(input);
    let moved: Option<Vec<&[f64]>> = origin.as_ref().map(|it| it.columns.iter().map(Vec::as_slice).collect());
    let columns = moved.as_deref().unwrap_or(input.columns);
    let options = LeastSquaresOptions::default();
    let mut fit = least_squares(columns, input.outcome, input.weights, Some(&norms), &options)?;
    let mut notes: Vec<Note> = fit.dropped.iter().map(|&it| dropped(&input.terms[it])).collect();
    if fit.kept.is_empty() && input.constant.is_none() {
        return Err(no_regressor(input.terms));
    }
    // Moved columns are what residuals are computed from; others carry the rounding of what was taken out of them.
    let computed_from = Before { columns: if moved.is_some() { columns } else { before.columns }, ..before };
    let sizes = settle(input, columns, &computed_from, &mut fit);
    let columns: Vec<&[f64]> = fit.kept.iter().map(|&it| columns[it]).collect();
    let solved = Solved { input, columns, fit: &fit, sizes: &sizes };
    let Reported { terms, coef, vcov, bread } =
        match (input.constant, origin.as_ref().and_then(|it| it.back(&fit.kept))) {
            (Some(constant), _) => solved.with_constant(plan, constant)?,
            (None, Some(back)) => solved.moved_back(plan, &back)?,
            (None, None) => solved.as_it_is(plan)?,
        };
    notes.extend(repaired(vcov.repair, vcov.clamped));
    if fit.rss == 0.0 {
        notes.push(Note::remark(
            "the regressors fit the outcome exactly, so that there are no errors, tests and intervals",
        ));
    }
    let LeastSquares { kept, residuals, rss, .. } = fit;
    Ok(Regression { terms, coef, vcov, residuals, sizes, rss, kept, bread, notes })
}

/// What is said of a covariance that was repaired.
pub fn repaired(repair: Option<Repair>, clamped: usize) -> Option<Note> {
    let repair = repair.filter(|_| 0 < clamped)?.to_string();
    Some(Note::VcovNotPsd { repair, clamped })
}

/// Sets coefficients that are rounding to zero, and all residuals where they are rounding together.
fn settle(
    input: &RegressionInput<'_>,
    columns: &[&[f64]],
    before: &Before<'_>,
    fit: &mut LeastSquares,
) -> RowSizes {
    let parts = fit.kept.iter().zip(&fit.coef).map(|(&it, &b)| (before.columns[it], b));
    let sizes = RowSizes::of_fit(before.outcome, parts, input.weights);
    if sizes.explain(fit.rss) {
        fit.residuals.fill(0.0);
        fit.rss = 0.0;
    }
    for at in 0..fit.coef.len() {
        // By Cauchy and Schwarz the sum below is at most this.
        let most = (fit.bread[(at, at)] * sizes.square).sqrt();
        if !is_rounding(fit.coef[at], most) {
            continue;
        }
        let mut z = vec![0.0; input.outcome.len()];
        for (other, &column) in fit.kept.iter().enumerate() {
            let share = fit.bread[(at, other)];
            z.iter_mut().zip(columns[column]).for_each(|(z, x)| *z += share * x);
        }
        let weight = |row: usize| input.weights.map_or(1.0, |it| it[row]);
        let size = z.iter().zip(&sizes.rows).enumerate().map(|(row, (z, s))| weight(row) * z.abs() * s).sum();
        fit.coef[at] = or_zero(fit.coef[at], size);
    }
    sizes
}

fn dropped(term: &Term) -> Note {
    Note::DroppedCollinear { column: Name::from(term.to_string()) }
}

fn no_regressor(terms: &[Term]) -> FitError {
    let dropped: Vec<String> = terms.iter().map(ToString::to_string).collect();
    let reason = match dropped.is_empty() {
        true => "the formula names none".to_owned(),
        false => format!("{} collinear with the effects or constant on the sample", dropped.join(", ")),
    };
    FitError::NoRegressor { reason }
}

/// A solved problem before its coefficients are reported.
struct Solved<'a> {
    input: &'a RegressionInput<'a>,
    /// The kept columns.
    columns: Vec<&'a [f64]>,
    fit: &'a LeastSquares,
    sizes: &'a RowSizes,
}

/// Coefficients as they are reported.
struct Reported {
    terms: Vec<Term>,
    coef: Vec<f64>,
    vcov: Vcov,
    /// Of the kept columns.
    bread: Mat<f64>,
}

impl Solved<'_> {
    fn terms(&self) -> Vec<Term> {
        self.fit.kept.iter().map(|&it| self.input.terms[it].clone()).collect()
    }

    fn parts<'a>(&'a self, bread: MatRef<'a, f64>, lines: Option<MatRef<'a, f64>>) -> LinearParts<'a> {
        LinearParts {
            columns: &self.columns,
            residuals: &self.fit.residuals,
            sizes: self.sizes,
            weights: self.input.weights,
            frequency: self.input.frequency,
            partialled: 0,
            bread,
            lines,
            absorbed: self.input.absorbed,
            constant: false,
            leverages: self.input.leverages,
        }
    }

    fn as_it_is(&self, plan: &VcovPlan) -> Result<Reported, FitError> {
        let bread = self.fit.bread.as_ref();
        let vcov = plan.matrix(&self.parts(bread, None))?;
        Ok(Reported { terms: self.terms(), coef: self.fit.coef.clone(), vcov, bread: bread.to_owned() })
    }

    fn moved_back(&self, plan: &VcovPlan, back: &Mat<f64>) -> Result<Reported, FitError> {
        let bread = self.fit.bread.as_ref();
        let vcov = plan.matrix(&self.parts(bread, Some(back.as_ref())))?;
        let bread = congruence(back.as_ref(), bread);
        Ok(Reported { terms: self.terms(), coef: combined(back, &self.fit.coef), vcov, bread })
    }

    /// The regression of y~ + ybar on x~ + xbar and one, without solving again: absorbed columns have mean zero, so
    /// that the bread is that of the columns beside that of the constant (Stata manual XT xtreg, Methods and formulas).
    fn with_constant(&self, plan: &VcovPlan, constant: Constant<'_>) -> Result<Reported, FitError> {
        let (fit, k) = (self.fit, self.columns.len());
        let ones = vec![1.0; self.input.outcome.len()];
        let mut columns = self.columns.clone();
        columns.push(&ones);
        let total = self.input.weights.map_or(ones.len() as f64, |it| it.iter().sum());
        let bread = Mat::from_fn(k + 1, k + 1, |i, j| match (i < k, j < k) {
            (true, true) => fit.bread[(i, j)],
            (false, false) => 1.0 / total,
            _ => 0.0,
        });
        let mut shares: Vec<f64> = fit.kept.iter().map(|&it| constant.column_means[it]).collect();
        shares.push(0.0);
        let back = back(k, &shares);
        let parts = LinearParts {
            columns: &columns,
            constant: true,
            ..self.parts(bread.as_ref(), Some(back.as_ref()))
        };
        let vcov = plan.matrix(&parts)?;
        let mut coef = fit.coef.clone();
        coef.push(or_zero(constant.outcome_mean, constant.outcome_size));
        let mut terms = self.terms();
        terms.push(Term::Intercept);
        Ok(Reported { terms, coef: combined(&back, &coef), vcov, bread: fit.bread.clone() })
    }
}

/// Combinations of coefficients, zero where their parts cancel.
fn combined(lines: &Mat<f64>, coef: &[f64]) -> Vec<f64> {
    let one = |i: usize| {
        let parts = coef.iter().enumerate().map(|(j, b)| lines[(i, j)] * b);
        let size = parts.clone().map(f64::abs).sum();
        or_zero(parts.sum(), size)
    };
    (0..lines.nrows()).map(one).collect()
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
/// Coefficients whose variance is rounding (zero in `vcov`) are left out and do not count in the rank. NaN where none is
/// left, and where the block is not positive, as that of a multi-way covariance may be: there is no such test then.
///
/// # Errors
/// When the eigenvalues of the block cannot be computed.
pub fn wald(coef: &[f64], vcov: MatRef<'_, f64>, which: &[usize]) -> Result<(f64, usize, f64), FitError> {
    let known: Vec<usize> = which.iter().copied().filter(|&it| vcov[(it, it)] != 0.0).collect();
    let values: Vec<f64> = known.iter().map(|&it| coef[it]).collect();
    let block = Mat::from_fn(known.len(), known.len(), |i, j| vcov[(known[i], known[j])]);
    let (statistic, rank) = quadratic_form_inverse(&values, block.as_ref())?;
    let statistic = if rank == 0 { f64::NAN } else { statistic };
    Ok((statistic, rank, chi2_upper(statistic, rank as f64)))
}

/// A Wald test that some coefficients equal the one at `first`, as [`wald`] otherwise.
///
/// # Errors
/// As [`wald`].
pub fn wald_equal(
    coef: &[f64],
    vcov: MatRef<'_, f64>,
    first: usize,
    others: &[usize],
) -> Result<(f64, usize, f64), FitError> {
    let sign = |it: usize, other: usize| f64::from(u8::from(it == other)) - f64::from(u8::from(it == first));
    let lines = Mat::from_fn(others.len(), coef.len(), |i, j| sign(j, others[i]));
    let block = congruence(lines.as_ref(), vcov);
    let difference = |&it: &usize| or_zero(coef[it] - coef[first], coef[it].abs() + coef[first].abs());
    let differences: Vec<f64> = others.iter().map(difference).collect();
    let all: Vec<usize> = (0..others.len()).collect();
    wald(&differences, block.as_ref(), &all)
}
