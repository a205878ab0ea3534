#![doc = include_str!("../docs/placebo.md")]

mod assign;
mod draws;

use parallax_model::{
    Adoption, BatteryModel, BatteryPart, BatteryRequest, Capabilities, Design, Detail, Distribution,
    Estimate, Estimator, Example, FitError, Meta, Name, OptionColumns, PluginMeta, Statistics, Status,
    Support, Term, TreatedSupport, Variable, Variation, VcovKind, Within, linalg::AbsorbOptions,
    panel::percentile,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use assign::Assignments;
use draws::{Draw, Refit};

parallax_model::estimator!(Placebo);

/// Fixed effects with the actual treatment, and again with placebo ones.
pub struct Placebo;

/// Settings of `placebo`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The regressor that is drawn, 0 and 1, staying 1 once it is; the first one when not given.
    pub treatment: Option<Name>,
    /// Where placebo dates of adoption come from.
    pub scheme: Scheme,
    /// Number of draws.
    #[schemars(range(max = parallax_model::limits::DRAWS))]
    pub draws: usize,
    /// Seed; results do not depend on the number of threads.
    pub seed: u64,
    /// Column of groups of units within which adoption is drawn.
    pub strata: Option<Name>,
    /// With scheme `given`: columns of dates of adoption, one a draw; missing or 0 for never.
    pub assignments: Vec<Name>,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

/// Where placebo dates of adoption come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// The actual dates, never among them, are permuted between units.
    #[default]
    Permute,
    /// As many units as actually adopt are drawn, each with a date drawn among the periods after the first.
    Redraw,
    /// The columns named in `assignments`.
    Given,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options {
            treatment: None,
            scheme: Scheme::Permute,
            draws: 500,
            seed: 1,
            strata: None,
            assignments: Vec::new(),
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for Placebo {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "placebo",
            summary: "Fixed effects held against draws of placebo adoption, with a permutation p-value",
            docs: include_str!("../docs/placebo.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Phipson and Smyth (2010), SAGMB 9; MacKinnon and Webb (2020), J. Econometrics 218",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Iid, VcovKind::Robust, VcovKind::Cluster, VcovKind::Multiway],
            weights: true,
            frequency_weights: true,
            effects: Support::Required,
            instruments: false,
            unbalanced: true,
            staggered: true,
            needs_index: true,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        check(options)?;
        let at = position(design, options)?;
        let regressor = &design.regressors[at];
        let certain = match options.scheme {
            Scheme::Given => None,
            _ => Adoption::certain(design, &regressor.name, &regressor.values)?,
        };
        let (design, note) = match &certain {
            Some((less, note)) => (less, Some(note.clone())),
            None => (design, None),
        };
        let absorb = AbsorbOptions {
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
            method: None,
        };
        let within = Within::new(design, &absorb)?;
        let (outcome, variables) = (within.outcome(), within.regressors());
        let fit = within.regress(&outcome, &variables, false)?;
        let stats = within.statistics(&outcome, &fit)?;
        let Some(kept) = fit.terms.iter().position(|it| *it == variables[at].term) else {
            return Err(FitError::Model(format!("`{}` is collinear with the rest", variables[at].term)));
        };
        let name = Name::from(variables[at].term.to_string());
        let adoption = adoption(design, &name, &variables[at].before, options.scheme)?;
        let assignments = Assignments::new(design, &adoption, options)?;
        let sizes = fit.sizes.clone();
        let refit = Refit::new(design, &sizes, &outcome, &controls(&variables, &fit.terms, at))?;
        let draws = draws::run(design, &within, &refit, &assignments)?;
        let mut notes = fit.notes;
        notes.extend(within.iteration_note());
        notes.extend(note);
        notes.extend(assignments.remarks(&adoption));
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
            influence: None,
            notes,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
        estimate.stand_on(support);
        let actual = Draw { estimate: estimate.coef[kept], std_error: estimate.vcov.std_errors()[kept] };
        report(&mut estimate, actual, &draws)?;
        Ok(estimate)
    }

    fn battery(request: &BatteryRequest) -> Option<BatteryModel<Options>> {
        request.cohort.as_ref()?;
        Some(BatteryModel {
            part: BatteryPart::Diagnostic,
            formula: request.formula(Some(&request.treatment), true),
            options: Options { treatment: Some(request.treatment.clone()), ..Options::default() },
        })
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns {
            required: options.strata.iter().cloned().collect(),
            optional: options.assignments.clone(),
        }
    }

    fn example() -> Example<Options> {
        let treatment = Some(Name::from("d"));
        Example { formula: None, options: Options { treatment, draws: 20, ..Options::default() } }
    }
}

/// Assignments that are given do not ask when anybody adopted.
fn adoption(design: &Design<'_>, name: &Name, values: &[f64], scheme: Scheme) -> Result<Adoption, FitError> {
    match scheme {
        Scheme::Given => Adoption::of_adopters(design, name, values),
        Scheme::Permute | Scheme::Redraw => Adoption::from_treatment(design, name, values),
    }
}

fn check(options: &Options) -> Result<(), FitError> {
    let refuse = |reason: &str| Err(FitError::Options { plugin: "placebo", reason: reason.to_owned() });
    let given = options.scheme == Scheme::Given;
    if given == options.assignments.is_empty() {
        return refuse("`assignments` go with `scheme = \"given\"`, and with no other");
    }
    if given && options.strata.is_some() {
        return refuse("`strata` have no meaning with given assignments");
    }
    if !given && options.draws == 0 {
        return refuse("`draws` must be at least 1");
    }
    Ok(())
}

/// Position of the treatment among the regressors.
fn position(design: &Design<'_>, options: &Options) -> Result<usize, FitError> {
    let Some(name) = &options.treatment else {
        return if design.regressors.is_empty() {
            Err(FitError::NoRegressor { reason: "the formula names none".to_owned() })
        } else {
            Ok(0)
        };
    };
    design.regressors.iter().position(|it| it.name == *name).ok_or_else(|| FitError::Options {
        plugin: "placebo",
        reason: format!("`treatment`: no regressor `{name}` in the formula"),
    })
}

/// The other regressors that the fit kept.
fn controls<'v>(variables: &'v [Variable], kept: &[Term], treatment: usize) -> Vec<&'v Variable> {
    let others = variables.iter().enumerate().filter(|it| it.0 != treatment);
    others.map(|it| it.1).filter(|it| kept.contains(&it.term)).collect()
}

/// Equal up to rounding counts as equal: the actual assignment may come up again.
const TIE: f64 = 1.0 - 1e-10;

fn report(estimate: &mut Estimate, actual: Draw, draws: &[Draw]) -> Result<(), FitError> {
    let distribution = estimate.distribution;
    let good: Vec<&Draw> = draws.iter().filter(|it| it.estimate.is_finite()).collect();
    if good.is_empty() {
        return Err(FitError::Model(
            "no draw gave an estimate: every placebo treatment is collinear with effects or controls"
                .to_owned(),
        ));
    }
    let share = |extreme: &dyn Fn(&Draw) -> bool| {
        (1 + good.iter().filter(|it| extreme(it)).count()) as f64 / (1 + good.len()) as f64
    };
    let t = |it: &Draw| it.estimate / it.std_error;
    let stats = &mut estimate.stats;
    stats.set("placebo_actual", actual.estimate);
    stats.count("draws", good.len());
    stats.count("draws_failed", draws.len() - good.len());
    stats.set("p_permutation", share(&|it| TIE * actual.estimate.abs() <= it.estimate.abs()));
    stats.set("p_permutation_t", share_of_statistics(t(&actual), good.iter().map(|it| t(it))));
    stats.set(
        "p_permutation_upper",
        share(&|it| actual.estimate - 1e-10 * actual.estimate.abs() <= it.estimate),
    );
    stats.set(
        "p_permutation_lower",
        share(&|it| it.estimate <= actual.estimate + 1e-10 * actual.estimate.abs()),
    );
    spread(stats, &good);
    let p_values: Vec<f64> = draws.iter().map(|it| distribution.p_value(t(it))).collect();
    let above = p_values.iter().filter(|it| 0.1 < **it).count() as f64;
    let known = p_values.iter().filter(|it| !it.is_nan()).count() as f64;
    stats.set("placebo_share_p_above_10", above / known);
    let numbers = (1..=draws.len()).map(|it| it as f64).collect();
    estimate.details.push(
        Detail::new("draws", "Placebo draws")
            .label("draw", "Draw", numbers)
            .number("estimate", "Estimate", draws.iter().map(|it| it.estimate).collect())
            .number("std_error", "Std. error", draws.iter().map(|it| it.std_error).collect())
            .number("p_value", "p", p_values),
    );
    Ok(())
}

/// The share of t statistics at least as large as the actual one, among those that there are; NaN where the actual fit
/// has no error.
fn share_of_statistics(actual: f64, draws: impl Iterator<Item = f64>) -> f64 {
    if actual.is_nan() {
        return f64::NAN;
    }
    let known: Vec<f64> = draws.filter(|it| !it.is_nan()).collect();
    let extreme = known.iter().filter(|it| TIE * actual.abs() <= it.abs()).count();
    (1 + extreme) as f64 / (1 + known.len()) as f64
}

fn spread(stats: &mut Statistics, draws: &[&Draw]) {
    let mut sorted: Vec<f64> = draws.iter().map(|it| it.estimate).collect();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let squares: f64 = sorted.iter().map(|it| (it - mean).powi(2)).sum();
    stats.set("placebo_mean", mean);
    stats.set("placebo_sd", (squares / (n - 1.0)).sqrt());
    for (name, p) in [
        ("placebo_p2_5", 2.5),
        ("placebo_p5", 5.0),
        ("placebo_median", 50.0),
        ("placebo_p95", 95.0),
        ("placebo_p97_5", 97.5),
    ] {
        stats.set(name, percentile(&sorted, p));
    }
}
