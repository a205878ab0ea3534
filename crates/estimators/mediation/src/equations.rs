//! The three regressions, on the same rows.

use parallax_model::{
    Design, Detail, Distribution, FitError, Name, Note, Regression, Statistics, Term, Variable, Within,
    linalg::AbsorbOptions, r_squared,
};

use crate::mediation::{Options, OutcomeEquation, refuse};

/// M = a D + X, Y = c' D + b M + X (or Y = b M + X), Y = c D + X.
pub(crate) struct Equations<'d, 'p> {
    pub within: Within<'d, 'p>,
    design: &'d Design<'p>,
    pub variant: OutcomeEquation,
    /// Treatment, mediator, outcome.
    pub treated: Variable,
    pub mediator: Variable,
    pub response: Variable,
    /// All other regressors; a constant is absorbed.
    pub controls: Vec<Variable>,
    pub first: Equation,
    pub outcome: Equation,
    pub total: Equation,
}

/// One regression with its columns.
pub(crate) struct Equation {
    name: &'static str,
    pub fit: Regression,
    pub variables: Vec<Variable>,
}

impl Equation {
    /// Position of a variable among the kept coefficients.
    ///
    /// # Errors
    /// When the variable was dropped as collinear.
    pub fn position(&self, term: &Term) -> Result<usize, FitError> {
        self.fit.terms.iter().position(|it| it == term).ok_or_else(|| {
            FitError::Model(format!(
                "`{term}` does not vary beside the other regressors and effects of the {} equation, so that its \
                 path cannot be estimated; leave out what it is a combination of",
                self.name
            ))
        })
    }
}

impl<'d, 'p> Equations<'d, 'p> {
    /// # Errors
    /// Options without treatment or mediator, or that name what the formula has not; what regressions say.
    pub fn new(design: &'d Design<'p>, options: &Options) -> Result<Equations<'d, 'p>, FitError> {
        let (treatment, mediator) = names(design, options)?;
        let absorb = AbsorbOptions {
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
            method: None,
        };
        let within = Within::new(design, &absorb)?;
        let values = design.column(&mediator)?;
        let mediator = only(within.variables(vec![(Term::Slope(mediator), values.to_vec())])?)?;
        let all = within.regressors();
        let term = Term::Slope(treatment);
        let treated = only(all.iter().filter(|it| it.term == term).cloned().collect())?;
        let controls: Vec<Variable> = all.iter().filter(|it| it.term != term).cloned().collect();
        let response = within.outcome();
        // The mediator stands where the treatment stands, so that columns are dropped as in fixed-effects.
        let both = all.iter().flat_map(|it| match it.term == term {
            true if options.outcome_equation == OutcomeEquation::MediatorOnly => vec![mediator.clone()],
            true => vec![it.clone(), mediator.clone()],
            false => vec![it.clone()],
        });
        let both: Vec<Variable> = both.collect();
        let solve = |name, outcome: &Variable, variables: Vec<Variable>| {
            Ok::<_, FitError>(Equation { name, fit: within.regress(outcome, &variables, false)?, variables })
        };
        let first = solve("mediator", &mediator, all.clone())?;
        let outcome = solve("outcome", &response, both)?;
        let total = solve("total", &response, all)?;
        let variant = options.outcome_equation;
        Ok(Equations {
            within,
            design,
            variant,
            treated,
            mediator,
            response,
            controls,
            first,
            outcome,
            total,
        })
    }

    /// Fit of the equation of the outcome.
    ///
    /// # Errors
    /// When a covariance block cannot be inverted.
    pub fn statistics(&self) -> Result<Statistics, FitError> {
        if !self.design.effects.is_empty() {
            return self.within.statistics(&self.response, &self.outcome.fit);
        }
        let fit = &self.outcome.fit;
        let mut stats = Statistics::default();
        let weights = self.design.weight_values();
        if self.design.frequency {
            stats.count("observations", fit.vcov.arithmetic.n);
        }
        stats.set("r2", r_squared(fit.rss, &self.response.before, weights, self.design.intercept));
        stats.set("rss", fit.rss);
        stats.count("df_residual", fit.vcov.arithmetic.residual_df);
        Ok(stats)
    }

    /// All coefficients of the three regressions, each with the error of its own regression.
    pub fn table(&self) -> Detail {
        let mut words = [Vec::new(), Vec::new()];
        let mut numbers: [Vec<f64>; 4] = Default::default();
        for it in [&self.first, &self.outcome, &self.total] {
            let distribution = Distribution::StudentT(it.fit.vcov.arithmetic.t_df);
            for ((term, b), se) in it.fit.terms.iter().zip(&it.fit.coef).zip(it.fit.vcov.std_errors()) {
                words[0].push(it.name.to_owned());
                words[1].push(term.to_string());
                let row = [*b, se, b / se, distribution.p_value(b / se)];
                numbers.iter_mut().zip(row).for_each(|(column, it)| column.push(it));
            }
        }
        let ([equation, term], [estimate, std_error, statistic, p_value]) = (words, numbers);
        Detail::new("equations", "The regressions of mediator and outcome")
            .text("equation", "Equation", equation)
            .text("term", "Term", term)
            .number("estimate", "Estimate", estimate)
            .number("std_error", "Std. error", std_error)
            .number("statistic", "t", statistic)
            .number("p_value", "p", p_value)
    }

    /// Dropped columns once, and what the equations are.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = self.outcome.fit.notes.clone();
        for it in self.first.fit.notes.iter().chain(&self.total.fit.notes) {
            if !notes.contains(it) {
                notes.push(it.clone());
            }
        }
        notes.extend(self.within.iteration_note());
        let (d, m, y) = (&self.treated.term, &self.mediator.term, &self.response.term);
        notes.push(Note::remark(match self.variant {
            OutcomeEquation::DirectAndMediator => format!(
                "a: `{d}` on `{m}`; b: `{m}` on `{y}` beside `{d}`; total = direct + a*b, all on the same rows"
            ),
            OutcomeEquation::MediatorOnly => format!(
                "a: `{d}` on `{m}`; b: `{m}` on `{y}` without `{d}`, so that b holds what `{d}` does to `{y}` on other \
                 ways; total: `{d}` on `{y}`, all on the same rows"
            ),
        }));
        notes
    }
}

fn names(design: &Design<'_>, options: &Options) -> Result<(Name, Name), FitError> {
    let regressors: Vec<&str> = design.regressors.iter().map(|it| it.name.as_str()).collect();
    let Some(treatment) = &options.treatment else {
        return Err(refuse(format!("`treatment` is missing; name one of {}", regressors.join(", "))));
    };
    let Some(mediator) = &options.mediator else {
        return Err(refuse("`mediator` is missing; name the column the effect goes through"));
    };
    if !regressors.contains(&treatment.as_str()) {
        let there = regressors.join(", ");
        return Err(refuse(format!(
            "the treatment `{treatment}` is no regressor of the formula, which has {there}"
        )));
    }
    if regressors.contains(&mediator.as_str()) || *mediator == design.outcome.name {
        return Err(refuse(format!(
            "the mediator `{mediator}` stands in the formula; take it out, the equation of the outcome adds it"
        )));
    }
    Ok((treatment.clone(), mediator.clone()))
}

fn only(mut variables: Vec<Variable>) -> Result<Variable, FitError> {
    match variables.pop() {
        Some(it) if variables.is_empty() => Ok(it),
        _ => Err(FitError::Model("a regressor stands twice in the formula; leave one out".to_owned())),
    }
}
