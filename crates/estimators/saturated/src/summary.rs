//! Averages of cells by their rows: overall, by event time, cohort and period.

use std::collections::BTreeSet;

use parallax_model::{
    Aggregate, AggregationRange, Design, InfluenceFunctions, Mat, MatRef, Term, aggregate_covariance,
    linalg::rounding,
};

use crate::comparison::Cells;

/// An average: the mean over parts of the mean of cells, a cell counting by its rows.
struct Summary {
    /// `att`, `event:e`, `att:group:g`, `att:calendar:t`; `att:dynamic` and `att:calendar`, means over those.
    term: Term,
    parts: Vec<Vec<usize>>,
}

/// Every average that has a cell; events from all cells, the others from those at or after adoption.
fn summaries(cells: &[(i32, i32)], range: &AggregationRange) -> Vec<Summary> {
    let inside = |it: i32, range: Option<[i32; 2]>| range.is_none_or(|[low, high]| low <= it && it <= high);
    let last = cells.iter().map(|it| it.1).max().unwrap_or(0);
    let which = |keep: &dyn Fn(i32, i32) -> bool| -> Vec<usize> {
        (0..cells.len())
            .filter(|&it| inside(cells[it].0, range.cohort) && keep(cells[it].0, cells[it].1))
            .collect()
    };
    let post = which(&|g, t| g <= t && inside(t, range.period));
    let by_event = which(&|g, t| {
        inside(t - g, range.event) && range.balance.is_none_or(|e| g <= last - e && t - g <= e)
    });
    let family = |own: &[usize], key: fn((i32, i32)) -> i32| -> Vec<(i32, Vec<usize>)> {
        let keys: BTreeSet<i32> = own.iter().map(|&it| key(cells[it])).collect();
        let members = |value: i32| own.iter().copied().filter(|&it| key(cells[it]) == value).collect();
        keys.into_iter().map(|it| (it, members(it))).collect()
    };
    let (groups, events, periods) =
        (family(&post, |it| it.0), family(&by_event, |it| it.1 - it.0), family(&post, |it| it.1));
    let named = |it: String| Term::Aggregate(Some(it.as_str().into()));
    let lags = events.iter().filter(|it| 0 <= it.0).map(|it| it.1.clone()).collect();
    let mut all = vec![
        Summary { term: Term::Aggregate(None), parts: if post.is_empty() { Vec::new() } else { vec![post] } },
        Summary { term: named("dynamic".to_owned()), parts: lags },
        Summary {
            term: named("calendar".to_owned()),
            parts: periods.iter().map(|it| it.1.clone()).collect(),
        },
    ];
    let one = |term: Term, part: Vec<usize>| Summary { term, parts: vec![part] };
    all.extend(groups.into_iter().map(|(g, part)| one(Term::Cohort(g), part)));
    all.extend(events.into_iter().map(|(e, part)| one(Term::EventTime(e), part)));
    all.extend(periods.into_iter().map(|(t, part)| one(Term::Period(t), part)));
    all.retain(|it| !it.parts.is_empty());
    all
}

impl Summary {
    /// The weight of each cell.
    fn weights(&self, sizes: &[f64]) -> Vec<f64> {
        let mut weights = vec![0.0; sizes.len()];
        for part in &self.parts {
            let total: f64 = part.iter().map(|&it| sizes[it]).sum();
            part.iter().for_each(|&it| weights[it] += sizes[it] / total / self.parts.len() as f64);
        }
        weights
    }

    /// The average with its weights.
    fn of(&self, effects: &[f64], sizes: &[f64]) -> Aggregate {
        let weights = self.weights(sizes);
        let parts = weights.iter().zip(effects).map(|(w, it)| w * it);
        let size = parts.clone().map(f64::abs).sum();
        let estimate = rounding::or_zero(parts.sum(), size);
        Aggregate { term: self.term.clone(), estimate, effects: weights, sizes: Vec::new() }
    }

    /// What a row of each cell adds to estimate less truth because shares are estimated: effect less the part's mean,
    /// over the part's rows.
    fn share_scores(&self, effects: &[f64], sizes: &[f64]) -> Vec<f64> {
        let mut scores = vec![0.0; sizes.len()];
        for part in &self.parts {
            let total: f64 = part.iter().map(|&it| sizes[it]).sum();
            let mean = part.iter().map(|&it| sizes[it] * effects[it]).sum::<f64>() / total;
            let size = part.iter().map(|&it| sizes[it] * effects[it].abs()).sum::<f64>() / total;
            let apart = |it: usize| rounding::or_zero(effects[it] - mean, effects[it].abs() + size);
            part.iter().for_each(|&it| scores[it] += apart(it) / total / self.parts.len() as f64);
        }
        scores
    }
}

/// Averages, cells and slopes as functions of effects that come first, cells before slopes.
pub struct Averages {
    summaries: Vec<Summary>,
    cells: Vec<f64>,
    sizes: Vec<f64>,
    /// Averages, then cells and slopes; weights are over cells and slopes.
    pub all: Vec<Aggregate>,
}

impl Averages {
    /// Averages of the first of `coef`, one a cell, with the size of each; then all of `coef` under their terms.
    pub fn new(
        cells: &[(i32, i32)],
        sizes: Vec<f64>,
        coef: &[f64],
        terms: &[Term],
        range: &AggregationRange,
    ) -> Averages {
        let effects = &coef[..cells.len()];
        let summaries = summaries(cells, range);
        let average = |it: &Summary| {
            let mut average = it.of(effects, &sizes);
            average.effects.resize(coef.len(), 0.0);
            average
        };
        let own = |(at, term): (usize, &Term)| {
            let mut effects = vec![0.0; coef.len()];
            effects[at] = 1.0;
            Aggregate { term: term.clone(), estimate: coef[at], effects, sizes: Vec::new() }
        };
        let all = summaries.iter().map(average).chain(terms.iter().enumerate().map(own)).collect();
        Averages { summaries, cells: effects.to_vec(), sizes, all }
    }

    /// L V L'.
    pub fn covariance(&self, of_coefficients: MatRef<'_, f64>) -> Mat<f64> {
        aggregate_covariance(&self.all, of_coefficients)
    }

    /// Psi of cells and slopes made that of all terms.
    pub fn influence(&self, of_coefficients: InfluenceFunctions) -> InfluenceFunctions {
        let InfluenceFunctions { values, units } = of_coefficients;
        let weights = Mat::from_fn(values.ncols(), self.all.len(), |i, j| self.all[j].effects[i]);
        InfluenceFunctions { values: values * weights, units }
    }

    /// Adds the covariance of averages that comes from estimated shares: units are drawn, each with the cells of its
    /// rows.
    ///
    /// For one event time l and units with one row there it is d' (diag w - w w') d / m_l, with shares w, effects d and
    /// m_l rows: Sun and Abraham (2021), Proposition 3, and `eventstudyinteract`. Event times share units, whence the
    /// blocks between them.
    pub fn add_share_covariance(&self, matrix: &mut Mat<f64>, cells: &Cells, design: &Design<'_>) {
        let scores: Vec<Vec<f64>> =
            self.summaries.iter().map(|it| it.share_scores(&self.cells, &self.sizes)).collect();
        let mut psi = Mat::<f64>::zeros(design.units.n_groups(), scores.len());
        for (row, cell) in cells.of_row.iter().enumerate() {
            let Some(cell) = cell else { continue };
            let weight = design.weight_values().map_or(1.0, |it| it[row]);
            let unit = design.units.code[row] as usize;
            scores.iter().enumerate().for_each(|(at, scores)| psi[(unit, at)] += weight * scores[*cell]);
        }
        let added = psi.transpose() * &psi;
        for i in 0..added.nrows() {
            (0..added.ncols()).for_each(|j| matrix[(i, j)] += added[(i, j)]);
        }
    }
}
