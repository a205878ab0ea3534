//! Terms of the estimate: aggregates and cells with one matrix of influence functions.

use std::collections::{BTreeMap, BTreeSet};

use parallax_model::{
    Aggregate, Design, EventWindow, FitError, GroupTimeEffects, Mat, Term, TreatedRows, TreatedSupport,
    settle,
};

use super::{
    Data, Options,
    cells::{Cell, Cells, Outcome},
    layout::Layout,
};

/// Aggregates, then cells.
pub struct Effects {
    /// What each column is.
    pub terms: Vec<Term>,
    /// The estimates.
    pub coef: Vec<f64>,
    /// Units x terms.
    pub influence: Mat<f64>,
    /// What each term was computed from.
    pub sizes: Vec<f64>,
    /// How many terms are aggregates.
    pub aggregates: usize,
    /// Treated units and clusters behind each.
    pub treated: TreatedSupport,
}

impl Effects {
    /// Aggregates of the estimated cells, with the influence of estimated cohort sizes.
    ///
    /// # Errors
    /// When no effect after adoption was estimated.
    pub fn new(
        design: &Design<'_>,
        layout: &Layout,
        cells: &Cells,
        options: &Options,
    ) -> Result<Effects, FitError> {
        refuse_nothing(design, cells)?;
        let weights = unit_weights(design, layout, options.data);
        let size = |units: &[u32]| units.iter().map(|&it| weights[it as usize]).sum::<f64>();
        // Zeros by choice count where they share an event time with estimated cells.
        let known = cells.cells.iter().filter(|it| !matches!(it.outcome, Outcome::Failed(_)));
        let known: Vec<_> = known.collect();
        let effects = GroupTimeEffects {
            cells: known.iter().map(|it| (it.cohort, it.period)).collect(),
            att: known.iter().map(|it| it.outcome.value()).collect(),
            cohorts: layout.cohorts.iter().map(|it| (it.0, size(&it.1))).collect(),
        };
        let has_error = |it: &Aggregate| {
            let used = it.effects.iter().zip(&known).filter(|it| *it.0 != 0.0);
            used.map(|it| it.1).any(|it| it.outcome != Outcome::Reference)
        };
        let aggregates: Vec<Aggregate> = effects
            .aggregates(&options.range.on(design.panel.calendar()))
            .into_iter()
            .filter(has_error)
            .collect();
        let columns: Vec<Option<usize>> = known.iter().map(|it| it.outcome.column()).collect();
        let mut influence = joint_influence(layout, cells, &aggregates, &columns, &weights);
        let size = |it: &Aggregate| aggregate_size(it, &columns, cells);
        let sizes: Vec<f64> = aggregates.iter().map(size).chain(cells.sizes.iter().copied()).collect();
        let estimated = || known.iter().filter(|it| it.outcome.column().is_some());
        let cell = |it: &&&Cell| Term::GroupTime { cohort: it.cohort, period: it.period };
        let mut coef: Vec<f64> =
            aggregates.iter().map(|it| it.estimate).chain(estimated().map(|it| it.outcome.value())).collect();
        settle(&mut coef, &mut influence, &sizes);
        let treated = support(design, layout, &known, &aggregates, options.data);
        Ok(Effects {
            terms: aggregates
                .iter()
                .map(|it| it.term.clone())
                .chain(estimated().map(|it| cell(&it)))
                .collect(),
            coef,
            influence,
            sizes,
            aggregates: aggregates.len(),
            treated,
        })
    }

    /// Positions of cells before adoption.
    pub fn before_adoption(&self) -> Vec<usize> {
        let before =
            |it: &usize| matches!(self.terms[*it], Term::GroupTime { cohort, period } if period < cohort);
        (self.aggregates..self.terms.len()).filter(before).collect()
    }

    /// Cells with an estimate.
    pub fn estimated(&self) -> usize {
        self.terms.len() - self.aggregates
    }

    /// Event times that are zero by choice for every cohort, and rows at all event times of estimated cells.
    pub fn window(&self, design: &Design<'_>, layout: &Layout, cells: &Cells) -> EventWindow {
        let mut dates: Vec<Option<i32>> = vec![None; layout.units];
        for (cohort, units) in &layout.cohorts {
            units.iter().for_each(|&unit| dates[unit as usize] = Some(*cohort));
        }
        let times: BTreeSet<i32> = self
            .terms
            .iter()
            .filter_map(|it| if let Term::EventTime(time) = it { Some(*time) } else { None })
            .collect();
        let references: BTreeSet<i32> = cells
            .cells
            .iter()
            .filter(|it| it.outcome == Outcome::Reference)
            .map(|it| it.period - it.cohort)
            .filter(|it| !times.contains(it))
            .collect();
        let mut rows: BTreeMap<i32, usize> = BTreeMap::new();
        for (&unit, &period) in design.units.code.iter().zip(&design.periods) {
            if let Some(time) = dates[unit as usize].map(|it| period - it)
                && (times.contains(&time) || references.contains(&time))
            {
                *rows.entry(time).or_default() += 1;
            }
        }
        EventWindow {
            references: references.into_iter().collect(),
            binned_below: None,
            binned_above: None,
            rows: rows.into_iter().collect(),
        }
    }
}

/// Adopters with the rows of a cell's comparison: of both periods where changes are compared.
fn support(
    design: &Design<'_>,
    layout: &Layout,
    known: &[&Cell],
    aggregates: &[Aggregate],
    data: Data,
) -> TreatedSupport {
    let at = |date: i32| layout.periods.binary_search(&date).ok();
    let rows = |cell: &&Cell| {
        let own = layout.cohorts.iter().find(|it| it.0 == cell.cohort).map_or(&[][..], |it| &it.1);
        let (period, base) = (at(cell.period), cell.base.and_then(at));
        let row = |unit: &u32| {
            let there = data == Data::RepeatedCrossSections || layout.row(*unit, base?).is_some();
            layout.row(*unit, period?).filter(|_| there)
        };
        TreatedRows::of(design, own.iter().filter_map(row))
    };
    let cells: Vec<TreatedRows> = known.iter().map(rows).collect();
    let mut all = TreatedSupport::of_averages(design, &cells, aggregates);
    let estimated = known.iter().zip(&cells).filter(|it| it.0.outcome.column().is_some());
    all.by_term.extend(estimated.map(|it| Some(it.1.count())));
    all
}

/// The weight of each unit among cohorts: that of its first row, and the mean over its rows where periods are
/// cross-sections (R did).
fn unit_weights(design: &Design<'_>, layout: &Layout, data: Data) -> Vec<f64> {
    let Some(weights) = design.weight_values() else { return vec![1.0; layout.units] };
    if data == Data::Panel {
        let first = |unit: usize| layout.first_row(unit as u32).map_or(0.0, |row| weights[row]);
        return (0..layout.units).map(first).collect();
    }
    let (mut sums, mut counts) = (vec![0.0; layout.units], vec![0.0; layout.units]);
    for (&unit, weight) in design.units.code.iter().zip(weights) {
        sums[unit as usize] += weight;
        counts[unit as usize] += 1.0;
    }
    sums.iter().zip(counts).map(|(sum, count)| sum / count).collect()
}

fn refuse_nothing(design: &Design<'_>, cells: &Cells) -> Result<(), FitError> {
    let after = || cells.cells.iter().filter(|it| it.cohort <= it.period);
    if after().any(|it| it.outcome.column().is_some()) {
        return Ok(());
    }
    let failed = after().find_map(|it| match it.outcome {
        Outcome::Failed(reason) => Some((it, reason)),
        _ => None,
    });
    let why = failed.map_or(String::new(), |(cell, reason)| {
        let (cohort, period) = (design.code(cell.cohort), design.code(cell.period));
        format!(": att({cohort},{period}): {reason}; {}", reason.advice())
    });
    Err(FitError::Model(format!("no effect after adoption could be estimated{why}")))
}

/// Units x terms: the aggregates, then the cells.
fn joint_influence(
    layout: &Layout,
    cells: &Cells,
    aggregates: &[Aggregate],
    columns: &[Option<usize>],
    weights: &[f64],
) -> Mat<f64> {
    let mut influence = Mat::<f64>::zeros(layout.units, aggregates.len() + cells.influence.len());
    for (at, aggregate) in aggregates.iter().enumerate() {
        let mut psi = vec![0.0; layout.units];
        for (weight, column) in aggregate.effects.iter().zip(columns) {
            if let (Some(column), true) = (column, *weight != 0.0) {
                psi.iter_mut().zip(&cells.influence[*column]).for_each(|(sum, it)| *sum += weight * it);
            }
        }
        // A size is the sum of its units' weights. That sizes are compared with their expectations adds the same to
        // every unit, and nothing: aggregates do not depend on the scale of sizes.
        for (slope, (_, units)) in aggregate.sizes.iter().zip(&layout.cohorts) {
            units.iter().for_each(|&unit| psi[unit as usize] += slope * weights[unit as usize]);
        }
        psi.iter().enumerate().for_each(|(unit, it)| influence[(unit, at)] = *it);
    }
    for (column, psi) in cells.influence.iter().enumerate() {
        let at = aggregates.len() + column;
        psi.iter().enumerate().for_each(|(unit, it)| influence[(unit, at)] = *it);
    }
    influence
}

/// What an aggregate is computed from. Estimated sizes of cohorts add the deviations of cells from their mean, with
/// weights that add up to one.
fn aggregate_size(aggregate: &Aggregate, columns: &[Option<usize>], cells: &Cells) -> f64 {
    let parts = aggregate.effects.iter().zip(columns);
    2.0 * parts.filter_map(|(weight, at)| Some(weight.abs() * cells.sizes[(*at)?])).sum::<f64>()
}
