//! Indirect, direct and total effect out of the paths, with first-order errors and Sobel's test.

use parallax_model::{
    Design, Distribution, FitError, Influence, Mat, Statistics, joint_covariance,
    linalg::rounding,
    vcov::{Keyed, normal_quantile, std_error},
};

use crate::{
    bootstrap::quantile,
    equations::Equations,
    mediation::{Options, OutcomeEquation},
};

/// The estimated paths a and b with a third number: the direct effect, or the total one where the outcome's equation
/// has no treatment.
pub(crate) type Paths = [f64; 3];

/// Effects and their errors.
pub(crate) struct Effects {
    variant: OutcomeEquation,
    paths: Paths,
    /// Covariance of the paths, 3 x 3.
    joint: Mat<f64>,
    /// Negative eigenvalues of it that were set to zero.
    pub clamped: usize,
}

const WITH_DIRECT: [&str; 6] = ["a", "b", "direct", "total", "indirect", "proportion"];
const WITHOUT: [&str; 5] = ["a", "b", "total", "indirect", "proportion"];

impl Effects {
    /// # Errors
    /// When treatment or mediator were dropped as collinear.
    pub fn of(design: &Design<'_>, equations: &Equations<'_, '_>) -> Result<Effects, FitError> {
        let (treated, mediator) = (&equations.treated.term, &equations.mediator.term);
        let third = match equations.variant {
            OutcomeEquation::DirectAndMediator => &equations.outcome,
            OutcomeEquation::MediatorOnly => &equations.total,
        };
        let mut paths = [0.0; 3];
        let mut influences = Vec::with_capacity(3);
        let places = [(&equations.first, treated), (&equations.outcome, mediator), (third, treated)];
        for (path, (equation, term)) in paths.iter_mut().zip(places) {
            let at = equation.position(term)?;
            *path = equation.fit.coef[at];
            influences.push(Influence::of(&equation.fit, &equation.variables, at)?);
        }
        let (joint, clamped) = joint_covariance(design, &influences)?;
        Ok(Effects { variant: equations.variant, paths, joint, clamped })
    }

    /// The same at other paths.
    pub fn at(&self, paths: Paths) -> Effects {
        Effects { variant: self.variant, paths, joint: self.joint.clone(), clamped: self.clamped }
    }

    /// Names of the effects.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        match self.variant {
            OutcomeEquation::DirectAndMediator => WITH_DIRECT.iter().copied(),
            OutcomeEquation::MediatorOnly => WITHOUT.iter().copied(),
        }
    }

    /// Whether each is an effect of the treatment: all but b, the mediator's.
    pub fn of_treatment(&self) -> Vec<bool> {
        (0..self.values().len()).map(|it| it != 1).collect()
    }

    /// One number an effect.
    pub fn values(&self) -> Vec<f64> {
        let [a, b, third] = self.paths;
        let indirect = a * b;
        match self.variant {
            OutcomeEquation::DirectAndMediator => {
                let total = rounding::or_zero(third + indirect, third.abs() + indirect.abs());
                vec![a, b, third, total, indirect, indirect / total]
            }
            OutcomeEquation::MediatorOnly => vec![a, b, third, indirect, indirect / third],
        }
    }

    /// Covariance of all effects by the delta method.
    pub fn covariance(&self) -> Mat<f64> {
        let gradients = self.gradients();
        let lines = Mat::from_fn(gradients.len(), 3, |i, j| gradients[i][j]);
        rounding::congruence(lines.as_ref(), self.joint.as_ref())
    }

    /// Derivatives of each effect by the three paths.
    fn gradients(&self) -> Vec<[f64; 3]> {
        let [a, b, third] = self.paths;
        let indirect = a * b;
        let paths = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let rest = match self.variant {
            OutcomeEquation::DirectAndMediator => {
                let square = (third + indirect).powi(2);
                let share = [b * third / square, a * third / square, -indirect / square];
                vec![[b, a, 1.0], [b, a, 0.0], share]
            }
            OutcomeEquation::MediatorOnly => {
                vec![[b, a, 0.0], [b / third, a / third, -indirect / third.powi(2)]]
            }
        };
        paths.into_iter().chain(rest).collect()
    }

    /// Sobel (1982), Aroian (1947) and Goodman (1960): the paths taken as independent. Goodman's variance can be
    /// negative, and the error is missing then, as it is where paths have none.
    pub fn add_tests(&self, stats: &mut Statistics) {
        let [a, b, _] = self.paths;
        let (va, vb) = (self.joint[(0, 0)], self.joint[(1, 1)]);
        let sobel = a * a * vb + b * b * va;
        stats.set("path_covariance", self.joint[(0, 1)]);
        for ([se, z, p], variance) in [
            (["sobel_se", "sobel_z", "sobel_p"], sobel),
            (["aroian_se", "aroian_z", "aroian_p"], sobel + va * vb),
            (["goodman_se", "goodman_z", "goodman_p"], sobel - va * vb),
        ] {
            let error = std_error(variance);
            stats.set(se, error);
            stats.set(z, a * b / error);
            stats.set(p, Distribution::Normal.p_value(a * b / error));
        }
    }

    /// Interval of a*b with both paths drawn from their joint normal distribution (MacKinnon, Lockwood and
    /// Williams 2004).
    ///
    /// # Errors
    /// Never with positive variances; typed for completeness.
    pub fn monte_carlo(&self, options: &Options) -> Result<(f64, f64), FitError> {
        let [a, b, _] = self.paths;
        let of_a = self.joint[(0, 0)].sqrt();
        let slope = self.joint[(0, 1)] / of_a;
        // A mediator whose path follows the first one exactly has nothing of its own left.
        let rest = rounding::or_zero(self.joint[(1, 1)] - slope * slope, self.joint[(1, 1)]).sqrt();
        let keyed = Keyed::new(options.seed);
        let draw = |at: usize| {
            let mut numbers = keyed.sequence("mediation monte carlo", at as u64);
            let (first, second) = (normal_quantile(numbers.uniform()), normal_quantile(numbers.uniform()));
            (a + of_a * first) * (b + slope * first + rest * second)
        };
        let mut products: Vec<f64> = (0..options.monte_carlo).map(draw).collect();
        products.sort_by(f64::total_cmp);
        let tail = 0.5 * (1.0 - options.level);
        Ok((quantile(&products, tail), quantile(&products, 1.0 - tail)))
    }
}
