//! From numbers to places, and the round numbers at which an axis has ticks.

use crate::number::{Digits, format_number};

/// A linear axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub low: f64,
    pub high: f64,
    /// Where `low` and `high` are drawn.
    pub start: f64,
    pub end: f64,
}

/// Round numbers within an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticks {
    pub values: Vec<f64>,
    decimals: u8,
}

/// The smallest and largest finite value, with room at both ends as a share of the range.
///
/// A single value gets a range round itself; none at all gives 0 to 1.
pub(super) fn range(values: impl Iterator<Item = f64>, room: f64) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|it| it.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    if high < low {
        return (0.0, 1.0);
    }
    if high - low <= low.abs() * 1e-12 {
        let half = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        return (low - half, high + half);
    }
    let pad = (high - low) * room;
    (low - pad, high + pad)
}

impl Scale {
    pub(super) fn new((low, high): (f64, f64), start: f64, end: f64) -> Scale {
        Scale { low, high, start, end }
    }

    /// The place of a value.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    /// Round numbers, the smallest step of 1, 2 or 5 times a power of ten that is wide enough for
    /// its labels: `fits(labels, distance)` says so.
    pub(super) fn ticks(&self, whole: bool, fits: impl Fn(&[String], f64) -> bool) -> Ticks {
        let range = self.high - self.low;
        let first = range.log10().floor() as i32 - 2;
        let mut ticks = Ticks { values: Vec::new(), decimals: 0 };
        for exponent in first..first + 5 {
            for factor in [1.0, 2.0, 5.0] {
                let step = factor * 10.0_f64.powi(exponent);
                if whole && step < 1.0 {
                    continue;
                }
                ticks = self.every(step, exponent);
                let distance = (self.end - self.start).abs() * step / range;
                if fits(&ticks.labels(), distance) {
                    return ticks;
                }
            }
        }
        ticks
    }

    fn every(&self, step: f64, exponent: i32) -> Ticks {
        let slack = step * 1e-9;
        let (first, last) = (((self.low - slack) / step).ceil(), ((self.high + slack) / step).floor());
        let count = (last - first).max(-1.0) as usize;
        let values = if last < first {
            Vec::new()
        } else {
            (0..=count).map(|it| (first + it as f64) * step).collect()
        };
        Ticks { values, decimals: exponent.min(0).unsigned_abs() as u8 }
    }
}

impl Ticks {
    /// As printed, with a real minus sign.
    pub(super) fn labels(&self) -> Vec<String> {
        self.values.iter().map(|it| minus(&format_number(*it, Digits::Decimals(self.decimals)))).collect()
    }
}

/// A hyphen in front of a number is too short for a minus sign.
pub(super) fn minus(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(low: f64, high: f64, at_most: usize) -> Vec<String> {
        Scale::new((low, high), 0.0, 100.0).ticks(false, |it, _| it.len() <= at_most).labels()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(0.0, 1.0, 6), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-3.2, 8.9, 6), ["−2", "0", "2", "4", "6", "8"]);
        assert_eq!(labels(2009.0, 2020.0, 6), ["2010", "2012", "2014", "2016", "2018", "2020"]);
        assert_eq!(labels(-0.000_12, 0.000_31, 5), ["−0.0001", "0.0000", "0.0001", "0.0002", "0.0003"]);
        assert_eq!(labels(12.0, 1990.0, 4), ["500", "1000", "1500"]);
    }

    #[test]
    fn ranges_of_little() {
        assert_eq!(range([f64::NAN].into_iter(), 0.1), (0.0, 1.0));
        assert_eq!(range([0.0].into_iter(), 0.1), (-1.0, 1.0));
        assert_eq!(range([20.0, 20.0].into_iter(), 0.1), (18.0, 22.0));
        assert_eq!(range([1.0, f64::NAN, 3.0].into_iter(), 0.5), (0.0, 4.0));
    }

    proptest! {
        #[test]
        fn ticks_lie_within_and_labels_are_distinct(low in -1e6_f64..1e6, length in 1e-6_f64..1e6) {
            let scale = Scale::new((low, low + length), 0.0, 100.0);
            let ticks = scale.ticks(false, |it, _| it.len() <= 8);
            prop_assert!(2 <= ticks.values.len() && ticks.values.len() <= 8, "{ticks:?}");
            let slack = length * 1e-6;
            prop_assert!(ticks.values.iter().all(|it| low - slack <= *it && *it <= low + length + slack));
            let mut labels = ticks.labels();
            labels.dedup();
            prop_assert_eq!(labels.len(), ticks.values.len());
        }
    }
}
