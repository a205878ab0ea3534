#![doc = include_str!("../docs/fixed-effects.md")]

use std::sync::Arc;

use parallax_model::{
    Absorbed, Capabilities, Constant, Design, Distribution, Effect, Estimate, Estimator, FitError, Meta,
    Note, PluginMeta, Regression, RegressionInput, SampleReport, Statistics, Status, Support, Term, VcovKind,
    f_upper,
    linalg::{AbsorbMethod, AbsorbOptions, EffectRanks, column_norms},
    r_squared, regress, squared_correlation,
    vcov::AbsorbedEffect,
    wald, weighted_mean,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::root_mean_squares;

parallax_model::estimator!(FixedEffects);

/// Least squares after absorbing any number of effects.
pub struct FixedEffects;

/// Settings of `fixed-effects`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Report the constant as Stata does: mean outcome less mean regressors times slopes.
    pub constant: bool,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    pub max_iterations: usize,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options { constant: false, tolerance, max_iterations }
    }
}

impl Estimator for FixedEffects {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "fixed-effects",
            summary: "Least squares with any number of absorbed effects (the within estimator)",
            docs: include_str!("../docs/fixed-effects.md"),
            status: Status::Stable { since: "0.1.0" },
            reference: "Wooldridge (2010), ch. 10.5; Correia (2017), Linear Models with High-Dimensional Fixed Effects",
        },
        capabilities: Capabilities {
            vcov: &[
                VcovKind::Iid,
                VcovKind::Robust,
                VcovKind::Leverage,
                VcovKind::Cluster,
                VcovKind::Multiway,
            ],
            weights: true,
            effects: Support::Required,
            instruments: false,
            unbalanced: true,
            staggered: false,
            needs_index: false,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        let absorb = AbsorbOptions {
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
            method: None,
        };
        let absorbed = design.absorb(&absorb)?;
        refuse_spanned_outcome(design, &absorbed)?;
        let absorber = absorbed.absorber()?;
        let effects = absorbed_effects(&design.effects, absorber.ranks());
        let fit = solve(design, options, &absorbed, &effects)?;
        let stats = statistics(design, &fit, &absorbed)?;
        let mut notes = fit.notes;
        notes.extend(iteration_note(&absorbed, &absorb));
        Ok(Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
            terms: fit.terms,
            coef: fit.coef,
            vcov: fit.vcov,
            sample: SampleReport::of(
                &design.sample,
                design.panel.index().map(|_| design.units.n_groups()),
                design.singletons,
            ),
            effects: effects.iter().map(|it| (it.name.clone(), it.levels)).collect(),
            stats,
            notes,
        })
    }
}

/// Rounding is all that absorption leaves of an outcome that the effects span.
fn refuse_spanned_outcome(design: &Design<'_>, absorbed: &Absorbed) -> Result<(), FitError> {
    let norm = |it: &[f64]| column_norms(&[it], design.weight_values()).into_iter().sum::<f64>();
    if SPANNED * norm(&design.outcome.values) < norm(&absorbed.outcome) {
        return Ok(());
    }
    let how = "is spanned by the absorbed effects";
    Err(FitError::ConstantOutcome { outcome: design.outcome.name.clone(), how })
}

/// Share of the outcome's norm below which what is left is rounding: closed forms leave about 1e-16,
/// iteration less than its tolerance of 1e-10.
const SPANNED: f64 = 1e-11;

fn solve(
    design: &Design<'_>,
    options: &Options,
    absorbed: &Absorbed,
    effects: &[AbsorbedEffect],
) -> Result<Regression, FitError> {
    let absorber = absorbed.absorber()?;
    let weights = design.weight_values();
    let terms: Vec<Term> = design.regressors.iter().map(|it| Term::Slope(it.name.clone())).collect();
    let columns: Vec<&[f64]> = absorbed.regressors.iter().map(|it| it.as_slice()).collect();
    let before: Vec<&[f64]> = design.regressors.iter().map(|it| it.values.as_slice()).collect();
    let means: Vec<f64> = before.iter().map(|it| weighted_mean(it, weights)).collect();
    let constant = options.constant.then(|| Constant {
        outcome_mean: weighted_mean(&design.outcome.values, weights),
        column_means: &means,
    });
    let leverages = || absorber.leverages();
    let input = RegressionInput {
        terms: &terms,
        columns: &columns,
        outcome: &absorbed.outcome,
        weights,
        reference_norms: Some(&column_norms(&before, weights)),
        absorbed: effects,
        leverages: Some(&leverages),
        constant,
    };
    regress(&input, &design.vcov)
}

fn absorbed_effects(effects: &[Effect], ranks: &EffectRanks) -> Vec<AbsorbedEffect> {
    let counts = ranks.levels.iter().zip(&ranks.redundant);
    let join = |(it, (&levels, &redundant)): (&Effect, (&usize, &usize))| AbsorbedEffect {
        name: it.name.clone(),
        levels,
        redundant,
        codes: it.codes.clone(),
    };
    effects.iter().zip(counts).map(join).collect()
}

/// Closed forms and direct solves need no remark; iteration says what it guarantees.
fn iteration_note(absorbed: &Absorbed, options: &AbsorbOptions) -> Option<Note> {
    let method = match absorbed.report.method {
        AbsorbMethod::ConjugateGradient => "conjugate gradients",
        AbsorbMethod::FactoredConjugateGradient => "conjugate gradients with a factored preconditioner",
        _ => return None,
    };
    Some(Note::remark(format!(
        "effects absorbed by {method}; every column converged to a relative error below {:e}",
        options.tolerance
    )))
}

fn statistics(design: &Design<'_>, fit: &Regression, absorbed: &Absorbed) -> Result<Statistics, FitError> {
    let n = design.n() as f64;
    let weights = design.weight_values();
    let arithmetic = &fit.vcov.arithmetic;
    let df = arithmetic.residual_df as f64;
    let r2 = r_squared(fit.rss, &design.outcome.values, weights, true);
    let within = r_squared(fit.rss, &absorbed.outcome, weights, false);
    let slopes = fit.kept.len() as f64;
    let mut stats = Statistics::default();
    stats.set("r2", r2);
    stats.set("r2_adjusted", 1.0 - (1.0 - r2) * (n - 1.0) / df);
    stats.set("r2_within", within);
    stats.set("r2_within_adjusted", 1.0 - (1.0 - within) * (df + slopes) / df);
    stats.set("rss", fit.rss);
    let (rmse, root_mse) = root_mean_squares(fit, weights, df);
    stats.set("rmse", rmse);
    stats.set("root_mse", root_mse);
    stats.set("df_residual", df);
    let tested: Vec<usize> = (0..fit.kept.len()).collect();
    if !tested.is_empty() {
        let (chi2, rank, _) = wald(&fit.coef, fit.vcov.matrix.as_ref(), &tested)?;
        let f = chi2 / rank as f64;
        stats.set("wald_f", f);
        stats.set("wald_f_df1", rank as f64);
        stats.set("wald_f_df2", arithmetic.t_df);
        stats.set("wald_f_p", f_upper(f, rank as f64, arithmetic.t_df));
    }
    if weights.is_none() && only_effect_is_the_unit(design) {
        variance_components(design, fit, &mut stats);
    }
    Ok(stats)
}

/// Between and overall R-squared and the spread of unit effects are xtreg's, and defined by it for
/// unit effects alone.
fn only_effect_is_the_unit(design: &Design<'_>) -> bool {
    matches!((design.panel.index(), design.effects.as_slice()), (Some((unit, _)), [effect]) if effect.name == *unit)
}

/// Stata manual XT xtreg, Methods and formulas: R-squared as squared correlations, sigma_u as the
/// standard deviation of estimated unit effects.
fn variance_components(design: &Design<'_>, fit: &Regression, stats: &mut Statistics) {
    let mut fitted = vec![0.0; design.n()];
    for (&column, slope) in fit.kept.iter().zip(&fit.coef) {
        for (fitted, x) in fitted.iter_mut().zip(design.regressors[column].values.iter()) {
            *fitted += slope * x;
        }
    }
    let outcome = &design.outcome.values;
    let (fitted_means, outcome_means) = (unit_means(design, &fitted), unit_means(design, outcome));
    stats.set("r2_between", squared_correlation(&fitted_means, &outcome_means));
    stats.set("r2_overall", squared_correlation(&fitted, outcome));
    let effects: Vec<f64> = outcome_means.iter().zip(&fitted_means).map(|(y, x)| y - x).collect();
    let mean = weighted_mean(&effects, None);
    let spread: f64 = effects.iter().map(|it| (it - mean).powi(2)).sum();
    let sigma_u = (spread / (effects.len() as f64 - 1.0)).sqrt();
    let sigma_e = (fit.rss / fit.vcov.arithmetic.residual_df as f64).sqrt();
    stats.set("sigma_u", sigma_u);
    stats.set("sigma_e", sigma_e);
    stats.set("rho", sigma_u.powi(2) / (sigma_u.powi(2) + sigma_e.powi(2)));
}

fn unit_means(design: &Design<'_>, values: &[f64]) -> Vec<f64> {
    let codes: &Arc<Vec<u32>> = &design.units.code;
    let mut sums = vec![(0.0, 0.0); design.units.n_groups()];
    for (&unit, value) in codes.iter().zip(values) {
        let sum = &mut sums[unit as usize];
        sum.0 += value;
        sum.1 += 1.0;
    }
    sums.into_iter().map(|(sum, count)| sum / count).collect()
}
