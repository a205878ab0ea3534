//! Matching of two groups on given scores: weights, support, and what the effects are computed from.

use crate::{
    side::{Outcomes, Rule, Side, match_side},
    support::{dense, within_range},
    ties::Ties,
};

/// How to match.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Plan {
    /// Each unit to donors of the other group.
    Pairs(Rule),
    /// Odds as weights, scaled to the size of the focal group (Hirano, Imbens and Ridder 2003).
    InverseProbability,
}

/// Which units may be used, by their scores, before any is matched.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Support {
    /// Focal units outside the range of the other group leave.
    pub common: bool,
    /// Focal units where the other group's density is lowest leave, this per cent of them.
    pub trim: Option<f64>,
}

/// One score a row.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    /// Between 0 and 1 where it is needed: inverse probability weights, and trimming as psmatch2 does it.
    pub probability: &'a [f64],
    /// On which distances are taken.
    pub distance: &'a [f64],
}

/// Rows of the two groups on support, and what matching gave in each direction.
#[derive(Clone, Debug)]
pub struct Matching {
    /// Treated rows that were looked at, in row order.
    pub treated: Vec<usize>,
    /// Control rows that were looked at, in row order.
    pub controls: Vec<usize>,
    /// Controls as donors of the treated.
    pub to_treated: Side,
    /// Treated as donors of the controls, where both directions were asked.
    pub to_controls: Option<Side>,
}

/// Matches controls to the treated, and with `both` also the treated to controls.
///
/// `treated`, scores and `outcome` have one value a row; support applies to the treated, and with `both` to controls.
pub fn run(
    treated: &[bool],
    scores: &Scores<'_>,
    outcome: Option<&[f64]>,
    plan: &Plan,
    support: &Support,
    both: bool,
) -> Matching {
    let group =
        |which: bool| -> Vec<usize> { (0..treated.len()).filter(|&it| treated[it] == which).collect() };
    let (all_treated, all_controls) = (group(true), group(false));
    let pick = |rows: &[usize], from: &[f64]| -> Vec<f64> { rows.iter().map(|&it| from[it]).collect() };
    let supported = |rows: &[usize], others: &[usize]| -> Vec<usize> {
        let (own, other) = (pick(rows, scores.probability), pick(others, scores.probability));
        let mut keep = vec![true; rows.len()];
        if support.common {
            keep.iter_mut().zip(within_range(&own, &other)).for_each(|(it, ok)| *it &= ok);
        }
        if let Some(percent) = support.trim {
            keep.iter_mut().zip(dense(&own, &other, percent)).for_each(|(it, ok)| *it &= ok);
        }
        rows.iter().zip(keep).filter(|it| it.1).map(|it| *it.0).collect()
    };
    let treated = supported(&all_treated, &all_controls);
    let controls = if both { supported(&all_controls, &all_treated) } else { all_controls };
    let side = |focal: &[usize], donors: &[usize], sign: f64| {
        let values = outcome.map(|it| (pick(focal, it), pick(donors, it)));
        let outcomes = values.as_ref().map(|(focal, donors)| Outcomes { focal, donors });
        match plan {
            Plan::Pairs(rule) => {
                match_side(&pick(focal, scores.distance), &pick(donors, scores.distance), outcomes, rule)
            }
            Plan::InverseProbability => odds(focal.len(), &pick(donors, scores.probability), outcomes, sign),
        }
    };
    let to_treated = side(&treated, &controls, 1.0);
    let to_controls = both.then(|| side(&controls, &treated, -1.0));
    Matching { treated, controls, to_treated, to_controls }
}

/// Donors weighed by p/(1-p), or its inverse with a negative sign, to a sum of one for each focal unit.
fn odds(focal: usize, donors: &[f64], outcomes: Option<Outcomes<'_>>, sign: f64) -> Side {
    let odds: Vec<f64> = donors.iter().map(|p| (p / (1.0 - p)).powf(sign)).collect();
    let total: f64 = odds.iter().sum();
    let mean =
        outcomes.map_or(f64::NAN, |it| odds.iter().zip(it.donors).map(|(w, y)| w * y).sum::<f64>() / total);
    let scale = focal as f64 / total;
    Side {
        matched: vec![0.0 < total; focal],
        outcome: vec![mean; focal],
        weight: odds.iter().map(|it| it * scale).collect(),
        squares: None,
        pairs: None,
        ties: Ties::default(),
    }
}

impl Matching {
    /// One weight for each of `n` rows: 1 for a matched treated row, the sum of its weights for a control that is used,
    /// NaN for every other (psmatch2's `_weight`).
    pub fn weights(&self, n: usize) -> Vec<f64> {
        let mut weights = vec![f64::NAN; n];
        for (&row, &matched) in self.treated.iter().zip(&self.to_treated.matched) {
            if matched {
                weights[row] = 1.0;
            }
        }
        for (&row, &weight) in self.controls.iter().zip(&self.to_treated.weight) {
            if weight != 0.0 {
                weights[row] = weight;
            }
        }
        weights
    }

    /// How many of the treated found donors.
    pub fn n_matched(&self) -> usize {
        self.to_treated.matched.iter().filter(|it| **it).count()
    }
}
