//! Regressors far from zero beside their spread: kept, with the numbers of the same regressor near zero; what is really
//! collinear is dropped.

use parallax_model::{Note, SmallSample};
use parallax_testkit::{SHIFTED, Table, compare};

use super::collapse::ask;

/// Sixteenths, which doubles of size 1e9 hold exactly, so that both tables are the same data.
fn table(origin: f64) -> Table {
    let table = Table::unbalanced(31).with("x1", |it| origin + (16.0 * it).round() / 16.0);
    let copy = table.column("x1").iter().map(|it| 2.0 * it + 3.0).collect();
    let mut table = table;
    table.numbers.push(("copy", copy));
    table
}

#[test]
fn a_far_origin_changes_no_slope() {
    for (estimator, formula) in [
        ("pooled-ols", "y ~ x1 + x2 + d + copy"),
        ("pooled-ols", "y ~ copy + x2 + d + x1"),
        ("fixed-effects", "y ~ x1 + x2 + d + copy | unit"),
        ("fixed-effects", "y ~ x1 + x2 + d + copy | unit + year"),
        ("first-difference", "y ~ x1 + x2 + d + copy"),
    ] {
        for vcov in ["iid", "hc1", "cluster:group", "cluster:group+year"] {
            let on = |origin: f64| {
                ask(estimator, formula, vcov, SmallSample::FIXEST).on(&table(origin).panel().unwrap())
            };
            let (near, far) = (on(0.0), on(1e9));
            assert_eq!(near.terms, far.terms, "{estimator} {formula}");
            let dropped = |it: &&Note| matches!(it, Note::DroppedCollinear { .. });
            assert_eq!(far.notes.iter().filter(dropped).count(), 1, "{estimator} {formula}");
            for (a, b) in near.rows(0.95).iter().zip(far.rows(0.95)) {
                if a.term == "(Intercept)" {
                    continue;
                }
                compare(&a.term, a.estimate, b.estimate, &SHIFTED).unwrap();
                if !(a.std_error.is_nan() && b.std_error.is_nan()) {
                    compare(&a.term, a.std_error, b.std_error, &SHIFTED).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_far_origin_under_weights() {
    for (estimator, formula) in
        [("pooled-ols", "y ~ x1 + x2"), ("fixed-effects", "y ~ x1 + x2 | unit + year")]
    {
        let on = |origin: f64| {
            let mut it = ask(estimator, formula, "cluster:group", SmallSample::FIXEST);
            it.weights = Some("w");
            it.on(&table(origin).panel().unwrap())
        };
        let (near, far) = (on(0.0), on(1e9));
        for (a, b) in near.rows(0.95).iter().zip(far.rows(0.95)).filter(|it| it.0.term != "(Intercept)") {
            compare(&a.term, a.estimate, b.estimate, &SHIFTED).unwrap();
            compare(&a.term, a.std_error, b.std_error, &SHIFTED).unwrap();
        }
    }
}

/// A mean of 1e13 with a spread of five: doubles there are 0.002 apart, and the error of the mean is 0.9.
#[test]
fn an_error_beside_a_large_mean_stays() {
    let table = Table::balanced(5).with("y", |it| 1e13 + 64.0 * (it * 8.0).round() / 8.0);
    let fit = ask("pooled-ols", "y ~ 1", "hc1", SmallSample::FIXEST).on(&table.panel().unwrap());
    let error = fit.rows(0.95)[0].std_error;
    let values: Vec<f64> = table.column("y").iter().map(|it| it - 1e13).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (n - 1.0) / n;
    assert!((error / variance.sqrt() - 1.0).abs() < 1e-4, "{error} is not {}", variance.sqrt());
}
