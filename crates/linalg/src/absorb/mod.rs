//! Absorption of fixed effects: x becomes x - D (D'WD)^+ D'W x for the dummies D of all factors.
//!
//! The factor with most groups is eliminated exactly; what remains is the Schur complement S of its block in D'WD, in
//! the coefficients of the other factors. `S b = c` is solved by preconditioned conjugate gradients that touch only group
//! codes, never the columns, four columns to a pass. The method only
//! decides the preconditioner:
//!
//! | method | when | preconditioner | accuracy |
//! |---|---|---|---|
//! | `GroupMeans` | one factor, after factors that contain another one are set aside | none needed | exact |
//! | `BalancedTwoWay` | every cell of two factors holds one row, equal weights | none needed | exact |
//! | `DenseSchur` | the other factors have few levels | Cholesky of S | two or three iterations |
//! | `ConjugateGradient` | the graph of the groups is well connected | diagonal of S | certificate |
//! | `FactoredConjugateGradient` | it is not | min-degree elimination, sampled where it fills in | certificate |
//!
//! | option | default | why |
//! |---|---|---|
//! | `tolerance` | 1e-10 | Bound on the error of a column relative to the column after elimination of the largest factor, both in the weighted norm. A second round from the residuals of the data goes a factor 10^4 further, so that coefficients keep eight digits when only 1e-4 of a column varies within all groups. |
//! | `max_iterations` | 10000 | Ten times what weakly connected graphs of 10^6 rows take with the weakest preconditioner. |
//!
//! What is guaranteed: the error bound is rigorous given the smallest eigenvalue of the preconditioned S; that
//! eigenvalue is taken from the Lanczos matrix of the iteration itself, which overestimates it until it has converged
//! (Meurant and Tichy 2019); it is kept over the rounds. The second round starts from residuals computed on the rows, not updated ones, so
//! drift is seen and corrected. When the bound is not met the result is an error, never a silent approximation.

mod approximate_cholesky;
mod coefficients;
mod layout;
mod leverage;
mod pcg;
mod precondition;

use crate::gram;
use crate::graph::{self, EffectRanks, Factor};
use crate::{LinalgError, check};
use coefficients::Levels;
use layout::{EMPTY, Layout};
use precondition::Preconditioner;
use rayon::prelude::*;

/// Largest number of levels beyond the largest factor for which the rank of three and more factors is computed: the
/// pivoted elimination takes 0.1 s there.
const EXACT_RANK_LIMIT: usize = 600;
/// Columns that share one pass over the group codes.
const LANES: usize = 4;

/// How effects are taken out; see the table at the top of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AbsorbMethod {
    /// One factor: subtract group means.
    GroupMeans,
    /// Balanced two-way panel: x - mean by g - mean by h + mean.
    BalancedTwoWay,
    /// Eliminate the largest factor, factor the dense Schur complement of the others.
    DenseSchur,
    /// Conjugate gradients on the Schur complement, diagonal preconditioner.
    ConjugateGradient,
    /// Conjugate gradients on the Schur complement, preconditioned by sparse (partly sampled) elimination.
    FactoredConjugateGradient,
}

impl AbsorbMethod {
    fn name(self) -> &'static str {
        match self {
            Self::GroupMeans => "GroupMeans",
            Self::BalancedTwoWay => "BalancedTwoWay",
            Self::DenseSchur => "DenseSchur",
            Self::ConjugateGradient => "ConjugateGradient",
            Self::FactoredConjugateGradient => "FactoredConjugateGradient",
        }
    }
}

/// Options of [`Absorber::new`]; the defaults are explained at the top of the module.
#[derive(Clone, Debug, PartialEq)]
pub struct AbsorbOptions {
    /// Largest relative error of a residualised column (weighted norm), in (0, 1).
    pub tolerance: f64,
    /// Largest number of iterations for one column, all rounds together.
    pub max_iterations: usize,
    /// `None` chooses; forcing a method is for tests and comparisons.
    pub method: Option<AbsorbMethod>,
}

impl Default for AbsorbOptions {
    fn default() -> Self {
        Self { tolerance: 1e-10, max_iterations: 10_000, method: None }
    }
}

/// What an absorption did, worst column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AbsorbReport {
    /// Method used.
    pub method: AbsorbMethod,
    /// Iterations, largest over columns; 0 for closed forms.
    pub iterations: usize,
    /// Measured on the result: the largest remaining weighted group mean over all factors, divided by the root mean
    /// square of the column before absorption.
    pub certificate: f64,
    /// Bound on the error of a column, relative to the column after elimination of the largest factor, at the start of
    /// the last round; what the last round leaves is smaller. 0 for closed forms.
    pub error_bound: f64,
}

/// Takes the effects of several factors out of columns. Built once, used for any number of columns, from any thread.
///
/// Memory: per row 4 bytes a factor, 4 bytes a factor but one again when rows are not sorted by the largest factor,
/// and 8 bytes (16 when not sorted) with weights.
#[derive(Debug)]
pub struct Absorber {
    options: AbsorbOptions,
    n_rows: usize,
    ranks: EffectRanks,
    layout: Layout,
    plan: Plan,
    /// First group of each factor when all groups are counted through, and the total.
    groups: Vec<usize>,
}

#[derive(Debug)]
enum Plan {
    Nothing,
    GroupMeans,
    Balanced,
    Iterate(Preconditioner),
}

impl Absorber {
    /// Prepares absorption of `factors` (each with `n_rows` codes), weighted by `weights` (positive) if given.
    ///
    /// # Errors
    /// `DimensionMismatch`, `CodeOutOfRange`, `InvalidWeight`, `TooManyRows`, `InvalidOption` for inputs;
    /// `MethodNotApplicable` when `options.method` forces a method that these factors do not allow.
    pub fn new(
        factors: &[Factor<'_>],
        weights: Option<&[f64]>,
        n_rows: usize,
        options: AbsorbOptions,
    ) -> Result<Self, LinalgError> {
        validate(factors, weights, n_rows, &options)?;
        let mut ranks = graph::pairwise_ranks(factors, n_rows);
        let essential = essential_factors(factors, &ranks);
        let kept: Vec<Factor<'_>> = essential.iter().map(|&it| factors[it]).collect();
        let mut layout = Layout::new(&kept, weights, n_rows);
        layout.places.iter_mut().for_each(|it| it.factor = essential[it.factor]);
        let independent = leverage::independent_unknowns(&layout, EXACT_RANK_LIMIT);
        ranks.exact = independent.as_ref().map(|u| layout.groups() + u.len());
        let plan = choose(&layout, independent.as_deref(), weights, &options)?;
        let mut groups = vec![0];
        for it in factors {
            groups.push(groups.last().copied().unwrap_or(0) + it.n_groups);
        }
        Ok(Self { options, n_rows, ranks, layout, plan, groups })
    }

    /// Replaces each column (length n_rows) by its residual from the effects.
    ///
    /// Columns run in parallel; the bits of one do not depend on the others nor on the number of threads.
    ///
    /// # Errors
    /// `DimensionMismatch`, `NonFinite`; `NotConverged` with the column. Columns are left half absorbed then.
    pub fn residualize(&self, columns: &mut [Vec<f64>]) -> Result<AbsorbReport, LinalgError> {
        for (index, column) in columns.iter().enumerate() {
            check::length("column", self.n_rows, column.len())?;
            check::finite(index, column)?;
        }
        if !matches!(self.plan, Plan::Nothing) {
            columns.par_iter_mut().for_each(|it| move_origin(it));
        }
        let parts: Vec<Result<pcg::Outcome, LinalgError>> = match &self.plan {
            Plan::Nothing => Vec::new(),
            Plan::GroupMeans => {
                columns.par_iter_mut().map(|c| Ok(self.layout.subtract_group_means(c))).collect()
            }
            Plan::Balanced => columns.par_iter_mut().map(|c| Ok(self.layout.subtract_balanced(c))).collect(),
            Plan::Iterate(preconditioner) => {
                let lanes = if columns.len() <= rayon::current_num_threads() { 1 } else { LANES };
                let task = |(batch, columns): (usize, &mut [Vec<f64>])| {
                    let first = batch * lanes;
                    if lanes == 1 {
                        pcg::absorb::<1>(&self.layout, preconditioner, &self.options, first, columns)
                    } else {
                        pcg::absorb::<LANES>(&self.layout, preconditioner, &self.options, first, columns)
                    }
                };
                columns.par_chunks_mut(lanes).enumerate().map(task).collect()
            }
        };
        self.report(parts)
    }

    /// Replaces group sums s by coefficients b with D'WD b = s, the least squares solution when s = D'Wx.
    ///
    /// Each system holds the groups of the first factor, then those of the second, and so on (sum of `n_groups` values).
    /// Groups without rows and factors that contain another one get zero, and their sums are not read. Of several
    /// solutions one is given; predictions that the effects determine are the same under all of them. Sums that no
    /// column has, such as those of rows in another component of the graph, have no solution: what is given then is
    /// of no use, or `NotConverged`.
    ///
    /// # Errors
    /// `DimensionMismatch`, `NonFinite`; `NotConverged` with the system.
    pub fn coefficients(&self, systems: &mut [Vec<f64>]) -> Result<AbsorbReport, LinalgError> {
        let total = self.groups.last().copied().unwrap_or(0);
        for (index, system) in systems.iter().enumerate() {
            check::length("group sums", total, system.len())?;
            check::finite(index, system)?;
        }
        let lanes = if systems.len() <= rayon::current_num_threads() { 1 } else { LANES };
        let task = |(batch, systems): (usize, &mut [Vec<f64>])| {
            let first = batch * lanes;
            let mut levels: Vec<Levels> = systems.iter().map(|it| self.gather(it)).collect();
            let outcome = if lanes == 1 {
                coefficients::solve::<1>(&self.layout, &self.plan, &self.options, first, &mut levels)
            } else {
                coefficients::solve::<LANES>(&self.layout, &self.plan, &self.options, first, &mut levels)
            };
            systems.iter_mut().zip(&levels).for_each(|(system, levels)| self.scatter(levels, system));
            outcome
        };
        let parts: Vec<Result<pcg::Outcome, LinalgError>> =
            systems.par_chunks_mut(lanes).enumerate().map(task).collect();
        self.report(parts)
    }

    /// The sums of a system by level.
    fn gather(&self, system: &[f64]) -> Levels {
        let mut levels = Levels::zeros(&self.layout);
        for (at, place) in self.layout.places.iter().enumerate() {
            let own = &system[self.groups[place.factor]..self.groups[place.factor + 1]];
            for (&level, &sum) in place.level.iter().zip(own).filter(|it| *it.0 != EMPTY) {
                match at {
                    0 => levels.pivot[level as usize] = sum,
                    _ => levels.unknown[self.layout.offsets[at - 1] + level as usize] = sum,
                }
            }
        }
        levels
    }

    /// Writes coefficients where the sums were.
    fn scatter(&self, levels: &Levels, system: &mut [f64]) {
        system.fill(0.0);
        for (at, place) in self.layout.places.iter().enumerate() {
            let own = &mut system[self.groups[place.factor]..self.groups[place.factor + 1]];
            for (&level, out) in place.level.iter().zip(own).filter(|it| *it.0 != EMPTY) {
                *out = match at {
                    0 => levels.pivot[level as usize],
                    _ => levels.unknown[self.layout.offsets[at - 1] + level as usize],
                };
            }
        }
    }

    fn report(&self, parts: Vec<Result<pcg::Outcome, LinalgError>>) -> Result<AbsorbReport, LinalgError> {
        let mut report =
            AbsorbReport { method: self.method(), iterations: 0, certificate: 0.0, error_bound: 0.0 };
        for part in parts {
            let part = part?;
            report.iterations = report.iterations.max(part.iterations);
            report.certificate = report.certificate.max(part.worst_mean);
            report.error_bound = report.error_bound.max(part.error_bound);
        }
        Ok(report)
    }

    /// Levels, redundant levels and, where computable, the exact rank of the effects.
    pub fn ranks(&self) -> &EffectRanks {
        &self.ranks
    }

    /// The method that [`residualize`](Self::residualize) uses.
    pub fn method(&self) -> AbsorbMethod {
        match &self.plan {
            Plan::Nothing | Plan::GroupMeans => AbsorbMethod::GroupMeans,
            Plan::Balanced => AbsorbMethod::BalancedTwoWay,
            Plan::Iterate(p) => p.method(),
        }
    }

    /// Diagonal of the projection on the effects, W^{1/2} D (D'WD)^+ D' W^{1/2}, exactly (length n_rows).
    ///
    /// Its sum is the rank of the effects. Needed by HC2, HC3 and leave-one-out corrections.
    ///
    /// # Errors
    /// `TooLarge` when the factors beyond the largest have more than 4000 levels together, 1500 with three or
    /// more factors that matter.
    pub fn leverages(&self) -> Result<Vec<f64>, LinalgError> {
        leverage::leverages(&self.layout, matches!(self.plan, Plan::Nothing))
    }
}

/// Subtracts the mean of a column that is far from zero beside its spread, such as 1e9 plus noise: effects span a constant,
/// and sums of groups then keep the digits of the spread.
fn move_origin(column: &mut [f64]) {
    const FAR: f64 = 1e3;
    let n = column.len();
    let mean = gram::sum_by(n, |row| column[row]) / n as f64;
    let spread = (gram::sum_by(n, |row| (column[row] - mean).powi(2)) / n as f64).sqrt();
    if FAR * spread < mean.abs() {
        column.iter_mut().for_each(|it| *it -= mean);
    }
}

fn validate(
    factors: &[Factor<'_>],
    weights: Option<&[f64]>,
    n_rows: usize,
    options: &AbsorbOptions,
) -> Result<(), LinalgError> {
    if n_rows >= u32::MAX as usize {
        return Err(LinalgError::TooManyRows { rows: n_rows });
    }
    if !(options.tolerance > 0.0 && options.tolerance < 1.0) {
        let advice = "between 0 and 1, such as 1e-10";
        return Err(LinalgError::InvalidOption { option: "tolerance", value: options.tolerance, advice });
    }
    graph::validate(factors, n_rows)?;
    check::weights(weights, n_rows)
}

/// Positions of the factors that are left when those that contain another one are set aside: if cities lie in provinces, city dummies
/// span province dummies. Of two equal partitions the first stays.
fn essential_factors(factors: &[Factor<'_>], ranks: &EffectRanks) -> Vec<usize> {
    let mut keep = vec![true; factors.len()];
    for outer in 0..factors.len() {
        keep[outer] = !(0..factors.len()).any(|inner| {
            let finer = ranks.levels[inner] > ranks.levels[outer]
                || (ranks.levels[inner] == ranks.levels[outer] && inner < outer);
            inner != outer && keep[inner] && finer && graph::is_nested(factors[inner], factors[outer])
        });
    }
    (0..factors.len()).filter(|&it| keep[it]).collect()
}

fn choose(
    layout: &Layout,
    independent: Option<&[usize]>,
    weights: Option<&[f64]>,
    options: &AbsorbOptions,
) -> Result<Plan, LinalgError> {
    if layout.n_rows == 0 || layout.groups() == 0 {
        return Ok(Plan::Nothing);
    }
    let constant_weights = weights.is_none_or(|w| w.iter().all(|&x| x == w[0]));
    let not_applicable = |method: AbsorbMethod, reason| {
        Err(LinalgError::MethodNotApplicable { method: method.name(), reason })
    };
    match options.method {
        Some(m @ AbsorbMethod::GroupMeans) if !layout.others.is_empty() => {
            not_applicable(m, "more than one factor matters")
        }
        Some(m @ AbsorbMethod::BalancedTwoWay) if !(constant_weights && layout.is_balanced()) => {
            not_applicable(m, "the panel is not a balanced two-way panel with equal weights")
        }
        Some(m @ AbsorbMethod::DenseSchur) if layout.unknowns() > precondition::DENSE_FORCED => {
            not_applicable(m, "the smaller factors have too many levels")
        }
        Some(AbsorbMethod::BalancedTwoWay) => Ok(Plan::Balanced),
        None if constant_weights && layout.is_balanced() => Ok(Plan::Balanced),
        _ if layout.others.is_empty() => Ok(Plan::GroupMeans),
        forced => Ok(Plan::Iterate(Preconditioner::new(layout, independent, forced, options.tolerance))),
    }
}

#[cfg(test)]
mod tests;
