//! Small symmetric matrices: solutions, inverses, eigenvalues, quadratic forms.

use crate::{LinalgError, check};
use faer::{Mat, MatRef, Side};

/// Share of the largest eigenvalue below which an eigenvalue counts as zero, per unit of order: rounding in a covariance
/// that was summed in double precision is a few hundred ulps.
const RANK_TOLERANCE: f64 = 1e-12;

/// Solves `a x = b` for symmetric positive definite `a` (p x p, lower triangle read) and `b` (p x m).
///
/// # Errors
/// `NotPositiveDefinite` with the index of the failing pivot; `DimensionMismatch`.
pub fn solve_spd(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Result<Mat<f64>, LinalgError> {
    check::length("columns of a", a.nrows(), a.ncols())?;
    check::length("rows of b", a.nrows(), b.nrows())?;
    let scale = unit_diagonal_scale(a)?;
    let factor = scaled(a, &scale).llt(Side::Lower).map_err(|e| not_positive(a.nrows(), &e))?;
    let rhs = Mat::from_fn(b.nrows(), b.ncols(), |i, j| b[(i, j)] * scale[i]);
    let mut x = faer::linalg::solvers::Solve::solve(&factor, rhs.as_ref());
    for j in 0..x.ncols() {
        for i in 0..x.nrows() {
            x[(i, j)] *= scale[i];
        }
    }
    Ok(x)
}

/// Inverse of a symmetric positive definite matrix (p x p), exactly symmetric.
///
/// # Errors
/// `NotPositiveDefinite` with the index of the failing pivot.
pub fn symmetric_inverse(a: MatRef<'_, f64>) -> Result<Mat<f64>, LinalgError> {
    let inverse = solve_spd(a, Mat::<f64>::identity(a.nrows(), a.nrows()).as_ref())?;
    Ok(symmetrized(inverse.as_ref()))
}

/// Eigenvalues in ascending order and orthonormal eigenvectors (columns, same order) of a symmetric matrix.
///
/// The sign of each vector is fixed: its entry of largest magnitude (the first of them) is positive.
///
/// # Errors
/// `EigenFailed`; `DimensionMismatch` when `a` is not square; `NonFinite` for a NaN or an infinity.
pub fn symmetric_eigen(a: MatRef<'_, f64>) -> Result<(Vec<f64>, Mat<f64>), LinalgError> {
    let p = a.nrows();
    check::length("columns of a", p, a.ncols())?;
    for j in 0..p {
        if let Some(row) = (0..p).find(|&i| !a[(i, j)].is_finite()) {
            return Err(LinalgError::NonFinite { column: j, row });
        }
    }
    if p == 0 {
        return Ok((Vec::new(), Mat::zeros(0, 0)));
    }
    let eigen = a.self_adjoint_eigen(Side::Lower).map_err(|_| LinalgError::EigenFailed { order: p })?;
    let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
    let mut order: Vec<usize> = (0..p).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    let u = eigen.U();
    let mut vectors = Mat::<f64>::zeros(p, p);
    for (to, &from) in order.iter().enumerate() {
        let mut top = 0.0f64;
        for i in 0..p {
            if u[(i, from)].abs() > top.abs() {
                top = u[(i, from)];
            }
        }
        let sign = if top < 0.0 { -1.0 } else { 1.0 };
        for i in 0..p {
            vectors[(i, to)] = sign * u[(i, from)];
        }
    }
    Ok((order.iter().map(|&i| values[i]).collect(), vectors))
}

/// The nearest positive semidefinite matrix in the Frobenius norm (Higham 1988, theorem 2.1), and how many eigenvalues
/// were set to zero. A matrix without negative eigenvalues comes back unchanged, bit for bit.
///
/// This is the correction of multiway clustered covariances by Cameron, Gelbach and Miller (2011), section 2.3.
///
/// # Errors
/// As [`symmetric_eigen`].
pub fn nearest_psd(a: &Mat<f64>) -> Result<(Mat<f64>, usize), LinalgError> {
    let p = a.nrows();
    let (values, vectors) = symmetric_eigen(a.as_ref())?;
    let clamped = values.iter().filter(|&&v| v < 0.0).count();
    if clamped == 0 {
        return Ok((a.clone(), 0));
    }
    let clamp = |i: usize, j: usize| -> f64 {
        (0..p).map(|m| vectors[(i, m)] * values[m].max(0.0) * vectors[(j, m)]).sum()
    };
    Ok((symmetrized(Mat::from_fn(p, p, clamp).as_ref()), clamped))
}

/// v' M^+ v with the rank of M, for a symmetric positive semidefinite M (p x p) that may be singular.
///
/// M is scaled to unit diagonal first, so that the rank does not depend on the units of the coefficients; eigenvalues
/// below p * 1e-12 of the largest count as zero. The rank is the degrees of freedom of a Wald or Hausman statistic
/// (Moore 1977). A coefficient with a variance of zero is left out. Where an eigenvalue is below zero beyond rounding M is
/// no covariance, and the form is NaN.
///
/// # Errors
/// As [`symmetric_eigen`]; `DimensionMismatch` when `v` does not fit.
pub fn quadratic_form_inverse(v: &[f64], m: MatRef<'_, f64>) -> Result<(f64, usize), LinalgError> {
    let p = m.nrows();
    check::length("v", p, v.len())?;
    check::length("columns of m", p, m.ncols())?;
    if (0..p).any(|i| m[(i, i)] < 0.0) {
        return Ok((f64::NAN, p));
    }
    let scale: Vec<f64> =
        (0..p).map(|i| if m[(i, i)] > 0.0 { 1.0 / m[(i, i)].sqrt() } else { 0.0 }).collect();
    let (values, vectors) = symmetric_eigen(scaled(m, &scale).as_ref())?;
    let floor = RANK_TOLERANCE * p as f64 * values.last().copied().unwrap_or(0.0).max(0.0);
    let mut form = if values.first().is_some_and(|it| *it < -floor) { f64::NAN } else { 0.0 };
    let mut rank = 0;
    for (k, &value) in values.iter().enumerate() {
        if value > floor {
            let projection: f64 = (0..p).map(|i| vectors[(i, k)] * v[i] * scale[i]).sum();
            form += projection * projection / value;
            rank += 1;
        }
    }
    Ok((form, rank))
}

/// (a + a') / 2.
fn symmetrized(a: MatRef<'_, f64>) -> Mat<f64> {
    Mat::from_fn(a.nrows(), a.nrows(), |i, j| 0.5 * (a[(i, j)] + a[(j, i)]))
}

fn scaled(a: MatRef<'_, f64>, scale: &[f64]) -> Mat<f64> {
    Mat::from_fn(a.nrows(), a.nrows(), |i, j| a[(i, j)] * scale[i] * scale[j])
}

fn unit_diagonal_scale(a: MatRef<'_, f64>) -> Result<Vec<f64>, LinalgError> {
    let order = a.nrows();
    (0..order)
        .map(|i| {
            let d = a[(i, i)];
            if d > 0.0 && d.is_finite() {
                Ok(1.0 / d.sqrt())
            } else {
                Err(LinalgError::NotPositiveDefinite { order, pivot: i })
            }
        })
        .collect()
}

fn not_positive(order: usize, error: &faer::linalg::cholesky::llt::factor::LltError) -> LinalgError {
    let faer::linalg::cholesky::llt::factor::LltError::NonPositivePivot { index } = error;
    LinalgError::NotPositiveDefinite { order, pivot: *index }
}
