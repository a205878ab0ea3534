//! The comparison of two periods as cross-sections, whose units need not be the same.
//!
//! Sant'Anna and Zhao (2020), equations 2.8, 3.3 and 3.4; the locally efficient forms. The regression among controls of
//! the base period enters with the sign of the derivative: R DRDID 1.2.3 has the other sign, which vanishes where
//! the propensity score is right and nowhere else.

use std::ops::Range;

use parallax_model::Mat;

use super::{
    Method,
    nuisance::{Reason, Rows, Score, less, times},
    two_periods::Effect,
};

/// Rows of a comparison by period: controls before and after, then the cohort before and after.
pub struct Sections {
    /// All of them, in that order.
    pub rows: Rows,
    /// Outcomes.
    pub y: Vec<f64>,
    /// Rows of controls in the base period.
    pub controls_before: usize,
    /// Rows of the cohort in the base period.
    pub cohort_before: usize,
}

/// A line among the rows of one group in one period.
struct Line {
    coef: Vec<f64>,
    inverse: Mat<f64>,
}

/// A weighted mean: its value, the sum of weights, the mean of covariates.
struct Mean {
    value: f64,
    sum: f64,
    x: Vec<f64>,
}

impl Sections {
    /// The effect, with the scores it needed.
    ///
    /// # Errors
    /// When first steps have no solution.
    pub fn effect(&self, method: Method) -> Result<(Effect, Option<Score>), Reason> {
        match method.with(self.rows.k) {
            Method::Reg => Ok((self.regression()?, None)),
            Method::Ipw => {
                let score = self.rows.logit()?;
                Ok((self.weighting(&score)?, Some(score)))
            }
            Method::Dr => {
                let score = self.rows.logit()?;
                Ok((self.doubly_robust(&score, false)?, Some(score)))
            }
            Method::DrImproved => {
                let score = self.rows.tilting()?;
                Ok((self.doubly_robust(&score, true)?, Some(score)))
            }
        }
    }

    /// Rows of a group (controls, cohort) in a period (before, after).
    fn part(&self, cohort: bool, after: bool) -> Range<usize> {
        let split = if cohort { self.rows.controls + self.cohort_before } else { self.controls_before };
        match (cohort, after) {
            (false, false) => 0..split,
            (false, true) => split..self.rows.controls,
            (true, false) => self.rows.controls..split,
            (true, true) => split..self.rows.n(),
        }
    }

    fn weight(&self, row: usize) -> f64 {
        self.rows.weight[row]
    }

    fn line(&self, cohort: bool, after: bool, weight: impl Fn(usize) -> f64) -> Result<Line, Reason> {
        let (rows, part) = (&self.rows, self.part(cohort, after));
        let whose = if cohort { "the cohort" } else { "controls" };
        let inverse = rows.inverse(part.clone(), whose, &weight)?;
        Ok(Line { coef: rows.least_squares(&inverse, part, &weight, &self.y), inverse })
    }

    fn mean(
        &self,
        part: Range<usize>,
        weight: impl Fn(usize) -> f64,
        value: impl Fn(usize) -> f64,
    ) -> Result<Mean, Reason> {
        let (sum, x) = self.rows.sums(part.clone(), &weight);
        if sum <= 0.0 {
            return Err(Reason::Overlap(1.0));
        }
        let value = part.map(|row| weight(row) * value(row)).sum::<f64>() / sum;
        Ok(Mean { value, sum, x: x.iter().map(|it| it / sum).collect() })
    }

    fn regression(&self) -> Result<Effect, Reason> {
        let (rows, w) = (&self.rows, |row: usize| self.weight(row));
        let [before, after] = [self.line(false, false, w)?, self.line(false, true, w)?];
        let gap = less(&after.coef, &before.coef);
        let y = |row: usize| self.y[row];
        let cohort = [self.mean(self.part(true, false), w, y)?, self.mean(self.part(true, true), w, y)?];
        let trend = self.mean(rows.of_treated(), w, |row| rows.fitted(row, &gap))?;
        let toward = [times(&before.inverse, &trend.x), times(&after.inverse, &trend.x)];
        let mut psi = vec![0.0; rows.n()];
        for (at, (line, sign)) in [(&before, 1.0), (&after, -1.0)].into_iter().enumerate() {
            for row in self.part(false, at == 1) {
                let residual = self.y[row] - rows.fitted(row, &line.coef);
                psi[row] = sign * w(row) * residual * rows.fitted(row, &toward[at]);
            }
            for row in self.part(true, at == 1) {
                psi[row] = -sign * w(row) * (self.y[row] - cohort[at].value) / cohort[at].sum
                    - w(row) * (rows.fitted(row, &gap) - trend.value) / trend.sum;
            }
        }
        Ok((cohort[1].value - cohort[0].value - trend.value, psi))
    }

    fn weighting(&self, score: &Score) -> Result<Effect, Reason> {
        let (w, odds) = (|row: usize| self.weight(row), |row: usize| score.odds[row]);
        let y = |row: usize| self.y[row];
        let controls =
            [self.mean(self.part(false, false), odds, y)?, self.mean(self.part(false, true), odds, y)?];
        let cohort = [self.mean(self.part(true, false), w, y)?, self.mean(self.part(true, true), w, y)?];
        let by_score = self.by_score(score, &controls, y);
        let mut psi = vec![0.0; self.rows.n()];
        for (at, sign) in [-1.0, 1.0].into_iter().enumerate() {
            for row in self.part(false, at == 1) {
                psi[row] = -sign * odds(row) * (self.y[row] - controls[at].value) / controls[at].sum
                    + w(row) * score.probability[row] * self.rows.fitted(row, &by_score);
            }
            for row in self.part(true, at == 1) {
                psi[row] = sign * w(row) * (self.y[row] - cohort[at].value) / cohort[at].sum
                    - w(row) * (1.0 - score.probability[row]) * self.rows.fitted(row, &by_score);
            }
        }
        let change = |means: &[Mean; 2]| means[1].value - means[0].value;
        Ok((change(&cohort) - change(&controls), psi))
    }

    /// Means of controls depend on the score through this vector.
    fn by_score(&self, score: &Score, means: &[Mean; 2], value: impl Fn(usize) -> f64) -> Vec<f64> {
        let moment = |at: usize| {
            let of = |row: usize| score.odds[row] * (value(row) - means[at].value) / means[at].sum;
            self.rows.sums(self.part(false, at == 1), of).1
        };
        times(&score.inverse, &less(&moment(1), &moment(0)))
    }

    /// The locally efficient doubly robust form. `improved` takes weights w p / (1 - p) in the regressions among
    /// controls, and then no first step is in the influence function.
    fn doubly_robust(&self, score: &Score, improved: bool) -> Result<Effect, Reason> {
        let (rows, w, odds) = (&self.rows, |row: usize| self.weight(row), |row: usize| score.odds[row]);
        let p = &score.probability;
        let own = |row: usize| if improved { w(row) * p[row] / (1.0 - p[row]) } else { w(row) };
        let controls = [self.line(false, false, own)?, self.line(false, true, own)?];
        let cohort = [self.line(true, false, w)?, self.line(true, true, w)?];
        let gap = [0, 1].map(|at| less(&cohort[at].coef, &controls[at].coef));
        let residual = |row: usize, line: &Line| self.y[row] - rows.fitted(row, &line.coef);
        let of_line = |at: usize| (self.part(true, at == 1), self.part(false, at == 1), &controls[at]);
        let parts = [of_line(0), of_line(1)];
        let mean_cohort = |at: usize| self.mean(parts[at].0.clone(), w, |row| residual(row, parts[at].2));
        let mean_controls =
            |at: usize| self.mean(parts[at].1.clone(), odds, |row| residual(row, parts[at].2));
        let t = [mean_cohort(0)?, mean_cohort(1)?];
        let c = [mean_controls(0)?, mean_controls(1)?];
        let over_all = |at: usize| self.mean(rows.of_treated(), w, |row| rows.fitted(row, &gap[at]));
        let d = [over_all(0)?, over_all(1)?];
        let in_period = |at: usize| self.mean(parts[at].0.clone(), w, |row| rows.fitted(row, &gap[at]));
        let dt = [in_period(0)?, in_period(1)?];
        let effect = (t[1].value - t[0].value) - (c[1].value - c[0].value) + (d[1].value - dt[1].value)
            - (d[0].value - dt[0].value);
        let by_score = if improved {
            vec![0.0; rows.k]
        } else {
            let line = |row: usize| if row < self.controls_before { &controls[0] } else { &controls[1] };
            self.by_score(score, &c, |row| residual(row, line(row)))
        };
        let mut psi = vec![0.0; rows.n()];
        for (at, sign) in [-1.0, 1.0].into_iter().enumerate() {
            // Derivatives of the effect in the lines among controls and among the cohort.
            let (of_controls, of_cohort) = if improved {
                (vec![0.0; rows.k], vec![0.0; rows.k])
            } else {
                (
                    times(&controls[at].inverse, &less(&c[at].x, &d[at].x)),
                    times(&cohort[at].inverse, &less(&d[at].x, &t[at].x)),
                )
            };
            for row in parts[at].1.clone() {
                let e = residual(row, &controls[at]);
                psi[row] = -sign * odds(row) * (e - c[at].value) / c[at].sum
                    + sign * w(row) * e * rows.fitted(row, &of_controls)
                    + w(row) * p[row] * rows.fitted(row, &by_score);
            }
            for row in parts[at].0.clone() {
                let own_line = residual(row, &cohort[at]);
                let first = (residual(row, &controls[at]) - t[at].value) / t[at].sum
                    - (rows.fitted(row, &gap[at]) - dt[at].value) / dt[at].sum
                    + own_line * rows.fitted(row, &of_cohort);
                psi[row] += w(row) * (sign * first - (1.0 - p[row]) * rows.fitted(row, &by_score));
            }
            for row in rows.of_treated() {
                psi[row] += sign * w(row) * (rows.fitted(row, &gap[at]) - d[at].value) / d[at].sum;
            }
        }
        Ok((effect, psi))
    }
}
