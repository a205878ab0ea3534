//! The saturated regression by Poisson pseudo-maximum likelihood: mean effects on the scale of the outcome, with errors by
//! the delta method over coefficients and absorbed effects alike.
//!
//! With f the derivative of a mean effect in all parameters and H the information, the effect's influence is the sum over
//! rows of z' H^-1 f (y - mu), and z' H^-1 f is what weighted least squares fits of a column made from f
//! ([`Poisson::project`]). So nothing depends on whether an effect is absorbed or has dummies.

use parallax_model::{
    Design, Distribution, FitError, InfluenceFunctions, Mat, MatRef, Statistics, Term, Vcov, Within,
    linalg::{AbsorbOptions, Factor, Poisson, PoissonInput, gram, poisson, rounding::RowSizes, zero_groups},
    vcov::{AbsorbedEffect, LinearParts, SampleScale, VcovSpec},
};

use crate::{
    comparison::Cells,
    extended_twfe::Fitted,
    linear::dropped,
    saturation::{RowEffect, Saturation},
};

/// Rows of groups, of any absorbed effect, that have zeros only: they say nothing of a model of exponential means.
pub(crate) fn only_zeros(design: &Design<'_>) -> Option<(String, Vec<bool>)> {
    let effects = design.absorbed_effects();
    let factors: Vec<Factor<'_>> =
        effects.iter().map(|it| Factor { codes: &it.codes.code, n_groups: it.codes.n_groups() }).collect();
    let out = zero_groups(&factors, &design.outcome.values);
    let some = out.contains(&true) && out.contains(&false);
    some.then(|| ("in a group of an effect with zero outcomes only".to_owned(), out))
}

/// Mean effects of cells on the scale of the outcome, and slopes of the index.
pub(crate) fn fit(
    design: &Design<'_>,
    within: &Within<'_, '_>,
    saturation: &Saturation,
    cells: &Cells,
    absorb: &AbsorbOptions,
) -> Result<Fitted, FitError> {
    refuse_zero_cells(design, cells)?;
    let effects = design.absorbed_effects();
    let factors: Vec<Factor<'_>> =
        effects.iter().map(|it| Factor { codes: &it.codes.code, n_groups: it.codes.n_groups() }).collect();
    let columns: Vec<&[f64]> = saturation.columns.iter().map(|it| it.1.as_slice()).collect();
    let input = PoissonInput {
        columns: &columns,
        outcome: &design.outcome.values,
        weights: design.weight_values(),
        offset: None,
        factors: &factors,
    };
    let fit = poisson(&input, absorb)?;
    // Which columns are combinations of others does not depend on the weights of the iteration.
    let variables = match fit.kept.len() < columns.len() {
        true => within.variables(saturation.columns.clone())?,
        false => Vec::new(),
    };
    let absorbed: Vec<&[f64]> = variables.iter().map(|it| it.after.as_slice()).collect();
    let rows = saturation.effects(&fit.kept, cells, &absorbed, design.weight_values())?;
    let means = cell_means(design, cells, &fit, &rows);
    let reported = rows.reported();
    let influence = row_influence(&fit, &means, &reported)?;
    let vcov = covariance(design, within.effects(), &fit, &influence)?;
    let term = |&at: &usize| saturation.columns[fit.kept[at]].0.clone();
    let cell_terms = cells.cells.iter().map(|&(cohort, period)| Term::GroupTime { cohort, period });
    Ok(Fitted {
        coef: means.effects.iter().copied().chain(reported.iter().map(|&it| fit.coef[it])).collect(),
        terms: cell_terms.chain(reported.iter().map(term)).collect(),
        stats: statistics(design, &fit, &vcov),
        vcov,
        influence: design.keep_influence.then(|| by_unit(design, &fit, &influence)),
        distribution: Distribution::Normal,
        notes: dropped(saturation, &fit.kept),
    })
}

fn refuse_zero_cells(design: &Design<'_>, cells: &Cells) -> Result<(), FitError> {
    let mut positive = vec![false; cells.cells.len()];
    for (cell, y) in cells.of_row.iter().zip(design.outcome.values.iter()) {
        if let Some(cell) = cell {
            positive[*cell] |= 0.0 < *y;
        }
    }
    let zero: Vec<String> = (cells.cells.iter().zip(positive))
        .filter(|it| !it.1)
        .map(|((cohort, period), _)| format!("({},{})", design.code(*cohort), design.code(*period)))
        .collect();
    if zero.is_empty() {
        return Ok(());
    }
    Err(FitError::Model(format!(
        "every outcome is zero in cells (cohort, period) {}, so that their effect has no finite logarithm; take these rows \
         out with a step `restrict`, or use `family` = \"gaussian\"",
        zero.join(", ")
    )))
}

/// Mean effects of cells with what their derivatives are made of.
struct CellMeans {
    effects: Vec<f64>,
    /// Derivative in the index over w mu, one a row of a cell, zero elsewhere.
    in_index: Vec<f64>,
    /// Derivative in the kept coefficients where they make the effect: cells x r.
    in_coef: Vec<Vec<f64>>,
    of_row: Vec<Option<usize>>,
}

fn cell_means(design: &Design<'_>, cells: &Cells, fit: &Poisson, rows: &RowEffect<'_>) -> CellMeans {
    let sizes = cells.sizes(design.weight_values());
    let k = cells.cells.len();
    let mut means = CellMeans {
        effects: vec![0.0; k],
        in_index: vec![0.0; cells.of_row.len()],
        in_coef: vec![vec![0.0; fit.coef.len()]; k],
        of_row: cells.of_row.clone(),
    };
    for (row, cell) in cells.of_row.iter().enumerate() {
        let Some(cell) = *cell else { continue };
        let parts = rows.parts(cell, row);
        let effect: f64 = parts.iter().map(|(at, factor)| factor * fit.coef[*at]).sum();
        let share = design.weight_values().map_or(1.0, |it| it[row]) / sizes[cell];
        let without = fit.means[row] * (-effect).exp();
        means.effects[cell] += share * (fit.means[row] - without);
        means.in_index[row] = (1.0 - (-effect).exp()) / sizes[cell];
        parts.into_iter().for_each(|(at, factor)| means.in_coef[cell][at] += share * without * factor);
    }
    means
}

/// z' H^-1 f of each cell's mean and each reported slope, one column each.
fn row_influence(fit: &Poisson, means: &CellMeans, reported: &[usize]) -> Result<Vec<Vec<f64>>, FitError> {
    let k = means.effects.len();
    let on_cell = |cell: usize| {
        let of = |(own, value): (&Option<usize>, &f64)| if *own == Some(cell) { *value } else { 0.0 };
        means.of_row.iter().zip(&means.in_index).map(of).collect()
    };
    let targets: Vec<Vec<f64>> = (0..k).map(on_cell).collect();
    let mut all = fit.project(&targets)?;
    for (column, direct) in all.iter_mut().zip(&means.in_coef) {
        add_direct(column, fit, direct);
    }
    for &slope in reported {
        let mut column = vec![0.0; fit.means.len()];
        let direct: Vec<f64> = (0..fit.coef.len()).map(|it| f64::from(u8::from(it == slope))).collect();
        add_direct(&mut column, fit, &direct);
        all.push(column);
    }
    Ok(all)
}

/// Adds X (X'WX)^-1 c.
pub(crate) fn add_direct(column: &mut [f64], fit: &Poisson, direct: &[f64]) {
    for (j, x) in fit.columns.iter().enumerate() {
        let share: f64 = direct.iter().enumerate().map(|(l, c)| fit.bread[(j, l)] * c).sum();
        column.iter_mut().zip(x).for_each(|(it, x)| *it += share * x);
    }
}

/// The covariance whose scores are the rows of `influence` times w (y - mu), with the factors of a regression of this
/// size.
///
/// R fixest multiplies the inverse information by (n - 1)/(n - K) under iid, as it does sandwiches of clusters.
pub(crate) fn covariance(
    design: &Design<'_>,
    absorbed: &[AbsorbedEffect],
    fit: &Poisson,
    influence: &[Vec<f64>],
) -> Result<Vcov, FitError> {
    let residuals: Vec<f64> = design.outcome.values.iter().zip(&fit.means).map(|(y, mu)| y - mu).collect();
    let columns: Vec<&[f64]> = fit.columns.iter().map(Vec::as_slice).collect();
    let sizes = RowSizes::new(sizes(design, fit), design.weight_values());
    let of = (residuals.as_slice(), &sizes);
    let prepared = design.vcov.prepare(&parts(design, absorbed, of, &columns, fit.bread.as_ref()))?;
    let of_influence: Vec<&[f64]> = influence.iter().map(Vec::as_slice).collect();
    let identity = Mat::<f64>::identity(influence.len(), influence.len());
    let mut vcov = prepared.matrix(&parts(design, absorbed, of, &of_influence, identity.as_ref()))?;
    if vcov.spec == VcovSpec::Iid {
        let (n, divisor) = (vcov.arithmetic.n, vcov.arithmetic.factor);
        let all = design.vcov.small_sample.sample != SampleScale::Never;
        vcov.arithmetic.factor = if all { (n as f64 - 1.0) / divisor } else { 1.0 };
        vcov.arithmetic.factor_text =
            if all { format!("(n - 1) / (n - K) = ({n} - 1) / {divisor}") } else { "1".to_owned() };
        let information = gram(&of_influence, Some(&fit.working_weights))?;
        let factor = vcov.arithmetic.factor;
        vcov.matrix =
            Mat::from_fn(information.nrows(), information.ncols(), |i, j| factor * information[(i, j)]);
    }
    Ok(vcov)
}

/// A mean is known to the rounding of its index times the mean, and to what the last Newton step leaves.
fn sizes(design: &Design<'_>, fit: &Poisson) -> Vec<f64> {
    let rows = design.outcome.values.iter().zip(&fit.means).zip(&fit.index);
    rows.map(|((y, mean), index)| y.abs() + mean * (1.0 + index.abs())).collect()
}

fn parts<'a>(
    design: &'a Design<'_>,
    absorbed: &'a [AbsorbedEffect],
    (residuals, sizes): (&'a [f64], &'a RowSizes),
    columns: &'a [&'a [f64]],
    bread: MatRef<'a, f64>,
) -> LinearParts<'a> {
    LinearParts {
        columns,
        residuals,
        sizes,
        weights: design.weight_values(),
        frequency: design.frequency,
        partialled: 0,
        bread,
        lines: None,
        absorbed,
        constant: false,
        leverages: None,
    }
}

pub(crate) fn by_unit(design: &Design<'_>, fit: &Poisson, influence: &[Vec<f64>]) -> InfluenceFunctions {
    let mut values = Mat::<f64>::zeros(design.units.n_groups(), influence.len());
    for (row, &unit) in design.units.code.iter().enumerate() {
        let weight = design.weight_values().map_or(1.0, |it| it[row]);
        let residual = weight * (design.outcome.values[row] - fit.means[row]);
        influence.iter().enumerate().for_each(|(at, it)| values[(unit as usize, at)] += residual * it[row]);
    }
    InfluenceFunctions::new(design, values)
}

/// Likelihood, McFadden's pseudo R2 and deviances. The likelihood of outcomes that are no counts is that of fixest and
/// Stata, with the gamma function for the factorial.
pub(crate) fn statistics(design: &Design<'_>, fit: &Poisson, vcov: &Vcov) -> Statistics {
    let weight = |row: usize| design.weight_values().map_or(1.0, |it| it[row]);
    let of = |(row, y): (usize, &f64)| weight(row) * (y * fit.index[row] - fit.means[row] - ln_factorial(*y));
    let likelihood: f64 = design.outcome.values.iter().enumerate().map(of).sum();
    let null = likelihood - 0.5 * (fit.null_deviance - fit.deviance);
    let mut stats = Statistics::default();
    stats.set("log_likelihood", likelihood);
    stats.set("pseudo_r2", 1.0 - likelihood / null);
    stats.set("deviance", fit.deviance);
    stats.set("null_deviance", fit.null_deviance);
    stats.count("iterations", fit.iterations);
    stats.count("df_residual", vcov.arithmetic.residual_df);
    stats
}

/// ln Gamma(y + 1) by Stirling's series from 15 on, where its last term is below 1e-16, and the recurrence below.
fn ln_factorial(y: f64) -> f64 {
    let (mut z, mut product) = (y + 1.0, 1.0);
    while z < 15.0 {
        product *= z;
        z += 1.0;
    }
    let square = z * z;
    let terms = [1.0 / 1188.0, -1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0];
    let series = terms.iter().fold(0.0, |sum, it| sum / square + it) / z;
    (z - 0.5) * z.ln() - z + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - f64::ln(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factorials() {
        let mut sum = 0.0;
        for n in 0..60 {
            sum += if n == 0 { 0.0 } else { f64::from(n).ln() };
            assert!((ln_factorial(f64::from(n)) - sum).abs() <= 1e-13 * (1.0 + sum), "{n}");
        }
        assert!((ln_factorial(-0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-13);
    }
}
