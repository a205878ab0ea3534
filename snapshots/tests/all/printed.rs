//! What `fit`, `describe`, `explain-se`, `convert` and `schema` print, and that they agree.

use crate::support::{assert_fit_to_print, folder, json, parallax, registry, root, text};

const WAGE: [&str; 6] =
    ["--data", "datasets/wage-panel/wage_panel.parquet", "--unit", "nr", "--time", "year"];
const FORMULA: [&str; 4] = ["--formula", "lwage ~ married + union | nr + year", "--vcov", "cluster:nr"];

#[test]
fn fit_in_every_format() {
    for format in ["text", "markdown", "latex", "csv"] {
        let words = ["fit", "fixed-effects"].iter().chain(&WAGE).chain(&FORMULA);
        let printed = parallax(words.chain(&["--format", format])).done();
        assert_fit_to_print(format, &printed);
        insta::assert_snapshot!(format!("fit-{format}"), printed);
    }
}

#[test]
fn fit_of_simulated_data_says_so() {
    let data = "datasets/cbec-resilience/replica.parquet";
    for format in ["text", "markdown", "latex", "csv", "json"] {
        let formula = "log(gdp) ~ log(fiscal_exp)";
        let printed =
            parallax(["fit", "pooled-ols", "--data", data, "--formula", formula, "--format", format]).done();
        assert!(printed.contains("simulated"), "{format}: {printed}");
    }
}

#[test]
fn describe() {
    let words = ["describe", WAGE[1], "--unit", "nr", "--time", "year", "--treatment", "union"];
    let printed = parallax(words).done();
    assert_fit_to_print("describe", &printed);
    insta::assert_snapshot!("describe", printed);
    let json = json(&parallax(words.iter().chain(&["--format", "json"])).done());
    assert!(json.as_object().is_some_and(|it| !it.is_empty()), "{json}");
}

#[test]
fn explain_se_shows_the_errors_that_fit_prints() {
    let printed = parallax(["explain-se", "fixed-effects"].iter().chain(&WAGE).chain(&FORMULA)).done();
    assert_fit_to_print("explain-se", &printed);
    for rules in ["fixest", "reghdfe", "xtreg", "plm", "none"] {
        let words = ["fit", "fixed-effects"].iter().chain(&WAGE).chain(&FORMULA);
        let fit = json(&parallax(words.chain(&["--small-sample", rules, "--format", "json"])).done());
        let term = &fit["terms"][0];
        assert_eq!(term["term"], "married");
        let row = printed.lines().find(|it| it.starts_with(rules) && it.contains("0.0")).unwrap();
        let shown: f64 = row.split_whitespace().nth(4).unwrap().parse().unwrap();
        let fitted = term["std_error"].as_f64().unwrap();
        assert!((shown / fitted - 1.0).abs() < 1e-8, "{rules}: {shown} explained, {fitted} fitted");
    }
    insta::assert_snapshot!("explain-se", printed);
}

#[test]
fn converted_files_give_the_same_answer() {
    let dir = folder();
    let fit = |data: &str| {
        let keys = ["fit", "fixed-effects", "--data", data, "--unit", "nr", "--time", "year"];
        parallax(keys.iter().chain(&FORMULA).chain(&["--format", "json"])).done()
    };
    let original = fit(WAGE[1]);
    for ending in ["parquet", "arrow", "csv", "tsv", "csv.gz"] {
        let to = dir.path().join(format!("wage.{ending}"));
        parallax(["convert", WAGE[1], text(&to), "--unit", "nr", "--time", "year"]).done();
        assert_eq!(fit(text(&to)), original, "{ending}");
    }
}

#[test]
fn the_schema_names_every_plugin_and_every_study_keeps_its_keys() {
    let printed = parallax(["schema"]).done();
    let schema = json(&printed);
    for plugin in registry() {
        let name = plugin["name"].as_str().unwrap();
        assert!(printed.contains(&format!("\"const\": \"{name}\"")), "`{name}` is not in the schema");
    }
    let known = schema["properties"].as_object().unwrap();
    for study in ["wage-panel", "nsw", "castle", "mpdta", "cbec-resilience"] {
        let toml = crate::support::read(&root().join("datasets").join(study).join("study.toml"));
        for line in toml.lines().filter(|it| it.starts_with('[')) {
            let key = line.trim_matches(['[', ']']).split('.').next().unwrap();
            assert!(known.contains_key(key), "{study}: `{key}` is not in the schema");
        }
    }
}
