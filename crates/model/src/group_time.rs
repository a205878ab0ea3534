//! Aggregation of effects by cohort and period, for every estimator that has them.
//!
//! Callaway and Sant'Anna (2021, J. Econometrics 225), section 3.1: each summary is a mean of averages of
//! ATT(g,t), weighted by the sizes of cohorts.

use std::collections::BTreeSet;

use parallax_linalg::{Mat, MatRef, rounding};
use parallax_panel::Calendar;
use serde::{Deserialize, Serialize};

use crate::Term;

/// Effects by cohort and period with the sizes of cohorts.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupTimeEffects {
    /// (cohort, period) of each of the K effects.
    pub cells: Vec<(i32, i32)>,
    /// K effects.
    pub att: Vec<f64>,
    /// (cohort, size) of each of the G cohorts, ascending; sizes are shares, counts or sums of weights.
    pub cohorts: Vec<(i32, f64)>,
}

/// Which periods and cohorts enter the aggregates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AggregationRange {
    /// Smallest and largest event time.
    pub event: Option<[i32; 2]>,
    /// Earliest and latest period of the simple, group and calendar aggregates.
    pub period: Option<[i32; 2]>,
    /// Earliest and latest cohort of all aggregates.
    pub cohort: Option<[i32; 2]>,
    /// Cohorts observed for at least this many periods after adoption, and event times up to it, only (`balance_e`).
    pub balance: Option<i32>,
}

impl AggregationRange {
    /// The range in periods, where period and cohort were given as people write them.
    #[must_use]
    pub fn on(&self, calendar: &Calendar) -> AggregationRange {
        let inside = |it: [i32; 2]| {
            let [low, high] = it;
            [calendar.period_after(low).unwrap_or(low), calendar.period_before(high).unwrap_or(high)]
        };
        AggregationRange { period: self.period.map(inside), cohort: self.cohort.map(inside), ..self.clone() }
    }
}

/// One aggregate as a function of effects and cohort sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// `att`, `event:e`, `att:group:g`, `att:calendar:t`, and `att:group`, `att:dynamic`, `att:calendar`, their means.
    pub term: Term,
    /// The value.
    pub estimate: f64,
    /// Its derivative in each of the K effects: their weights.
    pub effects: Vec<f64>,
    /// Its derivative in the size of each of the G cohorts, where sizes are estimated.
    pub sizes: Vec<f64>,
}

impl GroupTimeEffects {
    /// Every aggregate that has a cell: simple; group, with the mean over cohorts; dynamic, leads among them, with the
    /// mean over event times from 0 on; calendar, with the mean over periods.
    pub fn aggregates(&self, range: &AggregationRange) -> Vec<Aggregate> {
        let inside =
            |it: i32, range: Option<[i32; 2]>| range.is_none_or(|[low, high]| low <= it && it <= high);
        let last = self.cells.iter().map(|it| it.1).max().unwrap_or(0);
        let post: Vec<usize> = (0..self.cells.len())
            .filter(|&it| {
                let (g, t) = self.cells[it];
                g <= t && inside(g, range.cohort) && inside(t, range.period)
            })
            .collect();
        let by_event: Vec<usize> = (0..self.cells.len())
            .filter(|&it| {
                let (g, t) = self.cells[it];
                inside(g, range.cohort)
                    && inside(t - g, range.event)
                    && range.balance.is_none_or(|e| g <= last - e && t - g <= e)
            })
            .collect();
        let mut all: Vec<Aggregate> = self.share_weighted(Term::Aggregate(None), &post).into_iter().collect();
        let groups = self.families(&post, |(g, _)| g, Term::Cohort);
        all.extend(self.over_cohorts(&groups));
        let events = self.families(&by_event, |(g, t)| t - g, Term::EventTime);
        let lags: Vec<&Aggregate> =
            events.iter().filter(|it| matches!(it.term, Term::EventTime(e) if 0 <= e)).collect();
        all.extend(mean(named("dynamic"), &lags));
        let periods = self.families(&post, |(_, t)| t, Term::Period);
        all.extend(mean(named("calendar"), &periods.iter().collect::<Vec<_>>()));
        all.extend(groups.into_iter().chain(events).chain(periods));
        all
    }

    /// An aggregate for each value of `key`, ascending.
    fn families(
        &self,
        cells: &[usize],
        key: impl Fn((i32, i32)) -> i32,
        term: impl Fn(i32) -> Term,
    ) -> Vec<Aggregate> {
        let keys: BTreeSet<i32> = cells.iter().map(|&it| key(self.cells[it])).collect();
        let of = |value: i32| {
            let own: Vec<usize> = cells.iter().copied().filter(|&it| key(self.cells[it]) == value).collect();
            self.share_weighted(term(value), &own)
        };
        keys.into_iter().filter_map(of).collect()
    }

    /// sum P_g att / sum P_g over cells; its derivative in P_g is the sum over the cohort's cells of (att - mean),
    /// over sum P_g.
    fn share_weighted(&self, term: Term, cells: &[usize]) -> Option<Aggregate> {
        let total: f64 = cells.iter().map(|&it| self.size(it)).sum();
        if cells.is_empty() || total <= 0.0 {
            return None;
        }
        let mut effects = vec![0.0; self.cells.len()];
        cells.iter().for_each(|&it| effects[it] = self.size(it) / total);
        let estimate = weighted(cells.iter().map(|&it| effects[it] * self.att[it]));
        let mut sizes = vec![0.0; self.cohorts.len()];
        for &it in cells {
            if let Some(at) = self.cohort(it) {
                sizes[at] += (self.att[it] - estimate) / total;
            }
        }
        Some(Aggregate { term, estimate, effects, sizes })
    }

    /// The mean of cohorts' effects, weighted by their sizes.
    fn over_cohorts(&self, groups: &[Aggregate]) -> Option<Aggregate> {
        let own: Vec<(usize, &Aggregate)> = groups
            .iter()
            .filter_map(|it| {
                let first = it.effects.iter().position(|it| *it != 0.0)?;
                Some((self.cohort(first)?, it))
            })
            .collect();
        let total: f64 = own.iter().map(|it| self.cohorts[it.0].1).sum();
        if own.is_empty() || total <= 0.0 {
            return None;
        }
        let share = |at: usize| self.cohorts[at].1 / total;
        let estimate = weighted(own.iter().map(|(at, it)| share(*at) * it.estimate));
        let mut effects = vec![0.0; self.cells.len()];
        let mut sizes = vec![0.0; self.cohorts.len()];
        for (at, it) in own {
            effects.iter_mut().zip(&it.effects).for_each(|(sum, own)| *sum += share(at) * own);
            sizes[at] += (it.estimate - estimate) / total;
        }
        Some(Aggregate { term: named("group"), estimate, effects, sizes })
    }

    fn cohort(&self, cell: usize) -> Option<usize> {
        self.cohorts.iter().position(|it| it.0 == self.cells[cell].0)
    }

    fn size(&self, cell: usize) -> f64 {
        self.cohort(cell).map_or(0.0, |at| self.cohorts[at].1)
    }
}

impl Aggregate {
    /// Psi of each unit: psi of the effects (units x K) and of the cohort sizes (units x G), both times the derivatives.
    pub fn influence(&self, effects: MatRef<'_, f64>, sizes: Option<MatRef<'_, f64>>) -> Vec<f64> {
        let mut psi = vec![0.0; effects.nrows()];
        add_columns(&mut psi, effects, &self.effects);
        if let Some(sizes) = sizes {
            add_columns(&mut psi, sizes, &self.sizes);
        }
        psi
    }
}

/// The covariance of aggregates with fixed weights: L V L', with one row of L an aggregate.
pub fn aggregate_covariance(aggregates: &[Aggregate], effects: MatRef<'_, f64>) -> Mat<f64> {
    let weights = Mat::from_fn(aggregates.len(), effects.nrows(), |i, j| aggregates[i].effects[j]);
    rounding::congruence(weights.as_ref(), effects)
}

fn add_columns(sum: &mut [f64], columns: MatRef<'_, f64>, weights: &[f64]) {
    for (j, &weight) in weights.iter().enumerate().filter(|it| *it.1 != 0.0) {
        sum.iter_mut().enumerate().for_each(|(i, sum)| *sum += weight * columns[(i, j)]);
    }
}

/// A sum that is zero where its parts cancel up to rounding.
fn weighted(parts: impl Iterator<Item = f64>) -> f64 {
    let (sum, size) = parts.fold((0.0, 0.0), |(sum, size), it| (sum + it, size + it.abs()));
    rounding::or_zero(sum, size)
}

fn named(name: &str) -> Term {
    Term::Aggregate(Some(name.into()))
}

fn mean(term: Term, parts: &[&Aggregate]) -> Option<Aggregate> {
    let first = parts.first()?;
    let n = parts.len() as f64;
    let over = |of: fn(&Aggregate) -> &[f64]| {
        let mut sums = vec![0.0; of(first).len()];
        parts.iter().for_each(|it| sums.iter_mut().zip(of(it)).for_each(|(sum, own)| *sum += own / n));
        sums
    };
    let estimate = weighted(parts.iter().map(|it| it.estimate / n));
    Some(Aggregate { term, estimate, effects: over(|it| &it.effects), sizes: over(|it| &it.sizes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects(sizes: [f64; 2]) -> GroupTimeEffects {
        GroupTimeEffects {
            cells: vec![(3, 2), (3, 3), (3, 4), (4, 3), (4, 4)],
            att: vec![0.1, 1.0, 2.0, -0.1, 4.0],
            cohorts: vec![(3, sizes[0]), (4, sizes[1])],
        }
    }

    fn value(all: &[Aggregate], term: &str) -> f64 {
        all.iter().find(|it| it.term.to_string() == term).unwrap().estimate
    }

    #[test]
    fn means_by_hand() {
        let all = effects([1.0, 3.0]).aggregates(&AggregationRange::default());
        let near = |term: &str, by_hand: f64| assert!((value(&all, term) - by_hand).abs() < 1e-15, "{term}");
        near("att", (1.0 + 2.0 + 3.0 * 4.0) / 5.0);
        near("att:group:3", 1.5);
        near("att:group:4", 4.0);
        near("att:group", (1.5 + 3.0 * 4.0) / 4.0);
        near("event:-1", (0.1 - 3.0 * 0.1) / 4.0);
        near("event:0", (1.0 + 3.0 * 4.0) / 4.0);
        near("event:1", 2.0);
        near("att:dynamic", 0.5 * (13.0 / 4.0 + 2.0));
        near("att:calendar:3", 1.0);
        near("att:calendar:4", (2.0 + 3.0 * 4.0) / 4.0);
        near("att:calendar", 0.5 * (1.0 + 14.0 / 4.0));
        assert_eq!(all.len(), 11);
    }

    /// Every aggregate is a smooth function of effects and sizes: its derivatives against central differences.
    #[test]
    fn derivatives_are_those_of_the_estimate() {
        let base = effects([1.0, 3.0]);
        let range = AggregationRange::default();
        let all = base.aggregates(&range);
        let step = 1e-6;
        for (at, aggregate) in all.iter().enumerate() {
            for g in 0..2 {
                let moved = |by: f64| {
                    let mut it = base.clone();
                    it.cohorts[g].1 += by;
                    it.aggregates(&range)[at].estimate
                };
                let slope = (moved(step) - moved(-step)) / (2.0 * step);
                assert!((slope - aggregate.sizes[g]).abs() < 1e-8, "{}", aggregate.term);
            }
            let sum: f64 = aggregate.effects.iter().zip(&base.att).map(|(w, att)| w * att).sum();
            assert!((sum - aggregate.estimate).abs() < 1e-14);
        }
    }

    #[test]
    fn ranges_leave_out_what_is_beyond() {
        let range =
            AggregationRange { event: Some([0, 0]), period: Some([4, 4]), ..AggregationRange::default() };
        let all = effects([1.0, 3.0]).aggregates(&range);
        assert_eq!(value(&all, "att"), 3.5);
        assert!(all.iter().all(|it| it.term != Term::EventTime(1) && it.term != Term::EventTime(-1)));
        let balanced = AggregationRange { balance: Some(1), ..AggregationRange::default() };
        let all = effects([1.0, 3.0]).aggregates(&balanced);
        assert_eq!(value(&all, "event:0"), 1.0);
    }
}
