//! Whether effects are equal: Wald's test, a permutation test, and every pair.

use parallax_model::{
    ClusterProducts, Design, Detail, Distribution, FitError, Mat, MatRef, Note, Statistics, Triangle,
    f_upper,
    linalg::{rounding, solve_spd},
    varies,
    vcov::{Keyed, std_error},
    wald_equal,
};
use rayon::prelude::*;

use crate::{
    group_effects::{Mode, Options, refuse},
    groups::Groups,
};

/// Wald's test that all effects are those of the first group: chi-squared, and F with the t distribution's degrees of freedom.
///
/// # Errors
/// When the covariance cannot be inverted even in a generalised sense.
pub(crate) fn add_wald(
    stats: &mut Statistics,
    coef: &[f64],
    covariance: MatRef<'_, f64>,
    of_groups: &[usize],
    t_df: f64,
) -> Result<(), FitError> {
    let Some((&first, others)) = of_groups.split_first() else { return Ok(()) };
    let (chi2, rank, p) = wald_equal(coef, covariance, first, others)?;
    let df = rank as f64;
    stats.set("equality_chi2", chi2);
    stats.set_df("equality_df", df);
    stats.set("equality_p", p);
    stats.set("equality_f", chi2 / df);
    stats.set_df("equality_f_df2", t_df);
    stats.set("equality_f_p", f_upper(chi2 / df, df, t_df));
    Ok(())
}

/// Differences of every two effects.
pub(crate) fn differences(
    groups: &Groups,
    coef: &[f64],
    covariance: MatRef<'_, f64>,
    of_groups: &[usize],
    distribution: Distribution,
) -> Detail {
    let mut words: [Vec<String>; 2] = Default::default();
    let mut numbers: [Vec<f64>; 4] = Default::default();
    for (left, &i) in of_groups.iter().enumerate() {
        for (right, &j) in of_groups.iter().enumerate().skip(left + 1) {
            words[0].push(groups.label(left));
            words[1].push(groups.label(right));
            let mut weights = vec![0.0; coef.len()];
            (weights[i], weights[j]) = (1.0, -1.0);
            let error = std_error(rounding::quadratic(&weights, covariance));
            let difference = rounding::or_zero(coef[i] - coef[j], coef[i].abs() + coef[j].abs());
            let row = [difference, error, difference / error, distribution.p_value(difference / error)];
            numbers.iter_mut().zip(row).for_each(|(column, it)| column.push(it));
        }
    }
    let ([first, second], [difference, error, statistic, p]) = (words, numbers);
    Detail::new("differences", format!("Differences of effects between groups of `{}`", groups.by))
        .text("first", "First", first)
        .text("second", "Second", second)
        .number("difference", "Difference", difference)
        .number("std_error", "Std. error", error)
        .number("statistic", "t", statistic)
        .number("p_value", "p", p)
}

/// Groups of units given to other units, and the largest difference between effects each time.
pub(crate) struct Permutation {
    mode: Mode,
    /// Cross-products by unit. The last two columns are treatment and outcome.
    products: ClusterProducts,
    total: Triangle,
    of_units: Vec<u32>,
    groups: usize,
    by: String,
}

impl Permutation {
    /// # Errors
    /// Units in several groups; effects with too many levels across units.
    pub fn new(design: &Design<'_>, options: &Options, groups: &Groups) -> Result<Permutation, FitError> {
        if design.frequency && design.panel.index().is_none() {
            return Err(refuse(
                "`permutations` gives groups to other rows, and frequency weights make one row of many; name unit and \
                 time, or repeat the rows",
            ));
        }
        let of_units = groups.of_units(design)?;
        let controls = design.regressors.iter().filter(|it| it.name != groups.treatment);
        let mut columns: Vec<Vec<f64>> = controls.map(|it| it.values.to_vec()).collect();
        columns.push(groups.treated.to_vec());
        columns.push(design.outcome.values.to_vec());
        let products = ClusterProducts::new(design, &design.units, "units", columns)?;
        let total = products.sum(&vec![1.0; of_units.len()]);
        let by = groups.by.to_string();
        Ok(Permutation { mode: options.mode, products, total, of_units, groups: groups.n(), by })
    }

    /// Sets the p-value with the add-one rule (Davison and Hinkley 1997, eq. 4.11), and says what was done.
    ///
    /// # Errors
    /// When effects cannot be estimated from cross-products, or in no draw.
    pub fn test(&self, options: &Options, stats: &mut Statistics) -> Result<Note, FitError> {
        let impossible =
            || refuse("`permutations`: effects cannot be estimated apart under other groups; set it to 0");
        let actual = self.spread(&self.of_units).ok_or_else(impossible)?;
        let keyed = Keyed::new(options.seed);
        let draw = |at: usize| {
            let mut of_units = self.of_units.clone();
            keyed.sequence("group-effects permutation", at as u64).shuffle(&mut of_units);
            self.spread(&of_units)
        };
        let all: Vec<Option<f64>> = (0..options.permutations).into_par_iter().map(draw).collect();
        let draws: Vec<f64> = all.into_iter().flatten().collect();
        if draws.is_empty() {
            return Err(impossible());
        }
        let as_large = draws.iter().filter(|it| (1.0 - TIE) * actual <= **it).count();
        stats.set("permutation_spread", actual);
        stats.set("permutation_p", (1.0 + as_large as f64) / (1.0 + draws.len() as f64));
        stats.count("permutation_draws", draws.len());
        let lost = match options.permutations - draws.len() {
            0 => String::new(),
            it => format!("; in {it} draws a group had no treated unit, and these are left out"),
        };
        Ok(Note::remark(format!(
            "permutation test: groups of `{}` given to other units {} times, seed {}; statistic: largest effect less \
             smallest{lost}",
            self.by,
            draws.len(),
            options.seed
        )))
    }

    /// Largest effect less smallest.
    fn spread(&self, of_units: &[u32]) -> Option<f64> {
        let effects = self.effects(of_units)?;
        let (low, high) = effects
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &it| (low.min(it), high.max(it)));
        Some(high - low)
    }

    /// The effects when units are in these groups.
    fn effects(&self, of_units: &[u32]) -> Option<Vec<f64>> {
        let of_group = |group: usize| {
            let times: Vec<f64> =
                of_units.iter().map(|it| f64::from(u8::from(*it as usize == group))).collect();
            self.products.sum(&times)
        };
        let parts: Vec<Triangle> = (0..self.groups).map(of_group).collect();
        match self.mode {
            Mode::Split => parts.into_iter().map(single).collect(),
            Mode::Interaction => parts.iter().map(|it| single(self.combined(&[it]))).collect(),
            Mode::Joint => several(self.combined(&parts.iter().collect::<Vec<_>>()), self.groups),
        }
    }

    /// Dummies and controls of all units, the treatment of each part, and the outcome of all units.
    fn combined(&self, parts: &[&Triangle]) -> Triangle {
        let (common, k) = (self.total.k() - 2, self.total.k());
        let mut all = Triangle::zero(common + parts.len() + 1);
        let last = common + parts.len();
        for i in 0..common {
            (0..=i).for_each(|j| all.set(i, j, self.total.at(i, j)));
            all.set(last, i, self.total.at(k - 1, i));
        }
        all.set(last, last, self.total.at(k - 1, k - 1));
        for (at, part) in parts.iter().enumerate() {
            (0..common).for_each(|j| all.set(common + at, j, part.at(k - 2, j)));
            all.set(common + at, common + at, part.at(k - 2, k - 2));
            all.set(last, common + at, part.at(k - 1, k - 2));
        }
        all
    }
}

/// Two effects that differ by rounding are equally large.
const TIE: f64 = 1e-9;

/// The coefficient of the last column but one, on the last one.
fn single(products: Triangle) -> Option<f64> {
    several(products, 1).and_then(|it| it.first().copied())
}

/// Coefficients of the `count` columns before the last one, on the last one.
fn several(mut products: Triangle, count: usize) -> Option<Vec<f64>> {
    let first = products.k() - 1 - count;
    let before: Vec<f64> = (0..count).map(|it| products.at(first + it, first + it)).collect();
    products.partial_out(first);
    let at = |i: usize, j: usize| products.at(first + i, first + j);
    if (0..count).any(|it| !varies(at(it, it), before[it])) {
        return None;
    }
    let left = Mat::from_fn(count, count, at);
    let right = Mat::from_fn(count, 1, |i, _| at(count, i));
    let solved = solve_spd(left.as_ref(), right.as_ref()).ok()?;
    Some((0..count).map(|it| solved[(it, 0)]).collect())
}
