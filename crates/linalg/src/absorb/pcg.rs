//! Preconditioned conjugate gradients on the Schur complement, several columns in the lanes of one sweep.
//!
//! Lanes never mix: every operation is lane by lane in the same order whatever the number of lanes, and a lane that has
//! converged takes steps of length zero. So a column's bits do not depend on its company.

use super::AbsorbOptions;
use super::layout::{Cells, Layout};
use super::precondition::Preconditioner;
use crate::LinalgError;

/// The second round reduces the error by this factor once more.
const REFINEMENT: f64 = 1e-4;
/// What rounding leaves in a column, relative to its norm before absorption.
pub(super) const ROUNDING: f64 = 8.0 * f64::EPSILON;
/// p'Sp relative to p'Dp, D the weights of the levels, that rounding can make of zero. A chain of 10^6 levels has 1e-11.
const NULL_CURVATURE: f64 = 64.0 * f64::EPSILON;
/// Remaining group means, relative to the column, that need no further round.
const POLISHED_MEAN: f64 = 1e-14;
/// Smallest eigenvalue assumed before any is seen: it decides only whether a column needs an iteration at all.
const FIRST_EIGENVALUE: f64 = 1e-2;
/// Rounds from fresh residuals before giving up.
pub(super) const MAX_ROUNDS: usize = 8;

/// What happened to the columns of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) iterations: usize,
    pub(super) worst_mean: f64,
    pub(super) error_bound: f64,
}

impl Outcome {
    pub(super) fn worst_of(lanes: &[Lane]) -> Self {
        lanes.iter().fold(Self::default(), |worst, lane| Self {
            iterations: worst.iterations.max(lane.iterations),
            worst_mean: worst.worst_mean.max(lane.worst_mean),
            error_bound: worst.error_bound.max(lane.bound),
        })
    }
}

/// A vector over unknowns with `L` lanes.
pub(super) type Lanes<const L: usize> = [[f64; L]];

/// Residualises at most `L` columns in place. `first` is the index of the first one in the call, for errors.
pub(super) fn absorb<const L: usize>(
    layout: &Layout,
    preconditioner: &Preconditioner,
    options: &AbsorbOptions,
    first: usize,
    columns: &mut [Vec<f64>],
) -> Result<Outcome, LinalgError> {
    let unknowns = layout.unknowns();
    let mut sums = vec![0.0; unknowns];
    let mut means = vec![0.0; layout.groups()];
    let scale: Vec<f64> = columns.iter().map(|c| layout.root_mean_square(c)).collect();
    let mut solver = Solver::<L>::new(layout, preconditioner);
    let mut state = [Lane::default(); L];
    for (lane, column) in state.iter_mut().zip(columns.iter()) {
        *lane = Lane::new(ROUNDING * layout.sum_squares(column).sqrt());
    }
    for round in 0..MAX_ROUNDS {
        for (l, column) in columns.iter_mut().enumerate() {
            if !state[l].done {
                layout.subtract_pivot_means(column, &mut means);
                state[l].start_round(round, layout.sum_squares(column).sqrt(), options);
                layout.sum_by_unknown(column, &mut sums);
                solver.load(l, &sums);
            }
        }
        solver.solve(&mut state, options.max_iterations);
        for (l, column) in columns.iter_mut().enumerate() {
            if !state[l].done {
                solver.unload(l, &mut sums);
                subtract_effects(layout, column, &sums, &mut means);
                state[l].end_round(round);
                if state[l].done {
                    layout.subtract_pivot_means(column, &mut means);
                    state[l].inspect(layout.worst_mean(column, scale[l]));
                }
            }
        }
        if let Some(l) =
            (0..columns.len()).find(|&l| state[l].failed || (round + 1 == MAX_ROUNDS && !state[l].done))
        {
            let Lane { iterations, bound, .. } = state[l];
            let error = bound;
            return Err(LinalgError::NotConverged {
                column: first + l,
                iterations,
                error,
                tolerance: options.tolerance,
            });
        }
        if state.iter().take(columns.len()).all(|s| s.done) {
            break;
        }
    }
    Ok(Outcome::worst_of(&state[..columns.len()]))
}

/// column -= D_2 b, then the means of the largest factor.
fn subtract_effects(layout: &Layout, column: &mut [f64], effects: &[f64], means: &mut [f64]) {
    match layout.others.as_slice() {
        [codes] => {
            for (x, &c) in column.iter_mut().zip(codes) {
                *x -= effects[c as usize];
            }
        }
        [first, second] => {
            for ((x, &c), &d) in column.iter_mut().zip(first).zip(second) {
                *x -= effects[c as usize] + effects[d as usize];
            }
        }
        all => {
            for (i, x) in column.iter_mut().enumerate() {
                *x -= all.iter().map(|codes| effects[codes[i] as usize]).sum::<f64>();
            }
        }
    }
    layout.subtract_pivot_means(column, means);
}

/// The progress of one column.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lane {
    pub(super) done: bool,
    pub(super) failed: bool,
    pub(super) iterations: usize,
    /// Norm of the rounding error of the column as it came.
    rounding: f64,
    /// Norm of the column after elimination of the largest factor, at the start; at least what makes the tolerance equal
    /// to `rounding`.
    norm: f64,
    /// Error at which the round stops, in the weighted norm.
    target: f64,
    /// Relative error bound at the end of the last but one round.
    pub(super) bound: f64,
    /// Weighted norm of the correction of this round.
    correction: f64,
    /// Error bound at the end of this round.
    round_bound: f64,
    /// Largest remaining group mean relative to the column as it came.
    worst_mean: f64,
    /// Smallest eigenvalue of the preconditioned Schur complement seen so far.
    smallest: f64,
    /// Whether the round for the group means has been asked for.
    polished: bool,
    /// Largest correction of a verifying round that is accepted.
    accept: f64,
}

impl Lane {
    pub(super) fn new(rounding: f64) -> Self {
        Self { rounding, smallest: FIRST_EIGENVALUE, ..Self::default() }
    }

    /// `norm` is that of the column after elimination of the largest factor, read in the first round.
    pub(super) fn start_round(&mut self, round: usize, norm: f64, options: &AbsorbOptions) {
        if round == 0 {
            // Below the rounding of the column itself there is nothing to solve for.
            self.norm = norm.max(self.rounding / options.tolerance);
            self.accept = options.tolerance * self.norm;
            self.target = self.accept;
        } else {
            let factor = if self.polished { REFINEMENT * REFINEMENT } else { REFINEMENT };
            self.target = (factor * self.accept).max(self.rounding);
        }
    }

    /// Done when a round that started from fresh residuals found no more to correct than the tolerance allows.
    pub(super) fn end_round(&mut self, round: usize) {
        if round > 0 && self.correction <= self.accept.max(self.target) {
            self.done = true;
        }
        let relative = |e: f64| if self.norm > 0.0 { e / self.norm } else { 0.0 };
        self.bound = if round > 0 {
            relative(self.correction.max(self.round_bound))
        } else {
            relative(self.round_bound)
        };
    }
}

impl Lane {
    /// Asks for one round more when a group mean is left that rounding does not explain: small groups weigh little in the
    /// norm that the tolerance bounds.
    pub(super) fn inspect(&mut self, worst_mean: f64) {
        self.worst_mean = worst_mean;
        self.done = self.polished || worst_mean <= POLISHED_MEAN;
        self.polished = true;
    }
}

/// Work arrays of conjugate gradients over `L` lanes.
pub(super) struct Solver<'a, const L: usize> {
    layout: &'a Layout,
    preconditioner: &'a Preconditioner,
    solution: Vec<[f64; L]>,
    residual: Vec<[f64; L]>,
    direction: Vec<[f64; L]>,
    image: Vec<[f64; L]>,
    preconditioned: Vec<[f64; L]>,
}

impl<'a, const L: usize> Solver<'a, L> {
    pub(super) fn new(layout: &'a Layout, preconditioner: &'a Preconditioner) -> Self {
        let zero = || vec![[0.0; L]; layout.unknowns()];
        Self {
            layout,
            preconditioner,
            solution: zero(),
            residual: zero(),
            direction: zero(),
            image: zero(),
            preconditioned: zero(),
        }
    }

    pub(super) fn load(&mut self, lane: usize, rhs: &[f64]) {
        for ((r, x), v) in self.residual.iter_mut().zip(&mut self.solution).zip(rhs) {
            r[lane] = *v;
            x[lane] = 0.0;
        }
    }

    pub(super) fn unload(&self, lane: usize, out: &mut [f64]) {
        for (o, x) in out.iter_mut().zip(&self.solution) {
            *o = x[lane];
        }
    }

    /// Runs every lane that is not done until its error bound is below its target.
    pub(super) fn solve(&mut self, state: &mut [Lane; L], max_iterations: usize) {
        let mut lanczos: Vec<Lanczos> = (0..L).map(|_| Lanczos::default()).collect();
        let mut active = [false; L];
        self.preconditioner.apply(&self.residual, &mut self.preconditioned);
        let mut rz = dots(&self.residual, &self.preconditioned);
        self.direction.copy_from_slice(&self.preconditioned);
        for l in 0..L {
            state[l].correction = 0.0;
            state[l].round_bound = 0.0;
            active[l] = !state[l].done && rz[l] > state[l].target * state[l].target * state[l].smallest;
        }
        while active.contains(&true) {
            apply_schur(self.layout, &self.direction, &mut self.image);
            let curvature = dots(&self.direction, &self.image);
            let size = weighted_squares(&self.layout.unknown_weight, &self.direction);
            let mut alpha = [0.0; L];
            for l in 0..L {
                // Below its own rounding the curvature says only that the direction is in the null space.
                alpha[l] = if active[l] && curvature[l] > NULL_CURVATURE * size[l] {
                    rz[l] / curvature[l]
                } else {
                    0.0
                };
                state[l].correction += alpha[l] * rz[l];
            }
            self.step(&alpha);
            self.preconditioner.apply(&self.residual, &mut self.preconditioned);
            let next = dots(&self.residual, &self.preconditioned);
            let mut beta = [0.0; L];
            for l in 0..L {
                if !active[l] {
                    continue;
                }
                beta[l] = if rz[l] > 0.0 { next[l] / rz[l] } else { 0.0 };
                rz[l] = next[l];
                state[l].iterations += 1;
                lanczos[l].push(alpha[l], beta[l]);
                active[l] = !lanczos[l].converged(rz[l], &mut state[l], alpha[l]);
                if active[l] && state[l].iterations >= max_iterations {
                    state[l].failed = true;
                    state[l].bound = state[l].round_bound / state[l].norm;
                    active[l] = false;
                }
            }
            for (p, z) in self.direction.iter_mut().zip(&self.preconditioned) {
                for l in 0..L {
                    p[l] = z[l] + beta[l] * p[l];
                }
            }
        }
        for lane in state {
            lane.correction = lane.correction.max(0.0).sqrt();
        }
    }

    fn step(&mut self, alpha: &[f64; L]) {
        let moved = self.solution.iter_mut().zip(&mut self.residual);
        for (((x, r), p), q) in moved.zip(&self.direction).zip(&self.image) {
            for l in 0..L {
                x[l] += alpha[l] * p[l];
                r[l] -= alpha[l] * q[l];
            }
        }
    }
}

/// The Lanczos matrix of a lane, for the smallest eigenvalue of the preconditioned Schur complement.
#[derive(Default)]
struct Lanczos {
    alpha: Vec<f64>,
    beta: Vec<f64>,
    /// Value of r'z below which the bound is worth computing again.
    check_below: Option<f64>,
}

impl Lanczos {
    fn push(&mut self, alpha: f64, beta: f64) {
        self.alpha.push(alpha);
        self.beta.push(beta);
    }

    /// |e|^2 <= r'M^{-1}r / lambda_min: converged when that is below the target. A step of length zero means that the
    /// direction lies in the null space to rounding; nothing more can be gained in this round.
    fn converged(&mut self, rz: f64, lane: &mut Lane, alpha: f64) -> bool {
        let goal = lane.target * lane.target;
        if alpha == 0.0 || rz <= 0.0 {
            lane.round_bound = rz.max(0.0).sqrt();
            return true;
        }
        lane.round_bound = rz.sqrt();
        if rz > self.check_below.unwrap_or(goal) {
            return false;
        }
        // Ritz values only fall towards the eigenvalue, so the smallest of all rounds is the best estimate.
        let smallest = self.smallest_eigenvalue().min(lane.smallest);
        lane.smallest = smallest;
        lane.round_bound = (rz / smallest).sqrt();
        self.check_below = Some((goal * smallest).min(rz * 0.5));
        rz <= goal * smallest
    }

    /// Smallest eigenvalue of the tridiagonal Lanczos matrix, to a tenth, by bisection with Sturm counts.
    fn smallest_eigenvalue(&self) -> f64 {
        let k = self.alpha.len();
        let diagonal =
            |i: usize| 1.0 / self.alpha[i] + if i > 0 { self.beta[i - 1] / self.alpha[i - 1] } else { 0.0 };
        let off_squared = |i: usize| self.beta[i] / (self.alpha[i] * self.alpha[i]);
        let any_below = |x: f64| {
            let mut d = diagonal(0) - x;
            for i in 1..k {
                if d <= 0.0 {
                    return true;
                }
                d = diagonal(i) - x - off_squared(i - 1) / d;
            }
            d <= 0.0
        };
        let (mut low, mut high) = (1e-16f64, (0..k).map(diagonal).fold(f64::INFINITY, f64::min));
        while high > 1.1 * low {
            let middle = (low * high).sqrt();
            if any_below(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        low
    }
}

/// out = S p, with S = D_2'W D_2 - D_2'W D_1 (D_1'W D_1)^{-1} D_1'W D_2.
pub(super) fn apply_schur<const L: usize>(layout: &Layout, p: &Lanes<L>, out: &mut Lanes<L>) {
    let cells = layout.cells();
    match (cells.codes, cells.weights) {
        ([codes], None) => one_other(layout, cells.starts, codes, |_| 1.0, p, out),
        ([codes], Some(w)) => one_other(layout, cells.starts, codes, |i| w[i], p, out),
        _ => many_others(layout, cells, p, out),
    }
}

/// Two factors: D_2'W D_2 is diagonal, so only group means have to be scattered.
#[inline(always)]
fn one_other<const L: usize>(
    layout: &Layout,
    starts: &[u32],
    codes: &[u32],
    weight: impl Fn(usize) -> f64,
    p: &Lanes<L>,
    out: &mut Lanes<L>,
) {
    for ((o, p), w) in out.iter_mut().zip(p).zip(&layout.unknown_weight) {
        for l in 0..L {
            o[l] = w * p[l];
        }
    }
    for (bounds, total) in starts.windows(2).zip(&layout.group_weight) {
        let (from, to) = (bounds[0] as usize, bounds[1] as usize);
        let mut mean = [0.0; L];
        for i in from..to {
            let (w, p) = (weight(i), &p[codes[i] as usize]);
            for l in 0..L {
                mean[l] += w * p[l];
            }
        }
        mean.iter_mut().for_each(|m| *m /= total);
        for i in from..to {
            let (w, o) = (weight(i), &mut out[codes[i] as usize]);
            for l in 0..L {
                o[l] -= w * mean[l];
            }
        }
    }
}

fn many_others<const L: usize>(layout: &Layout, cells: Cells<'_>, p: &Lanes<L>, out: &mut Lanes<L>) {
    out.fill([0.0; L]);
    let mut fits: Vec<[f64; L]> = Vec::new();
    for (g, total) in layout.group_weight.iter().enumerate() {
        fits.clear();
        let mut mean = [0.0; L];
        for i in cells.group(g) {
            let w = cells.weight(i);
            let mut fit = [0.0; L];
            for codes in cells.codes {
                let p = &p[codes[i] as usize];
                for l in 0..L {
                    fit[l] += p[l];
                }
            }
            for l in 0..L {
                mean[l] += w * fit[l];
            }
            fits.push(fit);
        }
        mean.iter_mut().for_each(|m| *m /= total);
        for (i, fit) in cells.group(g).zip(&fits) {
            let w = cells.weight(i);
            for codes in cells.codes {
                let o = &mut out[codes[i] as usize];
                for l in 0..L {
                    o[l] += w * (fit[l] - mean[l]);
                }
            }
        }
    }
}

/// Lane-wise sums of w p^2, in order.
fn weighted_squares<const L: usize>(weights: &[f64], p: &Lanes<L>) -> [f64; L] {
    let mut total = [0.0; L];
    for (w, p) in weights.iter().zip(p) {
        for l in 0..L {
            total[l] += w * p[l] * p[l];
        }
    }
    total
}

/// Lane-wise inner products, in order.
pub(super) fn dots<const L: usize>(a: &Lanes<L>, b: &Lanes<L>) -> [f64; L] {
    let mut total = [0.0; L];
    for (a, b) in a.chunks(1024).zip(b.chunks(1024)) {
        let mut part = [0.0; L];
        for (a, b) in a.iter().zip(b) {
            for l in 0..L {
                part[l] += a[l] * b[l];
            }
        }
        for l in 0..L {
            total[l] += part[l];
        }
    }
    total
}
