//! Generalised linear models by maximum likelihood: logit and probit here, Poisson with absorbed effects in `poisson`.
//!
//! Newton's method with the observed information, which is concave for both links, so that a halved step always climbs.
//! A step is a weighted least squares problem, so that collinear columns and unscaled columns are met as in
//! [`least_squares`]. Iteration ends when the Newton decrement g'H^{-1}g is below 1e-24: coefficients are then within
//! 1e-12 standard errors of the maximum before a last step that squares that distance.
//!
//! | program | covariance |
//! |---|---|
//! | Stata `logit`, `probit` | [`Information::Observed`] |
//! | R `glm`, fixest `feglm` | [`Information::Expected`] |

mod link;
mod poisson;

use faer::Mat;

use crate::gram::sum_by;
use crate::{LeastSquares, LeastSquaresOptions, LinalgError, check, least_squares};

pub use link::{Link, normal_cdf};
pub use poisson::{Poisson, PoissonInput, poisson, zero_groups};

/// Newton decrement at which iteration ends.
const DECREMENT: f64 = 1e-24;

/// Iterations after which the likelihood has no maximum that could be found.
const ITERATIONS: usize = 100;

/// Which matrix is inverted for the covariance; the two agree for logit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Information {
    /// Minus the second derivatives of the log likelihood.
    Observed,
    /// Their expectation given the regressors.
    Expected,
}

/// A fitted binary response model of n rows and k columns, r of them kept.
#[derive(Clone, Debug)]
pub struct BinaryResponse {
    /// One coefficient per kept column (length r).
    pub coef: Vec<f64>,
    /// Indices of the kept columns, ascending (length r).
    pub kept: Vec<usize>,
    /// Indices of the collinear columns, ascending.
    pub dropped: Vec<usize>,
    /// Inverse of the information (r x r).
    pub covariance: Mat<f64>,
    /// sum w ln f(y | x), weights as they are given.
    pub log_likelihood: f64,
    /// The same with a constant only.
    pub null_log_likelihood: f64,
    /// The linear index x'b, one a row.
    pub index: Vec<f64>,
    /// P(y = 1 | x), one a row.
    pub probabilities: Vec<f64>,
    /// Newton steps done.
    pub iterations: usize,
}

impl BinaryResponse {
    /// McFadden's pseudo R2, 1 - ln L / ln L0.
    pub fn pseudo_r2(&self) -> f64 {
        1.0 - self.log_likelihood / self.null_log_likelihood
    }

    /// 2 (ln L - ln L0), the likelihood ratio against a constant only.
    pub fn lr_chi2(&self) -> f64 {
        2.0 * (self.log_likelihood - self.null_log_likelihood)
    }
}

/// Maximises sum w ln P(y | x'b) for outcomes of 0 and 1.
///
/// `columns` are k slices of length n, the constant among them where one is wanted; `weights` are positive and multiply
/// the likelihood (Stata's `iweight`). Earlier columns win: a combination of earlier ones is dropped.
///
/// # Errors
/// `NotBinary`, `OneOutcome`, `Separated` when a combination of columns predicts some outcomes perfectly, so that no
/// maximum exists (Albert and Anderson 1984), `LikelihoodNotConverged`, and those of [`least_squares`].
pub fn binary_response(
    columns: &[&[f64]],
    y: &[f64],
    weights: Option<&[f64]>,
    link: Link,
    information: Information,
) -> Result<BinaryResponse, LinalgError> {
    check_outcome(y)?;
    check::weights(weights, y.len())?;
    let options = LeastSquaresOptions::default();
    let rank = least_squares(columns, y, weights, None, &options)?;
    if rank.kept.is_empty() {
        return Err(LinalgError::NoColumns { columns: columns.len() });
    }
    let kept: Vec<&[f64]> = rank.kept.iter().map(|&it| columns[it]).collect();
    let problem = Problem { columns: &kept, names: &rank.kept, y, weights, link };
    let Maximum { coef, index, covariance, iterations } = problem.maximise()?;
    let covariance = match information {
        Information::Observed => covariance,
        Information::Expected => problem.step(&index, |eta, _| link.expected(eta))?.bread,
    };
    let log_likelihood = problem.log_likelihood(&index);
    let null_log_likelihood = null_log_likelihood(y, weights);
    let probabilities = index.iter().map(|&eta| link.probability(eta)).collect();
    let (kept, dropped) = (rank.kept, rank.dropped);
    let fit = BinaryResponse {
        coef,
        kept,
        dropped,
        covariance,
        log_likelihood,
        null_log_likelihood,
        index,
        probabilities,
        iterations,
    };
    Ok(fit)
}

fn check_outcome(y: &[f64]) -> Result<(), LinalgError> {
    if let Some(row) = y.iter().position(|&it| it != 0.0 && it != 1.0) {
        return Err(LinalgError::NotBinary { row, value: y[row] });
    }
    match y.first() {
        Some(first) if y.iter().all(|it| it == first) => Err(LinalgError::OneOutcome { value: *first }),
        Some(_) => Ok(()),
        None => Err(LinalgError::OneOutcome { value: f64::NAN }),
    }
}

/// Where the likelihood is largest.
struct Maximum {
    coef: Vec<f64>,
    index: Vec<f64>,
    /// Inverse of the observed information.
    covariance: Mat<f64>,
    iterations: usize,
}

struct Problem<'a> {
    columns: &'a [&'a [f64]],
    /// Index of each column in the call.
    names: &'a [usize],
    y: &'a [f64],
    weights: Option<&'a [f64]>,
    link: Link,
}

impl Problem<'_> {
    fn maximise(&self) -> Result<Maximum, LinalgError> {
        let mut coef = vec![0.0; self.columns.len()];
        let mut index = vec![0.0; self.y.len()];
        let mut likelihood = self.log_likelihood(&index);
        let mut decrement = f64::INFINITY;
        for iteration in 1..=ITERATIONS {
            let step = self.step(&index, |eta, y| self.link.curvature(eta, y))?;
            // A kept column can lose its variation where the curvature vanishes: then the likelihood is flat there.
            if step.kept.len() < self.columns.len() {
                return Err(self.separated(&coef, &index));
            }
            let moved = self.index(&step.coef);
            if self.separates(&moved) {
                return Err(self.separated(&step.coef, &moved));
            }
            let gain = |eta: f64, y: f64| self.link.slope(eta, y);
            decrement = self.total(|row| gain(index[row], self.y[row]) * moved[row]);
            let share = self.climb(&index, &moved, likelihood);
            coef.iter_mut().zip(&step.coef).for_each(|(c, d)| *c += share * d);
            index = self.index(&coef);
            likelihood = self.log_likelihood(&index);
            if decrement <= DECREMENT {
                return Ok(Maximum { coef, index, covariance: step.bread, iterations: iteration });
            }
        }
        Err(LinalgError::LikelihoodNotConverged { iterations: ITERATIONS, decrement })
    }

    /// The Newton step as least squares of g/h on the columns with weights w h.
    fn step(&self, index: &[f64], curvature: impl Fn(f64, f64) -> f64) -> Result<LeastSquares, LinalgError> {
        let mut target = Vec::with_capacity(index.len());
        let mut weights = Vec::with_capacity(index.len());
        for (row, (&eta, &y)) in index.iter().zip(self.y).enumerate() {
            // Below this the row has no say, and least squares wants positive weights.
            let h = curvature(eta, y).max(1e-200);
            target.push(self.link.slope(eta, y) / h);
            weights.push(h * self.weights.map_or(1.0, |it| it[row]));
        }
        least_squares(self.columns, &target, Some(&weights), None, &LeastSquaresOptions::default())
    }

    /// The first of 1, 1/2, 1/4, ... at which the likelihood does not fall by more than rounding.
    fn climb(&self, index: &[f64], moved: &[f64], likelihood: f64) -> f64 {
        let floor = likelihood - 1e-12 * likelihood.abs();
        let mut share = 1.0;
        for _ in 0..30 {
            let trial: Vec<f64> = index.iter().zip(moved).map(|(eta, d)| eta + share * d).collect();
            if floor <= self.log_likelihood(&trial) {
                break;
            }
            share *= 0.5;
        }
        share
    }

    /// A direction along which no outcome becomes less likely and some become more so, without end.
    fn separates(&self, moved: &[f64]) -> bool {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for (&d, &y) in moved.iter().zip(self.y) {
            let toward = if y == 1.0 { d } else { -d };
            least = least.min(toward);
            most = most.max(toward);
        }
        0.1 <= most && -1e-9 * most <= least
    }

    fn separated(&self, direction: &[f64], moved: &[f64]) -> LinalgError {
        let most = moved.iter().fold(0.0_f64, |it, d| it.max(d.abs()));
        let rows = moved.iter().filter(|it| 1e-6 * most < it.abs()).count();
        let strength = |at: usize| {
            let column = self.columns[at];
            let mean = sum_by(column.len(), |row| column[row]) / column.len() as f64;
            direction[at].abs() * sum_by(column.len(), |row| (column[row] - mean).powi(2)).sqrt()
        };
        let widest = (0..self.columns.len()).max_by(|&a, &b| strength(a).total_cmp(&strength(b)));
        LinalgError::Separated { column: widest.map_or(0, |it| self.names[it]), rows }
    }

    fn index(&self, coef: &[f64]) -> Vec<f64> {
        let mut index = vec![0.0; self.y.len()];
        for (column, b) in self.columns.iter().zip(coef) {
            index.iter_mut().zip(*column).for_each(|(eta, x)| *eta += b * x);
        }
        index
    }

    fn log_likelihood(&self, index: &[f64]) -> f64 {
        self.total(|row| self.link.log_probability(index[row], self.y[row]))
    }

    /// sum w f, in an order that is fixed.
    fn total(&self, f: impl Fn(usize) -> f64) -> f64 {
        match self.weights {
            None => sum_by(self.y.len(), f),
            Some(w) => sum_by(self.y.len(), |row| w[row] * f(row)),
        }
    }
}

/// With a constant only, P(y = 1) is the weighted mean of y under every link.
fn null_log_likelihood(y: &[f64], weights: Option<&[f64]>) -> f64 {
    let weight = |row: usize| weights.map_or(1.0, |it| it[row]);
    let all = sum_by(y.len(), weight);
    let ones = sum_by(y.len(), |row| weight(row) * y[row]);
    ones * (ones / all).ln() + (all - ones) * ((all - ones) / all).ln()
}
