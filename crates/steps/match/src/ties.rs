//! What ties between donors mean for an effect: how many focal units have them, and how far the choice moves the result.

use crate::{
    nearest::{Nearest, Neighbours, nearest, rounding},
    side::Outcomes,
};

/// Ties that were broken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ties {
    /// Focal units that could have had another donor at the distance of the last one taken.
    pub rows: usize,
    /// By how much the sum over focal units of their donors' mean outcome would change.
    pub change: Change,
}

/// Changes of a sum by other choices among the tied; NaN where that is not known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// The lowest outcomes; without replacement the lower one of the rows' order and its reverse.
    pub low: f64,
    /// The highest outcomes; without replacement the higher one of the two.
    pub high: f64,
    /// All tied donors, equally; not known without replacement.
    pub all: f64,
}

impl Default for Change {
    fn default() -> Change {
        Change { low: f64::NAN, high: f64::NAN, all: f64::NAN }
    }
}

/// Ties of neighbours that were found, where ties are broken.
pub fn broken(
    found: &Neighbours,
    focal: &[f64],
    donors: &[f64],
    outcomes: Option<Outcomes<'_>>,
    options: &Nearest,
) -> Ties {
    let rows = found.tied.iter().filter(|it| **it).count();
    if rows == 0 || options.ties.is_some() {
        return Ties::default();
    }
    let change = match (outcomes, options.replacement) {
        (None, _) => Change::default(),
        (Some(it), true) => among_the_tied(found, focal, donors, it.donors, options),
        (Some(it), false) => in_reverse(found, focal, donors, it.donors, options),
    };
    Ties { rows, change }
}

/// With replacement focal units choose apart from each other, so that extremes are sums of extremes.
fn among_the_tied(found: &Neighbours, focal: &[f64], donors: &[f64], y: &[f64], options: &Nearest) -> Change {
    let whole = nearest(focal, donors, &Nearest { ties: Some(0.0), ..*options });
    let mut change = Change { low: 0.0, high: 0.0, all: 0.0 };
    for (at, &p) in focal.iter().enumerate().filter(|it| found.tied[it.0]) {
        let (taken, all) = (found.of(at), whole.of(at));
        let distance = |it: &u32| (p - donors[*it as usize]).abs();
        let farthest = taken.iter().map(distance).fold(0.0, f64::max);
        let sure = |it: &&u32| distance(it) + rounding(p, donors[**it as usize]) < farthest;
        let value = |it: &u32| y[*it as usize];
        let certain: Vec<f64> = all.iter().filter(sure).map(value).collect();
        let mut tied: Vec<f64> = all.iter().filter(|it| !sure(it)).map(value).collect();
        tied.sort_by(f64::total_cmp);
        let open = taken.len().saturating_sub(certain.len()).min(tied.len());
        let base: f64 = certain.iter().sum();
        let size = taken.len() as f64;
        let own = taken.iter().map(value).sum::<f64>() / size;
        change.low += (base + tied[..open].iter().sum::<f64>()) / size - own;
        change.high += (base + tied[tied.len() - open..].iter().sum::<f64>()) / size - own;
        change.all += all.iter().map(value).sum::<f64>() / all.len() as f64 - own;
    }
    change
}

/// Without replacement a choice moves later ones; the order of rows and its reverse are two of the orders there are.
fn in_reverse(found: &Neighbours, focal: &[f64], donors: &[f64], y: &[f64], options: &Nearest) -> Change {
    let backwards: Vec<f64> = donors.iter().rev().copied().collect();
    let other = nearest(focal, &backwards, options);
    let last = donors.len().saturating_sub(1);
    let mean = |list: &[u32], place: &dyn Fn(usize) -> usize| match list.len() {
        0 => 0.0,
        n => list.iter().map(|it| y[place(*it as usize)]).sum::<f64>() / n as f64,
    };
    let moved: f64 =
        (0..focal.len()).map(|at| mean(other.of(at), &|it| last - it) - mean(found.of(at), &|it| it)).sum();
    Change { low: moved.min(0.0), high: moved.max(0.0), all: f64::NAN }
}
