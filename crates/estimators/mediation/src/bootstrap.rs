//! Clusters drawn with replacement, and all paths estimated again in each draw.
//!
//! A cluster drawn twice is a cluster of weight two, so that a draw is a weighted sum of cross-products by cluster.

use std::sync::Arc;

use parallax_model::{
    ClusterProducts, Design, Detail, FitError, Name, Variable, panel::Codes, varies, vcov::Keyed,
};
use rayon::prelude::*;

use crate::{
    effects::{Effects, Paths},
    equations::Equations,
    mediation::{Options, OutcomeEquation},
};

/// Cross-products by cluster. The last three columns are treatment, mediator and outcome.
pub(crate) struct System {
    variant: OutcomeEquation,
    products: ClusterProducts,
    by: String,
}

impl System {
    /// # Errors
    /// Several cluster columns, or effects with too many levels across clusters.
    pub fn new(design: &Design<'_>, equations: &Equations<'_, '_>) -> Result<System, FitError> {
        let (by, clusters) = clusters(design)?;
        let rest = [&equations.treated, &equations.mediator, &equations.response];
        let values = |it: &Variable| Arc::as_ref(&it.before).clone();
        let columns = equations.controls.iter().chain(rest).map(values).collect();
        let products = ClusterProducts::new(design, &clusters, &by, columns)?;
        Ok(System { variant: equations.variant, products, by })
    }

    /// The paths in each draw; draws in which treatment or mediator do not vary are left out.
    pub fn draws(&self, options: &Options) -> Vec<Paths> {
        let keyed = Keyed::new(options.seed);
        let clusters = self.products.clusters.len();
        let draw = |at: usize| {
            let mut times = vec![0.0; clusters];
            let mut numbers = keyed.sequence("mediation bootstrap", at as u64);
            for _ in 0..clusters {
                if let Some(it) = times.get_mut(numbers.below(clusters)) {
                    *it += 1.0;
                }
            }
            self.paths(&times)
        };
        (0..options.bootstrap).into_par_iter().map(draw).collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// The paths when each cluster is there that many times.
    pub fn paths(&self, times: &[f64]) -> Option<Paths> {
        let mut sums = self.products.sum(times);
        let [d, m, y] = [3, 2, 1].map(|it| sums.k() - it);
        let before = [sums.at(d, d), sums.at(m, m)];
        sums.partial_out(d);
        let (dd, md, yd, mm, ym) =
            (sums.at(d, d), sums.at(m, d), sums.at(y, d), sums.at(m, m), sums.at(y, m));
        if !varies(dd, before[0]) {
            return None;
        }
        let (a, total) = (md / dd, yd / dd);
        match self.variant {
            OutcomeEquation::DirectAndMediator => {
                let left = mm - a * md;
                let b = (ym - a * yd) / left;
                varies(left, before[1]).then_some([a, b, total - a * b])
            }
            OutcomeEquation::MediatorOnly => varies(mm, before[1]).then_some([a, ym / mm, total]),
        }
    }

    /// What was drawn and what was estimated again.
    pub fn note(&self, options: &Options, used: usize) -> String {
        let names: Vec<&str> = self.products.redone.iter().map(Name::as_str).collect();
        let redone = match names.as_slice() {
            [] => String::new(),
            it => format!(", with the effects {} estimated again in each draw", it.join(", ")),
        };
        let lost = match options.bootstrap - used {
            0 => String::new(),
            it => format!("; in {it} draws treatment or mediator did not vary, and these are left out"),
        };
        format!(
            "bootstrap: {used} draws of {} clusters ({}), seed {}{redone}{lost}",
            self.products.clusters.len(),
            self.by,
            options.seed
        )
    }
}

/// Errors and intervals of all effects from the draws: percentile, and basic (twice the estimate less the other end).
pub(crate) fn table(effects: &Effects, draws: &[Vec<f64>], level: f64) -> Detail {
    let tail = 0.5 * (1.0 - level);
    let mut columns: [Vec<f64>; 5] = Default::default();
    for (at, estimate) in effects.values().into_iter().enumerate() {
        let mut values: Vec<f64> = draws.iter().filter_map(|it| it.get(at).copied()).collect();
        values.sort_by(f64::total_cmp);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square: f64 = values.iter().map(|it| (it - mean).powi(2)).sum();
        let (low, high) = (quantile(&values, tail), quantile(&values, 1.0 - tail));
        let row = [(square / (n - 1.0)).sqrt(), low, high, 2.0 * estimate - high, 2.0 * estimate - low];
        columns.iter_mut().zip(row).for_each(|(column, it)| column.push(it));
    }
    let [error, low, high, basic_low, basic_high] = columns;
    let end = |kind: &str, end: &str| format!("{} % {kind}, {end}", 100.0 * level);
    Detail::new("bootstrap", format!("Bootstrap of {} draws of clusters", draws.len()))
        .text("effect", "Effect", effects.names().map(str::to_owned).collect())
        .number("estimate", "Estimate", effects.values())
        .number("std_error", "Std. error", error)
        .number("percentile_low", end("percentile", "low"), low)
        .number("percentile_high", end("percentile", "high"), high)
        .number("basic_low", end("basic", "low"), basic_low)
        .number("basic_high", end("basic", "high"), basic_high)
}

/// Quantile of sorted values by linear interpolation (Hyndman and Fan 1996, type 7).
pub(crate) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let at = p * (sorted.len() as f64 - 1.0);
    let value = |it: f64| sorted.get(it as usize).copied().unwrap_or(f64::NAN);
    value(at.floor()) + (at - at.floor()) * (value(at.ceil()) - value(at.floor()))
}

/// The cluster column of the covariance; without one the units, which are rows where there is no index.
fn clusters(design: &Design<'_>) -> Result<(String, Codes), FitError> {
    let by = design.vcov.spec.clusters();
    match (by, design.vcov.groups.as_slice()) {
        ([], _) if design.frequency && design.panel.index().is_none() => Err(FitError::Model(
            "the bootstrap draws rows, and frequency weights make one row of many; name a cluster column, or repeat the \
             rows"
                .to_owned(),
        )),
        ([], _) => {
            let unit = design.panel.index().map_or("rows".to_owned(), |it| it.0.to_string());
            Ok((unit, design.units.clone()))
        }
        ([by], [codes]) => Ok((by.name().to_string(), codes.clone())),
        _ => Err(FitError::Model(
            "the bootstrap draws clusters of one column, and the covariance has several; ask for one, or set \
             `bootstrap = 0`"
                .to_owned(),
        )),
    }
}
