//! Re-estimation of every draw by partialling out: effects and controls are taken out of the outcome once, and
//! of each placebo treatment, so that a draw is a regression with one column (Frisch, Waugh and Lovell).

use parallax_model::{
    Design, FitError, Variable, Within,
    linalg::{
        LeastSquaresOptions, Mat, column_norms, least_squares,
        rounding::{RowSizes, or_zero},
    },
    vcov::{LinearParts, PreparedVcov, std_error},
};
use rayon::prelude::*;

use crate::assign::Assignments;

/// Estimate and standard error of one draw; NaN where the treatment is collinear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// Coefficient of the placebo treatment.
    pub estimate: f64,
    /// Its standard error, under the rules of the actual model.
    pub std_error: f64,
}

/// What all draws share.
pub struct Refit<'a> {
    /// Controls with the effects taken out.
    controls: Vec<&'a [f64]>,
    /// (C'WC)^{-1} C'W: one row a control, n values each.
    projector: Vec<Vec<f64>>,
    /// The outcome without effects and controls.
    outcome: Vec<f64>,
    weights: Option<&'a [f64]>,
    /// What residuals are computed from, as in the actual fit.
    sizes: &'a RowSizes,
}

impl<'a> Refit<'a> {
    /// Takes the controls out of the outcome.
    ///
    /// # Errors
    /// What least squares says.
    pub fn new(
        design: &'a Design<'_>,
        sizes: &'a RowSizes,
        outcome: &Variable,
        controls: &[&'a Variable],
    ) -> Result<Refit<'a>, FitError> {
        let weights = design.weight_values();
        let columns: Vec<&[f64]> = controls.iter().map(|it| it.after.as_slice()).collect();
        if columns.is_empty() {
            return Ok(Refit {
                controls: columns,
                projector: Vec::new(),
                outcome: outcome.after.to_vec(),
                weights,
                sizes,
            });
        }
        let before: Vec<&[f64]> = controls.iter().map(|it| it.before.as_slice()).collect();
        let norms = column_norms(&before, weights);
        let options = LeastSquaresOptions::default();
        let fit = least_squares(&columns, &outcome.after, weights, Some(&norms), &options)?;
        let kept: Vec<&[f64]> = fit.kept.iter().map(|&it| columns[it]).collect();
        let row = |i: usize| {
            let mut row = vec![0.0; design.n()];
            for (j, column) in kept.iter().enumerate() {
                let share = fit.bread[(i, j)];
                row.iter_mut().zip(*column).for_each(|(sum, x)| *sum += share * x);
            }
            if let Some(w) = weights {
                row.iter_mut().zip(w).for_each(|(it, w)| *it *= w);
            }
            row
        };
        let projector = (0..kept.len()).map(row).collect();
        Ok(Refit { controls: kept, projector, outcome: fit.residuals, weights, sizes })
    }

    /// Takes the controls out of a treatment that has lost its effects.
    fn partial_out(&self, treatment: &mut [f64]) {
        let gamma: Vec<f64> = self.projector.iter().map(|it| dot(it, treatment)).collect();
        for (column, gamma) in self.controls.iter().zip(gamma) {
            treatment.iter_mut().zip(*column).for_each(|(d, x)| *d -= gamma * x);
        }
    }

    fn parts<'p>(&'p self, columns: &'p [&'p [f64]], shape: &'p Shape<'_>) -> LinearParts<'p> {
        LinearParts {
            columns,
            residuals: shape.residuals,
            sizes: self.sizes,
            weights: self.weights,
            frequency: shape.frequency,
            partialled: self.controls.len(),
            bread: shape.bread.as_ref(),
            lines: None,
            absorbed: shape.absorbed,
            constant: false,
            leverages: None,
        }
    }

    /// Coefficient and error of one placebo treatment; `before` is its norm with the effects still in.
    fn draw(
        &self,
        mut treatment: Vec<f64>,
        before: f64,
        prepared: &PreparedVcov<'_>,
        frequency: bool,
    ) -> Result<Draw, FitError> {
        const NOTHING: f64 = 1e-9;
        self.partial_out(&mut treatment);
        let square = match self.weights {
            None => dot(&treatment, &treatment),
            Some(w) => treatment.iter().zip(w).map(|(d, w)| w * d * d).sum(),
        };
        if square.sqrt() <= NOTHING * before {
            return Ok(Draw { estimate: f64::NAN, std_error: f64::NAN });
        }
        let cross = match self.weights {
            None => dot(&treatment, &self.outcome),
            Some(w) => treatment.iter().zip(&self.outcome).zip(w).map(|((d, y), w)| w * d * y).sum(),
        };
        // By Cauchy and Schwarz no sum of w d times sizes is larger.
        let estimate = or_zero(cross / square, (self.sizes.square / square).sqrt());
        let residuals: Vec<f64> =
            self.outcome.iter().zip(&treatment).map(|(y, d)| y - estimate * d).collect();
        let bread = Mat::from_fn(1, 1, |_, _| 1.0 / square);
        let columns = [treatment.as_slice()];
        let shape = Shape { residuals: &residuals, bread: &bread, absorbed: &[], frequency };
        let variance = prepared.matrix(&self.parts(&columns, &shape))?.matrix[(0, 0)];
        Ok(Draw { estimate, std_error: std_error(variance) })
    }
}

struct Shape<'s> {
    residuals: &'s [f64],
    bread: &'s Mat<f64>,
    absorbed: &'s [parallax_model::vcov::AbsorbedEffect],
    frequency: bool,
}

/// Every draw, in order, on all threads.
///
/// # Errors
/// When absorption of a placebo treatment does not converge.
pub fn run(
    design: &Design<'_>,
    within: &Within<'_, '_>,
    refit: &Refit<'_>,
    assignments: &Assignments,
) -> Result<Vec<Draw>, FitError> {
    let bread = Mat::from_fn(1, 1, |_, _| 1.0);
    let shape = Shape {
        residuals: &refit.outcome,
        bread: &bread,
        absorbed: within.effects(),
        frequency: design.frequency,
    };
    let columns = [refit.outcome.as_slice()];
    let prepared = design.vcov.prepare(&refit.parts(&columns, &shape))?;
    let absorber = within.absorber()?;
    let blocks: Vec<usize> = (0..assignments.draws).step_by(BLOCK).collect();
    let block = |&start: &usize| -> Result<Vec<Draw>, FitError> {
        let end = (start + BLOCK).min(assignments.draws);
        let mut columns: Vec<Vec<f64>> =
            (start..end).map(|it| treatment(design, &assignments.dates(it))).collect();
        let before: Vec<f64> = columns.iter().map(|it| column_norms(&[it], refit.weights)[0]).collect();
        absorber.residualize(&mut columns)?;
        let draw = |(column, before)| refit.draw(column, before, &prepared, design.frequency);
        columns.into_iter().zip(before).map(draw).collect()
    };
    let done: Vec<Vec<Draw>> = blocks.par_iter().map(block).collect::<Result<_, _>>()?;
    Ok(done.into_iter().flatten().collect())
}

/// Draws that one thread takes at a time.
const BLOCK: usize = 16;

/// One from the date of adoption on.
fn treatment(design: &Design<'_>, dates: &[Option<i32>]) -> Vec<f64> {
    let treated = |(&unit, &period): (&u32, &i32)| {
        f64::from(u8::from(dates[unit as usize].is_some_and(|it| it <= period)))
    };
    design.units.code.iter().zip(&design.periods).map(treated).collect()
}

/// Eight sums side by side, added in order: fast, and the same on every machine.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sums, blocks) = ([0.0; 8], a.len() / 8 * 8);
    for (a, b) in a[..blocks].chunks_exact(8).zip(b[..blocks].chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a[blocks..].iter().zip(&b[blocks..]).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}
