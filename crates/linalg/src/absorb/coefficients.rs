//! Coefficients of the effects from their group sums: b with D'WD b = s.
//!
//! [`Absorber::residualize`](super::Absorber::residualize) gives what effects leave of a column; this gives the effects
//! themselves, which predict on rows that were not absorbed, and takes right-hand sides that come from such rows.
//! The iteration is the one of residuals: the largest factor is eliminated, the Schur complement of the others solved.

use super::layout::Layout;
use super::pcg::{Lane, MAX_ROUNDS, Outcome, ROUNDING, Solver};
use super::precondition::Preconditioner;
use super::{AbsorbOptions, Plan};
use crate::LinalgError;

/// A vector over all levels: those of the largest factor, and the unknowns.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    pub(super) pivot: Vec<f64>,
    pub(super) unknown: Vec<f64>,
}

impl Levels {
    pub(super) fn zeros(layout: &Layout) -> Levels {
        Levels { pivot: vec![0.0; layout.groups()], unknown: vec![0.0; layout.unknowns()] }
    }

    /// Largest over factors of the sum of s^2 / w: that of the column of a factor's means, which no column with these
    /// sums falls short of. The tolerance is relative to its root.
    fn squares(&self, layout: &Layout) -> f64 {
        let part =
            |sums: &[f64], weights: &[f64]| -> f64 { sums.iter().zip(weights).map(|(s, w)| s * s / w).sum() };
        let factors = layout.offsets.windows(2).map(|it| it[0]..it[1]);
        let unknown = factors.map(|it| part(&self.unknown[it.clone()], &layout.unknown_weight[it]));
        unknown.fold(part(&self.pivot, &layout.group_weight), f64::max)
    }

    /// Largest |s / w|.
    fn worst_mean(&self, layout: &Layout) -> f64 {
        let part = |sums: &[f64], weights: &[f64]| -> f64 {
            sums.iter().zip(weights).map(|(s, w)| (s / w).abs()).fold(0.0, f64::max)
        };
        part(&self.pivot, &layout.group_weight).max(part(&self.unknown, &layout.unknown_weight))
    }
}

/// Replaces the group sums of at most `L` systems by coefficients. `first` is the index of the first one, for errors.
pub(super) fn solve<const L: usize>(
    layout: &Layout,
    plan: &Plan,
    options: &AbsorbOptions,
    first: usize,
    systems: &mut [Levels],
) -> Result<Outcome, LinalgError> {
    match plan {
        Plan::Nothing => {
            systems.iter_mut().for_each(|it| *it = Levels::zeros(layout));
            Ok(Outcome::default())
        }
        Plan::GroupMeans => {
            systems.iter_mut().for_each(|it| divide(&mut it.pivot, &layout.group_weight));
            Ok(Outcome::default())
        }
        Plan::Balanced => {
            systems.iter_mut().for_each(|it| balanced(layout, it));
            Ok(Outcome::default())
        }
        Plan::Iterate(preconditioner) => iterate::<L>(layout, preconditioner, options, first, systems),
    }
}

/// Group means of both factors, the overall mean taken out of the second.
fn balanced(layout: &Layout, system: &mut Levels) {
    let mean = system.pivot.iter().sum::<f64>() / layout.group_weight.iter().sum::<f64>();
    divide(&mut system.pivot, &layout.group_weight);
    divide(&mut system.unknown, &layout.unknown_weight);
    system.unknown.iter_mut().for_each(|it| *it -= mean);
}

fn divide(sums: &mut [f64], weights: &[f64]) {
    sums.iter_mut().zip(weights).for_each(|(s, w)| *s /= w);
}

fn iterate<const L: usize>(
    layout: &Layout,
    preconditioner: &Preconditioner,
    options: &AbsorbOptions,
    first: usize,
    systems: &mut [Levels],
) -> Result<Outcome, LinalgError> {
    let sums: Vec<Levels> = systems.to_vec();
    let mut rest = sums.clone();
    systems.iter_mut().for_each(|it| *it = Levels::zeros(layout));
    let mut solver = Solver::<L>::new(layout, preconditioner);
    let total = layout.group_weight.iter().sum::<f64>().sqrt();
    let norms: Vec<f64> = sums.iter().map(|it| it.squares(layout).sqrt()).collect();
    let mut state = [Lane::default(); L];
    for (lane, norm) in state.iter_mut().zip(&norms) {
        *lane = Lane::new(ROUNDING * norm);
    }
    for round in 0..MAX_ROUNDS {
        for (l, rest) in rest.iter().enumerate() {
            if !state[l].done {
                state[l].start_round(round, norms[l], options);
                solver.load(l, &eliminated(layout, rest));
            }
        }
        solver.solve(&mut state, options.max_iterations);
        for (l, system) in systems.iter_mut().enumerate() {
            if !state[l].done {
                add_step(layout, &solver, l, &rest[l], system);
                rest[l] = left(layout, &sums[l], system);
                state[l].end_round(round);
                if state[l].done {
                    let scale = norms[l] / total;
                    let worst = rest[l].worst_mean(layout);
                    state[l].inspect(if 0.0 < scale { worst / scale } else { 0.0 });
                }
            }
        }
        if let Some(error) = not_converged(&state[..systems.len()], round, first, options) {
            return Err(error);
        }
        if state.iter().take(systems.len()).all(|it| it.done) {
            break;
        }
    }
    Ok(Outcome::worst_of(&state[..systems.len()]))
}

fn not_converged(state: &[Lane], round: usize, first: usize, options: &AbsorbOptions) -> Option<LinalgError> {
    let l = state.iter().position(|it| it.failed || (round + 1 == MAX_ROUNDS && !it.done))?;
    let Lane { iterations, bound, .. } = state[l];
    Some(LinalgError::NotConverged {
        column: first + l,
        iterations,
        error: bound,
        tolerance: options.tolerance,
    })
}

/// The right-hand side of the Schur complement: s_2 - D_2'W D_1 (D_1'W D_1)^{-1} s_1.
fn eliminated(layout: &Layout, sums: &Levels) -> Vec<f64> {
    let mut means = Levels { pivot: sums.pivot.clone(), unknown: vec![0.0; layout.unknowns()] };
    divide(&mut means.pivot, &layout.group_weight);
    let known = product(layout, &means);
    sums.unknown.iter().zip(&known.unknown).map(|(s, k)| s - k).collect()
}

/// Adds the solution of a lane, and what it leaves of the sums of the largest factor.
fn add_step<const L: usize>(
    layout: &Layout,
    solver: &Solver<'_, L>,
    lane: usize,
    rest: &Levels,
    system: &mut Levels,
) {
    let mut step = Levels::zeros(layout);
    solver.unload(lane, &mut step.unknown);
    let known = product(layout, &step);
    for (((b, rest), known), w) in
        system.pivot.iter_mut().zip(&rest.pivot).zip(&known.pivot).zip(&layout.group_weight)
    {
        *b += (rest - known) / w;
    }
    system.unknown.iter_mut().zip(&step.unknown).for_each(|(b, step)| *b += step);
}

/// s - D'WD b.
fn left(layout: &Layout, sums: &Levels, coefficients: &Levels) -> Levels {
    let mut rest = product(layout, coefficients);
    rest.pivot.iter_mut().zip(&sums.pivot).for_each(|(r, s)| *r = s - *r);
    rest.unknown.iter_mut().zip(&sums.unknown).for_each(|(r, s)| *r = s - *r);
    rest
}

/// D'WD b, cell by cell.
fn product(layout: &Layout, b: &Levels) -> Levels {
    let cells = layout.cells();
    let mut out = Levels::zeros(layout);
    for (g, (own, sum)) in b.pivot.iter().zip(&mut out.pivot).enumerate() {
        for i in cells.group(g) {
            let fit = own + cells.codes.iter().map(|codes| b.unknown[codes[i] as usize]).sum::<f64>();
            let weighted = cells.weight(i) * fit;
            *sum += weighted;
            for codes in cells.codes {
                out.unknown[codes[i] as usize] += weighted;
            }
        }
    }
    out
}
