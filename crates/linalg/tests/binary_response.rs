//! Logit and probit against closed forms, likelihood equations and what must not change them.

use parallax_linalg::{BinaryResponse, Information, LinalgError, Link, binary_response, normal_cdf};
use proptest::prelude::*;

fn fit(columns: &[&[f64]], y: &[f64], link: Link) -> Result<BinaryResponse, LinalgError> {
    binary_response(columns, y, None, link, Information::Observed)
}

fn close(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} and {b}");
}

/// A table of `counts[x][y]` as rows.
fn table(counts: [[usize; 2]; 2]) -> (Vec<f64>, Vec<f64>) {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (at, row) in counts.iter().enumerate() {
        for (outcome, &n) in row.iter().enumerate() {
            x.extend(std::iter::repeat_n(at as f64, n));
            y.extend(std::iter::repeat_n(outcome as f64, n));
        }
    }
    (x, y)
}

#[test]
fn two_by_two_tables_have_closed_forms() {
    let (x, y) = table([[30, 10], [12, 28]]);
    let ones = vec![1.0; x.len()];
    let logit = fit(&[&ones, &x], &y, Link::Logit).unwrap();
    close(logit.coef[0], (10.0_f64 / 30.0).ln(), 1e-14);
    close(logit.coef[1], 7.0_f64.ln(), 1e-14);
    close(logit.covariance[(1, 1)], 1.0 / 30.0 + 1.0 / 10.0 + 1.0 / 12.0 + 1.0 / 28.0, 1e-12);
    let probit = fit(&[&ones, &x], &y, Link::Probit).unwrap();
    close(normal_cdf(probit.coef[0]), 0.25, 1e-14);
    close(normal_cdf(probit.coef[0] + probit.coef[1]), 0.7, 1e-14);
    for it in [&logit, &probit] {
        let best = 30.0 * 0.75_f64.ln() + 10.0 * 0.25_f64.ln() + 12.0 * 0.3_f64.ln() + 28.0 * 0.7_f64.ln();
        close(it.log_likelihood, best, 1e-14);
        close(it.null_log_likelihood, 38.0 * (38.0_f64 / 80.0).ln() + 42.0 * (42.0_f64 / 80.0).ln(), 1e-14);
        close(it.pseudo_r2(), 1.0 - best / it.null_log_likelihood, 1e-13);
        close(it.lr_chi2(), 2.0 * (best - it.null_log_likelihood), 1e-13);
    }
}

#[test]
fn observed_and_expected_information_of_a_saturated_probit_agree() {
    // At a saturated fit the two information matrices are equal; with a slope they are not.
    let (x, y) = table([[30, 10], [12, 28]]);
    let ones = vec![1.0; x.len()];
    let both = |x: &[f64]| {
        [Information::Observed, Information::Expected]
            .map(|it| binary_response(&[&ones, x], &y, None, Link::Probit, it).unwrap().covariance[(1, 1)])
    };
    let [observed, expected] = both(&x);
    close(observed, expected, 1e-12);
    let slope: Vec<f64> = (0..x.len()).map(|it| x[it] + (it as f64 * 0.7).sin()).collect();
    let [observed, expected] = both(&slope);
    assert!(1e-6 < (observed - expected).abs());
}

#[test]
fn weights_are_repeated_rows() {
    let (x, y) = table([[3, 2], [2, 4]]);
    let z: Vec<f64> = (0..x.len()).map(|it| (it as f64 * 1.3).cos()).collect();
    let counts: Vec<usize> = (0..x.len()).map(|it| 1 + it % 3).collect();
    let repeated = |v: &[f64]| -> Vec<f64> {
        v.iter().zip(&counts).flat_map(|(&v, &n)| std::iter::repeat_n(v, n)).collect()
    };
    let weights: Vec<f64> = counts.iter().map(|&it| it as f64).collect();
    let ones = vec![1.0; x.len()];
    for link in [Link::Logit, Link::Probit] {
        let weighted =
            binary_response(&[&ones, &x, &z], &y, Some(&weights), link, Information::Observed).unwrap();
        let (ones, x, z, y) = (repeated(&ones), repeated(&x), repeated(&z), repeated(&y));
        let long = fit(&[&ones, &x, &z], &y, link).unwrap();
        for at in 0..3 {
            close(weighted.coef[at], long.coef[at], 1e-12);
            close(weighted.covariance[(at, at)], long.covariance[(at, at)], 1e-12);
        }
        close(weighted.log_likelihood, long.log_likelihood, 1e-13);
        close(weighted.null_log_likelihood, long.null_log_likelihood, 1e-13);
    }
}

#[test]
fn unscaled_and_shifted_columns_give_the_same_fit() {
    let n = 400;
    let x: Vec<f64> = (0..n).map(|it| (it as f64 * 0.37).sin()).collect();
    let y: Vec<f64> =
        (0..n).map(|it| f64::from(u8::from((it as f64 * 1.91).sin() < 0.8 * x[it] + 0.2))).collect();
    let ones = vec![1.0; n];
    let odd: Vec<f64> = x.iter().map(|it| 3e8 + 1e6 * it).collect();
    for link in [Link::Logit, Link::Probit] {
        let (plain, far) = (fit(&[&ones, &x], &y, link).unwrap(), fit(&[&ones, &odd], &y, link).unwrap());
        close(far.coef[1] * 1e6, plain.coef[1], 1e-9);
        close(far.log_likelihood, plain.log_likelihood, 1e-12);
        plain.probabilities.iter().zip(&far.probabilities).for_each(|(a, b)| close(*a, *b, 1e-9));
        assert!(plain.iterations <= 12, "{}", plain.iterations);
    }
}

#[test]
fn collinear_columns_leave_and_are_named() {
    let (x, y) = table([[30, 10], [12, 28]]);
    let ones = vec![1.0; x.len()];
    let double: Vec<f64> = x.iter().map(|it| 2.0 * it - 1.0).collect();
    let it = fit(&[&ones, &x, &double], &y, Link::Logit).unwrap();
    assert_eq!((it.kept, it.dropped), (vec![0, 1], vec![2]));
}

#[test]
fn separation_is_found_and_names_the_column() {
    let ones = vec![1.0; 12];
    let z: Vec<f64> = (0..12).map(|it| f64::from(it * 5 % 12)).collect();
    let whole: Vec<f64> = (0..12).map(f64::from).collect();
    let y: Vec<f64> = (0..12).map(|it| f64::from(u8::from(6 <= it))).collect();
    // Quasi-separation: x = 1 only where y = 1, and both outcomes where x = 0.
    let mixed: Vec<f64> = (0..12).map(|it| f64::from(u8::from(it % 2 == 0))).collect();
    let mark: Vec<f64> = (0..12).map(|it| f64::from(u8::from(it == 2 || it == 4))).collect();
    for link in [Link::Logit, Link::Probit] {
        let Err(LinalgError::Separated { column: 2, rows: 12 }) = fit(&[&ones, &z, &whole], &y, link) else {
            panic!("complete separation passed, {link:?}")
        };
        let found = fit(&[&ones, &z, &mark], &mixed, link);
        assert!(
            matches!(found, Err(LinalgError::Separated { column: 2, rows: 2 })),
            "quasi-separation passed, {link:?}: {found:?}"
        );
    }
}

#[test]
fn outcomes_other_than_zero_and_one_are_refused() {
    let ones = [1.0; 3];
    for (y, part) in
        [([0.0, 2.0, 1.0], "row 1"), ([1.0; 3], "every outcome is 1"), ([0.0, f64::NAN, 1.0], "row 1")]
    {
        let message = fit(&[&ones], &y, Link::Logit).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert!(fit(&[], &[0.0, 1.0], Link::Logit).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// At the maximum the score of each column is zero, for logit X'(y - p) = 0.
    #[test]
    fn likelihood_equations_hold(seed in prop::collection::vec((-2.0..2.0, -2.0..2.0, 0.0..1.0), 40..120)) {
        let n = seed.len();
        let ones = vec![1.0; n];
        let a: Vec<f64> = seed.iter().map(|it| it.0).collect();
        let b: Vec<f64> = seed.iter().map(|it| 50.0 + it.1).collect();
        let y: Vec<f64> =
            seed.iter().map(|it| f64::from(u8::from(it.2 < 0.5 + 0.1 * it.0 - 0.05 * it.1))).collect();
        let columns: [&[f64]; 3] = [&ones, &a, &b];
        let Ok(it) = fit(&columns, &y, Link::Logit) else { return Ok(()) };
        for column in columns {
            let score: f64 = column.iter().zip(&y).zip(&it.probabilities).map(|((x, y), p)| x * (y - p)).sum();
            let size: f64 = column.iter().zip(&y).zip(&it.probabilities).map(|((x, y), p)| (x * (y - p)).abs()).sum();
            prop_assert!(score.abs() <= 1e-12 * size, "{score} of {size}");
        }
    }
}
