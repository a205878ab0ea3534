//! Absorption on designs that are hard to iterate, with known answers; independence of company and of threads.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use parallax_linalg::{
    AbsorbMethod, AbsorbOptions, AbsorbReport, Absorber, Factor, LeastSquaresOptions, LinalgError,
    connected_components, is_nested, least_squares, singletons,
};

fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn noise(n: usize, seed: u64) -> Vec<f64> {
    (0..n as u64).map(|i| mix(i ^ (seed << 40)) as f64 / u64::MAX as f64 - 0.5).collect()
}

/// The `difficult` design of fixest's benchmark: firms cycle, so that the graph of firms is a band.
fn difficult(n: usize) -> Vec<Vec<u32>> {
    let firms = (n / 230).max(1);
    vec![
        (0..n).map(|i| (i / 10) as u32).collect(),
        (0..n).map(|i| (i % firms) as u32).collect(),
        (0..n).map(|i| (i % 10) as u32).collect(),
    ]
}

/// Every group meets the next one: the eigenvalue ratio of the Schur complement is the square of their number.
fn chain(n: usize) -> Vec<Vec<u32>> {
    vec![(0..n).map(|i| (i / 3) as u32).collect(), (0..n).map(|i| ((i + 1) / 3) as u32).collect()]
}

fn factors(codes: &[Vec<u32>]) -> Vec<Factor<'_>> {
    codes.iter().map(|c| Factor { codes: c, n_groups: *c.iter().max().unwrap() as usize + 1 }).collect()
}

/// Coefficient of x in y = 0.7 x + effects that swamp it, after absorption; the error is that of absorption alone.
fn coefficient_error(
    codes: &[Vec<u32>],
    weights: Option<&[f64]>,
    method: Option<AbsorbMethod>,
) -> (f64, AbsorbReport) {
    let n = codes[0].len();
    let effect = |c: &Vec<u32>| -> Vec<f64> {
        let smooth = |g: u32| 10.0 * f64::from(g).sqrt() + noise(1, u64::from(g))[0];
        c.iter().map(|&g| smooth(g)).collect()
    };
    let effects: Vec<Vec<f64>> = codes.iter().map(effect).collect();
    let total: Vec<f64> = (0..n).map(|i| effects.iter().map(|e| e[i]).sum()).collect();
    let x: Vec<f64> = noise(n, 3).iter().zip(&total).map(|(u, t)| u + t).collect();
    let y: Vec<f64> = x.iter().zip(&total).map(|(x, t)| 0.7 * x + 5.0 * t).collect();
    let options = AbsorbOptions { method, ..AbsorbOptions::default() };
    let absorber = Absorber::new(&factors(codes), weights, n, options).unwrap();
    let mut columns = vec![y, x];
    let report = absorber.residualize(&mut columns).unwrap();
    let fit =
        least_squares(&[&columns[1]], &columns[0], weights, None, &LeastSquaresOptions::default()).unwrap();
    ((fit.coef[0] - 0.7).abs(), report)
}

#[test]
fn coefficients_are_right_on_hard_graphs() {
    let n = 60_000;
    let weights: Vec<f64> = noise(n, 5).iter().map(|u| (6.0 * u).exp()).collect();
    for codes in [difficult(n), difficult(n)[..2].to_vec(), chain(n)] {
        for weights in [None, Some(weights.as_slice())] {
            let (error, report) = coefficient_error(&codes, weights, None);
            // The effects are a thousand times the signal: 1e-16 x 1e3 x condition of the regression is 1e-11.
            assert!(error < 1e-10, "{error} {report:?}");
            assert!(report.certificate < 1e-12, "{report:?}");
        }
    }
}

#[test]
fn the_diagonal_alone_reaches_the_tolerance_on_the_band() {
    let (error, report) =
        coefficient_error(&difficult(40_000)[..2], None, Some(AbsorbMethod::ConjugateGradient));
    assert_eq!(report.method, AbsorbMethod::ConjugateGradient);
    assert!(error < 1e-9, "{error} {report:?}");
}

#[test]
fn not_converged_is_an_error() {
    let codes = chain(30_000);
    let options = AbsorbOptions {
        method: Some(AbsorbMethod::ConjugateGradient),
        max_iterations: 50,
        ..AbsorbOptions::default()
    };
    let absorber = Absorber::new(&factors(&codes), None, 30_000, options).unwrap();
    let error = absorber.residualize(&mut [noise(30_000, 1)]).unwrap_err();
    assert!(matches!(error, LinalgError::NotConverged { column: 0, iterations: 50, .. }), "{error}");
    assert!(error.to_string().contains("largest connected set"));
}

#[test]
fn bits_do_not_depend_on_company_or_threads() {
    let n = 20_000;
    let random: Vec<Vec<u32>> = (0..3u64)
        .map(|k| (0..n as u64).map(|i| (mix(i ^ (k << 40)) % [4000, 3000, 12][k as usize]) as u32).collect())
        .collect();
    for codes in [difficult(n), random] {
        let absorber = Absorber::new(&factors(&codes), None, n, AbsorbOptions::default()).unwrap();
        let columns: Vec<Vec<f64>> = (0..9).map(|k| noise(n, 10 + k)).collect();
        let alone: Vec<Vec<f64>> = columns
            .iter()
            .map(|c| {
                let mut one = [c.clone()];
                absorber.residualize(&mut one).unwrap();
                one.into_iter().next().unwrap()
            })
            .collect();
        for threads in [1, 2, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut together = columns.clone();
            pool.install(|| absorber.residualize(&mut together)).unwrap();
            assert!(together == alone, "{threads} threads");
        }
    }
}

#[test]
fn methods_are_chosen_by_the_design() {
    let method = |codes: &[Vec<u32>], weights: Option<&[f64]>| {
        let options = AbsorbOptions::default();
        Absorber::new(&factors(codes), weights, codes[0].len(), options).unwrap().method()
    };
    let unit: Vec<u32> = (0..60).map(|i| i / 6).collect();
    let year: Vec<u32> = (0..60).map(|i| i % 6).collect();
    let province: Vec<u32> = unit.iter().map(|u| u / 2).collect();
    let equal = vec![2.0; 60];
    let unequal = noise(60, 1).iter().map(|u| u + 1.0).collect::<Vec<f64>>();
    let two = [unit.clone(), year.clone()];
    assert_eq!(method(&two, None), AbsorbMethod::BalancedTwoWay);
    assert_eq!(method(&two, Some(&equal)), AbsorbMethod::BalancedTwoWay);
    assert_eq!(method(&two, Some(&unequal)), AbsorbMethod::DenseSchur);
    assert_eq!(method(&[province.clone(), unit.clone()], None), AbsorbMethod::GroupMeans);
    assert_eq!(method(&[unit, province, year], None), AbsorbMethod::BalancedTwoWay);
}

#[test]
fn balanced_leverage_and_ranks() {
    let unit: Vec<u32> = (0..60).map(|i| i / 6).collect();
    let year: Vec<u32> = (0..60).map(|i| i % 6).collect();
    let codes = [unit, year];
    let absorber = Absorber::new(&factors(&codes), None, 60, AbsorbOptions::default()).unwrap();
    let expected = 1.0 / 6.0 + 1.0 / 10.0 - 1.0 / 60.0;
    assert!(absorber.leverages().unwrap().iter().all(|h| (h - expected).abs() < 1e-14));
    assert_eq!(absorber.ranks().levels, [10, 6]);
    assert_eq!(absorber.ranks().redundant, [0, 1]);
    assert_eq!(absorber.ranks().exact, Some(15));
}

#[test]
fn graphs() {
    let a = Factor { codes: &[0, 0, 1, 1, 3], n_groups: 5 };
    let b = Factor { codes: &[0, 1, 1, 0, 4], n_groups: 9 };
    assert_eq!(connected_components(a, b), 2);
    assert!(is_nested(b, Factor { codes: &[0, 0, 0, 0, 1], n_groups: 2 }));
    assert!(!is_nested(a, b));
    // Row 4 is alone in both factors; row 0 is alone once row 1, alone in c, is gone.
    let c = Factor { codes: &[0, 1, 2, 2, 2, 0], n_groups: 3 };
    let d = Factor { codes: &[0, 0, 1, 1, 2, 3], n_groups: 4 };
    let found = singletons(&[c, d], 6);
    assert_eq!(found.keep, [false, false, true, true, false, false]);
    assert_eq!(found.dropped_by.iter().sum::<usize>(), 4);
}

#[test]
fn wrong_inputs_are_named() {
    let factor = Factor { codes: &[0, 5], n_groups: 2 };
    let error = Absorber::new(&[factor], None, 2, AbsorbOptions::default()).unwrap_err();
    assert_eq!(error, LinalgError::CodeOutOfRange { factor: 0, row: 1, code: 5, n_groups: 2 });
    let none = Absorber::new(&[], None, 2, AbsorbOptions::default()).unwrap();
    let mut columns = vec![vec![1.0, 2.0]];
    none.residualize(&mut columns).unwrap();
    assert_eq!(columns[0], [1.0, 2.0]);
    assert_eq!(none.leverages().unwrap(), [0.0, 0.0]);
    assert!(none.residualize(&mut [vec![1.0]]).is_err());
}
