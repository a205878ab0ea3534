//! Slopes of covariates by baseline treatment, from first differences of cells that have not changed yet.
//!
//! de Chaisemartin and D'Haultfoeuille (2024), web appendix on covariates: the outcome's first difference on those of
//! the covariates and dummies of periods, one regression a baseline treatment.

use parallax_model::{
    FitError, Name, Note,
    linalg::{LeastSquares, LeastSquaresOptions, column_norms, least_squares},
};

use super::{cells::Cells, paths::Paths};

/// Slopes with their influence functions.
pub struct Adjustment {
    /// One row a baseline, one column a covariate; empty without covariates.
    theta: Vec<Vec<f64>>,
    /// By unit, then covariate.
    influence: Vec<f64>,
    covariates: usize,
    /// What could not be estimated.
    pub notes: Vec<Note>,
}

/// First differences of one baseline.
#[derive(Default)]
struct Rows {
    unit: Vec<usize>,
    period: Vec<usize>,
    weight: Vec<f64>,
    y: Vec<f64>,
    x: Vec<Vec<f64>>,
}

impl Adjustment {
    /// Runs the regressions.
    ///
    /// # Errors
    /// What least squares says.
    pub fn new(
        cells: &Cells,
        paths: &Paths,
        order: &[usize],
        cluster: &[u32],
        names: &[Name],
    ) -> Result<Adjustment, FitError> {
        let covariates = cells.x.len();
        let mut found = Adjustment {
            theta: vec![vec![0.0; covariates]; paths.values.len()],
            influence: vec![0.0; covariates * cells.units()],
            covariates,
            notes: Vec::new(),
        };
        if covariates == 0 {
            return Ok(found);
        }
        let with_rows = |it: &(usize, Rows)| !it.1.unit.is_empty();
        for (baseline, mut rows) in gather(cells, paths, order).into_iter().enumerate().filter(with_rows) {
            let columns: Vec<&[f64]> = rows.x.iter().map(Vec::as_slice).collect();
            let norms = column_norms(&columns, Some(&rows.weight));
            let clusters = rows.centre(cells.n_periods(), cluster);
            let columns: Vec<&[f64]> = rows.x.iter().map(Vec::as_slice).collect();
            let options = LeastSquaresOptions::default();
            let fit = least_squares(&columns, &rows.y, Some(&rows.weight), Some(&norms), &options)?;
            for (&at, &slope) in fit.kept.iter().zip(&fit.coef) {
                found.theta[baseline][at] = slope;
            }
            found.add_influence(&rows, &fit, &clusters);
            if !fit.dropped.is_empty() && rows_are_used(paths, baseline) {
                let dropped: Vec<&str> = fit.dropped.iter().map(|it| names[*it].as_str()).collect();
                found.notes.push(Note::remark(format!(
                    "baseline treatment {}: no slope of {}, which does not vary apart from the other covariates in \
                     cells that have not changed yet",
                    paths.values[baseline],
                    dropped.join(", ")
                )));
            }
        }
        Ok(found)
    }

    /// The slopes of one baseline.
    pub fn slopes(&self, baseline: usize) -> &[f64] {
        &self.theta[baseline]
    }

    /// The influence of a unit on the slope of a covariate in the unit's own baseline.
    pub fn influence(&self, unit: usize, covariate: usize) -> f64 {
        self.influence[unit * self.covariates + covariate]
    }

    /// (X'WX)^{-1} times the unit's sum of w x e, with sqrt(n / (n - 1)) for the n clusters of a period.
    fn add_influence(&mut self, rows: &Rows, fit: &LeastSquares, clusters: &[usize]) {
        for (row, &unit) in rows.unit.iter().enumerate() {
            let n = clusters[rows.period[row]] as f64;
            let scale = if n < 2.0 { 1.0 } else { (n / (n - 1.0)).sqrt() };
            let score = scale * rows.weight[row] * fit.residuals[row];
            for (i, &to) in fit.kept.iter().enumerate() {
                let projection: f64 =
                    fit.kept.iter().enumerate().map(|(j, &at)| fit.bread[(i, j)] * rows.x[at][row]).sum();
                self.influence[unit * self.covariates + to] += projection * score;
            }
        }
    }
}

fn rows_are_used(paths: &Paths, baseline: usize) -> bool {
    (0..paths.used.len()).any(|unit| paths.used[unit] && paths.baseline[unit] == baseline)
}

/// First differences before the change, by baseline, in the order of clusters.
fn gather(cells: &Cells, paths: &Paths, order: &[usize]) -> Vec<Rows> {
    let empty = || Rows { x: vec![Vec::new(); cells.x.len()], ..Rows::default() };
    let mut all: Vec<Rows> = paths.values.iter().map(|_| empty()).collect();
    for &unit in order.iter().filter(|it| paths.used[**it]) {
        let rows = &mut all[paths.baseline[unit]];
        for (slot, period) in cells.of_unit(unit).filter(|it| it.1 < paths.first[unit]) {
            let Some(before) = cells.back(unit, slot, 1) else { continue };
            let change = cells.y[slot] - cells.y[before];
            if change.is_nan() || cells.w[slot] <= 0.0 {
                continue;
            }
            rows.unit.push(unit);
            rows.period.push(period);
            rows.weight.push(cells.w[slot]);
            rows.y.push(change);
            rows.x.iter_mut().zip(&cells.x).for_each(|(to, x)| to.push(x[slot] - x[before]));
        }
    }
    all
}

impl Rows {
    /// Takes out means by period; the number of clusters of each.
    fn centre(&mut self, periods: usize, cluster: &[u32]) -> Vec<usize> {
        let mut weights = vec![0.0; periods];
        let mut clusters = vec![0; periods];
        let mut latest = vec![None; periods];
        for (row, &period) in self.period.iter().enumerate() {
            weights[period] += self.weight[row];
            let own = Some(cluster[self.unit[row]]);
            clusters[period] += usize::from(latest[period] != own);
            latest[period] = own;
        }
        for column in std::iter::once(&mut self.y).chain(&mut self.x) {
            let mut sums = vec![0.0; periods];
            for (row, &period) in self.period.iter().enumerate() {
                sums[period] += self.weight[row] * column[row];
            }
            for (value, &period) in column.iter_mut().zip(&self.period) {
                *value -= sums[period] / weights[period];
            }
        }
        clusters
    }
}
