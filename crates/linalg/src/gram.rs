//! Cross-products in fixed row blocks.
//!
//! Rows are cut into chunks of [`CHUNK`] rows, chunks into blocks of [`BLOCK`] rows. Blocks may run on any thread; their
//! partial sums are added in the order of the rows, so the bits of the result do not depend on the number of threads.

use crate::{LinalgError, check};
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

/// Rows packed together; the packed chunk stays in the second-level cache for up to about fifty columns.
const CHUNK: usize = 2048;
/// Rows of one parallel task.
pub(crate) const BLOCK: usize = 8 * CHUNK;
/// Blocks in flight at once; it bounds memory to this many k x k partial sums.
pub(crate) const WAVE: usize = 16;

/// X'WX, a symmetric k x k matrix, for `k` columns of equal length; W is the identity when `weights` is `None`.
///
/// The cost is that of one triangular matrix product. Results do not depend on the number of threads.
///
/// # Errors
/// `DimensionMismatch` when lengths differ; `InvalidWeight` for a weight that is not positive and finite.
pub fn gram(columns: &[&[f64]], weights: Option<&[f64]>) -> Result<Mat<f64>, LinalgError> {
    let rows = columns.first().map_or(0, |c| c.len());
    for column in columns {
        check::length("column", rows, column.len())?;
    }
    check::weights(weights, rows)?;
    Ok(gram_unchecked(columns, weights, rows))
}

/// [`gram`] for inputs whose lengths were checked.
pub(crate) fn gram_unchecked(columns: &[&[f64]], weights: Option<&[f64]>, rows: usize) -> Mat<f64> {
    let k = columns.len();
    let mut total = Mat::<f64>::zeros(k, k);
    in_row_order(rows, |start, end| block(columns, weights, start, end), |part| total += part);
    for j in 0..k {
        for i in 0..j {
            total[(i, j)] = total[(j, i)];
        }
    }
    total
}

/// Runs `task(start, end)` over blocks of [`BLOCK`] rows, in parallel, and hands the results to `merge` in row order.
pub(crate) fn in_row_order<T: Send>(
    rows: usize,
    task: impl Fn(usize, usize) -> T + Sync,
    mut merge: impl FnMut(T),
) {
    let starts: Vec<usize> = (0..rows).step_by(BLOCK).collect();
    for wave in starts.chunks(WAVE) {
        let parts: Vec<T> = wave.par_iter().map(|&start| task(start, (start + BLOCK).min(rows))).collect();
        parts.into_iter().for_each(&mut merge);
    }
}

/// Lower triangle of X'WX over the rows `start..end`.
fn block(columns: &[&[f64]], weights: Option<&[f64]>, start: usize, end: usize) -> Mat<f64> {
    let k = columns.len();
    let mut total = Mat::<f64>::zeros(k, k);
    let mut plain = Vec::with_capacity(k * CHUNK);
    let mut weighted = Vec::with_capacity(if weights.is_some() { k * CHUNK } else { 0 });
    let mut from = start;
    while from < end {
        let to = (from + CHUNK).min(end);
        plain.clear();
        weighted.clear();
        for column in columns {
            plain.extend_from_slice(&column[from..to]);
            if let Some(w) = weights {
                weighted.extend(column[from..to].iter().zip(&w[from..to]).map(|(x, w)| x * w));
            }
        }
        let x = MatRef::from_column_major_slice(&plain, to - from, k);
        let wx = if weights.is_some() { MatRef::from_column_major_slice(&weighted, to - from, k) } else { x };
        triangular::matmul(
            total.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Add,
            wx.transpose(),
            BlockStructure::Rectangular,
            x,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        from = to;
    }
    total
}

/// Weighted Euclidean norm of each column, sqrt(sum w x^2): the `reference_norms` of
/// [`least_squares`](crate::least_squares) when taken before absorption.
pub fn column_norms(columns: &[&[f64]], weights: Option<&[f64]>) -> Vec<f64> {
    columns.par_iter().map(|column| sum_squares(column, weights).sqrt()).collect()
}

/// sum w x^2, in lanes whose order is fixed.
pub(crate) fn sum_squares(x: &[f64], weights: Option<&[f64]>) -> f64 {
    match weights {
        None => sum_by(x.len(), |i| x[i] * x[i]),
        Some(w) => sum_by(x.len(), |i| w[i] * x[i] * x[i]),
    }
}

/// Sum of `f(0..n)` in chunks of 1024 terms with eight lanes each, so that rounding grows slowly and the order is fixed.
pub(crate) fn sum_by(n: usize, f: impl Fn(usize) -> f64) -> f64 {
    let mut total = 0.0;
    let mut from = 0;
    while from < n {
        let to = (from + 1024).min(n);
        let mut lanes = [0.0f64; 8];
        let whole = from + (to - from) / 8 * 8;
        for i in (from..whole).step_by(8) {
            for (l, lane) in lanes.iter_mut().enumerate() {
                *lane += f(i + l);
            }
        }
        let tail: f64 = (whole..to).map(&f).sum();
        total += ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5]))
            + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
            + tail;
        from = to;
    }
    total
}
