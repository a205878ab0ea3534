//! Rows and cells in the order the sweeps need.
//!
//! Columns are read in the order of the rows; the iteration reads *cells*: distinct combinations of groups, sorted by the
//! largest factor, with their total weight. When rows are sorted already and cells are rows, the two share their codes.

use super::pcg::Outcome;
use crate::graph::Factor;

/// Cells replace rows in the iteration when they are at most this share of them; else sorting buys nothing.
const MERGE_SHARE: f64 = 0.75;

/// The factors of a sample, compacted to non-empty groups, the largest first.
///
/// Coefficients of the other factors ("unknowns") are numbered through: factor k has `offsets[k]..offsets[k + 1]`.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) n_rows: usize,
    /// Group of the largest factor, by row.
    pub(super) pivot: Vec<u32>,
    /// Unknown of each other factor, by row.
    pub(super) others: Vec<Vec<u32>>,
    /// First unknown of each other factor, and the total.
    pub(super) offsets: Vec<usize>,
    /// Weights by row.
    pub(super) weights: Option<Vec<f64>>,
    /// Total weight of each group of the largest factor.
    pub(super) group_weight: Vec<f64>,
    /// Total weight of each unknown.
    pub(super) unknown_weight: Vec<f64>,
    /// Where the groups of each factor of the call are, the largest first.
    pub(super) places: Vec<Place>,
    starts: Vec<u32>,
    /// Codes of cells, when they are not those of the rows.
    cell_codes: Option<Vec<Vec<u32>>>,
    /// Weights of cells, when they are not all one.
    cell_weights: Option<Vec<f64>>,
    cell_weights_are_row_weights: bool,
}

/// Where the groups of a factor went.
#[derive(Debug)]
pub(super) struct Place {
    /// Position of the factor in the call.
    pub(super) factor: usize,
    /// Level of each group, [`EMPTY`] for groups without rows.
    pub(super) level: Vec<u32>,
}

/// The level of a group without rows.
pub(super) const EMPTY: u32 = u32::MAX;

/// Cells sorted by group of the largest factor: group g holds `starts[g]..starts[g + 1]`.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    pub(super) starts: &'a [u32],
    pub(super) codes: &'a [Vec<u32>],
    pub(super) weights: Option<&'a [f64]>,
}

impl Layout {
    /// `factors` must be valid for `n_rows`.
    pub(super) fn new(factors: &[Factor<'_>], weights: Option<&[f64]>, n_rows: usize) -> Self {
        let number = |(factor, it): (usize, &Factor<'_>)| {
            let (codes, level, levels) = compact(*it);
            (codes, levels, Place { factor, level })
        };
        let mut compacted: Vec<(Vec<u32>, usize, Place)> = factors.iter().enumerate().map(number).collect();
        // A stable sort: equal sizes keep the order of the call.
        compacted.sort_by_key(|it| std::cmp::Reverse(it.1));
        let mut places = Vec::new();
        let mut parts = Vec::new();
        for (codes, levels, place) in compacted {
            parts.push((codes, levels));
            places.push(place);
        }
        let mut parts = parts.into_iter();
        let Some((pivot, groups)) = parts.next() else {
            return Self { n_rows, offsets: vec![0], ..Self::default() };
        };
        let mut offsets = vec![0usize];
        let mut others = Vec::new();
        for (mut codes, levels) in parts {
            let offset = offsets.last().copied().unwrap_or(0);
            codes.iter_mut().for_each(|c| *c += offset as u32);
            offsets.push(offset + levels);
            others.push(codes);
        }
        let weights = weights.map(<[f64]>::to_vec);
        let group_weight = totals([pivot.as_slice()].into_iter(), groups, weights.as_deref());
        let unknowns = offsets.last().copied().unwrap_or(0);
        let unknown_weight = totals(others.iter().map(Vec::as_slice), unknowns, weights.as_deref());
        let mut layout = Self {
            n_rows,
            pivot,
            others,
            offsets,
            weights,
            group_weight,
            unknown_weight,
            places,
            ..Self::default()
        };
        if !layout.others.is_empty() {
            layout.arrange();
        }
        layout
    }

    /// Groups of the largest factor.
    pub(super) fn groups(&self) -> usize {
        self.group_weight.len()
    }

    /// Levels of all other factors together.
    pub(super) fn unknowns(&self) -> usize {
        self.offsets.last().copied().unwrap_or(0)
    }

    pub(super) fn cells(&self) -> Cells<'_> {
        let weights = if self.cell_weights_are_row_weights {
            self.weights.as_deref()
        } else {
            self.cell_weights.as_deref()
        };
        Cells { starts: &self.starts, codes: self.cell_codes.as_deref().unwrap_or(&self.others), weights }
    }

    /// Two factors and one row in every cell.
    pub(super) fn is_balanced(&self) -> bool {
        let (groups, unknowns) = (self.groups(), self.unknowns());
        if self.others.len() != 1 || groups.checked_mul(unknowns) != Some(self.n_rows) {
            return false;
        }
        let mut seen = vec![false; self.n_rows];
        self.pivot.iter().zip(&self.others[0]).all(|(&g, &h)| {
            let cell = g as usize * unknowns + h as usize;
            !std::mem::replace(&mut seen[cell], true)
        })
    }

    /// Subtracts the means of the only factor, twice: the second pass removes the rounding of the first.
    pub(super) fn subtract_group_means(&self, column: &mut [f64]) -> Outcome {
        let scale = self.root_mean_square(column);
        let mut means = vec![0.0; self.groups()];
        self.subtract_pivot_means(column, &mut means);
        self.subtract_pivot_means(column, &mut means);
        let mut rest = vec![0.0; self.groups()];
        self.sum_by_pivot(column, &mut rest);
        Outcome { worst_mean: worst(&rest, &self.group_weight, scale), ..Outcome::default() }
    }

    /// x - mean by g - mean by h + mean, in two passes of successive means, which agree with it on a balanced panel.
    pub(super) fn subtract_balanced(&self, column: &mut [f64]) -> Outcome {
        let scale = self.root_mean_square(column);
        let mut means = vec![0.0; self.groups()];
        let mut effects = vec![0.0; self.unknowns()];
        for _ in 0..2 {
            self.subtract_pivot_means(column, &mut means);
            self.sum_by_unknown(column, &mut effects);
            for (e, w) in effects.iter_mut().zip(&self.unknown_weight) {
                *e /= w;
            }
            for codes in &self.others {
                for (x, &c) in column.iter_mut().zip(codes) {
                    *x -= effects[c as usize];
                }
            }
        }
        Outcome { worst_mean: self.worst_mean(column, scale), ..Outcome::default() }
    }

    /// Largest remaining group mean over all factors, divided by `scale`.
    pub(super) fn worst_mean(&self, column: &[f64], scale: f64) -> f64 {
        let mut groups = vec![0.0; self.groups()];
        let mut unknowns = vec![0.0; self.unknowns()];
        self.sum_by_pivot(column, &mut groups);
        self.sum_by_unknown(column, &mut unknowns);
        worst(&groups, &self.group_weight, scale).max(worst(&unknowns, &self.unknown_weight, scale))
    }

    /// sqrt(sum w x^2 / sum w).
    pub(super) fn root_mean_square(&self, column: &[f64]) -> f64 {
        let total: f64 = self.group_weight.iter().sum();
        (self.sum_squares(column) / total).sqrt()
    }

    pub(super) fn sum_squares(&self, column: &[f64]) -> f64 {
        crate::gram::sum_squares(column, self.weights.as_deref())
    }

    /// Subtracts the mean of each group of the largest factor; `means` is overwritten with them.
    pub(super) fn subtract_pivot_means(&self, column: &mut [f64], means: &mut [f64]) {
        self.sum_by_pivot(column, means);
        for (m, w) in means.iter_mut().zip(&self.group_weight) {
            *m /= w;
        }
        for (x, &g) in column.iter_mut().zip(&self.pivot) {
            *x -= means[g as usize];
        }
    }

    /// sums[g] = sum of w x over the rows of group g of the largest factor.
    pub(super) fn sum_by_pivot(&self, column: &[f64], sums: &mut [f64]) {
        sums.fill(0.0);
        add_by(column, &self.pivot, self.weights.as_deref(), sums);
    }

    /// sums[u] = sum of w x over the rows of unknown u: D_2'W x.
    pub(super) fn sum_by_unknown(&self, column: &[f64], sums: &mut [f64]) {
        sums.fill(0.0);
        for codes in &self.others {
            add_by(column, codes, self.weights.as_deref(), sums);
        }
    }

    /// Sorts rows by the largest factor, or merges them into cells where that pays.
    fn arrange(&mut self) {
        let groups = self.groups();
        let mut starts = vec![0u32; groups + 1];
        for &g in &self.pivot {
            starts[g as usize + 1] += 1;
        }
        for g in 0..groups {
            starts[g + 1] += starts[g];
        }
        self.starts = starts;
        if self.pivot.is_sorted() {
            self.cell_weights_are_row_weights = true;
        } else {
            let order = order_by(&self.pivot, &self.starts);
            let permuted = |codes: &Vec<u32>| order.iter().map(|&row| codes[row as usize]).collect();
            self.cell_codes = Some(self.others.iter().map(permuted).collect());
            self.cell_weights =
                self.weights.as_ref().map(|w| order.iter().map(|&row| w[row as usize]).collect());
        }
        self.merge_cells();
    }

    fn merge_cells(&mut self) {
        let cells = self.cells();
        let sample: Vec<usize> = (0..self.groups()).step_by(16).collect();
        let (mut rows, mut merged) = (0usize, 0usize);
        let mut scratch = Vec::new();
        for &g in &sample {
            rows += cells.group(g).len();
            merged += cells.merge_group(g, &mut scratch);
        }
        if merged as f64 > MERGE_SHARE * rows as f64 {
            return;
        }
        let mut starts = vec![0u32];
        let mut codes: Vec<Vec<u32>> = vec![Vec::new(); cells.codes.len()];
        let mut weights = Vec::new();
        for g in 0..self.groups() {
            cells.merge_group(g, &mut scratch);
            for &(position, weight) in &scratch {
                for (to, from) in codes.iter_mut().zip(cells.codes) {
                    to.push(from[position as usize]);
                }
                weights.push(weight);
            }
            starts.push(weights.len() as u32);
        }
        self.starts = starts;
        self.cell_codes = Some(codes);
        self.cell_weights = Some(weights);
        self.cell_weights_are_row_weights = false;
    }
}

impl Cells<'_> {
    /// Positions of the cells of group `g`.
    pub(super) fn group(&self, g: usize) -> std::ops::Range<usize> {
        self.starts[g] as usize..self.starts[g + 1] as usize
    }

    pub(super) fn weight(&self, position: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[position])
    }

    /// Fills `out` with (position, total weight) of the distinct cells of group `g`; returns their number.
    fn merge_group(&self, g: usize, out: &mut Vec<(u32, f64)>) -> usize {
        let same = |a: u32, b: u32| self.codes.iter().all(|c| c[a as usize] == c[b as usize]);
        let key = |p: u32| self.codes.iter().map(move |c| c[p as usize]);
        out.clear();
        out.extend(self.group(g).map(|p| (p as u32, self.weight(p))));
        // Positions break ties, so that weights are added in the order of the rows.
        out.sort_unstable_by(|a, b| key(a.0).cmp(key(b.0)).then(a.0.cmp(&b.0)));
        out.dedup_by(|next, kept| {
            let equal = same(next.0, kept.0);
            if equal {
                kept.1 += next.1;
            }
            equal
        });
        out.len()
    }
}

/// Largest |sum / weight| / scale.
fn worst(sums: &[f64], weights: &[f64], scale: f64) -> f64 {
    if scale == 0.0 {
        return 0.0;
    }
    sums.iter().zip(weights).map(|(s, w)| (s / w).abs()).fold(0.0, f64::max) / scale
}

fn add_by(column: &[f64], codes: &[u32], weights: Option<&[f64]>, sums: &mut [f64]) {
    match weights {
        None => {
            for (x, &c) in column.iter().zip(codes) {
                sums[c as usize] += x;
            }
        }
        Some(w) => {
            for ((x, &c), w) in column.iter().zip(codes).zip(w) {
                sums[c as usize] += w * x;
            }
        }
    }
}

/// Codes renumbered over non-empty groups, the new number of each group, and how many there are.
fn compact(factor: Factor<'_>) -> (Vec<u32>, Vec<u32>, usize) {
    let mut level = vec![EMPTY; factor.n_groups];
    for &c in factor.codes {
        level[c as usize] = 0;
    }
    let mut levels = 0u32;
    for it in level.iter_mut().filter(|it| **it != EMPTY) {
        *it = levels;
        levels += 1;
    }
    (factor.codes.iter().map(|&c| level[c as usize]).collect(), level, levels as usize)
}

fn totals<'a>(codes: impl Iterator<Item = &'a [u32]>, levels: usize, weights: Option<&[f64]>) -> Vec<f64> {
    let mut total = vec![0.0; levels];
    for codes in codes {
        match weights {
            None => codes.iter().for_each(|&c| total[c as usize] += 1.0),
            Some(w) => codes.iter().zip(w).for_each(|(&c, w)| total[c as usize] += w),
        }
    }
    total
}

/// Row numbers sorted by code, stable.
fn order_by(codes: &[u32], starts: &[u32]) -> Vec<u32> {
    let mut next = starts.to_vec();
    let mut order = vec![0u32; codes.len()];
    for (row, &c) in codes.iter().enumerate() {
        let slot = &mut next[c as usize];
        order[*slot as usize] = row as u32;
        *slot += 1;
    }
    order
}
