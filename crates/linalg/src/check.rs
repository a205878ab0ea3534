//! Validation shared by least squares and absorption.

use crate::LinalgError;

/// Fails when `found` differs from `expected`.
pub(crate) fn length(what: &'static str, expected: usize, found: usize) -> Result<(), LinalgError> {
    if expected == found { Ok(()) } else { Err(LinalgError::DimensionMismatch { what, expected, found }) }
}

/// Fails on the first value that is NaN or infinite.
pub(crate) fn finite(column: usize, values: &[f64]) -> Result<(), LinalgError> {
    // A sum of `0 * x` is NaN exactly when some x is not finite, and it vectorises, unlike an early exit.
    let mut lanes = [0.0f64; 8];
    let (chunks, tail) = values.as_chunks::<8>();
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += 0.0 * x;
        }
    }
    let poison: f64 = lanes.iter().sum::<f64>() + tail.iter().map(|x| 0.0 * x).sum::<f64>();
    if poison == 0.0 {
        return Ok(());
    }
    match values.iter().position(|x| !x.is_finite()) {
        Some(row) => Err(LinalgError::NonFinite { column, row }),
        None => Ok(()),
    }
}

/// Fails unless there are `rows` weights and each is positive and finite.
pub(crate) fn weights(weights: Option<&[f64]>, rows: usize) -> Result<(), LinalgError> {
    let Some(weights) = weights else { return Ok(()) };
    length("weights", rows, weights.len())?;
    match weights.iter().position(|&w| !(w > 0.0 && w.is_finite())) {
        Some(row) => Err(LinalgError::InvalidWeight { row, value: weights[row] }),
        None => Ok(()),
    }
}
