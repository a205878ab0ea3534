//! Cross-products by cluster, for draws that take clusters more than once, or in other roles.
//!
//! Effects whose groups lie within clusters (units) do not feel which clusters are taken: they are absorbed once, exactly.
//! Effects that cut across clusters (periods) stay as dummies, so that each draw estimates them again. A draw then
//! is a sum of small triangles.

use parallax_linalg::{AbsorbOptions, Absorber, Factor, is_nested};
use parallax_panel::Codes;

use crate::{Design, Effect, FitError, Name};

/// Levels of effects that cut across clusters, at most: each draw costs their number squared.
const MOST_DUMMIES: usize = 300;
/// Share of a column's sum of squares below which others explain it whole: cross-products lose half the digits.
const COLLINEAR: f64 = 1e-10;

/// One triangle of cross-products a cluster. Dummies of effects across clusters come before the columns.
#[derive(Clone, Debug)]
pub struct ClusterProducts {
    /// One a cluster, in the order of codes.
    pub clusters: Vec<Triangle>,
    /// Dummies before the columns.
    pub dummies: usize,
    /// Effects that each draw estimates again; a constant is not named.
    pub redone: Vec<Name>,
}

/// The lower triangle of a symmetric k x k matrix, by rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Triangle {
    k: usize,
    sums: Vec<f64>,
}

impl ClusterProducts {
    /// Cross-products, weighted as the design is, of columns on the sample with the design's effects.
    ///
    /// # Errors
    /// Effects with too many levels across clusters; `by` says in words what the clusters are.
    pub fn new(
        design: &Design<'_>,
        clusters: &Codes,
        by: &str,
        columns: Vec<Vec<f64>>,
    ) -> Result<ClusterProducts, FitError> {
        // A constant is an effect of one level here, which cuts across all clusters.
        let effects = design.absorbed_effects();
        let across = |it: &&Effect| !is_nested(factor(&it.codes), factor(clusters));
        let redone: Vec<&Effect> = effects.iter().filter(across).collect();
        let dummies: usize = redone.iter().map(|it| it.codes.n_groups()).sum();
        if MOST_DUMMIES < dummies {
            let names: Vec<&str> = redone.iter().map(|it| it.name.as_str()).collect();
            return Err(FitError::Model(format!(
                "draws of {by} have to estimate {dummies} levels of {} again each time, since these cut across it (at \
                 most {MOST_DUMMIES}); draw by a column that contains them, or make no draws",
                names.join(", ")
            )));
        }
        let mut all: Vec<Vec<f64>> = redone.iter().flat_map(|it| indicators(&it.codes)).collect();
        all.extend(columns);
        let inside: Vec<Factor<'_>> =
            effects.iter().filter(|it| !across(it)).map(|it| factor(&it.codes)).collect();
        if !inside.is_empty() {
            let absorber =
                Absorber::new(&inside, design.weight_values(), design.n(), AbsorbOptions::default())?;
            absorber.residualize(&mut all)?;
        }
        let redone = redone.iter().filter(|it| 1 < it.codes.n_groups()).map(|it| it.name.clone()).collect();
        Ok(ClusterProducts { clusters: products(&all, design.weight_values(), clusters), dummies, redone })
    }

    /// The sum of triangles, each that many times.
    pub fn sum(&self, times: &[f64]) -> Triangle {
        let k = self.clusters.first().map_or(0, |it| it.k);
        let mut total = Triangle::zero(k);
        for (triangle, &times) in self.clusters.iter().zip(times).filter(|it| *it.1 != 0.0) {
            total.sums.iter_mut().zip(&triangle.sums).for_each(|(sum, it)| *sum += times * it);
        }
        total
    }
}

impl Triangle {
    /// All zero.
    pub fn zero(k: usize) -> Triangle {
        Triangle { k, sums: vec![0.0; k * (k + 1) / 2] }
    }

    /// Rows and columns.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The entry at (i, j), either way round; zero outside.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.sums.get(place(i.max(j), i.min(j))).copied().unwrap_or(0.0)
    }

    /// Sets the entry at (i, j), either way round.
    pub fn set(&mut self, i: usize, j: usize, value: f64) {
        if let Some(it) = self.sums.get_mut(place(i.max(j), i.min(j))) {
            *it = value;
        }
    }

    /// Takes the first `count` columns out of the others; those that earlier ones explain are passed over.
    pub fn partial_out(&mut self, count: usize) {
        let norms: Vec<f64> = (0..count).map(|it| self.at(it, it)).collect();
        for (pivot, norm) in norms.into_iter().enumerate() {
            let size = self.at(pivot, pivot);
            if !varies(size, norm) {
                continue;
            }
            let column: Vec<f64> = (pivot..self.k).map(|row| self.at(row, pivot)).collect();
            for row in pivot + 1..self.k {
                let share = column[row - pivot] / size;
                if share == 0.0 {
                    continue;
                }
                let start = place(row, pivot + 1);
                let entries = &mut self.sums[start..start + row - pivot];
                entries.iter_mut().zip(&column[1..]).for_each(|(it, of)| *it -= share * of);
            }
        }
    }
}

/// True when what is left of a sum of squares is more than rounding.
pub fn varies(left: f64, of: f64) -> bool {
    COLLINEAR * of < left
}

fn place(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

fn factor(codes: &Codes) -> Factor<'_> {
    Factor { codes: &codes.code, n_groups: codes.n_groups() }
}

fn indicators(codes: &Codes) -> Vec<Vec<f64>> {
    let one = |group: u32| codes.code.iter().map(|it| f64::from(u8::from(*it == group))).collect();
    (0..codes.n_groups() as u32).map(one).collect()
}

fn products(columns: &[Vec<f64>], weights: Option<&[f64]>, clusters: &Codes) -> Vec<Triangle> {
    let k = columns.len();
    let mut products = vec![Triangle::zero(k); clusters.n_groups()];
    let mut row = vec![0.0; k];
    for (at, &cluster) in clusters.code.iter().enumerate() {
        row.iter_mut().zip(columns).for_each(|(it, column)| *it = column[at]);
        let weight = weights.map_or(1.0, |it| it[at]);
        let mut entries = products[cluster as usize].sums.iter_mut();
        for i in 0..k {
            let left = weight * row[i];
            row[..=i].iter().zip(&mut entries).for_each(|(right, it)| *it += left * right);
        }
    }
    products
}
