//! Multiplier bootstrap of influence functions: errors, simultaneous bands, and the draws themselves.
//!
//! Callaway and Sant'Anna (2021, J. Econometrics 225), algorithm 1 and remark 10: a draw multiplies each cluster's sum of
//! influence functions by a random number of mean zero and variance one. What is made of the draws is what R did's
//! `mboot` makes of them.

use parallax_linalg::{Mat, MatRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Keyed, Sequence, normal_quantile};

/// The distribution of multipliers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Multiplier {
    /// 1 or -1, with equal chance.
    #[default]
    Rademacher,
    /// (1 - sqrt 5) / 2 with chance (sqrt 5 + 1) / (2 sqrt 5), else (1 + sqrt 5) / 2: third moment one (Mammen 1993).
    Mammen,
    /// Six points, plus and minus the roots of 1/2, 1 and 3/2 (Webb 2023), for few clusters.
    Webb,
}

/// A request for draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiplierBootstrap {
    /// The distribution.
    pub multiplier: Multiplier,
    /// How many.
    pub draws: usize,
    /// A multiplier is a function of seed, draw and cluster.
    pub seed: u64,
}

/// Draws of estimate less truth, draws x k.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiplierDraws(pub Mat<f64>);

/// The critical value of a simultaneous band from draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SupT {
    /// Errors times this are half the width of the band.
    pub critical: f64,
    /// What is to be said of it.
    pub caution: Option<Caution>,
}

/// What R did's `mboot` and `att_gt` warn of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caution {
    /// No draw gives a value; the pointwise one stands in.
    Missing,
    /// The quantile is below the pointwise value, which stands in: too few draws, or one coefficient.
    BelowPointwise,
    /// Seven or more: a coefficient has hardly any cluster behind it.
    Large,
}

/// Draws that share a task; their order of sums does not depend on threads.
const DRAWS: usize = 64;

/// Clusters of one matrix product, a multiple of the 64 signs in a word.
const CLUSTERS: usize = 2048;

impl MultiplierBootstrap {
    /// Draws of the sums over clusters of multiplier times influence. `values` has a row a unit and adds up over units to
    /// estimate less truth; `cluster` is the code of each unit's cluster, below `clusters`.
    pub fn draw(&self, values: MatRef<'_, f64>, cluster: &[u32], clusters: usize) -> MultiplierDraws {
        let k = values.ncols();
        let mut sums = Mat::<f64>::zeros(clusters, k);
        for j in 0..k {
            for (unit, &group) in cluster.iter().enumerate() {
                sums[(group as usize, j)] += values[(unit, j)];
            }
        }
        let starts: Vec<usize> = (0..self.draws).step_by(DRAWS).collect();
        let block = |&start: &usize| self.block(sums.as_ref(), start, (start + DRAWS).min(self.draws));
        let blocks: Vec<Mat<f64>> = starts.par_iter().map(block).collect();
        let at = |draw: usize, j: usize| blocks[draw / DRAWS][(j, draw % DRAWS)];
        MultiplierDraws(Mat::from_fn(self.draws, k, at))
    }

    /// k x draws from `start` to `end`.
    fn block(&self, sums: MatRef<'_, f64>, start: usize, end: usize) -> Mat<f64> {
        let keyed = Keyed::new(self.seed);
        let mut sequences: Vec<Sequence> =
            (start..end).map(|draw| keyed.sequence(self.multiplier.stream(), draw as u64)).collect();
        let mut total = Mat::<f64>::zeros(sums.ncols(), end - start);
        let mut weights = vec![0.0; CLUSTERS * sequences.len()];
        let mut from = 0;
        while from < sums.nrows() {
            let rows = CLUSTERS.min(sums.nrows() - from);
            for (at, sequence) in sequences.iter_mut().enumerate() {
                self.multiplier.fill(sequence, &mut weights[at * rows..(at + 1) * rows]);
            }
            let used = &weights[..rows * sequences.len()];
            let weights = MatRef::from_column_major_slice(used, rows, sequences.len());
            total += sums.subrows(from, rows).transpose() * weights;
            from += rows;
        }
        total
    }
}

impl Multiplier {
    fn stream(self) -> &'static str {
        match self {
            Multiplier::Rademacher => "multiplier-rademacher",
            Multiplier::Mammen => "multiplier-mammen",
            Multiplier::Webb => "multiplier-webb",
        }
    }

    /// The next multipliers of a draw: a word gives 64 signs, or two numbers of 32 bits.
    fn fill(self, sequence: &mut Sequence, weights: &mut [f64]) {
        match self {
            Multiplier::Rademacher => {
                for chunk in weights.chunks_mut(64) {
                    let word = sequence.word();
                    for (bit, weight) in chunk.iter_mut().enumerate() {
                        *weight = f64::from_bits(ONE | (word >> bit & 1) << 63);
                    }
                }
            }
            Multiplier::Mammen => {
                let root = 5.0_f64.sqrt();
                let (often, seldom) = (0.5 * (1.0 - root), 0.5 * (1.0 + root));
                let bound = ((root + 1.0) / (2.0 * root) * TWO_TO_32).round() as u64;
                by_halves(sequence, weights, |half| if half < bound { often } else { seldom });
            }
            Multiplier::Webb => {
                let points = [0.5_f64, 1.0, 1.5].map(f64::sqrt);
                by_halves(sequence, weights, |half| {
                    let point = (half * 6) >> 32;
                    let size = points[(point % 3) as usize];
                    if point < 3 { size } else { -size }
                });
            }
        }
    }
}

/// Bits of 1.0.
const ONE: u64 = 0x3ff0_0000_0000_0000;

const TWO_TO_32: f64 = 4_294_967_296.0;

fn by_halves(sequence: &mut Sequence, weights: &mut [f64], value: impl Fn(u64) -> f64) {
    for pair in weights.chunks_mut(2) {
        let word = sequence.word();
        for (weight, half) in pair.iter_mut().zip([word & 0xffff_ffff, word >> 32]) {
            *weight = value(half);
        }
    }
}

impl MultiplierDraws {
    /// Interquartile range over that of the normal distribution; NaN where draws do not vary.
    pub fn std_errors(&self) -> Vec<f64> {
        let range = normal_quantile(0.75) - normal_quantile(0.25);
        let error = |j: usize| {
            let sorted = sorted((0..self.0.nrows()).map(|draw| self.0[(draw, j)]));
            let error = (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / range;
            if 0.0 < error { error } else { f64::NAN }
        };
        (0..self.0.ncols()).map(error).collect()
    }

    /// The quantile of the largest |draw| / error over `columns`, and what is to be said of it.
    pub fn critical(&self, columns: &[usize], errors: &[f64], level: f64) -> SupT {
        let largest = |draw: usize| {
            let ratios = columns.iter().map(|&j| (self.0[(draw, j)] / errors[j]).abs());
            ratios.filter(|it| it.is_finite()).fold(f64::NEG_INFINITY, f64::max)
        };
        let sorted = sorted((0..self.0.nrows()).map(largest).filter(|it| it.is_finite()));
        let pointwise = normal_quantile(0.5 + 0.5 * level);
        match quantile(&sorted, level) {
            it if it.is_nan() => SupT { critical: pointwise, caution: Some(Caution::Missing) },
            it if it < pointwise => SupT { critical: pointwise, caution: Some(Caution::BelowPointwise) },
            it if 7.0 <= it => SupT { critical: it, caution: Some(Caution::Large) },
            critical => SupT { critical, caution: None },
        }
    }

    /// Mean of products: draws have mean zero by construction.
    pub fn covariance(&self) -> Mat<f64> {
        let n = self.0.nrows() as f64;
        let products = self.0.transpose() * &self.0;
        Mat::from_fn(products.nrows(), products.ncols(), |i, j| {
            0.5 * (products[(i, j)] + products[(j, i)]) / n
        })
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// R's type 1: the smallest value with at least that share of values up to it; NaN of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let position = sorted.len() as f64 * share;
    // R takes a position within rounding of a whole number for that number.
    let whole = (position + 4.0 * f64::EPSILON).floor();
    let at = if position - whole <= 4.0 * f64::EPSILON { whole } else { whole + 1.0 };
    sorted.get((at.max(1.0) as usize) - 1).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simultaneous_critical;

    const ALL: [Multiplier; 3] = [Multiplier::Rademacher, Multiplier::Mammen, Multiplier::Webb];

    fn request(multiplier: Multiplier, draws: usize) -> MultiplierBootstrap {
        MultiplierBootstrap { multiplier, draws, seed: 5 }
    }

    /// Influence functions of three correlated coefficients, and each unit's cluster.
    fn influence(units: usize) -> (Mat<f64>, Vec<u32>) {
        let keyed = Keyed::new(1);
        let own = |unit: usize, j: usize| keyed.normal("psi", unit as i64, j as i64) / units as f64;
        let values = Mat::from_fn(units, 3, |unit, j| own(unit, j) + 0.7 * own(unit, 9));
        (values, (0..units as u32).map(|it| it / 3).collect())
    }

    fn analytic(values: &Mat<f64>, cluster: &[u32]) -> Mat<f64> {
        let clusters = cluster.iter().max().unwrap() + 1;
        let mut sums = Mat::<f64>::zeros(clusters as usize, values.ncols());
        for (unit, &group) in cluster.iter().enumerate() {
            (0..values.ncols()).for_each(|j| sums[(group as usize, j)] += values[(unit, j)]);
        }
        sums.transpose() * &sums
    }

    /// Means of powers against their expectations, within five errors of a mean over that many.
    #[test]
    fn multipliers_have_mean_zero_and_variance_one() {
        for (multiplier, third, fourth) in [
            (Multiplier::Rademacher, 0.0, 1.0),
            (Multiplier::Mammen, 1.0, 2.0),
            (Multiplier::Webb, 0.0, 7.0 / 6.0),
        ] {
            let mut weights = vec![0.0; 400_000];
            multiplier.fill(&mut Keyed::new(2).sequence("moments", 1), &mut weights);
            let moment = |power: i32| {
                weights.iter().map(|it: &f64| it.powi(power)).sum::<f64>() / weights.len() as f64
            };
            for (power, expected) in [(1, 0.0), (2, 1.0), (3, third), (4, fourth)] {
                let spread = (moment(2 * power) - moment(power).powi(2)).max(0.0).sqrt();
                let bound = 5.0 * spread / (weights.len() as f64).sqrt() + 1e-9;
                assert!(
                    (moment(power) - expected).abs() <= bound,
                    "{multiplier:?}, {power}: {}",
                    moment(power)
                );
            }
        }
    }

    /// A draw is the sum over clusters of multiplier times sum, whatever the blocks.
    #[test]
    fn draws_are_sums_over_clusters() {
        let units = 3 * (2 * CLUSTERS + 77);
        let (values, cluster) = influence(units);
        for multiplier in ALL {
            let draws = request(multiplier, DRAWS + 3).draw(values.as_ref(), &cluster, units / 3);
            for draw in [0, 1, DRAWS, DRAWS + 2] {
                let mut sequence = Keyed::new(5).sequence(multiplier.stream(), draw as u64);
                let mut weights = vec![0.0; units / 3];
                multiplier.fill(&mut sequence, &mut weights);
                for j in 0..3 {
                    let of = |unit: usize| weights[cluster[unit] as usize] * values[(unit, j)];
                    let by_hand: f64 = (0..units).map(of).sum();
                    assert!((draws.0[(draw, j)] - by_hand).abs() < 1e-13);
                }
            }
        }
    }

    /// Errors from 20,000 draws are analytic ones, within four times the error of an interquartile range of normal
    /// draws, 0.787 x 1.166 over root R; variances within four times root 2 / R.
    #[test]
    fn errors_are_the_analytic_ones() {
        let (values, cluster) = influence(3_000);
        let exact = analytic(&values, &cluster);
        for multiplier in ALL {
            let draws = request(multiplier, 20_000).draw(values.as_ref(), &cluster, 1_000);
            let (errors, covariance) = (draws.std_errors(), draws.covariance());
            for j in 0..3 {
                let error = exact[(j, j)].sqrt();
                assert!((errors[j] / error - 1.0).abs() < 4.0 * 1.17 / 20_000_f64.sqrt(), "{multiplier:?}");
                assert!((covariance[(j, j)] / exact[(j, j)] - 1.0).abs() < 4.0 * (2.0 / 20_000_f64).sqrt());
            }
            let columns = [0, 1, 2];
            let sup = draws.critical(&columns, &errors, 0.95);
            let expected = simultaneous_critical(exact.as_ref(), None, 0.95);
            assert!((sup.critical - expected).abs() < 0.05, "{} is not {expected}", sup.critical);
            assert_eq!(sup.caution, None);
        }
    }

    #[test]
    fn threads_do_not_matter() {
        let (values, cluster) = influence(9_000);
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| request(Multiplier::Mammen, 200).draw(values.as_ref(), &cluster, 3_000))
        };
        assert_eq!(with(1), with(4));
    }

    #[test]
    fn quantiles_are_rs_type_1() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        for (share, known) in [(0.25, 3.0), (0.5, 5.0), (0.75, 8.0), (0.95, 10.0), (0.3, 3.0), (0.0, 1.0)] {
            assert_eq!(quantile(&values, share), known, "{share}");
        }
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn cautions_are_those_of_mboot() {
        let draws =
            MultiplierDraws(Mat::from_fn(100, 2, |draw, j| if j == 0 { draw as f64 - 49.5 } else { 0.0 }));
        assert!(draws.std_errors()[1].is_nan());
        let errors = [100.0, f64::NAN];
        let caution = |columns: &[usize], errors: &[f64]| draws.critical(columns, errors, 0.95).caution;
        assert_eq!(caution(&[0], &errors), Some(Caution::BelowPointwise));
        assert_eq!(caution(&[1], &errors), Some(Caution::Missing));
        assert_eq!(caution(&[0, 1], &[1.0, 1.0]), Some(Caution::Large));
        assert_eq!(draws.critical(&[1], &errors, 0.95).critical, normal_quantile(0.975));
    }
}
