//! Balance before and after matching, with pstest's definitions (Leuven and Sianesi 2003).
//!
//! The denominator of the bias after matching stays that of before. Variances after matching divide by the sum of
//! weights less one, as Stata's `summarize [iweight]` does.

use parallax_model::linalg::LinalgError;

use crate::score::ScoreModel;

/// Means, bias and test of one covariate in one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Balance {
    /// Mean of the treated.
    pub treated: f64,
    /// (Weighted) mean of the controls.
    pub control: f64,
    /// 100 (m1 - m0) / sqrt((s1^2 + s0^2)/2), variances before matching (Rosenbaum and Rubin 1985).
    pub bias: f64,
    /// t of the regression on treatment.
    pub t: f64,
    /// Degrees of freedom of t: sum of weights less two.
    pub df: f64,
    /// Variance of the treated over that of the controls; NaN for a covariate of 0 and 1.
    pub variance_ratio: f64,
}

/// One sample's overall balance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overall {
    /// Pseudo R2 of a probit of treatment on the covariates.
    pub pseudo_r2: f64,
    /// Its likelihood ratio against a constant.
    pub lr_chi2: f64,
    /// Degrees of freedom of the ratio.
    pub lr_df: f64,
    /// Mean of |bias|.
    pub mean_bias: f64,
    /// Median of |bias|.
    pub median_bias: f64,
    /// Rubin's B: bias of the probit's index in per cent; to be below 25.
    pub rubin_b: f64,
    /// Rubin's R: ratio of variances of the index; to be between .5 and 2.
    pub rubin_r: f64,
}

/// Mean, variance and sum of weights of a group.
#[derive(Clone, Copy, Debug)]
struct Moments {
    mean: f64,
    variance: f64,
    weight: f64,
    /// sum w (x - mean)^2.
    squares: f64,
}

/// A sample: every row with weight one, or the weights of matching, NaN off support.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// 1 treated, 0 control.
    pub treated: &'a [f64],
    /// `None` before matching.
    pub weight: Option<&'a [f64]>,
}

impl Sample<'_> {
    fn weight(&self, row: usize) -> f64 {
        self.weight.map_or(1.0, |it| if it[row].is_nan() { 0.0 } else { it[row] })
    }

    fn moments(&self, values: &[f64], group: f64) -> Moments {
        let rows = || (0..values.len()).filter(|&row| self.treated[row] == group);
        let weight: f64 = rows().map(|row| self.weight(row)).sum();
        let mean = rows().map(|row| self.weight(row) * values[row]).sum::<f64>() / weight;
        let squares: f64 = rows().map(|row| self.weight(row) * (values[row] - mean).powi(2)).sum();
        Moments { mean, variance: squares / (weight - 1.0), weight, squares }
    }
}

/// The balance of one covariate; `before` is the unmatched sample, whose variances scale the bias.
pub fn balance(values: &[f64], sample: &Sample<'_>, before: &Sample<'_>) -> Balance {
    let [one, zero] = [1.0, 0.0].map(|it| sample.moments(values, it));
    let [raw_one, raw_zero] = [1.0, 0.0].map(|it| before.moments(values, it));
    let scale = (0.5 * (raw_one.variance + raw_zero.variance)).sqrt();
    let df = one.weight + zero.weight - 2.0;
    let error = ((one.squares + zero.squares) / df * (1.0 / one.weight + 1.0 / zero.weight)).sqrt();
    let binary = values.iter().all(|&it| it == 0.0 || it == 1.0);
    Balance {
        treated: one.mean,
        control: zero.mean,
        bias: 100.0 * (one.mean - zero.mean) / scale,
        t: (one.mean - zero.mean) / error,
        df,
        variance_ratio: if binary { f64::NAN } else { one.variance / zero.variance },
    }
}

/// Overall balance, given the biases of the covariates.
///
/// # Errors
/// Those of the probit, such as covariates that separate the groups.
pub fn overall(covariates: &[&[f64]], sample: &Sample<'_>, biases: &[f64]) -> Result<Overall, LinalgError> {
    let rows: Vec<usize> = (0..sample.treated.len()).filter(|&row| sample.weight(row) != 0.0).collect();
    let pick = |it: &[f64]| -> Vec<f64> { rows.iter().map(|&row| it[row]).collect() };
    let treated = pick(sample.treated);
    let columns: Vec<Vec<f64>> = covariates.iter().map(|it| pick(it)).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let weights = sample.weight.map(|_| rows.iter().map(|&row| sample.weight(row)).collect::<Vec<f64>>());
    let fit = ScoreModel::Probit.fit(&treated, &columns, weights.as_deref())?;
    let used = Sample { treated: &treated, weight: weights.as_deref() };
    let [one, zero] = [1.0, 0.0].map(|it| used.moments(&fit.index, it));
    Ok(Overall {
        pseudo_r2: fit.pseudo_r2(),
        lr_chi2: fit.lr_chi2(),
        lr_df: fit.kept.iter().filter(|&&it| it != 0).count() as f64,
        rubin_b: 100.0 * (one.mean - zero.mean) / (0.5 * (one.variance + zero.variance)).sqrt(),
        rubin_r: one.variance / zero.variance,
        ..Overall::without_probit(biases)
    })
}

impl Overall {
    /// Mean and median of |bias|; the rest is missing.
    pub fn without_probit(biases: &[f64]) -> Overall {
        let mut sizes: Vec<f64> = biases.iter().map(|it| it.abs()).filter(|it| !it.is_nan()).collect();
        sizes.sort_by(f64::total_cmp);
        let middle = sizes.len() / 2;
        let median_bias = match sizes.len() {
            0 => f64::NAN,
            n if n % 2 == 1 => sizes[middle],
            _ => 0.5 * (sizes[middle - 1] + sizes[middle]),
        };
        let mean_bias = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let nan = f64::NAN;
        Overall {
            pseudo_r2: nan,
            lr_chi2: nan,
            lr_df: nan,
            mean_bias,
            median_bias,
            rubin_b: nan,
            rubin_r: nan,
        }
    }
}
