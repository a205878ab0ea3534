//! Cases of treatments: dates of adoption, holes, ties, tests of what is only rounding.

use serde_json::Value;

use super::{file, fit, fitted, is, near, refused, rows, term};
use crate::support::{json, parallax};

#[test]
fn always_treated_units_without_never_treated() {
    for data in ["d.csv", "without.csv"] {
        let words = "--unit unit --time year --formula 'y ~ 1' --set cohort=g --set control=not-yet-treated";
        let found = fitted("callaway-santanna", &format!("11-always-treated-no-never/{data}"), words);
        is(&found, "att", "3.180625", Some("1.0518669"));
    }
}

#[test]
fn time_that_passes_zero() {
    let words = |data: &str| {
        let data = file(&format!("12-date-zero/{data}"));
        let all = [
            "did",
            &data,
            "--outcome",
            "y",
            "--unit",
            "unit",
            "--time",
            "year",
            "--cohort",
            "g",
            "--no-report",
        ];
        parallax(all)
    };
    let found = words("d.csv").done();
    assert!(!found.to_lowercase().contains("leads reject"), "{found}");
    assert_eq!(words("never-as-zero.csv").code, 1);
    let words = "--unit unit --time year --formula 'y ~ 1' --set cohort=g";
    let found = fitted("callaway-santanna", "12-date-zero/d.csv", words);
    for (event, right) in ["5", "6", "7", "8", "9"].iter().enumerate() {
        let value = term(&found, &format!("event:{event}"))["estimate"].as_f64().unwrap();
        assert!((value - right.parse::<f64>().unwrap()).abs() < 1e-9, "{event}: {value}");
    }
}

#[test]
fn adoption_in_a_period_without_a_row() {
    let words = "--unit unit --time year --formula 'y ~ 1' --set cohort=g";
    for estimator in ["callaway-santanna", "imputation", "two-stage", "sun-abraham", "stacked", "lp-did"] {
        let formula = if ["two-stage", "sun-abraham", "imputation"].contains(&estimator) {
            words.replace("y ~ 1", "y ~ 1 | unit + year")
        } else {
            words.to_owned()
        };
        let found = fitted(estimator, "13-adoption-unseen/d.csv", &formula);
        let att = term(&found, "att")["estimate"].as_f64().unwrap();
        assert!((att - 5.0).abs() < 1e-9, "{estimator}: {att}");
    }
}

#[test]
fn period_codes_that_jump() {
    let lag = |time: &str| {
        fit(
            "pooled-ols",
            "14-year-quarter-codes/tiny.csv",
            &format!("--unit unit --time {time} --formula 'y ~ l(x,1)' --vcov iid"),
        )
    };
    let right = json(&lag("k").done());
    is(&right, "l(x, 1)", "0.139828", None);
    rows(&right, 30);
    assert_eq!(lag("month").code, 1);
    let declared = json(&lag("month --time-format year-month").done());
    is(&declared, "l(x, 1)", "0.139828", None);
    rows(&declared, 30);
}

#[test]
fn one_treated_unit_is_said() {
    let data = file("15-one-unit-cohort/one-treated.csv");
    let words =
        ["did", &data, "--outcome", "y", "--unit", "unit", "--time", "year", "--cohort", "g", "--no-report"];
    let found = parallax(words).done();
    assert!(found.contains("treated unit"), "{found}");
    assert!(!found.to_lowercase().contains("leads reject"), "{found}");
}

#[test]
fn decompositions_of_unbalanced_panels() {
    let words = "--unit unit --time year --formula 'y ~ d | unit + year'";
    let said = refused("bacon", "16-bacon-unbalanced/d.csv", words);
    assert!(said.contains("balanced"), "{said}");
    let found = fitted("twfe-weights", "16-bacon-unbalanced/d.csv", words);
    assert!(found.to_string().contains("0.98698223"), "{found}");
}

#[test]
fn everybody_adopts() {
    let words = "--unit unit --time year --formula 'y ~ 1 | unit + year' --set cohort=g";
    let found = fitted("two-stage", "17-all-adopt/d.csv", words);
    for (name, right) in [("att", 5.0), ("event:0", 4.0), ("event:1", 6.0)] {
        let value = term(&found, name)["estimate"].as_f64().unwrap();
        assert!((value - right).abs() < 1e-9, "{name}: {value}");
    }
}

#[test]
fn adoption_in_a_hole() {
    let words =
        "--unit unit --time year --formula 'y ~ 1 | unit + year' --vcov cluster:unit --set treatment=d";
    for data in ["tiny.csv", "row-absent.csv", "treatment-missing.csv", "d.csv"] {
        let ran = fit("event-study", &format!("19-outcome-missing-at-adoption/{data}"), words);
        if ran.code == 0 {
            let dated = fitted(
                "event-study",
                &format!("19-outcome-missing-at-adoption/{data}"),
                &words.replace("treatment=d", "cohort=g"),
            );
            // An event time that the dated panel does not have is a wrong date.
            for row in json(&ran.out)["terms"].as_array().unwrap() {
                let right = &term(&dated, row["term"].as_str().unwrap())["estimate"];
                assert!(
                    (row["estimate"].as_f64().unwrap() - right.as_f64().unwrap()).abs() < 1e-9,
                    "{data}: {row} {right}"
                );
            }
        } else {
            assert_eq!(ran.code, 1, "{data}: {}", ran.err);
            assert!(ran.err.contains("cohort"), "{data}: {}", ran.err);
        }
    }
}

#[test]
fn decimal_ties_of_a_caliper() {
    let words = "--formula 'y ~ d + x' --set score-column=ps --set caliper=0.05 --set ties=all";
    is(&fitted("propensity-match", "20-caliper-replacement/d.csv", words), "att", "3.000000", None);
}

#[test]
fn ties_among_placebo_draws() {
    for (data, right) in [("d.csv", 0.285_714), ("unequal.csv", 0.361_905)] {
        let words = "--unit unit --time year --formula 'y ~ d | unit + year' --set draws=20000";
        let found = fitted("placebo", &format!("21-placebo-ties/{data}"), words);
        let p = found["stats"]
            .as_object()
            .unwrap()
            .iter()
            .find(|it| it.0.contains("p_"))
            .unwrap()
            .1
            .as_f64()
            .unwrap();
        // Four standard errors of a share over 20,000 draws.
        assert!((p - right).abs() < 4.0 * (right * (1.0 - right) / 20_000.0_f64).sqrt(), "{p} {right}");
    }
}

#[test]
fn tests_of_rounding() {
    let pretest = |data: &str, more: &str| {
        let words = format!("--unit unit --time year --formula 'y ~ 1' --set cohort=g {more}");
        fitted("callaway-santanna", &format!("36-pretest-of-rounding/{data}"), &words)["stats"].clone()
    };
    let found = pretest("d.csv", "--vcov cluster:unit");
    near(&found["pretest_chi2"], "3.35841");
    near(&found["pretest_p"], "0.0668624");
    let found = pretest("price.csv", "--set control=not-yet-treated");
    near(&found["pretest_chi2"], "1.14777");
    near(&found["pretest_p"], "0.563331");
    let found = pretest("tiny.csv", "--vcov cluster:unit");
    near(&found["pretest_chi2"], "0.120968");
    near(&found["pretest_p"], "0.728");
    let data = file("36-pretest-of-rounding/price.csv");
    let words =
        ["did", &data, "--outcome", "y", "--unit", "unit", "--time", "year", "--cohort", "g", "--no-report"];
    let said = parallax(words).done();
    assert!(!said.to_lowercase().contains("leads reject"), "{said}");
}

#[test]
fn stacks_with_a_missing_row() {
    let words = "--unit unit --time year --formula 'y ~ 1' --vcov cluster:unit --set cohort=g --set leads=2 --set lags=3";
    let found = fitted("stacked", "39-stacked-unbalanced/tiny.csv", words);
    for (name, right) in
        [("att", 2.5), ("event:0", 1.0), ("event:1", 2.0), ("event:2", 3.0), ("event:3", 4.0)]
    {
        let value = term(&found, name)["estimate"].as_f64().unwrap();
        assert!((value - right).abs() < 1e-9, "{name}: {value}");
    }
}

#[test]
fn two_way_errors_do_not_move_with_the_origin() {
    let errors: Vec<Value> = ["year", "I(year-2000)", "I(year-2003)"]
        .iter()
        .map(|it| {
            let words = format!("--unit unit --time year --formula 'l(y,1) ~ {it}' --vcov cluster:unit+year");
            fitted("pooled-ols", "faults/twoway.csv", &words)["terms"][1]["std_error"].clone()
        })
        .collect();
    assert!(errors.iter().all(Value::is_null), "the raw variance is -0.0063: {errors:?}");
}

#[test]
fn errors_that_are_rounding_are_missing() {
    let words =
        "--unit unit --time year --formula 'y ~ 1 | unit + year' --vcov cluster:unit --set cohort=first";
    let found = fitted("event-study", "faults/rounding-se.csv", words);
    for key in ["std_error", "statistic", "p_value", "conf_low", "conf_high"] {
        assert!(term(&found, "event:-2")[key].is_null(), "{key}: {}", term(&found, "event:-2"));
    }
}
