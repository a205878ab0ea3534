#![doc = include_str!("../docs/first-difference.md")]

use parallax_model::{
    Before, Capabilities, Design, Distribution, Estimate, Estimator, FitError, Meta, PluginMeta,
    RegressionInput, SampleReport, Status, Support, TreatedSupport, Variation, VcovKind, regress,
    time_remarks,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units;

parallax_model::estimator!(FirstDifference);

/// Least squares on changes from one period to the next.
pub struct FirstDifference;

/// Settings of `first-difference`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// What a change is when a period is missing.
    pub gaps: Gaps,
}

/// What a change is when a period is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gaps {
    /// Missing, as Stata's `D.`: only changes over one period count.
    #[default]
    Missing,
    /// The change since the unit's row before, however long ago, as plm's `model = "fd"`.
    Bridge,
}

impl Estimator for FirstDifference {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "first-difference",
            summary: "Least squares on changes from one period to the next",
            docs: include_str!("../docs/first-difference.md"),
            status: Status::Stable { since: "0.1.0" },
            reference: "Wooldridge (2010), ch. 10.6",
        },
        capabilities: Capabilities {
            vcov: &[
                VcovKind::Iid,
                VcovKind::Robust,
                VcovKind::Leverage,
                VcovKind::Cluster,
                VcovKind::Multiway,
            ],
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
        let later = rows_with_a_change(design, options.gaps);
        if later.is_empty() {
            return Err(FitError::Model(
                "no unit has two consecutive periods, so there is no change to use".into(),
            ));
        }
        let difference =
            |it: &[f64]| -> Vec<f64> { later.iter().map(|&row| it[row] - it[row - 1]).collect() };
        let (terms, columns) = units::transformed(design, vec![1.0; later.len()], difference);
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let outcome = difference(&design.outcome.values);
        let size = |it: &[f64]| -> Vec<f64> {
            later.iter().map(|&row| it[row].abs().max(it[row - 1].abs())).collect()
        };
        let (_, sizes) = units::transformed(design, vec![1.0; later.len()], size);
        let sizes: Vec<&[f64]> = sizes.iter().map(Vec::as_slice).collect();
        let fit = regress(
            &RegressionInput {
                terms: &terms,
                columns: &columns,
                outcome: &outcome,
                weights: None,
                frequency: false,
                before: Some(Before { outcome: &size(&design.outcome.values), columns: &sizes }),
                absorbed: &[],
                leverages: None,
                constant: None,
            },
            &design.vcov.on_rows(&later)?,
        )?;
        let df = fit.vcov.arithmetic.residual_df as f64;
        let mut stats = units::statistics(&fit, &outcome, None, design.intercept);
        stats.count("observations", later.len());
        stats.set("rss", fit.rss);
        stats.set("root_mse", (fit.rss / df).sqrt());
        let mut notes = fit.notes;
        notes.extend(time_remarks(design.panel));
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
            distributions: Vec::new(),
            terms: fit.terms,
            coef: fit.coef,
            vcov: fit.vcov,
            sample: sample(design, &later)?,
            effects: Vec::new(),
            stats,
            event: None,
            treated: None,
            details: Vec::new(),
            influence: None,
            notes,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::WithinUnits);
        estimate.stand_on(support);
        Ok(estimate)
    }
}

/// The rows that have a change.
fn sample(design: &Design<'_>, later: &[usize]) -> Result<SampleReport, FitError> {
    let mut used = vec![false; design.n()];
    later.iter().for_each(|&row| used[row] = true);
    SampleReport::of_used(design, "no period before", &used)
}

/// Sample rows whose row before is the same unit, one period earlier (or any, when gaps are bridged).
fn rows_with_a_change(design: &Design<'_>, gaps: Gaps) -> Vec<usize> {
    let units = &design.units.code;
    let follows = |row: usize| match gaps {
        Gaps::Bridge => true,
        Gaps::Missing => i64::from(design.periods[row]) == i64::from(design.periods[row - 1]) + 1,
    };
    (1..design.n()).filter(|&row| units[row] == units[row - 1] && follows(row)).collect()
}
