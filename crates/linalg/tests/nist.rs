//! Certified results of the NIST Statistical Reference Datasets, linear regression (see `nist/SOURCE.md`).
//!
//! A digit is one of the log relative error: -log10(|found - certified| / |certified|), at most 15. Floors are just below
//! what was measured. Filip stops at 7.6 digits because its powers are rounded to double precision before any regression
//! sees them: the exact solution for the rounded columns (worked in 80 digits) is off by 1.5e-8 to 2.3e-8 too.
#![allow(clippy::print_stdout, reason = "the digits reached are the point of the test")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use parallax_linalg::{LeastSquaresOptions, Method, least_squares};
use std::path::Path;

struct Certified {
    coef: Vec<f64>,
    std_error: Vec<f64>,
    residual_sd: f64,
    columns: Vec<Vec<f64>>,
    y: Vec<f64>,
}

/// Reads a data file; `design` turns the predictors of a row into the design row.
fn read(name: &str, design: impl Fn(&[f64]) -> Vec<f64>) -> Certified {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nist").join(format!("{name}.dat"));
    let text = std::fs::read_to_string(path).unwrap();
    let number = |s: &str| s.parse::<f64>().ok();
    let (mut coef, mut std_error, mut residual_sd) = (vec![], vec![], f64::NAN);
    let mut lines = text.lines();
    for line in lines.by_ref() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [parameter, b, s] if parameter.starts_with('B') && number(b).is_some() => {
                coef.push(number(b).unwrap());
                std_error.push(number(s).unwrap());
            }
            ["Standard", "Deviation", s] if number(s).is_some() => residual_sd = number(s).unwrap(),
            ["Data:", "y", ..] => break,
            _ => {}
        }
    }
    let rows: Vec<Vec<f64>> = lines
        .map(|l| l.split_whitespace().map(|w| w.parse().unwrap()).collect::<Vec<f64>>())
        .filter(|r| !r.is_empty())
        .collect();
    let y = rows.iter().map(|r| r[0]).collect();
    let designed: Vec<Vec<f64>> = rows.iter().map(|r| design(&r[1..])).collect();
    let columns = (0..coef.len()).map(|j| designed.iter().map(|r| r[j]).collect()).collect();
    Certified { coef, std_error, residual_sd, columns, y }
}

fn digits(found: f64, certified: f64) -> f64 {
    let error = if certified == 0.0 { found.abs() } else { ((found - certified) / certified).abs() };
    (-error.max(1e-15).log10()).min(15.0)
}

/// Asserts floors on the digits of coefficients, standard errors and residual standard deviation.
fn check(name: &str, design: impl Fn(&[f64]) -> Vec<f64>, floors: [f64; 3]) -> Method {
    let set = read(name, design);
    let columns: Vec<&[f64]> = set.columns.iter().map(Vec::as_slice).collect();
    let fit = least_squares(&columns, &set.y, None, None, &LeastSquaresOptions::default()).unwrap();
    assert_eq!(fit.dropped, Vec::<usize>::new(), "{name}: a column was dropped");
    let sd = (fit.rss / (set.y.len() - columns.len()) as f64).sqrt();
    let worst = |found: &[f64], certified: &[f64]| {
        found.iter().zip(certified).map(|(f, c)| digits(*f, *c)).fold(15.0, f64::min)
    };
    let std_error: Vec<f64> = (0..columns.len()).map(|j| sd * fit.bread[(j, j)].sqrt()).collect();
    let reached =
        [worst(&fit.coef, &set.coef), worst(&std_error, &set.std_error), digits(sd, set.residual_sd)];
    println!(
        "{name}: coefficients {:.1}, standard errors {:.1}, residual sd {:.1} digits; {:?}",
        reached[0], reached[1], reached[2], fit.method
    );
    for (what, (reached, floor)) in
        ["coefficients", "standard errors", "sd"].iter().zip(reached.iter().zip(floors))
    {
        assert!(*reached >= floor, "{name}: {what} reach {reached:.2} digits, floor {floor}");
    }
    fit.method
}

fn polynomial(degree: i32) -> impl Fn(&[f64]) -> Vec<f64> {
    move |x| (0..=degree).map(|p| x[0].powi(p)).collect()
}

#[test]
fn lower_difficulty() {
    check("Norris", polynomial(1), [13.5, 13.5, 13.5]);
    check("Pontius", polynomial(2), [12.8, 12.8, 12.8]);
}

#[test]
fn no_intercept() {
    check("NoInt1", |x| vec![x[0]], [14.0, 14.0, 14.0]);
    check("NoInt2", |x| vec![x[0]], [14.0, 14.0, 14.0]);
}

#[test]
fn wampler() {
    for name in ["Wampler1", "Wampler2", "Wampler3", "Wampler4", "Wampler5"] {
        check(name, polynomial(5), [13.0, 14.3, 14.5]);
    }
}

#[test]
fn longley() {
    check("Longley", |x| [&[1.0], x].concat(), [14.3, 14.3, 14.5]);
}

#[test]
fn filip_keeps_every_column() {
    let method = check("Filip", polynomial(10), [7.5, 7.5, 8.8]);
    assert!(matches!(method, Method::TwicePrecision { .. }));
}
