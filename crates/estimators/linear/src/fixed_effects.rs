#![doc = include_str!("../docs/fixed-effects.md")]

use std::sync::Arc;

use parallax_model::{
    BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Distribution, Estimate, Estimator,
    FitError, Meta, PluginMeta, Regression, Statistics, Status, Support, Term, TreatedSupport, Variation,
    VcovKind, Within, linalg::AbsorbOptions, squared_correlation, weighted_mean,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
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
            frequency_weights: true,
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
        let within = Within::new(design, &absorb)?;
        let outcome = within.outcome();
        let variables = within.regressors();
        let fit = within.regress(&outcome, &variables, options.constant)?;
        let influence = within.influence(&variables, &fit)?;
        let mut stats = within.statistics(&outcome, &fit)?;
        if design.weights.is_none() && only_effect_is_the_unit(design) {
            variance_components(design, &fit, &mut stats);
        }
        let mut notes = fit.notes;
        notes.extend(within.iteration_note());
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
            distributions: Vec::new(),
            terms: fit.terms,
            coef: fit.coef,
            vcov: fit.vcov,
            sample: within.sample(),
            effects: within.effects().iter().map(|it| (it.name.clone(), it.levels)).collect(),
            stats,
            event: None,
            treated: None,
            details: Vec::new(),
            influence,
            notes,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
        estimate.stand_on(support);
        Ok(estimate)
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        Some(BatteryModel {
            part: BatteryPart::Effect(Some(Term::Slope(request.treatment.clone()))),
            formula: request.formula(Some(&request.treatment), true),
            options: Options::default(),
        })
    }
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
