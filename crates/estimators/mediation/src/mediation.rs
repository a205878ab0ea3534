#![doc = include_str!("../docs/mediation.md")]

use parallax_model::{
    Capabilities, Design, Detail, Distribution, Estimate, Estimator, Example, FitError, Meta, Name, Note,
    OptionColumns, PluginMeta, Statistics, Status, Support, Term, TreatedCount, TreatedSupport, Variation,
    Vcov, VcovKind, linalg::AbsorbOptions, repaired,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    bootstrap::{self, System},
    effects::Effects,
    equations::Equations,
};

parallax_model::estimator!(Mediation);

pub(crate) const NAME: &str = "mediation";

/// The effect of a treatment through a mediator, and beside it.
pub struct Mediation;

/// Settings of `mediation`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The treatment, a regressor of the formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment: Option<Name>,
    /// Column of the mediator, which the formula does not have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mediator: Option<Name>,
    /// Whether the treatment stands beside the mediator in the equation of the outcome.
    pub outcome_equation: OutcomeEquation,
    /// Draws of clusters; 0 for none.
    #[schemars(range(max = parallax_model::limits::DRAWS))]
    pub bootstrap: usize,
    /// Draws of the two paths from their joint normal distribution; 0 for none.
    #[schemars(range(max = parallax_model::limits::DRAWS))]
    pub monte_carlo: usize,
    /// Seed of all draws.
    pub seed: u64,
    /// Level of the intervals from draws.
    pub level: f64,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

/// Which regressors the equation of the outcome has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeEquation {
    /// Treatment and mediator (Baron and Kenny 1986): the direct effect is what the mediator leaves.
    #[default]
    DirectAndMediator,
    /// The mediator without the treatment, as papers with two printed equations have it.
    MediatorOnly,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options {
            treatment: None,
            mediator: None,
            outcome_equation: OutcomeEquation::DirectAndMediator,
            bootstrap: 0,
            monte_carlo: 0,
            seed: 1,
            level: 0.95,
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for Mediation {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: NAME,
            summary: "Effect of a treatment through a mediator: a*b with Sobel, delta and bootstrap errors",
            docs: include_str!("../docs/mediation.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Baron and Kenny (1986), JPSP 51(6); MacKinnon (2008), ch. 3 and 4",
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

    fn fit(design: &Design<'_>, options: &Options) -> Result<Estimate, FitError> {
        check(options)?;
        let equations = Equations::new(design, options)?;
        let effects = Effects::of(design, &equations)?;
        let mut stats = equations.statistics()?;
        effects.add_tests(&mut stats);
        let mut details = vec![equations.table()];
        let mut notes = equations.notes();
        if 0 < options.monte_carlo {
            let (low, high) = effects.monte_carlo(options)?;
            stats.set("monte_carlo_low", low);
            stats.set("monte_carlo_high", high);
        }
        if 0 < options.bootstrap {
            let (table, note) = drawn(design, options, &equations, &effects, &mut stats)?;
            details.push(table);
            notes.push(note);
        }
        notes.extend(repaired(design.vcov.repair, effects.clamped));
        let outcome = &equations.outcome.fit.vcov;
        let treated = equations.treated.before.as_slice();
        let overall = TreatedCount::of_column(design, treated, Variation::Rows);
        let mut estimate = Estimate {
            estimator: NAME,
            outcome: design.outcome.name.clone(),
            terms: effects.names().map(|it| Term::Slope(it.into())).collect(),
            coef: effects.values(),
            distribution: Distribution::StudentT(outcome.arithmetic.t_df),
            distributions: Vec::new(),
            vcov: Vcov { matrix: effects.covariance(), clamped: effects.clamped, ..outcome.clone() },
            sample: equations.within.sample(),
            effects: design.effects.iter().map(|it| (it.name.clone(), it.codes.n_groups())).collect(),
            stats,
            event: None,
            treated: None,
            details,
            influence: None,
            notes,
        };
        let by_term = effects.of_treatment().into_iter().map(|it| overall.filter(|_| it)).collect();
        estimate.stand_on(overall.map(|_| TreatedSupport { overall, by_term }));
        Ok(estimate)
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns { required: options.mediator.iter().cloned().collect(), optional: Vec::new() }
    }

    fn example() -> Example<Options> {
        let options =
            Options { treatment: Some("d".into()), mediator: Some("x2".into()), ..Options::default() };
        Example { formula: Some("y ~ d + x1 | unit + year"), options }
    }
}

pub(crate) fn refuse(reason: impl Into<String>) -> FitError {
    FitError::Options { plugin: NAME, reason: reason.into() }
}

fn check(options: &Options) -> Result<(), FitError> {
    let level = options.level;
    if !(0.0 < level && level < 1.0) {
        return Err(refuse(format!("`level` is {level}; it lies between 0 and 1, as 0.95")));
    }
    let least = (2.0 / (1.0 - level)).ceil();
    for (name, draws) in [("bootstrap", options.bootstrap), ("monte-carlo", options.monte_carlo)] {
        if 0 < draws && (draws as f64) < least {
            return Err(refuse(format!(
                "`{name}` is {draws}, and the ends of an interval of level {level} lie beyond so few draws; take \
                 at least {least}, better 999"
            )));
        }
    }
    Ok(())
}

/// The bootstrap's table, its note, and the interval of the indirect effect among the statistics.
fn drawn(
    design: &Design<'_>,
    options: &Options,
    equations: &Equations<'_, '_>,
    effects: &Effects,
    stats: &mut Statistics,
) -> Result<(Detail, Note), FitError> {
    let system = System::new(design, equations)?;
    let draws: Vec<Vec<f64>> =
        system.draws(options).into_iter().map(|paths| effects.at(paths).values()).collect();
    if draws.len() < 2 {
        return Err(FitError::Model(format!(
            "treatment or mediator did not vary in {} of {} bootstrap draws; draw clusters that are more and smaller",
            options.bootstrap - draws.len(),
            options.bootstrap
        )));
    }
    let table = bootstrap::table(effects, &draws, options.level);
    for (name, column) in [
        ("bootstrap_se", "std_error"),
        ("bootstrap_percentile_low", "percentile_low"),
        ("bootstrap_percentile_high", "percentile_high"),
        ("bootstrap_basic_low", "basic_low"),
        ("bootstrap_basic_high", "basic_high"),
    ] {
        let at = effects.names().position(|it| it == "indirect").unwrap_or_default();
        let value = table.numbers(column).and_then(|it| it.get(at)).copied();
        stats.set(name, value.unwrap_or(f64::NAN));
    }
    stats.count("bootstrap_draws", draws.len());
    Ok((table, Note::remark(system.note(options, draws.len()))))
}
