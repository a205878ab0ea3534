//! The treatment among the regressors: its position, what covariates leave of it, its coefficient alone.

use parallax_model::{
    Design, FitError, InfluenceFunctions, Mat, Name, Regression, Term, Variable, Vcov,
    linalg::{LeastSquaresOptions, column_norms, least_squares},
};

/// Position of the treatment among the regressors: the one an option names, else the first.
pub fn position(design: &Design<'_>, plugin: &'static str, option: Option<&Name>) -> Result<usize, FitError> {
    let Some(name) = option else {
        return if design.regressors.is_empty() {
            Err(FitError::NoRegressor { reason: "the formula names none".to_owned() })
        } else {
            Ok(0)
        };
    };
    design.regressors.iter().position(|it| it.name == *name).ok_or_else(|| FitError::Options {
        plugin,
        reason: format!("`treatment`: no regressor `{name}` in the formula"),
    })
}

/// A regression with the treatment's place in it.
pub struct Coefficient {
    /// Of the outcome on treatment and covariates.
    pub fit: Regression,
    /// Where the treatment stands among the kept terms.
    pub at: usize,
    /// Names of the covariates that were kept.
    pub covariates: Vec<Name>,
    /// What kept covariates leave of the treatment (Frisch and Waugh 1933).
    pub residual: Vec<f64>,
}

impl Coefficient {
    /// Finds the treatment in a fit on `variables` and takes the kept covariates out of it.
    pub fn new(
        fit: Regression,
        variables: &[Variable],
        treatment: usize,
        weights: Option<&[f64]>,
    ) -> Result<Coefficient, FitError> {
        let own = &variables[treatment];
        let Some(at) = fit.terms.iter().position(|it| *it == own.term) else {
            return Err(FitError::Model(format!(
                "the treatment `{}` is collinear with effects or covariates; remove what spans it",
                own.term
            )));
        };
        let kept: Vec<&Variable> =
            fit.kept.iter().filter(|it| **it != treatment).map(|&it| &variables[it]).collect();
        let covariates = kept.iter().map(|it| Name::from(it.term.to_string())).collect();
        let residual = if kept.is_empty() {
            own.after.to_vec()
        } else {
            let after: Vec<&[f64]> = kept.iter().map(|it| it.after.as_slice()).collect();
            let before: Vec<&[f64]> = kept.iter().map(|it| it.before.as_slice()).collect();
            let norms = column_norms(&before, weights);
            let options = LeastSquaresOptions::default();
            least_squares(&after, &own.after, weights, Some(&norms), &options)?.residuals
        };
        Ok(Coefficient { fit, at, covariates, residual })
    }

    /// The coefficient.
    pub fn value(&self) -> f64 {
        self.fit.coef[self.at]
    }

    /// The treatment's term.
    pub fn term(&self) -> Term {
        self.fit.terms[self.at].clone()
    }

    /// Its variance, with all that says how it was made.
    pub fn vcov(&self) -> Vcov {
        let variance = self.fit.vcov.matrix[(self.at, self.at)];
        Vcov { matrix: Mat::from_fn(1, 1, |_, _| variance), ..self.fit.vcov.clone() }
    }

    /// The treatment's column of influence functions.
    pub fn influence(&self, all: Option<InfluenceFunctions>) -> Option<InfluenceFunctions> {
        all.map(|InfluenceFunctions { values, units }| {
            let column = Mat::from_fn(values.nrows(), 1, |row, _| values[(row, self.at)]);
            InfluenceFunctions { values: column, units }
        })
    }
}

/// The position of the group effect, where the effects are one of groups and the panel's period.
pub fn group_effect(design: &Design<'_>, plugin: &str) -> Result<usize, FitError> {
    let time = design.panel.index().map(|(_, time)| time.clone());
    let names: Vec<&Name> = design.effects.iter().map(|it| &it.name).collect();
    match (&time, names.as_slice()) {
        (Some(time), [first, second]) if *first == time && *second != time => Ok(1),
        (Some(time), [first, second]) if *second == time && *first != time => Ok(0),
        _ => Err(FitError::Model(format!(
            "`{plugin}` takes two-way fixed effects apart: write `| GROUP + {}` with nothing else behind the bar",
            time.as_ref().map_or("PERIOD", |it| it.as_str())
        ))),
    }
}

/// A number for a sentence: four significant digits.
pub fn short(value: f64) -> String {
    format!("{value:.3e}").parse::<f64>().map_or_else(|_| value.to_string(), |it| it.to_string())
}
