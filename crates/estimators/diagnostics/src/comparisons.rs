//! Groups of equal timing and the comparisons between them (Goodman-Bacon 2021, theorem 1 and section 5.2).

/// Units that are treated in the same number of last periods of a balanced panel.
#[derive(Clone, Debug)]
pub struct Group {
    /// Treated periods, the last ones.
    pub treated: usize,
    /// Units.
    pub units: usize,
    /// Mean by period of the outcome, up to effects of units and periods, which no comparison depends on.
    pub outcome: Vec<f64>,
    /// Mean by period of what effects and covariates leave of the treatment.
    pub residual: Vec<f64>,
}

/// What is compared with what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An earlier group before a later one is treated.
    EarlierVsLater,
    /// A later group against an earlier one that is treated already.
    LaterVsEarlier,
    /// With covariates: two treated groups over all periods.
    BothTreated,
    /// A treated group against the never treated.
    TreatedVsUntreated,
    /// A treated group against the always treated.
    TreatedVsAlways,
    /// With covariates: two groups whose treatment does not change.
    AlwaysVsUntreated,
    /// With covariates: units against others of equal timing.
    Within,
}

impl Kind {
    /// As tables and figures write it.
    pub fn label(self) -> &'static str {
        match self {
            Kind::EarlierVsLater => "Earlier vs later treated",
            Kind::LaterVsEarlier => "Later vs earlier treated",
            Kind::BothTreated => "Both treated",
            Kind::TreatedVsUntreated => "Treated vs untreated",
            Kind::TreatedVsAlways => "Treated vs always treated",
            Kind::AlwaysVsUntreated => "Always treated vs untreated",
            Kind::Within => "Within groups",
        }
    }

    /// Controls are treated already.
    pub fn has_treated_controls(self) -> bool {
        matches!(self, Kind::LaterVsEarlier | Kind::TreatedVsAlways)
    }
}

/// One comparison; weights of all of them sum to one.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What is compared.
    pub kind: Kind,
    /// Treated periods of the treated group; `None` within groups.
    pub treated: Option<usize>,
    /// Treated periods of the control group.
    pub control: Option<usize>,
    /// Share in the coefficient.
    pub weight: f64,
    /// Its own difference in differences.
    pub estimate: f64,
}

/// Every comparison of two groups in a window where one of them changes and the other does not.
pub fn two_by_two(groups: &[Group], periods: usize) -> Vec<Comparison> {
    let sums: Vec<Vec<f64>> = groups.iter().map(|it| running_sums(&it.outcome)).collect();
    let mean =
        |group: usize, from: usize, to: usize| (sums[group][to] - sums[group][from]) / (to - from) as f64;
    // In the window `from..to` the treated group changes at `at`.
    let estimate = |treated: usize, control: usize, [from, at, to]: [usize; 3]| {
        let change = |group| mean(group, at, to) - mean(group, from, at);
        change(treated) - change(control)
    };
    let mut found = Vec::new();
    for (k, early) in groups.iter().enumerate() {
        for (l, late) in groups.iter().enumerate().filter(|it| it.1.treated < early.treated) {
            let [start_k, start_l] = [early, late].map(|it| periods - it.treated);
            let units = (early.units * late.units) as f64;
            let [share_k, share_l] = [early, late].map(|it| it.treated as f64 / periods as f64);
            // The paper's ((n_k + n_l) (1 - D_l))^2 n_kl (1 - n_kl) (D_k - D_l) / (1 - D_l) (1 - D_k) / (1 - D_l).
            if 0 < start_k {
                let kind = if late.treated == 0 { Kind::TreatedVsUntreated } else { Kind::EarlierVsLater };
                found.push(Comparison {
                    kind,
                    treated: Some(early.treated),
                    control: Some(late.treated),
                    weight: units * (share_k - share_l) * (1.0 - share_k),
                    estimate: estimate(k, l, [0, start_k, start_l]),
                });
            }
            // And ((n_k + n_l) D_k)^2 n_kl (1 - n_kl) D_l / D_k (D_k - D_l) / D_k.
            if 0 < late.treated {
                let kind = if start_k == 0 { Kind::TreatedVsAlways } else { Kind::LaterVsEarlier };
                found.push(Comparison {
                    kind,
                    treated: Some(late.treated),
                    control: Some(early.treated),
                    weight: units * share_l * (share_k - share_l),
                    estimate: estimate(l, k, [start_k, start_l, periods]),
                });
            }
        }
    }
    scaled(found, 1.0)
}

/// With covariates: variation within groups, and each pair of groups once over all periods.
///
/// A pair's estimate is the slope of the outcome on the pair's part of the residual; with n_kl (1 - n_kl) its weight is
/// (n_k + n_l)^2 times the residual's variance in the pair. bacondecomp arrives at the same numbers by a longer way:
/// what group means of covariates leave of the treatment, and the part of the prediction that they do not.
pub fn with_covariates(groups: &[Group], periods: usize, within: Option<Comparison>) -> Vec<Comparison> {
    let mut found = Vec::new();
    let square = |it: &Group| it.residual.iter().map(|it| it * it).sum::<f64>();
    let nothing = NOTHING * groups.iter().map(square).sum::<f64>();
    for early in groups {
        for late in groups.iter().filter(|it| it.treated < early.treated) {
            let (mut variance, mut covariance) = (0.0, 0.0);
            let difference = |of: fn(&Group) -> &Vec<f64>| {
                of(early).iter().zip(of(late)).map(|(a, b)| a - b).collect::<Vec<f64>>()
            };
            for (d, y) in difference(|it| &it.residual).iter().zip(difference(|it| &it.outcome)) {
                variance += d * d;
                covariance += d * y;
            }
            if variance <= nothing {
                continue;
            }
            let kind = match (early.treated == periods, late.treated == 0) {
                (true, true) => Kind::AlwaysVsUntreated,
                (false, true) => Kind::TreatedVsUntreated,
                (true, false) => Kind::TreatedVsAlways,
                (false, false) => Kind::BothTreated,
            };
            // Of a pair with the always treated the later group is the treated one.
            let (treated, control) =
                if kind == Kind::TreatedVsAlways { (late, early) } else { (early, late) };
            found.push(Comparison {
                kind,
                treated: Some(treated.treated),
                control: Some(control.treated),
                weight: (early.units * late.units) as f64 * variance,
                estimate: covariance / variance,
            });
        }
    }
    let omega = within.as_ref().map_or(0.0, |it| it.weight);
    within.into_iter().chain(scaled(found, 1.0 - omega)).collect()
}

/// Share of a variance that is rounding: residuals have errors of about 1e-14 of their size.
pub const NOTHING: f64 = 1e-24;

/// Weights scaled to a sum.
fn scaled(mut found: Vec<Comparison>, to: f64) -> Vec<Comparison> {
    let total: f64 = found.iter().map(|it| it.weight).sum();
    for it in &mut found {
        it.weight *= to / total;
    }
    found
}

fn running_sums(values: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let add = |it: &f64| {
        sum += it;
        sum
    };
    std::iter::once(0.0).chain(values.iter().map(add)).collect()
}
