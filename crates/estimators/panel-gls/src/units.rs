//! Sums and means over the rows of a unit.

use parallax_model::{Design, Regression, Statistics, Term, r_squared, squared_correlation};

/// Rows of each unit.
pub fn periods_per_unit(design: &Design<'_>) -> Vec<f64> {
    let mut counts = vec![0.0; design.units.n_groups()];
    for &unit in design.units.code.iter() {
        counts[unit as usize] += 1.0;
    }
    counts
}

/// Mean of each unit.
pub fn means(design: &Design<'_>, counts: &[f64], values: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; counts.len()];
    for (&unit, value) in design.units.code.iter().zip(values) {
        sums[unit as usize] += value;
    }
    sums.iter().zip(counts).map(|(sum, count)| sum / count).collect()
}

/// Each value less `theta[unit]` times the mean of its unit.
pub fn quasi_demeaned(design: &Design<'_>, means: &[f64], theta: &[f64], values: &[f64]) -> Vec<f64> {
    let units = design.units.code.iter();
    units.zip(values).map(|(&unit, value)| value - theta[unit as usize] * means[unit as usize]).collect()
}

/// Within, between and overall R-squared as squared correlations (Stata manual XT xtreg).
pub fn set_r_squared(design: &Design<'_>, counts: &[f64], slopes: &[(usize, f64)], stats: &mut Statistics) {
    let mut fitted = vec![0.0; design.n()];
    for &(column, slope) in slopes {
        for (fitted, x) in fitted.iter_mut().zip(design.regressors[column].values.iter()) {
            *fitted += slope * x;
        }
    }
    let outcome = &design.outcome.values;
    let (fitted_means, outcome_means) = (means(design, counts, &fitted), means(design, counts, outcome));
    let whole = vec![1.0; counts.len()];
    let within = |means: &[f64], values: &[f64]| quasi_demeaned(design, means, &whole, values);
    let (fitted_within, outcome_within) = (within(&fitted_means, &fitted), within(&outcome_means, outcome));
    stats.set("r2_within", squared_correlation(&fitted_within, &outcome_within));
    stats.set("r2_between", squared_correlation(&fitted_means, &outcome_means));
    stats.set("r2_overall", squared_correlation(&fitted, outcome));
}

/// The constant, where the formula has one, and every regressor after `transform`, with their terms.
pub fn transformed(
    design: &Design<'_>,
    constant: Vec<f64>,
    transform: impl Fn(&[f64]) -> Vec<f64>,
) -> (Vec<Term>, Vec<Vec<f64>>) {
    let (mut terms, mut columns) = (Vec::new(), Vec::new());
    if design.intercept {
        terms.push(Term::Intercept);
        columns.push(constant);
    }
    terms.extend(design.regressors.iter().map(|it| Term::Slope(it.name.clone())));
    columns.extend(design.regressors.iter().map(|it| transform(&it.values)));
    (terms, columns)
}

/// R-squared of a regression on transformed rows, and adjusted for its degrees of freedom.
pub(crate) fn statistics(
    fit: &Regression,
    outcome: &[f64],
    weights: Option<&[f64]>,
    intercept: bool,
) -> Statistics {
    let r2 = r_squared(fit.rss, outcome, weights, intercept);
    let (n, df) = (outcome.len() as f64, fit.vcov.arithmetic.residual_df as f64);
    let mut stats = Statistics::default();
    stats.set("r2", r2);
    stats.set("r2_adjusted", 1.0 - (1.0 - r2) * (n - f64::from(u8::from(intercept))) / df);
    stats
}
