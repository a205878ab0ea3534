//! Options as a study file or the command line writes them: read, held against the bounds that their schema declares, and
//! refused in one voice.
//!
//! The schema of an option's type says its form and its bounds; this module is the only place that turns them into
//! sentences. It serves study files too.

use parallax_base::with_suggestion;
use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads a plugin's options.
///
/// # Errors
/// Which key is wrong, what was found there, and what is expected.
pub(crate) fn read<T: DeserializeOwned + JsonSchema>(options: &Map<String, Value>) -> Result<T, String> {
    let schema = schema_for!(T).to_value();
    let value = Value::Object(options.clone());
    match serde_json::from_value(value.clone()) {
        Ok(it) => out_of_bounds(&value, &schema).map_or(Ok(it), Err),
        Err(it) => Err(fault(&value, &schema).unwrap_or_else(|| it.to_string())),
    }
}

/// The first key of a value whose form is not the one that a JSON schema asks for, in a sentence; `None` when the schema
/// sees no fault. Unknown keys come with the nearest known one.
pub fn fault(value: &Value, schema: &Value) -> Option<String> {
    find(&Reading { root: schema, form: true }, value, schema, "")
}

/// The first number of a value that lies outside of the bounds that a JSON schema declares.
pub fn out_of_bounds(value: &Value, schema: &Value) -> Option<String> {
    find(&Reading { root: schema, form: false }, value, schema, "")
}

/// What is looked for: faults of form and bounds, or of bounds alone.
struct Reading<'a> {
    root: &'a Value,
    form: bool,
}

fn find(reading: &Reading<'_>, value: &Value, schema: &Value, path: &str) -> Option<String> {
    let all = alternatives(reading.root, schema, value);
    match value {
        Value::Object(map) if all.iter().any(|it| it.get("properties").is_some()) => {
            map.iter().find_map(|(key, value)| {
                let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let forms: Vec<&Value> = all.iter().filter_map(|it| it.get("properties")?.get(key)).collect();
                match forms.as_slice() {
                    [] if reading.form && is_closed(&all) => Some(unknown(&here, key, &all)),
                    [] => None,
                    // Alternatives that share a key: it is right when it is right for one of them.
                    forms => {
                        let mut faults = forms.iter().map(|it| find(reading, value, it, &here));
                        let first = faults.next().flatten();
                        if faults.all(|it| it.is_some()) { first } else { None }
                    }
                }
            })
        }
        Value::Array(items) => match all.iter().find_map(|it| it.get("items")) {
            Some(form) => items
                .iter()
                .enumerate()
                .find_map(|(at, it)| find(reading, it, form, &format!("{path}[{}]", at + 1))),
            None if reading.form && !all.iter().any(|it| fits(it, value)) => {
                Some(mismatch(path, value, &all))
            }
            None => None,
        },
        Value::Number(number) if all.iter().any(|it| fits(it, value)) => {
            let inside = all.iter().filter(|it| fits(it, value)).any(|it| in_bounds(it, number));
            (!inside).then(|| mismatch(path, value, &all))
        }
        _ => (reading.form && !all.is_empty() && !all.iter().any(|it| fits(it, value)))
            .then(|| mismatch(path, value, &all)),
    }
}

/// The schema without references, and each of its alternatives that the value does not contradict by a constant.
fn alternatives<'a>(root: &'a Value, schema: &'a Value, value: &Value) -> Vec<&'a Value> {
    let mut all = Vec::new();
    let mut open = vec![schema];
    while let Some(it) = open.pop() {
        let name = it.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/"));
        open.extend(name.and_then(|it| root.get("$defs")?.get(it)));
        for list in ["oneOf", "anyOf", "allOf"] {
            open.extend(it.get(list).and_then(Value::as_array).into_iter().flatten());
        }
        let tags = it.get("properties").and_then(Value::as_object).into_iter().flatten();
        let contradicted = tags.into_iter().any(|(key, form)| match (form.get("const"), value.get(key)) {
            (Some(wanted), Some(found)) => wanted != found,
            _ => false,
        });
        let says = ["type", "const", "enum", "properties"].iter().any(|key| it.get(key).is_some());
        if says && !contradicted {
            all.push(it);
        }
    }
    // In the order in which the schema has them.
    all.reverse();
    all
}

/// Whether keys that no alternative knows are refused.
fn is_closed(all: &[&Value]) -> bool {
    all.iter().any(|it| {
        ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|key| it.get(key) == Some(&Value::Bool(false)))
    })
}

fn fits(form: &Value, value: &Value) -> bool {
    if let Some(wanted) = form.get("const") {
        return wanted == value;
    }
    if let Some(wanted) = form.get("enum").and_then(Value::as_array) {
        return wanted.contains(value);
    }
    let is = |name: &str| match name {
        "integer" => value.as_f64().is_some_and(|it| it.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    };
    types(form).iter().any(|it| is(it)) || form.get("type").is_none()
}

fn types(form: &Value) -> Vec<&str> {
    match form.get("type") {
        Some(Value::String(it)) => vec![it],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn in_bounds(form: &Value, number: &serde_json::Number) -> bool {
    let Some(number) = number.as_f64() else { return true };
    let bound = |key: &str| form.get(key).and_then(Value::as_f64);
    bound("minimum").is_none_or(|it| it <= number) && bound("maximum").is_none_or(|it| number <= it)
}

fn unknown(path: &str, key: &str, all: &[&Value]) -> String {
    let keys = all.iter().filter_map(|it| it.get("properties")?.as_object()).flat_map(Map::keys);
    let mut known: Vec<&str> = Vec::new();
    for it in keys.map(String::as_str) {
        if !known.contains(&it) {
            known.push(it);
        }
    }
    format!("`{path}` is not a key{}", with_suggestion(key, known))
}

fn mismatch(path: &str, value: &Value, all: &[&Value]) -> String {
    let place = if path.is_empty() { String::new() } else { format!("`{path}`: ") };
    format!("{place}{} was found; write {}", found(value), expected(all))
}

/// A value as a reader has written it, not endless.
fn found(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::String(it) => {
            let mut short: String = it.chars().take(LONGEST).flat_map(char::escape_debug).collect();
            if it.chars().nth(LONGEST).is_some() {
                short.push('…');
            }
            format!("the text \"{short}\"")
        }
        Value::Number(it) => format!("the number {it}"),
        Value::Bool(it) => format!("`{it}`"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a group of keys".to_owned(),
        Value::Null => "nothing".to_owned(),
    }
}

/// What the alternatives ask for, in words.
fn expected(all: &[&Value]) -> String {
    let mut words: Vec<String> = Vec::new();
    for form in all {
        for it in wanted(form) {
            if !words.contains(&it) {
                words.push(it);
            }
        }
    }
    match words.split_last() {
        None => "another value".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

fn wanted(form: &Value) -> Vec<String> {
    let quoted = |it: &Value| it.as_str().map_or_else(|| format!("`{it}`"), |it| format!("\"{it}\""));
    if let Some(it) = form.get("const") {
        return vec![quoted(it)];
    }
    if let Some(all) = form.get("enum").and_then(Value::as_array) {
        return all.iter().filter(|it| !it.is_null()).map(quoted).collect();
    }
    let word = |it: &str| match it {
        "integer" => Some(format!("a whole number{}", range(form))),
        "number" => Some(format!("a number{}", range(form))),
        "string" => Some("a text in quotes".to_owned()),
        "boolean" => Some("true or false".to_owned()),
        "array" => Some("a list in [ ]".to_owned()),
        "object" => Some("keys with values in { }".to_owned()),
        _ => None,
    };
    types(form).into_iter().filter_map(word).collect()
}

fn range(form: &Value) -> String {
    // What a type of the program can hold is not a bound that a reader cares for.
    let said = |key: &str| form.get(key).filter(|it| it.as_f64().is_some_and(|it| it.abs() < 4e9));
    match (said("minimum"), said("maximum")) {
        (Some(low), Some(high)) => format!(" from {low} to {high}"),
        (Some(low), None) => format!(" of at least {low}"),
        (None, Some(high)) => format!(" of at most {high}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
    struct Options {
        /// Draws.
        #[schemars(range(min = 1, max = crate::limits::DRAWS))]
        draws: usize,
        #[schemars(range(max = 10))]
        leads: Option<u32>,
        by: Vec<i32>,
        kind: Kind,
        level: f64,
        name: Option<String>,
    }

    #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        /// One.
        #[default]
        One,
        /// Two.
        TwoStep,
    }

    fn refused(options: &Value) -> String {
        read::<Options>(options.as_object().unwrap()).unwrap_err()
    }

    #[test]
    fn key_value_and_form_are_named() {
        assert_eq!(
            refused(&json!({ "draws": "many" })),
            "`draws`: the text \"many\" was found; write a whole number from 1 to 1000000"
        );
        assert_eq!(
            refused(&json!({ "by": [1, "x"] })),
            "`by[2]`: the text \"x\" was found; write a whole number"
        );
        assert_eq!(
            refused(&json!({ "kind": "tow-step" })),
            "`kind`: the text \"tow-step\" was found; write \"one\" or \"two-step\""
        );
        assert_eq!(
            refused(&json!({ "level": "a\nb" })),
            "`level`: the text \"a\\nb\" was found; write a number"
        );
        assert_eq!(refused(&json!({ "drws": 3 })), "`drws` is not a key, did you mean `draws`?");
        assert_eq!(
            refused(&json!({ "draws": 2.5 })),
            "`draws`: the number 2.5 was found; write a whole number from 1 to 1000000"
        );
        assert_eq!(
            refused(&json!({ "draws": -1 })),
            "`draws`: the number -1 was found; write a whole number from 1 to 1000000"
        );
    }

    #[test]
    fn bounds_hold_where_the_form_is_right() {
        assert_eq!(
            refused(&json!({ "draws": 10_000_000_000_u64 })),
            "`draws`: the number 10000000000 was found; write a whole number from 1 to 1000000"
        );
        assert_eq!(
            refused(&json!({ "leads": 11 })),
            "`leads`: the number 11 was found; write a whole number from 0 to 10"
        );
        for good in [
            json!({}),
            json!({ "draws": 1_000_000, "leads": 10, "level": 3, "by": [-5] }),
            json!({ "leads": null }),
        ] {
            assert!(read::<Options>(good.as_object().unwrap()).is_ok(), "{good}");
        }
    }
}
