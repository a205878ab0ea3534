//! A staggered-adoption panel with known effects by cohort and exposure, for tests of estimators.
//!
//! outcome = unit effect + period effect + sum of coefficient x covariate + effect(cohort, exposure) x treated
//! + AR(1) noise. Trends are parallel unless `covariate_trend` lets untreated outcomes drift with the first
//!   covariate, in which case they are parallel only given that covariate.

use serde::{Deserialize, Serialize};

use crate::error::SimulateError;
use parallax_vcov::Keyed;

/// Effect by exposure: `impact` in the first treated period, `slope` more in each one after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EffectPath {
    /// Effect at exposure 0.
    pub impact: f64,
    /// Change for each further period.
    pub slope: f64,
}

impl EffectPath {
    /// The effect after `exposure` periods; zero before adoption.
    #[must_use]
    pub fn at(self, exposure: i64) -> f64 {
        if exposure < 0 { 0.0 } else { self.impact + self.slope * exposure as f64 }
    }
}

/// Units that adopt together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cohort {
    /// First treated period; periods count from 1.
    pub first_treated: i64,
    /// Share of all units.
    pub share: f64,
    /// Effect.
    pub effect: EffectPath,
}

/// What the panel looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StaggeredOptions {
    /// Seed of every draw.
    pub seed: u64,
    /// Number of units.
    pub units: usize,
    /// Number of periods.
    pub periods: usize,
    /// Cohorts; units beyond their shares are never treated.
    pub cohorts: Vec<Cohort>,
    /// Standard deviation of unit effects.
    pub unit_spread: f64,
    /// How much higher the unit effects of adopters are.
    pub selection: f64,
    /// Standard deviation of period effects.
    pub period_spread: f64,
    /// Coefficients of the covariates, which are standard normal and half of whose variance is between units.
    pub coefficients: Vec<f64>,
    /// How much higher the first covariate of adopters is.
    pub covariate_selection: f64,
    /// Drift of untreated outcomes for each period and each unit of the first covariate's level.
    pub covariate_trend: f64,
    /// Standard deviation of the noise.
    pub noise_spread: f64,
    /// Persistence of the noise.
    pub noise_persistence: f64,
}

impl Default for StaggeredOptions {
    fn default() -> Self {
        let cohort = |first_treated, impact, slope| Cohort {
            first_treated,
            share: 0.2,
            effect: EffectPath { impact, slope },
        };
        Self {
            seed: 1,
            units: 300,
            periods: 10,
            cohorts: vec![cohort(4, 2.0, 0.5), cohort(6, 1.5, 0.25), cohort(8, 1.0, 0.0)],
            unit_spread: 1.0,
            selection: 0.5,
            period_spread: 0.5,
            coefficients: vec![0.5, -0.3],
            covariate_selection: 0.0,
            covariate_trend: 0.0,
            noise_spread: 1.0,
            noise_persistence: 0.4,
        }
    }
}

/// The panel: rows ascending by unit and period, and the truth beside the data.
#[derive(Debug, Clone)]
pub struct StaggeredPanel {
    /// Unit by row, counted from 1.
    pub unit: Vec<i64>,
    /// Period by row, counted from 1.
    pub period: Vec<i64>,
    /// First treated period of the row's unit; `None` is never.
    pub first_treated: Vec<Option<i64>>,
    /// Treatment by row.
    pub treated: Vec<f64>,
    /// Covariates, each by row.
    pub covariates: Vec<Vec<f64>>,
    /// What stays of the first covariate within a unit, by row; zero without covariates.
    pub covariate_level: Vec<f64>,
    /// Outcome by row.
    pub outcome: Vec<f64>,
    /// True effect by row; zero where untreated.
    pub effect: Vec<f64>,
}

impl StaggeredPanel {
    /// True effect averaged over treated rows; NaN when none is.
    #[must_use]
    pub fn att(&self) -> f64 {
        self.mean_effect(|_, exposure| exposure >= 0)
    }

    /// True effect of one cohort in one period, averaged over its rows.
    #[must_use]
    pub fn group_time(&self, first_treated: i64, period: i64) -> f64 {
        self.mean_effect(|first, exposure| first == first_treated && exposure == period - first_treated)
    }

    /// True effect at one exposure, averaged over the rows that reach it.
    #[must_use]
    pub fn at_exposure(&self, exposure: i64) -> f64 {
        self.mean_effect(|_, reached| reached == exposure)
    }

    fn mean_effect(&self, wanted: impl Fn(i64, i64) -> bool) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for ((first, period), effect) in self.first_treated.iter().zip(&self.period).zip(&self.effect) {
            if first.is_some_and(|first| wanted(first, period - first)) {
                sum += effect;
                count += 1.0;
            }
        }
        sum / count
    }
}

/// Draws the panel.
///
/// # Errors
/// When there are no units or periods, shares do not fit into one, or a persistence is not in [0, 1).
pub fn staggered_panel(options: &StaggeredOptions) -> Result<StaggeredPanel, SimulateError> {
    check(options)?;
    let draws = Keyed::new(options.seed);
    let cohorts = assign(options, draws);
    let rows = options.units * options.periods;
    let mut panel = StaggeredPanel {
        unit: Vec::with_capacity(rows),
        period: Vec::with_capacity(rows),
        first_treated: Vec::with_capacity(rows),
        treated: Vec::with_capacity(rows),
        covariates: vec![Vec::with_capacity(rows); options.coefficients.len()],
        covariate_level: Vec::with_capacity(rows),
        outcome: Vec::with_capacity(rows),
        effect: Vec::with_capacity(rows),
    };
    for (position, cohort) in cohorts.into_iter().enumerate() {
        append_unit(&mut panel, options, position as i64 + 1, cohort, draws);
    }
    Ok(panel)
}

/// Draws one unit's rows and appends them.
fn append_unit(
    panel: &mut StaggeredPanel,
    options: &StaggeredOptions,
    unit: i64,
    cohort: Option<Cohort>,
    draws: Keyed,
) {
    let adopter = if cohort.is_some() { 1.0 } else { 0.0 };
    let own = options.unit_spread * draws.normal("unit", unit, 0) + options.selection * adopter;
    let noise = draws.autoregressive("noise", unit, options.periods, options.noise_persistence);
    let half = 0.5_f64.sqrt();
    let names: Vec<String> = (0..options.coefficients.len()).map(|j| format!("covariate-{j}")).collect();
    let shift = |j: usize| if j == 0 { options.covariate_selection * adopter } else { 0.0 };
    let levels: Vec<f64> =
        names.iter().enumerate().map(|(j, name)| half * draws.normal(name, unit, 0) + shift(j)).collect();
    let level = levels.first().copied().unwrap_or(0.0);
    let drift = options.covariate_trend * level;
    for (noise, period) in noise.into_iter().zip(1_i64..) {
        let effect = cohort.map_or(0.0, |cohort| cohort.effect.at(period - cohort.first_treated));
        let common = options.period_spread * draws.normal("period", 0, period);
        let mut outcome = own + common + drift * period as f64 + effect + options.noise_spread * noise;
        for (((name, level), coefficient), column) in
            names.iter().zip(&levels).zip(&options.coefficients).zip(&mut panel.covariates)
        {
            let value = level + half * draws.normal(name, unit, period);
            outcome += coefficient * value;
            column.push(value);
        }
        panel.covariate_level.push(level);
        panel.unit.push(unit);
        panel.period.push(period);
        panel.first_treated.push(cohort.map(|cohort| cohort.first_treated));
        panel.treated.push(if cohort.is_some_and(|cohort| period >= cohort.first_treated) {
            1.0
        } else {
            0.0
        });
        panel.outcome.push(outcome);
        panel.effect.push(effect);
    }
}

/// Cohort of each unit. Sizes are fixed by the shares, only who belongs where is drawn, so no cohort comes out empty.
fn assign(options: &StaggeredOptions, draws: Keyed) -> Vec<Option<Cohort>> {
    let mut order: Vec<usize> = (0..options.units).collect();
    let key = |i: &usize| draws.uniform("cohort", *i as i64 + 1, 0);
    order.sort_by(|a, b| key(a).total_cmp(&key(b)));
    let mut assigned = vec![None; options.units];
    let (mut reached, mut from) = (0.0, 0);
    for cohort in &options.cohorts {
        reached += cohort.share;
        let until = ((reached * options.units as f64).round() as usize).min(options.units);
        for &unit in order.get(from..until).unwrap_or(&[]) {
            assigned[unit] = Some(*cohort);
        }
        from = until.max(from);
    }
    assigned
}

fn check(options: &StaggeredOptions) -> Result<(), SimulateError> {
    let bad = |option, reason: &str| Err(SimulateError::BadOption { option, reason: reason.to_owned() });
    if options.units == 0 || options.periods == 0 {
        return bad("units", "there must be at least one unit and one period");
    }
    let total: f64 = options.cohorts.iter().map(|cohort| cohort.share).sum();
    if options.cohorts.iter().any(|cohort| cohort.share.is_nan() || cohort.share < 0.0) || total > 1.0 + 1e-9
    {
        return bad("cohorts", "shares must be non-negative and add up to one at most");
    }
    if !(0.0..1.0).contains(&options.noise_persistence) {
        return bad("noise_persistence", "it must lie in [0, 1)");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cohorts_have_their_shares_and_effects() {
        let panel = staggered_panel(&StaggeredOptions::default()).unwrap();
        assert_eq!(panel.unit.len(), 3_000);
        let size = |first| panel.first_treated.iter().filter(|f| **f == first).count() / 10;
        assert_eq!([size(Some(4)), size(Some(6)), size(Some(8)), size(None)], [60, 60, 60, 120]);
        assert!((panel.group_time(4, 6) - 3.0).abs() < 1e-12);
        assert!((panel.at_exposure(0) - 1.5).abs() < 1e-12);
        assert!(panel.group_time(4, 3).abs() < 1e-12);
    }

    #[test]
    fn a_longer_panel_repeats_the_shorter_one() {
        // Keys, not order, decide: more periods leave the numbers of the first ones alone.
        let short = staggered_panel(&StaggeredOptions { periods: 5, ..Default::default() }).unwrap();
        let long = staggered_panel(&StaggeredOptions { periods: 8, ..Default::default() }).unwrap();
        assert_eq!(short.outcome[..5], long.outcome[..5]);
        assert_eq!(short.outcome[5..10], long.outcome[8..13]);
    }

    #[test]
    fn a_difference_of_differences_finds_the_effect() {
        // One cohort, no covariates: the mean over seeds of the 2x2 estimate has a known centre and spread.
        let effect = EffectPath { impact: 1.0, slope: 0.0 };
        let mut estimates = Vec::new();
        for seed in 0..60 {
            let panel = staggered_panel(&StaggeredOptions {
                seed,
                units: 100,
                periods: 2,
                cohorts: vec![Cohort { first_treated: 2, share: 0.5, effect }],
                coefficients: Vec::new(),
                ..Default::default()
            })
            .unwrap();
            let change = |adopter: bool| {
                let rows: Vec<f64> = (0..100)
                    .filter(|i| panel.first_treated[2 * i].is_some() == adopter)
                    .map(|i| panel.outcome[2 * i + 1] - panel.outcome[2 * i])
                    .collect();
                rows.iter().sum::<f64>() / rows.len() as f64
            };
            estimates.push(change(true) - change(false));
        }
        let mean = estimates.iter().sum::<f64>() / 60.0;
        // Standard error of one estimate: sqrt(2 * 2 (1 - .4) / 50) = .22, of the mean of 60: .028.
        assert!((mean - 1.0).abs() < 0.085, "{mean}");
    }

    #[test]
    fn impossible_options_are_refused() {
        let empty = StaggeredOptions { units: 0, ..Default::default() };
        assert!(matches!(staggered_panel(&empty), Err(SimulateError::BadOption { option: "units", .. })));
        let mut crowded = StaggeredOptions::default();
        crowded.cohorts[0].share = 0.9;
        assert!(staggered_panel(&crowded).is_err());
    }
}
