//! Imputation and two stages against R didimputation, R did2s, Stata's did_imputation, diff-diff and others.

use parallax_model::{Estimate, Panel};
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

/// Effects, leads and errors of an R didimputation case.
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

/// Terms of a stored case of this module's own file: estimate and error each.
fn compare_terms(case: &Value, estimate: &Estimate, errors: bool) -> usize {
    let mut compared = 0;
    for (name, both) in case["terms"].as_object().unwrap() {
        let name = name.replace("rel::", "event:");
        let row = estimate.row(&name, 0.95).unwrap_or_else(|| panic!("no {name}"));
        near(row.estimate, both[0].as_f64().unwrap(), &name);
        if let (Some(error), true) = (both[1].as_f64(), errors) {
            near(row.std_error, error, &format!("error of {name}"));
        }
        compared += 1;
    }
    compared
}

#[test]
fn unbalanced_panels_and_options_are_diff_diffs() {
    let mut compared = 0;
    for (id, estimator, formula, vcov, options) in [
        ("imputation_unbal", "imputation", "y ~ 1", "unit", json!({})),
        ("imputation_unbal_covariates", "imputation", "y ~ x1 + x2", "unit", json!({})),
        ("imputation_unbal_cluster_province", "imputation", "y ~ 1", "province", json!({})),
        ("imputation_unbal_by_cohort", "imputation", "y ~ 1", "unit", json!({ "average-by": "cohort" })),
        (
            "imputation_unbal_by_event_time",
            "imputation",
            "y ~ 1",
            "unit",
            json!({ "average-by": "event-time" }),
        ),
        (
            "imputation_unbal_leave_out_by_cohort",
            "imputation",
            "y ~ 1",
            "unit",
            json!({ "average-by": "cohort", "leave-out": true }),
        ),
        ("dense_unbal_cluster_province", "imputation", "y ~ 1", "province", json!({})),
        ("dense_bal_cluster_province", "imputation", "y ~ 1", "province", json!({})),
        ("imputation_bal", "imputation", "y ~ 1", "unit", json!({})),
        ("imputation_bal_cluster_province", "imputation", "y ~ 1", "province", json!({})),
        ("imputation_bal_leave_out", "imputation", "y ~ 1", "unit", json!({ "leave-out": true })),
        ("imputation_unbal_leave_out", "imputation", "y ~ 1", "unit", json!({ "leave-out": true })),
        ("imputation_unbal_anticipation", "imputation", "y ~ 1", "unit", json!({ "anticipation": 1 })),
        ("imputation_bal_anticipation", "imputation", "y ~ 1", "unit", json!({ "anticipation": 1 })),
        ("two_stage_unbal", "two-stage", "y ~ 1", "unit", json!({})),
        ("two_stage_unbal_covariates", "two-stage", "y ~ x1 + x2", "unit", json!({})),
        ("two_stage_unbal_cluster_province", "two-stage", "y ~ 1", "province", json!({})),
    ] {
        let mut case = answer("imputation.json", id);
        // diff-diff counts the anticipated periods in its overall effect, ours begins with adoption.
        if let (Some(terms), true) = (case["terms"].as_object_mut(), id.ends_with("_anticipation")) {
            terms.retain(|name, _| name != "att" && !name.starts_with("att:group"));
        }
        let panel = open_panel(case["data"].as_str().unwrap());
        let formula = format!("{formula} | unit + year");
        let estimate = fit(&panel, estimator, &formula, &format!("cluster:{vcov}"), &options);
        // With clusters above the unit diff-diff averages effects over units, did_imputation over clusters.
        let errors = !id.ends_with("_cluster_province") || !id.starts_with("imputation");
        compared += compare_terms(&case, &estimate, errors);
    }
    assert!(160 < compared, "{compared}");
}

#[test]
fn weighted_two_stages_are_pyfixests() {
    let case = answer("imputation.json", "did2s_bal_weights_event");
    let mut ask = request("two-stage", "y ~ x1 + x2 | unit + year", "cluster:province").options(&cohort());
    ask.0.weights = Some("w".into());
    assert_eq!(compare_terms(&case, &ask.fit(&open_panel("panel_bal")), true), 16);
}

#[test]
fn overall_effects_are_diff_diffs() {
    let panel = open_panel("panel_bal");
    for (id, estimator) in
        [("panel_bal__dd_imputation", "imputation"), ("panel_bal__dd_twostage", "two-stage")]
    {
        let case = answer("did_python.json", id);
        let row = fit(&panel, estimator, "y ~ 1 | unit + year", "cluster:unit", &json!({}))
            .row("att", 0.95)
            .unwrap();
        near(row.estimate, case["att"].as_f64().unwrap(), id);
        near(row.std_error, case["se"].as_f64().unwrap(), id);
    }
}

/// County employment (mpdta), which may not be distributed.
#[test]
fn county_employment_is_that_of_r_and_python() {
    let file = "oracle/open/data/real_mpdta.csv";
    let Some(panel) = private_panel(file, "countyreal", "year") else { return };
    let cases = |file: &str, id: &str| {
        let all = private_json(&format!("oracle/open/expected/{file}")).unwrap();
        all["cases"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap().clone()
    };
    let ask = |estimator: &str, panel: &Panel, options: &Value| {
        fit(panel, estimator, "lemp ~ 1 | countyreal + year", "cluster:countyreal", options)
    };
    let two = ask("two-stage", &panel, &json!({}));
    assert_eq!(compare_did2s(&cases("did.json", "did2s_real_mpdta_static"), &two), 1);
    assert_eq!(compare_did2s(&cases("did.json", "did2s_real_mpdta_event"), &two), 7);
    for (id, estimator) in
        [("real_mpdta__dd_imputation", "imputation"), ("real_mpdta__dd_twostage", "two-stage")]
    {
        let (case, row) =
            (cases("did_python.json", id), ask(estimator, &panel, &json!({})).row("att", 0.95).unwrap());
        near(row.estimate, case["att"].as_f64().unwrap(), id);
        near(row.std_error, case["se"].as_f64().unwrap(), id);
    }
    // fixest takes counties of 2004 out as singletons of the untreated rows, so that R averages over the others alone.
    let dates = panel.real("first_treat").unwrap();
    let kept = panel.keep(&dates.iter().map(|it| *it != 2004.0).collect::<Vec<bool>>()).unwrap();
    let mut compared = 0;
    for (id, leads) in [("static", 0), ("event", 0), ("event_pretrends", 3)] {
        let estimate = ask("imputation", &kept, &json!({ "leads": leads }));
        compared += compare_didimputation(&cases("did.json", &format!("bjs_real_mpdta_{id}")), &estimate);
    }
    assert_eq!(compared, 8);
}

#[test]
fn stata_prints_the_same() {
    let Some(panel) = private_panel("oracle/stata18/16_bjs.csv", "countyreal", "year") else { return };
    let stored = private_json("oracle/stata18/16_bjs.json").unwrap();
    let value = |at: usize| stored["rows"][at]["estimate"].as_f64().unwrap();
    let row = fit(&panel, "imputation", "lemp ~ 1 | countyreal + year", "cluster:countyreal", &json!({}))
        .row("att", 0.95)
        .unwrap();
    near_as("did_imputation", row.estimate, value(0), "effect");
    near_as("did_imputation", row.std_error, value(1), "error");
}

/// did-imputation 0.1.0 stops iterating at 1e-6; it prints one variance for all horizons, which is left out.
#[test]
fn horizons_are_those_of_did_imputation_in_python() {
    let case = answer("did_python.json", "panel_bal__did_imputation_py");
    let panel = open_panel("panel_bal");
    let estimate = fit(&panel, "imputation", "y ~ 1 | unit + year", "cluster:unit", &json!({}));
    let theirs = numbers(&case["dump"]["estimates"]);
    assert_eq!(theirs.len(), 9);
    for (name, value) in theirs {
        let term = name.replace("tau", "event:");
        near_as("did_imputation", estimate.row(&term, 0.95).unwrap().estimate, value, &term);
    }
}
