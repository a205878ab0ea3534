//! First steps of a comparison of one cohort with its controls: propensity scores and regressions.
//!
//! Covariates come standardised over the sample, with a constant first: every first step has a constant, so that
//! this changes none of them and keeps normal equations well conditioned.

use std::{fmt, ops::Range};

use parallax_model::{
    Mat,
    linalg::{solve_spd, symmetric_inverse},
};

/// Why a comparison gives no effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reason {
    /// No row of the cohort, in the period or in its base.
    NoTreated,
    /// No row of a control, in the period or in its base.
    NoControl,
    /// No period before the cohort is affected.
    NoBase,
    /// The largest propensity score.
    Overlap(f64),
    /// Covariates are collinear, or rows fewer than they.
    Collinear(&'static str),
    /// The propensity score has no finite solution.
    NoScore,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoTreated => f.write_str("no unit of the cohort in both periods"),
            Reason::NoControl => f.write_str("no control in both periods"),
            Reason::NoBase => f.write_str("nobody is observed in the base period before it"),
            Reason::Overlap(largest) => write!(f, "no overlap: propensity scores reach {largest:.4}"),
            Reason::Collinear(whose) => write!(f, "covariates are collinear among {whose}"),
            Reason::NoScore => f.write_str("the propensity score does not converge"),
        }
    }
}

impl Reason {
    /// What the user can do where every comparison fails for it.
    pub fn advice(&self) -> &'static str {
        match self {
            Reason::NoTreated => "units need a row in the base period and in one from adoption on",
            Reason::NoControl => {
                "controls are never treated units or, with control = \"not-yet-treated\", those that adopt later, with \
                 rows in both periods"
            }
            Reason::NoBase => {
                "add the period before adoption to the data, or declare with time-format how periods are counted"
            }
            Reason::Overlap(_) | Reason::NoScore => {
                "use fewer covariates, or method = \"reg\", which needs no propensity score"
            }
            Reason::Collinear(_) => "use fewer covariates",
        }
    }

    /// The same without numbers, to count cells by.
    pub fn kind(&self) -> &'static str {
        match self {
            Reason::NoTreated => "without units of the cohort",
            Reason::NoControl => "without controls",
            Reason::NoBase => "without a base period",
            Reason::Overlap(_) => "without overlap of propensity scores",
            Reason::Collinear(_) => "with collinear covariates",
            Reason::NoScore => "without a propensity score that converges",
        }
    }
}

/// Rows of one comparison, those of controls first.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// Covariates of a row, the constant among them.
    pub k: usize,
    /// n x k, row by row.
    pub x: Vec<f64>,
    /// Positive.
    pub weight: Vec<f64>,
    /// How many of them are controls.
    pub controls: usize,
}

/// Propensity scores of a comparison.
#[derive(Clone, Debug)]
pub struct Score {
    /// One a row, at most 1 - 1e-6.
    pub probability: Vec<f64>,
    /// Of each control w p / (1 - p), zero when trimmed.
    pub odds: Vec<f64>,
    /// Inverse of the information; of the logit only.
    pub inverse: Mat<f64>,
    /// Controls with a score of [`TRIM`] or more.
    pub trimmed: usize,
}

/// Controls with a score from here on have no weight (R DRDID's `trim.level`).
pub const TRIM: f64 = 0.995;

/// Scores from here on are no overlap (R did's check before a comparison).
const OVERLAP: f64 = 0.999;

/// Scores count as at most this, so that odds are finite (R DRDID).
const HIGHEST: f64 = 1.0 - 1e-6;

/// Variance inflation from which covariates count as collinear.
const COLLINEAR: f64 = 1e10;

impl Rows {
    /// Rows.
    pub fn n(&self) -> usize {
        self.weight.len()
    }

    /// Rows of the controls.
    pub fn of_controls(&self) -> Range<usize> {
        0..self.controls
    }

    /// Rows of the cohort.
    pub fn of_treated(&self) -> Range<usize> {
        self.controls..self.n()
    }

    /// x'b of a row.
    pub fn fitted(&self, row: usize, coef: &[f64]) -> f64 {
        dot(self.covariates(row), coef)
    }

    /// sum f, and sum f x.
    pub fn sums(&self, rows: Range<usize>, f: impl Fn(usize) -> f64) -> (f64, Vec<f64>) {
        let mut sums = vec![0.0; self.k];
        for row in rows {
            let value = f(row);
            sums.iter_mut().zip(self.covariates(row)).for_each(|(sum, x)| *sum += value * x);
        }
        (sums[0], sums)
    }

    /// Inverse of sum f x x'.
    pub fn inverse(
        &self,
        rows: Range<usize>,
        whose: &'static str,
        f: impl Fn(usize) -> f64,
    ) -> Result<Mat<f64>, Reason> {
        let products = self.products(rows, f);
        let inverse = symmetric_inverse(products.as_ref()).map_err(|_| Reason::Collinear(whose))?;
        let inflated = |at: usize| COLLINEAR < inverse[(at, at)] * products[(at, at)];
        if (0..self.k).any(inflated) { Err(Reason::Collinear(whose)) } else { Ok(inverse) }
    }

    /// Weighted least squares from the inverse of its normal equations.
    pub fn least_squares(
        &self,
        inverse: &Mat<f64>,
        rows: Range<usize>,
        weight: impl Fn(usize) -> f64,
        y: &[f64],
    ) -> Vec<f64> {
        times(inverse, &self.sums(rows, |row| weight(row) * y[row]).1)
    }

    /// Maximum likelihood of the logit.
    pub fn logit(&self) -> Result<Score, Reason> {
        let coef = self.maximum_likelihood()?;
        self.score(&coef)
    }

    /// Inverse probability tilting (Graham, Pinto and Egel 2012), from the logit on:
    /// sum w (D - (1 - D) exp(x'g)) x = 0 (Sant'Anna and Zhao 2020, equation 3.1).
    pub fn tilting(&self) -> Result<Score, Reason> {
        let coef = self.newton(self.maximum_likelihood()?, Objective::Tilting)?;
        self.score(&coef)
    }

    fn covariates(&self, row: usize) -> &[f64] {
        &self.x[row * self.k..(row + 1) * self.k]
    }

    /// Lower triangle and upper of sum f x x'.
    fn products(&self, rows: Range<usize>, f: impl Fn(usize) -> f64) -> Mat<f64> {
        let k = self.k;
        let mut sums = vec![0.0; k * k];
        for row in rows {
            let (value, x) = (f(row), self.covariates(row));
            for (i, xi) in x.iter().enumerate() {
                let scaled = value * xi;
                sums[i * k..=i * k + i].iter_mut().zip(x).for_each(|(sum, xj)| *sum += scaled * xj);
            }
        }
        Mat::from_fn(k, k, |i, j| sums[i.max(j) * k + i.min(j)])
    }

    /// Coefficients of the logit. Where there are none, collinear covariates are the first suspect.
    fn maximum_likelihood(&self) -> Result<Vec<f64>, Reason> {
        self.newton(self.start()?, Objective::Likelihood).map_err(|reason| {
            let weights = |row: usize| self.weight[row];
            self.inverse(0..self.n(), "cohort and controls", weights).err().unwrap_or(reason)
        })
    }

    /// The logit with a constant only.
    fn start(&self) -> Result<Vec<f64>, Reason> {
        let sum = |rows: Range<usize>| self.weight[rows].iter().sum::<f64>();
        let (treated, controls) = (sum(self.of_treated()), sum(self.of_controls()));
        let mut coef = vec![0.0; self.k];
        coef[0] = (treated / controls).ln();
        if coef[0].is_finite() { Ok(coef) } else { Err(Reason::NoScore) }
    }

    /// Newton's method on a concave objective, with steps halved until it does not fall.
    fn newton(&self, coef: Vec<f64>, objective: Objective) -> Result<Vec<f64>, Reason> {
        const ITERATIONS: usize = 100;
        let total: f64 = self.weight.iter().sum();
        let mut at = self.evaluate(coef, objective);
        for _ in 0..ITERATIONS {
            let gradient = self.sums(0..self.n(), |row| at.slopes[row]).1;
            let hessian = self.products(0..self.n(), |row| at.curvatures[row]);
            let right = Mat::from_fn(self.k, 1, |i, _| gradient[i]);
            let step = solve_spd(hessian.as_ref(), right.as_ref()).map_err(|_| Reason::NoScore)?;
            let decrement: f64 = gradient.iter().enumerate().map(|(i, g)| g * step[(i, 0)]).sum();
            let mut share = 1.0;
            at = loop {
                let moved = at.coef.iter().enumerate().map(|(i, c)| c + share * step[(i, 0)]).collect();
                let next = self.evaluate(moved, objective);
                if at.value - 1e-12 * at.value.abs() <= next.value || share < 1e-9 {
                    break next;
                }
                share *= 0.5;
            };
            if !at.value.is_finite() {
                return Err(Reason::NoScore);
            }
            // A step from here squares the distance, which is then below rounding.
            if decrement <= 1e-18 * total {
                return Ok(at.coef);
            }
        }
        Err(Reason::NoScore)
    }

    /// The objective with its first derivative and minus its second in the index of each row.
    fn evaluate(&self, coef: Vec<f64>, objective: Objective) -> Point {
        let mut point =
            Point { coef, value: 0.0, slopes: vec![0.0; self.n()], curvatures: vec![0.0; self.n()] };
        for row in 0..self.n() {
            let (weight, treated) = (self.weight[row], self.controls <= row);
            let eta = self.fitted(row, &point.coef);
            let (value, slope, curvature) = match objective {
                Objective::Likelihood => {
                    // ln(1 / (1 + e^-t)) for t toward what occurred, without overflow.
                    let toward = if treated { eta } else { -eta };
                    let e = (-toward.abs()).exp();
                    let (likely, unlikely) = (1.0 / (1.0 + e), e / (1.0 + e));
                    let missed = if 0.0 <= toward { unlikely } else { likely };
                    let slope = if treated { missed } else { -missed };
                    (toward.min(0.0) - e.ln_1p(), slope, likely * unlikely)
                }
                Objective::Tilting if treated => (eta, 1.0, 0.0),
                Objective::Tilting => (-eta.exp(), -eta.exp(), eta.exp()),
            };
            point.value += weight * value;
            point.slopes[row] = weight * slope;
            point.curvatures[row] = weight * curvature;
        }
        point
    }

    fn score(&self, coef: &[f64]) -> Result<Score, Reason> {
        let index: Vec<f64> = (0..self.n()).map(|row| self.fitted(row, coef)).collect();
        let largest = logistic(index.iter().fold(f64::NEG_INFINITY, |most, it| most.max(*it)));
        if OVERLAP <= largest {
            return Err(Reason::Overlap(largest));
        }
        let probability: Vec<f64> = index.iter().map(|it| logistic(*it).min(HIGHEST)).collect();
        let odds = |row: usize| {
            let p = probability[row];
            if p < TRIM { self.weight[row] * p / (1.0 - p) } else { 0.0 }
        };
        let odds: Vec<f64> = self.of_controls().map(odds).collect();
        let trimmed = probability[self.of_controls()].iter().filter(|it| TRIM <= **it).count();
        if odds.iter().sum::<f64>() <= 0.0 {
            return Err(Reason::Overlap(largest));
        }
        let inverse = self.inverse(0..self.n(), "cohort and controls", |row| {
            self.weight[row] * probability[row] * (1.0 - probability[row])
        })?;
        Ok(Score { probability, odds, inverse, trimmed })
    }
}

/// What the propensity score maximises.
#[derive(Clone, Copy)]
enum Objective {
    /// sum w ln P(D | x).
    Likelihood,
    /// sum w (D x'g - (1 - D) exp(x'g)), whose maximum balances covariates.
    Tilting,
}

/// An objective at a coefficient, by row.
struct Point {
    coef: Vec<f64>,
    value: f64,
    slopes: Vec<f64>,
    curvatures: Vec<f64>,
}

/// A small matrix times a vector.
pub fn times(matrix: &Mat<f64>, vector: &[f64]) -> Vec<f64> {
    (0..matrix.nrows()).map(|i| vector.iter().enumerate().map(|(j, v)| matrix[(i, j)] * v).sum()).collect()
}

/// a - b.
pub fn less(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn logistic(eta: f64) -> f64 {
    if 0.0 <= eta { 1.0 / (1.0 + (-eta).exp()) } else { eta.exp() / (1.0 + eta.exp()) }
}
