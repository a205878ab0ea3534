//! A regression on rows of a design that may be there several times or not at all, with effects of its own.

use parallax_model::{
    Before, Design, FitError, Mat, Name, Note, Regression, RegressionInput, SingletonPolicy, Term,
    linalg::{AbsorbMethod, AbsorbOptions, Absorber, Factor, singletons},
    panel::Codes,
    regress, spanned,
    vcov::AbsorbedEffect,
};

/// Columns over chosen rows of a design.
pub struct Subsample {
    /// The row of the design behind each of the n rows.
    pub rows: Vec<usize>,
    /// n values.
    pub outcome: Vec<f64>,
    /// The largest absolute value that each of them was computed from.
    pub outcome_sizes: Vec<f64>,
    /// n values each.
    pub columns: Vec<(Term, Vec<f64>)>,
    /// n positive weights, or none.
    pub weights: Option<Vec<f64>>,
    /// Effects to absorb, every group of them used.
    pub effects: Vec<(Name, Codes)>,
}

/// A regression with what a unit adds to it.
pub struct Solved {
    /// The regression; its covariance has the factors of the design's rules.
    pub fit: Regression,
    /// Psi of the kept coefficients, one row a unit of the design, without factors.
    pub psi: Mat<f64>,
    /// Name and levels of the effects.
    pub effects: Vec<(Name, usize)>,
    /// Positions among the given rows of those used.
    pub kept: Vec<usize>,
    /// Rows left out because they were alone in a group of an effect.
    pub singletons: usize,
    /// How effects were absorbed, where that needs a remark.
    pub iteration: Option<Note>,
}

impl Subsample {
    /// Absorbs the effects and solves.
    ///
    /// # Errors
    /// What absorption, least squares and the covariance say; an outcome that the effects span.
    pub fn solve(
        mut self,
        design: &Design<'_>,
        options: &AbsorbOptions,
        policy: SingletonPolicy,
    ) -> Result<Solved, FitError> {
        let given = self.rows.len();
        let kept = self.drop_singletons(policy);
        let singletons = given - kept.len();
        let plan = design.vcov.on_rows(&self.rows)?;
        let factors: Vec<Factor<'_>> = self.effects.iter().map(|it| factor(&it.1)).collect();
        let weights = self.weights.as_deref();
        let absorber = Absorber::new(&factors, weights, self.rows.len(), options.clone())?;
        let mut after: Vec<Vec<f64>> = self.columns.iter().map(|it| it.1.clone()).collect();
        after.push(self.outcome.clone());
        let report = absorber.residualize(&mut after)?;
        let outcome = after.pop().unwrap_or_default();
        self.refuse_spanned(design, &outcome)?;
        let ranks = absorber.ranks();
        let absorbed: Vec<AbsorbedEffect> = (self.effects.iter().zip(&ranks.levels).zip(&ranks.redundant))
            .map(|(((name, codes), &levels), &redundant)| AbsorbedEffect {
                name: name.clone(),
                levels,
                redundant,
                codes: codes.clone(),
            })
            .collect();
        let before: Vec<&[f64]> = self.columns.iter().map(|it| it.1.as_slice()).collect();
        let columns: Vec<&[f64]> = after.iter().map(Vec::as_slice).collect();
        let terms: Vec<Term> = self.columns.iter().map(|it| it.0.clone()).collect();
        let input = RegressionInput {
            terms: &terms,
            columns: &columns,
            outcome: &outcome,
            weights,
            frequency: false,
            before: Some(Before { outcome: &self.outcome_sizes, columns: &before }),
            absorbed: &absorbed,
            leverages: None,
            constant: None,
        };
        let fit = regress(&input, &plan)?;
        let psi = self.psi(design, &columns, &fit);
        let effects = absorbed.iter().map(|it| (it.name.clone(), it.levels)).collect();
        let iteration = iteration(report.method, options.tolerance);
        Ok(Solved { fit, psi, effects, kept, singletons, iteration })
    }

    /// Positions of the rows that stay.
    fn drop_singletons(&mut self, policy: SingletonPolicy) -> Vec<usize> {
        if policy == SingletonPolicy::Keep {
            return (0..self.rows.len()).collect();
        }
        let factors: Vec<Factor<'_>> = self.effects.iter().map(|it| factor(&it.1)).collect();
        let keep = singletons(&factors, self.rows.len()).keep;
        if keep.contains(&false) {
            for (_, codes) in &mut self.effects {
                *codes = codes.compact((0..keep.len()).filter(|&it| keep[it]));
            }
            self.rows = kept(&self.rows, &keep);
            self.outcome = kept(&self.outcome, &keep);
            self.outcome_sizes = kept(&self.outcome_sizes, &keep);
            self.columns.iter_mut().for_each(|it| it.1 = kept(&it.1, &keep));
            self.weights = self.weights.as_ref().map(|it| kept(it, &keep));
        }
        (0..keep.len()).filter(|it| keep[*it]).collect()
    }

    /// Bread times the sum of w x e within a unit; a unit that is there several times is summed over all of them.
    fn psi(&self, design: &Design<'_>, columns: &[&[f64]], fit: &Regression) -> Mat<f64> {
        let mut scores = Mat::<f64>::zeros(design.units.n_groups(), fit.kept.len());
        for (at, &kept) in fit.kept.iter().enumerate() {
            for (i, &row) in self.rows.iter().enumerate() {
                let weight = self.weights.as_ref().map_or(1.0, |it| it[i]);
                let unit = design.units.code[row] as usize;
                scores[(unit, at)] += weight * columns[kept][i] * fit.residuals[i];
            }
        }
        let mut psi = scores * fit.bread.transpose();
        fit.clear_unknown(&mut psi);
        psi
    }

    /// Rounding is all that absorption leaves of an outcome that the effects span.
    fn refuse_spanned(&self, design: &Design<'_>, after: &[f64]) -> Result<(), FitError> {
        if !spanned(&self.outcome_sizes, after, self.weights.as_deref()) {
            return Ok(());
        }
        let how = "does not vary between units beyond the effects";
        Err(FitError::ConstantOutcome { outcome: design.outcome.name.clone(), how })
    }
}

fn factor(codes: &Codes) -> Factor<'_> {
    Factor { codes: &codes.code, n_groups: codes.n_groups() }
}

fn kept<T: Copy>(values: &[T], keep: &[bool]) -> Vec<T> {
    values.iter().zip(keep).filter(|it| *it.1).map(|it| *it.0).collect()
}

fn iteration(method: AbsorbMethod, tolerance: f64) -> Option<Note> {
    match method {
        AbsorbMethod::ConjugateGradient | AbsorbMethod::FactoredConjugateGradient => {
            Some(Note::remark(format!(
                "effects absorbed by conjugate gradients; every column converged to a relative error below {tolerance:e}"
            )))
        }
        _ => None,
    }
}
