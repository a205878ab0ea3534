//! Poisson regressions against R fixest, pyfixest, statsmodels and Stata's poisson and ppmlhdfe.

use parallax_model::{Estimate, Panel, SmallSample, panel::Column, vcov::Repair};
use parallax_oracle::open_answers;
use serde_json::{Value, json};

use crate::support::{answer, near_as, numbers, open_panel, private_json, private_rows, request};

const KINDS: [(&str, &str); 10] = [
    ("iid", "iid"),
    ("HC1", "hc1"),
    ("cluster_unit", "cluster:unit"),
    ("cluster_province", "cluster:province"),
    ("cluster_worker", "cluster:worker"),
    ("cluster_firm", "cluster:firm"),
    ("twoway_unit_year", "cluster:unit+year"),
    ("twoway_province_year", "cluster:province+year"),
    ("twoway_unit_province", "cluster:unit+province"),
    ("twoway_worker_firm", "cluster:worker+firm"),
];

/// Coefficients, errors and p-values under every covariance of a case, rows and likelihood.
fn compare(panel: &Panel, id: &str, formula: &str, options: &Value, weights: Option<&str>) -> usize {
    let case = answer("fixest_saturated.json", id);
    let mut compared = 0;
    for (name, errors) in case["se"].as_object().unwrap() {
        let vcov = KINDS.iter().find(|it| it.0 == name).unwrap().1;
        let mut asked = request("poisson", formula, vcov).options(options);
        asked.0.weights = weights.map(Into::into);
        asked.0.repair = Some(Repair::Fixest);
        let estimate = asked.fit(panel);
        compared += coefficients(&estimate, &case["coef"], errors, "fixest's feglm");
        for (term, p) in numbers(&case["pvalue"][name]) {
            let row = estimate.row(&term, 0.95).unwrap();
            let unit = p * (1.0 + row.statistic.powi(2));
            assert!((row.p_value - p).abs() <= 2e-6 * unit + 1e-300, "{id} p of {term}: {} {p}", row.p_value);
        }
        assert_eq!(estimate.sample.rows_used as f64, case["nobs"].as_f64().unwrap(), "{id}");
        let stat = |ours: &str, theirs: &str| {
            near_as(
                "iterated",
                estimate.stats.get(ours).unwrap(),
                case["stats"][theirs].as_f64().unwrap(),
                ours,
            );
        };
        stat("log_likelihood", "ll");
        stat("df_residual", "g");
    }
    compared
}

fn coefficients(estimate: &Estimate, coef: &Value, errors: &Value, tolerance: &str) -> usize {
    let theirs = numbers(coef);
    assert_eq!(estimate.terms.len(), theirs.len());
    let term = |it: &str| if it == "Intercept" { "(Intercept)".to_owned() } else { it.to_owned() };
    for (name, value) in &theirs {
        near_as("iterated", estimate.row(&term(name), 0.95).unwrap().estimate, *value, name);
    }
    for (name, value) in numbers(errors) {
        near_as(tolerance, estimate.row(&term(&name), 0.95).unwrap().std_error, value, &name);
    }
    2 * theirs.len()
}

#[test]
fn poisson_is_fixests() {
    let (balanced, unbalanced, none) = (open_panel("panel_bal"), open_panel("panel_unbal"), json!({}));
    let formula = "cnt ~ treat + x1 + x2 | unit + year";
    assert_eq!(compare(&balanced, "fepois_twfe", formula, &none, None), 42);
    assert_eq!(compare(&balanced, "fepois_oneway", "cnt ~ treat + x1 + x2 | unit", &none, None), 24);
    assert_eq!(compare(&balanced, "fepois_nofe", "cnt ~ treat + x1 + x2", &none, None), 32);
    assert_eq!(compare(&unbalanced, "fepois_unbal_separation", formula, &none, None), 24);
    let logs: Vec<f64> = balanced.real("x3").unwrap().iter().map(|it| it.ln()).collect();
    let with_logs = balanced.with("log_x3".into(), Column::real(logs)).unwrap();
    let offset = json!({ "offset": "log_x3" });
    let formula = "cnt ~ treat + x1 | unit + year";
    assert_eq!(compare(&with_logs, "fepois_offset_weights", formula, &offset, Some("w")), 16);
}

#[test]
fn poisson_with_three_effects_is_fixests() {
    let path = open_answers("..").join("data/akm.parquet");
    let panel = parallax_ingest::read(&parallax_ingest::ReadRequest::file(&path)).unwrap().panel;
    let formula = "cnt ~ x1 + x2 | worker + firm + year";
    assert_eq!(compare(&panel, "akm_fepois_3fe", formula, &json!({}), None), 20);
}

#[test]
fn poisson_is_pyfixests_and_statsmodels() {
    let panel = open_panel("panel_bal");
    let case = answer("poisson_python.json", "panel_bal__pf_fepois");
    for (name, vcov) in [("iid", "iid"), ("CRV1_unit", "cluster:unit")] {
        let estimate = request("poisson", "cnt ~ treat + x1 + x2 | unit + year", vcov).fit(&panel);
        coefficients(&estimate, &case["coef"], &case["se"][name], "fixest's feglm");
    }
    let case = answer("poisson_python.json", "panel_bal__sm_poisson");
    let mut asked = request("poisson", "cnt ~ treat + x1 + x2", "iid");
    asked.0.small_sample = SmallSample::NONE;
    let estimate = asked.fit(&panel);
    coefficients(&estimate, &case["coef"], &case["se"]["nonrobust"], "iterated");
    near_as(
        "iterated",
        estimate.stats.get("log_likelihood").unwrap(),
        case["llf"].as_f64().unwrap(),
        "likelihood",
    );
}

/// Stata's poisson divides by nothing; ppmlhdfe multiplies a robust sandwich by N/(N - 1), as Stata's `ml` does, and
/// counts neither slopes nor effects.
#[test]
fn poisson_is_statas() {
    for (file, formula, vcov, factor) in [
        ("58_poisson", "y ~ x1 + x2", "iid", 1.0),
        ("37_ppmlhdfe", "y ~ x1 + x2 | origin", "hc0", 500.0 / 499.0),
    ] {
        let Some(panel) = private_rows(&format!("oracle/stata18/{file}.csv")) else { return };
        let Some(answers) = private_json(&format!("oracle/stata18/{file}.json")) else { return };
        let mut asked = request("poisson", formula, vcov);
        asked.0.small_sample = SmallSample::NONE;
        let estimate = asked.fit(&panel);
        for row in answers["rows"].as_array().unwrap() {
            let name = row["statistic"].as_str().unwrap().strip_prefix("beta_").unwrap();
            let ours = estimate.row(if name == "intercept" { "(Intercept)" } else { name }, 0.95).unwrap();
            let tolerance = "Stata's logit and probit";
            near_as(tolerance, ours.estimate, row["estimate"].as_f64().unwrap(), name);
            near_as(tolerance, ours.std_error * f64::sqrt(factor), row["se"].as_f64().unwrap(), name);
        }
    }
}
