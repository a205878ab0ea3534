//! The regression on untreated rows, what it predicts for all rows, and how predictions depend on its errors.
//!
//! With Z the effects and controls, 0 the untreated rows and W the weights: a sum of predictions a'Z b has the
//! error sum over untreated rows of w p e, p = Z_0 (Z_0'W Z_0)^{-1} Z'a (Borusyak, Jaravel and Spiess 2024, Appendix A).

use parallax_model::{
    Design, FitError, Mat, Note,
    linalg::{AbsorbOptions, Absorber, Factor, LeastSquaresOptions, column_norms, least_squares},
};
use rayon::prelude::*;

use crate::{setting::Setting, targets::Target};

/// Targets that share the memory of one pass.
const BATCH: usize = 32;
/// A prediction is determined when two sets of coefficients that fit alike agree on it to this share of its parts.
const DETERMINED: f64 = 1e-7;

/// Effects and controls as untreated rows have them.
pub struct Untreated<'d, 'p> {
    design: &'d Design<'p>,
    /// The untreated rows.
    pub rows: Vec<usize>,
    /// Outcome less prediction, on all rows.
    pub residual: Vec<f64>,
    /// Whether untreated rows determine the prediction, on all rows.
    pub determined: Vec<bool>,
    /// Weights of the untreated rows.
    weights: Option<Vec<f64>>,
    absorber: Absorber,
    /// First group of each effect, when groups of all effects are counted through, and their total.
    offsets: Vec<usize>,
    controls: Vec<Control>,
    /// (X~'W X~)^{-1} of the controls.
    bread: Mat<f64>,
    dropped: Vec<usize>,
}

/// A control that untreated rows tell from the effects and from the controls before it.
struct Control {
    /// Position among the design's regressors.
    regressor: usize,
    /// On untreated rows, effects taken out.
    after: Vec<f64>,
    /// D'W x over untreated rows.
    sums: Vec<f64>,
}

/// Coefficients of effects and of the kept controls.
struct Coefficients {
    effects: Vec<f64>,
    slopes: Vec<f64>,
}

impl<'d, 'p> Untreated<'d, 'p> {
    /// Fits effects and controls.
    ///
    /// # Errors
    /// When iteration does not converge, and when untreated rows are no more than coefficients.
    pub fn fit(
        design: &'d Design<'p>,
        setting: &Setting,
        options: AbsorbOptions,
    ) -> Result<Untreated<'d, 'p>, FitError> {
        let rows: Vec<usize> = (0..design.n()).filter(|&it| !setting.imputed[it]).collect();
        let weights: Option<Vec<f64>> = design.weight_values().map(|it| pick(it, &rows));
        let codes: Vec<Vec<u32>> = design.effects.iter().map(|it| pick(&it.codes.code, &rows)).collect();
        let factors: Vec<Factor<'_>> = codes
            .iter()
            .zip(&design.effects)
            .map(|(codes, it)| Factor { codes, n_groups: it.codes.n_groups() })
            .collect();
        let absorber = Absorber::new(&factors, weights.as_deref(), rows.len(), options)?;
        let mut offsets = vec![0];
        for it in &factors {
            offsets.push(offsets.last().copied().unwrap_or(0) + it.n_groups);
        }
        let mut this = Untreated {
            design,
            rows,
            residual: Vec::new(),
            determined: Vec::new(),
            weights,
            absorber,
            offsets,
            controls: Vec::new(),
            bread: Mat::zeros(0, 0),
            dropped: Vec::new(),
        };
        let outcome = this.keep_controls()?;
        this.refuse_saturated()?;
        let fitted = this.explain(&pick(&design.outcome.values, &this.rows), &outcome)?;
        let residual = |row: usize| design.outcome.values[row] - this.predict(&fitted, row);
        this.residual = (0..design.n()).map(residual).collect();
        this.determined = this.find_determined()?;
        Ok(this)
    }

    /// Levels of each effect among untreated rows.
    pub fn levels(&self) -> Vec<usize> {
        self.absorber.ranks().levels.clone()
    }

    /// What an average of outcomes less predictions is computed from: its weights add up to one, and so do those of a
    /// prediction for each of its parts (effects and controls) in absolute value, more or less.
    pub fn size(&self) -> f64 {
        let parts = 2 + self.offsets.len() + self.controls.len();
        parts as f64 * self.design.outcome_size()
    }

    /// Controls that were dropped.
    pub fn notes(&self) -> Vec<Note> {
        let dropped =
            |&it: &usize| Note::DroppedCollinear { column: self.design.regressors[it].name.clone() };
        self.dropped.iter().map(dropped).collect()
    }

    /// Names of controls that untreated rows cannot tell apart.
    pub fn dropped_names(&self) -> Vec<String> {
        self.dropped.iter().map(|&it| format!("`{}`", self.design.regressors[it].name)).collect()
    }

    /// Adds to `psi` (units x targets) what the errors of the untreated regression do to each target: minus the sum
    /// of w p e within a unit.
    ///
    /// # Errors
    /// When iteration does not converge.
    pub fn add_influence(&self, targets: &[Target], psi: &mut Mat<f64>) -> Result<(), FitError> {
        for (batch, targets) in targets.chunks(BATCH).enumerate() {
            let mut systems: Vec<Vec<f64>> = targets.iter().map(|it| self.sums_of(&it.rows)).collect();
            self.absorber.coefficients(&mut systems)?;
            let columns: Vec<Vec<f64>> = targets
                .par_iter()
                .zip(&systems)
                .map(|(target, effects)| self.influence_of(target, effects))
                .collect();
            for (at, column) in columns.iter().enumerate() {
                column.iter().enumerate().for_each(|(unit, it)| psi[(unit, batch * BATCH + at)] -= it);
            }
        }
        Ok(())
    }

    /// Sum of w p e by unit. With d the solution for the effects alone and X~ the controls without effects,
    /// p = D d + X~ (X~'W X~)^{-1} (X'a - X'W D d).
    fn influence_of(&self, target: &Target, effects: &[f64]) -> Vec<f64> {
        let gap: Vec<f64> = self
            .controls
            .iter()
            .map(|control| {
                let values = &self.design.regressors[control.regressor].values;
                let wanted: f64 = target.rows.iter().map(|&(row, a)| a * values[row as usize]).sum();
                wanted - dot(&control.sums, effects)
            })
            .collect();
        let slopes: Vec<f64> = (0..gap.len())
            .map(|i| gap.iter().enumerate().map(|(j, it)| self.bread[(i, j)] * it).sum())
            .collect();
        let mut sums = vec![0.0; self.design.units.n_groups()];
        for (at, &row) in self.rows.iter().enumerate() {
            let own: f64 = self.controls.iter().zip(&slopes).map(|(it, slope)| it.after[at] * slope).sum();
            let p = self.effects_at(effects, row) + own;
            let weight = self.weights.as_ref().map_or(1.0, |it| it[at]);
            sums[self.design.units.code[row] as usize] += weight * p * self.residual[row];
        }
        sums
    }

    /// Z'a for the effects.
    fn sums_of(&self, rows: &[(u32, f64)]) -> Vec<f64> {
        let mut sums = vec![0.0; self.offsets.last().copied().unwrap_or(0)];
        for (effect, offset) in self.design.effects.iter().zip(&self.offsets) {
            for &(row, a) in rows {
                sums[offset + effect.codes.code[row as usize] as usize] += a;
            }
        }
        sums
    }

    /// D'W v of a column on untreated rows.
    fn weighted_sums(&self, values: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.offsets.last().copied().unwrap_or(0)];
        for (effect, offset) in self.design.effects.iter().zip(&self.offsets) {
            for (at, &row) in self.rows.iter().enumerate() {
                let weight = self.weights.as_ref().map_or(1.0, |it| it[at]);
                sums[offset + effect.codes.code[row] as usize] += weight * values[at];
            }
        }
        sums
    }

    /// Takes effects out of controls and outcome, and keeps the controls that are not collinear; gives their slopes.
    fn keep_controls(&mut self) -> Result<Vec<f64>, FitError> {
        let design = self.design;
        let mut columns: Vec<Vec<f64>> =
            design.regressors.iter().map(|it| pick(&it.values, &self.rows)).collect();
        let before: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let norms = column_norms(&before, self.weights.as_deref());
        let sums: Vec<Vec<f64>> = columns.iter().map(|it| self.weighted_sums(it)).collect();
        columns.push(pick(&design.outcome.values, &self.rows));
        self.absorber.residualize(&mut columns)?;
        let outcome = columns.pop().unwrap_or_default();
        let after: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let options = LeastSquaresOptions::default();
        let fit = least_squares(&after, &outcome, self.weights.as_deref(), Some(&norms), &options)?;
        let both = columns.into_iter().zip(sums).enumerate();
        let kept = both.filter(|it| fit.kept.contains(&it.0));
        self.controls = kept.map(|(regressor, (after, sums))| Control { regressor, after, sums }).collect();
        self.bread = fit.bread;
        self.dropped = fit.dropped;
        Ok(fit.coef)
    }

    fn refuse_saturated(&self) -> Result<(), FitError> {
        let Some(rank) = self.absorber.ranks().exact else { return Ok(()) };
        if rank + self.controls.len() < self.rows.len() {
            return Ok(());
        }
        Err(FitError::Model(format!(
            "{} untreated rows have {} effects and controls to estimate, so that nothing is left for errors; take \
             fewer effects or controls, or more untreated rows",
            self.rows.len(),
            rank + self.controls.len()
        )))
    }

    /// Effects of a column on untreated rows, given the slopes of controls.
    fn explain(&self, values: &[f64], slopes: &[f64]) -> Result<Coefficients, FitError> {
        let mut rest = values.to_vec();
        for (control, slope) in self.controls.iter().zip(slopes) {
            let x = &self.design.regressors[control.regressor].values;
            rest.iter_mut().zip(&self.rows).for_each(|(rest, &row)| *rest -= slope * x[row]);
        }
        let mut systems = vec![self.weighted_sums(&rest)];
        self.absorber.coefficients(&mut systems)?;
        Ok(Coefficients { effects: systems.pop().unwrap_or_default(), slopes: slopes.to_vec() })
    }

    fn predict(&self, by: &Coefficients, row: usize) -> f64 {
        let slope = |(control, slope): (&Control, &f64)| {
            slope * self.design.regressors[control.regressor].values[row]
        };
        self.effects_at(&by.effects, row) + self.controls.iter().zip(&by.slopes).map(slope).sum::<f64>()
    }

    fn effects_at(&self, effects: &[f64], row: usize) -> f64 {
        let own = self.design.effects.iter().zip(&self.offsets);
        own.map(|(it, offset)| effects[offset + it.codes.code[row] as usize]).sum()
    }

    /// A row is determined when every solution on untreated rows predicts the same for it. Arbitrary coefficients and
    /// the solution for what they predict on untreated rows differ by a direction that untreated rows do not see; it
    /// is arbitrary among these, so only a determined row has no part in it.
    fn find_determined(&self) -> Result<Vec<bool>, FitError> {
        let design = self.design;
        let total = self.offsets.last().copied().unwrap_or(0);
        let effects: Vec<f64> = (0..total).map(|it| arbitrary(it as u64)).collect();
        let slopes: Vec<f64> = design
            .regressors
            .iter()
            .enumerate()
            .map(|(at, it)| {
                let mean = it.values.iter().map(|x| x.abs()).sum::<f64>() / it.values.len() as f64;
                let slope = arbitrary((total + at) as u64);
                if 0.0 < mean { slope / mean } else { slope }
            })
            .collect();
        let parts = |row: usize| {
            let own = design.regressors.iter().zip(&slopes).map(move |(it, slope)| it.values[row] * slope);
            let codes = design.effects.iter().zip(&self.offsets);
            own.chain(codes.map(|(it, offset)| effects[offset + it.codes.code[row] as usize]))
                .collect::<Vec<f64>>()
        };
        let values: Vec<f64> = self.rows.iter().map(|&row| parts(row).iter().sum()).collect();
        let mut columns = vec![values.clone()];
        self.absorber.residualize(&mut columns)?;
        let after: Vec<&[f64]> = self.controls.iter().map(|it| it.after.as_slice()).collect();
        let options = LeastSquaresOptions::default();
        let fit = least_squares(&after, &columns[0], self.weights.as_deref(), None, &options)?;
        let fitted = self.explain(&values, &fit.coef)?;
        let determined = |row: usize| {
            let own = parts(row);
            let size: f64 = own.iter().map(|it| it.abs()).sum();
            (own.iter().sum::<f64>() - self.predict(&fitted, row)).abs() <= DETERMINED * size
        };
        Ok((0..design.n()).map(determined).collect())
    }
}

/// The values at some rows.
pub fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&it| values[it]).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A number between 1 and 1000 from a hash of its index (Steele, Lea and Flood 2014, SplitMix64). Its density falls with
/// the square, so that means over many levels do not come near each other.
fn arbitrary(index: u64) -> f64 {
    let mut z = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    1.0 / (1e-3 + ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64)
}
