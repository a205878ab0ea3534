//! Composite indices against scikit-learn, scipy and pymcdm, whole score and every weight.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions the lint exempts"
)]

use std::collections::{BTreeMap, BTreeSet};

use parallax_ingest::{ReadRequest, read, sha256};
use parallax_model::{IndexResult, Note, Panel, panel::Column};
use parallax_oracle::{TOLERANCES, open_answers};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const POSITIVE: [&str; 5] = ["x1", "x2", "xinv", "x5", "x6"];
const NEGATIVE: [&str; 2] = ["x3", "x7"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    #[serde(rename = "program")]
    _program: String,
    data: String,
    sha256: String,
    #[serde(rename = "indicators")]
    _indicators: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    index: String,
    options: Map<String, Value>,
    #[serde(rename = "peer")]
    _peer: String,
    #[serde(rename = "call")]
    _call: String,
    weights: BTreeMap<String, f64>,
    score: Score,
    extra: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Score {
    /// Unit, year, score.
    rows: Vec<(i64, i32, f64)>,
    sum: f64,
    sum_of_squares: f64,
}

fn near(what: &str, ours: f64, theirs: f64) {
    let closed_form = TOLERANCES.iter().find(|it| it.name == "closed form").unwrap();
    let allowed = closed_form.relative * theirs.abs() + closed_form.absolute;
    assert!((ours - theirs).abs() <= allowed, "{what}: {ours} is not {theirs}");
}

fn panel(answers: &Answers) -> Panel {
    let path = open_answers("..").join("data").join(format!("{}.parquet", answers.data));
    assert_eq!(sha256(&path).unwrap(), answers.sha256, "the answers belong to other data");
    let mut panel = read(&ReadRequest::file(&path).indexed("unit", "year")).unwrap().panel;
    for name in POSITIVE.iter().chain(&NEGATIVE) {
        let values = panel.real(name).unwrap().iter().map(|it| (it / 4.0).exp()).collect();
        panel = panel.with((*name).into(), Column::real(values)).unwrap();
    }
    panel
}

fn build(panel: &Panel, case: &Case) -> IndexResult {
    let mut options = case.options.clone();
    options.insert("positive".to_owned(), json!(POSITIVE));
    options.insert("negative".to_owned(), json!(NEGATIVE));
    let registry = parallax_plugins::registry().unwrap();
    let method = registry.index_method(&case.index).unwrap();
    method.build(panel, &options).unwrap_or_else(|it| panic!("{}: {it}", case.id))
}

#[test]
fn weights_and_scores_are_those_of_other_programs() {
    let text = std::fs::read_to_string(open_answers("composite.json")).unwrap();
    let answers: Answers = serde_json::from_str(&text).unwrap();
    let panel = panel(&answers);
    for case in &answers.cases {
        let ours = build(&panel, case);
        let table = &ours.details[0];
        assert_eq!(table.n_rows(), case.weights.len());
        for (name, weight) in table.words("indicator").unwrap().iter().zip(table.numbers("weight").unwrap()) {
            near(&format!("{} weight {name}", case.id), *weight, case.weights[name]);
        }
        // Component scores sum to zero, so that means are compared.
        let n = ours.score.len() as f64;
        near(&format!("{} mean", case.id), ours.score.iter().sum::<f64>() / n, case.score.sum / n);
        let squares: f64 = ours.score.iter().map(|it| it * it).sum();
        near(&format!("{} mean square", case.id), squares / n, case.score.sum_of_squares / n);
        let by_place: BTreeMap<(String, i32), f64> = ours
            .score
            .iter()
            .enumerate()
            .map(|(row, score)| {
                let unit = panel.units().labels.text(panel.units().code[row] as usize);
                ((unit, panel.periods()[row]), *score)
            })
            .collect();
        for (unit, year, theirs) in &case.score.rows {
            near(&format!("{} {unit} {year}", case.id), by_place[&(unit.to_string(), *year)], *theirs);
        }
        components(case, &ours);
    }
    let indices: BTreeSet<&str> = answers.cases.iter().map(|it| it.index.as_str()).collect();
    assert_eq!(indices.len(), 5, "{indices:?}");
}

/// What only some answers have: entropies, eigenvalues, loadings, and KMO and Bartlett as the note prints them.
fn components(case: &Case, ours: &IndexResult) {
    let numbers = |it: &Value| -> Vec<f64> { serde_json::from_value(it.clone()).unwrap() };
    let all = |what: &str, ours: &[f64], theirs: &[f64]| {
        assert_eq!(ours.len(), theirs.len());
        ours.iter().zip(theirs).for_each(|(a, b)| near(&format!("{} {what}", case.id), *a, *b));
    };
    let weights = &ours.details[0];
    if let Some(entropy) = case.extra.get("entropy") {
        for (name, ours) in
            weights.words("indicator").unwrap().iter().zip(weights.numbers("entropy").unwrap())
        {
            near(&format!("{} entropy {name}", case.id), *ours, entropy[name].as_f64().unwrap());
        }
    }
    let Some(kept) = case.extra.get("kept") else { return };
    let components = &ours.details[1];
    assert_eq!(components.numbers("kept").unwrap().iter().sum::<f64>(), kept.as_f64().unwrap());
    all("eigenvalue", components.numbers("eigenvalue").unwrap(), &numbers(&case.extra["eigenvalue"]));
    for (at, theirs) in case.extra["loadings"].as_array().unwrap().iter().enumerate() {
        all("loading", weights.numbers(&format!("loading_{}", at + 1)).unwrap(), &numbers(theirs));
    }
    let adequacy = format!(
        "KMO {:.4}; Bartlett's chi-squared {:.4} with 21 df",
        case.extra["kmo"].as_f64().unwrap(),
        case.extra["bartlett"].as_f64().unwrap()
    );
    let notes: Vec<String> = ours.notes.iter().map(Note::to_string).collect();
    assert!(notes.join("\n").contains(&adequacy), "{}: {notes:?}", case.id);
}
