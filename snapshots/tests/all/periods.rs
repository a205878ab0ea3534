//! What codes of time mean in the whole program: declared, refused, stepped, and across holes.

use std::fs;

use serde_json::Value;

use crate::support::{Ran, folder, json, parallax, root, text};

const CASE: &str = "snapshots/cases/14-year-quarter-codes";

fn fit(estimator: &str, data: &str, formula: &str, more: &str) -> Ran {
    let start = ["fit", estimator, "--data", data, "--formula", formula, "--format", "json"];
    parallax(start.into_iter().chain(more.split_whitespace()))
}

/// Estimates and errors, and terms in the order they have.
fn numbers(result: &Value) -> (Vec<String>, Vec<f64>) {
    let terms = result["terms"].as_array().unwrap();
    let names = terms.iter().map(|it| it["term"].as_str().unwrap().to_owned()).collect();
    let number = |it: &Value| it.as_f64().unwrap_or(f64::NAN);
    (names, terms.iter().flat_map(|it| [number(&it["estimate"]), number(&it["std_error"])]).collect())
}

/// Every file beside itself with periods from 1 on: the dates of adoption are in the codes of the file.
#[test]
fn declared_and_stepped_codes_are_consecutive_periods() {
    for (name, more, first) in [
        ("yyyymm.csv", "--time-format year-month", "att:group:201101"),
        ("yyyyq.csv", "--time-format year-quarter", "att:group:20113"),
        ("biennial.csv", "", "att:group:2012"),
    ] {
        let data = text(&root().join(CASE).join(name)).to_owned();
        let dir = folder();
        let counted = dir.path().join("counted.csv");
        fs::write(&counted, counted_dates(&fs::read_to_string(&data).unwrap())).unwrap();
        for (estimator, formula) in [
            ("callaway-santanna", "y ~ 1"),
            ("sun-abraham", "y ~ 1 | unit + time"),
            ("imputation", "y ~ 1 | unit + time"),
            ("stacked", "y ~ 1"),
            ("lp-did", "y ~ 1"),
        ] {
            let request = "--unit unit --vcov cluster:unit --cohort g";
            let coded = fit(estimator, &data, formula, &format!("{request} --time time {more}"));
            let plain = fit(estimator, text(&counted), formula, &format!("{request} --time time"));
            let (coded, plain) = (json(&coded.done()), json(&plain.done()));
            let ((names, found), (_, right)) = (numbers(&coded), numbers(&plain));
            assert_eq!(found.len(), right.len(), "{name}, {estimator}");
            for (a, b) in found.iter().zip(&right) {
                assert!(
                    (a - b).abs() <= 1e-12 * b.abs() || (a.is_nan() && b.is_nan()),
                    "{name}, {estimator}: {a} {b}"
                );
            }
            if estimator == "callaway-santanna" {
                assert!(names.iter().any(|it| it == first), "{names:?}");
            }
        }
    }
}

/// The file with `k` as time and dates of adoption in it.
fn counted_dates(csv: &str) -> String {
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|it| it.split(',').collect()).collect();
    let count = |date: &str| rows.iter().find(|it| it[1] == date).map_or("", |it| it[5]);
    let line = |it: &Vec<&str>| [it[0], it[5], it[2], it[3], it[4], it[5], count(it[6])].join(",");
    let lines: Vec<String> = rows.iter().map(line).collect();
    format!("unit,time,y,x,d,k,g\n{}\n", lines.join("\n"))
}

#[test]
fn codes_that_nobody_declared_are_refused_with_the_cure() {
    for (name, cure) in [
        ("yyyymm.csv", "--time-format year-month"),
        ("yyyyq.csv", "--time-format year-quarter"),
        ("twodigit.csv", "four digits"),
    ] {
        let data = text(&root().join(CASE).join(name)).to_owned();
        let ran = fit("pooled-ols", &data, "y ~ l(x, 1)", "--unit unit --time time");
        assert_eq!(ran.code, 1, "{name}: {}", ran.out);
        assert!(ran.err.contains(cure), "{name}: {}", ran.err);
    }
    let data = text(&root().join(CASE).join("yyyymm.csv")).to_owned();
    let ran = fit("pooled-ols", &data, "y ~ x", "--unit unit --time time --time-format year-quarter");
    assert!(ran.code == 1 && ran.err.contains("201007"), "{}", ran.err);
    let trend = "--unit unit --time time --time-format year-month";
    let ran = fit("pooled-ols", &data, "y ~ time", trend);
    assert!(ran.code == 1 && ran.err.contains("as a quantity"), "{}", ran.err);
    fit("pooled-ols", &data, "y ~ i(time) + I(time >= 201101)", trend).done();
}

/// Codes of one year do not jump; a date of the next year beside them does.
#[test]
fn a_date_beyond_the_year_of_the_codes_is_refused() {
    let dir = folder();
    let data = dir.path().join("d.csv");
    let mut csv = "id,month,y,g\n".to_owned();
    for unit in 1..=6 {
        for month in 1..=12 {
            let date = [201_006, 201_006, 201_101, 0, 0, 0][unit - 1];
            csv.push_str(&format!("{unit},{},{}.{month},{date}\n", 201_000 + month, (unit * month) % 5));
        }
    }
    fs::write(&data, csv).unwrap();
    let words = "--unit id --time month --vcov cluster:id --cohort g";
    let ran = fit("imputation", text(&data), "y ~ 1 | id + month", words);
    assert!(ran.code == 1 && ran.err.contains("--time-format year-month"), "{} {}", ran.out, ran.err);
    let declared = format!("{words} --time-format year-month");
    fit("imputation", text(&data), "y ~ 1 | id + month", &declared).done();
}

#[test]
fn a_period_that_nobody_is_observed_in_is_said() {
    let dir = folder();
    let data = dir.path().join("d.csv");
    let mut csv = "id,year,y,x,g\n".to_owned();
    for unit in 1..=8 {
        for year in [2001, 2002, 2003, 2005, 2006] {
            let (y, x) = ((unit * year) % 7, (unit * unit + year) % 5);
            csv.push_str(&format!("{unit},{year},{y},{x},{}\n", if unit < 5 { 2005 } else { 0 }));
        }
    }
    fs::write(&data, csv).unwrap();
    let index = ["--unit", "id", "--time", "year"];
    let said = parallax(["describe", text(&data)].into_iter().chain(index)).done();
    assert!(said.contains("nobody is observed in 1 period of `year` (2004)"), "{said}");
    let lag = fit("pooled-ols", text(&data), "y ~ l(x, 1)", "--unit id --time year").done();
    assert!(lag.contains("nobody is observed in 1 period"), "{lag}");
    let ran =
        fit("callaway-santanna", text(&data), "y ~ 1", "--unit id --time year --vcov cluster:id --cohort g");
    assert!(ran.code == 1 && ran.err.contains("base period"), "{} {}", ran.out, ran.err);
}
