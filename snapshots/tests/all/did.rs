//! `parallax did`, `fit` with dates of adoption, and the same things in a study file.

use std::{fmt::Write, fs};

use parallax_simulate::{StaggeredOptions, staggered_panel};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{assert_fit_to_print, contents, files, folder, json, parallax, read, text};

/// A simulated staggered panel of 300 units and 10 periods as CSV, with 60 regions of whole units.
pub fn panel() -> TempDir {
    let dir = folder();
    let drawn = staggered_panel(&StaggeredOptions::default()).unwrap();
    let mut csv = "id,year,y,d,first,x1,x2,region\n".to_owned();
    for row in 0..drawn.unit.len() {
        let (unit, first) = (drawn.unit[row], drawn.first_treated[row].unwrap_or(0));
        let [y, x1, x2] = [&drawn.outcome, &drawn.covariates[0], &drawn.covariates[1]].map(|it| it[row]);
        let (year, d, region) = (drawn.period[row], drawn.treated[row], unit % 60);
        writeln!(csv, "{unit},{year},{y},{d},{first},{x1},{x2},{region}").unwrap();
    }
    fs::write(dir.path().join("panel.csv"), csv).unwrap();
    dir
}

/// The command on that panel.
pub fn words(dir: &TempDir) -> Vec<String> {
    let file = dir.path().join("panel.csv");
    let words = ["did", text(&file), "--outcome", "y", "--unit", "id", "--time", "year", "--treatment", "d"];
    words.into_iter().chain(["--covariates", "x1,x2"]).map(str::to_owned).collect()
}

fn did(dir: &TempDir, more: &[&str]) -> String {
    parallax(words(dir).iter().map(String::as_str).chain(more.iter().copied())).done()
}

/// Lines that no further plugin changes: two-way fixed effects alone, and who adopts.
#[test]
fn the_text_of_a_battery() {
    let printed = did(&panel(), &["--no-report"]);
    assert_fit_to_print("did", &printed);
    let of_reference = |it: &&str| {
        ["Effect of", "Estimator", "fixed-effects ", "- 3 cohorts"].iter().any(|start| it.starts_with(start))
    };
    let mut kept: Vec<String> = printed.lines().filter(of_reference).map(str::to_owned).collect();
    let twfe = printed.lines().find(|it| it.starts_with("- Two-way fixed effects give")).unwrap();
    kept.push(twfe.split([';', '.']).take(5).collect::<Vec<_>>().join("."));
    let kept: Vec<String> =
        kept.iter().map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!("text", kept.join("\n"));
}

#[test]
fn every_plugin_that_contributes_is_everywhere() {
    let (data, out) = (panel(), folder());
    let printed = did(&data, &["--quiet", "--out", text(out.path()), "--format", "json"]);
    let found = json(&printed);
    let contributing = contributing(&found);
    let members = found["members"].as_array().unwrap();
    let names: Vec<&str> = members.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, contributing);
    assert!(["event-study", "fixed-effects", "placebo"].iter().all(|it| names.contains(it)));
    let (page, tex) = (read(&out.path().join("did.html")), read(&out.path().join("did.tex")));
    for member in members {
        let name = member["name"].as_str().unwrap();
        assert!(page.contains(name) && tex.contains(name), "no {name} in the report");
        assert!(member["failed"].is_null(), "{name} failed on a plain panel: {}", member["failed"]);
        let effect = member["effect"].as_str();
        if let Some(effect) = effect {
            let terms = member["estimate"]["terms"].as_array().unwrap();
            let term = terms.iter().find(|it| it["term"] == effect);
            let estimate =
                term.unwrap_or_else(|| panic!("{name} has no {effect}"))["estimate"].as_f64().unwrap();
            assert!((0.5..4.0).contains(&estimate), "{name} finds {estimate}");
        }
    }
    let effects = members.iter().filter(|it| it["effect"].is_string()).count();
    assert_eq!(found["differences"].as_array().unwrap().len(), effects - 1);
    assert_eq!(json(&read(&out.path().join("did.json"))), found);
    assert!(files(out.path()).iter().any(|it| it.ends_with("effects-figure.png")));
}

/// What the registry says of itself for this treatment.
fn contributing(found: &Value) -> Vec<&'static str> {
    let name = |key: &str| found[key].as_str().unwrap().into();
    let request = parallax_model::BatteryRequest {
        outcome: name("outcome"),
        unit: name("unit"),
        time: name("time"),
        cohort: Some(name("cohort")),
        treatment: name("treatment"),
        covariates: vec!["x1".into(), "x2".into()],
    };
    let registry = parallax_plugins::registry().unwrap();
    let all: Vec<_> = registry.estimators().collect();
    let there = all.iter().filter(|it| it.battery(&request).is_some());
    there.map(|it| it.meta.plugin.name).collect()
}

#[test]
fn a_member_is_the_model_that_fit_fits() {
    let data = panel();
    let found = json(&did(&data, &["--no-report", "--format", "json", "--cluster", "region"]));
    let member = |name: &str| {
        let members = found["members"].as_array().unwrap();
        members.iter().find(|it| it["name"] == name).unwrap()["estimate"]["terms"].clone()
    };
    let fit = |words: &[&str]| fit(&data, words)["terms"].clone();
    let clustered = ["--vcov", "cluster:region"];
    let short = [&["fixed-effects", "--treatment", "d", "--covariates", "x1,x2"], &clustered[..]].concat();
    assert_eq!(member("fixed-effects"), fit(&short));
    let dated = [&["event-study", "--cohort", "first", "--covariates", "x1,x2"], &clustered[..]].concat();
    assert_eq!(member("event-study"), fit(&dated));
}

#[test]
fn treatment_and_cohort_go_where_the_help_says() {
    let data = panel();
    let by_date = fit(&data, &["event-study", "--cohort", "first"]);
    let by_row = fit(&data, &["event-study", "--treatment", "d"]);
    assert_eq!(by_date["terms"], by_row["terms"]);
    let file = data.path().join("panel.csv");
    let long = ["fit", "event-study", "--data", text(&file), "--unit", "id", "--time", "year"];
    let formula = ["--formula", "y ~ 1 | id + year", "--set", "cohort=first", "--format", "json"];
    assert_eq!(json(&parallax(long.iter().chain(&formula)).done())["terms"], by_date["terms"]);
    // Where the option is the name of a regressor, the column stays one.
    let drawn = fit(&data, &["placebo", "--treatment", "d", "--set", "draws=10"]);
    let twfe = fit(&data, &["fixed-effects", "--treatment", "d"]);
    assert_eq!(drawn["terms"], twfe["terms"]);
}

fn fit(data: &TempDir, words: &[&str]) -> Value {
    let file = data.path().join("panel.csv");
    let keys =
        ["--data", text(&file), "--unit", "id", "--time", "year", "--outcome", "y", "--format", "json"];
    json(&parallax(["fit"].iter().chain(words).chain(&keys)).done())
}

#[test]
fn dates_and_treatment_give_the_same_battery() {
    let data = panel();
    let file = data.path().join("panel.csv");
    let keys = ["did", text(&file), "--outcome", "y", "--unit", "id", "--time", "year", "--no-report"];
    let with = |more: [&str; 4]| json(&parallax(keys.iter().chain(&more)).done());
    let by_row = with(["--treatment", "d", "--format", "json"]);
    let by_date = with(["--cohort", "first", "--format", "json"]);
    assert_eq!(by_row["cohorts"], by_date["cohorts"]);
    let values = |it: &Value| -> Vec<Value> {
        let members = it["members"].as_array().unwrap().iter();
        members.map(|it| it["estimate"]["vcov"]["matrix"].clone()).collect()
    };
    assert_eq!(values(&by_row), values(&by_date));
}

#[test]
fn one_and_four_threads_find_the_same() {
    let data = panel();
    let [one, four] = [1, 4].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| did(&data, &["--no-report", "--format", "json"]))
    });
    assert_eq!(one, four);
}

#[test]
fn a_treatment_that_ends_is_for_estimators_that_take_it() {
    let dir = folder();
    let whole = read(&panel().path().join("panel.csv"));
    let ended =
        whole.replacen("id,year,y,d,", "id,year,y,was,", 1).lines().fold(String::new(), |mut text, line| {
            let d = line.split(',').nth(1).map_or("d", |it| if it == "10" { "0" } else { "" });
            let d = if d.is_empty() { line.split(',').nth(3).unwrap() } else { d };
            let d = if line.starts_with("id,") { "d" } else { d };
            writeln!(text, "{line},{d}").unwrap();
            text
        });
    fs::write(dir.path().join("panel.csv"), ended).unwrap();
    let found = json(&did(&dir, &["--no-report", "--format", "json"]));
    assert!(
        found["findings"][0].as_str().unwrap().contains("the treatment ends again"),
        "{}",
        found["findings"]
    );
    assert_eq!(found["cohort"], Value::Null);
    let names: Vec<&Value> = found["members"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert!(names.contains(&&json("\"fixed-effects\"")) && !names.contains(&&json("\"event-study\"")));
}

#[test]
fn odd_names_and_missing_values_are_no_trouble() {
    let dir = folder();
    let whole = read(&panel().path().join("panel.csv"));
    let mut csv = String::new();
    for (at, line) in whole.lines().enumerate() {
        let mut cells: Vec<&str> = line.split(',').collect();
        match at {
            0 => cells = "the id,the year,the outcome,was treated,first,x 1,x2,region".split(',').collect(),
            it if it % 7 == 0 => cells[2] = "",
            it if it % 11 == 0 => cells[5] = "",
            it if it % 13 == 0 => cells[3] = "",
            _ => {}
        }
        writeln!(csv, "{}", cells.join(",")).unwrap();
    }
    fs::write(dir.path().join("panel.csv"), csv).unwrap();
    let file = dir.path().join("panel.csv");
    let keys = ["did", text(&file), "--outcome", "the outcome", "--unit", "the id", "--time", "the year"];
    let more = ["--treatment", "was treated", "--covariates", "x 1", "--no-report", "--format", "json"];
    let found = json(&parallax(keys.iter().chain(&more)).done());
    let missing = (1..=3000).filter(|it| it % 7 != 0 && it % 11 != 0 && it % 13 == 0).count();
    assert_eq!(found["rows_without_treatment"], missing);
    for member in found["members"].as_array().unwrap() {
        // The decomposition is defined for balanced panels, and says what to do.
        let balanced = member["name"] == "bacon" && member["failed"].as_str().unwrap().contains("`complete`");
        assert!(balanced || member["failed"].is_null(), "{}: {}", member["name"], member["failed"]);
    }
}

#[test]
fn a_report_takes_the_place_of_the_one_before() {
    let (data, out) = (panel(), folder());
    let write = |more: &[&str]| {
        let to = ["--quiet", "--out", text(out.path())];
        did(&data, &[&to[..], more].concat());
        contents(out.path())
    };
    let first = write(&[]);
    assert_eq!(write(&[]), first, "the same data give the same bytes");
    let other = write(&["--level", "0.9"]);
    assert_eq!(other.len(), first.len());
    assert_ne!(other, first);
    assert!(other.iter().all(|it| !text(&it.0).contains("partial")));
    let taken = data.path().join("panel.csv");
    let ran = parallax(words(&data).iter().map(String::as_str).chain(["--out", text(&taken)]));
    assert_eq!(ran.code, 1);
    assert!(ran.out.is_empty() && ran.err.contains("panel.csv"), "{}{}", ran.out, ran.err);
}

const STUDY: &str = r#"
name = "staggered"
title = "One effect under several estimators"

[data]
unit = "id"
time = "year"

[[data.source]]
name = "drawn"
description = "a simulated panel"
simulated = true

[[data.source.file]]
path = "panel.csv"

[defaults]
vcov = "cluster:id"

[[model]]
name = "twfe"
estimator = "fixed-effects"
formula = "y ~ d | id + year"

[[model]]
name = "with"
like = "twfe"
formula = "y ~ d + x1 + x2 | id + year"

[[model]]
name = "dynamic"
estimator = "event-study"
formula = "y ~ 1 | id + year"
options = { cohort = "first" }

[[model]]
name = "window"
estimator = "event-study"
formula = "y ~ x1 + x2 | id + year"
options = { cohort = "first" }

[[table]]
id = "effects"
title = "The effect under every estimator"
kind = "effects"
rows = [
    { model = "twfe", term = "d", label = "TWFE" },
    { model = "with", term = "d", label = "TWFE, covariates" },
]

[[figure]]
id = "forest"
title = "The effect under every estimator"
kind = "forest"
rows = [{ model = "twfe", term = "d" }, { model = "with", term = "d" }]
labels = ["TWFE", "TWFE, covariates"]
marks = [{ at = 2.5, label = "known effect", source = "drawn" }]
zh = { title = "估计值", labels = ["双向固定效应", "加入控制变量"], marks = ["真实效应"] }

[[figure]]
id = "paths"
title = "Event studies"
kind = "event-study"
models = ["dynamic", "window"]
labels = ["plain", "covariates"]

[[figure]]
id = "adoption"
title = "Adoption"
kind = "adoption"
cohort = "first"
zh = { title = "实施时间" }
"#;

#[test]
fn a_study_has_tables_and_figures_of_effects() {
    let (data, out) = (panel(), folder());
    let file = data.path().join("study.toml");
    fs::write(&file, STUDY).unwrap();
    parallax(["reproduce", text(&file), "--quiet", "--out", text(out.path())]).done();
    let made = out.path().join("staggered/drawn");
    let table = read(&made.join("effects.csv"));
    let twfe = fit(&data, &["fixed-effects", "--treatment", "d", "--vcov", "cluster:id"]);
    let term = &twfe["terms"][0];
    let numbers = ["estimate", "std_error", "conf_low", "conf_high", "p_value"];
    let row = numbers.map(|it| format!("{:.3}", term[it].as_f64().unwrap())).join(",");
    assert!(
        table.lines().any(|it| it.replace('*', "").starts_with(&format!("TWFE,{row}"))),
        "{row}: {table}"
    );
    assert!(read(&made.join("forest.svg")).contains("known effect"));
    assert!(read(&made.join("forest-zh.svg")).contains("真实效应"));
    assert!(read(&made.join("adoption-zh.svg")).contains("从未实施"));
    assert!(read(&made.join("adoption.csv")).contains("never (120)"));
    assert!(read(&made.join("paths.svg")).contains("covariates"));
}

#[test]
fn a_study_is_checked_before_it_runs() {
    let data = panel();
    let file = data.path().join("study.toml");
    for (from, to, part) in [
        ("source = \"drawn\" }]", "source = \"drwan\" }]", "a mark names no source `drwan`"),
        ("cohort = \"first\"\nzh", "zh", "give either `cohort` or `treatment`"),
        ("cohort = \"first\"\nzh", "cohort = \"first\"\ntreatment = \"d\"\nzh", "give either `cohort`"),
        ("marks = [\"真实效应\"]", "marks = [\"a\", \"b\"]", "2 labels in `zh` for 1 marks"),
        (
            "{ model = \"with\", term = \"d\", label",
            "{ model = \"wiht\", term = \"d\", label",
            "no model `wiht`",
        ),
        ("kind = \"effects\"", "kind = \"effects\"\nlevel = 95", "`level` lies between 0 and 1"),
        ("label = \"TWFE\" }", "label = \"TWFE\", stars = 1 }", "stars"),
        ("\"twfe\", term = \"d\", label", "\"twfe\", term = \"e\", label", "model `twfe` has no term `e`"),
        (
            "kind = \"adoption\"\ncohort = \"first\"",
            "kind = \"decomposition\"\nmodel = \"twfe\"",
            "no table `decomposition`",
        ),
        (
            "kind = \"adoption\"\ncohort = \"first\"",
            "kind = \"adoption\"\ntreatment = \"x1\"",
            "the treatment is not 0 or 1",
        ),
    ] {
        let changed = STUDY.replacen(from, to, 1);
        assert_ne!(changed, STUDY, "{from}");
        fs::write(&file, changed).unwrap();
        let ran = parallax(["reproduce", text(&file), "--quiet", "--out", text(data.path())]);
        assert_eq!(ran.code, 1, "{to}");
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}
