//! Poisson with absorbed effects against closed forms, dummies and what must not change it.

use parallax_linalg::{
    AbsorbOptions, Factor, LinalgError, Poisson, PoissonInput, gram, poisson, symmetric_inverse, zero_groups,
};

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} and {b}");
}

/// 40 units, 6 periods; no group is all zero.
struct Data {
    y: Vec<f64>,
    x: Vec<f64>,
    w: Vec<f64>,
    offset: Vec<f64>,
    unit: Vec<u32>,
    period: Vec<u32>,
}

fn data() -> Data {
    let n = 240;
    let wave = |row: usize, by: f64| (row as f64 * by).sin();
    let unit: Vec<u32> = (0..n).map(|it| (it / 6) as u32).collect();
    let period: Vec<u32> = (0..n).map(|it| (it % 6) as u32).collect();
    let x: Vec<f64> = (0..n).map(|it| wave(it, 1.7) + 0.1 * f64::from(unit[it] % 5)).collect();
    let y = (0..n)
        .map(|it| (1.5 * (0.4 * x[it] + wave(it, 0.9)).exp()).round() + f64::from(u8::from(it % 6 == 2)));
    let w = (0..n).map(|it| 1.5 + wave(it, 0.37)).collect();
    let offset = (0..n).map(|it| 0.3 * wave(it, 0.11)).collect();
    Data { y: y.collect(), x, w, offset, unit, period }
}

fn fit(
    columns: &[&[f64]],
    data: &Data,
    factors: &[Factor<'_>],
    weighted: bool,
) -> Result<Poisson, LinalgError> {
    let input = PoissonInput {
        columns,
        outcome: &data.y,
        weights: weighted.then_some(&data.w[..]),
        offset: weighted.then_some(&data.offset[..]),
        factors,
    };
    poisson(&input, &AbsorbOptions::default())
}

#[test]
fn two_groups_have_a_closed_form() {
    let y = vec![1.0, 3.0, 2.0, 0.0, 7.0, 5.0, 6.0];
    let x = vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let ones = vec![1.0; 7];
    let input =
        PoissonInput { columns: &[&ones, &x], outcome: &y, weights: None, offset: None, factors: &[] };
    let fit = poisson(&input, &AbsorbOptions::default()).unwrap();
    close(fit.coef[0], 1.5_f64.ln(), 1e-14);
    close(fit.coef[1], (6.0_f64 / 1.5).ln(), 1e-14);
    close(fit.bread[(1, 1)], 1.0 / 6.0 + 1.0 / 18.0, 1e-12);
    let deviance = |mean: &dyn Fn(usize) -> f64| -> f64 {
        2.0 * (0..7)
            .map(|it| {
                let log = if y[it] == 0.0 { 0.0 } else { y[it] * (y[it] / mean(it)).ln() };
                log - (y[it] - mean(it))
            })
            .sum::<f64>()
    };
    close(fit.deviance, deviance(&|it| if it < 4 { 1.5 } else { 6.0 }), 1e-13);
    close(fit.null_deviance, deviance(&|_| 24.0 / 7.0), 1e-13);
}

#[test]
fn absorbed_effects_are_dummies() {
    let data = data();
    let factors = [Factor { codes: &data.unit, n_groups: 40 }, Factor { codes: &data.period, n_groups: 6 }];
    let dummy = |codes: &[u32], level: u32| -> Vec<f64> {
        codes.iter().map(|it| f64::from(u8::from(*it == level))).collect()
    };
    let mut dummies: Vec<Vec<f64>> = (0..40).map(|it| dummy(&data.unit, it)).collect();
    dummies.extend((1..6).map(|it| dummy(&data.period, it)));
    for weighted in [false, true] {
        let absorbed = fit(&[&data.x], &data, &factors, weighted).unwrap();
        let mut columns: Vec<&[f64]> = vec![&data.x];
        columns.extend(dummies.iter().map(Vec::as_slice));
        let whole = fit(&columns, &data, &[], weighted).unwrap();
        close(absorbed.coef[0], whole.coef[0], 1e-12);
        close(absorbed.bread[(0, 0)], whole.bread[(0, 0)], 1e-10);
        close(absorbed.deviance, whole.deviance, 1e-12);
        absorbed.means.iter().zip(&whole.means).for_each(|(a, b)| close(*a, *b, 1e-11));
        // The likelihood equations of every dummy and of x.
        let weight = |row: usize| if weighted { data.w[row] } else { 1.0 };
        for column in &columns {
            let score: f64 =
                (0..240).map(|it| weight(it) * column[it] * (data.y[it] - absorbed.means[it])).sum();
            assert!(score.abs() < 1e-9, "{score}");
        }
    }
}

/// The score of a function of all parameters, by projection and by the inverse information with dummies.
#[test]
fn projections_are_delta_methods() {
    let data = data();
    let factors = [Factor { codes: &data.unit, n_groups: 40 }, Factor { codes: &data.period, n_groups: 6 }];
    let fit = fit(&[&data.x], &data, &factors, false).unwrap();
    let derivative: Vec<f64> =
        (0..240).map(|it| if it % 7 == 0 { fit.means[it] / 35.0 } else { 0.0 }).collect();
    let target = derivative.iter().zip(&fit.working_weights).map(|(d, w)| d / w).collect();
    let projected = fit.project(&[target]).unwrap().remove(0);
    let mut columns: Vec<Vec<f64>> = vec![data.x.clone()];
    let dummy =
        |codes: &[u32], level: u32| codes.iter().map(|it| f64::from(u8::from(*it == level))).collect();
    columns.extend((0..40).map(|it| dummy(&data.unit, it)));
    columns.extend((1..6).map(|it| dummy(&data.period, it)));
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let inverse = symmetric_inverse(gram(&columns, Some(&fit.means)).unwrap().as_ref()).unwrap();
    let sums: Vec<f64> =
        columns.iter().map(|c| c.iter().zip(&derivative).map(|(a, b)| a * b).sum()).collect();
    for row in 0..240 {
        let mut by_hand = 0.0;
        for (i, left) in columns.iter().enumerate() {
            by_hand += (0..columns.len()).map(|j| left[row] * inverse[(i, j)] * sums[j]).sum::<f64>();
        }
        close(projected[row], by_hand, 1e-9);
    }
}

#[test]
fn separation_and_outcomes_that_are_no_counts_are_refused() {
    let mut data = data();
    let factors = [Factor { codes: &data.unit.clone(), n_groups: 40 }];
    let alone: Vec<f64> = (0..240).map(|it| f64::from(u8::from(it == 7 || it == 100))).collect();
    (data.y[7], data.y[100]) = (0.0, 0.0);
    match fit(&[&data.x, &alone], &data, &factors, false).unwrap_err() {
        LinalgError::SeparatedZeros { rows, first } => assert_eq!((rows, first), (2, 7)),
        it => panic!("{it}"),
    }
    data.y[12..18].fill(0.0);
    let out = zero_groups(&factors, &data.y);
    assert_eq!(out.iter().filter(|it| **it).count(), 6);
    assert!(out[12] && out[17] && !out[18]);
    assert!(matches!(
        fit(&[&data.x], &data, &factors, false),
        Err(LinalgError::SeparatedZeros { rows: 6, first: 12 })
    ));
    data.y[0] = -1.0;
    assert!(matches!(
        fit(&[&data.x], &data, &factors, false),
        Err(LinalgError::NegativeOutcome { row: 0, .. })
    ));
    data.y.fill(0.0);
    assert!(matches!(
        fit(&[&data.x], &data, &factors, false),
        Err(LinalgError::NoPositiveOutcome { rows: 240 })
    ));
}

#[test]
fn collinear_columns_are_dropped() {
    let data = data();
    let factors = [Factor { codes: &data.unit, n_groups: 40 }];
    let of_unit: Vec<f64> = data.unit.iter().map(|it| f64::from(*it)).collect();
    let double: Vec<f64> = data.x.iter().map(|it| 2.0 * it).collect();
    let fit = fit(&[&of_unit, &data.x, &double], &data, &factors, false).unwrap();
    assert_eq!((fit.kept, fit.dropped), (vec![1], vec![0, 2]));
}
