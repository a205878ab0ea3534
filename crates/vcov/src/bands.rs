//! Simultaneous bands: one critical value that all coefficients of a set stay under together.

use parallax_linalg::{Mat, MatRef, normal_cdf};
use statrs::distribution::{ChiSquared, Continuous, ContinuousCDF};

use crate::normal_quantile;

/// The number c with P(max |T_j| <= c) = `level`, where T is multivariate t with `df` degrees of
/// freedom (normal without) and the correlation that belongs to `covariance` (k x k).
///
/// The sup-t band of Montiel Olea and Plagborg-Moller (2019, J. Applied Econometrics 34, algorithm 1).
/// The probability is integrated by separation of variables (Genz and Bretz 2002, JCGS 11) on a fixed
/// lattice, so that equal input gives equal bits; the error of c is about 1e-4. With one coefficient it
/// is the usual critical value. Coefficients without variance are left out; NaN when none is left or the
/// level is not between 0 and 1.
pub fn simultaneous_critical(covariance: MatRef<'_, f64>, df: Option<f64>, level: f64) -> f64 {
    let scale: Vec<f64> = (0..covariance.nrows()).map(|it| covariance[(it, it)].sqrt()).collect();
    let kept: Vec<usize> = (0..scale.len()).filter(|&it| 0.0 < scale[it]).collect();
    if kept.is_empty() || !(0.0 < level && level < 1.0) {
        return f64::NAN;
    }
    let correlation = Mat::from_fn(kept.len(), kept.len(), |i, j| {
        covariance[(kept[i], kept[j])] / (scale[kept[i]] * scale[kept[j]])
    });
    let root = cholesky(&correlation);
    let solve = |points: usize, low: f64, high: f64| {
        let lattice: Vec<Point> = (0..points).map(|it| Point::new(it, points, kept.len(), df)).collect();
        let excess =
            |c: f64| lattice.iter().map(|it| it.inside(&root, c)).sum::<f64>() / points as f64 - level;
        increasing_root(excess, low, high)
    };
    // A coarse lattice says where to look, so that the fine one is summed three times instead of ten.
    let near = solve(COARSE, 0.0, 2.0 * normal_quantile(0.5 + level / 2.0));
    solve(POINTS, NEARBY * near, near / NEARBY)
}

/// Lattice points: a power of two leaves the mean exact for constants.
const POINTS: usize = 4096;
/// Points of the first look.
const COARSE: usize = 256;
/// How far below the coarse value the fine one is looked for at first.
const NEARBY: f64 = 0.99;

/// One lattice point: uniform coordinates for the normals, and the scale of the t distribution.
struct Point {
    uniform: Vec<f64>,
    scale: f64,
}

impl Point {
    /// The midpoint rule in the first coordinate, beside Richtmyer's lattice in the others: multiples of the roots
    /// of primes, folded by the tent that makes the integrand periodic.
    fn new(at: usize, points: usize, k: usize, df: Option<f64>) -> Point {
        let lattice = primes().map(|prime| {
            let fraction = ((at as f64 + 0.5) * prime.sqrt()).fract();
            1.0 - (2.0 * fraction - 1.0).abs()
        });
        let mut coordinates = std::iter::once((at as f64 + 0.5) / points as f64).chain(lattice);
        let scale = match (df, coordinates.next()) {
            (Some(df), Some(u)) => (chi_squared_quantile(u, df) / df).sqrt(),
            _ => 1.0,
        };
        Point { uniform: coordinates.take(k).collect(), scale }
    }

    /// The share of the box |z| <= c that this point sees: a product of conditional probabilities.
    fn inside(&self, root: &Mat<f64>, c: f64) -> f64 {
        let bound = c * self.scale;
        let mut product = 1.0;
        let mut normals: Vec<f64> = Vec::with_capacity(self.uniform.len());
        for (j, u) in self.uniform.iter().enumerate() {
            let shift: f64 = normals.iter().enumerate().map(|(l, z)| root[(j, l)] * z).sum();
            let own = root[(j, j)];
            if own == 0.0 {
                // The coefficient is a combination of earlier ones: inside or not, nothing is random.
                if bound < shift.abs() {
                    return 0.0;
                }
                normals.push(0.0);
                continue;
            }
            let (low, high) = (normal_cdf((-bound - shift) / own), normal_cdf((bound - shift) / own));
            product *= high - low;
            normals.push(normal_quantile((low + u * (high - low)).clamp(1e-300, 1.0 - 1e-16)));
        }
        product
    }
}

fn primes() -> impl Iterator<Item = f64> {
    let prime = |it: &u32| (2..*it).take_while(|d| d * d <= *it).all(|d| !it.is_multiple_of(d));
    (2_u32..).filter(prime).map(f64::from)
}

/// Wilson and Hilferty's (1931) cube as a start, Newton's steps from there.
fn chi_squared_quantile(u: f64, df: f64) -> f64 {
    let Ok(distribution) = ChiSquared::new(df) else { return f64::NAN };
    let u = u.clamp(1e-12, 1.0 - 1e-12);
    let spread = 2.0 / (9.0 * df);
    let mut x = (df * (1.0 - spread + normal_quantile(u) * spread.sqrt()).powi(3)).max(1e-8 * df);
    for _ in 0..6 {
        let step = (distribution.cdf(x) - u) / distribution.pdf(x).max(f64::MIN_POSITIVE);
        // Half the way to zero at most, for the steep left end under few degrees of freedom.
        let next = if x <= step { 0.5 * x } else { x - step };
        if (next - x).abs() <= 1e-12 * x {
            return next;
        }
        x = next;
    }
    x
}

/// Lower triangular root of a correlation matrix. What has no variance left given earlier ones gets zero.
fn cholesky(a: &Mat<f64>) -> Mat<f64> {
    const NOTHING: f64 = 1e-10;
    let k = a.nrows();
    let mut root = Mat::<f64>::zeros(k, k);
    for j in 0..k {
        let left = a[(j, j)] - (0..j).map(|l| root[(j, l)] * root[(j, l)]).sum::<f64>();
        root[(j, j)] = if NOTHING < left { left.sqrt() } else { 0.0 };
        for i in j + 1..k {
            let rest = a[(i, j)] - (0..j).map(|l| root[(i, l)] * root[(j, l)]).sum::<f64>();
            root[(i, j)] = if root[(j, j)] == 0.0 { 0.0 } else { rest / root[(j, j)] };
        }
    }
    root
}

/// Root of an increasing function on positive numbers: the bracket grows until it holds a root, then shrinks to 1e-7.
fn increasing_root(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let (mut at_low, mut at_high) = (f(low), f(high));
    for _ in 0..60 {
        if at_low < 0.0 || low == 0.0 {
            break;
        }
        (high, at_high) = (low, at_low);
        low = if 1e-3 < low { 0.5 * low } else { 0.0 };
        at_low = f(low);
    }
    for _ in 0..60 {
        if 0.0 <= at_high {
            break;
        }
        (low, at_low) = (high, at_high);
        high *= 2.0;
        at_high = f(high);
    }
    // The Illinois rule of regula falsi: an end that stays counts half the next time.
    for _ in 0..60 {
        let middle = high - at_high * (high - low) / (at_high - at_low);
        let value = f(middle);
        if value.abs() < 1e-9 || high - low < 1e-7 {
            return middle;
        }
        if value < 0.0 {
            (low, at_low, at_high) = (middle, value, at_high / 2.0);
        } else {
            (high, at_high, at_low) = (middle, value, at_low / 2.0);
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equicorrelated(k: usize, rho: f64) -> Mat<f64> {
        Mat::from_fn(k, k, |i, j| if i == j { 1.0 } else { rho })
    }

    fn near(found: f64, known: f64) {
        assert!((found - known).abs() < 3e-4, "{found} is not {known}");
    }

    #[test]
    fn one_coefficient_has_the_usual_value() {
        near(simultaneous_critical(equicorrelated(1, 0.0).as_ref(), None, 0.95), 1.959_964);
        near(simultaneous_critical(equicorrelated(1, 0.0).as_ref(), Some(10.0), 0.95), 2.228_139);
        near(simultaneous_critical(equicorrelated(1, 0.0).as_ref(), Some(3.0), 0.9), 2.353_363);
    }

    /// Without correlation the box is a product: Sidak's value.
    #[test]
    fn independent_coefficients_have_sidaks_value() {
        for k in [2, 5, 12] {
            let sidak = normal_quantile(0.5 + 0.5 * 0.95_f64.powf(1.0 / k as f64));
            near(simultaneous_critical(equicorrelated(k, 0.0).as_ref(), None, 0.95), sidak);
        }
    }

    /// Half correlated comparisons with a control: Dunnett's two-sided table (k = 3 and 5, df = 20, 5 per cent),
    /// which prints two decimals.
    #[test]
    fn dunnetts_table() {
        for (k, printed) in [(3, 2.54), (5, 2.73)] {
            let found = simultaneous_critical(equicorrelated(k, 0.5).as_ref(), Some(20.0), 0.95);
            assert!((found - printed).abs() < 0.006, "{found} is not {printed}");
        }
    }

    #[test]
    fn copies_of_one_coefficient_are_one() {
        near(simultaneous_critical(equicorrelated(4, 1.0).as_ref(), None, 0.95), 1.959_964);
        let scaled = Mat::from_fn(2, 2, |i, j| [[4.0, 6.0], [6.0, 9.0]][i][j]);
        near(simultaneous_critical(scaled.as_ref(), None, 0.95), 1.959_964);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(simultaneous_critical(Mat::<f64>::zeros(2, 2).as_ref(), None, 0.95).is_nan());
        assert!(simultaneous_critical(equicorrelated(2, 0.0).as_ref(), None, 1.0).is_nan());
    }
}
