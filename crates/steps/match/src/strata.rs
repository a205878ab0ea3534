//! Subclassification: strata between quantiles of the focal units' scores.

use crate::{
    side::{Outcomes, Side},
    ties::Ties,
};

/// Each focal unit is compared with all donors of its stratum; strata are cut at quantiles of the focal scores
/// (type 7 of Hyndman and Fan 1996), as in MatchIt's `method = "subclass"`.
pub fn by_strata(focal: &[f64], donors: &[f64], outcomes: Option<Outcomes<'_>>, strata: usize) -> Side {
    let mut sorted = focal.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cuts: Vec<f64> = (1..strata).map(|it| quantile(&sorted, it as f64 / strata as f64)).collect();
    let stratum = |score: f64| cuts.partition_point(|it| *it <= score);
    let (mut n1, mut n0, mut sums) = (vec![0.0; strata], vec![0.0; strata], vec![[0.0; 2]; strata]);
    focal.iter().for_each(|&it| n1[stratum(it)] += 1.0);
    for (at, &score) in donors.iter().enumerate() {
        let y = outcomes.map_or(f64::NAN, |it| it.donors[at]);
        n0[stratum(score)] += 1.0;
        sums[stratum(score)][0] += y;
        sums[stratum(score)][1] += y * y;
    }
    let mut pairs = [0.0; 2];
    let mut side = Side {
        matched: focal.iter().map(|&it| 0.0 < n0[stratum(it)]).collect(),
        outcome: vec![f64::NAN; focal.len()],
        weight: donors.iter().map(|&it| n1[stratum(it)] / n0[stratum(it)]).collect(),
        squares: Some(donors.iter().map(|&it| n1[stratum(it)] / n0[stratum(it)].powi(2)).collect()),
        pairs: None,
        ties: Ties::default(),
    };
    if let Some(it) = outcomes {
        for (at, &score) in focal.iter().enumerate().filter(|it| side.matched[it.0]) {
            let (n, [sum, squares], y) = (n0[stratum(score)], sums[stratum(score)], it.focal[at]);
            side.outcome[at] = sum / n;
            pairs[0] += y - sum / n;
            pairs[1] += y * y - 2.0 * y * sum / n + squares / n;
        }
        side.pairs = Some(pairs);
    }
    side
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    let low = at.floor() as usize;
    let high = (low + 1).min(last);
    sorted[low] + (at - low as f64) * (sorted[high] - sorted[low])
}
