//! Imputation and two stages against R didimputation, R did2s, Stata's did_imputation, diff-diff and others.

use std::collections::BTreeMap;

use parallax_model::{Estimate, Panel, SmallSample};
use serde_json::{Value, json};

use crate::support::{answer, near_as, numbers, open_panel, private_json, private_panel, request};

fn with(base: &Value, more: &Value) -> Value {
    let mut all = base.as_object().unwrap().clone();
    all.extend(more.as_object().unwrap().clone());
    Value::Object(all)
}

fn cohort() -> Value {
    json!({ "cohort": "first_treat", "group-time": false })
}

fn fit(panel: &Panel, estimator: &str, formula: &str, vcov: &str, options: &Value) -> Estimate {
    request(estimator, formula, vcov).options(&with(&cohort(), options)).fit(panel)
}

fn near(ours: f64, theirs: f64, what: &str) {
    near_as("iterated", ours, theirs, what);
}

/// Every coefficient and error of a did2s case; `D::1` is the overall effect, `rl::3` an event time.
fn compare_did2s(case: &Value, estimate: &Estimate) -> usize {
    let term = |theirs: &str| match theirs.rsplit_once("::") {
        Some(("D", _)) => "att".to_owned(),
        Some((_, time)) => format!("event:{time}"),
        None => theirs.to_owned(),
    };
    let (coef, errors) = (numbers(&case["coef"]), numbers(&case["se"]));
    for (name, value) in &coef {
        let row = estimate.row(&term(name), 0.95).unwrap();
        near(row.estimate, *value, name);
        near(row.std_error, errors[name], &format!("error of {name}"));
    }
    assert_eq!(estimate.sample.rows_used as f64, case["nobs"].as_f64().unwrap());
    coef.len()
}

#[test]
fn two_stages_are_did2s() {
    let panel = open_panel("panel_bal");
    let mut compared = 0;
    for (id, formula, vcov) in [
        ("did2s_panel_bal_static", "y ~ 1 | unit + year", "cluster:unit"),
        ("did2s_panel_bal_event", "y ~ 1 | unit + year", "cluster:unit"),
        ("did2s_panel_bal_static_cov", "y ~ x1 + x2 | unit + year", "cluster:unit"),
        ("did2s_panel_bal_static_cluster_province", "y ~ 1 | unit + year", "cluster:province"),
    ] {
        let estimate = fit(&panel, "two-stage", formula, vcov, &json!({}));
        compared += compare_did2s(&answer("did.json", id), &estimate);
    }
    assert_eq!(compared, 19);
}

/// Effects and errors of an R didimputation case by event time. Errors of leads are those of a `feols` without a
/// covariance request, which are not clustered.
fn compare_didimputation(case: &Value, estimate: &Estimate) -> usize {
    let list = |name: &str| case[name].as_array().unwrap().clone();
    let (terms, values, errors) = (list("terms"), list("estimate"), list("se"));
    let mut compared = 0;
    for ((term, value), error) in terms.iter().zip(values).zip(errors) {
        let Some(value) = value.as_f64() else { continue };
        let term = term.as_str().unwrap();
        let name = if term == "treat" { "att".to_owned() } else { format!("event:{term}") };
        let row = estimate.row(&name, 0.95).unwrap();
        near(row.estimate, value, &name);
        near(row.std_error, error.as_f64().unwrap(), &format!("error of {name}"));
        compared += 1;
    }
    compared
}

#[test]
fn imputation_is_r_didimputation() {
    let panel = open_panel("panel_bal");
    let mut compared = 0;
    for (id, formula) in [
        ("bjs_panel_bal_static", "y ~ 1 | unit + year"),
        ("bjs_panel_bal_event", "y ~ 1 | unit + year"),
        ("bjs_panel_bal_event_pretrends", "y ~ 1 | unit + year"),
        ("bjs_panel_bal_static_cov", "y ~ x1 + x2 | unit + year"),
    ] {
        let estimate = fit(&panel, "imputation", formula, "cluster:unit", &json!({ "leads": 3 }));
        compared += compare_didimputation(&answer("did.json", id), &estimate);
    }
    assert_eq!(compared, 23);
}
