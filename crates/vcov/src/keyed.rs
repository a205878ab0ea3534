//! The counter-based generator: a random number is a function of its key, not of what was drawn before it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::normal_quantile;

/// Random numbers addressed by (seed, stream, unit, period).
///
/// The four words are the 32-byte key of a ChaCha8 generator, whose first output is the number. That costs one
/// block of the cipher for each number and buys independence from order, from threads and from other streams.
#[derive(Debug, Clone, Copy)]
pub struct Keyed {
    seed: u64,
}

impl Keyed {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Uniform on the open interval (0, 1).
    #[must_use]
    pub fn uniform(&self, stream: &str, unit: i64, period: i64) -> f64 {
        let words = [self.seed, stream_word(stream), unit.cast_unsigned(), period.cast_unsigned()];
        let mut key = [0_u8; 32];
        for (slot, word) in key.chunks_exact_mut(8).zip(words) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        let bits = ChaCha8Rng::from_seed(key).next_u64() >> 11;
        // Half a step up keeps both ends out, so that the quantile function never meets infinity.
        (bits as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Standard normal, by inversion of [`Keyed::uniform`].
    #[must_use]
    pub fn normal(&self, stream: &str, unit: i64, period: i64) -> f64 {
        normal_quantile(self.uniform(stream, unit, period))
    }

    /// A stationary AR(1) path with unit variance over the given periods.
    #[must_use]
    pub fn autoregressive(&self, stream: &str, unit: i64, periods: usize, persistence: f64) -> Vec<f64> {
        let fresh = (1.0 - persistence * persistence).max(0.0).sqrt();
        let mut state = 0.0;
        (0..periods)
            .map(|period| {
                let shock = self.normal(stream, unit, period as i64);
                state = if period == 0 { shock } else { persistence * state + fresh * shock };
                state
            })
            .collect()
    }
}

impl Keyed {
    /// The numbers of one draw, one after the other: for draws that need many, at a block of the cipher for
    /// eight of them.
    #[must_use]
    pub fn sequence(&self, stream: &str, draw: u64) -> Sequence {
        let mut key = [0_u8; 32];
        for (slot, word) in key.chunks_exact_mut(8).zip([self.seed, stream_word(stream), draw, SEQUENCE]) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Sequence(ChaCha8Rng::from_seed(key))
    }
}

/// Keeps sequences apart from numbers addressed by (unit, period).
const SEQUENCE: u64 = 0x5345_5155_454e_4345;

/// The numbers of one draw; see [`Keyed::sequence`].
#[derive(Debug, Clone)]
pub struct Sequence(ChaCha8Rng);

impl Sequence {
    /// 64 random bits.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform on the open interval (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform on `0..n`, without bias (Lemire 2019, ACM TOMACS 29); 0 for n = 0.
    pub fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(n);
            let (high, low) = ((product >> 64) as u64, product as u64);
            if n == 0 || n.wrapping_neg() % n <= low {
                return high as usize;
            }
        }
    }

    /// Random order, every one with equal chance (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// FNV-1a of the stream's name: short, fixed for all time, and different names do not meet in practice.
fn stream_word(stream: &str) -> u64 {
    stream
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |word, byte| (word ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_alone_decides() {
        let draws = Keyed::new(7);
        let later = draws.normal("a", 3, 9);
        let _ = draws.uniform("b", 1, 1);
        assert_eq!(draws.normal("a", 3, 9), later);
        assert_ne!(draws.normal("a", 9, 3), later);
        assert_ne!(Keyed::new(8).normal("a", 3, 9), later);
    }

    #[test]
    fn the_first_number_never_changes() {
        // Locks the mapping from key to number: every committed data set depends on it.
        assert_eq!(Keyed::new(1).uniform("lock", 2, 3), LOCKED);
    }

    const LOCKED: f64 = 0.448_810_285_669_058_4;

    #[test]
    fn uniforms_have_the_right_moments() {
        let draws = Keyed::new(11);
        let n = 20_000;
        let values: Vec<f64> = (0..n).map(|i| draws.normal("moments", i, 0)).collect();
        let mean = values.iter().sum::<f64>() / n as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.04, "{variance}");
    }

    #[test]
    fn sequences_depend_on_their_key_alone() {
        let take = |draw| {
            let mut it = Keyed::new(3).sequence("s", draw);
            [it.uniform(), it.uniform()]
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
        assert_ne!(take(1)[0], take(1)[1]);
    }

    /// Each of the six orders of three things comes with a sixth of the draws, within four standard errors.
    #[test]
    fn orders_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for draw in 0..6_000 {
            let mut order = [0, 1, 2];
            Keyed::new(9).sequence("orders", draw).shuffle(&mut order);
            *counts.entry(order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|it: &i32| (it - 1_000).abs() < 116), "{counts:?}");
    }

    #[test]
    fn persistence_shows_in_the_paths() {
        let draws = Keyed::new(5);
        let (mut cross, mut square) = (0.0, 0.0);
        for unit in 0..3_000 {
            let path = draws.autoregressive("ar", unit, 6, 0.7);
            for pair in path.windows(2) {
                cross += pair[0] * pair[1];
                square += pair[0] * pair[0];
            }
        }
        assert!((cross / square - 0.7).abs() < 0.03);
    }
}
