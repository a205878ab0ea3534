//! What is said of a result: names that are names, weights, formula, counts, and text that steers nothing.

use std::fs;

use serde_json::{Value, json};

use crate::support::{folder, json, parallax, read, root, text};

/// A panel of six units over five years, written with the names given for unit, time, y, d, x and w.
fn panel(names: [&str; 6]) -> String {
    let quoted = names.map(|it| format!("\"{}\"", it.replace('"', "\"\"")));
    let mut out = format!("{}\n", quoted.join(","));
    for unit in 0..6_i32 {
        for year in 0..5_i32 {
            let noise = f64::from((unit * 7 + year * 11 + unit * year * 3) % 13) / 7.0;
            let d = i32::from(3 <= unit && 2 <= year);
            let x = f64::from((unit * 5 + year * 3) % 7);
            let y = noise + 2.0 * f64::from(d) + 0.3 * x;
            out.push_str(&format!("{unit},{},{y},{d},{x},{}\n", 2001 + year, 1 + (unit + year) % 3));
        }
    }
    out
}

fn fit(data: &str, words: &[&str]) -> Value {
    let mut all = vec!["fit", words[0], "--data", data];
    all.extend(&words[1..]);
    all.extend(["--format", "json"]);
    json(&parallax(all).done())
}

#[test]
fn column_flags_name_columns_whatever_signs_they_have() {
    let dir = folder();
    let (plain, odd) = (dir.path().join("plain.csv"), dir.path().join("odd.csv"));
    fs::write(&plain, panel(["unit", "year", "y", "d", "x", "w"])).unwrap();
    let names = ["u^v", "1", "y*2", "l(d,1)", "x-1", "a+b"];
    fs::write(&odd, panel(names)).unwrap();
    let [unit, time, y, d, x, w] = names;
    for estimator in ["pooled-ols", "fixed-effects", "random-effects", "twfe-weights", "dcdh"] {
        let ask = |data: &std::path::Path, [unit, time, y, d, x]: [&str; 5]| {
            let words = [
                estimator,
                "--unit",
                unit,
                "--time",
                time,
                "--outcome",
                y,
                "--treatment",
                d,
                "--covariates",
                x,
            ];
            fit(text(data), &words)
        };
        let (a, b) = (ask(&plain, ["unit", "year", "y", "d", "x"]), ask(&odd, [unit, time, y, d, x]));
        let numbers = |it: &Value| -> Vec<Value> {
            it["terms"]
                .as_array()
                .unwrap()
                .iter()
                .map(|it| json!([it["estimate"], it["std_error"]]))
                .collect()
        };
        assert_eq!(numbers(&a), numbers(&b), "{estimator}");
        assert_eq!(b["outcome"], "y*2");
    }
    let clustered = ["fixed-effects", "--unit", unit, "--time", time, "--outcome", y, "--covariates", x];
    let vcov = format!("cluster:`{unit}`+`{w}`");
    let found = fit(text(&odd), &[&clustered[..], &["--vcov", &vcov, "--weights", "a+b"]].concat());
    assert_eq!(found["clusters"], json!([{ "column": "u^v", "count": 6 }, { "column": "a+b", "count": 3 }]));
    // A list of names takes a comma of a name as `\,`, and an option that names a column takes a number as its name.
    let commas = dir.path().join("commas.csv");
    fs::write(&commas, panel(["unit", "year", "y", "2004", "x,1", "w"])).unwrap();
    let words = ["dcdh", "--unit", "unit", "--time", "year", "--outcome", "y", "--covariates", r"x\,1"];
    let found = fit(text(&commas), &[&words[..], &["--set", "treatment=2004"]].concat());
    assert_eq!(found["formula"], "y ~ `x,1`");
}

#[test]
fn a_column_that_is_not_there_is_never_computed() {
    let dir = folder();
    let data = dir.path().join("d.csv");
    fs::write(&data, panel(["unit", "year", "income", "d", "x", "w"])).unwrap();
    for (flag, name, other) in [
        ("--outcome", "income*2", "income"),
        ("--covariates", "x-1", "x"),
        ("--treatment", "log(d)", "d"),
        ("--weights", "w+1", "w"),
        ("--unit", "units", "unit"),
    ] {
        let mut words = vec!["fit", "pooled-ols", "--data", text(&data)];
        let asked = [("--unit", "unit"), ("--time", "year"), ("--outcome", "income"), (flag, name)];
        for (at, (given, value)) in asked.iter().enumerate() {
            if at == 3 || *given != flag {
                words.extend([*given, *value]);
            }
        }
        let ran = parallax(words);
        assert_eq!(ran.code, 1, "{name}: {}", ran.out);
        let said = format!("`{name}`");
        assert!(ran.err.contains(&said) && ran.err.contains(&format!("`{other}`")), "{}", ran.err);
    }
    let near = parallax(["fit", "pooled-ols", "--data", text(&data), "--outcome", "incom"]);
    assert!(near.err.contains("did you mean `income`?"), "{}", near.err);
}

#[test]
fn weights_are_said_wherever_a_result_is() {
    let dir = folder();
    let data = dir.path().join("d.csv");
    fs::write(&data, panel(["unit", "year", "y", "d", "x", "w"])).unwrap();
    let base = ["--data", text(&data), "--unit", "unit", "--time", "year", "--formula", "y ~ d + x | unit"];
    let run = |start: &[&str], end: &[&str]| parallax([start, &base, end].concat()).done();
    let analytic = "analytic weights w (only their ratios matter)";
    for command in [&["fit", "fixed-effects"][..], &["explain-se", "fixed-effects"]] {
        let said = run(command, &["--weights", "w"]).replace('\n', " ");
        assert!(said.contains(analytic), "{said}");
        assert!(!run(command, &[]).contains("weights w"));
    }
    let found = json(&run(&["fit", "fixed-effects"], &["--weights", "w", "--format", "json"]));
    assert_eq!(found["weights"], json!({ "column": "w", "kind": "analytic", "scale": "relative" }));
    let frequency = ["--weights", "w", "--weight-kind", "frequency", "--format", "json"];
    for estimator in ["fixed-effects", "poisson", "pooled-ols", "mediation"] {
        let formula = match estimator {
            "pooled-ols" => "y ~ d + x",
            "mediation" => "y ~ d | unit",
            _ => "y ~ d + x | unit",
        };
        let options: &[&str] =
            if estimator == "mediation" { &["--set", "treatment=d", "--set", "mediator=x"] } else { &[] };
        let start =
            ["fit", estimator, "--data", text(&data), "--unit", "unit", "--time", "year", "--formula"];
        let found = json(&parallax([&start[..], &[formula], &frequency, options].concat()).done());
        assert_eq!(found["weights"]["kind"], "frequency");
        let rows = found["sample"]["rows_used"].as_u64().unwrap();
        assert_eq!((found["nobs"].as_u64(), rows), (Some(60), 30), "{estimator}");
    }
    let table = run(&["fit", "fixed-effects"], &["--weights", "w", "--weight-kind", "frequency"]);
    assert!(table.contains("a row counts that many times") && table.contains("Rows used"), "{table}");
    let out = dir.path().join("did");
    let words =
        ["did", text(&data), "--outcome", "y", "--unit", "unit", "--time", "year", "--treatment", "d"];
    let said = parallax([&words[..], &["--weights", "w", "--out", text(&out)]].concat()).done();
    assert!(said.replace('\n', " ").contains(analytic), "{said}");
    assert!(read(&out.join("did.html")).contains(analytic));
    assert_eq!(json(&read(&out.join("did.json")))["weights"], "w");
}

#[test]
fn the_result_says_what_it_is_of() {
    let dir = folder();
    let data = dir.path().join("d.csv");
    fs::write(&data, panel(["unit", "year", "y", "d", "x", "w"])).unwrap();
    let words = [
        "fixed-effects",
        "--unit",
        "unit",
        "--time",
        "year",
        "--formula",
        "log(1 + y) ~ d + x | unit + year",
    ];
    let found = fit(text(&data), &[&words[..], &["--vcov", "cluster:unit"]].concat());
    assert_eq!(found["formula"], "log(1 + y) ~ d + x | unit + year");
    assert_eq!(found["outcome"], "log(1 + y)");
    assert_eq!((&found["units"], &found["periods"]), (&json!(6), &json!(5)));
    assert_eq!(found["clusters"], json!([{ "column": "unit", "count": 6 }]));
    assert_eq!(found["weights"], Value::Null);
    assert_eq!(found["version"], env!("CARGO_PKG_VERSION"));
    assert!(found["terms"].as_array().unwrap().iter().all(|it| it["df"] == 5.0));
    let cross = fit(text(&data), &["pooled-ols", "--formula", "y ~ d"]);
    assert_eq!((&cross["units"], &cross["periods"]), (&Value::Null, &Value::Null));
}

#[test]
fn control_characters_reach_no_terminal_and_no_page() {
    let dir = folder();
    let data = dir.path().join("d.csv");
    fs::write(&data, panel(["unit", "year", "y", "d", "x\u{1b}[2J\u{202e}", "w"])).unwrap();
    let words = ["fit", "pooled-ols", "--data", text(&data), "--outcome", "y", "--covariates"];
    let said = parallax([&words[..], &["x\u{1b}[2J\u{202e}"]].concat()).done();
    let refused = parallax([&words[..], &["\u{1b}]0;x\u{7}"]].concat());
    for text in [&said, &refused.err] {
        assert!(
            !text.contains(|it: char| it.is_control() && it != '\n') && !text.contains('\u{202e}'),
            "{text}"
        );
    }
    assert!(refused.err.contains("no column"), "{}", refused.err);
    let page = parallax([
        "did",
        text(&data),
        "--outcome",
        "y",
        "--unit",
        "unit",
        "--time",
        "year",
        "--treatment",
        "d",
        "--covariates",
        "x\u{1b}[2J\u{202e}",
        "--out",
        text(&dir.path().join("did")),
    ]);
    assert_eq!(page.code, 0, "{}", page.err);
    for name in ["did.html", "did.tex"] {
        let page = read(&dir.path().join("did").join(name));
        assert!(!page.contains(|it: char| it.is_control() && it != '\n' && it != '\t'), "{name}");
    }
    assert!(root().is_dir());
}
