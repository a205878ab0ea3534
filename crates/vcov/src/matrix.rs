//! The matrix: bread times meat times bread, scaled as the plan says.

use parallax_linalg::{
    LinalgError, Mat, MatRef, column_norms, gram,
    rounding::{RowSizes, congruence},
    symmetric_eigen,
};
use parallax_panel::Codes;

use crate::{
    AbsorbedEffect, Arithmetic, HcKind, Repair, SmallSample, VcovError, VcovPlan, VcovSpec,
    arithmetic::arithmetic, exactness::Exactness,
};

/// Gives the leverages of the absorbed effects, one a row; called for HC2 and HC3 only.
pub type LeverageFn<'a> = dyn Fn() -> Result<Vec<f64>, LinalgError> + 'a;

/// What a linear estimator hands over to have its covariance made.
pub struct LinearParts<'a> {
    /// The k kept regressors after absorption or transformation, n values each.
    pub columns: &'a [&'a [f64]],
    /// n residuals of that regression, not multiplied by weights.
    pub residuals: &'a [f64],
    /// What each residual was computed from, so that rounding is told from variance.
    pub sizes: &'a RowSizes,
    /// n weights, or none.
    pub weights: Option<&'a [f64]>,
    /// The weights count repeated rows, so that n is their sum.
    pub frequency: bool,
    /// Regressors that were partialled out of the columns before; they count in K.
    pub partialled: usize,
    /// (X'WX)^{-1}, k x k.
    pub bread: MatRef<'a, f64>,
    /// L where coefficients L b are reported instead of b; their covariance is L V L'.
    pub lines: Option<MatRef<'a, f64>>,
    /// The absorbed effects, in formula order.
    pub absorbed: &'a [AbsorbedEffect],
    /// True when the last column is the constant; absorbed effects span it too, so it counts once.
    pub constant: bool,
    /// Leverages of the absorbed effects; `None` without effects.
    pub leverages: Option<&'a LeverageFn<'a>>,
}

/// A covariance matrix that says how it was made.
#[derive(Clone, Debug)]
pub struct Vcov {
    /// k x k, symmetric. A coefficient whose variance is rounding has a row and a column of zeros; a multi-way
    /// covariance that was not repaired may have variances below zero. Neither has an error: see
    /// [`Vcov::std_errors`].
    pub matrix: Mat<f64>,
    /// What was asked.
    pub spec: VcovSpec,
    /// Under which rules.
    pub small_sample: SmallSample,
    /// The arithmetic behind it.
    pub arithmetic: Arithmetic,
    /// The repair that was asked for.
    pub repair: Option<Repair>,
    /// Negative eigenvalues that it set to zero (multi-way clusters only).
    pub clamped: usize,
}

impl VcovPlan {
    /// The covariance of the coefficients of `parts`.
    ///
    /// # Errors
    /// No degrees of freedom, leverage one under HC2 or HC3, a request the preset's program refuses.
    pub fn matrix(&self, parts: &LinearParts<'_>) -> Result<Vcov, VcovError> {
        self.prepare(parts)?.matrix(parts)
    }

    /// Everything that does not depend on numbers in columns and residuals, for many covariances of one
    /// shape: the groups of every cluster term and the factors.
    ///
    /// # Errors
    /// No degrees of freedom, a request the preset's program refuses.
    pub fn prepare(&self, parts: &LinearParts<'_>) -> Result<PreparedVcov<'_>, VcovError> {
        let terms = self.cluster_terms();
        let counts: Vec<_> = terms.iter().map(|it| (it.by.clone(), it.sign, it.codes.n_groups())).collect();
        let columns = parts.columns.len() + parts.partialled;
        let regressors = columns - usize::from(parts.counts_constant_twice());
        let arithmetic = arithmetic(self, parts.observations(), regressors, parts.absorbed, &counts)?;
        Ok(PreparedVcov { plan: self, terms, arithmetic })
    }

    /// Every non-empty set of cluster columns with its sign and intersected groups
    /// (Cameron, Gelbach and Miller 2011, JBES 29, eq. 2.13).
    fn cluster_terms(&self) -> Vec<ClusterTerm> {
        let names = self.spec.clusters();
        (1..1_usize << names.len())
            .map(|set| {
                let inside: Vec<usize> = (0..names.len()).filter(|it| set >> it & 1 == 1).collect();
                let codes: Vec<Codes> = inside.iter().map(|&it| self.groups[it].clone()).collect();
                let by: Vec<String> = inside.iter().map(|&it| names[it].name().to_string()).collect();
                ClusterTerm {
                    by: by.join("^"),
                    sign: if inside.len() % 2 == 1 { 1.0 } else { -1.0 },
                    codes: Codes::combined(&codes),
                }
            })
            .collect()
    }
}

/// A plan with its cluster terms and factors worked out.
pub struct PreparedVcov<'p> {
    plan: &'p VcovPlan,
    terms: Vec<ClusterTerm>,
    /// What the covariances share.
    pub arithmetic: Arithmetic,
}

impl PreparedVcov<'_> {
    /// The covariance of the coefficients of `parts`, which has the shape that was prepared for.
    ///
    /// # Errors
    /// Leverage one under HC2 or HC3, or what linear algebra says.
    pub fn matrix(&self, parts: &LinearParts<'_>) -> Result<Vcov, VcovError> {
        let k = parts.columns.len();
        let PreparedVcov { plan, terms, arithmetic } = self;
        let matrix = match &plan.spec {
            VcovSpec::Iid if parts.sizes.explain(rss(parts)) => Mat::zeros(k, k),
            VcovSpec::Iid => scaled(parts.bread, rss(parts) / arithmetic.factor),
            VcovSpec::Hc(kind) => heteroskedastic(*kind, parts, arithmetic)?,
            VcovSpec::Cluster { .. } => clustered(terms, parts, arithmetic)?,
        };
        let matrix = match parts.lines {
            Some(lines) => congruence(lines, matrix.as_ref()),
            None => matrix,
        };
        // One-way sums are positive as they are.
        let (matrix, clamped) =
            if terms.len() < 2 { (matrix, 0) } else { Repair::apply(plan.repair, matrix)? };
        Ok(Vcov {
            matrix,
            spec: plan.spec.clone(),
            small_sample: plan.small_sample,
            arithmetic: arithmetic.clone(),
            repair: plan.repair,
            clamped,
        })
    }
}

fn heteroskedastic(
    kind: HcKind,
    parts: &LinearParts<'_>,
    arithmetic: &Arithmetic,
) -> Result<Mat<f64>, VcovError> {
    let around = Around::of(parts)?;
    let meat = squares(&around.columns(parts), &squared_scores(kind, parts, parts.residuals)?)?;
    let mut matrix = scaled(around.sandwich(meat.as_ref()).as_ref(), arithmetic.factor);
    let exactness = Exactness::new(parts, &around, arithmetic.factor);
    exactness.settle_rows(&mut matrix, meat.as_ref(), |it| squared_scores(kind, parts, it))?;
    Ok(matrix)
}

fn clustered(
    terms: &[ClusterTerm],
    parts: &LinearParts<'_>,
    arithmetic: &Arithmetic,
) -> Result<Mat<f64>, VcovError> {
    let k = parts.columns.len();
    let around = Around::of(parts)?;
    let columns = around.columns(parts);
    let mut meat = Mat::<f64>::zeros(k, k);
    for (term, how) in terms.iter().zip(&arithmetic.terms) {
        add_cluster_meat(&mut meat, &columns, parts, &term.codes, how.sign * how.scale)?;
    }
    let mut matrix = scaled(around.sandwich(meat.as_ref()).as_ref(), arithmetic.factor);
    let scales = terms.iter().zip(&arithmetic.terms).map(|(term, how)| (&term.codes, how.sign * how.scale));
    let scales: Vec<(&Codes, f64)> = scales.collect();
    Exactness::new(parts, &around, arithmetic.factor).settle_clusters(&mut matrix, meat.as_ref(), &scales);
    Ok(matrix)
}

impl LinearParts<'_> {
    /// Rows, or the sum of frequency weights.
    pub fn observations(&self) -> usize {
        match self.weights {
            Some(it) if self.frequency => it.iter().sum::<f64>().round() as usize,
            _ => self.residuals.len(),
        }
    }

    fn counts_constant_twice(&self) -> bool {
        self.constant && !self.absorbed.is_empty()
    }
}

struct ClusterTerm {
    by: String,
    sign: f64,
    codes: Codes,
}

impl Vcov {
    /// Standard errors: roots of the diagonal; NaN where there is no positive variance.
    pub fn std_errors(&self) -> Vec<f64> {
        (0..self.matrix.nrows()).map(|it| std_error(self.matrix[(it, it)])).collect()
    }
}

/// The root of a variance; NaN where it is not positive, since then there is no error.
pub fn std_error(variance: f64) -> f64 {
    if 0.0 < variance { variance.sqrt() } else { f64::NAN }
}

fn rss(parts: &LinearParts<'_>) -> f64 {
    match parts.weights {
        None => parts.residuals.iter().map(|e| e * e).sum(),
        Some(w) => parts.residuals.iter().zip(w).map(|(e, w)| w * e * e).sum(),
    }
}

/// (w e)^2, divided by powers of 1-h for HC2 and HC3: the weights of x x' in the meat. A row that is there w
/// times adds w e^2, and each of its copies has the w-th part of the leverage.
fn squared_scores(kind: HcKind, parts: &LinearParts<'_>, residuals: &[f64]) -> Result<Vec<f64>, VcovError> {
    let weight = |row: usize| parts.weights.map_or(1.0, |it| it[row]);
    let power_of_weight = if parts.frequency { 1 } else { 2 };
    let mut scores: Vec<f64> =
        residuals.iter().enumerate().map(|(row, e)| weight(row).powi(power_of_weight) * e * e).collect();
    let power = match kind {
        HcKind::Hc0 | HcKind::Hc1 => return Ok(scores),
        HcKind::Hc2 => 1,
        HcKind::Hc3 => 2,
    };
    let leverages = leverages(parts)?;
    for (row, (score, h)) in scores.iter_mut().zip(leverages).enumerate() {
        let remaining = 1.0 - if parts.frequency { h / weight(row) } else { h };
        if remaining < LEVERAGE_FLOOR {
            return Err(VcovError::FullLeverage { row: row + 1, kind: kind.to_string() });
        }
        *score /= remaining.powi(power);
    }
    Ok(scores)
}

/// Sum of s^2 x x'. A score may be zero (a singleton fits itself), which weights of [`gram`] may not.
fn squares(columns: &[&[f64]], squared_scores: &[f64]) -> Result<Mat<f64>, VcovError> {
    let scale: Vec<f64> = squared_scores.iter().map(|it| it.sqrt()).collect();
    let scaled: Vec<Vec<f64>> =
        columns.iter().map(|column| column.iter().zip(&scale).map(|(x, s)| x * s).collect()).collect();
    let scaled: Vec<&[f64]> = scaled.iter().map(Vec::as_slice).collect();
    Ok(gram(&scaled, None)?)
}

/// Below this distance from one a leverage is one up to rounding: the row fits itself.
const LEVERAGE_FLOOR: f64 = 1e-10;

/// h = w x'(X'WX)^{-1}x of the remaining regressors plus the leverage of the absorbed effects;
/// the two projections are orthogonal (Frisch-Waugh).
fn leverages(parts: &LinearParts<'_>) -> Result<Vec<f64>, VcovError> {
    let mut leverages = match parts.leverages {
        Some(of_effects) => of_effects()?,
        None => vec![0.0; parts.residuals.len()],
    };
    for (j, left) in parts.columns.iter().enumerate() {
        for (l, right) in parts.columns.iter().enumerate() {
            let bread = parts.bread[(j, l)];
            for (row, h) in leverages.iter_mut().enumerate() {
                *h += parts.weights.map_or(1.0, |it| it[row]) * bread * left[row] * right[row];
            }
        }
    }
    if parts.counts_constant_twice() {
        let total: f64 = parts.weights.map_or(leverages.len() as f64, |it| it.iter().sum());
        for (row, h) in leverages.iter_mut().enumerate() {
            *h -= parts.weights.map_or(1.0, |it| it[row]) / total;
        }
    }
    Ok(leverages)
}

/// Adds `scale` times the sum over groups of (sum of scores)(sum of scores)'.
fn add_cluster_meat(
    meat: &mut Mat<f64>,
    columns: &[&[f64]],
    parts: &LinearParts<'_>,
    groups: &Codes,
    scale: f64,
) -> Result<(), VcovError> {
    let sums: Vec<Vec<f64>> = columns.iter().map(|it| group_scores(it, parts, groups)).collect();
    let sums: Vec<&[f64]> = sums.iter().map(Vec::as_slice).collect();
    let outer = gram(&sums, None)?;
    for i in 0..sums.len() {
        for j in 0..sums.len() {
            meat[(i, j)] += scale * outer[(i, j)];
        }
    }
    Ok(())
}

/// Sums of w x e within groups.
pub(crate) fn group_scores(column: &[f64], parts: &LinearParts<'_>, groups: &Codes) -> Vec<f64> {
    let mut sums = vec![0.0; groups.n_groups()];
    let rows = column.iter().zip(parts.residuals).zip(groups.code.iter());
    match parts.weights {
        None => {
            for ((x, e), &g) in rows {
                sums[g as usize] += x * e;
            }
        }
        Some(w) => {
            for (((x, e), &g), w) in rows.zip(w) {
                sums[g as usize] += w * x * e;
            }
        }
    }
    sums
}

/// What stands on both sides of the meat, and the columns whose scores make it.
///
/// The plain choice is the bread B and the columns X. Where columns nearly cancel (a calendar year beside a
/// constant) B X' loses the digits that cancel, so the columns become the orthonormal Z = X L with L L' = B,
/// and L stands on both sides: the same product in exact arithmetic.
pub(crate) struct Around {
    /// k x k.
    pub(crate) left: Mat<f64>,
    orthonormal: Option<Vec<Vec<f64>>>,
}

/// Largest B_jj |x_j|^2, which is one for orthogonal columns, for the plain product: it loses its square
/// times 1e-16.
const PLAIN_LIMIT: f64 = 100.0;

impl Around {
    fn of(parts: &LinearParts<'_>) -> Result<Around, VcovError> {
        let k = parts.columns.len();
        let norms = column_norms(parts.columns, parts.weights);
        let largest = (0..k).map(|j| parts.bread[(j, j)] * norms[j].powi(2)).fold(0.0, f64::max);
        if largest <= PLAIN_LIMIT {
            return Ok(Around { left: parts.bread.to_owned(), orthonormal: None });
        }
        let scale: Vec<f64> = (0..k).map(|j| parts.bread[(j, j)].max(f64::MIN_POSITIVE).sqrt()).collect();
        let unit = Mat::from_fn(k, k, |i, j| parts.bread[(i, j)] / (scale[i] * scale[j]));
        let (values, vectors) = symmetric_eigen(unit.as_ref())?;
        let left = Mat::from_fn(k, k, |i, j| scale[i] * vectors[(i, j)] * values[j].max(0.0).sqrt());
        let combine = |target: usize| {
            let mut z = vec![0.0; parts.residuals.len()];
            for (j, column) in parts.columns.iter().enumerate() {
                let share: f64 = left[(j, target)];
                z.iter_mut().zip(*column).for_each(|(z, x)| *z += share * x);
            }
            z
        };
        let orthonormal = (0..k).map(combine).collect();
        Ok(Around { left, orthonormal: Some(orthonormal) })
    }

    pub(crate) fn columns<'a>(&'a self, parts: &'a LinearParts<'_>) -> Vec<&'a [f64]> {
        match &self.orthonormal {
            Some(it) => it.iter().map(Vec::as_slice).collect(),
            None => parts.columns.to_vec(),
        }
    }

    fn sandwich(&self, meat: MatRef<'_, f64>) -> Mat<f64> {
        let product = &self.left * meat * self.left.transpose();
        Mat::from_fn(product.nrows(), product.ncols(), |i, j| 0.5 * (product[(i, j)] + product[(j, i)]))
    }
}

fn scaled(matrix: MatRef<'_, f64>, by: f64) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parallax_linalg::symmetric_inverse;

    fn hc0(columns: &[&[f64]], residuals: &[f64]) -> Mat<f64> {
        let bread = symmetric_inverse(gram(columns, None).unwrap().as_ref()).unwrap();
        let plan = VcovPlan::new(VcovSpec::Hc(HcKind::Hc0), SmallSample::NONE, Vec::new()).unwrap();
        let parts = LinearParts {
            columns,
            residuals,
            sizes: &RowSizes::of_fit(residuals, [], None),
            weights: None,
            frequency: false,
            partialled: 0,
            bread: bread.as_ref(),
            lines: None,
            absorbed: &[],
            constant: false,
            leverages: None,
        };
        plan.matrix(&parts).unwrap().matrix
    }

    /// A singleton that is kept has a residual of exactly zero.
    #[test]
    fn rows_that_fit_themselves_add_nothing() {
        let variance = hc0(&[&[1.0, 2.0, 5.0]], &[3.0, -1.0, 0.0])[(0, 0)];
        assert!((variance - 13.0 / 900.0).abs() < 1e-16, "{variance}");
    }

    /// x and x + 1000 beside a constant have the same slope variance. The bread here comes from a Gram matrix
    /// with a condition of 1e6, which costs it six digits and the variance no more than a further one.
    #[test]
    fn a_shifted_regressor_keeps_its_variance() {
        let x: Vec<f64> = (0..200).map(|it| f64::from(it % 17) / 8.0 - 1.0).collect();
        let e: Vec<f64> = (0..200).map(|it| f64::from((it * 7) % 23) / 11.0 - 1.0).collect();
        let shifted: Vec<f64> = x.iter().map(|it| it + 1e3).collect();
        let ones = vec![1.0; x.len()];
        let (near, far) = (hc0(&[&ones, &x], &e)[(1, 1)], hc0(&[&ones, &shifted], &e)[(1, 1)]);
        assert!((near - far).abs() < 1e-9 * near, "{near} is not {far}, {:e}", near - far);
    }
}
