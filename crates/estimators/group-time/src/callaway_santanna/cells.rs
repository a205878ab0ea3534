//! Every cohort in every period: its base, its controls, its effect and its influence function.

use parallax_model::{
    Design, FitError, Name, Regressor,
    linalg::{LeastSquaresOptions, least_squares, rounding::or_zero},
};

use super::{
    BasePeriod, Data, Options,
    cross_sections::Sections,
    layout::Layout,
    nuisance::{Reason, Rows, Score},
    two_periods::{Effect, Prepared, size},
};

/// One cohort in one period.
#[derive(Clone, Debug)]
pub struct Cell {
    /// First treated period.
    pub cohort: i32,
    /// Calendar period.
    pub period: i32,
    /// The period it is compared with.
    pub base: Option<i32>,
    /// Rows of the cohort in the comparison; units with panel data.
    pub treated: usize,
    /// Rows of controls in it.
    pub controls: usize,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Estimated, with its column of influence functions.
    Effect(f64, usize),
    /// Zero by choice: the base period itself.
    Reference,
    /// Not estimated.
    Failed(Reason),
}

impl Outcome {
    /// The effect; NaN where there is none.
    pub fn value(&self) -> f64 {
        match self {
            Outcome::Effect(effect, _) => *effect,
            Outcome::Reference => 0.0,
            Outcome::Failed(_) => f64::NAN,
        }
    }

    /// Its column of influence functions.
    pub fn column(&self) -> Option<usize> {
        if let Outcome::Effect(_, column) = self { Some(*column) } else { None }
    }

    /// For a table.
    pub fn words(&self) -> String {
        match self {
            Outcome::Effect(..) => "estimated".to_owned(),
            Outcome::Reference => "zero by choice".to_owned(),
            Outcome::Failed(reason) => reason.to_string(),
        }
    }
}

/// Scores of a cohort against its controls.
#[derive(Clone, Debug)]
pub struct Overlap {
    /// The cohort.
    pub cohort: i32,
    /// The period whose comparison it is.
    pub period: i32,
    /// Scores of its units, ascending.
    pub treated: Vec<f64>,
    /// Scores of its controls, ascending.
    pub controls: Vec<f64>,
    /// Controls that were trimmed.
    pub trimmed: usize,
}

/// All cells of a design.
pub struct Cells {
    /// In the order of cohorts and periods.
    pub cells: Vec<Cell>,
    /// Influence functions, a column of units for each estimated cell.
    pub influence: Vec<Vec<f64>>,
    /// What each of them was computed from, so that rounding is told from it.
    pub sizes: Vec<f64>,
    /// Scores in the first comparison after adoption of each cohort.
    pub overlap: Vec<Overlap>,
    /// Covariates that the sample cannot tell from a constant and from the covariates before.
    pub dropped: Vec<Name>,
    /// How many covariates are used.
    pub covariates: usize,
}

/// What cells of one design share.
struct Context<'a> {
    layout: &'a Layout,
    options: &'a Options,
    outcome: &'a [f64],
    weights: Option<&'a [f64]>,
    /// Standardised covariates with a constant first, by row.
    x: Vec<f64>,
    k: usize,
    /// The comparison before, which the next one often shares.
    kept: Option<Kept>,
}

struct Kept {
    cohort: i32,
    units: Vec<u32>,
    prepared: Result<Prepared, Reason>,
}

/// Estimates every cell.
///
/// # Errors
/// When least squares refuse the covariates.
pub fn estimate(design: &Design<'_>, layout: &Layout, options: &Options) -> Result<Cells, FitError> {
    let (covariates, dropped) = told_apart(design)?;
    let (x, k) = standardised(&covariates, design.n());
    let mut context = Context {
        layout,
        options,
        outcome: &design.outcome.values,
        weights: design.weight_values(),
        x,
        k,
        kept: None,
    };
    let mut all = Cells {
        cells: Vec::new(),
        influence: Vec::new(),
        sizes: Vec::new(),
        overlap: Vec::new(),
        dropped,
        covariates: covariates.len(),
    };
    for (cohort, units) in &layout.cohorts {
        let start = usize::from(options.base_period == BasePeriod::Varying);
        for period in start..layout.usable {
            context.cell(*cohort, units, period, &mut all);
        }
    }
    Ok(all)
}

impl Context<'_> {
    fn cell(&mut self, cohort: i32, units: &[u32], period: usize, all: &mut Cells) {
        let periods = &self.layout.periods;
        let date = periods[period];
        let base = self.base(cohort, period);
        let mut cell = Cell {
            cohort,
            period: date,
            base: base.map(|it| periods[it]),
            treated: 0,
            controls: 0,
            outcome: Outcome::Failed(Reason::NoBase),
        };
        if let Some(base) = base {
            let bound = date.max(periods[base]).saturating_add(self.options.anticipation_periods());
            let controls: Vec<u32> = self.layout.controls(self.options.control, cohort, bound).collect();
            cell.outcome = if base == period {
                Outcome::Reference
            } else {
                match self.options.data {
                    Data::Panel => self.two_periods(&mut cell, units, &controls, period, base, all),
                    Data::RepeatedCrossSections => {
                        self.cross_sections(&mut cell, units, &controls, period, base, all)
                    }
                }
            };
        }
        all.cells.push(cell);
    }

    /// The period before the cohort is affected; with a varying base, before adoption, the period before. A period that
    /// nobody is observed in is no base, as it is no lag.
    fn base(&self, cohort: i32, period: usize) -> Option<usize> {
        let periods = &self.layout.periods;
        let after = if self.options.base_period == BasePeriod::Varying && periods[period] < cohort {
            periods[period]
        } else {
            cohort.saturating_sub(self.options.anticipation_periods())
        };
        periods.binary_search(&after.checked_sub(1)?).ok()
    }

    fn two_periods(
        &mut self,
        cell: &mut Cell,
        cohort: &[u32],
        controls: &[u32],
        period: usize,
        base: usize,
        all: &mut Cells,
    ) -> Outcome {
        let layout = self.layout;
        let both = |unit: &&u32| layout.row(**unit, period).is_some() && layout.row(**unit, base).is_some();
        let mut units: Vec<u32> = controls.iter().filter(both).copied().collect();
        cell.controls = units.len();
        units.extend(cohort.iter().filter(both));
        cell.treated = units.len() - cell.controls;
        if cell.treated == 0 {
            return Outcome::Failed(Reason::NoTreated);
        }
        if cell.controls == 0 {
            return Outcome::Failed(Reason::NoControl);
        }
        let early = period.min(base);
        let rows: Vec<usize> = units.iter().filter_map(|&unit| layout.row(unit, early)).collect();
        let rows = self.rows(&rows, cell.controls);
        // Covariates that do not change in time leave first steps as they were.
        let known = self.kept.take().filter(|it| {
            let same = it.prepared.as_ref().is_ok_and(|it| it.rows == rows);
            it.cohort == cell.cohort && it.units == units && same
        });
        let kept = known.unwrap_or_else(|| {
            let prepared = Prepared::new(rows, self.options.method);
            Kept { cohort: cell.cohort, units, prepared }
        });
        let outcome = match &kept.prepared {
            Err(reason) => Outcome::Failed(*reason),
            Ok(prepared) => {
                let y = |unit: u32, at: usize| layout.row(unit, at).map_or(f64::NAN, |row| self.outcome[row]);
                let change: Vec<f64> =
                    kept.units.iter().map(|&unit| y(unit, period) - y(unit, base)).collect();
                let effect = prepared.effect(&change, self.options.method);
                let outcomes = kept.units.iter().flat_map(|&unit| [y(unit, period), y(unit, base)]);
                let size = size(largest(outcomes), self.k);
                if let Some(score) = &prepared.score {
                    note_overlap(cell, score, &mut all.overlap);
                }
                self.keep(effect, size, &kept.units, all)
            }
        };
        self.kept = Some(kept);
        outcome
    }

    fn cross_sections(
        &self,
        cell: &mut Cell,
        cohort: &[u32],
        controls: &[u32],
        period: usize,
        base: usize,
        all: &mut Cells,
    ) -> Outcome {
        let of = |units: &[u32], at: usize| -> Vec<(u32, usize)> {
            units.iter().filter_map(|&unit| Some((unit, self.layout.row(unit, at)?))).collect()
        };
        let parts = [of(controls, base), of(controls, period), of(cohort, base), of(cohort, period)];
        cell.controls = parts[0].len() + parts[1].len();
        cell.treated = parts[2].len() + parts[3].len();
        if parts[2].is_empty() || parts[3].is_empty() {
            return Outcome::Failed(Reason::NoTreated);
        }
        if parts[0].is_empty() || parts[1].is_empty() {
            return Outcome::Failed(Reason::NoControl);
        }
        let (units, rows): (Vec<u32>, Vec<usize>) = parts.iter().flatten().copied().unzip();
        let sections = Sections {
            y: rows.iter().map(|&row| self.outcome[row]).collect(),
            rows: self.rows(&rows, cell.controls),
            controls_before: parts[0].len(),
            cohort_before: parts[2].len(),
        };
        match sections.effect(self.options.method) {
            Err(reason) => Outcome::Failed(reason),
            Ok((effect, score)) => {
                if let Some(score) = &score {
                    note_overlap(cell, score, &mut all.overlap);
                }
                self.keep(effect, size(largest(sections.y.iter().copied()), self.k), &units, all)
            }
        }
    }

    /// Adds the influence function of a cell; a unit with several rows has their sum.
    fn keep(&self, (effect, psi): Effect, size: f64, units: &[u32], all: &mut Cells) -> Outcome {
        let mut column = vec![0.0; self.layout.units];
        units.iter().zip(psi).for_each(|(&unit, psi)| column[unit as usize] += psi);
        all.influence.push(column);
        all.sizes.push(size);
        Outcome::Effect(or_zero(effect, size), all.influence.len() - 1)
    }

    fn rows(&self, rows: &[usize], controls: usize) -> Rows {
        let k = self.k;
        let mut x = Vec::with_capacity(rows.len() * k);
        rows.iter().for_each(|&row| x.extend_from_slice(&self.x[row * k..(row + 1) * k]));
        let weight = match self.weights {
            None => vec![1.0; rows.len()],
            Some(weights) => rows.iter().map(|&row| weights[row]).collect(),
        };
        Rows { k, x, weight, controls }
    }
}

fn largest(outcomes: impl Iterator<Item = f64>) -> f64 {
    outcomes.fold(0.0, |size, it| it.abs().max(size))
}

/// Keeps the scores of the first comparison after adoption, or of the first there is.
fn note_overlap(cell: &Cell, score: &Score, all: &mut Vec<Overlap>) {
    let known = all.iter().position(|it| it.cohort == cell.cohort);
    let first_after = |period: i32| cell.cohort <= period;
    if known.is_some_and(|at| first_after(all[at].period) || !first_after(cell.period)) {
        return;
    }
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_unstable_by(f64::total_cmp);
        values
    };
    let overlap = Overlap {
        cohort: cell.cohort,
        period: cell.period,
        treated: sorted(&score.probability[cell.controls..]),
        controls: sorted(&score.probability[..cell.controls]),
        trimmed: score.trimmed,
    };
    match known {
        Some(at) => all[at] = overlap,
        None => all.push(overlap),
    }
}

/// Covariates in the order of the formula without those that a constant and earlier ones make, and the names of these.
fn told_apart<'d>(design: &'d Design<'_>) -> Result<(Vec<&'d Regressor>, Vec<Name>), FitError> {
    let constant = vec![1.0; design.n()];
    let mut columns = vec![constant.as_slice()];
    columns.extend(design.regressors.iter().map(|it| it.values.as_slice()));
    let options = LeastSquaresOptions::default();
    let fit = least_squares(&columns, &design.outcome.values, None, None, &options)?;
    let kept = fit.kept.iter().filter_map(|it| design.regressors.get(it.checked_sub(1)?)).collect();
    let lost = fit.dropped.iter().filter_map(|it| design.regressors.get(it.checked_sub(1)?));
    Ok((kept, lost.map(|it| it.name.clone()).collect()))
}

/// A constant and the covariates with mean 0 and variance 1 over the sample, by row.
fn standardised(covariates: &[&Regressor], n: usize) -> (Vec<f64>, usize) {
    let k = covariates.len() + 1;
    let mut x = vec![1.0; n * k];
    for (at, column) in covariates.iter().enumerate() {
        let mean = column.values.iter().sum::<f64>() / n as f64;
        let variance = column.values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / n as f64;
        let scale = 1.0 / variance.sqrt();
        column.values.iter().enumerate().for_each(|(row, it)| x[row * k + at + 1] = (it - mean) * scale);
    }
    (x, k)
}
