//! Stacked regressions and local projections against Stata 18, diff-diff and pyfixest.

use parallax_model::{Estimate, Panel, SingletonPolicy, SmallSample};
use serde_json::{Map, Value, json};

use crate::support::{answer, near_as, numbers, open_panel, private_json, private_panel, request};

fn near(ours: f64, theirs: f64, what: &str) {
    near_as("iterated", ours, theirs, what);
}

/// Effects of periods alone are group means on both sides.
fn exact(ours: f64, theirs: f64, what: &str) {
    near_as("closed form", ours, theirs, what);
}

/// Cases of a file, those whose id begins so.
fn cases(file: &str, start: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(parallax_oracle::open_answers(file)).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let cases =
        all["cases"].as_array().unwrap().iter().filter(|it| it["id"].as_str().unwrap().starts_with(start));
    cases.cloned().collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn same(estimate: &Estimate, case: &Value) -> usize {
    let id = case["id"].as_str().unwrap();
    let (coef, errors) = (numbers(&case["coef"]), numbers(&case["se"]));
    assert_eq!(coef.len(), estimate.terms.len(), "{id}");
    for (term, value) in &coef {
        let row = estimate.row(term, 0.95).unwrap_or_else(|| panic!("{id}: no {term}"));
        near(row.estimate, *value, &format!("{id}: {term}"));
        near(row.std_error, errors[term], &format!("{id}: error of {term}"));
    }
    2 * coef.len()
}

/// Both specifications of the stored do-file: reghdfe on a stack by hand, cohort by cohort, clusters the units. Beside
/// the nested stack x unit effects it counts one redundant level of stack x period, though the stacks are three components
/// that share nothing; fixest's rules give the same.
#[test]
fn plain_stacks_are_statas() {
    let Some(panel) = private_panel("oracle/stata18/75_stacked.csv", "id", "year") else { return };
    let Some(answers) = private_json("oracle/stata18/75_stacked.json") else { return };
    let mut compared = 0;
    for (name, control) in [("never", "never-treated"), ("nyt", "not-yet-treated")] {
        let options = json!({
            "cohort": "first_treat", "control": control, "leads": 3, "lags": 3, "weighting": "none",
        });
        let mut asked = request("stacked", "y ~ 1", "cluster:id").options(&options);
        let fixest = asked.fit(&panel);
        asked.0.small_sample = SmallSample::REGHDFE;
        let estimate = asked.fit(&panel);
        assert_eq!(estimate.vcov.arithmetic.k, fixest.vcov.arithmetic.k);
        for row in answers["rows"].as_array().unwrap() {
            let Some(statistic) = row["statistic"].as_str().unwrap().strip_prefix(&format!("{name}_")) else {
                continue;
            };
            let term = match statistic.strip_prefix("att_rel_") {
                Some(time) => format!("event:{time}"),
                None => "att".to_owned(),
            };
            let ours = estimate.row(&term, 0.95).unwrap();
            near(ours.estimate, number(&row["estimate"]), statistic);
            assert_eq!(estimate.stats.get("stacked_rows"), row["n"].as_f64());
            compared += 2;
            if let Some(error) = row["se"].as_f64() {
                near(ours.std_error, error, statistic);
                // The file's intervals were made of the printed numbers, with normal quantiles.
                let half = parallax_model::Distribution::Normal.critical(0.95) * ours.std_error;
                near(ours.estimate - half, number(&row["ci_lo"]), statistic);
                near(ours.estimate + half, number(&row["ci_hi"]), statistic);
                compared += 3;
            }
        }
    }
    assert_eq!(compared, 2 * (2 * 7 + 3 * 6));
}

#[test]
fn stacks_are_pyfixests() {
    let mut compared = 0;
    for case in cases("stacked.json", "pf_") {
        let panel = open_panel(case["data"].as_str().unwrap());
        let covariates: Vec<&str> =
            case["covariates"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let right = if covariates.is_empty() { "1".to_owned() } else { covariates.join(" + ") };
        let control = if case["never"] == true { "never-treated" } else { "not-yet-treated" };
        let options = json!({
            "cohort": "first_treat",
            "control": control,
            "leads": case["leads"],
            "lags": case["lags"],
            "anticipation": case["anticipation"],
            "weighting": case["weighting"].as_str().unwrap().replace('_', "-"),
            "population": case["population"],
            "effects": if case["weighting"] == "none" { "unit-period" } else { "treated-event" },
        });
        let vcov = format!("cluster:{}", case["cluster"].as_str().unwrap());
        let mut request = request("stacked", &format!("y ~ {right}"), &vcov).options(&options);
        request.0.weights = case["weights"].as_str().map(Into::into);
        let estimate = request.fit(&panel);
        assert_eq!(estimate.stats.get("stacked_rows"), case["n"].as_f64(), "{}", case["id"]);
        compared += same(&estimate, &case);
    }
    assert!(200 < compared, "{compared}");
}

/// Wing, Freedman and Hollingsworth's aggregate weights.
#[test]
fn corrected_stacks_are_diff_diffs() {
    for case in cases("stacked.json", "dd_") {
        let panel = open_panel(case["data"].as_str().unwrap());
        let given = case["options"].as_object().unwrap();
        let side = |name: &str| given.get(name).cloned().unwrap_or(json!(1));
        let control = if given.contains_key("control_group") { "never-treated" } else { "not-yet-treated" };
        let mut options = json!({
            "cohort": "first_treat", "leads": side("kappa_pre"), "lags": side("kappa_post"), "control": control,
            "effects": "treated-event",
        });
        let ask = |options: &Value| request("stacked", "y ~ 1", "cluster:unit").options(options).fit(&panel);
        let estimate = ask(&options);
        assert_eq!(estimate.stats.get("stacked_rows"), case["n_stacked"].as_f64());
        same(&estimate, &case);
        // On a balanced panel nobody has to ask for it.
        if case["data"] == "panel_bal" {
            options["effects"] = json!("auto");
            same(&ask(&options), &case);
        }
    }
    let case = answer("did_python.json", "panel_bal__dd_stacked");
    let options = json!({ "cohort": "first_treat", "leads": 1, "lags": 1 });
    let estimate =
        request("stacked", "y ~ 1", "cluster:unit").options(&options).fit(&open_panel("panel_bal"));
    let row = estimate.row("att", 0.95).unwrap();
    near(row.estimate, number(&case["att"]), "att");
    near(row.std_error, number(&case["se"]), "error of att");
}

#[test]
fn diff_diff_on_counties() {
    let Some(panel) = private_panel("oracle/open/data/real_mpdta.csv", "countyreal", "year") else { return };
    let Some(answers) = private_json("oracle/open/expected/did_python.json") else { return };
    let cases = answers["cases"].as_array().unwrap();
    let case = cases.iter().find(|it| it["id"] == "real_mpdta__dd_stacked").unwrap();
    let options = json!({ "cohort": "first_treat", "leads": 1, "lags": 1 });
    let estimate = request("stacked", "lemp ~ 1", "cluster:countyreal").options(&options).fit(&panel);
    let row = estimate.row("att", 0.95).unwrap();
    near(row.estimate, number(&case["att"]), "att");
    near(row.std_error, number(&case["se"]), "error of att");
}

/// `time_to_treatment::3` is event time 3.
#[test]
fn local_projections_are_pyfixests() {
    let panel = open_panel("panel_bal");
    let fits = |id: &str| -> (Value, &str, &str) {
        match id {
            "pf_lpdid_all" => (json!({ "leads": 8, "lags": 8 }), "y ~ 1", "cluster:unit"),
            "pf_lpdid_all_province" => (json!({ "leads": 8, "lags": 8 }), "y ~ 1", "cluster:province"),
            "pf_lpdid_window_cov" => (json!({ "leads": 4, "lags": 3 }), "y ~ x1 + x2", "cluster:unit"),
            "pf_lpdid_pooled" => (json!({ "leads": 1, "lags": 3 }), "y ~ 1", "cluster:unit"),
            "pf_lpdid_pooled_province_cov" => {
                (json!({ "leads": 1, "lags": 3 }), "y ~ x1", "cluster:province")
            }
            other => panic!("{other} is not compared"),
        }
    };
    for case in cases("lp_did.json", "pf_lpdid") {
        let (mut options, formula, vcov) = fits(case["id"].as_str().unwrap());
        options["cohort"] = json!("first_treat");
        if case["id"].as_str().unwrap().starts_with("pf_lpdid_all") {
            options["pool-lags"] = json!(3);
        }
        let estimate = request("lp-did", formula, vcov).options(&options).fit(&panel);
        for row in case["rows"].as_array().unwrap() {
            let theirs = row["term"].as_str().unwrap();
            let term = theirs.rsplit_once("::").map_or("att".to_owned(), |it| format!("event:{}", it.1));
            compare_row(&estimate, &term, row, "estimate", "se", "n");
        }
    }
}

/// The same call as `pf_lpdid_all`, stored before.
#[test]
fn local_projections_are_the_stored_ones() {
    let Some(answers) = private_json("oracle/open/expected/pyfixest.json") else { return };
    let cases = answers["cases"].as_array().unwrap();
    let case = cases.iter().find(|it| it["id"] == "panel_bal__pf_lpdid").unwrap();
    let panel = open_panel("panel_bal");
    let options = json!({ "cohort": "first_treat", "leads": 8, "lags": 8, "pool-lags": 3 });
    let estimate = request("lp-did", "y ~ 1", "cluster:unit").options(&options).fit(&panel);
    for row in case["table"].as_array().unwrap() {
        let term = row["Coefficient"].as_str().unwrap().replace("time_to_treatment::", "event:");
        compare_row(&estimate, &term, row, "Estimate", "Std. Error", "N");
    }
    assert_eq!(case["table"].as_array().unwrap().len(), 16);
}

fn compare_row(estimate: &Estimate, term: &str, row: &Value, coef: &str, error: &str, rows: &str) {
    let ours = estimate.row(term, 0.95).unwrap_or_else(|| panic!("no {term}"));
    exact(ours.estimate, number(&row[coef]), term);
    exact(ours.std_error, number(&row[error]), &format!("error of {term}"));
    let detail = estimate.detail("horizons").unwrap();
    let at = detail.words("term").unwrap().iter().position(|it| it == term).unwrap();
    assert_eq!(detail.numbers("rows").unwrap()[at], number(&row[rows]), "rows of {term}");
}

/// diff-diff dates adoption by the first treated row that is there, so units without a complete row at adoption are
/// taken out for both, with rows that lack the outcome or a covariate.
fn complete(name: &str) -> Panel {
    let panel = open_panel(name);
    let columns: Vec<_> = ["y", "x1", "x2"].iter().map(|it| panel.real(it).unwrap()).collect();
    let first = panel.real("first_treat").unwrap();
    let (units, periods) = (&panel.units().code, panel.periods());
    let whole = |row: usize| columns.iter().all(|it| !it[row].is_nan());
    let dated: Vec<u32> = (0..panel.n_rows())
        .filter(|&it| whole(it) && f64::from(periods[it]) == first[it])
        .map(|it| units[it])
        .collect();
    let keep = (0..panel.n_rows()).map(|it| whole(it) && (first[it] == 0.0 || dated.contains(&units[it])));
    let keep: Vec<bool> = keep.collect();
    panel.keep(&keep).unwrap()
}

#[test]
fn local_projections_are_diff_diffs() {
    let mut compared = 0;
    for case in cases("lp_did.json", "dd_") {
        let panel = complete(case["data"].as_str().unwrap());
        let given = |name: &str| case["options"].get(name).cloned();
        let mut options: Map<String, Value> = Map::new();
        options.insert("cohort".into(), json!("first_treat"));
        let mut set = |name: &str, value: Option<Value>| value.map(|it| options.insert(name.into(), it));
        set("leads", given("pre_window"));
        set("lags", given("post_window"));
        set("reweight", given("reweight"));
        set("no-composition", given("no_composition"));
        set("outcome-lags", given("ylags"));
        set("difference-lags", given("dylags"));
        set("control", given("control_group").map(|_| json!("never-treated")));
        // Over all periods, theirs is the mean of the rows that are there.
        let base = |it: Value| json!(if it == "max" { "pre-mean-available" } else { "pre-mean" });
        set("base", given("pmd").map(base));
        set("base-periods", given("pmd").filter(Value::is_u64));
        let formula = if given("covariates").is_some() { "y ~ x1 + x2" } else { "y ~ 1" };
        let vcov = if given("cluster").is_some() { "cluster:province" } else { "cluster:unit" };
        let mut request = request("lp-did", formula, vcov).options(&Value::Object(options));
        request.0.singletons = SingletonPolicy::Keep;
        let estimate = request.fit(&panel);
        let events = case["event"].as_array().unwrap().iter().filter(|it| !it["se"].is_null());
        for row in events {
            let term = format!("event:{}", number(&row["horizon"]));
            compare_row(&estimate, &term, row, "coefficient", "se", "n_obs");
            compared += 3;
        }
        for (row, term) in case["pooled"].as_array().unwrap().iter().zip(["att:pre", "att"]) {
            compare_row(&estimate, term, row, "coefficient", "se", "n_obs");
            compared += 3;
        }
    }
    assert_eq!(compared, 3 * 13 * (9 + 7));
}

/// The regressions of single horizons by `feols`, with weights.
#[test]
fn weighted_projections_are_pyfixests() {
    let mut compared = 0;
    for case in cases("lp_did.json", "pf_long") {
        let panel = open_panel(case["data"].as_str().unwrap());
        let covariates: Vec<&str> =
            case["covariates"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        let right = if covariates.is_empty() { "1".to_owned() } else { covariates.join(" + ") };
        let mut options = case["options"].clone();
        options["cohort"] = json!("first_treat");
        options["control"] = json!(if case["never"] == true { "never-treated" } else { "not-yet-treated" });
        let vcov = format!("cluster:{}", case["cluster"].as_str().unwrap());
        let mut request = request("lp-did", &format!("y ~ {right}"), &vcov).options(&options);
        request.0.weights = case["weights"].as_str().map(Into::into);
        let estimate = request.fit(&panel);
        for row in case["rows"].as_array().unwrap() {
            compare_row(&estimate, row["term"].as_str().unwrap(), row, "estimate", "se", "n");
            compared += 3;
        }
    }
    assert_eq!(compared, 3 * 3 * (9 + 7));
}

/// Covariances between event times: pyfixest's regression of all horizons at once, without factors.
#[test]
fn covariances_of_projections_are_pyfixests() {
    for case in cases("lp_did.json", "pf_joint") {
        let panel = open_panel(case["data"].as_str().unwrap());
        let vcov = format!("cluster:{}", case["cluster"].as_str().unwrap());
        let options = json!({ "cohort": "first_treat", "leads": 3, "lags": 2 });
        let mut request = request("lp-did", "y ~ 1", &vcov).options(&options);
        request.0.small_sample = SmallSample::NONE;
        request.0.singletons = SingletonPolicy::Keep;
        let estimate = request.fit(&panel);
        let at: Vec<usize> = (case["terms"].as_array().unwrap().iter())
            .map(|it| {
                let found = estimate.terms.iter().position(|term| term.to_string() == it.as_str().unwrap());
                found.unwrap()
            })
            .collect();
        for (i, line) in case["vcov"].as_array().unwrap().iter().enumerate() {
            for (j, theirs) in line.as_array().unwrap().iter().enumerate() {
                let ours = estimate.vcov.matrix[(at[i], at[j])];
                exact(ours, number(theirs), &format!("{}, {i} and {j}", case["id"]));
            }
        }
    }
}
