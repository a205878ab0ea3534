//! The columns of an extended two-way regression, and what a cell's mean effect is in terms of their coefficients.
//!
//! Wooldridge (2021), equations 6.33 and 8.1: cells of cohort and period; covariates, with slopes that differ by cohort
//! and by period; and covariates less their mean in the cohort, interacted with every cell.

use parallax_model::{
    Design, FitError, Name, Regressor, Term,
    linalg::{LeastSquaresOptions, least_squares},
};

use crate::comparison::{Cells, Comparison};

/// Columns of a saturated regression in the order in which they win over collinear ones.
pub struct Saturation {
    /// Cells first, then covariates with their slopes, then covariates in cells.
    pub columns: Vec<(Term, Vec<f64>)>,
    /// Of each interaction: its column, its cell, and the covariate less its cohort's mean, by row.
    interactions: Vec<Interaction>,
    /// Columns of covariates that are reported.
    pub reported: std::ops::Range<usize>,
    cells: usize,
}

struct Interaction {
    column: usize,
    cell: usize,
}

/// The effect on a row of a cell as a sum of coefficients.
pub struct RowEffect<'a> {
    saturation: &'a Saturation,
    /// Position of each column among the kept ones.
    position: Vec<Option<usize>>,
}

impl Saturation {
    /// Lays out the columns. Without `interacted` covariates have one slope.
    pub fn new(comparison: &Comparison<'_, '_>, cells: &Cells, interacted: bool) -> Saturation {
        let design = comparison.design();
        let terms = cells.cells.iter().map(|&(cohort, period)| Term::GroupTime { cohort, period });
        let mut columns: Vec<(Term, Vec<f64>)> = terms.zip(cells.dummies()).collect();
        let k = columns.len();
        columns.extend(design.regressors.iter().map(|it| (Term::Slope(it.name.clone()), it.values.to_vec())));
        let mut all = Saturation {
            reported: if interacted { k..k } else { k..columns.len() },
            columns,
            interactions: Vec::new(),
            cells: k,
        };
        if interacted {
            for it in &design.regressors {
                all.add_slopes(it, comparison);
            }
            for it in &design.regressors {
                all.add_interactions(it, comparison, cells);
            }
        }
        all
    }

    /// The covariate's slope by cohort, controls as the base, and by period, the first as the base.
    fn add_slopes(&mut self, covariate: &Regressor, comparison: &Comparison<'_, '_>) {
        let periods = &comparison.design().periods;
        let distinct = |it: &mut dyn Iterator<Item = i32>| it.collect::<std::collections::BTreeSet<i32>>();
        for cohort in distinct(&mut comparison.cohort.iter().flatten().copied()) {
            let own = |row: usize| comparison.cohort[row] == Some(cohort);
            self.add(covariate, &format!("cohort {}", comparison.design().code(cohort)), own);
        }
        for period in distinct(&mut periods.iter().copied()).into_iter().skip(1) {
            let group = format!("period {}", comparison.design().code(period));
            self.add(covariate, &group, |row| periods[row] == period);
        }
    }

    fn add(&mut self, covariate: &Regressor, group: &str, own: impl Fn(usize) -> bool) {
        let values = covariate.values.iter().enumerate();
        let column = values.map(|(row, it)| if own(row) { *it } else { 0.0 }).collect();
        self.columns.push((Term::Slope(Name::from(format!("{}:{group}", covariate.name))), column));
    }

    /// The covariate less its mean over the cohort's rows, in each cell.
    fn add_interactions(&mut self, covariate: &Regressor, comparison: &Comparison<'_, '_>, cells: &Cells) {
        let centred = less_cohort_means(covariate, comparison);
        for (cell, (cohort, period)) in cells.cells.iter().enumerate() {
            let own = |row: usize| cells.of_row[row] == Some(cell);
            let column = (0..centred.len()).map(|row| if own(row) { centred[row] } else { 0.0 }).collect();
            self.interactions.push(Interaction { column: self.columns.len(), cell });
            let [cohort, period] = [*cohort, *period].map(|it| comparison.design().code(it));
            let name = format!("{}:({cohort},{period})", covariate.name);
            self.columns.push((Term::Slope(Name::from(name)), column));
        }
    }

    /// How effects read off the kept columns. `absorbed` are all columns with the effects taken out.
    ///
    /// # Errors
    /// When a cell fell out, or its mean effect depends on which of collinear columns fell out.
    pub fn effects(
        &self,
        kept: &[usize],
        cells: &Cells,
        absorbed: &[&[f64]],
        weights: Option<&[f64]>,
    ) -> Result<RowEffect<'_>, FitError> {
        let mut position = vec![None; self.columns.len()];
        kept.iter().enumerate().for_each(|(at, &column)| position[column] = Some(at));
        let mut lost: Vec<usize> = (0..self.cells).filter(|&it| position[it].is_none()).collect();
        lost.extend(self.moved(kept, cells, absorbed, weights)?);
        if lost.is_empty() {
            return Ok(RowEffect { saturation: self, position });
        }
        lost.sort_unstable();
        lost.dedup();
        let names: Vec<String> =
            lost.iter().map(|&it| format!("({},{})", cells.cells[it].0, cells.cells[it].1)).collect();
        Err(FitError::Model(format!(
            "effects in cells (cohort, period) {} cannot be told from effects and covariates: no control has a row in such \
             a period that its own effects leave free, or covariates vary too little there; take the period out with a step \
             `restrict`, absorb fewer effects, or give `covariates` = \"additive\"",
            names.join(", ")
        )))
    }

    /// Cells whose mean effect is not estimable. A dropped column j is sum_k c_k x_k of the kept ones, so that c, with -1
    /// for j, may be added to the coefficients without a change of the fit: a mean effect w'b is estimable only if
    /// sum_k w_k c_k = w_j.
    fn moved(
        &self,
        kept: &[usize],
        cells: &Cells,
        absorbed: &[&[f64]],
        weights: Option<&[f64]>,
    ) -> Result<Vec<usize>, FitError> {
        let is_dropped = |it: &usize| kept.binary_search(it).is_err();
        let dropped: Vec<usize> = (self.cells..self.columns.len()).filter(is_dropped).collect();
        let Some(first) = dropped.first() else { return Ok(Vec::new()) };
        let columns: Vec<&[f64]> = kept.iter().map(|&it| absorbed[it]).collect();
        let fit = least_squares(&columns, absorbed[*first], weights, None, &LeastSquaresOptions::default())?;
        let effect_of = self.mean_effects(cells, weights);
        let mut moved = Vec::new();
        for of in dropped {
            let largest = self.columns[of].1.iter().fold(0.0_f64, |largest, it| largest.max(it.abs()));
            let products: Vec<f64> =
                fit.kept.iter().map(|&it| product(columns[it], absorbed[of], weights)).collect();
            let mut shift = vec![0.0; self.cells];
            if let Some((cell, weight)) = effect_of[of] {
                shift[cell] -= weight;
            }
            for (i, &at) in fit.kept.iter().enumerate() {
                let slope: f64 = products.iter().enumerate().map(|(j, it)| fit.bread[(i, j)] * it).sum();
                if let Some((cell, weight)) = effect_of[kept[at]] {
                    shift[cell] += weight * slope;
                }
            }
            moved.extend((0..self.cells).filter(|&it| MOVED * largest < shift[it].abs()));
        }
        Ok(moved)
    }

    /// Of each column the cell on whose mean effect it bears, if any, and by how much.
    fn mean_effects(&self, cells: &Cells, weights: Option<&[f64]>) -> Vec<Option<(usize, f64)>> {
        let sizes = cells.sizes(weights);
        let mut effects = vec![None; self.columns.len()];
        (0..self.cells).for_each(|it| effects[it] = Some((it, 1.0)));
        for it in &self.interactions {
            // The column is zero outside of its cell.
            let values = self.columns[it.column].1.iter().enumerate();
            let sum: f64 = values.map(|(row, value)| weights.map_or(1.0, |it| it[row]) * value).sum();
            effects[it.column] = Some((it.cell, sum / sizes[it.cell]));
        }
        effects
    }

    /// Names of dropped columns that nobody asked for by name, to be told in one note.
    pub fn is_named(&self, column: usize) -> bool {
        column < self.cells || self.reported.contains(&column)
    }
}

/// Share of a dropped column's largest value that rounding may put into a mean effect; collinearity is decided at 1e-9.
const MOVED: f64 = 1e-6;

fn product(a: &[f64], b: &[f64], weights: Option<&[f64]>) -> f64 {
    let terms = a.iter().zip(b).enumerate();
    terms.map(|(row, (a, b))| weights.map_or(1.0, |it| it[row]) * a * b).sum()
}

impl RowEffect<'_> {
    /// Coefficients that add to the effect on a row of `cell`, as (position among kept, factor).
    pub fn parts(&self, cell: usize, row: usize) -> Vec<(usize, f64)> {
        let of =
            |it: &Interaction| Some((self.position[it.column]?, self.saturation.columns[it.column].1[row]));
        let own = self.saturation.interactions.iter().filter(|it| it.cell == cell).filter_map(of);
        self.position[cell].map(|it| (it, 1.0)).into_iter().chain(own).collect()
    }

    /// Positions among the kept of the covariates that are reported.
    pub fn reported(&self) -> Vec<usize> {
        self.saturation.reported.clone().filter_map(|it| self.position[it]).collect()
    }
}

fn less_cohort_means(covariate: &Regressor, comparison: &Comparison<'_, '_>) -> Vec<f64> {
    let design: &Design<'_> = comparison.design();
    let weight = |row: usize| design.weight_values().map_or(1.0, |it| it[row]);
    let mut sums = std::collections::BTreeMap::<Option<i32>, (f64, f64)>::new();
    for (row, (cohort, value)) in comparison.cohort.iter().zip(covariate.values.iter()).enumerate() {
        let sum = sums.entry(*cohort).or_default();
        sum.0 += weight(row) * value;
        sum.1 += weight(row);
    }
    let mean = |cohort: &Option<i32>| sums.get(cohort).map_or(0.0, |it| it.0 / it.1);
    comparison.cohort.iter().zip(covariate.values.iter()).map(|(cohort, it)| it - mean(cohort)).collect()
}
