//! Fingerprints of columns: what a cache may take for the same column.

use std::sync::Arc;

use parallax_panel::Codes;

/// 256 bits that recognise a sequence of words. Equal sequences have equal fingerprints; two that differ in one
/// word never do, and others with a chance of about 2^-64.
///
/// Names do not enter: two models may use one name for two columns, or two names for one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u64; LANES], usize);

/// Words go to the lanes in turn: four chains of multiplications run side by side.
const LANES: usize = 4;
/// Fractional digits of square roots of primes: any words without structure do.
const SEEDS: [u64; LANES] =
    [0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];
/// Odd, so that multiplication is one to one.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Fingerprint {
    /// Of numbers, by their bits.
    pub fn of_values(values: &[f64]) -> Fingerprint {
        Fingerprint::of(values, f64::to_bits)
    }

    /// Of groups: which rows belong together, in the order of their codes.
    pub fn of_codes(codes: &Codes) -> Fingerprint {
        Fingerprint::of(&codes.code, u64::from)
    }

    fn of<T: Copy>(items: &[T], word: impl Fn(T) -> u64) -> Fingerprint {
        let mut lanes = SEEDS;
        let mut chunks = items.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (lane, item) in lanes.iter_mut().zip(chunk) {
                *lane = fold(*lane, word(*item));
            }
        }
        for (lane, item) in lanes.iter_mut().zip(chunks.remainder()) {
            *lane = fold(*lane, word(*item));
        }
        Fingerprint(lanes, items.len())
    }
}

/// One to one in `lane` for a given word, and in `word` for a given lane.
fn fold(lane: u64, word: u64) -> u64 {
    (lane ^ word).wrapping_mul(FACTOR).rotate_left(29)
}

/// Columns by what is in them.
pub(crate) fn fingerprints(columns: &[&Arc<Vec<f64>>]) -> Vec<Fingerprint> {
    columns.iter().map(|it| Fingerprint::of_values(it)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn one_other_word_is_another_column(
            values in prop::collection::vec(-3.0..3.0f64, 1..40), at in 0usize..40, by in 0.1..5.0f64,
        ) {
            let mut other = values.clone();
            let at = at % values.len();
            other[at] += by;
            prop_assert_ne!(Fingerprint::of_values(&values), Fingerprint::of_values(&other));
            prop_assert_eq!(Fingerprint::of_values(&values), Fingerprint::of_values(&values.clone()));
        }
    }

    #[test]
    fn order_and_length_count() {
        let of = Fingerprint::of_values;
        assert_ne!(of(&[1.0, 2.0]), of(&[2.0, 1.0]));
        assert_ne!(of(&[1.0, 0.0, 0.0, 0.0, 2.0]), of(&[2.0, 0.0, 0.0, 0.0, 1.0]));
        assert_ne!(of(&[]), of(&[0.0]));
        let codes = |it: &[i64]| Fingerprint::of_codes(&Codes::from_integers(it.iter().map(|&it| Some(it))));
        assert_ne!(codes(&[1, 1, 2]), codes(&[1, 2, 2]));
        assert_eq!(codes(&[1, 1, 2]), codes(&[7, 7, 9]));
    }
}
