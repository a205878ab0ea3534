//! Poisson pseudo-maximum likelihood with absorbed effects, weights and an offset.
//!
//! Newton's method, which is iteratively reweighted least squares: every step takes the effects out under the weights
//! w mu (Correia, Guimaraes and Zylkin 2020, Stata Journal 20, `ppmlhdfe`; Berge 2018, fixest). Iteration ends when a step
//! moves the index by less than 1e-10 in the norm of the weights; that step is taken, and squares the distance.

use faer::Mat;

use crate::gram::{column_norms, sum_by};
use crate::{
    AbsorbOptions, AbsorbReport, Absorber, Factor, LeastSquares, LeastSquaresOptions, LinalgError, check,
    least_squares,
};

/// Mean square move of the index at which iteration ends.
const MOVE: f64 = 1e-20;

/// Steps after which there is no maximum that could be found.
const ITERATIONS: usize = 100;

/// Counts or other outcomes from zero on, with what explains their mean: exp(offset + effects + x'b).
#[derive(Clone, Copy, Debug)]
pub struct PoissonInput<'a> {
    /// k columns of n values; the constant is spanned by factors or among them.
    pub columns: &'a [&'a [f64]],
    /// n values, none negative.
    pub outcome: &'a [f64],
    /// n positive weights, or none.
    pub weights: Option<&'a [f64]>,
    /// n values added to the index, or none.
    pub offset: Option<&'a [f64]>,
    /// Effects to absorb.
    pub factors: &'a [Factor<'a>],
}

/// A fitted Poisson model of n rows and k columns, r of them kept.
#[derive(Debug)]
pub struct Poisson {
    /// One coefficient per kept column (length r).
    pub coef: Vec<f64>,
    /// Indices of the kept columns, ascending (length r).
    pub kept: Vec<usize>,
    /// Indices of the collinear columns, ascending.
    pub dropped: Vec<usize>,
    /// The r kept columns with the effects taken out under the weights w mu.
    pub columns: Vec<Vec<f64>>,
    /// Inverse of the information: (X'WX)^{-1} of those columns, W = w mu (r x r).
    pub bread: Mat<f64>,
    /// The index offset + effects + x'b, one a row.
    pub index: Vec<f64>,
    /// Its exponential, one a row.
    pub means: Vec<f64>,
    /// w mu, with which [`Poisson::absorber`] takes effects out.
    pub working_weights: Vec<f64>,
    /// Takes effects out of any column, at the maximum.
    pub absorber: Absorber,
    /// What absorption of the last step guarantees.
    pub report: AbsorbReport,
    /// 2 sum w (y ln(y / mu) - (y - mu)).
    pub deviance: f64,
    /// The same with a constant and the offset only.
    pub null_deviance: f64,
    /// Newton steps done.
    pub iterations: usize,
}

impl Poisson {
    /// Weighted least squares of `target` on effects and kept columns: what is fitted of it. With `target` the
    /// derivative of a function of the index over w mu, the result times w (y - mu) is the function's score.
    ///
    /// # Errors
    /// Those of absorption and [`least_squares`].
    pub fn project(&self, target: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, LinalgError> {
        let mut after = target.to_vec();
        self.absorber.residualize(&mut after)?;
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        let options = LeastSquaresOptions::default();
        let fitted = |(before, after): (&Vec<f64>, &Vec<f64>)| {
            let fit = least_squares(&columns, after, Some(&self.working_weights), None, &options)?;
            Ok(before.iter().zip(&fit.residuals).map(|(it, e)| it - e).collect())
        };
        target.iter().zip(&after).map(fitted).collect()
    }
}

/// Maximises sum w (y eta - exp(eta)).
///
/// Earlier columns win: a combination of earlier ones and effects is dropped. Rows of groups whose outcomes are all zero
/// have no finite effect; take them out before ([`zero_groups`]).
///
/// # Errors
/// `NegativeOutcome`, `NoPositiveOutcome`; `SeparatedZeros` when a combination of columns and effects predicts zeros
/// perfectly, so that no maximum exists; `LikelihoodNotConverged`, and those of absorption and [`least_squares`].
pub fn poisson(input: &PoissonInput<'_>, options: &AbsorbOptions) -> Result<Poisson, LinalgError> {
    check_input(input)?;
    let problem = Problem { input, options };
    let start = problem.start();
    let target = problem.first_target(&start);
    let all: Vec<usize> = (0..input.columns.len()).collect();
    let first = problem.step(&start, &target, &all)?;
    if first.fit.kept.is_empty() && input.factors.is_empty() {
        return Err(LinalgError::NoColumns { columns: input.columns.len() });
    }
    let index = (0..start.len()).map(|row| problem.offset(row) + first.moved[row]).collect();
    problem.climb(index, first.fit.coef, &first.fit.kept)
}

/// Rows in a group, of any factor, whose outcomes are all zero: their effect is minus infinity, and they say nothing of
/// the rest.
pub fn zero_groups(factors: &[Factor<'_>], outcome: &[f64]) -> Vec<bool> {
    let mut out = vec![false; outcome.len()];
    for factor in factors {
        let mut positive = vec![false; factor.n_groups];
        for (&code, &y) in factor.codes.iter().zip(outcome) {
            positive[code as usize] |= 0.0 < y;
        }
        for (out, &code) in out.iter_mut().zip(factor.codes) {
            *out |= !positive[code as usize];
        }
    }
    out
}

fn check_input(input: &PoissonInput<'_>) -> Result<(), LinalgError> {
    let n = input.outcome.len();
    input.columns.iter().try_for_each(|it| check::length("column", n, it.len()))?;
    if let Some(it) = input.offset {
        check::length("offset", n, it.len())?;
        check::finite(input.columns.len() + 1, it)?;
    }
    check::weights(input.weights, n)?;
    check::finite(input.columns.len(), input.outcome)?;
    if let Some(row) = input.outcome.iter().position(|it| *it < 0.0) {
        return Err(LinalgError::NegativeOutcome { row, value: input.outcome[row] });
    }
    if !input.outcome.iter().any(|it| 0.0 < *it) {
        return Err(LinalgError::NoPositiveOutcome { rows: n });
    }
    Ok(())
}

struct Problem<'a> {
    input: &'a PoissonInput<'a>,
    options: &'a AbsorbOptions,
}

/// A weighted least squares problem solved.
struct Step {
    fit: LeastSquares,
    /// Columns without effects.
    columns: Vec<Vec<f64>>,
    /// What effects and columns explain of the target.
    moved: Vec<f64>,
    working_weights: Vec<f64>,
    absorber: Absorber,
    report: AbsorbReport,
}

impl Problem<'_> {
    /// Between the outcome and its mean, as R's `poisson()$initialize` and ppmlhdfe have it.
    fn start(&self) -> Vec<f64> {
        let y = self.input.outcome;
        let total = sum_by(y.len(), |row| self.weight(row));
        let mean = sum_by(y.len(), |row| self.weight(row) * y[row]) / total;
        y.iter().map(|y| (0.5 * (y + mean)).ln()).collect()
    }

    /// The working outcome less the offset; later steps start from the index that it gives.
    fn first_target(&self, index: &[f64]) -> Vec<f64> {
        let working = self.working_residuals(index);
        (0..index.len()).map(|row| index[row] - self.offset(row) + working[row]).collect()
    }

    fn climb(&self, mut index: Vec<f64>, mut coef: Vec<f64>, kept: &[usize]) -> Result<Poisson, LinalgError> {
        let mut deviance = self.deviance(&index);
        let total = self.total(|row| self.input.outcome[row]);
        let mut decrement = f64::INFINITY;
        for iteration in 2..=ITERATIONS {
            let step = self.step(&index, &self.working_residuals(&index), kept)?;
            // A kept column can lose its variation where means vanish: then the likelihood is flat there.
            if step.fit.kept.len() < kept.len() || self.separates(&step.moved) {
                return Err(self.separated(&step.moved, &index));
            }
            decrement = sum_by(index.len(), |row| step.working_weights[row] * step.moved[row].powi(2));
            let share = self.share(&index, &step.moved, deviance);
            coef.iter_mut().zip(&step.fit.coef).for_each(|(c, d)| *c += share * d);
            index.iter_mut().zip(&step.moved).for_each(|(eta, d)| *eta += share * d);
            deviance = self.deviance(&index);
            if decrement <= MOVE * total {
                return Ok(self.solution(step, index, coef, kept, iteration));
            }
        }
        Err(LinalgError::LikelihoodNotConverged { iterations: ITERATIONS, decrement })
    }

    fn solution(
        &self,
        step: Step,
        index: Vec<f64>,
        coef: Vec<f64>,
        kept: &[usize],
        iterations: usize,
    ) -> Poisson {
        Poisson {
            coef,
            kept: kept.to_vec(),
            dropped: (0..self.input.columns.len()).filter(|it| kept.binary_search(it).is_err()).collect(),
            columns: step.columns,
            bread: step.fit.bread,
            means: index.iter().map(|it| it.exp()).collect(),
            working_weights: step.working_weights,
            absorber: step.absorber,
            report: step.report,
            deviance: self.deviance(&index),
            null_deviance: self.null_deviance(),
            index,
            iterations,
        }
    }

    /// Least squares of `target` on effects and columns with the weights w mu at `index`.
    fn step(&self, index: &[f64], target: &[f64], kept: &[usize]) -> Result<Step, LinalgError> {
        // Below this the row has no say, and least squares wants positive weights.
        let working_weights: Vec<f64> =
            index.iter().enumerate().map(|(row, eta)| (self.weight(row) * eta.exp()).max(1e-200)).collect();
        let absorber =
            Absorber::new(self.input.factors, Some(&working_weights), index.len(), self.options.clone())?;
        let before: Vec<&[f64]> = kept.iter().map(|&it| self.input.columns[it]).collect();
        let norms = column_norms(&before, Some(&working_weights));
        let mut columns: Vec<Vec<f64>> = before.iter().map(|it| it.to_vec()).collect();
        columns.push(target.to_vec());
        let report = absorber.residualize(&mut columns)?;
        let left = columns.pop().unwrap_or_default();
        let after: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let options = LeastSquaresOptions::default();
        let fit = least_squares(&after, &left, Some(&working_weights), Some(&norms), &options)?;
        let moved = target.iter().zip(&fit.residuals).map(|(it, e)| it - e).collect();
        Ok(Step { fit, columns, moved, working_weights, absorber, report })
    }

    fn working_residuals(&self, index: &[f64]) -> Vec<f64> {
        index.iter().zip(self.input.outcome).map(|(eta, y)| y * (-eta).exp() - 1.0).collect()
    }

    /// The first of 1, 1/2, 1/4, ... at which the deviance does not rise by more than rounding.
    fn share(&self, index: &[f64], moved: &[f64], deviance: f64) -> f64 {
        let ceiling = deviance + 1e-12 * (deviance.abs() + 1.0);
        let mut share = 1.0;
        for _ in 0..30 {
            let trial: Vec<f64> = index.iter().zip(moved).map(|(eta, d)| eta + share * d).collect();
            if self.deviance(&trial) <= ceiling {
                break;
            }
            share *= 0.5;
        }
        share
    }

    /// A direction along which zeros become more likely without end, and nothing else changes: no maximum exists
    /// (Correia, Guimaraes and Zylkin 2019, arXiv 1903.01633, proposition 1).
    fn separates(&self, moved: &[f64]) -> bool {
        let most = moved.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
        let still = 1e-7 * most;
        0.1 <= most
            && moved
                .iter()
                .zip(self.input.outcome)
                .all(|(&d, &y)| if 0.0 < y { d.abs() <= still } else { d <= still })
    }

    fn separated(&self, moved: &[f64], index: &[f64]) -> LinalgError {
        let most = moved.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
        let gone = |row: &usize| {
            self.input.outcome[*row] == 0.0 && (moved[*row] < -1e-3 * most || index[*row] < -12.0)
        };
        let rows: Vec<usize> = (0..index.len()).filter(gone).collect();
        LinalgError::SeparatedZeros { rows: rows.len(), first: rows.first().copied().unwrap_or_default() }
    }

    fn deviance(&self, index: &[f64]) -> f64 {
        let of = |row: usize| {
            let (eta, y) = (index[row], self.input.outcome[row]);
            let log = if 0.0 < y { y * (y.ln() - eta) } else { 0.0 };
            log - (y - eta.exp())
        };
        2.0 * self.total(of)
    }

    fn null_deviance(&self) -> f64 {
        let mean = self.total(|row| self.input.outcome[row]) / self.total(|row| self.offset(row).exp());
        let index: Vec<f64> = (0..self.input.outcome.len()).map(|row| mean.ln() + self.offset(row)).collect();
        self.deviance(&index)
    }

    fn weight(&self, row: usize) -> f64 {
        self.input.weights.map_or(1.0, |it| it[row])
    }

    fn offset(&self, row: usize) -> f64 {
        self.input.offset.map_or(0.0, |it| it[row])
    }

    /// sum w f, in an order that is fixed.
    fn total(&self, f: impl Fn(usize) -> f64) -> f64 {
        sum_by(self.input.outcome.len(), |row| self.weight(row) * f(row))
    }
}
