//! Event studies and placebo assignments against R fixest.

use parallax_ingest::{FileRequest, JoinOn, ReadOptions, ReadRequest, Select, read};
use parallax_model::{Estimate, EventStudy, Panel, vcov::Repair};
use parallax_oracle::open_answers;
use serde_json::{Value, json};

use crate::support::{answer, near_as, numbers, request};

fn panel() -> Panel {
    let path = |name: &str| open_answers("..").join("data").join(format!("{name}.parquet"));
    let mut assignments = FileRequest::new(path("placebo_assign"));
    assignments.on = JoinOn::Unit;
    // The panel has its own `first_treat`.
    assignments.rename = vec![("first_treat".into(), "date_again".into())];
    let request = ReadRequest {
        files: vec![FileRequest::new(path("panel_bal")), assignments],
        unit: Some("unit".into()),
        time: Some("year".into()),
        time_format: None,
        select: Select::All,
        reading: ReadOptions::default(),
    };
    read(&request).unwrap().panel
}

fn fit(panel: &Panel, estimator: &str, formula: &str, vcov: &str, options: &Value) -> Estimate {
    request(estimator, formula, vcov).options(options).fit(panel)
}

fn near(ours: f64, theirs: f64, what: &str) {
    near_as("iterated", ours, theirs, what);
}

/// `rel::-3` or a long call that ends in `::-3` is the event time; other names are regressors.
fn term(theirs: &str) -> String {
    theirs.rsplit_once("::").map_or_else(|| theirs.to_owned(), |(_, time)| format!("event:{time}"))
}

fn compare(estimate: &Estimate, coef: &Value, errors: &Value) -> usize {
    let theirs = numbers(coef);
    assert_eq!(theirs.len(), estimate.terms.len());
    for (name, value) in &theirs {
        near(estimate.row(&term(name), 0.95).unwrap().estimate, *value, name);
    }
    for (name, value) in numbers(errors) {
        near(estimate.row(&term(&name), 0.95).unwrap().std_error, value, &name);
    }
    2 * theirs.len()
}

#[test]
fn event_times_are_fixests_dummies() {
    let (panel, case) = (panel(), answer("fixest.json", "event_study_ref_m1"));
    let mut compared = 0;
    for (name, vcov) in [
        ("iid", "iid"),
        ("HC1", "hc1"),
        ("cluster_unit", "cluster:unit"),
        ("cluster_province", "cluster:province"),
        ("twoway_unit_year", "cluster:unit+year"),
    ] {
        let options = json!({ "cohort": "first_treat" });
        // Fifteen terms and twelve years: fixest repairs the two-way matrix.
        let mut asked = request("event-study", "y ~ x1 + x2 | unit + year", vcov).options(&options);
        asked.0.repair = Some(Repair::Fixest);
        let estimate = asked.fit(&panel);
        compared += compare(&estimate, &case["coef"], &case["se"][name]);
    }
    assert_eq!(compared, 180);
}

#[test]
fn the_joint_test_of_leads_is_fixests() {
    let (panel, case) = (panel(), answer("fixest.json", "event_study_ref_m1"));
    let test = &case["extra"]["wald_pre_cluster_unit"];
    let options = json!({ "treatment": "treat" });
    let estimate = fit(&panel, "event-study", "y ~ x1 + x2 | unit + year", "cluster:unit", &options);
    let stat = |name| estimate.stats.get(name).unwrap();
    near(stat("leads_f"), test["stat"].as_f64().unwrap(), "F of the leads");
    near(stat("leads_f_p"), test["p"].as_f64().unwrap(), "p of the leads");
    assert_eq!(stat("leads_df"), test["df1"].as_f64().unwrap());
    let study = EventStudy::of(&estimate).unwrap();
    assert_eq!(study.times, (-8..=8).filter(|it| *it != -1).collect::<Vec<i32>>());
}

#[test]
fn binned_ends_are_fixests() {
    let (panel, case) = (panel(), answer("fixest.json", "event_study_binned"));
    let options = json!({ "cohort": "first_treat", "leads": 4, "lags": 5 });
    for (name, vcov) in [("iid", "iid"), ("cluster_unit", "cluster:unit")] {
        let estimate = fit(&panel, "event-study", "y ~ x1 | unit + year", vcov, &options);
        assert_eq!(compare(&estimate, &case["coef"], &case["se"][name]), 20);
        let window = estimate.event.clone().unwrap();
        assert_eq!((window.binned_below, window.binned_above), (Some(-4), Some(5)));
    }
}

#[test]
fn given_placebo_assignments_are_refitted_exactly() {
    let (panel, case) = (panel(), answer("placebo.json", "placebo_given_permutations"));
    let columns: Vec<String> = (1..=40).map(|it| format!("p{it}")).collect();
    let options = json!({ "scheme": "given", "assignments": columns });
    let formula = "y ~ treat + x1 + x2 + x3 + x4 + x5 + x6 + x7 | unit + year";
    let estimate = fit(&panel, "placebo", formula, "cluster:unit", &options);
    let draws = estimate.detail("draws").unwrap();
    let (coef, errors) = (numbers(&case["coef"]), numbers(&case["se_cluster_unit"]));
    for (at, column) in columns.iter().enumerate() {
        near(draws.numbers("estimate").unwrap()[at], coef[column], column);
        near(draws.numbers("std_error").unwrap()[at], errors[column], column);
    }
    // The actual effect is beyond all forty: one of forty-one.
    near(estimate.stats.get("p_permutation").unwrap(), 1.0 / 41.0, "add-one p-value");
}
