//! Definitions written naively: influence functions as derivatives, effects by hand.

use parallax_model::vcov::Keyed;

use super::{
    Method,
    cross_sections::Sections,
    nuisance::{Reason, Rows},
    two_periods::Prepared,
};

const METHODS: [Method; 4] = [Method::Dr, Method::DrImproved, Method::Ipw, Method::Reg];

/// Rows with two covariates; `shift` of the cohort's covariates makes scores differ.
fn rows(n: usize, controls: usize, shift: f64) -> Rows {
    let keyed = Keyed::new(3);
    let draw = |stream: &str, row: usize| keyed.normal(stream, row as i64, 0);
    let x = (0..n).flat_map(|row| {
        let own = if controls <= row { shift } else { 0.0 };
        [1.0, draw("x1", row) + own, draw("x2", row).powi(2) - 0.5 * own]
    });
    let weight = (0..n).map(|row| 0.5 + keyed.uniform("w", row as i64, 0)).collect();
    Rows { k: 3, x: x.collect(), weight, controls }
}

/// A nonlinear outcome, so that neither model is right.
fn outcome(rows: &Rows) -> Vec<f64> {
    let keyed = Keyed::new(4);
    let x = |row: usize, at: usize| rows.x[row * rows.k + at];
    (0..rows.n()).map(|row| keyed.normal("y", row as i64, 0) + x(row, 1).powi(2) + 0.3 * x(row, 2)).collect()
}

/// Summands of estimate less truth are the derivatives of the estimate in the logs of weights.
fn slopes(rows: &Rows, effect: impl Fn(Rows) -> f64) -> Vec<f64> {
    let step = 1e-4;
    let moved = |row: usize, by: f64| {
        let mut rows = rows.clone();
        rows.weight[row] *= 1.0 + by;
        effect(rows)
    };
    (0..rows.n()).map(|row| (moved(row, step) - moved(row, -step)) / (2.0 * step)).collect()
}

fn near(psi: &[f64], slopes: &[f64], what: &str) {
    let size = slopes.iter().fold(0.0_f64, |most, it| most.max(it.abs()));
    for (row, (psi, slope)) in psi.iter().zip(slopes).enumerate() {
        assert!((psi - slope).abs() < 1e-6 * size, "{what}, row {row}: {psi} is not {slope}");
    }
}

#[test]
fn influence_functions_are_derivatives() {
    let rows = rows(60, 38, 0.5);
    let change = outcome(&rows);
    for method in METHODS {
        let effect = |rows: Rows| Prepared::new(rows, method).unwrap().effect(&change, method);
        near(&effect(rows.clone()).1, &slopes(&rows, |it| effect(it).0), &format!("{method:?}"));
    }
}

/// The improved form leaves out what vanishes where its models are right, and so is not a derivative here.
#[test]
fn influence_functions_of_cross_sections_are_derivatives() {
    let rows = rows(90, 52, 0.5);
    let y = outcome(&rows);
    for method in [Method::Dr, Method::Ipw, Method::Reg] {
        let effect = |rows: Rows| {
            let sections = Sections { rows, y: y.clone(), controls_before: 25, cohort_before: 17 };
            sections.effect(method).unwrap().0
        };
        near(&effect(rows.clone()).1, &slopes(&rows, |it| effect(it).0), &format!("{method:?}"));
    }
}

/// With a dummy as the only covariate every method is the difference of differences within its two cells, weighted by
/// the cohort's shares.
#[test]
fn a_saturated_covariate_is_a_mean_over_cells() {
    let (n, controls) = (40, 24);
    let dummy = |row: usize| f64::from(u8::from(row.is_multiple_of(3)));
    let x = (0..n).flat_map(|row| [1.0, dummy(row)]).collect();
    let rows = Rows { k: 2, x, weight: vec![1.0; n], controls };
    let change = outcome(&rows_like(n));
    let mean = |of: &dyn Fn(usize) -> bool| {
        let chosen: Vec<f64> = (0..n).filter(|it| of(it.to_owned())).map(|it| change[it]).collect();
        (chosen.iter().sum::<f64>() / chosen.len() as f64, chosen.len() as f64)
    };
    let mut by_hand = 0.0;
    for value in [0.0, 1.0] {
        let (cohort, size) = mean(&|row| controls <= row && dummy(row) == value);
        let (control, _) = mean(&|row| row < controls && dummy(row) == value);
        by_hand += size / (n - controls) as f64 * (cohort - control);
    }
    for method in METHODS {
        let effect = Prepared::new(rows.clone(), method).unwrap().effect(&change, method).0;
        assert!((effect - by_hand).abs() < 1e-12, "{method:?}: {effect} is not {by_hand}");
    }
}

fn rows_like(n: usize) -> Rows {
    rows(n, n / 2, 0.0)
}

/// Tilting balances every covariate exactly (Graham, Pinto and Egel 2012).
#[test]
fn tilting_balances() {
    let rows = rows(80, 50, 0.6);
    let score = rows.tilting().unwrap();
    let cohort = rows.sums(rows.of_treated(), |row| rows.weight[row]).1;
    let controls = rows.sums(rows.of_controls(), |row| score.odds[row]).1;
    for (a, b) in cohort.iter().zip(&controls) {
        assert!((a - b).abs() < 1e-10 * a.abs(), "{a} is not {b}");
    }
}

#[test]
fn separation_and_collinearity_have_their_reasons() {
    let apart = rows(60, 38, 30.0);
    for method in [Method::Dr, Method::Ipw, Method::DrImproved] {
        let found = Prepared::new(apart.clone(), method).err();
        assert!(matches!(found, Some(Reason::Overlap(_) | Reason::NoScore)), "{method:?}: {found:?}");
    }
    let mut twice = rows(60, 38, 0.2);
    (0..60).for_each(|row| twice.x[row * 3 + 2] = 2.0 * twice.x[row * 3 + 1] - 1.0);
    for method in METHODS {
        let found = Prepared::new(twice.clone(), method).err();
        assert!(matches!(found, Some(Reason::Collinear(_))), "{method:?}: {found:?}");
    }
}
