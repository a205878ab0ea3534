//! A city by year table of numbers, and what the process needs to know about it.

use super::facts::{SAMPLE_FROM, YEARS};
use super::roster::City;

/// One row for each city, one column for each raw year.
pub(crate) type Grid = Vec<[f64; YEARS]>;

/// Time with mean zero and variance one over the sample years.
pub(crate) fn clock(t: usize) -> f64 {
    let years = (YEARS - SAMPLE_FROM) as f64;
    let centre = SAMPLE_FROM as f64 + (years - 1.0) / 2.0;
    (t as f64 - centre) / ((years * years - 1.0) / 12.0).sqrt()
}

/// Mean and standard deviation over kept cities and sample years.
pub(crate) fn sample_moments(grid: &Grid, cities: &[City]) -> (f64, f64) {
    let cells: Vec<f64> =
        kept_rows(grid, cities).flat_map(|row| row[SAMPLE_FROM..].iter().copied()).collect();
    let n = cells.len() as f64;
    let mean = cells.iter().sum::<f64>() / n;
    let variance = cells.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, variance.sqrt())
}

/// Change since the first sample year beyond the mean change of kept cities; zero before the sample.
///
/// This differs from the grid itself by city and year effects alone, which is all an outcome equation with both
/// can tell, and it lets every city start from its own growth path rather than from its controls.
pub(crate) fn excess_change(grid: &Grid, cities: &[City]) -> Grid {
    let kept = cities.iter().filter(|city| city.kept).count() as f64;
    let mut years = [0.0; YEARS];
    for row in kept_rows(grid, cities) {
        years.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / kept);
    }
    let change = |t: usize, row: &[f64; YEARS]| row[t] - row[SAMPLE_FROM] - years[t] + years[SAMPLE_FROM];
    grid.iter()
        .map(|row| std::array::from_fn(|t| if t < SAMPLE_FROM { 0.0 } else { change(t, row) }))
        .collect()
}

fn kept_rows<'a>(grid: &'a Grid, cities: &'a [City]) -> impl Iterator<Item = &'a [f64; YEARS]> {
    grid.iter().zip(cities).filter(|(_, city)| city.kept).map(|(row, _)| row)
}
