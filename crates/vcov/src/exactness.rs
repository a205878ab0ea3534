//! Variances that are rounding, told from the sums they were made of.
//!
//! The variance of a coefficient is a sum of squares of influences: psi_g = sum of w z e over the rows of a group, with z
//! the coefficient's row of bread times columns. Where a group is fitted exactly, or is the only one that the
//! coefficient uses, psi is zero in exact arithmetic and the rounding of its terms in doubles. Rounding of psi becomes a
//! root of 1e-16 only after it was squared; and bread times meat times bread leaves 1e-16 of *other* variances, whose
//! root is 1e-8. So each variance that bread times meat times bread cannot tell from zero is computed again as a sum of
//! squares, beside the same sum over the rounding that each psi may carry.

use parallax_linalg::{
    Mat, MatRef,
    rounding::{clear, floor, is_rounding},
};
use parallax_panel::Codes;

use crate::{
    LinearParts, VcovError,
    matrix::{Around, group_scores},
};

/// What decides on the variances of one covariance.
pub(crate) struct Exactness<'a> {
    parts: &'a LinearParts<'a>,
    around: &'a Around,
    columns: Vec<&'a [f64]>,
    /// Scale of the whole matrix.
    factor: f64,
}

/// A coefficient's row of bread times columns, and the sum of absolute parts of each entry.
struct Projection {
    z: Vec<f64>,
    size: Vec<f64>,
}

impl<'a> Exactness<'a> {
    pub(crate) fn new(parts: &'a LinearParts<'a>, around: &'a Around, factor: f64) -> Exactness<'a> {
        Exactness { parts, around, columns: around.columns(parts), factor }
    }

    /// Where each row is a group of its own: `squared` gives squared scores of residuals.
    ///
    /// # Errors
    /// What `squared` says.
    pub(crate) fn settle_rows(
        &self,
        matrix: &mut Mat<f64>,
        meat: MatRef<'_, f64>,
        squared: impl Fn(&[f64]) -> Result<Vec<f64>, VcovError>,
    ) -> Result<(), VcovError> {
        let suspects = self.suspects(matrix, meat, 1.0, true);
        if suspects.is_empty() {
            return Ok(());
        }
        let floors: Vec<f64> = self.parts.sizes.rows.iter().map(|it| floor(*it)).collect();
        let (scores, noise) = (squared(self.parts.residuals)?, squared(&floors)?);
        for at in suspects {
            let Projection { z, size } = self.projection(at);
            let sum = |of: &[f64], z: &[f64]| z.iter().zip(of).map(|(z, s)| z * z * s).sum::<f64>();
            let of_mixing: f64 = size.iter().zip(&scores).map(|(size, s)| floor(*size).powi(2) * s).sum();
            let variance = sum(&scores, &z);
            if variance <= sum(&noise, &z) + of_mixing {
                clear(matrix, at);
            } else {
                matrix[(at, at)] = self.factor * variance;
            }
        }
        Ok(())
    }

    /// Where scores are added up within groups, one set of groups or several with signs.
    pub(crate) fn settle_clusters(
        &self,
        matrix: &mut Mat<f64>,
        meat: MatRef<'_, f64>,
        terms: &[(&Codes, f64)],
    ) {
        let scale: f64 = terms.iter().map(|it| it.1.abs()).sum();
        let suspects = self.suspects(matrix, meat, scale, terms.len() < 2);
        if suspects.is_empty() {
            return;
        }
        // Influences of all coefficients, of which a suspect's covariances are made again.
        let sums: Vec<Vec<Vec<f64>>> = terms.iter().map(|it| self.influences(it.0)).collect();
        for at in suspects {
            let projection = self.projection(at);
            let (mut variance, mut noise, mut size) = (0.0, 0.0, 0.0);
            let mut row = vec![0.0; matrix.nrows()];
            for ((groups, scale), all) in terms.iter().zip(&sums) {
                let (psi, rounding) = self.group_influence(&projection, groups);
                let square: f64 = psi.iter().map(|it| it * it).sum();
                variance += scale * square;
                size += scale.abs() * square;
                noise += scale.abs() * rounding.iter().map(|it| it * it).sum::<f64>();
                for (entry, other) in row.iter_mut().zip(all) {
                    *entry += scale * psi.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
                }
            }
            // The signed sum of a multi-way covariance may cancel by itself.
            if variance.abs() <= noise || is_rounding(variance, size) && 1 < terms.len() {
                clear(matrix, at);
                continue;
            }
            for (other, entry) in row.into_iter().enumerate() {
                matrix[(at, other)] = self.factor * entry;
                matrix[(other, at)] = self.factor * entry;
            }
            matrix[(at, at)] = self.factor * variance;
        }
    }

    /// Coefficients whose variance is below what rounding of all residuals together could make (Cauchy and Schwarz), or
    /// below the rounding of the product; those of a signed sum whose parts cancel, too.
    fn suspects(&self, matrix: &Mat<f64>, meat: MatRef<'_, f64>, scale: f64, one_way: bool) -> Vec<usize> {
        let k = matrix.nrows();
        let noise = self.factor * scale * floor(self.parts.sizes.square.sqrt()).powi(2);
        let left = Mat::from_fn(k, k, |i, j| self.around.left[(i, j)].abs());
        let meat = Mat::from_fn(k, k, |i, j| meat[(i, j)].abs());
        let parts = &left * &meat;
        let size = |i: usize| self.factor * (0..k).map(|j| parts[(i, j)] * left[(i, j)]).sum::<f64>();
        let suspect = |i: usize| {
            let variance = matrix[(i, i)];
            let near_zero = if one_way { variance } else { variance.abs() };
            near_zero <= noise * self.parts.bread[(i, i)] || near_zero <= MARGIN * floor(size(i))
        };
        (0..k).filter(|&it| suspect(it)).collect()
    }

    fn projection(&self, at: usize) -> Projection {
        let n = self.parts.residuals.len();
        let mut projection = Projection { z: vec![0.0; n], size: vec![0.0; n] };
        for (j, column) in self.columns.iter().enumerate() {
            let share = self.around.left[(at, j)];
            for ((z, size), x) in projection.z.iter_mut().zip(&mut projection.size).zip(*column) {
                *z += share * x;
                *size += (share * x).abs();
            }
        }
        projection
    }

    /// psi of one coefficient by group, and the rounding that it may carry.
    fn group_influence(&self, projection: &Projection, groups: &Codes) -> (Vec<f64>, Vec<f64>) {
        let parts = self.parts;
        let (mut psi, mut noise) = (vec![0.0; groups.n_groups()], vec![0.0; groups.n_groups()]);
        for (row, &group) in groups.code.iter().enumerate() {
            let weight = parts.weights.map_or(1.0, |it| it[row]);
            let (z, e) = (projection.z[row], parts.residuals[row]);
            psi[group as usize] += weight * z * e;
            let size = z.abs() * parts.sizes.rows[row] + projection.size[row] * e.abs();
            noise[group as usize] += floor(weight * size);
        }
        (psi, noise)
    }

    /// psi of every coefficient by group: k columns.
    fn influences(&self, groups: &Codes) -> Vec<Vec<f64>> {
        let scores: Vec<Vec<f64>> =
            self.columns.iter().map(|it| group_scores(it, self.parts, groups)).collect();
        let combined = |at: usize| {
            let mut psi = vec![0.0; groups.n_groups()];
            for (j, score) in scores.iter().enumerate() {
                let share = self.around.left[(at, j)];
                psi.iter_mut().zip(score).for_each(|(psi, s)| *psi += share * s);
            }
            psi
        };
        (0..self.columns.len()).map(combined).collect()
    }
}

/// The product of three matrices rounds more often than one sum.
const MARGIN: f64 = 16.0;
