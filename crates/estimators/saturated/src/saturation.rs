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
            self.add(covariate, &format!("cohort {cohort}"), own);
        }
        for period in distinct(&mut periods.iter().copied()).into_iter().skip(1) {
            self.add(covariate, &format!("period {period}"), |row| periods[row] == period);
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
            let name = format!("{}:({cohort},{period})", covariate.name);
            self.columns.push((Term::Slope(Name::from(name)), column));
        }
    }

    /// How effects read off the kept columns.
    ///
    /// # Errors
    /// When a cell fell out, or an interaction that is no combination of others in its own cell: then a part of the
    /// cell's effect cannot be told from something else.
    pub fn effects(&self, kept: &[usize], cells: &Cells) -> Result<RowEffect<'_>, FitError> {
        let mut position = vec![None; self.columns.len()];
        kept.iter().enumerate().for_each(|(at, &column)| position[column] = Some(at));
        let mut lost: Vec<usize> = (0..self.cells).filter(|&it| position[it].is_none()).collect();
        for it in self.interactions.iter().filter(|it| position[it.column].is_none()) {
            if !self.is_local(it, &position, cells)? {
                lost.push(it.cell);
            }
        }
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

    /// True when the column is a combination of the cell's dummy and its other kept interactions: then the mean effect
    /// of the cell does not depend on which of them was dropped.
    fn is_local(
        &self,
        of: &Interaction,
        position: &[Option<usize>],
        cells: &Cells,
    ) -> Result<bool, FitError> {
        let rows: Vec<usize> =
            (0..cells.of_row.len()).filter(|&it| cells.of_row[it] == Some(of.cell)).collect();
        let on_cell =
            |column: usize| rows.iter().map(|&row| self.columns[column].1[row]).collect::<Vec<f64>>();
        let mut others = vec![vec![1.0; rows.len()]];
        let kept = |it: &&Interaction| it.cell == of.cell && position[it.column].is_some();
        others.extend(self.interactions.iter().filter(kept).map(|it| on_cell(it.column)));
        let others: Vec<&[f64]> = others.iter().map(Vec::as_slice).collect();
        let own = on_cell(of.column);
        let fit = least_squares(&others, &own, None, None, &LeastSquaresOptions::default())?;
        let size: f64 = own.iter().map(|it| it * it).sum();
        Ok(fit.rss <= LOCAL * size)
    }

    /// Names of dropped columns that nobody asked for by name, to be told in one note.
    pub fn is_named(&self, column: usize) -> bool {
        column < self.cells || self.reported.contains(&column)
    }
}

/// Share of a column's square that its own cell may leave unexplained: the square of the tolerance of collinearity.
const LOCAL: f64 = 1e-14;

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
