//! The committed schema of study files, held against a validator that is not ours. That it is the one the program prints,
//! `cargo xtask codegen --check` says.

use std::{
    fs,
    path::{Path, PathBuf},
};

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Map, Value, json};

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|it| panic!("{}: {it}", path.display()))
}

fn schema() -> Value {
    serde_json::from_str(&read(&root().join("crates/study/study.schema.json"))).unwrap()
}

/// A schema, compiled.
struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

fn validator(schema: &Value) -> Validator {
    const NAME: &str = "http://localhost/study.json";
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    compiler.add_resource(NAME, schema.clone()).unwrap();
    let index =
        compiler.compile(NAME, &mut schemas).unwrap_or_else(|it| panic!("the schema is not one: {it:#}"));
    Validator { schemas, index }
}

fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.schemas.validate(value, validator.index).err().map(|it| format!("{it:#}")).into_iter().collect()
}

fn studies() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("datasets")).unwrap() {
        let path = entry.unwrap().path().join("study.toml");
        if path.is_file() {
            let table: toml::Table = read(&path).parse().unwrap();
            found.push((path.display().to_string(), serde_json::to_value(table).unwrap()));
        }
    }
    assert_eq!(found.len(), 5);
    found
}

#[test]
fn each_shipped_study_validates() {
    let validator = validator(&schema());
    for (path, study) in studies() {
        assert_eq!(faults(&validator, &study), [""; 0], "{path}");
    }
}

#[test]
fn a_misspelt_key_or_a_wrong_form_does_not() {
    let validator = validator(&schema());
    let (_, good) = studies().into_iter().find(|it| it.0.contains("cbec")).unwrap();
    let slips: [(&str, Value); 11] = [
        ("/nmae", json!("x")),
        ("/name", json!("../x")),
        ("/published", json!(true)),
        ("/data/source/0/simulatd", json!(true)),
        ("/defaults/small-sample", json!("stata")),
        ("/model/0/vcov", json!("hc9")),
        ("/model/2/options/constnat", json!(true)),
        ("/model/2/options/constant", json!("maybe")),
        ("/pipeline/0/colums", json!(["x"])),
        ("/table/0/decimals", json!("many")),
        ("/table/0/decimal", json!(3)),
    ];
    for (path, value) in slips {
        let mut bad = good.clone();
        let (place, key) = path.rsplit_once('/').unwrap();
        let place = if place.is_empty() { &mut bad } else { bad.pointer_mut(place).unwrap() };
        place[key] = value;
        assert!(!faults(&validator, &bad).is_empty(), "{path} passes");
    }
}

/// What each estimator does when nothing is set, written out, is a request that the schema takes.
#[test]
fn each_estimators_defaults_validate() {
    let schema = schema();
    let branches = schema["$defs"]["ModelEntry"]["allOf"].as_array().unwrap();
    assert!(20 < branches.len());
    let mut of_model = schema.clone();
    for key in ["properties", "required", "additionalProperties"] {
        of_model.as_object_mut().unwrap().remove(key);
    }
    of_model["$ref"] = json!("#/$defs/ModelEntry");
    let validator = validator(&of_model);
    for branch in branches {
        let name = &branch["if"]["properties"]["estimator"]["const"];
        let forms = branch["then"]["properties"]["options"]["properties"].as_object();
        let default = |(key, form): (&String, &Value)| Some((key.clone(), form.get("default")?.clone()));
        let options: Map<String, Value> = forms.into_iter().flatten().filter_map(default).collect();
        let model = json!({ "name": "m", "estimator": name, "formula": "y ~ x", "options": options });
        assert_eq!(faults(&validator, &model), [""; 0], "{name}");
        let mut bad = model.clone();
        bad["options"]["surely-no-option"] = json!(1);
        assert!(!faults(&validator, &bad).is_empty(), "{name} takes any option");
    }
}
