//! Preconditioners of the Schur complement.
//!
//! The small factors at the end of the unknowns share one dense Cholesky factor; each large factor has either the
//! inverse diagonal of S or a sparse factor of its own block. All are block diagonal and symmetric, so conjugate gradients
//! apply; where everything is dense the iteration is a direct solution with iterative refinement.

use super::approximate_cholesky::SparseFactor;
use super::layout::Layout;
use super::leverage::independent_levels;
use super::pcg::{Lanes, apply_schur, dots};
use super::{AbsorbMethod, EXACT_RANK_LIMIT};
use faer::{Mat, Side};

/// Largest dense factor by choice: 1500^3 / 3 operations are 0.1 s at the measured 10 GFLOP/s.
const DENSE_MAX: usize = 1500;
/// Dense factors of this order cost nothing against the sweeps, however few rows there are.
const DENSE_SMALL: usize = 128;
/// Largest dense factor when `DenseSchur` is forced.
pub(super) const DENSE_FORCED: usize = 6000;
/// Relative ridge that lets Cholesky pass redundant levels. It leaves well-determined directions alone, and errors it
/// makes elsewhere are undone by the iteration.
const RIDGE: f64 = 1e-13;
/// A squared pivot of the scaled matrix at or below this was made by the ridge or by rounding. It decides only for large
/// dense factors, and a wrong decision costs iterations, no digits. A chain of 1500 levels ends at 1e-3.
const PINNED: f64 = 1e-10;
/// A diagonal of S below this share of the level's weight is zero: the level is redundant.
const ZERO_SHARE: f64 = 1e-13;
/// Iterations of the trial with the diagonal. Random graphs need 10 to 30 for ten digits.
const TRIAL: usize = 40;
/// The sparse factor is worth forming when the pairs of levels that meet in groups are at most this many per cell.
const PAIRS_PER_CELL: usize = 64;

#[derive(Debug)]
pub(super) struct Preconditioner {
    /// 1 / S_uu for the unknowns before `dense_from` that have no sparse factor, else zero.
    inverse_diagonal: Vec<f64>,
    sparse: Vec<SparseFactor>,
    dense_from: usize,
    dense: DenseFactor,
    method: AbsorbMethod,
}

impl Preconditioner {
    /// `independent` holds the unknowns of a largest independent set, where it is known.
    pub(super) fn new(
        layout: &Layout,
        independent: Option<&[usize]>,
        forced: Option<AbsorbMethod>,
        tolerance: f64,
    ) -> Self {
        let dense_from = match forced {
            Some(AbsorbMethod::DenseSchur) => 0,
            // A forced iteration is one over the largest of the other factors at least.
            Some(_) => first_dense(layout).max(layout.offsets.get(1).copied().unwrap_or(0)),
            None => first_dense(layout),
        };
        let order = layout.unknowns() - dense_from;
        let known = match independent {
            Some(independent) if dense_from == 0 => Some(independent.to_vec()),
            _ if order <= EXACT_RANK_LIMIT => {
                Some(independent_levels(&schur_dense(layout, dense_from, true), order))
            }
            _ => None,
        };
        let dense = DenseFactor::new(schur_dense(layout, dense_from, false), known.as_deref());
        let mut this = Self {
            inverse_diagonal: inverse_diagonal(layout, dense_from),
            sparse: Vec::new(),
            dense_from,
            dense,
            method: if dense_from == 0 { AbsorbMethod::DenseSchur } else { AbsorbMethod::ConjugateGradient },
        };
        let wanted = match forced {
            Some(AbsorbMethod::FactoredConjugateGradient) => true,
            Some(_) => false,
            None => dense_from > 0 && !this.converges_quickly(layout, tolerance),
        };
        if wanted {
            this.factor_large(layout, forced.is_some());
        }
        this
    }

    pub(super) fn method(&self) -> AbsorbMethod {
        self.method
    }

    /// z = M^{-1} r.
    pub(super) fn apply<const L: usize>(&self, r: &Lanes<L>, z: &mut Lanes<L>) {
        for ((z, r), d) in z.iter_mut().zip(r).zip(&self.inverse_diagonal) {
            for l in 0..L {
                z[l] = d * r[l];
            }
        }
        for factor in &self.sparse {
            factor.solve(r, z);
        }
        if self.dense_from < r.len() {
            z[self.dense_from..].copy_from_slice(&r[self.dense_from..]);
            self.dense.solve(&mut z[self.dense_from..]);
        }
    }

    /// Whether the diagonal alone takes a random right-hand side through ten digits within the trial.
    fn converges_quickly(&self, layout: &Layout, tolerance: f64) -> bool {
        let n = layout.unknowns();
        let noise: Vec<[f64; 1]> = (0..n).map(|i| [pseudo_random(i as u64) - 0.5]).collect();
        let mut r = vec![[0.0; 1]; n];
        apply_schur(layout, &noise, &mut r);
        let (mut z, mut image) = (vec![[0.0; 1]; n], vec![[0.0; 1]; n]);
        self.apply(&r, &mut z);
        let mut p = z.clone();
        let [start] = dots(&r, &z);
        let mut rz = start;
        for _ in 0..TRIAL {
            if rz <= start * tolerance * tolerance {
                return true;
            }
            apply_schur(layout, &p, &mut image);
            let [curvature] = dots(&p, &image);
            if curvature <= 0.0 {
                return true;
            }
            let alpha = rz / curvature;
            for ([r], [q]) in r.iter_mut().zip(&image) {
                *r -= alpha * q;
            }
            self.apply(&r, &mut z);
            let [next] = dots(&r, &z);
            for ([p], [z]) in p.iter_mut().zip(&z) {
                *p = z + next / rz * *p;
            }
            rz = next;
        }
        false
    }

    /// Replaces the diagonal by sparse factors for the large factors whose pairs are few.
    fn factor_large(&mut self, layout: &Layout, forced: bool) {
        for (k, range) in layout.offsets.windows(2).enumerate() {
            if range[1] > self.dense_from {
                break;
            }
            let limit = if forced { usize::MAX } else { PAIRS_PER_CELL };
            if let Some(factor) = SparseFactor::new(layout, k, range[0]..range[1], limit) {
                self.inverse_diagonal[range[0]..range[1]].fill(0.0);
                self.sparse.push(factor);
                self.method = AbsorbMethod::FactoredConjugateGradient;
            }
        }
    }
}

/// First unknown of the small factors that share the dense factor.
fn first_dense(layout: &Layout) -> usize {
    let n = layout.unknowns();
    let by_rows = (3000.0 * layout.n_rows as f64).cbrt() as usize;
    let limit = by_rows.clamp(DENSE_SMALL, DENSE_MAX);
    layout.offsets.iter().copied().find(|from| n - from <= limit).unwrap_or(n)
}

/// The Schur complement of the unknowns from `from` on, row-major, lower triangle filled. With `unit` every cell has
/// weight one, which keeps the rank and gives the clearest pivots.
pub(super) fn schur_dense(layout: &Layout, from: usize, unit: bool) -> Vec<f64> {
    let order = layout.unknowns() - from;
    let mut s = vec![0.0; order * order];
    if order == 0 {
        return s;
    }
    let cells = layout.cells();
    let first = layout.offsets.iter().position(|&o| o == from).unwrap_or(0);
    let codes = &cells.codes[first..];
    let mut total = vec![0.0; order];
    let mut touched: Vec<usize> = Vec::new();
    let mut level_weight = vec![0.0; order];
    for g in 0..layout.groups() {
        let mut group_weight = 0.0;
        for i in cells.group(g) {
            let w = if unit { 1.0 } else { cells.weight(i) };
            group_weight += w;
            for (k, codes_k) in codes.iter().enumerate() {
                let u = codes_k[i] as usize - from;
                if total[u] == 0.0 {
                    touched.push(u);
                }
                total[u] += w;
                // Unknowns of later factors have larger numbers, so this stays in the lower triangle.
                for later in &codes[k + 1..] {
                    s[(later[i] as usize - from) * order + u] += w;
                }
            }
        }
        for &u in &touched {
            let share = total[u] / group_weight;
            let row = &mut s[u * order..(u + 1) * order];
            level_weight[u] += total[u];
            row[u] += share * (group_weight - total[u]);
            for &v in &touched {
                if v < u {
                    row[v] -= share * total[v];
                }
            }
        }
        for u in touched.drain(..) {
            total[u] = 0.0;
        }
    }
    if codes.len() == 1 {
        laplacian_diagonal(&mut s, order);
    }
    // What rounding leaves of a redundant level must not be scaled up to one.
    for (u, w) in level_weight.iter().enumerate() {
        let diagonal = &mut s[u * order + u];
        if *diagonal <= ZERO_SHARE * w {
            *diagonal = 0.0;
        }
    }
    s
}

/// With one factor beside the largest, rows of S sum to zero; the diagonal from the other entries has no cancellation.
fn laplacian_diagonal(s: &mut [f64], order: usize) {
    let mut sums = vec![0.0; order];
    for u in 0..order {
        for v in 0..u {
            sums[u] -= s[u * order + v];
            sums[v] -= s[u * order + v];
        }
    }
    for (u, sum) in sums.into_iter().enumerate() {
        s[u * order + u] = sum;
    }
}

/// 1 / S_uu for the unknowns before `end`; zero where S_uu is.
fn inverse_diagonal(layout: &Layout, end: usize) -> Vec<f64> {
    let mut diagonal = layout.unknown_weight[..end].to_vec();
    let cells = layout.cells();
    let mut total = vec![0.0; end];
    let mut touched: Vec<usize> = Vec::new();
    for codes in cells.codes {
        for (g, group_weight) in layout.group_weight.iter().enumerate() {
            for i in cells.group(g) {
                let u = codes[i] as usize;
                if u < end {
                    if total[u] == 0.0 {
                        touched.push(u);
                    }
                    total[u] += cells.weight(i);
                }
            }
            for u in touched.drain(..) {
                diagonal[u] -= total[u] * total[u] / group_weight;
                total[u] = 0.0;
            }
        }
    }
    for (d, w) in diagonal.iter_mut().zip(&layout.unknown_weight) {
        *d = if *d > ZERO_SHARE * w { 1.0 / *d } else { 0.0 };
    }
    diagonal
}

/// Cholesky factor of the scaled Schur complement plus a ridge.
#[derive(Debug)]
struct DenseFactor {
    order: usize,
    /// L, row-major.
    lower: Vec<f64>,
    /// Scale to unit diagonal; zero for redundant levels.
    scale: Vec<f64>,
}

impl DenseFactor {
    fn new(mut s: Vec<f64>, independent: Option<&[usize]>) -> Self {
        let order = s.len().isqrt();
        let unit = |i: usize| {
            let d = s[i * order + i];
            if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }
        };
        let mut scale: Vec<f64> = (0..order).map(unit).collect();
        if let Some(independent) = independent {
            let all = std::mem::replace(&mut scale, vec![0.0; order]);
            independent.iter().for_each(|&u| scale[u] = all[u]);
        }
        let mut lower = ridge_cholesky(&s, &scale);
        // Levels that the ridge alone holds up are redundant: they are pinned at zero, so that the factor does not
        // amplify rounding in the null space.
        let mut pinned = false;
        for (i, scale) in scale.iter_mut().enumerate() {
            if independent.is_none() && lower[(i, i)] * lower[(i, i)] <= PINNED {
                *scale = 0.0;
                pinned = true;
            }
        }
        if pinned {
            lower = ridge_cholesky(&s, &scale);
        }
        for i in 0..order {
            for j in 0..order {
                s[i * order + j] = if j <= i { lower[(i, j)] } else { 0.0 };
            }
        }
        Self { order, lower: s, scale }
    }

    fn solve<const L: usize>(&self, z: &mut Lanes<L>) {
        for (z, s) in z.iter_mut().zip(&self.scale) {
            z.iter_mut().for_each(|v| *v *= s);
        }
        for i in 0..self.order {
            let row = &self.lower[i * self.order..i * self.order + i + 1];
            let (known, rest) = z.split_at_mut(i);
            let mut x = rest[0];
            for (a, z) in row.iter().zip(known.iter()) {
                for l in 0..L {
                    x[l] -= a * z[l];
                }
            }
            rest[0] = x.map(|v| v / row[i]);
        }
        for i in (0..self.order).rev() {
            let row = &self.lower[i * self.order..i * self.order + i + 1];
            let (open, rest) = z.split_at_mut(i);
            let x = rest[0].map(|v| v / row[i]);
            rest[0] = x;
            for (a, z) in row.iter().zip(open.iter_mut()) {
                for l in 0..L {
                    z[l] -= a * x[l];
                }
            }
        }
        for (z, s) in z.iter_mut().zip(&self.scale) {
            z.iter_mut().for_each(|v| *v *= s);
        }
    }
}

/// Cholesky factor of the scaled matrix plus a ridge; rows of scale zero become those of the identity.
fn ridge_cholesky(s: &[f64], scale: &[f64]) -> Mat<f64> {
    let order = scale.len();
    let mut ridge = RIDGE;
    loop {
        let a = Mat::from_fn(order, order, |i, j| {
            if i == j { 1.0 + ridge } else { s[i.max(j) * order + i.min(j)] * scale[i] * scale[j] }
        });
        if let Ok(factor) = a.llt(Side::Lower) {
            return factor.L().to_owned();
        }
        // Rounding made a redundant level more negative than the ridge; a large enough ridge always passes.
        ridge *= 100.0;
    }
}

/// Uniform on [0, 1) from a counter (SplitMix64 finaliser, Steele, Lea and Flood 2014).
pub(super) fn pseudo_random(counter: u64) -> f64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 / (1u64 << 53) as f64
}
