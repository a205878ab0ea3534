//! The matrix: bread times meat times bread, scaled as the plan says.

use parallax_linalg::{LinalgError, Mat, MatRef, gram, nearest_psd};
use parallax_panel::Codes;

use crate::{
    AbsorbedEffect, Arithmetic, HcKind, SmallSample, VcovError, VcovPlan, VcovSpec, arithmetic::arithmetic,
};

/// Gives the leverages of the absorbed effects, one a row; called for HC2 and HC3 only.
pub type LeverageFn<'a> = dyn Fn() -> Result<Vec<f64>, LinalgError> + 'a;

/// What a linear estimator hands over to have its covariance made.
pub struct LinearParts<'a> {
    /// The k kept regressors after absorption or transformation, n values each.
    pub columns: &'a [&'a [f64]],
    /// n residuals of that regression, not multiplied by weights.
    pub residuals: &'a [f64],
    /// n weights, or none.
    pub weights: Option<&'a [f64]>,
    /// (X'WX)^{-1}, k x k.
    pub bread: MatRef<'a, f64>,
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
    /// k x k, symmetric, positive semi-definite.
    pub matrix: Mat<f64>,
    /// What was asked.
    pub spec: VcovSpec,
    /// Under which rules.
    pub small_sample: SmallSample,
    /// The arithmetic behind it.
    pub arithmetic: Arithmetic,
    /// Negative eigenvalues that were set to zero (multi-way clusters only).
    pub clamped: usize,
}

impl VcovPlan {
    /// The covariance of the coefficients of `parts`.
    ///
    /// # Errors
    /// No degrees of freedom, leverage one under HC2 or HC3, a request the preset's program refuses.
    pub fn matrix(&self, parts: &LinearParts<'_>) -> Result<Vcov, VcovError> {
        let (n, k) = (parts.residuals.len(), parts.columns.len());
        let terms = self.cluster_terms();
        let counts: Vec<_> =
            terms.iter().map(|it| (it.by.clone(), it.sign, it.codes.n_groups())).collect();
        let regressors = k - usize::from(parts.counts_constant_twice());
        let arithmetic = arithmetic(self, n, regressors, parts.absorbed, &counts)?;
        let (matrix, clamped) = match &self.spec {
            VcovSpec::Iid => (scaled(parts.bread, rss(parts) / arithmetic.factor), 0),
            VcovSpec::Hc(kind) => {
                let meat = gram(parts.columns, Some(&squared_scores(*kind, parts)?))?;
                (scaled(sandwich(parts.bread, meat.as_ref()).as_ref(), arithmetic.factor), 0)
            }
            VcovSpec::Cluster { .. } => {
                let mut meat = Mat::<f64>::zeros(k, k);
                for (term, how) in terms.iter().zip(&arithmetic.terms) {
                    add_cluster_meat(&mut meat, parts, &term.codes, how.sign * how.scale)?;
                }
                let matrix = scaled(sandwich(parts.bread, meat.as_ref()).as_ref(), arithmetic.factor);
                if terms.len() < 2 { (matrix, 0) } else { nearest_psd(&matrix)? }
            }
        };
        Ok(Vcov {
            matrix,
            spec: self.spec.clone(),
            small_sample: self.small_sample,
            arithmetic,
            clamped,
        })
    }

    /// Every non-empty set of cluster columns with its sign and intersected groups
    /// (Cameron, Gelbach and Miller 2011, JBES 29, eq. 2.13).
    fn cluster_terms(&self) -> Vec<ClusterTerm> {
        let names = self.spec.clusters();
        (1..1_usize << names.len())
            .map(|set| {
                let inside: Vec<usize> = (0..names.len()).filter(|it| set >> it & 1 == 1).collect();
                let codes: Vec<Codes> = inside.iter().map(|&it| self.groups[it].clone()).collect();
                let by: Vec<&str> = inside.iter().map(|&it| names[it].as_str()).collect();
                ClusterTerm {
                    by: by.join("^"),
                    sign: if inside.len() % 2 == 1 { 1.0 } else { -1.0 },
                    codes: Codes::combined(&codes),
                }
            })
            .collect()
    }
}

impl LinearParts<'_> {
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
    /// Standard errors: roots of the diagonal.
    pub fn std_errors(&self) -> Vec<f64> {
        (0..self.matrix.nrows()).map(|it| self.matrix[(it, it)].max(0.0).sqrt()).collect()
    }
}

fn rss(parts: &LinearParts<'_>) -> f64 {
    match parts.weights {
        None => parts.residuals.iter().map(|e| e * e).sum(),
        Some(w) => parts.residuals.iter().zip(w).map(|(e, w)| w * e * e).sum(),
    }
}

/// (w e)^2, divided by powers of 1-h for HC2 and HC3: the weights of x x' in the meat.
fn squared_scores(kind: HcKind, parts: &LinearParts<'_>) -> Result<Vec<f64>, VcovError> {
    let weight = |row: usize| parts.weights.map_or(1.0, |it| it[row]);
    let mut scores: Vec<f64> =
        parts.residuals.iter().enumerate().map(|(row, e)| (weight(row) * e).powi(2)).collect();
    let power = match kind {
        HcKind::Hc0 | HcKind::Hc1 => return Ok(scores),
        HcKind::Hc2 => 1,
        HcKind::Hc3 => 2,
    };
    let leverages = leverages(parts)?;
    for (row, (score, h)) in scores.iter_mut().zip(leverages).enumerate() {
        let remaining = 1.0 - h;
        if remaining < LEVERAGE_FLOOR {
            return Err(VcovError::FullLeverage { row: row + 1, kind: kind.to_string() });
        }
        *score /= remaining.powi(power);
    }
    Ok(scores)
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
    parts: &LinearParts<'_>,
    groups: &Codes,
    scale: f64,
) -> Result<(), VcovError> {
    let sums: Vec<Vec<f64>> = parts.columns.iter().map(|it| group_scores(it, parts, groups)).collect();
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
fn group_scores(column: &[f64], parts: &LinearParts<'_>, groups: &Codes) -> Vec<f64> {
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

fn sandwich(bread: MatRef<'_, f64>, meat: MatRef<'_, f64>) -> Mat<f64> {
    let product = bread * meat * bread;
    Mat::from_fn(product.nrows(), product.ncols(), |i, j| 0.5 * (product[(i, j)] + product[(j, i)]))
}

fn scaled(matrix: MatRef<'_, f64>, by: f64) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] * by)
}
