//! Coefficients of several regressions with one covariance: stacked moments on the rows of one design.

use parallax_linalg::Mat;
use parallax_panel::Codes;
use parallax_vcov::{HcKind, Repair, VcovError, VcovSpec};

use crate::{Design, FitError, Regression, Variable};

/// A coefficient as a sum over the rows of a design: b - beta = sum of w z e, with z its column of
/// X (X'WX)^{-1} and e the residuals of its regression.
#[derive(Clone, Debug)]
pub struct Influence {
    /// z, one value a row of the design; zero on rows the regression does not use.
    pub projection: Vec<f64>,
    /// e, one value a row of the design; zero on rows the regression does not use.
    pub residuals: Vec<f64>,
    /// The variance of the coefficient as its own regression reports it.
    pub variance: f64,
}

impl Influence {
    /// That of one coefficient (a position among the kept ones) of a regression on all rows.
    ///
    /// # Errors
    /// When there is no such coefficient.
    pub fn of(fit: &Regression, variables: &[Variable], position: usize) -> Result<Influence, FitError> {
        if fit.kept.len() <= position {
            return Err(FitError::Model(format!("the regression kept {} columns only", fit.kept.len())));
        }
        let mut projection = vec![0.0; fit.residuals.len()];
        for (at, column) in fit.kept.iter().enumerate() {
            let share = fit.bread[(position, at)];
            projection.iter_mut().zip(variables[*column].after.iter()).for_each(|(z, x)| *z += share * x);
        }
        let variance = fit.vcov.matrix[(position, position)];
        Ok(Influence { projection, residuals: fit.residuals.clone(), variance })
    }
}

/// The covariance of coefficients of several regressions, and how many negative eigenvalues were set to zero.
///
/// Off the diagonal it is the sum over clusters (or rows) of products of influences, as seemingly unrelated
/// estimation has it (Stata manual R suest; Zellner 1962 for iid). Each regression's own factors for small samples are on
/// the diagonal, which is what the regression reports, and the root of their product off it.
///
/// A coefficient whose variance is rounding has a row and a column of zeros.
///
/// # Errors
/// A covariance with leverages, which has no cross terms here.
pub fn joint_covariance(
    design: &Design<'_>,
    influences: &[Influence],
) -> Result<(Mat<f64>, usize), FitError> {
    let raw = match &design.vcov.spec {
        VcovSpec::Iid => iid(design, influences),
        VcovSpec::Hc(HcKind::Hc2 | HcKind::Hc3) => {
            return Err(FitError::Model(
                "hc2 and hc3 have no covariance between regressions here; use hc1 or clusters".to_owned(),
            ));
        }
        VcovSpec::Hc(HcKind::Hc0 | HcKind::Hc1) => {
            // A row that is there w times adds w e^2, not w^2 e^2.
            let power = if design.frequency { 0.5 } else { 1.0 };
            products(&influences.iter().map(|it| scores(design, it, power)).collect::<Vec<_>>())
        }
        VcovSpec::Cluster { .. } => clustered(design, influences)?,
    };
    let k = influences.len();
    let factor = |(at, it): (usize, &Influence)| {
        let ratio = it.variance / raw[(at, at)];
        if 0.0 < ratio && ratio.is_finite() { ratio.sqrt() } else { 0.0 }
    };
    let factors: Vec<f64> = influences.iter().enumerate().map(factor).collect();
    let joint = Mat::from_fn(k, k, |i, j| {
        if i == j { influences[i].variance } else { raw[(i, j)] * factors[i] * factors[j] }
    });
    if design.vcov.groups.len() < 2 { Ok((joint, 0)) } else { Ok(Repair::apply(design.vcov.repair, joint)?) }
}

/// (sum of w z_i z_j) (sum of w e_i e_j): errors of two equations correlate within a row and not between rows.
fn iid(design: &Design<'_>, influences: &[Influence]) -> Mat<f64> {
    let of = |get: fn(&Influence) -> &[f64]| {
        let weighed = |it: &Influence| match design.weight_values() {
            Some(w) => get(it).iter().zip(w).map(|(v, w)| v * w.sqrt()).collect(),
            None => get(it).to_vec(),
        };
        products(&influences.iter().map(weighed).collect::<Vec<_>>())
    };
    let (z, e) = (of(|it| &it.projection), of(|it| &it.residuals));
    Mat::from_fn(influences.len(), influences.len(), |i, j| z[(i, j)] * e[(i, j)])
}

/// Signed sum over the intersections of cluster columns (Cameron, Gelbach and Miller 2011, eq. 2.13).
fn clustered(design: &Design<'_>, influences: &[Influence]) -> Result<Mat<f64>, VcovError> {
    let rows: Vec<Vec<f64>> = influences.iter().map(|it| scores(design, it, 1.0)).collect();
    let groups = &design.vcov.groups;
    let mut total = Mat::zeros(influences.len(), influences.len());
    for set in 1..1_usize << groups.len() {
        let inside: Vec<Codes> =
            (0..groups.len()).filter(|it| set >> it & 1 == 1).map(|it| groups[it].clone()).collect();
        let sign = if inside.len() % 2 == 1 { 1.0 } else { -1.0 };
        let codes = Codes::combined(&inside);
        let scale = design.vcov.cluster_scale(codes.n_groups());
        let sums: Vec<Vec<f64>> = rows.iter().map(|it| sums(it, &codes)).collect();
        let part = products(&sums);
        total += Mat::from_fn(part.nrows(), part.ncols(), |i, j| sign * scale * part[(i, j)]);
    }
    Ok(total)
}

/// w^power z e by row.
fn scores(design: &Design<'_>, influence: &Influence, power: f64) -> Vec<f64> {
    let plain = influence.projection.iter().zip(&influence.residuals).map(|(z, e)| z * e);
    match design.weight_values() {
        None => plain.collect(),
        Some(w) => plain.zip(w).map(|(score, w)| score * w.powf(power)).collect(),
    }
}

fn sums(values: &[f64], codes: &Codes) -> Vec<f64> {
    let mut sums = vec![0.0; codes.n_groups()];
    for (value, &group) in values.iter().zip(codes.code.iter()) {
        sums[group as usize] += value;
    }
    sums
}

/// Inner products of every two columns, exactly symmetric.
fn products(columns: &[Vec<f64>]) -> Mat<f64> {
    let dot = |i: usize, j: usize| columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b).sum::<f64>();
    Mat::from_fn(columns.len(), columns.len(), |i, j| dot(i.max(j), i.min(j)))
}
