#![doc = include_str!("../docs/between.md")]

use parallax_model::{
    Before, Capabilities, Design, Distribution, Estimate, Estimator, FitError, Meta, PluginMeta,
    RegressionInput, SampleReport, Status, Support, TreatedSupport, Variation, VcovKind, regress,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units;

parallax_model::estimator!(Between);

/// Least squares on unit means.
pub struct Between;

/// Settings of `between`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// What a unit's mean weighs.
    pub weigh: Weigh,
}

/// What a unit's mean weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Weigh {
    /// Every unit the same (Stata's `xtreg, be`, plm).
    #[default]
    Equally,
    /// By its number of rows (Stata's `xtreg, be wls`).
    ByRows,
}

impl Estimator for Between {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "between",
            summary: "Least squares on unit means",
            docs: include_str!("../docs/between.md"),
            status: Status::Stable { since: "0.1.0" },
            reference: "Wooldridge (2010), ch. 10.2; Stata manual XT xtreg, be",
        },
        capabilities: Capabilities {
            vcov: &[VcovKind::Iid, VcovKind::Robust, VcovKind::Leverage],
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
        let counts = units::periods_per_unit(design);
        let (terms, columns) =
            units::transformed(design, vec![1.0; counts.len()], |it| units::means(design, &counts, it));
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let outcome = units::means(design, &counts, &design.outcome.values);
        let size =
            |it: &[f64]| units::means(design, &counts, &it.iter().map(|it| it.abs()).collect::<Vec<f64>>());
        let (_, sizes) = units::transformed(design, vec![1.0; counts.len()], size);
        let sizes: Vec<&[f64]> = sizes.iter().map(Vec::as_slice).collect();
        let weights = (options.weigh == Weigh::ByRows).then_some(counts.as_slice());
        let fit = regress(
            &RegressionInput {
                terms: &terms,
                columns: &columns,
                outcome: &outcome,
                weights,
                frequency: false,
                before: Some(Before { outcome: &size(&design.outcome.values), columns: &sizes }),
                absorbed: &[],
                leverages: None,
                constant: None,
            },
            &design.vcov,
        )?;
        let df = fit.vcov.arithmetic.residual_df as f64;
        let mut stats = units::statistics(&fit, &outcome, weights, design.intercept);
        let offset = usize::from(design.intercept);
        let slopes: Vec<(usize, f64)> = fit
            .kept
            .iter()
            .zip(&fit.coef)
            .filter_map(|(column, &slope)| column.checked_sub(offset).map(|it| (it, slope)))
            .collect();
        units::set_r_squared(design, &counts, &slopes, &mut stats);
        stats.count("observations", counts.len());
        stats.set("root_mse", (fit.rss / df).sqrt());
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
            distributions: Vec::new(),
            terms: fit.terms,
            coef: fit.coef,
            vcov: fit.vcov,
            sample: SampleReport::of(&design.sample, Some(counts.len()), design.singletons),
            effects: Vec::new(),
            stats,
            event: None,
            treated: None,
            details: Vec::new(),
            influence: None,
            notes: fit.notes,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
        estimate.stand_on(support);
        Ok(estimate)
    }
}
