//! Clusters drawn with replacement, and all paths estimated again in each draw.
//!
//! A cluster drawn twice is a cluster of weight two. Effects whose groups lie within clusters (units) do not feel such
//! weights and are absorbed once, exactly. Effects that cut across clusters (periods) are estimated again in
//! each draw: their dummies stay in the system. A draw then is a weighted sum of small cross-products, one a cluster.

use std::sync::Arc;

use parallax_model::{
    Design, Detail, Effect, FitError, Variable,
    linalg::{AbsorbOptions, Absorber, Factor, is_nested},
    panel::Codes,
    vcov::Keyed,
};
use rayon::prelude::*;

use crate::{
    effects::{Effects, Paths},
    equations::Equations,
    mediation::{Options, OutcomeEquation},
};

/// Levels of effects that cut across clusters, at most: each draw costs their number squared.
const MOST_DUMMIES: usize = 300;
/// Share of a column's norm below which others explain it whole: cross-products lose half the digits.
const COLLINEAR: f64 = 1e-10;

/// Cross-products by cluster. The last three columns are treatment, mediator and outcome.
pub(crate) struct System {
    variant: OutcomeEquation,
    /// Columns.
    k: usize,
    /// Lower triangle by rows, k (k + 1) / 2 numbers a cluster.
    products: Vec<Vec<f64>>,
    by: String,
    redone: Vec<String>,
}

impl System {
    /// # Errors
    /// Several cluster columns, or effects with too many levels across clusters.
    pub fn new(design: &Design<'_>, equations: &Equations<'_, '_>) -> Result<System, FitError> {
        let (by, clusters) = clusters(design)?;
        // A constant is an effect of one level here, which cuts across all clusters.
        let effects = design.absorbed_effects();
        let across = |it: &&Effect| !is_nested(factor(&it.codes), factor(&clusters));
        let redone: Vec<&Effect> = effects.iter().filter(across).collect();
        let dummies: usize = redone.iter().map(|it| it.codes.n_groups()).sum();
        if MOST_DUMMIES < dummies {
            let names: Vec<&str> = redone.iter().map(|it| it.name.as_str()).collect();
            return Err(FitError::Model(format!(
                "the bootstrap draws {by}, and {} cut across it with {dummies} levels, of which each draw has to \
                 estimate all (at most {MOST_DUMMIES}); cluster by a column that contains them",
                names.join(", ")
            )));
        }
        let mut columns: Vec<Vec<f64>> = redone.iter().flat_map(|it| indicators(&it.codes)).collect();
        let rest = [&equations.treated, &equations.mediator, &equations.response];
        let values = |it: &Variable| Arc::as_ref(&it.before).clone();
        columns.extend(equations.controls.iter().chain(rest).map(values));
        let inside: Vec<Factor<'_>> =
            effects.iter().filter(|it| !across(it)).map(|it| factor(&it.codes)).collect();
        if !inside.is_empty() {
            let weights = design.weight_values();
            Absorber::new(&inside, weights, design.n(), AbsorbOptions::default())?
                .residualize(&mut columns)?;
        }
        Ok(System {
            variant: equations.variant,
            k: columns.len(),
            products: products(&columns, design.weight_values(), &clusters),
            redone: redone
                .iter()
                .filter(|it| 1 < it.codes.n_groups())
                .map(|it| it.name.to_string())
                .collect(),
            by,
        })
    }

    /// The paths in each draw; draws in which treatment or mediator do not vary are left out.
    pub fn draws(&self, options: &Options) -> Vec<Paths> {
        let keyed = Keyed::new(options.seed);
        let clusters = self.products.len();
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
        let k = self.k;
        let mut sums = vec![0.0; k * (k + 1) / 2];
        for (products, &times) in self.products.iter().zip(times).filter(|it| *it.1 != 0.0) {
            sums.iter_mut().zip(products).for_each(|(sum, it)| *sum += times * it);
        }
        let before = [k - 3, k - 2].map(|it| sums[triangle(it, it)]);
        partial_out(&mut sums, k - 3);
        let at = |i: usize, j: usize| sums[triangle(k - 3 + i, k - 3 + j)];
        let (dd, md, yd, mm, ym) = (at(0, 0), at(1, 0), at(2, 0), at(1, 1), at(2, 1));
        let varies = |left: f64, of: f64| COLLINEAR * of < left;
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
        let redone = match self.redone.as_slice() {
            [] => String::new(),
            it => format!(", with the effects {} estimated again in each draw", it.join(", ")),
        };
        let lost = match options.bootstrap - used {
            0 => String::new(),
            it => format!("; in {it} draws treatment or mediator did not vary, and these are left out"),
        };
        format!(
            "bootstrap: {used} draws of {} clusters ({}), seed {}{redone}{lost}",
            self.products.len(),
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
        ([], _) => {
            let unit = design.panel.index().map_or("rows".to_owned(), |it| it.0.to_string());
            Ok((unit, design.units.clone()))
        }
        ([name], [codes]) => Ok((name.to_string(), codes.clone())),
        _ => Err(FitError::Model(
            "the bootstrap draws clusters of one column, and the covariance has several; ask for one, or set \
             `bootstrap = 0`"
                .to_owned(),
        )),
    }
}

fn factor(codes: &Codes) -> Factor<'_> {
    Factor { codes: &codes.code, n_groups: codes.n_groups() }
}

fn indicators(codes: &Codes) -> Vec<Vec<f64>> {
    let one = |group: u32| codes.code.iter().map(|it| f64::from(u8::from(*it == group))).collect();
    (0..codes.n_groups() as u32).map(one).collect()
}

/// Place of (row, column), column <= row, in the lower triangle by rows.
fn triangle(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

fn products(columns: &[Vec<f64>], weights: Option<&[f64]>, clusters: &Codes) -> Vec<Vec<f64>> {
    let k = columns.len();
    let mut products = vec![vec![0.0; k * (k + 1) / 2]; clusters.n_groups()];
    let mut row = vec![0.0; k];
    for (at, &cluster) in clusters.code.iter().enumerate() {
        row.iter_mut().zip(columns).for_each(|(it, column)| *it = column[at]);
        let weight = weights.map_or(1.0, |it| it[at]);
        let sums = &mut products[cluster as usize];
        let mut place = 0;
        for i in 0..k {
            let left = weight * row[i];
            for right in &row[..=i] {
                sums[place] += left * right;
                place += 1;
            }
        }
    }
    products
}

/// Takes the first `count` columns out of the others, in place; those that earlier ones explain are passed over.
fn partial_out(sums: &mut [f64], count: usize) {
    let k = (((8 * sums.len() + 1) as f64).sqrt() as usize - 1) / 2;
    let norms: Vec<f64> = (0..count).map(|it| sums[triangle(it, it)]).collect();
    for (pivot, norm) in norms.into_iter().enumerate() {
        let size = sums[triangle(pivot, pivot)];
        if size <= COLLINEAR * norm {
            continue;
        }
        let column: Vec<f64> = (pivot..k).map(|row| sums[triangle(row, pivot)]).collect();
        for row in pivot + 1..k {
            let share = column[row - pivot] / size;
            if share == 0.0 {
                continue;
            }
            for other in pivot + 1..=row {
                sums[triangle(row, other)] -= share * column[other - pivot];
            }
        }
    }
}
