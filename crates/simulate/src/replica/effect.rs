//! The effect of approval: what it is in each city and year, and the numbers by which it is known.

use super::facts::{Nation, SAMPLE_FROM, YEARS};
use super::grid::Grid;
use super::options::EffectOptions;
use super::roster::City;

/// The effect of approval on the outcome, as single numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownEffect {
    /// Mean over the treated city-years of the sample.
    pub average: f64,
    /// What two-way fixed effects without controls find in data without noise: effects differ between cities and
    /// grow, so some city-years weigh more than others (de Chaisemartin and D'Haultfoeuille 2020, theorem 1).
    pub two_way: f64,
}

/// The effect in each city-year; zero where nobody is treated.
///
/// It adds up over the kinds a city belongs to, is reached in steps, and is larger in years of low national
/// growth, by which the index divides.
pub(crate) fn effects(options: &EffectOptions, nation: &Nation, cities: &[City]) -> Grid {
    let usual = nation.growth[SAMPLE_FROM..].iter().sum::<f64>() / (YEARS - SAMPLE_FROM) as f64;
    let of_year = |t: usize| (usual / nation.growth[t]).powf(options.spike);
    let full = |city: &City| {
        let kinds = [
            (city.kind.large_medium, options.large_medium),
            (city.kind.outflow, options.outflow),
            (city.kind.resource, options.resource),
            (city.kind.growing, options.growing),
            (city.kind.capital, options.capital),
            (city.center, options.center),
        ];
        options.every + kinds.iter().filter(|it| it.0).map(|it| it.1).sum::<f64>()
    };
    let row = |city: &City| {
        let first = city.treated.iter().position(|it| *it == 1.0);
        std::array::from_fn(|t| match first {
            Some(first) if first <= t => full(city) * reached(&options.steps, t - first) * of_year(t),
            _ => 0.0,
        })
    };
    cities.iter().map(row).collect()
}

/// The share of the effect that is reached so many years after approval; the last one holds on.
fn reached(steps: &[f64], years: usize) -> f64 {
    steps.get(years).or(steps.last()).copied().unwrap_or(1.0)
}

/// The known numbers over kept cities and sample years; NaN when nobody is treated.
pub(crate) fn known(effects: &Grid, cities: &[City]) -> KnownEffect {
    let kept = || cities.iter().zip(effects).filter(|(city, _)| city.kept);
    let treated: Vec<[f64; YEARS]> = kept().map(|(city, _)| city.treated).collect();
    let effects: Vec<[f64; YEARS]> = kept().map(|(_, row)| *row).collect();
    let residual = demeaned(&treated);
    let dot = |a: &[[f64; YEARS]], b: &[[f64; YEARS]]| -> f64 {
        a.iter().zip(b).map(|(a, b)| (SAMPLE_FROM..YEARS).map(|t| a[t] * b[t]).sum::<f64>()).sum()
    };
    KnownEffect {
        average: dot(&treated, &effects) / dot(&treated, &treated),
        two_way: dot(&residual, &effects) / dot(&residual, &treated),
    }
}

/// Less the city's and the year's mean over the sample years, plus the mean of all.
fn demeaned(rows: &[[f64; YEARS]]) -> Vec<[f64; YEARS]> {
    let (n, years) = (rows.len() as f64, (YEARS - SAMPLE_FROM) as f64);
    let mut by_year = [0.0; YEARS];
    for row in rows {
        by_year.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / n);
    }
    let overall = by_year[SAMPLE_FROM..].iter().sum::<f64>() / years;
    rows.iter()
        .map(|row| {
            let own = row[SAMPLE_FROM..].iter().sum::<f64>() / years;
            std::array::from_fn(|t| row[t] - own - by_year[t] + overall)
        })
        .collect()
}
