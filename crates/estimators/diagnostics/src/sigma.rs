//! How much effects may differ before a coefficient says nothing of them (de Chaisemartin and D'Haultfoeuille 2020,
//! corollary 1).

/// A weight as a share of its natural weight, with that natural weight; shares sum to one and so do products.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Share of the cell in the average effect.
    pub share: f64,
    /// Weight in the coefficient over share; one for all cells in the average effect.
    pub ratio: f64,
}

/// The smallest standard deviation of effects over cells with which their average can be zero.
///
/// The standard deviation of ratios has shares as weights and no correction for degrees of freedom; programs named
/// `twowayfeweights` multiply it by root of M / (M - 1) with M cells.
pub fn zero_average(coefficient: f64, ratios: &[Ratio]) -> Option<f64> {
    let variance: f64 = ratios.iter().map(|it| it.share * (it.ratio - 1.0).powi(2)).sum();
    (ROUNDING < variance).then(|| coefficient.abs() / variance.sqrt())
}

/// The smallest standard deviation with which the effects of all cells can have the other sign; only with negative weights.
pub fn opposite_signs(coefficient: f64, ratios: &[Ratio]) -> Option<f64> {
    if ratios.iter().all(|it| -ROUNDING <= it.ratio) {
        return None;
    }
    let mut ascending = ratios.to_vec();
    ascending.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    // Sums over the cells with the smallest ratios; the paper's s is the largest such set that meets its condition.
    let (mut p, mut s, mut t) = (0.0, 0.0, 0.0);
    let mut found = None;
    for (at, it) in ascending.iter().enumerate() {
        p += it.share;
        s += it.share * it.ratio;
        t += it.share * it.ratio * it.ratio;
        let rest = 1.0 - p;
        if at + 1 < ascending.len() && 0.0 < rest && it.ratio < -s / rest {
            found = Some(coefficient.abs() / (t + s * s / rest).sqrt());
        }
    }
    found
}

/// Ratios are about one; their squares closer than this are equal up to rounding.
const ROUNDING: f64 = 1e-20;
