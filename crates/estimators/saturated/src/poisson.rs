#![doc = include_str!("../docs/poisson.md")]

use std::sync::Arc;

use parallax_model::{
    Capabilities, Design, Distribution, Estimate, Estimator, Example, FitError, Meta, Name, Note,
    OptionColumns, PluginMeta, SampleReport, Statistics, Status, Support, Term, TreatedSupport, Variation,
    VcovKind, WeightScale,
    linalg::{AbsorbOptions, Factor, Poisson, PoissonInput, poisson},
    panel::Dropped,
    vcov::AbsorbedEffect,
    wald,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::counts;

parallax_model::estimator!(PoissonRegression);

/// Poisson pseudo-maximum likelihood.
pub struct PoissonRegression;

/// Settings of `poisson`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Column that is added to the index with a coefficient of one: the logarithm of exposure.
    pub offset: Option<Name>,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options { offset: None, tolerance, max_iterations }
    }
}

impl Estimator for PoissonRegression {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "poisson",
            summary: "Poisson pseudo-maximum likelihood for counts and other outcomes from zero on, with absorbed effects",
            docs: include_str!("../docs/poisson.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Correia, Guimaraes and Zylkin (2020), Stata Journal 20",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Iid, VcovKind::Robust, VcovKind::Cluster, VcovKind::Multiway],
            weights: true,
            frequency_weights: true,
            effects: Support::Allowed,
            instruments: false,
            unbalanced: true,
            staggered: false,
            needs_index: false,
        },
    };
    type Options = Options;

    /// They multiply the likelihood.
    fn weights(_: &Options) -> WeightScale {
        WeightScale::AsGiven
    }

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        let zeros = if design.effects.is_empty() { None } else { counts::only_zeros(design) };
        match zeros {
            None => estimate(design, options),
            Some((reason, out)) => {
                estimate(&design.without(Dropped::Other(reason), |row| out[row])?, options)
            }
        }
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns { required: options.offset.iter().cloned().collect(), optional: Vec::new() }
    }

    fn example() -> Example<Options> {
        Example { formula: Some("I(y^2) ~ x1 + x2 + d"), options: Options::default() }
    }
}

fn estimate(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
    let (terms, columns) = columns(design);
    let slices: Vec<&[f64]> = columns.iter().map(|it| it.as_slice()).collect();
    let factors: Vec<Factor<'_>> = (design.effects.iter())
        .map(|it| Factor { codes: &it.codes.code, n_groups: it.codes.n_groups() })
        .collect();
    let offset = options.offset.as_ref().map(|it| design.column(it)).transpose()?;
    let input = PoissonInput {
        columns: &slices,
        outcome: &design.outcome.values,
        weights: design.weight_values(),
        offset: offset.as_ref().map(|it| it.as_slice()),
        factors: &factors,
    };
    let absorb =
        AbsorbOptions { tolerance: options.tolerance, max_iterations: options.max_iterations, method: None };
    let fit = poisson(&input, &absorb)?;
    if fit.kept.is_empty() {
        let reason = "the formula names none that the effects do not span".to_owned();
        return Err(FitError::NoRegressor { reason });
    }
    let absorbed = absorbed(design, &fit);
    let influence = influence(&fit);
    let vcov = counts::covariance(design, &absorbed, &fit, &influence)?;
    let mut stats = counts::statistics(design, &fit, &vcov);
    add_wald(&fit, &terms, &vcov, &mut stats)?;
    let dropped = |&it: &usize| Note::DroppedCollinear { column: terms[it].to_string().as_str().into() };
    let mut estimate = Estimate {
        estimator: PoissonRegression::META.plugin.name,
        outcome: design.outcome.name.clone(),
        terms: fit.kept.iter().map(|&it| terms[it].clone()).collect(),
        coef: fit.coef.clone(),
        distribution: Distribution::Normal,
        distributions: Vec::new(),
        stats,
        vcov,
        sample: SampleReport::of(
            &design.sample,
            design.panel.index().map(|_| design.units.n_groups()),
            design.singletons,
        ),
        effects: absorbed.iter().map(|it| (it.name.clone(), it.levels)).collect(),
        event: None,
        treated: None,
        details: Vec::new(),
        influence: design.keep_influence.then(|| counts::by_unit(design, &fit, &influence)),
        notes: fit.dropped.iter().map(dropped).collect(),
    };
    let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
    estimate.stand_on(support);
    Ok(estimate)
}

/// The constant, where no effect spans it, and the formula's regressors.
fn columns(design: &Design<'_>) -> (Vec<Term>, Vec<Arc<Vec<f64>>>) {
    let constant = design.intercept && design.effects.is_empty();
    let ones = constant.then(|| (Term::Intercept, Arc::new(vec![1.0; design.n()])));
    let regressors =
        design.regressors.iter().map(|it| (Term::Slope(it.name.clone()), Arc::clone(&it.values)));
    ones.into_iter().chain(regressors).unzip()
}

fn absorbed(design: &Design<'_>, fit: &Poisson) -> Vec<AbsorbedEffect> {
    let ranks = fit.absorber.ranks();
    let counts = ranks.levels.iter().zip(&ranks.redundant);
    let effect = |(it, (&levels, &redundant)): (&parallax_model::Effect, (&usize, &usize))| AbsorbedEffect {
        name: it.name.clone(),
        levels,
        redundant,
        codes: it.codes.clone(),
    };
    design.effects.iter().zip(counts).map(effect).collect()
}

/// x' (X'WX)^-1 of each coefficient, one column each.
fn influence(fit: &Poisson) -> Vec<Vec<f64>> {
    let of = |at: usize| {
        let mut column = vec![0.0; fit.means.len()];
        let direct: Vec<f64> = (0..fit.coef.len()).map(|it| f64::from(u8::from(it == at))).collect();
        counts::add_direct(&mut column, fit, &direct);
        column
    };
    (0..fit.coef.len()).map(of).collect()
}

/// The Wald test that all slopes are zero.
fn add_wald(
    fit: &Poisson,
    terms: &[Term],
    vcov: &parallax_model::Vcov,
    stats: &mut Statistics,
) -> Result<(), FitError> {
    let slopes: Vec<usize> =
        (0..fit.kept.len()).filter(|&it| terms[fit.kept[it]] != Term::Intercept).collect();
    if !slopes.is_empty() {
        let (chi2, rank, p) = wald(&fit.coef, vcov.matrix.as_ref(), &slopes)?;
        stats.set("wald_chi2", chi2);
        stats.count("wald_chi2_df", rank);
        stats.set("wald_chi2_p", p);
    }
    Ok(())
}
