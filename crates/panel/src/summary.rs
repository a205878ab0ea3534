//! Descriptive statistics of one column.

use serde::Serialize;

/// Count, moments and quantiles of the values that are not missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Values that are not missing.
    pub n: usize,
    /// Missing values.
    pub missing: usize,
    /// Mean; NaN without values.
    pub mean: f64,
    /// Standard deviation with divisor n - 1; NaN for fewer than two values.
    pub sd: f64,
    /// Smallest value.
    pub min: f64,
    /// First quartile, by Stata's rule.
    pub p25: f64,
    /// Median, by Stata's rule.
    pub median: f64,
    /// Third quartile, by Stata's rule.
    pub p75: f64,
    /// Largest value.
    pub max: f64,
}

/// Describes a column.
pub fn summarize(values: &[f64]) -> Summary {
    let mut seen: Vec<f64> = values.iter().copied().filter(|it| !it.is_nan()).collect();
    seen.sort_by(f64::total_cmp);
    let n = seen.len();
    let mean = seen.iter().sum::<f64>() / n as f64;
    let squares: f64 = seen.iter().map(|it| (it - mean).powi(2)).sum();
    Summary {
        n,
        missing: values.len() - n,
        mean,
        sd: if n < 2 { f64::NAN } else { (squares / (n as f64 - 1.0)).sqrt() },
        min: seen.first().copied().unwrap_or(f64::NAN),
        p25: percentile(&seen, 25.0),
        median: percentile(&seen, 50.0),
        p75: percentile(&seen, 75.0),
        max: seen.last().copied().unwrap_or(f64::NAN),
    }
}

/// The p-th percentile of ascending values as Stata's `_pctile` has it: with P = n p / 100, the mean
/// of the P-th and the next value when P is whole, else the value after P (R's type 2).
pub fn percentile(ascending: &[f64], p: f64) -> f64 {
    let n = ascending.len();
    if n == 0 {
        return f64::NAN;
    }
    let position = n as f64 * p / 100.0;
    let at = |it: usize| ascending[it.clamp(1, n) - 1];
    if position.fract() == 0.0 {
        0.5 * (at(position as usize) + at(position as usize + 1))
    } else {
        at(position.ceil() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_quartiles_by_hand() {
        let it = summarize(&[4.0, f64::NAN, 1.0, 3.0, 2.0]);
        assert_eq!((it.n, it.missing, it.mean, it.min, it.max), (4, 1, 2.5, 1.0, 4.0));
        assert!((it.sd - (5.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!((it.p25, it.median, it.p75), (1.5, 2.5, 3.5));
        assert_eq!(percentile(&[1.0, 2.0, 3.0], 50.0), 2.0);
    }

    #[test]
    fn nothing_gives_missing() {
        let it = summarize(&[f64::NAN]);
        assert!(it.mean.is_nan() && it.sd.is_nan() && it.max.is_nan());
    }
}
