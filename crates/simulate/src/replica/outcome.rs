//! The outcome equation, and the city GDP that makes the resilience index take its values.

use super::controls::control;
use super::digital::Digital;
use super::facts::{FIRST_YEAR, Nation, SAMPLE_FROM, YEARS};
use super::grid::{Grid, clock, excess_change};
use super::options::ReplicaOptions;
use super::roster::{City, group_scores};
use crate::error::SimulateError;
use parallax_vcov::Keyed;

/// The outcome with and without treatment.
pub(crate) struct Outcome {
    pub untreated: Grid,
    pub observed: Grid,
}

/// A lasting part of the city factor, as normal scores: its level (`growth`) or its drift (`drift`). Both are drawn
/// independently of size and of treatment, which is what makes trends parallel once controls are held fixed.
pub(crate) fn lasting_scores(stream: &str, cities: &[City], draws: Keyed) -> Vec<f64> {
    let kept: Vec<bool> = cities.iter().map(|city| city.kept).collect();
    let latent: Vec<f64> = cities.iter().map(|city| draws.normal(stream, city.code, 0)).collect();
    group_scores(&latent, &kept)
}

/// All seven controls, in the order of the options.
pub(crate) fn controls(options: &ReplicaOptions, cities: &[City], drift: &[f64], draws: Keyed) -> Vec<Grid> {
    options.controls.iter().map(|spec| control(spec, cities, drift, draws)).collect()
}

/// Cumulated real growth of the average untreated city since 2008, by raw year.
///
/// The means of the first three sample years are given. Before them growth is even; after them it is the nation's
/// plus a premium.
pub(crate) fn mean_growth(options: &ReplicaOptions, nation: &Nation) -> [f64; YEARS] {
    let mut level = [1.0; YEARS];
    for (offset, mean) in options.first_means.iter().enumerate() {
        let t = SAMPLE_FROM + offset;
        level[t] = 1.0 + nation.growth[t] * (1.0 + mean);
    }
    for t in 1..SAMPLE_FROM {
        level[t] = level[SAMPLE_FROM].powf(t as f64 / SAMPLE_FROM as f64);
    }
    for t in SAMPLE_FROM + options.first_means.len()..YEARS {
        level[t] = level[t - 1] * (1.0 + nation.growth[t] + options.later_premium);
    }
    level.map(|value| value - 1.0)
}

/// What the outcome equation is put together from.
pub(crate) struct Parts<'a> {
    pub cities: &'a [City],
    pub controls: &'a [Grid],
    pub digital: &'a Digital,
    /// City factor by city and year.
    pub factor: &'a Grid,
    /// Effect of approval by city and year.
    pub effects: &'a Grid,
}

/// No city's factor falls below this, so that none is poorer than in 2008 on its growth path alone.
const LEAST_FACTOR: f64 = 0.25;

/// The city factor: one, plus a level, plus a drift over the sample; times a passing part with mean one.
///
/// The passing part multiplies, so that a city that grows little is disturbed little as well.
pub(crate) fn city_factor(options: &ReplicaOptions, cities: &[City], drift: &[f64], draws: Keyed) -> Grid {
    let s = options.shock_spread;
    let levels = lasting_scores("growth", cities, draws);
    cities
        .iter()
        .zip(levels)
        .zip(drift)
        .map(|((city, level), drift)| {
            let passing = draws.autoregressive("shock", city.code, YEARS, options.shock_persistence);
            std::array::from_fn(|t| {
                let lasting = 1.0 + options.factor_spread * level + options.drift_spread * drift * clock(t);
                lasting.max(LEAST_FACTOR) * (s * passing[t] - s * s / 2.0).exp()
            })
        })
        .collect()
}

/// resilience = mean growth x city factor / national growth - 1 + controls + digital finance + effect.
pub(crate) fn outcome(options: &ReplicaOptions, nation: &Nation, parts: &Parts<'_>) -> Outcome {
    let path = mean_growth(options, nation);
    let index = |t: usize, factor: f64| if t == 0 { 0.0 } else { path[t] * factor / nation.growth[t] - 1.0 };
    let mut untreated: Grid =
        parts.factor.iter().map(|row| std::array::from_fn(|t| index(t, row[t]))).collect();
    for (spec, grid) in options.controls.iter().zip(parts.controls) {
        accumulate(&mut untreated, spec.coefficient, &excess_change(grid, parts.cities));
    }
    accumulate(
        &mut untreated,
        options.digital.coefficient,
        &excess_change(&parts.digital.deviation, parts.cities),
    );
    let observed = untreated
        .iter()
        .zip(parts.effects)
        .map(|(row, effect)| std::array::from_fn(|t| row[t] + effect[t]))
        .collect();
    Outcome { untreated, observed }
}

fn accumulate(sum: &mut Grid, weight: f64, part: &Grid) {
    for (row, addend) in sum.iter_mut().zip(part) {
        row.iter_mut().zip(addend).for_each(|(cell, value)| *cell += weight * value);
    }
}

/// Nominal GDP, by solving the index for it: RE = GR x (1 + resilience), and GDP = base x prices x (1 + RE).
pub(crate) fn output(
    options: &ReplicaOptions,
    nation: &Nation,
    cities: &[City],
    resilience: &Grid,
) -> Result<Grid, SimulateError> {
    let mut table = Vec::with_capacity(cities.len());
    for (city, row) in cities.iter().zip(resilience) {
        let base = (options.size.log_output + options.size.log_output_spread * city.size).exp();
        let mut levels = [0.0; YEARS];
        for t in 0..YEARS {
            let since = if t == 0 { 0.0 } else { nation.growth[t] * (1.0 + row[t]) };
            levels[t] = base * nation.deflator[t] * (1.0 + since);
            if levels[t].is_nan() || levels[t] <= 0.0 {
                return Err(SimulateError::NonPositiveOutput {
                    code: city.code,
                    year: FIRST_YEAR + t as i32,
                });
            }
        }
        table.push(levels);
    }
    Ok(table)
}
