//! Nearest neighbours on one score: sorting and binary search, a union-find of free donors without replacement.
//!
//! A tie between a lower and a higher score goes to the lower one, and between equal scores to the earlier row, as in
//! psmatch2 (Leuven and Sianesi 2003), which searches upwards and moves only when the distance falls. Distances that differ
//! by the rounding of the scores are the same, except in psmatch2's own sweeps: .19 and .21 are as far from .20.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which order focal units choose when a donor serves once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Largest score first; each takes the nearest free donor (MatchIt's default).
    #[default]
    Largest,
    /// Smallest score first.
    Smallest,
    /// As the rows come.
    Data,
    /// psmatch2's `noreplacement`: one pass upwards, in which donors that were passed by do not come again.
    SweepAscending,
    /// psmatch2's `noreplacement descending`.
    SweepDescending,
}

/// How neighbours are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// Neighbours a focal unit; at least 1.
    pub k: usize,
    /// Distances must be below it; infinity for none.
    pub caliper: f64,
    /// A donor may serve more than once.
    pub replacement: bool,
    /// Take all donors whose squared distance is at most that of the k-th plus this; `None` takes exactly k.
    pub ties: Option<f64>,
    /// Order without replacement.
    pub order: Order,
}

/// Donors of each focal unit, one list after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// Where the list of each focal unit begins; one more at the end.
    pub start: Vec<usize>,
    /// Positions of donors, nearest first.
    pub donor: Vec<u32>,
    /// Whether another donor that could be had was as near as the last one taken.
    pub tied: Vec<bool>,
}

/// Rounding of a difference of two scores beside another: each score, read from decimals or computed, is off by half a unit
/// in its last place, so that two distances from one score are off by two units of the larger; twice that is allowed for.
pub fn rounding(p: f64, score: f64) -> f64 {
    4.0 * f64::EPSILON * p.abs().max(score.abs())
}

/// Whether a distance is below a caliper by more than rounding.
fn below(p: f64, score: f64, caliper: f64) -> bool {
    (p - score).abs() + rounding(p, score) < caliper
}

impl Neighbours {
    /// The donors of focal unit `at`.
    pub fn of(&self, at: usize) -> &[u32] {
        &self.donor[self.start[at]..self.start[at + 1]]
    }
}

/// The donors of each focal unit by score; scores are finite.
///
/// The cost is that of sorting: n log n.
pub fn nearest(focal: &[f64], donors: &[f64], options: &Nearest) -> Neighbours {
    let sorted = Sorted::new(donors);
    let (lists, tied): (Vec<Vec<u32>>, Vec<bool>) = if options.replacement {
        return with_replacement(focal, &sorted, options);
    } else {
        match options.order {
            Order::SweepAscending | Order::SweepDescending => sweep(focal, donors, options),
            Order::Largest | Order::Smallest | Order::Data => greedy(focal, &sorted, options),
        }
    };
    let mut found = Neighbours { start: vec![0], donor: Vec::new(), tied };
    for list in lists {
        found.donor.extend(list);
        found.start.push(found.donor.len());
    }
    found
}

/// The mean of `values` over the `m` nearest units of the same group, the unit itself left out.
///
/// Fewer than `m` are taken when the group is smaller; NaN for a group of one.
pub fn own_group_means(scores: &[f64], values: &[f64], m: usize) -> Vec<f64> {
    let sorted = Sorted::new(scores);
    let mut means = vec![f64::NAN; scores.len()];
    let mut list = Vec::with_capacity(m);
    for (at, &row) in sorted.row.iter().enumerate() {
        list.clear();
        sorted.expand(sorted.score[at], at, Some(at), m, f64::INFINITY, &mut list);
        let sum: f64 = list.iter().map(|&it| values[it as usize]).sum();
        means[row as usize] = sum / list.len() as f64;
    }
    means
}

/// Scores in ascending order, rows of equal score in their own order.
struct Sorted {
    score: Vec<f64>,
    row: Vec<u32>,
}

impl Sorted {
    fn new(scores: &[f64]) -> Sorted {
        let mut row: Vec<u32> = (0..scores.len() as u32).collect();
        row.sort_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]).then(a.cmp(&b)));
        Sorted { score: row.iter().map(|&it| scores[it as usize]).collect(), row }
    }

    /// First position with the score of `at`.
    fn run_start(&self, at: usize) -> usize {
        self.score[..at].partition_point(|it| *it < self.score[at])
    }

    /// The nearest of the positions below `split` and from `split` on, without `skip`.
    fn closest(&self, p: f64, split: usize, skip: Option<usize>) -> Option<usize> {
        let below = split.checked_sub(1).map(|it| self.run_start(it));
        let above = split + usize::from(skip == Some(split));
        let above = (above < self.score.len()).then_some(above);
        match (below, above) {
            (Some(low), Some(high)) => Some(if self.as_near(p, low, high) { low } else { high }),
            (low, high) => low.or(high),
        }
    }

    /// The one is not farther than the other but for rounding.
    fn as_near(&self, p: f64, one: usize, other: usize) -> bool {
        let (one, other) = (self.score[one], self.score[other]);
        (p - one).abs() <= (p - other).abs() + rounding(p, one).max(rounding(p, other))
    }

    /// Appends up to `k` rows nearest to `p`, and says how far the last is and whether another is as near; `split` is the
    /// first position whose score is not below `p`.
    fn expand(
        &self,
        p: f64,
        split: usize,
        skip: Option<usize>,
        k: usize,
        caliper: f64,
        list: &mut Vec<u32>,
    ) -> (f64, bool) {
        let mut farthest = f64::NAN;
        let Some(first) = self.closest(p, split, skip) else { return (farthest, false) };
        let mut low = first.checked_sub(1);
        let mut high = first + 1;
        let mut next = first;
        for taken in 1..=k {
            if !below(p, self.score[next], caliper) {
                break;
            }
            farthest = (p - self.score[next]).abs();
            list.push(self.row[next]);
            if taken == k {
                let beside = [low, (high < self.score.len()).then_some(high)];
                let tied = |it: usize| self.as_near(p, it, next) && below(p, self.score[it], caliper);
                return (farthest, beside.into_iter().flatten().any(tied));
            }
            if low == skip && skip.is_some() {
                low = low.and_then(|it| it.checked_sub(1));
            }
            high += usize::from(skip == Some(high));
            let above = (high < self.score.len()).then_some(high);
            next = match (low, above) {
                (Some(lower), above) if above.is_none_or(|it| self.as_near(p, lower, it)) => {
                    low = lower.checked_sub(1);
                    lower
                }
                (_, Some(above)) => {
                    high += 1;
                    above
                }
                _ => break,
            };
        }
        (farthest, false)
    }
}

fn with_replacement(focal: &[f64], sorted: &Sorted, options: &Nearest) -> Neighbours {
    let donor = Vec::with_capacity(focal.len() * options.k);
    let mut found = Neighbours { start: vec![0], donor, tied: Vec::with_capacity(focal.len()) };
    for &p in focal {
        let split = sorted.score.partition_point(|it| *it < p);
        let from = found.donor.len();
        let (farthest, tied) = sorted.expand(p, split, None, options.k, options.caliper, &mut found.donor);
        found.tied.push(tied);
        if let Some(tolerance) = options.ties
            && farthest.is_finite()
        {
            found.donor.truncate(from);
            let near = |it: f64| {
                let distance = (p - it).abs();
                let tied = distance <= farthest + rounding(p, it)
                    || distance * distance <= farthest * farthest + tolerance;
                tied && below(p, it, options.caliper)
            };
            let first = sorted.score[..split].partition_point(|&it| !near(it));
            let last = split + sorted.score[split..].partition_point(|&it| near(it));
            found.donor.extend(&sorted.row[first..last]);
        }
        found.start.push(found.donor.len());
    }
    found
}

/// Each focal unit in turn takes the nearest donor that is free; the k-th donors are given after all (k-1)-th.
fn greedy(focal: &[f64], sorted: &Sorted, options: &Nearest) -> (Vec<Vec<u32>>, Vec<bool>) {
    let mut turns: Vec<u32> = (0..focal.len() as u32).collect();
    let score = |it: u32| focal[it as usize];
    match options.order {
        Order::Largest => turns.sort_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b))),
        Order::Smallest => turns.sort_by(|&a, &b| score(a).total_cmp(&score(b)).then(a.cmp(&b))),
        Order::Data | Order::SweepAscending | Order::SweepDescending => {}
    }
    let mut free = Free::new(sorted.score.len());
    let (mut lists, mut tied) = (vec![Vec::new(); focal.len()], vec![false; focal.len()]);
    for _ in 0..options.k {
        for &turn in &turns {
            let p = score(turn);
            let split = sorted.score.partition_point(|it| *it < p);
            // The last free one below, and the first free one of its score.
            let lower = free.below(split).and_then(|it| free.above(sorted.run_start(it)));
            let best = match (lower, free.above(split)) {
                (Some(low), Some(high)) => Some(if sorted.as_near(p, low, high) { low } else { high }),
                (low, high) => low.or(high),
            };
            if let Some(at) = best
                && below(p, sorted.score[at], options.caliper)
            {
                free.take(at);
                lists[turn as usize].push(sorted.row[at]);
                let beside = [free.below(at), free.above(at), free.above(split)];
                tied[turn as usize] |= beside.into_iter().flatten().any(|it| sorted.as_near(p, it, at));
            }
        }
    }
    (lists, tied)
}

/// Which positions are free, in nearly constant time (Tarjan 1975, with path halving).
struct Free {
    /// Next free position at or above, shifted by nothing; `len` when there is none.
    up: Vec<u32>,
    /// One more than the next free position at or below; 0 when there is none.
    down: Vec<u32>,
}

impl Free {
    fn new(len: usize) -> Free {
        let all: Vec<u32> = (0..=len as u32).collect();
        Free { up: all.clone(), down: all }
    }

    fn root(links: &mut [u32], mut at: usize) -> usize {
        while links[at] as usize != at {
            links[at] = links[links[at] as usize];
            at = links[at] as usize;
        }
        at
    }

    /// The first free position from `at` on.
    fn above(&mut self, at: usize) -> Option<usize> {
        let found = Free::root(&mut self.up, at);
        (found + 1 < self.up.len()).then_some(found)
    }

    /// The last free position before `at`.
    fn below(&mut self, at: usize) -> Option<usize> {
        Free::root(&mut self.down, at).checked_sub(1)
    }

    fn take(&mut self, at: usize) {
        self.up[at] = at as u32 + 1;
        self.down[at + 1] = at as u32;
    }
}

/// psmatch2's pass: the search goes on from the donor after the last match and turns once, at the end.
fn sweep(focal: &[f64], donors: &[f64], options: &Nearest) -> (Vec<Vec<u32>>, Vec<bool>) {
    let sign = if options.order == Order::SweepDescending { -1.0 } else { 1.0 };
    let along = |it: &[f64]| Sorted::new(&it.iter().map(|it| sign * it).collect::<Vec<f64>>());
    let (turns, sorted) = (along(focal), along(donors));
    let (mut lists, mut tied) = (vec![Vec::new(); focal.len()], vec![false; focal.len()]);
    let Some(last) = sorted.score.len().checked_sub(1) else { return (lists, tied) };
    let mut free = Free::new(sorted.score.len());
    let mut forward = true;
    let mut best = 0;
    for (turn, (&p, &row)) in turns.score.iter().zip(&turns.row).enumerate() {
        let distance = |at: usize| (p - sorted.score[at]).abs();
        let mut at = best;
        let mut before = distance(at);
        while at < last {
            let next = if forward { free.above(at + 1) } else { free.below(at) };
            let Some(next) = next else { break };
            let here = distance(next);
            if before < here {
                break;
            }
            if here < before {
                best = next;
            }
            (at, before) = (next, here);
        }
        let matched = distance(best) < options.caliper;
        if matched {
            free.take(best);
            lists[row as usize].push(sorted.row[best]);
            let beside = [free.below(best), free.above(best)];
            tied[row as usize] = beside.into_iter().flatten().any(|it| sorted.as_near(p, it, best));
        }
        if best == last && turn + 1 < turns.row.len() {
            forward = false;
        }
        if matched {
            match if forward { free.above(best + 1) } else { free.below(best) } {
                Some(next) => best = next,
                None => break,
            }
        }
    }
    (lists, tied)
}
