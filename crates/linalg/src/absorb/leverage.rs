//! Exact leverages and the rank of the Schur complement.
//!
//! For a row with group g of the largest factor and unknowns u (as a 0/1 vector), the leverage is
//! w (1 / W_g + (u - m_g)' S^- (u - m_g)) with m_g the weighted mean of u in g and S^- any generalized inverse: partitioned
//! inversion of D'WD. S^- is the inverse of a largest nonsingular block of S, found by pivoted Cholesky.

use super::layout::Layout;
use super::precondition::schur_dense;
use crate::LinalgError;
use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

/// Largest order for pivoted Cholesky, which is not blocked.
pub(super) const PIVOTED_LIMIT: usize = 1500;
/// Largest order of the dense inverse: 128 MB.
const INVERSE_LIMIT: usize = 4000;
/// Pivots of the matrix scaled to unit diagonal below this are zero. Rounding leaves 1e-13, and the last true pivot of a
/// chain of 4000 levels is 1e-4.
const RANK_TOLERANCE: f64 = 1e-10;

/// One leverage per row; all zero when there are no effects.
pub(super) fn leverages(layout: &Layout, nothing: bool) -> Result<Vec<f64>, LinalgError> {
    if nothing {
        return Ok(vec![0.0; layout.n_rows]);
    }
    let order = layout.unknowns();
    let limit = if layout.others.len() > 1 { PIVOTED_LIMIT } else { INVERSE_LIMIT };
    if order > limit {
        let advice = "use HC0, HC1 or a clustered covariance, or absorb a coarser factor";
        return Err(LinalgError::TooLarge {
            what: "exact leverage of the fixed effects",
            order,
            limit,
            advice,
        });
    }
    let inverse = generalized_inverse(layout)?;
    let weight = |row: usize| layout.weights.as_ref().map_or(1.0, |w| w[row]);
    let groups = GroupForms::new(layout, &inverse);
    let row_leverage = |row: usize| {
        let g = layout.pivot[row] as usize;
        let (mean_form, cross) = groups.of(g);
        let mut form = mean_form;
        for codes in &layout.others {
            let u = codes[row] as usize;
            form += layout.others.iter().map(|other| inverse[(u, other[row] as usize)]).sum::<f64>();
            form -= 2.0 * cross.binary_search_by_key(&(u as u32), |c| c.0).map_or(0.0, |at| cross[at].1);
        }
        weight(row) * (1.0 / layout.group_weight[g] + form)
    };
    Ok((0..layout.n_rows).map(row_leverage).collect())
}

/// Unknowns of a largest set of independent levels beyond the largest factor, ascending: their number is the rank of the
/// Schur complement, whatever the weights. `None` when finding it would be expensive.
pub(super) fn independent_unknowns(layout: &Layout, limit: usize) -> Option<Vec<usize>> {
    match layout.others.len() {
        0 => Some(Vec::new()),
        1 => Some(one_per_component_left_out(layout)),
        _ if layout.unknowns() <= limit => {
            Some(independent_levels(&schur_dense(layout, 0, true), layout.unknowns()))
        }
        _ => None,
    }
}

/// m_g' S^- m_g and S^- m_g at the unknowns of the group, for every group.
struct GroupForms {
    starts: Vec<usize>,
    cross: Vec<(u32, f64)>,
    mean_form: Vec<f64>,
}

impl GroupForms {
    fn new(layout: &Layout, inverse: &Mat<f64>) -> Self {
        let mut this = Self { starts: vec![0], cross: Vec::new(), mean_form: Vec::new() };
        if layout.others.is_empty() {
            this.starts = vec![0; layout.groups() + 1];
            this.mean_form = vec![0.0; layout.groups()];
            return this;
        }
        let cells = layout.cells();
        let mut mean: Vec<(u32, f64)> = Vec::new();
        for (g, total) in layout.group_weight.iter().enumerate() {
            mean.clear();
            for i in cells.group(g) {
                mean.extend(cells.codes.iter().map(|codes| (codes[i], cells.weight(i) / total)));
            }
            mean.sort_by_key(|m| m.0);
            mean.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 += next.1;
                }
                same
            });
            let mut form = 0.0;
            for &(u, share) in &mean {
                let cross: f64 = mean.iter().map(|&(v, s)| inverse[(u as usize, v as usize)] * s).sum();
                form += share * cross;
                this.cross.push((u, cross));
            }
            this.mean_form.push(form);
            this.starts.push(this.cross.len());
        }
        this
    }

    fn of(&self, g: usize) -> (f64, &[(u32, f64)]) {
        (self.mean_form[g], &self.cross[self.starts[g]..self.starts[g + 1]])
    }
}

/// S^-: the inverse over independent levels, zero elsewhere.
fn generalized_inverse(layout: &Layout) -> Result<Mat<f64>, LinalgError> {
    let order = layout.unknowns();
    let s = schur_dense(layout, 0, false);
    let kept = independent_unknowns(layout, PIVOTED_LIMIT).unwrap_or_default();
    let r = kept.len();
    let block = Mat::from_fn(r, r, |a, b| s[kept[a.max(b)] * order + kept[a.min(b)]]);
    let factor =
        block.llt(Side::Lower).map_err(|_| LinalgError::NotPositiveDefinite { order: r, pivot: 0 })?;
    let small = factor.solve(Mat::<f64>::identity(r, r));
    let mut inverse = Mat::zeros(order, order);
    for (a, &i) in kept.iter().enumerate() {
        for (b, &j) in kept.iter().enumerate() {
            inverse[(i, j)] = 0.5 * (small[(a, b)] + small[(b, a)]);
        }
    }
    Ok(inverse)
}

/// All unknowns but the first of each connected component: what a two-way model can identify.
fn one_per_component_left_out(layout: &Layout) -> Vec<usize> {
    let groups = layout.groups();
    let unknowns = layout.unknowns();
    let pivot = crate::Factor { codes: &layout.pivot, n_groups: groups };
    let Some(codes) = layout.others.first() else { return Vec::new() };
    let (labels, _) = crate::graph::component_labels(pivot, crate::Factor { codes, n_groups: unknowns });
    let mut seen = vec![false; groups + unknowns];
    (0..unknowns).filter(|&u| std::mem::replace(&mut seen[labels[groups + u] as usize], true)).collect()
}

/// Levels that pivoted Cholesky accepts, ascending; `s` is row-major with its lower triangle filled.
pub(super) fn independent_levels(s: &[f64], order: usize) -> Vec<usize> {
    let scale: Vec<f64> = (0..order)
        .map(|i| {
            let d = s[i * order + i];
            if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }
        })
        .collect();
    let entry = |i: usize, j: usize| s[i.max(j) * order + i.min(j)] * scale[i] * scale[j];
    let mut left: Vec<f64> = scale.iter().map(|&s| if s > 0.0 { 1.0 } else { 0.0 }).collect();
    // Row i holds the entries of L for level i so far.
    let mut rows: Vec<Vec<f64>> = vec![Vec::new(); order];
    let mut kept = Vec::new();
    let largest = |left: &[f64]| -> Option<(usize, f64)> {
        left.iter().copied().enumerate().reduce(|a, b| if b.1 > a.1 { b } else { a })
    };
    while let Some((pivot, size)) = largest(&left).filter(|l| l.1 > RANK_TOLERANCE) {
        let root = size.sqrt();
        let pivot_row = rows[pivot].clone();
        for i in 0..order {
            if left[i] <= 0.0 || i == pivot {
                continue;
            }
            let known: f64 = rows[i].iter().zip(&pivot_row).map(|(a, b)| a * b).sum();
            let l = (entry(i, pivot) - known) / root;
            rows[i].push(l);
            left[i] = (left[i] - l * l).max(f64::MIN_POSITIVE);
        }
        left[pivot] = 0.0;
        kept.push(pivot);
    }
    kept.sort_unstable();
    kept
}
