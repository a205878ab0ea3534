//! Common support: by the range of the other group's scores, and by their density (psmatch2's `common` and `trim`).

use crate::{kernel::Kernel, side::window_sums};

/// Which of `scores` lie between the smallest and the largest of `others`.
pub fn within_range(scores: &[f64], others: &[f64]) -> Vec<bool> {
    let low = others.iter().copied().fold(f64::INFINITY, f64::min);
    let high = others.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter().map(|it| (low..=high).contains(it)).collect()
}

/// Which of `scores` have a positive density of `others`, and not one of the lowest `percent` of their group
/// (Heckman, Ichimura and Todd 1997, as psmatch2 does it: Stata's `kdensity` and `_pctile` with their defaults).
pub fn dense(scores: &[f64], others: &[f64], percent: f64) -> Vec<bool> {
    let density = density(scores, others);
    let mut sorted = density.clone();
    sorted.sort_by(f64::total_cmp);
    let floor = if 0.0 < percent { percentile(&sorted, percent) } else { 0.0 };
    density.iter().map(|&it| 0.0 < it && floor <= it).collect()
}

/// Epanechnikov density of `others` at each of `scores`, up to a factor. The kernel is 1 - z^2/5 for |z| < sqrt(5) and
/// the width .9 min(sd, IQR/1.349) n^(-1/5), as in Stata's `kdensity`.
fn density(scores: &[f64], others: &[f64]) -> Vec<f64> {
    let n = others.len() as f64;
    let mean = others.iter().sum::<f64>() / n;
    let sd = (others.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let mut sorted = others.to_vec();
    sorted.sort_by(f64::total_cmp);
    let range = (percentile(&sorted, 75.0) - percentile(&sorted, 25.0)) / 1.349;
    let width = 0.9 * if 0.0 < range { sd.min(range) } else { sd } * n.powf(-0.2);
    if width.is_nan() || width <= 0.0 {
        return scores.iter().map(|it| f64::from(u8::from(others.contains(it)))).collect();
    }
    window_sums(scores, others, Kernel::Epanechnikov, 5.0_f64.sqrt() * width)
}

/// Stata's `_pctile`: the mean of two order statistics where n p / 100 is whole.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let at = sorted.len() as f64 * percent / 100.0;
    let upper = (at.floor() as usize).min(sorted.len().saturating_sub(1));
    if at.fract() == 0.0 && 0 < upper && upper < sorted.len() && at < sorted.len() as f64 {
        0.5 * (sorted[upper - 1] + sorted[upper])
    } else {
        sorted[upper]
    }
}
