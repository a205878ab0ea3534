//! The seven controls as ratios, before raw series are made of them.

use super::facts::YEARS;
use super::grid::{Grid, clock, sample_moments};
use super::options::{ControlOptions, Shape};
use super::roster::{City, group_scores};
use parallax_vcov::Keyed;

/// One control for every city and year.
///
/// A latent variable adds up the city's level, a common trend, trends that differ with size, with growth and
/// by chance, and a passing part. It is standardised over the sample and bent into the control's distribution, so that the
/// moments of Table 1 hold whatever the weights are.
pub(crate) fn control(options: &ControlOptions, cities: &[City], drift: &[f64], draws: Keyed) -> Grid {
    let name = options.control.name();
    let kept: Vec<bool> = cities.iter().map(|city| city.kept).collect();
    let own = (1.0 - options.size_loading * options.size_loading).sqrt();
    let levels: Vec<f64> = cities
        .iter()
        .map(|city| options.size_loading * city.size + own * draws.normal(name, city.code, -1))
        .collect();
    let levels = group_scores(&levels, &kept);
    let latent: Grid = cities
        .iter()
        .zip(&levels)
        .zip(drift)
        .map(|((city, level), drift)| {
            let passing = draws.autoregressive(name, city.code, YEARS, options.persistence);
            let slope = options.trend
                + options.size_trend * city.size
                + options.growth_trend * drift
                + options.own_trend * draws.normal(name, city.code, -2);
            std::array::from_fn(|t| options.between * level + slope * clock(t) + options.within * passing[t])
        })
        .collect();
    let (mean, sd) = sample_moments(&latent, cities);
    latent.iter().map(|row| row.map(|value| bend(options, (value - mean) / sd))).collect()
}

/// A standard normal as a positive ratio with the control's mean and standard deviation.
fn bend(options: &ControlOptions, z: f64) -> f64 {
    let variation = options.sd / options.mean;
    let ratio = match options.shape {
        Shape::Cubic => {
            let ninth = variation * variation / 9.0;
            // Below three standard deviations the cube can touch zero, where a ratio cannot be.
            (1.0 - ninth + ninth.sqrt() * z).max(0.2).powi(3)
        }
        Shape::LogNormal => {
            let log_variance = (1.0 + variation * variation).ln();
            (log_variance.sqrt() * z - log_variance / 2.0).exp()
        }
    };
    options.mean * ratio
}
