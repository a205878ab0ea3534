//! `parallax schema`: the JSON schema of study files, with each plugin's options.

use std::io::Write;

use parallax_model::Registry;
use parallax_study::StudyFile;
use schemars::{Schema, schema_for};
use serde_json::{Map, Value, json};

use crate::{DriverError, Outcome};

/// Writes the schema.
pub fn run(out: &mut dyn Write) -> Result<Outcome, DriverError> {
    writeln!(out, "{:#}", schema(&parallax_plugins::registry()?))?;
    Ok(Outcome::Done)
}

/// The schema of a study file, in which each plugin's options are known by its name.
fn schema(registry: &Registry) -> Value {
    let mut schema = schema_for!(StudyFile).to_value();
    let mut definitions = take_definitions(&mut schema);
    let mut plugin = |name: &str, schema: Schema| merged(name, schema, &mut definitions);
    let estimators: Vec<Value> = registry
        .estimators()
        .map(|it| {
            let name = it.meta.plugin.name;
            when("estimator", name, &json!({ "properties": { "options": plugin(name, it.schema()) } }))
        })
        .collect();
    let steps: Vec<Value> = registry
        .steps()
        .map(|it| when("step", it.meta.name, &beside(plugin(it.meta.name, it.schema()))))
        .collect();
    let indices: Vec<Value> = registry
        .indices()
        .map(|it| when("index", it.meta.name, &beside(plugin(it.meta.name, it.schema()))))
        .collect();
    if let Some(model) = definitions.get_mut("ModelEntry") {
        // A model that is like another one has its estimator from there, which a schema cannot follow; it says none.
        let names = registry.estimators().map(|it| it.meta.plugin.name);
        model["properties"]["estimator"]["enum"] = names.chain([""]).collect();
        model["allOf"] = Value::Array(estimators);
    }
    if let Some(entry) = definitions.get_mut("PipelineEntry") {
        entry["properties"]["step"]["enum"] = registry.steps().map(|it| it.meta.name).collect();
        entry["properties"]["index"]["enum"] = registry.indices().map(|it| it.meta.name).collect();
        entry["allOf"] = Value::Array(steps.into_iter().chain(indices).collect());
        // The options of the step stand beside its name: what neither knows is refused.
        if let Some(object) = entry.as_object_mut() {
            object.remove("additionalProperties");
            object.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
        }
    }
    definitions.sort_keys();
    schema["$defs"] = Value::Object(definitions);
    schema
}

/// `then` holds where `key` has the value `name`.
fn when(key: &str, name: &str, then: &Value) -> Value {
    json!({ "if": { "properties": { key: { "const": name } }, "required": [key] }, "then": then })
}

/// A plugin's options as a schema inside another one: its definitions move to the common ones under names of their own,
/// for two plugins may each have a `Method`. A definition that is there already, word for word, is shared.
fn merged(plugin: &str, schema: Schema, common: &mut Map<String, Value>) -> Value {
    let mut value = schema.to_value();
    let own = take_definitions(&mut value);
    let rename = |name: &str| -> String {
        match own.get(name) {
            Some(it) if common.get(name) == Some(it) && !has_reference(it) => name.to_owned(),
            _ => format!("{plugin}.{name}"),
        }
    };
    let renamed: Vec<(String, Value)> = own.iter().map(|(name, it)| (rename(name), it.clone())).collect();
    let mut moved = Vec::new();
    for (name, mut it) in renamed {
        redirect(&mut it, &rename);
        moved.push((name, it));
    }
    redirect(&mut value, &rename);
    if let Some(object) = value.as_object_mut() {
        object.remove("$schema");
        object.remove("title");
    }
    common.extend(moved);
    value
}

fn take_definitions(schema: &mut Value) -> Map<String, Value> {
    match schema.as_object_mut().and_then(|it| it.remove("$defs")) {
        Some(Value::Object(it)) => it,
        _ => Map::new(),
    }
}

const DEFINITIONS: &str = "#/$defs/";

/// Leads every reference of a schema to the new name of its definition.
fn redirect(schema: &mut Value, rename: &impl Fn(&str) -> String) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object {
                let target = value.as_str().and_then(|it| it.strip_prefix(DEFINITIONS));
                match target.filter(|_| key == "$ref") {
                    Some(it) => *value = Value::String(format!("{DEFINITIONS}{}", rename(it))),
                    None => redirect(value, rename),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|it| redirect(it, rename)),
        _ => {}
    }
}

fn has_reference(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => object.iter().any(|(key, it)| key == "$ref" || has_reference(it)),
        Value::Array(all) => all.iter().any(has_reference),
        _ => false,
    }
}

/// Options of pipeline entries stand beside `step` and `sources`, so that unknown keys cannot be told from those here.
fn beside(mut schema: Value) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.remove("additionalProperties");
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
        match schema {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str));
                object.values().for_each(|it| references(it, found));
            }
            Value::Array(all) => all.iter().for_each(|it| references(it, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_has_its_definition() {
        let schema = schema(&parallax_plugins::registry().unwrap());
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(100 < found.len());
        for it in found {
            let name = it.strip_prefix(DEFINITIONS).unwrap_or_else(|| panic!("{it} leads elsewhere"));
            assert!(schema["$defs"].get(name).is_some(), "{it} dangles");
        }
    }

    /// `oneOf` refuses what fits two of its alternatives; the program takes the first.
    #[test]
    fn examples_of_every_plugin_are_read_by_the_program_that_describes_them() {
        let registry = parallax_plugins::registry().unwrap();
        for it in registry.estimators() {
            let Value::Object(options) = it.example().1 else { panic!("options are keys") };
            it.columns(&options).unwrap();
            let whole = it.schema().to_value();
            let said = parallax_model::options::fault(&Value::Object(options), &whole);
            assert_eq!(said, None, "{}", it.meta.plugin.name);
        }
    }
}
