//! Regressions on what absorbed effects leave: shared by all estimators that absorb.

use std::sync::Arc;

use parallax_linalg::{
    AbsorbMethod, AbsorbOptions, AbsorbReport, Absorber, column_norms, rounding::RowSizes,
};
use parallax_vcov::AbsorbedEffect;

use crate::{
    Absorbed, Before, Constant, Design, FitError, InfluenceFunctions, Note, Regression, RegressionInput,
    Regressor, SampleReport, Statistics, Term, f_upper, r_squared, regress, root_mean_squares, wald,
    weighted_mean,
};

/// A design with its effects taken out of outcome and regressors.
pub struct Within<'d, 'p> {
    design: &'d Design<'p>,
    absorbed: Absorbed,
    effects: Vec<AbsorbedEffect>,
    options: AbsorbOptions,
}

/// A column before and after absorption.
#[derive(Clone, Debug)]
pub struct Variable {
    /// What it stands for.
    pub term: Term,
    /// n values as they are.
    pub before: Arc<Vec<f64>>,
    /// n values with the effects taken out.
    pub after: Arc<Vec<f64>>,
}

impl<'d, 'p> Within<'d, 'p> {
    /// Takes the effects out, sharing what other models of the panel have done.
    ///
    /// # Errors
    /// When iteration does not converge.
    pub fn new(design: &'d Design<'p>, options: &AbsorbOptions) -> Result<Within<'d, 'p>, FitError> {
        let absorbed = design.absorb(options)?;
        let ranks = absorbed.absorber()?.ranks();
        let counts = ranks.levels.iter().zip(&ranks.redundant);
        let effects = (design.absorbed_effects().into_iter().zip(counts))
            .map(|(it, (&levels, &redundant))| AbsorbedEffect {
                name: it.name,
                levels,
                redundant,
                codes: it.codes,
            })
            .collect();
        Ok(Within { design, absorbed, effects, options: options.clone() })
    }

    /// The outcome.
    pub fn outcome(&self) -> Variable {
        let Regressor { name, values } = &self.design.outcome;
        Variable {
            term: Term::Slope(name.clone()),
            before: Arc::clone(values),
            after: Arc::clone(&self.absorbed.outcome),
        }
    }

    /// The formula's regressors, in its order.
    pub fn regressors(&self) -> Vec<Variable> {
        let pairs = self.design.regressors.iter().zip(&self.absorbed.regressors);
        pairs
            .map(|(it, after)| Variable {
                term: Term::Slope(it.name.clone()),
                before: Arc::clone(&it.values),
                after: Arc::clone(after),
            })
            .collect()
    }

    /// Further columns with the effects taken out. They are not shared with other models.
    ///
    /// # Errors
    /// When iteration does not converge.
    pub fn variables(&self, columns: Vec<(Term, Vec<f64>)>) -> Result<Vec<Variable>, FitError> {
        let mut after: Vec<Vec<f64>> = columns.iter().map(|it| it.1.clone()).collect();
        self.absorber()?.residualize(&mut after)?;
        let join = |((term, before), after): ((Term, Vec<f64>), Vec<f64>)| Variable {
            term,
            before: Arc::new(before),
            after: Arc::new(after),
        };
        Ok(columns.into_iter().zip(after).map(join).collect())
    }

    /// Takes effects out of any column on the sample.
    ///
    /// # Errors
    /// Never after [`Within::new`]; typed for completeness.
    pub fn absorber(&self) -> Result<&Absorber, FitError> {
        self.absorbed.absorber()
    }

    /// The absorbed effects with their levels.
    pub fn effects(&self) -> &[AbsorbedEffect] {
        &self.effects
    }

    /// Least squares of `outcome` on `variables`, with covariance; the constant as Stata reports it if asked.
    ///
    /// # Errors
    /// What [`regress`] says, and an outcome that the effects span.
    pub fn regress(
        &self,
        outcome: &Variable,
        variables: &[Variable],
        constant: bool,
    ) -> Result<Regression, FitError> {
        self.refuse_spanned(outcome)?;
        let absorber = self.absorber()?;
        let weights = self.design.weight_values();
        let terms: Vec<Term> = variables.iter().map(|it| it.term.clone()).collect();
        let after: Vec<&[f64]> = variables.iter().map(|it| it.after.as_slice()).collect();
        let before: Vec<&[f64]> = variables.iter().map(|it| it.before.as_slice()).collect();
        let means: Vec<f64> = before.iter().map(|it| weighted_mean(it, weights)).collect();
        let absolute = |it: &[f64]| it.iter().map(|it| it.abs()).collect::<Vec<f64>>();
        let constant = constant.then(|| Constant {
            outcome_mean: weighted_mean(&outcome.before, weights),
            outcome_size: weighted_mean(&absolute(&outcome.before), weights),
            column_means: &means,
        });
        let leverages = || absorber.leverages();
        let input = RegressionInput {
            terms: &terms,
            columns: &after,
            outcome: &outcome.after,
            weights,
            frequency: self.design.frequency,
            before: Some(Before { outcome: &outcome.before, columns: &before }),
            absorbed: &self.effects,
            leverages: Some(&leverages),
            constant,
        };
        regress(&input, &self.design.vcov)
    }

    /// Influence functions of the coefficients, if the design asks for them; none with a constant among them.
    ///
    /// # Errors
    /// When `fit` is not a regression on `variables`.
    pub fn influence(
        &self,
        variables: &[Variable],
        fit: &Regression,
    ) -> Result<Option<InfluenceFunctions>, FitError> {
        let wanted = self.design.keep_influence && fit.coef.len() == fit.kept.len();
        let after: Vec<&[f64]> = variables.iter().map(|it| it.after.as_slice()).collect();
        wanted.then(|| InfluenceFunctions::of_regression(self.design, &after, fit)).transpose()
    }

    /// Fit of a regression of this kind: R-squared overall and within, adjusted too, residual sizes, Wald F.
    ///
    /// # Errors
    /// When the covariance block cannot be inverted even in a generalised sense.
    pub fn statistics(&self, outcome: &Variable, fit: &Regression) -> Result<Statistics, FitError> {
        let weights = self.design.weight_values();
        let arithmetic = &fit.vcov.arithmetic;
        let (n, df) = (arithmetic.n as f64, arithmetic.residual_df as f64);
        let r2 = r_squared(fit.rss, &outcome.before, weights, true);
        let within = r_squared(fit.rss, &outcome.after, weights, false);
        let mut stats = Statistics::default();
        if self.design.frequency {
            stats.count("observations", n as usize);
        }
        stats.set("r2", r2);
        stats.set("r2_adjusted", 1.0 - (1.0 - r2) * (n - 1.0) / df);
        stats.set("r2_within", within);
        stats.set("r2_within_adjusted", 1.0 - (1.0 - within) * (df + fit.kept.len() as f64) / df);
        stats.set("rss", fit.rss);
        let (rmse, root_mse) = root_mean_squares(fit, self.design);
        stats.set("rmse", rmse);
        stats.set("root_mse", root_mse);
        stats.set_df("df_residual", df);
        let tested: Vec<usize> = (0..fit.kept.len()).collect();
        if !tested.is_empty() {
            let (chi2, rank, _) = wald(&fit.coef, fit.vcov.matrix.as_ref(), &tested)?;
            let f = chi2 / rank as f64;
            stats.set("wald_f", f);
            stats.count("wald_f_df1", rank);
            stats.set_df("wald_f_df2", arithmetic.t_df);
            stats.set("wald_f_p", f_upper(f, rank as f64, arithmetic.t_df));
        }
        Ok(stats)
    }

    /// The ledger of rows.
    pub fn sample(&self) -> SampleReport {
        SampleReport::of(
            &self.design.sample,
            self.design.panel.index().map(|_| self.design.units.n_groups()),
            self.design.singletons,
        )
    }

    /// Closed forms and direct solves need no remark; iteration says what it guarantees.
    pub fn iteration_note(&self) -> Option<Note> {
        let AbsorbReport { method, .. } = self.absorbed.report;
        let method = match method {
            AbsorbMethod::ConjugateGradient => "conjugate gradients",
            AbsorbMethod::FactoredConjugateGradient => "conjugate gradients with a factored preconditioner",
            _ => return None,
        };
        Some(Note::remark(format!(
            "effects absorbed by {method}; every column converged to a relative error below {:e}",
            self.options.tolerance
        )))
    }

    /// Rounding is all that absorption leaves of an outcome that the effects span.
    fn refuse_spanned(&self, outcome: &Variable) -> Result<(), FitError> {
        if !spanned(&outcome.before, &outcome.after, self.design.weight_values()) {
            return Ok(());
        }
        let Term::Slope(outcome) = outcome.term.clone() else {
            return Err(FitError::Model(format!("{} is spanned by the absorbed effects", outcome.term)));
        };
        Err(FitError::ConstantOutcome { outcome, how: "is spanned by the absorbed effects" })
    }
}

/// Whether what absorption leaves of a column is rounding.
pub fn spanned(before: &[f64], after: &[f64], weights: Option<&[f64]>) -> bool {
    let left = column_norms(&[after], weights).into_iter().map(|it| it * it).sum();
    RowSizes::of_fit(before, [], weights).explain(left)
}
