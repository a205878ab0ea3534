#![doc = include_str!("../docs/random-effects.md")]

use parallax_model::{
    Before, Capabilities, Design, Distribution, Estimate, Estimator, FitError, Meta, Note, PluginMeta,
    Regression, RegressionInput, SampleReport, Statistics, Status, Support, Term, TreatedSupport, Variation,
    VcovKind, VcovSpec, regress,
    vcov::{Preset, VcovError},
    wald,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    specification_tests::{hausman, mundlak},
    units,
    variance::{Components, Method, components},
};

parallax_model::estimator!(RandomEffects);

/// Feasible generalised least squares with a random unit effect.
pub struct RandomEffects;

/// Settings of `random-effects`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// How the variance of the unit effects is estimated.
    pub variance: Method,
}

impl Estimator for RandomEffects {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "random-effects",
            summary: "Feasible GLS with a random unit effect (Swamy-Arora, Baltagi-Chang)",
            docs: include_str!("../docs/random-effects.md"),
            status: Status::Stable { since: "0.1.0" },
            reference: "Swamy and Arora (1972), Econometrica 40; Baltagi and Chang (1994), J. Econometrics 62",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Iid, VcovKind::Robust, VcovKind::Cluster, VcovKind::Multiway],
            weights: false,
            frequency_weights: false,
            effects: Support::Refused,
            instruments: false,
            unbalanced: true,
            staggered: false,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        refuse_what_xtreg_refuses(design)?;
        let counts = units::periods_per_unit(design);
        let components = components(design, &counts, options.variance)?;
        let theta: Vec<f64> = counts
            .iter()
            .map(|t| 1.0 - (components.sigma2_e / (t * components.sigma2_u + components.sigma2_e)).sqrt())
            .collect();
        let quasi = |values: &[f64]| {
            units::quasi_demeaned(design, &units::means(design, &counts, values), &theta, values)
        };
        let (terms, columns) = units::transformed(design, quasi(&vec![1.0; design.n()]), quasi);
        let outcome = quasi(&design.outcome.values);
        let fit = solve(design, &terms, &columns, &outcome)?;
        let mut stats = statistics(design, &counts, &components, &theta, &fit)?;
        let sigma2_random = fit.rss / fit.vcov.arithmetic.residual_df as f64;
        let offset = columns.len() - design.regressors.len();
        let indefinite = hausman(&components, &fit, offset, sigma2_random, &mut stats)?;
        mundlak(design, &counts, &theta, &columns, &outcome, &mut stats)?;
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::Normal,
            distributions: Vec::new(),
            event: None,
            treated: None,
            details: Vec::new(),
            influence: None,
            notes: notes(&components, fit.notes, indefinite),
            terms: fit.terms,
            coef: fit.coef,
            vcov: fit.vcov,
            sample: SampleReport::of(&design.sample, Some(counts.len()), design.singletons),
            effects: Vec::new(),
            stats,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
        estimate.stand_on(support);
        Ok(estimate)
    }
}

/// In xtreg, re, robust means clustered by unit.
fn refuse_what_xtreg_refuses(design: &Design<'_>) -> Result<(), FitError> {
    match (&design.vcov.spec, design.vcov.small_sample.preset) {
        (VcovSpec::Hc(it), Preset::Xtreg) => Err(FitError::Vcov(VcovError::PresetRefuses {
            preset: "xtreg",
            what: format!("{it} with random effects"),
            advice: "xtreg's vce(robust) is cluster:UNIT; write that",
        })),
        _ => Ok(()),
    }
}

fn solve(
    design: &Design<'_>,
    terms: &[Term],
    columns: &[Vec<f64>],
    outcome: &[f64],
) -> Result<Regression, FitError> {
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let ones = vec![1.0; if design.intercept { design.n() } else { 0 }];
    let constant = design.intercept.then_some(ones.as_slice());
    let before: Vec<&[f64]> =
        constant.into_iter().chain(design.regressors.iter().map(|it| it.values.as_slice())).collect();
    let input = RegressionInput {
        terms,
        columns: &columns,
        outcome,
        weights: None,
        frequency: false,
        before: Some(Before { outcome: &design.outcome.values, columns: &before }),
        absorbed: &[],
        leverages: None,
        constant: None,
    };
    regress(&input, &design.vcov)
}

fn statistics(
    design: &Design<'_>,
    counts: &[f64],
    components: &Components,
    theta: &[f64],
    fit: &Regression,
) -> Result<Statistics, FitError> {
    let mut stats = Statistics::default();
    let offset = usize::from(design.intercept);
    let slopes: Vec<(usize, f64)> = fit
        .kept
        .iter()
        .zip(&fit.coef)
        .filter_map(|(column, &slope)| column.checked_sub(offset).map(|it| (it, slope)))
        .collect();
    units::set_r_squared(design, counts, &slopes, &mut stats);
    stats.set("sigma_u", components.sigma2_u.sqrt());
    stats.set("sigma_e", components.sigma2_e.sqrt());
    stats.set("rho", components.sigma2_u / (components.sigma2_u + components.sigma2_e));
    stats.set("theta_min", theta.iter().copied().fold(f64::INFINITY, f64::min));
    stats.set("theta_max", theta.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    stats.count("between_rank", components.between_rank);
    stats.set_df("within_df", components.within_df);
    stats.set("rss", fit.rss);
    let tested: Vec<usize> = (0..fit.terms.len()).filter(|&it| fit.terms[it] != Term::Intercept).collect();
    if !tested.is_empty() {
        let (chi2, rank, p) = wald(&fit.coef, fit.vcov.matrix.as_ref(), &tested)?;
        stats.set("wald_chi2", chi2);
        stats.count("wald_chi2_df", rank);
        stats.set("wald_chi2_p", p);
    }
    Ok(stats)
}

fn notes(components: &Components, mut notes: Vec<Note>, indefinite: Option<Note>) -> Vec<Note> {
    notes.extend(indefinite);
    if components.sigma2_u == 0.0 {
        notes.push(Note::remark(
            "the estimated variance of the unit effects is zero: random effects equal pooled OLS",
        ));
    }
    notes.push(Note::remark("Hausman's tests use classical covariances; Mundlak's uses the requested one"));
    notes
}
