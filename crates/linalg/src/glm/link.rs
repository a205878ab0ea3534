//! The two links: probabilities, and derivatives of the log likelihood, without cancellation in the tails.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The distribution behind a binary response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Logistic.
    Logit,
    /// Standard normal.
    Probit,
}

impl Link {
    /// P(y = 1) at index `eta`.
    pub fn probability(self, eta: f64) -> f64 {
        match self {
            Link::Logit if 0.0 <= eta => 1.0 / (1.0 + (-eta).exp()),
            Link::Logit => eta.exp() / (1.0 + eta.exp()),
            Link::Probit => normal_cdf(eta),
        }
    }

    /// ln P(y), for `y` 0 or 1.
    pub(super) fn log_probability(self, eta: f64, y: f64) -> f64 {
        let toward = toward(eta, y);
        match self {
            // ln(1/(1+e^-t)), without overflow on either side.
            Link::Logit => toward.min(0.0) - (-toward.abs()).exp().ln_1p(),
            Link::Probit if toward < 0.0 => {
                -0.5 * toward * toward - 0.5 * (2.0 * PI).ln() + mills(-toward).ln()
            }
            Link::Probit => (-normal_cdf(-toward)).ln_1p(),
        }
    }

    /// d ln P(y) / d eta.
    pub(super) fn slope(self, eta: f64, y: f64) -> f64 {
        let sign = if y == 1.0 { 1.0 } else { -1.0 };
        match self {
            Link::Logit => sign * Link::Logit.probability(-toward(eta, y)),
            Link::Probit => sign * inverse_mills(toward(eta, y)),
        }
    }

    /// -d2 ln P(y) / d eta2, not negative.
    pub(super) fn curvature(self, eta: f64, y: f64) -> f64 {
        match self {
            Link::Logit => self.expected(eta),
            Link::Probit => {
                let t = toward(eta, y);
                let lambda = inverse_mills(t);
                lambda * (lambda + t)
            }
        }
    }

    /// The expectation of [`Link::curvature`] over y.
    pub(super) fn expected(self, eta: f64) -> f64 {
        match self {
            Link::Logit => self.probability(eta) * self.probability(-eta),
            Link::Probit => inverse_mills(eta) * inverse_mills(-eta),
        }
    }
}

/// The index counted toward the outcome that occurred.
fn toward(eta: f64, y: f64) -> f64 {
    if y == 1.0 { eta } else { -eta }
}

/// The standard normal distribution function, to a few ulps in both tails.
pub fn normal_cdf(z: f64) -> f64 {
    let tail = normal_density(z) * mills(z.abs());
    if z <= 0.0 { tail } else { 1.0 - tail }
}

fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// phi(t) / Phi(t).
fn inverse_mills(t: f64) -> f64 {
    if t <= 0.0 {
        1.0 / mills(-t)
    } else {
        let density = normal_density(t);
        density / (1.0 - density * mills(t))
    }
}

/// Phi(-x) / phi(x) for x >= 0.
fn mills(x: f64) -> f64 {
    (0.5 * PI).sqrt() * scaled_erfc(x * FRAC_1_SQRT_2)
}

/// exp(x^2) erfc(x) for x >= 0 by the rational approximations of Cody (1969), Mathematics of Computation 23.
fn scaled_erfc(x: f64) -> f64 {
    let square = x * x;
    if x <= 0.46875 {
        square.exp() * (1.0 - x * ratio(&NEAR, square))
    } else if x <= 4.0 {
        ratio(&MIDDLE, x)
    } else {
        (1.0 / PI.sqrt() - ratio(&FAR, 1.0 / square) / square) / x
    }
}

/// Numerator and denominator, highest power first.
fn ratio((above, below): &(&[f64], &[f64]), x: f64) -> f64 {
    let value = |it: &[f64]| it.iter().fold(0.0, |sum, c| sum * x + c);
    value(above) / value(below)
}

type Rational = (&'static [f64], &'static [f64]);

const NEAR: Rational = (
    &[
        1.857_777_061_846_031_5e-1,
        3.161_123_743_870_565_5,
        1.138_641_541_510_501_6e2,
        3.774_852_376_853_02e2,
        3.209_377_589_138_469_4e3,
    ],
    &[
        1.0,
        2.360_129_095_234_412_2e1,
        2.440_246_379_344_441_7e2,
        1.282_616_526_077_372_3e3,
        2.844_236_833_439_171e3,
    ],
);

const MIDDLE: Rational = (
    &[
        2.153_115_354_744_038_3e-8,
        5.641_884_969_886_701e-1,
        8.883_149_794_388_377,
        6.611_919_063_714_163e1,
        2.986_351_381_974_001e2,
        8.819_522_212_417_69e2,
        1.712_047_612_634_070_7e3,
        2.051_078_377_826_071_6e3,
        1.230_339_354_797_997_2e3,
    ],
    &[
        1.0,
        1.574_492_611_070_983_5e1,
        1.176_939_508_913_125e2,
        5.371_811_018_620_099e2,
        1.621_389_574_566_690_3e3,
        3.290_799_235_733_459_7e3,
        4.362_619_090_143_247e3,
        3.439_367_674_143_721_6e3,
        1.230_339_354_803_749_5e3,
    ],
);

const FAR: Rational = (
    &[
        1.631_538_713_730_209_7e-2,
        3.053_266_349_612_323_6e-1,
        3.603_448_999_498_044_5e-1,
        1.257_817_261_112_292_6e-1,
        1.608_378_514_874_227_5e-2,
        6.587_491_615_298_378e-4,
    ],
    &[
        1.0,
        2.568_520_192_289_822,
        1.872_952_849_923_467_3,
        5.279_051_029_514_285e-1,
        6.051_834_131_244_132e-2,
        2.335_204_976_268_691_8e-3,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Laplace's continued fraction 1/(x + 1/(x + 2/(x + ...))), another way to the same number.
    fn fraction(x: f64) -> f64 {
        1.0 / (1..=4000).rev().fold(x, |rest, k| x + f64::from(k) / rest)
    }

    /// Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...), for small x.
    fn series(x: f64) -> f64 {
        let mut term = x;
        let mut sum = 0.0;
        for k in 1..200 {
            sum += term;
            term *= x * x / f64::from(2 * k + 1);
        }
        0.5 + normal_density(x) * sum
    }

    #[test]
    fn normal_tails_agree_with_series_and_continued_fraction() {
        for at in 0..300 {
            let x = 0.01 * f64::from(at) - 1.5;
            assert!((normal_cdf(x) / series(x) - 1.0).abs() < 4e-15, "{x}");
            let x = 1.0 + 0.1 * f64::from(at);
            assert!((mills(x) / fraction(x) - 1.0).abs() < 2e-15, "{x}");
        }
        assert_eq!(normal_cdf(0.0), 0.5);
        assert!((normal_cdf(1.0) - 0.841_344_746_068_542_9).abs() < 2e-16);
    }

    #[test]
    fn derivatives_are_those_of_the_log_probability() {
        for link in [Link::Logit, Link::Probit] {
            for y in [0.0, 1.0] {
                for at in -40..=40 {
                    let eta = f64::from(at) * 0.5 + 0.1;
                    let step = 1e-4;
                    let ends = [eta - step, eta + step];
                    let [low, high] = ends.map(|it| link.log_probability(it, y));
                    let slope = (high - low) / (2.0 * step);
                    assert!(
                        (slope - link.slope(eta, y)).abs() < 1e-6 * (1.0 + slope.abs()),
                        "{link:?} {y} {eta}"
                    );
                    let [low, high] = ends.map(|it| link.slope(it, y));
                    let curvature = -(high - low) / (2.0 * step);
                    assert!((curvature - link.curvature(eta, y)).abs() < 1e-6, "{link:?} {y} {eta}");
                }
            }
        }
    }
}
