#![doc = include_str!("../docs/group-effects.md")]

use parallax_model::{
    Capabilities, Design, Distribution, Estimate, Estimator, Example, FitError, Meta, Name, OptionColumns,
    PluginMeta, Status, Support, TreatedCount, TreatedSupport, Variation, Vcov, VcovKind,
    linalg::AbsorbOptions, repaired,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    equality::{self, Permutation},
    groups::Groups,
    models::{self, Fitted},
};

parallax_model::estimator!(GroupEffects);

const NAME: &str = "group-effects";

/// One effect of a treatment for each group.
pub struct GroupEffects;

/// Settings of `group-effects`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// The treatment, a regressor of the formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment: Option<Name>,
    /// Column of groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// How effects by group are estimated.
    pub mode: Mode,
    /// Draws of group labels; 0 for none.
    #[schemars(range(max = parallax_model::limits::DRAWS))]
    pub permutations: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// Largest relative error of an absorbed column.
    pub tolerance: f64,
    /// Iterations of the slowest column before giving up with an error.
    #[schemars(range(min = 1, max = parallax_model::limits::ITERATIONS))]
    pub max_iterations: usize,
}

/// How effects by group are estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One model with the treatment of each group; all other coefficients in common.
    #[default]
    Joint,
    /// A model for each group, in which the treatment times the group's indicator replaces the treatment.
    Interaction,
    /// A model for each group on its own rows, so that every coefficient differs.
    Split,
}

impl Default for Options {
    fn default() -> Options {
        let AbsorbOptions { tolerance, max_iterations, .. } = AbsorbOptions::default();
        Options {
            treatment: None,
            by: None,
            mode: Mode::Joint,
            permutations: 0,
            seed: 1,
            tolerance,
            max_iterations,
        }
    }
}

impl Estimator for GroupEffects {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: NAME,
            summary: "Effects of a treatment by group, with their joint covariance and tests of equality",
            docs: include_str!("../docs/group-effects.md"),
            status: Status::Preview { since: "0.1.0" },
            reference: "Wooldridge (2010), ch. 10.5; Efron and Tibshirani (1993), ch. 15",
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
        let groups = Groups::new(design, options)?;
        let Fitted { terms, coef, covariance, clamped, of_groups, base, t_df, mut stats, mut notes, sample } =
            models::fit(design, options, &groups)?;
        equality::add_wald(&mut stats, &coef, covariance.as_ref(), &of_groups, t_df)?;
        if 0 < options.permutations {
            let permutation = Permutation::new(design, options, &groups)?;
            notes.push(permutation.test(options, &mut stats)?);
        }
        notes.extend(repaired(design.vcov.repair, clamped));
        let distribution = Distribution::StudentT(t_df);
        let details = vec![
            groups.table(design),
            equality::differences(&groups, &coef, covariance.as_ref(), &of_groups, distribution),
        ];
        let mut by_term = vec![None; terms.len()];
        for (group, &at) in of_groups.iter().enumerate() {
            by_term[at] = TreatedCount::of_column(design, &groups.treatment_of(group), Variation::Rows);
        }
        let overall = TreatedCount::of_column(design, &groups.treated, Variation::Rows);
        let mut estimate = Estimate {
            estimator: NAME,
            outcome: design.outcome.name.clone(),
            terms,
            coef,
            vcov: Vcov { matrix: covariance, clamped, ..base },
            distribution,
            distributions: Vec::new(),
            sample,
            effects: design.effects.iter().map(|it| (it.name.clone(), it.codes.n_groups())).collect(),
            stats,
            event: None,
            treated: None,
            details,
            influence: None,
            notes,
        };
        estimate.stand_on(Some(TreatedSupport { overall, by_term }));
        Ok(estimate)
    }

    fn columns(options: &Options) -> OptionColumns {
        OptionColumns { required: options.by.iter().cloned().collect(), optional: Vec::new() }
    }

    fn example() -> Example<Options> {
        let options = Options { treatment: Some("d".into()), by: Some("kind".into()), ..Options::default() };
        Example { formula: None, options }
    }
}

pub(crate) fn refuse(reason: impl Into<String>) -> FitError {
    FitError::Options { plugin: NAME, reason: reason.into() }
}
