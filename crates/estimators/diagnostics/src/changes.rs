//! The regression in first differences: changes of outcome, treatment and covariates with period effects.

use std::sync::Arc;

use parallax_model::{
    Before, Design, FitError, Regression, RegressionInput, Statistics, Term, Variable,
    linalg::{AbsorbOptions, Absorber, Factor},
    r_squared, regress,
    vcov::AbsorbedEffect,
};

/// A fit on changes.
pub struct Changes {
    /// Row of the design whose change it is, for each row of the fit.
    pub rows: Vec<usize>,
    /// Changes of the regressors, in the design's order.
    pub variables: Vec<Variable>,
    /// Weights of the rows.
    pub weights: Option<Vec<f64>>,
    /// Of the change of the outcome on them.
    pub fit: Regression,
    /// Period effects.
    pub effect: AbsorbedEffect,
    /// Size of the fit.
    pub stats: Statistics,
}

impl Changes {
    /// Fits on the rows whose unit has a row in the period before, `since` counting periods.
    pub fn fit(design: &Design<'_>, since: &[usize], time: usize) -> Result<Changes, FitError> {
        let units = &design.units.code;
        let rows: Vec<usize> = (1..design.n())
            .filter(|&row| units[row] == units[row - 1] && since[row] == since[row - 1] + 1)
            .collect();
        if rows.is_empty() {
            return Err(FitError::Model(
                "no unit has two consecutive periods, so there is no change to use".into(),
            ));
        }
        let change = |it: &[f64]| -> Vec<f64> { rows.iter().map(|&row| it[row] - it[row - 1]).collect() };
        let weights: Option<Vec<f64>> =
            design.weight_values().map(|it| rows.iter().map(|&row| it[row]).collect());
        let codes = design.effects[time].codes.compact(rows.iter().copied());
        let factor = Factor { codes: &codes.code, n_groups: codes.n_groups() };
        let absorber = Absorber::new(&[factor], weights.as_deref(), rows.len(), AbsorbOptions::default())?;
        let mut columns: Vec<Vec<f64>> =
            std::iter::once(&design.outcome).chain(&design.regressors).map(|it| change(&it.values)).collect();
        let before = columns.clone();
        absorber.residualize(&mut columns)?;
        let terms: Vec<Term> = design.regressors.iter().map(|it| Term::Slope(it.name.clone())).collect();
        let effect = AbsorbedEffect {
            name: design.effects[time].name.clone(),
            levels: codes.n_groups(),
            redundant: 0,
            codes: codes.clone(),
        };
        let size = |it: &[f64]| -> Vec<f64> {
            rows.iter().map(|&row| it[row].abs().max(it[row - 1].abs())).collect()
        };
        let sizes: Vec<Vec<f64>> = design.regressors.iter().map(|it| size(&it.values)).collect();
        let sizes: Vec<&[f64]> = sizes.iter().map(Vec::as_slice).collect();
        let leverages = || absorber.leverages();
        let fit = regress(
            &RegressionInput {
                terms: &terms,
                columns: &columns[1..].iter().map(Vec::as_slice).collect::<Vec<_>>(),
                outcome: &columns[0],
                weights: weights.as_deref(),
                frequency: false,
                before: Some(Before { outcome: &size(&design.outcome.values), columns: &sizes }),
                absorbed: std::slice::from_ref(&effect),
                leverages: Some(&leverages),
                constant: None,
            },
            &design.vcov.on_rows(&rows)?,
        )?;
        let stats = statistics(&fit, &before[0], &columns[0], weights.as_deref());
        let variables = terms.into_iter().zip(before.into_iter().zip(columns).skip(1));
        let variables = variables
            .map(|(term, (before, after))| Variable {
                term,
                before: Arc::new(before),
                after: Arc::new(after),
            })
            .collect();
        Ok(Changes { rows, variables, weights, fit, effect, stats })
    }
}

/// Fit of the changes, before and after the effects of periods are taken out.
fn statistics(fit: &Regression, before: &[f64], after: &[f64], weights: Option<&[f64]>) -> Statistics {
    let mut stats = Statistics::default();
    stats.count("observations", before.len());
    stats.set("r2", r_squared(fit.rss, before, weights, true));
    stats.set("r2_within", r_squared(fit.rss, after, weights, false));
    stats.set("rss", fit.rss);
    stats.count("df_residual", fit.vcov.arithmetic.residual_df);
    stats
}
