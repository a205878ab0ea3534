//! Equality, which text has too, and membership.

use std::collections::HashMap;

use parallax_panel::{Codes, MISSING};

use super::{
    error::FormulaError,
    eval::{Value, map, numbers, truth, unless_missing, zip},
    expr::Expr,
    term::Level,
};

/// `left == right` when `wanted`, else `left != right`.
pub(super) fn equal(whole: &Expr, left: Value, right: Value, wanted: bool) -> Result<Value, FormulaError> {
    Ok(match (left, right) {
        (Value::Texts(left), Value::Texts(right)) => texts_equal(&left, &right, wanted),
        (Value::Texts(codes), Value::Text(text)) | (Value::Text(text), Value::Texts(codes)) => {
            among(&codes, |it| (it == text) == wanted)
        }
        (Value::Text(left), Value::Text(right)) => Value::Number(truth((left == right) == wanted)),
        (left, right) if is_text(&left) != is_text(&right) => return Err(mixed(whole, &left, &right)),
        (left, right) => zip(left, right, |a, b| unless_missing(a, b, (a == b) == wanted)),
    })
}

/// `value %in% c(levels)`; missing where the value is.
pub(super) fn is_in(whole: &Expr, value: Value, levels: &[Level]) -> Result<Value, FormulaError> {
    let mut wanted_texts: Vec<&str> = Vec::new();
    let mut wanted_numbers: Vec<f64> = Vec::new();
    for level in levels {
        match level {
            Level::Text(it) => wanted_texts.push(it),
            Level::Number(it) => wanted_numbers.push(*it),
        }
    }
    match &value {
        Value::Texts(_) | Value::Text(_) if !wanted_numbers.is_empty() => {
            return Err(mixed(whole, &value, &Value::Number(0.0)));
        }
        Value::Numbers(_) | Value::Number(_) if !wanted_texts.is_empty() => {
            return Err(mixed(whole, &value, &Value::Text(String::new())));
        }
        _ => {}
    }
    Ok(match value {
        Value::Texts(codes) => among(&codes, |it| wanted_texts.contains(&it)),
        Value::Text(it) => Value::Number(truth(wanted_texts.contains(&it.as_str()))),
        it => map(it, |it| if it.is_nan() { it } else { truth(wanted_numbers.contains(&it)) }),
    })
}

/// Text has an order, but which one depends on the language, so that `<` is refused.
pub(super) fn refuse_order_of_text(whole: &Expr, left: &Value, right: &Value) -> Result<(), FormulaError> {
    match (is_text(left), is_text(right)) {
        (false, false) => Ok(()),
        (true, true) => Err(comparison(whole, left, right, "text can only be equal or not")),
        _ => Err(mixed(whole, left, right)),
    }
}

fn mixed(whole: &Expr, left: &Value, right: &Value) -> FormulaError {
    comparison(whole, left, right, "text is written in quotes and numbers without")
}

fn comparison(whole: &Expr, left: &Value, right: &Value, advice: &'static str) -> FormulaError {
    let kind = |it: &Value| if is_text(it) { "text" } else { "numbers" };
    FormulaError::Comparison { expr: whole.to_string(), left: kind(left), right: kind(right), advice }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Texts(_) | Value::Text(_))
}

/// Asks once a label, not once a row.
fn among(codes: &Codes, wanted: impl Fn(&str) -> bool) -> Value {
    let answers: Vec<f64> = (0..codes.n_groups()).map(|it| truth(wanted(&codes.labels.text(it)))).collect();
    numbers(codes.code.iter().map(|&it| answers.get(it as usize).copied().unwrap_or(f64::NAN)))
}

fn texts_equal(left: &Codes, right: &Codes, wanted: bool) -> Value {
    let known: HashMap<String, u32> =
        (0..left.n_groups()).map(|it| (left.labels.text(it), it as u32)).collect();
    // What the right column's labels are called on the left; text unknown there equals nothing.
    let same: Vec<Option<u32>> =
        (0..right.n_groups()).map(|it| known.get(&right.labels.text(it)).copied()).collect();
    numbers(left.code.iter().zip(right.code.iter()).map(|(&a, &b)| {
        if a == MISSING || b == MISSING {
            return f64::NAN;
        }
        truth((same.get(b as usize).copied().flatten() == Some(a)) == wanted)
    }))
}
