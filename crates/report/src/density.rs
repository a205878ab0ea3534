//! Kernel densities as Stata's `kdensity` draws them.

/// A density on an even grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Density {
    /// Rising; over all values at which the density is not zero.
    pub x: Vec<f64>,
    /// In units of 1 / x.
    pub y: Vec<f64>,
    /// The bandwidth used.
    pub bandwidth: f64,
}

/// The density of the values that are not missing, with weights that need not add to one.
///
/// Kernel and bandwidth are the defaults of Stata's `kdensity` (manual \[R\] kdensity, Methods and
/// formulas): Epanechnikov with unit variance, and Silverman's width. Fewer than two distinct
/// values, or no positive weight, give an empty density: there is none. The grid is wider than Stata's, which
/// cuts the curve off one bandwidth beyond the values.
pub fn kernel_density(values: &[f64], weights: Option<&[f64]>, points: usize) -> Density {
    let data = weighted(values, weights);
    let width = bandwidth(values, weights);
    let empty = Density { x: Vec::new(), y: Vec::new(), bandwidth: width };
    let (Some(first), Some(last)) = (data.first(), data.last()) else { return empty };
    if !width.is_finite() || width <= 0.0 || points < 2 {
        return empty;
    }
    let reach = width * 5.0_f64.sqrt();
    let (low, high) = (first.0 - reach, last.0 + reach);
    let total: f64 = data.iter().map(|it| it.1).sum();
    let step = (high - low) / (points - 1) as f64;
    let x: Vec<f64> = (0..points).map(|it| low + step * it as f64).collect();
    let height = |at: &f64| {
        let near =
            data.partition_point(|it| it.0 <= at - reach)..data.partition_point(|it| it.0 < at + reach);
        let sum: f64 = data
            .get(near)
            .unwrap_or_default()
            .iter()
            .map(|it| it.1 * epanechnikov((at - it.0) / width))
            .sum();
        sum / (total * width)
    };
    let y = x.iter().map(height).collect();
    Density { x, y, bandwidth: width }
}

/// `0.9 m n^(-1/5)` with m the smaller of the standard deviation and the interquartile range over 1.349.
///
/// NaN without two distinct values. A quartile range of zero falls back to the standard deviation, as R's
/// `bw.nrd0` does; Stata would give a width of zero.
pub(crate) fn bandwidth(values: &[f64], weights: Option<&[f64]>) -> f64 {
    let data = weighted(values, weights);
    let n = data.len() as f64;
    let total: f64 = data.iter().map(|it| it.1).sum();
    let mean = data.iter().map(|it| it.0 * it.1).sum::<f64>() / total;
    let squares = data.iter().map(|it| it.1 * (it.0 - mean).powi(2)).sum::<f64>();
    // Weights of one give the variance with divisor n - 1; others are scaled to add to n, as Stata's aweights.
    let sd = (squares / total * n / (n - 1.0)).sqrt();
    let range = (quantile(&data, total, 0.75) - quantile(&data, total, 0.25)) / 1.349;
    let spread = if 0.0 < range { sd.min(range) } else { sd };
    if 0.0 < spread { 0.9 * spread / n.powf(0.2) } else { f64::NAN }
}

/// Sorted by value, without missing values and weights of zero.
fn weighted(values: &[f64], weights: Option<&[f64]>) -> Vec<(f64, f64)> {
    let weight = |at: usize| weights.map_or(1.0, |it| it.get(at).copied().unwrap_or(f64::NAN));
    let pairs = values.iter().enumerate().map(|(at, value)| (*value, weight(at)));
    let mut data: Vec<_> = pairs.filter(|it| it.0.is_finite() && 0.0 < it.1).collect();
    data.sort_by(|a, b| a.0.total_cmp(&b.0));
    data
}

/// Stata's `_pctile`: the first value whose running weight exceeds the share, the mean of two where it equals it.
fn quantile(data: &[(f64, f64)], total: f64, share: f64) -> f64 {
    let target = total * share;
    let mut running = 0.0;
    for (at, (value, weight)) in data.iter().enumerate() {
        running += weight;
        if (running - target).abs() <= 1e-12 * total {
            return data.get(at + 1).map_or(*value, |next| f64::midpoint(*value, next.0));
        }
        if target < running {
            return *value;
        }
    }
    f64::NAN
}

fn epanechnikov(z: f64) -> f64 {
    let inside = 1.0 - z * z / 5.0;
    if 0.0 < inside { 0.75 * inside / 5.0_f64.sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_points_by_hand() {
        // sd = sqrt(2), quartiles -1 and 1: the range over 1.349 is 1.4826, so the sd decides.
        let width = 0.9 * 2.0_f64.sqrt() / 2.0_f64.powf(0.2);
        assert!((bandwidth(&[-1.0, 1.0], None) - width).abs() < 1e-15);
        let found = kernel_density(&[-1.0, 1.0], None, 3);
        let reach = width * 5.0_f64.sqrt();
        assert_eq!(found.x, [-1.0 - reach, 0.0, 1.0 + reach]);
        assert!(found.y[0].abs() < 1e-15 && found.y[2].abs() < 1e-15);
        let z = 1.0 / width;
        let middle = 0.75 * (1.0 - z * z / 5.0) / 5.0_f64.sqrt() / width;
        assert!((found.y[1] - middle).abs() < 1e-15);
    }

    #[test]
    fn the_area_is_one_and_weights_are_copies() {
        let values: Vec<f64> = (0..200).map(|it| f64::from(it * 37 % 101).sqrt()).collect();
        let found = kernel_density(&values, None, 4001);
        let step = found.x[1] - found.x[0];
        let area: f64 = found.y.iter().sum::<f64>() * step;
        assert!((area - 1.0).abs() < 1e-6, "{area}");
        let scaled = kernel_density(&values, Some(&vec![3.0; 200]), 4001);
        assert!((scaled.bandwidth - found.bandwidth).abs() < 1e-14);
        assert!(found.y.iter().zip(&scaled.y).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn missing_values_and_constants() {
        assert_eq!(kernel_density(&[1.0, f64::NAN, 3.0], None, 5), kernel_density(&[1.0, 3.0], None, 5));
        assert!(kernel_density(&[2.0, 2.0], None, 5).x.is_empty());
        assert!(kernel_density(&[], None, 5).x.is_empty());
        assert!(bandwidth(&[2.0], None).is_nan());
    }
}
