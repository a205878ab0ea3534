//! Stored cases, panels and comparisons that every module here uses.

use std::collections::BTreeMap;

use parallax_ingest::{ReadRequest, read};
use parallax_model::{
    AbsorptionCache, Estimate, Formula, ModelSpec, Panel, SingletonPolicy, SmallSample, WeightKind,
};
use parallax_oracle::{TOLERANCES, open_answers, private_data};
use serde_json::{Map, Value};

/// A case of a file of answers in the repository.
pub fn answer(file: &str, id: &str) -> Value {
    let text = std::fs::read_to_string(open_answers(file)).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let cases = all["cases"].as_array().unwrap();
    cases.iter().find(|it| it["id"] == id).unwrap_or_else(|| panic!("no case {id} in {file}")).clone()
}

/// A synthetic panel of the repository, indexed by unit and year.
pub fn open_panel(name: &str) -> Panel {
    let path = open_answers("..").join("data").join(format!("{name}.parquet"));
    read(&ReadRequest::file(&path).indexed("unit", "year")).unwrap().panel
}

/// A CSV file below `PARALLAX_DATA`; `None`, said aloud, when that is not set.
pub fn private_panel(file: &str, unit: &str, time: &str) -> Option<Panel> {
    let Some(root) = private_data() else {
        eprintln!("skipped: {file} needs PARALLAX_DATA");
        return None;
    };
    Some(read(&ReadRequest::file(root.join(file)).indexed(unit, time)).unwrap().panel)
}

/// A CSV file below `PARALLAX_DATA` as rows without an index; `None`, said aloud, when that is not set.
pub fn private_rows(file: &str) -> Option<Panel> {
    let Some(root) = private_data() else {
        eprintln!("skipped: {file} needs PARALLAX_DATA");
        return None;
    };
    Some(read(&ReadRequest::file(root.join(file))).unwrap().panel)
}

/// A JSON file below `PARALLAX_DATA`; `None`, said aloud, when that is not set.
pub fn private_json(file: &str) -> Option<Value> {
    let Some(root) = private_data() else {
        eprintln!("skipped: {file} needs PARALLAX_DATA");
        return None;
    };
    Some(serde_json::from_str(&std::fs::read_to_string(root.join(file)).unwrap()).unwrap())
}

/// A request under fixest's rules, without weights and options.
pub fn request(estimator: &str, formula: &str, vcov: &str) -> Request {
    Request(ModelSpec {
        estimator: estimator.to_owned(),
        formula: Formula::parse(formula).unwrap(),
        weights: None,
        weight_kind: WeightKind::Analytic,
        vcov: vcov.parse().unwrap(),
        small_sample: SmallSample::FIXEST,
        repair: None,
        singletons: SingletonPolicy::Drop,
        options: Map::new(),
    })
}

/// See [`request`].
pub struct Request(pub ModelSpec);

impl Request {
    /// With options, an object.
    pub fn options(mut self, options: &Value) -> Request {
        self.0.options = options.as_object().unwrap().clone();
        self
    }

    /// The estimate; a refusal fails the test.
    pub fn fit(&self, panel: &Panel) -> Estimate {
        let registry = parallax_plugins::registry().unwrap();
        let entry = registry.estimator(&self.0.estimator).unwrap();
        entry.fit(panel, &self.0, &AbsorptionCache::default()).unwrap_or_else(|it| panic!("{it}"))
    }
}

/// Fails when two numbers are further apart than a named tolerance allows. An error that is only rounding there, of
/// outcomes of size one, is missing here.
pub fn near_as(tolerance: &str, ours: f64, theirs: f64, what: &str) {
    const ROUNDING: f64 = 1e-13;
    if ours.is_nan() && theirs.abs() < ROUNDING {
        return;
    }
    let tolerance = TOLERANCES.iter().find(|it| it.name == tolerance).unwrap();
    let allowed = tolerance.relative * theirs.abs() + tolerance.absolute;
    assert!((ours - theirs).abs() <= allowed, "{what}: {ours} is not {theirs} ({})", tolerance.name);
}

/// An object of numbers.
pub fn numbers(value: &Value) -> BTreeMap<String, f64> {
    value.as_object().unwrap().iter().map(|(name, it)| (name.clone(), it.as_f64().unwrap())).collect()
}
