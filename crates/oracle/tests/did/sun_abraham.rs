//! Sun and Abraham's event study against R fixest, Stata's eventstudyinteract and diff-diff.

use parallax_model::{Estimate, Panel, SingletonPolicy};
use serde_json::{Value, json};

use crate::support::{answer, near_as, numbers, open_panel, private_json, private_panel, request};

fn fit(panel: &Panel, formula: &str, vcov: &str, options: &Value) -> Estimate {
    request("sun-abraham", formula, vcov).options(options).fit(panel)
}

/// fixest's names: `year::-3`, `cohort::2013`, `ATT`; others are regressors.
fn term(theirs: &str) -> String {
    match theirs.split_once("::") {
        Some(("cohort", it)) => format!("att:group:{it}"),
        Some((_, it)) => format!("event:{it}"),
        None if theirs == "ATT" => "att".to_owned(),
        None => theirs.to_owned(),
    }
}

const KINDS: [(&str, &str); 4] = [
    ("iid", "iid"),
    ("HC1", "hc1"),
    ("cluster_unit", "cluster:unit"),
    ("cluster_province", "cluster:province"),
];

/// Coefficients, errors under every covariance, degrees of freedom and fit.
fn compare(panel: &Panel, id: &str, formula: &str) -> usize {
    let case = answer("fixest_saturated.json", id);
    let options = json!({ "cohort": "first_treat" });
    let mut compared = 0;
    for (name, vcov) in KINDS.iter().filter(|it| case["se"].get(it.0).is_some()) {
        let mut asked = request("sun-abraham", formula, vcov).options(&options);
        if case["call"].as_str().unwrap().contains("fixef.rm = \"none\"") {
            asked.0.singletons = SingletonPolicy::Keep;
        }
        let estimate = asked.fit(panel);
        let theirs = numbers(&case["coef"]);
        for (name, value) in &theirs {
            near_as("iterated", estimate.row(&term(name), 0.95).unwrap().estimate, *value, name);
        }
        for (name, value) in numbers(&case["se"][name]) {
            near_as("iterated", estimate.row(&term(&name), 0.95).unwrap().std_error, value, &name);
        }
        for (name, value) in numbers(&case["pvalue"][name]) {
            let row = estimate.row(&term(&name), 0.95).unwrap();
            let unit = value * (1.0 + row.statistic.powi(2));
            assert!(
                (row.p_value - value).abs() <= 2e-8 * unit.max(1e-12),
                "p of {name}: {} {value}",
                row.p_value
            );
        }
        let events = estimate.terms.iter().filter(|it| it.to_string().starts_with("event:")).count();
        assert_eq!(events, theirs.keys().filter(|it| it.contains("::")).count());
        assert_eq!(estimate.vcov.arithmetic.t_df, case["df_t"][name].as_f64().unwrap());
        assert_eq!(estimate.sample.rows_used as f64, case["nobs"].as_f64().unwrap());
        // Its adjusted within R-squared counts the averages as coefficients (18 for 46), so it is not compared.
        for (ours, theirs) in [("r2", "r2"), ("r2_adjusted", "ar2"), ("r2_within", "wr2"), ("rmse", "rmse")] {
            let theirs = case["stats"][theirs].as_f64().unwrap();
            near_as("iterated", estimate.stats.get(ours).unwrap(), theirs, ours);
        }
        if *name == "iid" {
            near_as(
                "iterated",
                estimate.stats.get("wald_f").unwrap(),
                case["stats"]["wf"]["stat"].as_f64().unwrap(),
                "F",
            );
        }
        compared += 3 * theirs.len() + averages(&estimate, &case["extra"][name]);
    }
    compared
}

/// Other averages that a case holds: by cohort and over all treated rows.
fn averages(estimate: &Estimate, extra: &Value) -> usize {
    let Some(families) = extra.as_object() else { return 0 };
    let mut compared = 0;
    for members in families.values() {
        for (name, numbers) in members.as_object().unwrap() {
            let row = estimate.row(&term(name), 0.95).unwrap();
            near_as("iterated", row.estimate, numbers["est"].as_f64().unwrap(), name);
            near_as("iterated", row.std_error, numbers["se"].as_f64().unwrap(), name);
            compared += 2;
        }
    }
    compared
}

#[test]
fn averages_are_fixests() {
    let panel = open_panel("panel_bal");
    assert_eq!(compare(&panel, "sunab", "y ~ x1 + x2 | unit + year"), 378);
    assert_eq!(compare(&panel, "sunab_nocov", "y ~ 1 | unit + year"), 318);
}

#[test]
fn averages_on_a_panel_with_gaps_are_fixests() {
    let panel = open_panel("panel_unbal");
    assert_eq!(compare(&panel, "sunab_unbal", "y ~ x1 | unit + year"), 126);
    let case = answer("fixest_saturated.json", "sunab_unbal");
    let mut asked = request("sun-abraham", "y ~ x1 | unit + year", "cluster:unit")
        .options(&json!({ "cohort": "first_treat" }));
    asked.0.singletons = SingletonPolicy::Keep;
    let row = asked.fit(&panel).row("att", 0.95).unwrap();
    let att = &case["extra"]["ATT_cluster_unit"];
    near_as("iterated", row.estimate, att["Estimate"].as_f64().unwrap(), "ATT");
    near_as("iterated", row.std_error, att["Std. Error"].as_f64().unwrap(), "its error");
}

/// diff-diff's numbers are fixest's with other p-values; its overall effect is the mean over treated rows.
#[test]
fn averages_are_diff_diffs() {
    let case = answer("did_python.json", "panel_bal__dd_sunab");
    let options = json!({ "cohort": "first_treat" });
    let estimate = fit(&open_panel("panel_bal"), "y ~ 1 | unit + year", "cluster:unit", &options);
    let att = estimate.row("att", 0.95).unwrap();
    near_as("iterated", att.estimate, case["att"].as_f64().unwrap(), "att");
    near_as("iterated", att.std_error, case["se"].as_f64().unwrap(), "error of att");
    for (time, numbers) in case["event"].as_object().unwrap() {
        let row = estimate.row(&format!("event:{time}"), 0.95).unwrap();
        near_as("iterated", row.estimate, numbers["effect"].as_f64().unwrap(), time);
        near_as("iterated", row.std_error, numbers["se"].as_f64().unwrap(), time);
    }
}

/// With estimated shares errors are those of Stata's eventstudyinteract (reghdfe's factors).
#[test]
fn estimated_shares_are_eventstudyinteracts() {
    let Some(panel) = private_panel("oracle/stata18/05_sunab.csv", "countyreal", "year") else { return };
    let Some(answers) = private_json("oracle/stata18/05_sunab.json") else { return };
    let options = json!({ "cohort": "first_treat", "share-variance": "estimated" });
    let mut asked =
        request("sun-abraham", "lemp ~ 1 | countyreal + year", "cluster:countyreal").options(&options);
    asked.0.small_sample = parallax_model::SmallSample::REGHDFE;
    let estimate = asked.fit(&panel);
    for row in answers["rows"].as_array().unwrap() {
        let statistic = row["statistic"].as_str().unwrap();
        let value = row["estimate"].as_f64().unwrap();
        match statistic.strip_prefix("att_rel_") {
            Some(time) => {
                let ours = estimate.row(&format!("event:{time}"), 0.95).unwrap();
                near_as("iterated", ours.estimate, value, statistic);
                near_as("iterated", ours.std_error, row["se"].as_f64().unwrap(), statistic);
            }
            // The fixture averages four event times by the counties that reach them.
            None => near_as("iterated", estimate.row("att", 0.95).unwrap().estimate, value, statistic),
        }
    }
}

/// Printed on fixest's page of issue 287, six digits; its date of the never treated is 10000.
#[test]
fn a_published_event_study_is_met() {
    let Some(panel) = private_panel("data/reference/base_stagg.csv", "id", "year") else { return };
    let options = json!({ "cohort": "year_treated" });
    let plain = fit(&panel, "y ~ 1 | id + year", "cluster:id", &options);
    let with_x1 = fit(&panel, "y ~ x1 | id + year", "cluster:id", &options);
    for (estimate, term, value, error) in [
        (&plain, "event:-9", 2.343_297, 1.122_482),
        (&plain, "event:-2", 0.241_325, 0.457_825),
        (&with_x1, "att", -1.133_749, 0.205_070),
    ] {
        let row = estimate.row(term, 0.95).unwrap();
        assert!((row.estimate - value).abs() <= 5.1e-7, "{term}: {}", row.estimate);
        assert!((row.std_error - error).abs() <= 5.1e-7, "{term}: {}", row.std_error);
    }
}

/// pyfixest's `event_study`: cells of cohort and event time, and its two overall effects, clustered by unit.
#[test]
fn event_studies_are_pyfixests() {
    let Some(answers) = private_json("oracle/open/expected/pyfixest.json") else { return };
    let panel = open_panel("panel_bal");
    let cohort = json!({ "cohort": "first_treat" });
    let mut compared = 0;
    for case in answers["cases"].as_array().unwrap() {
        let Some(id) = case["id"].as_str().unwrap().strip_prefix("panel_bal__pf_event_study_") else {
            continue;
        };
        let (estimator, formula, options) = match id.split('_').next().unwrap() {
            "twfe" => ("fixed-effects", "y ~ treat | unit + year", json!({})),
            "did2s" => ("two-stage", "y ~ 1 | unit + year", cohort.clone()),
            _ => ("sun-abraham", "y ~ 1 | unit + year", cohort.clone()),
        };
        let estimate = request(estimator, formula, "cluster:unit").options(&options).fit(&panel);
        for (name, value) in numbers(&case["coef"]) {
            let term = match (estimator, name.strip_prefix("rel_time::")) {
                ("fixed-effects", _) => "treat".to_owned(),
                (_, Some(cell)) => {
                    let (time, date) = cell.split_once(":first_treated_period::").unwrap();
                    let (time, date): (f64, f64) = (time.parse().unwrap(), date.parse().unwrap());
                    format!("att({date},{})", date + time)
                }
                _ => "att".to_owned(),
            };
            let row = estimate.row(&term, 0.95).unwrap_or_else(|| panic!("{id}: no {term}"));
            // did2s takes pyfixest's default tolerance for its first stage; tests/did/imputation.rs has a tight one.
            let tolerance = if estimator == "two-stage" { "fixest, default fixef.tol" } else { "iterated" };
            near_as(tolerance, row.estimate, value, &term);
            near_as(tolerance, row.std_error, case["se"][&name].as_f64().unwrap(), &term);
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * (1 + 1 + 44));
}
