//! Least squares: rank decisions, weights, batches, small matrices, and bits that do not depend on threads.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use parallax_linalg::{
    CrossProducts, LeastSquaresOptions, LinalgError, Mat, Method, column_norms, gram, least_squares,
    nearest_psd, quadratic_form_inverse, symmetric_eigen, symmetric_inverse,
};

fn noise(n: usize, seed: u64) -> Vec<f64> {
    let draw = |i: u64| {
        let mut z = (i ^ (seed << 40)).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 - 0.5
    };
    (0..n as u64).map(draw).collect()
}

fn slices(columns: &[Vec<f64>]) -> Vec<&[f64]> {
    columns.iter().map(Vec::as_slice).collect()
}

#[test]
fn later_of_collinear_columns_is_dropped() {
    let n = 500;
    let (a, b) = (noise(n, 1), noise(n, 2));
    let combination: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 2.0 * a + b).collect();
    let columns = [a.clone(), vec![0.0; n], b, combination, a, noise(n, 3)];
    let fit =
        least_squares(&slices(&columns), &noise(n, 4), None, None, &LeastSquaresOptions::default()).unwrap();
    assert_eq!(fit.kept, [0, 2, 5]);
    assert_eq!(fit.dropped, [1, 3, 4]);
    // Collinear columns are confirmed on the data; they do not push the rest into twice the precision.
    assert!(matches!(fit.method, Method::Gram { .. }));
    let twice = LeastSquaresOptions { gram_condition_limit: 0.0, ..LeastSquaresOptions::default() };
    let twice = least_squares(&slices(&columns), &noise(n, 4), None, None, &twice).unwrap();
    assert_eq!(twice.kept, fit.kept);
    for (a, b) in fit.coef.iter().zip(&twice.coef) {
        assert!((a - b).abs() < 1e-15, "{a} {b}");
    }
}

#[test]
fn absorption_noise_is_collinear_with_the_effects() {
    let n = 300;
    let x = noise(n, 1);
    let absorbed: Vec<f64> = noise(n, 2).iter().map(|v| 1e-12 * v).collect();
    let columns = [absorbed, x];
    let y = noise(n, 3);
    let options = LeastSquaresOptions::default();
    let before = [10.0, 10.0];
    let fit = least_squares(&slices(&columns), &y, None, Some(&before), &options).unwrap();
    assert_eq!(fit.dropped, [0]);
    let fit = least_squares(&slices(&columns), &y, None, None, &options).unwrap();
    assert_eq!(fit.dropped, Vec::<usize>::new());
}

#[test]
fn tolerance_decides_near_collinearity() {
    let n = 200;
    let (a, e) = (noise(n, 1), noise(n, 2));
    let near: Vec<f64> = a.iter().zip(&e).map(|(a, e)| a + 1e-7 * e).collect();
    let columns = [a, near];
    let y: Vec<f64> = columns[0].iter().zip(&columns[1]).map(|(a, b)| a + b).collect();
    let fit = least_squares(&slices(&columns), &y, None, None, &LeastSquaresOptions::default()).unwrap();
    assert_eq!(fit.kept, [0, 1]);
    assert!(fit.coef.iter().all(|b| (b - 1.0).abs() < 1e-8), "{:?}", fit.coef);
    let coarse = LeastSquaresOptions { collinearity_tolerance: 1e-6, ..LeastSquaresOptions::default() };
    assert_eq!(least_squares(&slices(&columns), &y, None, None, &coarse).unwrap().dropped, [1]);
}

#[test]
fn weights_equal_scaled_rows_on_both_paths() {
    let n = 3000;
    let columns = [vec![1.0; n], noise(n, 1), noise(n, 2)];
    let y = noise(n, 3);
    let w: Vec<f64> = noise(n, 4).iter().map(|u| (8.0 * u).exp2()).collect();
    let scale = |c: &Vec<f64>| -> Vec<f64> { c.iter().zip(&w).map(|(c, w)| c * w.sqrt()).collect() };
    let scaled: Vec<Vec<f64>> = columns.iter().map(scale).collect();
    for limit in [1e3, 0.0] {
        let options = LeastSquaresOptions { gram_condition_limit: limit, ..LeastSquaresOptions::default() };
        let a = least_squares(&slices(&columns), &y, Some(&w), None, &options).unwrap();
        let b = least_squares(&slices(&scaled), &scale(&y), None, None, &options).unwrap();
        for j in 0..3 {
            assert!((a.coef[j] - b.coef[j]).abs() < 1e-13);
            assert!((a.bread[(j, j)] / b.bread[(j, j)] - 1.0).abs() < 1e-12);
        }
        assert!((a.rss / b.rss - 1.0).abs() < 1e-13);
    }
    assert!((column_norms(&[&columns[0]], Some(&w))[0].powi(2) / w.iter().sum::<f64>() - 1.0).abs() < 1e-13);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let n = 100_000;
    let columns: Vec<Vec<f64>> = (0..7).map(|k| noise(n, k)).collect();
    let y = noise(n, 50);
    let run = |threads: usize, limit: f64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = LeastSquaresOptions { gram_condition_limit: limit, ..LeastSquaresOptions::default() };
        pool.install(|| least_squares(&slices(&columns), &y, None, None, &options).unwrap())
    };
    for limit in [1e3, 0.0] {
        let one = run(1, limit);
        for threads in [2, 3, 5] {
            let other = run(threads, limit);
            assert_eq!(one.coef, other.coef);
            assert_eq!(one.residuals, other.residuals);
            assert_eq!(one.bread, other.bread);
        }
    }
}

#[test]
fn batches_merge_to_the_whole() {
    let n = 10_000;
    let columns = [vec![1.0; n], noise(n, 1), noise(n, 2)];
    let y = noise(n, 3);
    let part = |from: usize, to: usize| {
        let mut sums = CrossProducts::new(3);
        let c: Vec<&[f64]> = columns.iter().map(|c| &c[from..to]).collect();
        sums.add(&c, &y[from..to], None).unwrap();
        sums
    };
    let mut sums = part(0, 3000);
    sums.merge(&part(3000, n)).unwrap();
    assert_eq!((sums.n, sums.sum_weights), (n, n as f64));
    let solution = sums.solve(1e-9);
    let fit = least_squares(&slices(&columns), &y, None, None, &LeastSquaresOptions::default()).unwrap();
    for j in 0..3 {
        assert!((solution.coef[j] - fit.coef[j]).abs() < 1e-13);
    }
    assert!((solution.rss / fit.rss - 1.0).abs() < 1e-12);
}

#[test]
fn wrong_inputs_are_named() {
    let options = LeastSquaresOptions::default();
    let error = least_squares(&[&[1.0, f64::NAN]], &[1.0, 2.0], None, None, &options).unwrap_err();
    assert_eq!(error, LinalgError::NonFinite { column: 0, row: 1 });
    let error = least_squares(&[&[1.0, 2.0]], &[1.0, 2.0], Some(&[1.0, 0.0]), None, &options).unwrap_err();
    assert_eq!(error, LinalgError::InvalidWeight { row: 1, value: 0.0 });
    assert!(matches!(gram(&[&[1.0], &[1.0, 2.0]], None), Err(LinalgError::DimensionMismatch { .. })));
    let empty = least_squares(&[], &[1.0, 2.0], None, None, &options).unwrap();
    assert_eq!((empty.coef.len(), empty.rss), (0, 5.0));
}

#[test]
fn more_columns_than_rows() {
    let columns: Vec<Vec<f64>> = (0..5).map(|k| noise(3, k)).collect();
    let fit =
        least_squares(&slices(&columns), &noise(3, 9), None, None, &LeastSquaresOptions::default()).unwrap();
    assert_eq!(fit.kept, [0, 1, 2]);
    assert!(fit.rss < 1e-25);
}

#[test]
fn small_symmetric_matrices() {
    let a = Mat::from_fn(2, 2, |i, j| [[1.0, 2.0], [2.0, 1.0]][i][j]);
    let (values, vectors) = symmetric_eigen(a.as_ref()).unwrap();
    assert!((values[0] + 1.0).abs() < 1e-15 && (values[1] - 3.0).abs() < 1e-15);
    assert!(vectors[(0, 1)] > 0.0);
    let (psd, clamped) = nearest_psd(&a).unwrap();
    assert_eq!(clamped, 1);
    assert!((0..2).all(|i| (0..2).all(|j| (psd[(i, j)] - 1.5).abs() < 1e-14)));
    let singular = Mat::from_fn(2, 2, |i, j| [1.0, 1e6][i] * [1.0, 1e6][j]);
    let (form, rank) = quadratic_form_inverse(&[2.0, 2e6], singular.as_ref()).unwrap();
    assert_eq!(rank, 1);
    assert!((form - 4.0).abs() < 1e-12);
    assert!(matches!(symmetric_inverse(a.as_ref()), Err(LinalgError::NotPositiveDefinite { order: 2, .. })));
}
