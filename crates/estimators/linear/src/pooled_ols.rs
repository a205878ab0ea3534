#![doc = include_str!("../docs/pooled-ols.md")]

use std::sync::Arc;

use parallax_model::{
    Capabilities, Design, Distribution, Estimate, Estimator, FitError, InfluenceFunctions, Meta, PluginMeta,
    RegressionInput, SampleReport, Statistics, Status, Support, Term, TreatedSupport, Variation, VcovKind,
    f_upper, r_squared, regress, root_mean_squares, wald,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

parallax_model::estimator!(PooledOls);

/// Ordinary (or weighted) least squares on all rows.
pub struct PooledOls;

/// There is nothing to set.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Options {}

impl Estimator for PooledOls {
    const META: Meta = Meta {
        plugin: PluginMeta {
            name: "pooled-ols",
            summary: "Ordinary or weighted least squares on all rows",
            docs: include_str!("../docs/pooled-ols.md"),
            status: Status::Stable { since: "0.1.0" },
            reference: "Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, ch. 4 and 7.8",
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
            effects: Support::Refused,
            instruments: false,
            unbalanced: true,
            staggered: false,
            needs_index: false,
        },
    };
    type Options = Options;

    fn fit(design: &Design<'_>, _: &Options) -> Result<Estimate, FitError> {
        let ones = Arc::new(vec![1.0; if design.intercept { design.n() } else { 0 }]);
        let mut terms = Vec::new();
        let mut columns: Vec<&[f64]> = Vec::new();
        if design.intercept {
            terms.push(Term::Intercept);
            columns.push(&ones);
        }
        terms.extend(design.regressors.iter().map(|it| Term::Slope(it.name.clone())));
        columns.extend(design.regressors.iter().map(|it| it.values.as_slice()));
        let fit = regress(
            &RegressionInput {
                terms: &terms,
                columns: &columns,
                outcome: &design.outcome.values,
                weights: design.weight_values(),
                frequency: design.frequency,
                before: None,
                absorbed: &[],
                leverages: None,
                constant: None,
            },
            &design.vcov,
        )?;
        let stats = statistics(design, &fit)?;
        let influence = design
            .keep_influence
            .then(|| InfluenceFunctions::of_regression(design, &columns, &fit))
            .transpose()?;
        let units = design.panel.index().map(|_| design.units.n_groups());
        let mut estimate = Estimate {
            estimator: Self::META.plugin.name,
            outcome: design.outcome.name.clone(),
            distribution: Distribution::StudentT(fit.vcov.arithmetic.t_df),
            distributions: Vec::new(),
            terms: fit.terms,
            coef: fit.coef,
            vcov: fit.vcov,
            sample: SampleReport::of(&design.sample, units, design.singletons),
            effects: Vec::new(),
            stats,
            event: None,
            treated: None,
            details: Vec::new(),
            influence,
            notes: fit.notes,
        };
        let support = TreatedSupport::of_regressors(design, &estimate.terms, Variation::Rows);
        estimate.stand_on(support);
        Ok(estimate)
    }
}

fn statistics(design: &Design<'_>, fit: &parallax_model::Regression) -> Result<Statistics, FitError> {
    let n = fit.vcov.arithmetic.n as f64;
    let df = fit.vcov.arithmetic.residual_df as f64;
    let r2 = r_squared(fit.rss, &design.outcome.values, design.weight_values(), design.intercept);
    let mut stats = Statistics::default();
    if design.frequency {
        stats.count("observations", n as usize);
    }
    stats.set("r2", r2);
    stats.set("r2_adjusted", 1.0 - (1.0 - r2) * (n - f64::from(u8::from(design.intercept))) / df);
    stats.set("rss", fit.rss);
    let (rmse, root_mse) = root_mean_squares(fit, design);
    stats.set("rmse", rmse);
    stats.set("root_mse", root_mse);
    stats.set_df("df_residual", df);
    let slopes: Vec<usize> = (0..fit.terms.len()).filter(|&it| fit.terms[it] != Term::Intercept).collect();
    if !slopes.is_empty() {
        let (chi2, rank, _) = wald(&fit.coef, fit.vcov.matrix.as_ref(), &slopes)?;
        let f = chi2 / rank as f64;
        stats.set("wald_f", f);
        stats.count("wald_f_df1", rank);
        stats.set_df("wald_f_df2", fit.vcov.arithmetic.t_df);
        stats.set("wald_f_p", f_upper(f, rank as f64, fit.vcov.arithmetic.t_df));
    }
    Ok(stats)
}
