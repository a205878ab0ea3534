//! Extended two-way fixed effects against etwfe and diff-diff in Python and jwdid in Stata.

use parallax_model::{Estimate, SingletonPolicy, SmallSample};
use serde_json::{Value, json};

use crate::support::{answer, near_as, open_panel, private_json, private_panel, request};

/// etwfe writes `y ~ 0` for no covariates; effects are those of units, or of cohorts where it has no `ivar`.
fn fit(case: &Value, formula: &str, vcov: &str, options: &Value) -> Estimate {
    let mut all = json!({ "cohort": "first_treat" });
    all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let mut asked = request("extended-twfe", formula, vcov).options(&all);
    asked.0.singletons = SingletonPolicy::Keep;
    asked.fit(&open_panel(case["data"].as_str().unwrap()))
}

/// Every number of a case: simple, event, group and calendar means with their errors.
fn compare(id: &str, formula: &str, vcov: &str, options: &Value, tolerance: &str) -> usize {
    let case = answer("extended_twfe.json", id);
    let estimate = fit(&case, formula, vcov, options);
    assert_eq!(estimate.sample.rows_used as f64, case["nobs"].as_f64().unwrap(), "{id}");
    let mut compared = 0;
    for (family, members) in case["effects"].as_object().unwrap() {
        for (name, numbers) in members.as_object().unwrap() {
            let term = match family.as_str() {
                "simple" => "att".to_owned(),
                "event" => format!("event:{name}"),
                other => format!("att:{other}:{name}"),
            };
            let Some(row) = estimate.row(&term, 0.95) else {
                assert_eq!((term.as_str(), &numbers[0]), ("event:-1", &json!(0.0)), "{id}: the reference");
                continue;
            };
            near_as(tolerance, row.estimate, numbers[0].as_f64().unwrap(), &format!("{id} {term}"));
            near_as(tolerance, row.std_error, numbers[1].as_f64().unwrap(), &format!("{id} error of {term}"));
            compared += 2;
        }
    }
    compared
}

#[test]
fn linear_effects_are_etwfes() {
    let (unit, none) = ("y ~ 1 | unit + year", json!({}));
    let never = json!({ "control": "never-treated" });
    for (id, formula, vcov, options, numbers) in [
        ("linear", unit, "cluster:unit", &none, 46),
        ("linear_hetero", unit, "hc1", &none, 46),
        ("linear_iid", unit, "iid", &none, 46),
        ("linear_cohort_effects", "y ~ 1 | first_treat + year", "cluster:unit", &none, 46),
        ("linear_never", unit, "cluster:unit", &never, 60),
        ("linear_unbal", unit, "cluster:unit", &none, 40),
        ("dd_linear", unit, "cluster:unit", &none, 46),
        ("dd_linear_never", unit, "cluster:unit", &never, 60),
    ] {
        assert_eq!(compare(id, formula, vcov, options, "iterated"), numbers, "{id}");
    }
}

#[test]
fn covariates_enter_as_in_etwfe() {
    let none = json!({});
    let never = json!({ "control": "never-treated" });
    for (id, formula, options, numbers) in [
        ("linear_cov", "y ~ x1 + x2 | unit + year", &none, 46),
        ("linear_cov_never", "y ~ x1 | unit + year", &never, 60),
        ("linear_unbal_cov", "y ~ x1 | unit + year", &none, 40),
    ] {
        assert_eq!(compare(id, formula, "cluster:unit", options, "iterated"), numbers, "{id}");
    }
}

#[test]
fn poisson_effects_are_etwfes_and_diff_diffs() {
    let plain = json!({ "family": "poisson" });
    let never = json!({ "family": "poisson", "control": "never-treated" });
    let formula = "cnt ~ 1 | first_treat + year";
    for (id, formula, vcov, options, numbers) in [
        ("poisson", formula, "cluster:unit", &plain, 46),
        ("poisson_hetero", formula, "hc1", &plain, 46),
        ("poisson_iid", formula, "iid", &plain, 46),
        ("poisson_cov", "cnt ~ x1 + x2 | first_treat + year", "cluster:unit", &plain, 46),
        ("poisson_unbal", formula, "cluster:unit", &plain, 40),
        ("poisson_never", formula, "cluster:unit", &never, 60),
        ("dd_poisson", formula, "cluster:unit", &plain, 46),
        ("dd_poisson_unbal", formula, "cluster:unit", &plain, 40),
    ] {
        let tolerance = if id.starts_with("dd_") { "iterated" } else { "fixest's feglm" };
        assert_eq!(compare(id, formula, vcov, options, tolerance), numbers, "{id}");
    }
}

/// diff-diff's answer that is stored beside those of its other estimators.
#[test]
fn the_overall_effect_is_diff_diffs() {
    let case = answer("did_python.json", "panel_bal__dd_etwfe");
    let row = fit(&case, "y ~ 1 | unit + year", "cluster:unit", &json!({})).row("att", 0.95).unwrap();
    near_as("iterated", row.estimate, case["att"].as_f64().unwrap(), "att");
    near_as("iterated", row.std_error, case["se"].as_f64().unwrap(), "its error");
}

/// jwdid without options clusters by unit under reghdfe's rules, with effects of cohorts and years; its interval is
/// that of `margins`, with normal quantiles, and is not compared.
#[test]
fn the_overall_effect_is_jwdids() {
    let Some(panel) = private_panel("oracle/stata18/17_etwfe.csv", "countyreal", "year") else { return };
    let Some(answers) = private_json("oracle/stata18/17_etwfe.json") else { return };
    let options = json!({ "cohort": "first_treat" });
    let mut asked =
        request("extended-twfe", "lemp ~ 1 | countyreal + year", "cluster:countyreal").options(&options);
    asked.0.small_sample = SmallSample::REGHDFE;
    let row = asked.fit(&panel).row("att", 0.95).unwrap();
    near_as("iterated", row.estimate, answers["rows"][0]["estimate"].as_f64().unwrap(), "att");
    near_as("iterated", row.std_error, answers["rows"][0]["se"].as_f64().unwrap(), "its error");
}
