//! Rounding is no evidence, and a two-way covariance is not repaired unasked: `snapshots/cases`, with right values.

use serde_json::{Value, json};

use crate::support::{json, parallax, root, text};

fn fit(case: &str, estimator: &str, formula: &str, more: &[&str]) -> Value {
    let data = root().join("snapshots/cases").join(case);
    let mut words = vec!["fit", estimator, "--data", text(&data), "--unit", "unit", "--time", "year"];
    words.extend(["--formula", formula, "--format", "json"]);
    words.extend(more);
    json(&parallax(words).done())
}

fn near(found: &Value, right: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - right).abs() <= 1e-5 * right.abs(), "{found} is not {right}");
}

/// numpy's values; the leads of cohorts whose outcomes were equal to those of controls leave the degrees of freedom.
#[test]
fn pretests_leave_out_what_is_rounding() {
    let tests = [
        ("d.csv", &["--vcov", "cluster:unit"][..], [3.35841, 1.0, 0.066_862_4]),
        ("price.csv", &["--set", "control=not-yet-treated"], [1.14777, 2.0, 0.563_331]),
        ("price.csv", &["--set", "control=never-treated"], [1.14777, 2.0, 0.563_331]),
        ("tiny.csv", &[], [0.120_968, 1.0, 0.727_987]),
    ];
    for (file, more, right) in tests {
        let case = format!("36-pretest-of-rounding/{file}");
        let more = [more, &["--set", "cohort=g"]].concat();
        let found = fit(&case, "callaway-santanna", "y ~ 1", &more);
        for (name, right) in ["pretest_chi2", "pretest_df", "pretest_p"].into_iter().zip(right) {
            near(&found["stats"][name], right);
        }
        let notes = found["notes"].to_string();
        assert!(notes.contains("no standard error, test or interval"), "{notes}");
    }
}

#[test]
fn a_battery_finds_nothing_in_rounding() {
    for case in ["36-pretest-of-rounding/price.csv", "12-date-zero/d.csv", "13-adoption-unseen/d.csv"] {
        let data = root().join("snapshots/cases").join(case);
        let words = ["did", text(&data), "--outcome", "y", "--unit", "unit", "--time", "year"];
        let said = parallax(words.iter().chain(&["--cohort", "g", "--no-report"]).copied()).done();
        assert!(!said.contains("reject parallel trends before adoption at 5 per cent in"), "{case}: {said}");
        assert!(!said.contains("e-16"), "{case}: {said}");
    }
}

/// The treated unit fits its own lead, which leaves no error, in any unit of the outcome.
#[test]
fn an_error_that_is_rounding_is_missing() {
    let term = |outcome: &str| {
        let formula = format!("{outcome} ~ 1 | unit + year");
        let more = ["--vcov", "cluster:unit", "--set", "cohort=first"];
        let found = fit("faults/rounding-se.csv", "event-study", &formula, &more);
        let at = found["terms"].as_array().unwrap().iter().position(|it| it["term"] == "event:-2").unwrap();
        assert!(found["vcov"]["matrix"][at].as_array().unwrap().iter().all(Value::is_null));
        assert_eq!(
            (&found["stats"]["leads_df"], &found["stats"]["leads_chi2_p"]),
            (&json!(0.0), &Value::Null)
        );
        found["terms"][at].clone()
    };
    for (outcome, estimate) in [("y", 1.0), ("I(3 * y)", 3.0), ("I(y / 1000000)", 1e-6), ("I(y + 7.3)", 1.0)]
    {
        let found = term(outcome);
        near(&found["estimate"], estimate);
        for name in ["std_error", "statistic", "p_value", "conf_low", "conf_high"] {
            assert!(found[name].is_null(), "{outcome}: {found}");
        }
    }
}

/// numpy: the raw two-way variance of the slope is -0.0063.
#[test]
fn two_way_clusters_have_no_error_where_the_variance_is_negative() {
    for regressor in ["year", "I(year - 2000)", "I(year - 2003)", "I(7 * year)"] {
        let formula = format!("l(y,1) ~ {regressor}");
        for rules in [&[][..], &["--small-sample", "plm"]] {
            let more = [&["--vcov", "cluster:unit+year"][..], rules].concat();
            let found = fit("faults/twoway.csv", "pooled-ols", &formula, &more);
            assert!(found["terms"][1]["std_error"].is_null() && found["terms"][1]["p_value"].is_null());
            assert!(found["stats"]["wald_f_p"].is_null());
            assert!(found["notes"].to_string().contains("variance is not positive"));
        }
        let more = ["--vcov", "cluster:unit+year", "--repair", "stata"];
        let repaired = fit("faults/twoway.csv", "pooled-ols", &formula, &more);
        assert!(repaired["terms"][1]["std_error"].is_number());
        assert!(repaired["notes"].to_string().contains("set to zero, as stata does"));
    }
}
