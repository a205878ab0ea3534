//! Mediation against linearmodels and pingouin, effects by group against pyfixest.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests stand outside the functions the lint exempts"
)]

use std::collections::BTreeMap;

use parallax_ingest::{ReadRequest, read, sha256};
use parallax_model::{AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, WeightKind};
use parallax_oracle::{TOLERANCES, open_answers};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    #[serde(rename = "program")]
    _program: String,
    data: String,
    sha256: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    #[serde(rename = "peer")]
    _peer: String,
    #[serde(rename = "call")]
    _call: String,
    formula: String,
    options: Map<String, Value>,
    vcov: String,
    small_sample: String,
    coef: BTreeMap<String, f64>,
    se: BTreeMap<String, f64>,
    #[serde(default)]
    path_covariance: Option<f64>,
    #[serde(default)]
    statistics: BTreeMap<String, f64>,
}

fn answers(file: &str) -> (Answers, Panel) {
    let text = std::fs::read_to_string(open_answers(file)).unwrap();
    let answers: Answers = serde_json::from_str(&text).unwrap();
    let path = open_answers("..").join("data").join(format!("{}.parquet", answers.data));
    assert_eq!(sha256(&path).unwrap(), answers.sha256, "the answers belong to other data");
    let panel = read(&ReadRequest::file(&path).indexed("unit", "year")).unwrap().panel;
    (answers, panel)
}

fn fit(estimator: &str, panel: &Panel, case: &Case) -> Estimate {
    let spec = ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(&case.formula).unwrap(),
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: case.vcov.parse().unwrap(),
        small_sample: case.small_sample.parse().unwrap(),
        repair: None,
        singletons: SingletonPolicy::Keep,
        options: case.options.clone(),
    };
    let registry = parallax_plugins::registry().unwrap();
    let entry = registry.estimator(estimator).unwrap();
    entry.fit(panel, &spec, &AbsorptionCache::default()).unwrap_or_else(|it| panic!("{}: {it}", case.id))
}

fn near(what: &str, ours: f64, theirs: f64) {
    let tolerance = TOLERANCES.iter().find(|it| it.name == "iterated").unwrap();
    let allowed = tolerance.relative * theirs.abs() + tolerance.absolute;
    assert!((ours - theirs).abs() <= allowed, "{what}: {ours} is not {theirs}");
}

fn compare(case: &Case, ours: &Estimate) {
    for (term, theirs) in &case.coef {
        near(&format!("{} {term}", case.id), ours.row(term, 0.95).unwrap().estimate, *theirs);
    }
    for (term, theirs) in &case.se {
        near(&format!("{} error of {term}", case.id), ours.row(term, 0.95).unwrap().std_error, *theirs);
    }
    for (name, theirs) in &case.statistics {
        near(&format!("{} {name}", case.id), ours.stats.get(name).unwrap(), *theirs);
    }
    if let Some(theirs) = case.path_covariance {
        near(&format!("{} covariance", case.id), ours.stats.get("path_covariance").unwrap(), theirs);
    }
}

#[test]
fn mediation() {
    let (answers, panel) = answers("mediation.json");
    assert_eq!(answers.cases.len(), 17);
    answers.cases.iter().for_each(|case| compare(case, &fit("mediation", &panel, case)));
}

#[test]
fn group_effects() {
    let (answers, panel) = answers("group_effects.json");
    assert!(11 <= answers.cases.len());
    answers.cases.iter().for_each(|case| compare(case, &fit("group-effects", &panel, case)));
}
