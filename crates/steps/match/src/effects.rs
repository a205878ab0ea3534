//! Effects and their errors from a matching.
//!
//! | effect | mean of y(1) - y(0) over | psmatch2 |
//! |---|---|---|
//! | att | the treated on support | `r(att)` |
//! | atu | the controls on support | `r(atu)` with `ate` |
//! | ate | both | `r(ate)` with `ate` |
//!
//! | errors | source |
//! |---|---|
//! | naive | psmatch2 4.0: outcomes vary equally within a group, weights are fixed |
//! | sample | Abadie and Imbens (2006), theorem 6; psmatch2 4.0's `ai()`, 4.1's `ai() samplevar` |
//! | population | Abadie and Imbens (2006), theorem 7; psmatch2 4.1's `ai()`; R Matching |

use crate::{
    matching::{Matching, Plan, Scores},
    nearest::own_group_means,
    run::variance,
    side::Side,
};

/// Which errors; the Abadie-Imbens kinds need each donor's sum of squared weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// Equal variances within a group.
    Naive,
    /// Conditional on covariates and treatment.
    Sample {
        /// Neighbours of the own group for a unit's variance; 0 takes one variance for all, from matched pairs.
        matches: usize,
    },
    /// For the population that the sample is drawn from.
    Population {
        /// As for `Sample`.
        matches: usize,
    },
}

/// att, or att, atu and ate, with their covariance (row by row).
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// One or three estimates.
    pub estimate: Vec<f64>,
    /// Their covariance, 1 x 1 or 3 x 3.
    pub covariance: Vec<Vec<f64>>,
}

/// One direction with its outcomes.
struct Direction<'a> {
    side: &'a Side,
    focal: Vec<f64>,
    donors: Vec<f64>,
    /// Focal units with donors.
    n: f64,
    /// 1 for the treated, -1 for controls.
    sign: f64,
}

impl<'a> Direction<'a> {
    fn new(side: &'a Side, focal: &[usize], donors: &[usize], outcome: &[f64], sign: f64) -> Self {
        let pick = |rows: &[usize]| rows.iter().map(|&it| outcome[it]).collect();
        let n = side.matched.iter().filter(|it| **it).count() as f64;
        Direction { side, focal: pick(focal), donors: pick(donors), n, sign }
    }

    /// y(1) - y(0) of each focal unit with donors.
    fn gaps(&self) -> impl Iterator<Item = f64> + '_ {
        let all = self.focal.iter().zip(&self.side.outcome).zip(&self.side.matched);
        all.filter(|it| *it.1).map(|((y, matched), _)| self.sign * (y - matched))
    }

    fn effect(&self) -> f64 {
        self.gaps().sum::<f64>() / self.n
    }

    /// sum_ij w_ij (y_i - y_j - effect)^2, signs as for treated less control.
    fn pair_squares(&self, effect: f64) -> f64 {
        let [sum, squares] = self.side.pairs.unwrap_or([f64::NAN; 2]);
        squares - 2.0 * effect * self.sign * sum + effect * effect * self.n
    }
}

/// Effects with errors; `outcome` has one value a row.
pub fn effects(
    matching: &Matching,
    scores: &Scores<'_>,
    outcome: &[f64],
    plan: &Plan,
    errors: Errors,
) -> Effects {
    let (treated, controls) = (&matching.treated, &matching.controls);
    let one = Direction::new(&matching.to_treated, treated, controls, outcome, 1.0);
    let two = matching.to_controls.as_ref().map(|it| Direction::new(it, controls, treated, outcome, -1.0));
    let Some(two) = two else {
        let estimate = one.effect();
        let forms = [att_form(&one)];
        let variance = match errors {
            Errors::Naive => naive(&forms, &one).concat(),
            _ => abadie_imbens(&one, None, matching, scores, outcome, errors),
        };
        return Effects { estimate: vec![estimate], covariance: vec![variance] };
    };
    let forms = [att_form(&one), atu_form(&two), ate_form(&one, &two, matching, scores, plan)];
    let mut estimate = vec![one.effect(), two.effect(), f64::NAN];
    estimate[2] = match plan {
        Plan::Pairs(_) => (one.n * estimate[0] + two.n * estimate[1]) / (one.n + two.n),
        Plan::InverseProbability => forms[2].apply(&one),
    };
    let covariance = match errors {
        Errors::Naive => naive(&forms, &one),
        _ => {
            let variances = abadie_imbens(&one, Some(&two), matching, scores, outcome, errors);
            joint(&variances, one.n / (one.n + two.n))
        }
    };
    Effects { estimate, covariance }
}

/// An effect as a weighted sum of outcomes of treated and controls.
struct Form {
    treated: Vec<f64>,
    controls: Vec<f64>,
}

impl Form {
    fn apply(&self, one: &Direction<'_>) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        dot(&self.treated, &one.focal) + dot(&self.controls, &one.donors)
    }
}

fn on(side: &Side, weight: f64) -> Vec<f64> {
    side.matched.iter().map(|&it| if it { weight } else { 0.0 }).collect()
}

fn att_form(one: &Direction<'_>) -> Form {
    let controls = one.side.weight.iter().map(|it| -it / one.n).collect();
    Form { treated: on(one.side, 1.0 / one.n), controls }
}

fn atu_form(two: &Direction<'_>) -> Form {
    let treated = two.side.weight.iter().map(|it| it / two.n).collect();
    Form { treated, controls: on(two.side, -1.0 / two.n) }
}

fn ate_form(
    one: &Direction<'_>,
    two: &Direction<'_>,
    matching: &Matching,
    scores: &Scores<'_>,
    plan: &Plan,
) -> Form {
    let n = one.n + two.n;
    match plan {
        Plan::Pairs(_) => {
            let sum = |own: &Side, given: &Side, sign: f64| -> Vec<f64> {
                let own = on(own, 1.0);
                own.iter().zip(&given.weight).map(|(own, given)| sign * (own + given) / n).collect()
            };
            Form { treated: sum(one.side, two.side, 1.0), controls: sum(two.side, one.side, -1.0) }
        }
        Plan::InverseProbability => {
            let share = |rows: &[usize], probability: &dyn Fn(f64) -> f64, sign: f64| -> Vec<f64> {
                let raw: Vec<f64> =
                    rows.iter().map(|&it| 1.0 / probability(scores.probability[it])).collect();
                let total: f64 = raw.iter().sum();
                raw.into_iter().map(|it| sign * it / total).collect()
            };
            Form {
                treated: share(&matching.treated, &|p| p, 1.0),
                controls: share(&matching.controls, &|p| 1.0 - p, -1.0),
            }
        }
    }
}

/// s1^2 sum a_i b_i over the treated and s0^2 sum a_j b_j over controls: s1^2 is the variance of the treated on support
/// and s0^2 that of the controls used. For att this is psmatch2 4.0's sqrt(s1^2/N1 + s0^2 sum w^2/N1^2).
fn naive(forms: &[Form], one: &Direction<'_>) -> Vec<Vec<f64>> {
    let treated: Vec<f64> =
        one.focal.iter().zip(&one.side.matched).filter(|it| *it.1).map(|it| *it.0).collect();
    let used: Vec<f64> =
        one.donors.iter().zip(&one.side.weight).filter(|it| *it.1 != 0.0).map(|it| *it.0).collect();
    let (s1, s0) = (variance(&treated), variance(&used));
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let entry = |a: &Form, b: &Form| s1 * dot(&a.treated, &b.treated) + s0 * dot(&a.controls, &b.controls);
    forms.iter().map(|a| forms.iter().map(|b| entry(a, b)).collect()).collect()
}

/// Variances of att, atu and ate, or of att alone.
fn abadie_imbens(
    one: &Direction<'_>,
    two: Option<&Direction<'_>>,
    matching: &Matching,
    scores: &Scores<'_>,
    outcome: &[f64],
    errors: Errors,
) -> Vec<f64> {
    let (matches, population) = match errors {
        Errors::Population { matches } => (matches, true),
        Errors::Sample { matches } => (matches, false),
        Errors::Naive => (1, false),
    };
    let noise = |rows: &[usize], single: f64| own_variances(rows, scores, outcome, matches, single);
    let att = one.effect();
    let single = 0.5 * one.pair_squares(att) / one.n;
    let first =
        one_way(one, &noise(&matching.treated, single), &noise(&matching.controls, single), population);
    let Some(two) = two else { return vec![first] };
    let atu = two.effect();
    let single = 0.5 * two.pair_squares(atu) / two.n;
    let second =
        one_way(two, &noise(&matching.controls, single), &noise(&matching.treated, single), population);
    let n = one.n + two.n;
    let ate = (one.n * att + two.n * atu) / n;
    let single = 0.5 * (one.pair_squares(ate) + two.pair_squares(ate)) / n;
    let spread: f64 = one.gaps().chain(two.gaps()).map(|it| (it - ate).powi(2)).sum();
    let mut sum = if population { spread } else { 0.0 };
    for (own, given, rows) in
        [(one.side, two.side, &matching.treated), (two.side, one.side, &matching.controls)]
    {
        for (at, s2) in noise(rows, single).into_iter().enumerate() {
            let w = given.weight[at];
            let own = f64::from(u8::from(own.matched[at]));
            sum +=
                s2 * if population { w * w + 2.0 * w * own - square(given, at) } else { (own + w).powi(2) };
        }
    }
    vec![first, second, sum / (n * n)]
}

/// Variance of a mean over the focal units of one direction.
fn one_way(it: &Direction<'_>, focal: &[f64], donors: &[f64], population: bool) -> f64 {
    let effect = it.effect();
    let own: f64 = if population {
        it.gaps().map(|gap| (gap - effect).powi(2)).sum()
    } else {
        focal.iter().zip(&it.side.matched).filter(|it| *it.1).map(|it| *it.0).sum()
    };
    let given: f64 = donors
        .iter()
        .enumerate()
        .map(|(at, s2)| {
            let w = it.side.weight[at];
            s2 * if population { w * w - square(it.side, at) } else { w * w }
        })
        .sum();
    (own + given) / (it.n * it.n)
}

fn square(side: &Side, at: usize) -> f64 {
    side.squares.as_ref().map_or(f64::NAN, |it| it[at])
}

/// M/(M+1) (y - mean of the M nearest of the own group)^2 (Abadie and Imbens 2006, equation 14), or `single` for all.
fn own_variances(
    rows: &[usize],
    scores: &Scores<'_>,
    outcome: &[f64],
    matches: usize,
    single: f64,
) -> Vec<f64> {
    if matches == 0 {
        return vec![single; rows.len()];
    }
    let own: Vec<f64> = rows.iter().map(|&it| scores.distance[it]).collect();
    let values: Vec<f64> = rows.iter().map(|&it| outcome[it]).collect();
    // A group smaller than M + 1 has fewer neighbours.
    let m = matches.min(rows.len().saturating_sub(1)) as f64;
    let means = own_group_means(&own, &values, matches);
    values.iter().zip(means).map(|(y, mean)| m / (m + 1.0) * (y - mean).powi(2)).collect()
}

/// ate = share att + (1 - share) atu, so that three variances give the whole covariance.
fn joint(variances: &[f64], share: f64) -> Vec<Vec<f64>> {
    let [att, atu, ate] = [0, 1, 2].map(|it| variances.get(it).copied().unwrap_or(f64::NAN));
    let rest = 1.0 - share;
    let cross = (ate - share * share * att - rest * rest * atu) / (2.0 * share * rest);
    let (first, second) = (share * att + rest * cross, share * cross + rest * atu);
    vec![vec![att, cross, first], vec![cross, atu, second], vec![first, second, ate]]
}
