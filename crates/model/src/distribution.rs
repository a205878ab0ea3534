//! Reference distributions of test statistics.

use parallax_linalg::normal_cdf;
use parallax_vcov::normal_quantile;
use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};

/// What a coefficient over its standard error is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Standard normal.
    Normal,
    /// Student's t with these degrees of freedom.
    StudentT(f64),
}

impl Distribution {
    /// Two-sided p-value; NaN for a statistic that is not a number.
    pub fn p_value(self, statistic: f64) -> f64 {
        if statistic.is_nan() {
            return f64::NAN;
        }
        let tail = match self {
            // statrs' normal tail is off by 1e-11 where ours has all digits.
            Distribution::Normal => normal_cdf(-statistic.abs()),
            Distribution::StudentT(df) => match StudentsT::new(0.0, 1.0, df) {
                Ok(it) => it.sf(statistic.abs()),
                Err(_) => return f64::NAN,
            },
        };
        (2.0 * tail).min(1.0)
    }

    /// The number that |statistic| exceeds with probability `1 - level`.
    pub fn critical(self, level: f64) -> f64 {
        let upper = 0.5 + level / 2.0;
        match self {
            Distribution::Normal => normal_quantile(upper),
            Distribution::StudentT(df) => {
                StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |it| it.inverse_cdf(upper))
            }
        }
    }
}

/// Probability that F(df1, df2) exceeds `statistic`; NaN for one that is not a number.
pub fn f_upper(statistic: f64, df1: f64, df2: f64) -> f64 {
    if statistic.is_nan() {
        return f64::NAN;
    }
    FisherSnedecor::new(df1, df2).map_or(f64::NAN, |it| it.sf(statistic.max(0.0)))
}

/// Probability that chi-squared(df) exceeds `statistic`; NaN for one that is not a number.
pub fn chi2_upper(statistic: f64, df: f64) -> f64 {
    if statistic.is_nan() {
        return f64::NAN;
    }
    ChiSquared::new(df).map_or(f64::NAN, |it| it.sf(statistic.max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles_and_tails() {
        let near = |a: f64, b: f64| assert!((a - b).abs() <= 1e-9 * b.abs(), "{a} is not {b}");
        near(Distribution::Normal.critical(0.95), 1.959_963_984_540_054);
        near(Distribution::StudentT(10.0).critical(0.95), 2.228_138_851_986_273);
        near(Distribution::StudentT(10.0).p_value(-2.228_138_851_986_273), 0.05);
        // Abramowitz and Stegun, and mpmath for the far tail.
        let exact = |z: f64, p: f64| assert!((Distribution::Normal.p_value(z) - p).abs() <= 1e-14 * p);
        exact(1.0, 0.317_310_507_862_914_1);
        exact(10.0, 2.0 * 7.619_853_024_160_527e-24);
        near(chi2_upper(3.841_458_820_694_124, 1.0), 0.05);
        near(f_upper(4.964_602_743_730_712, 1.0, 10.0), 0.05);
    }
}
