//! Digital finance: three sub-indices, their aggregate, and the noise in it that reaches the outcome.

use super::facts::{SAMPLE_FROM, YEARS};
use super::grid::{Grid, clock};
use super::options::{DigitalOptions, MediatorOptions};
use super::roster::{City, group_scores};
use crate::scores::skewed;
use parallax_vcov::Keyed;

/// A few cities are far ahead and none is far behind, as an index that starts near zero needs.
const LEVEL_SKEW: f64 = 0.3;

/// The indices as published, and what the outcome equation needs.
pub(crate) struct Digital {
    pub aggregate: Grid,
    pub breadth: Grid,
    pub depth: Grid,
    pub digitization: Grid,
    /// Deviation of the untreated aggregate from city and year, that is its noise.
    pub deviation: Grid,
    /// Effect of approval on the aggregate.
    pub effect: f64,
}

/// Draws the indices. The aggregate is the weighted sum of the three, as in the published index.
pub(crate) fn digital(options: &DigitalOptions, cities: &[City], draws: Keyed) -> Digital {
    let parts =
        [("breadth", &options.breadth), ("depth", &options.depth), ("digitization", &options.digitization)];
    let mut aggregate = vec![[0.0; YEARS]; cities.len()];
    let mut deviation = aggregate.clone();
    let [breadth, depth, digitization] = parts.map(|(name, part)| {
        let (index, noise) = sub_index(name, part, cities, draws);
        add(&mut aggregate, part.weight, &index);
        add(&mut deviation, part.weight, &noise);
        index
    });
    let effect = parts.iter().map(|(_, part)| part.weight * part.effect).sum();
    Digital { aggregate, breadth, depth, digitization, deviation, effect }
}

/// One sub-index and its noise. Cities spread out as the level rises: they start close together.
fn sub_index(name: &str, part: &MediatorOptions, cities: &[City], draws: Keyed) -> (Grid, Grid) {
    let kept: Vec<bool> = cities.iter().map(|city| city.kept).collect();
    let own = (1.0 - part.size_loading * part.size_loading).sqrt();
    let latent: Vec<f64> = cities
        .iter()
        .map(|city| part.size_loading * city.size + own * draws.normal(name, city.code, -1))
        .collect();
    let levels = group_scores(&latent, &kept);
    cities
        .iter()
        .zip(levels)
        .map(|(city, level)| {
            let (own_slope, own_path) = passing(name, part, city, draws);
            let (slope, path) = passing("digital", part, city, draws);
            let [own, common] = [(1.0 - part.common).sqrt(), part.common.sqrt()];
            let slope = part.drift * (own * own_slope + common * slope);
            let noise: [f64; YEARS] = std::array::from_fn(|t| {
                slope * clock(t) + part.noise * (own * own_path[t] + common * path[t])
            });
            let index: [f64; YEARS] = std::array::from_fn(|t| {
                part.start
                    + part.rise * progress(part, t)
                    + part.spread * skewed(level, LEVEL_SKEW)
                    + part.effect * city.treated[t]
                    + noise[t]
            });
            // An index below one would be no index: early values are floored, which touches few cells.
            (index.map(|value| value.max(1.0)), noise)
        })
        .unzip()
}

/// A trend and a path of a city, each with variance one.
fn passing(stream: &str, part: &MediatorOptions, city: &City, draws: Keyed) -> (f64, Vec<f64>) {
    let path = draws.autoregressive(stream, city.code, YEARS, part.persistence);
    (draws.normal(stream, city.code, -2), path)
}

/// From 0 in 2011 to 1 in 2022, ever more slowly.
fn progress(part: &MediatorOptions, t: usize) -> f64 {
    let elapsed = t as f64 - SAMPLE_FROM as f64;
    let whole = (YEARS - 1 - SAMPLE_FROM) as f64;
    (1.0 - (-part.speed * elapsed).exp()) / (1.0 - (-part.speed * whole).exp())
}

fn add(sum: &mut Grid, weight: f64, part: &Grid) {
    for (row, addend) in sum.iter_mut().zip(part) {
        row.iter_mut().zip(addend).for_each(|(cell, value)| *cell += weight * value);
    }
}
