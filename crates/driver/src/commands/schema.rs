//! `parallax schema`: the JSON schema of study files, with each plugin's options.

use std::io::Write;

use parallax_study::StudyFile;
use schemars::{Schema, schema_for};
use serde_json::{Value, json};

use crate::{DriverError, Outcome};

/// Writes the schema.
pub fn run(out: &mut dyn Write) -> Result<Outcome, DriverError> {
    let registry = parallax_plugins::registry()?;
    let mut schema = schema_for!(StudyFile).to_value();
    let estimators: Vec<Value> = registry
        .estimators()
        .map(|it| {
            let name = it.meta.plugin.name;
            when("estimator", name, &json!({ "properties": { "options": inner(it.schema()) } }))
        })
        .collect();
    let names: Vec<&str> = registry.estimators().map(|it| it.meta.plugin.name).collect();
    schema["$defs"]["ModelEntry"]["properties"]["estimator"]["enum"] = json!(names);
    schema["$defs"]["ModelEntry"]["allOf"] = Value::Array(estimators);
    let steps = registry.steps().map(|it| when("step", it.meta.name, &options_beside(it.schema())));
    let indices = registry.indices().map(|it| when("index", it.meta.name, &options_beside(it.schema())));
    schema["$defs"]["PipelineEntry"]["allOf"] = Value::Array(steps.chain(indices).collect());
    writeln!(out, "{schema:#}")?;
    Ok(Outcome::Done)
}

/// `then` holds where `key` has the value `name`.
fn when(key: &str, name: &str, then: &Value) -> Value {
    json!({ "if": { "properties": { key: { "const": name } }, "required": [key] }, "then": then })
}

/// A plugin's options as a schema inside another one.
fn inner(schema: Schema) -> Value {
    let mut value = schema.to_value();
    if let Some(object) = value.as_object_mut() {
        object.remove("$schema");
    }
    value
}

/// Options of pipeline entries stand beside `step` and `sources`, so that unknown keys cannot be
/// told from those here; the program itself refuses them.
fn options_beside(schema: Schema) -> Value {
    let mut value = inner(schema);
    if let Some(object) = value.as_object_mut() {
        object.remove("additionalProperties");
    }
    value
}
